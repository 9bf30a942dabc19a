#include "src/store/postgres/lead_rows.h"

#include "absl/strings/str_cat.h"
#include "src/base/ids.h"
#include "src/store/metadata_json.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

constexpr char kLeadColumns[] =
    "id, phone, name, call_status, transferred_to_human, last_call_id, created_at, updated_at, disposition, interest, "
    "follow_up_time, result_call_id, status_call_id, metadata, suppressed, suppressed_reason, suppressed_at, revision";

}  // namespace

Statement TouchLead(absl::string_view phone, absl::string_view call_id, absl::Time now) {
  Statement statement(
      "INSERT INTO leads (id, phone, last_call_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) "
      "ON CONFLICT (phone) DO UPDATE SET last_call_id = excluded.last_call_id, "
      "updated_at = greatest(leads.updated_at, excluded.updated_at) RETURNING id");
  return statement.Text(base::NewUuid()).Text(phone).Text(call_id).Time(now);
}

Statement RequireDiallable(absl::string_view phone) {
  return Statement(
             "SELECT callbridge_require(NOT EXISTS (SELECT 1 FROM leads WHERE phone = $1 AND suppressed), 'UB003')")
      .Text(phone);
}

Statement InsertLead(const LeadRecord& lead) {
  Statement statement(
      "INSERT INTO leads (id, phone, name, metadata, suppressed, suppressed_reason, suppressed_at, created_at, "
      "updated_at, fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) ON CONFLICT DO NOTHING RETURNING id");
  statement.Text(lead.lead_id).Text(lead.phone).Text(lead.name).Text(EncodeMetadata(lead.metadata));
  statement.Bool(lead.suppressed).Text(lead.suppressed ? lead.suppressed_reason : "");
  statement.TimeOrNull(lead.suppressed ? lead.create_time : absl::InfinitePast());
  return statement.Time(lead.create_time).Text(LeadFingerprint(lead));
}

Statement UpdateClientFields(const LeadRecord& lead) {
  Statement statement(absl::StrCat(
      "UPDATE leads SET name = $3, metadata = $4, suppressed = $5, suppressed_reason = $6, suppressed_at = $7, "
      "updated_at = greatest(updated_at, $8) WHERE id = $1 AND revision = $2 RETURNING ",
      kLeadColumns));
  statement.Text(lead.lead_id).Int(lead.revision).Text(lead.name).Text(EncodeMetadata(lead.metadata));
  statement.Bool(lead.suppressed).Text(lead.suppressed_reason).TimeOrNull(lead.suppressed_time);
  return statement.Time(lead.update_time);
}

Statement SelectLead(LeadKey key, absl::string_view value) {
  return Statement(
             absl::StrCat("SELECT ", kLeadColumns, " FROM leads WHERE ", key == LeadKey::kId ? "id" : "phone", " = $1"))
      .Text(value);
}

Statement SelectLeads(const LeadFilter& filter, const absl::optional<LeadPageKey>& after, int limit) {
  std::string where = "updated_at >= $1";
  int last = 2;
  const auto next = [&last] { return absl::StrCat("$", ++last); };
  if (!filter.call_status.empty()) absl::StrAppend(&where, " AND call_status = ", next());
  if (filter.suppressed) absl::StrAppend(&where, " AND suppressed = ", next());
  if (after) {
    const std::string time = next();
    absl::StrAppend(&where, " AND (created_at, id) < (", time, ", ", next(), ")");
  }
  Statement statement(absl::StrCat("SELECT ", kLeadColumns, " FROM leads WHERE ", where,
                                   " ORDER BY created_at DESC, id DESC LIMIT $2"));
  statement.Bound(filter.updated_after).Int(limit);
  if (!filter.call_status.empty()) statement.Text(filter.call_status);
  if (filter.suppressed) statement.Bool(*filter.suppressed);
  if (after) statement.Bound(after->create_time).Text(after->lead_id);
  return statement;
}

LeadRecord ReadLead(Rows& rows) {
  LeadRecord lead;
  lead.lead_id = rows.GetText();
  lead.phone = rows.GetText();
  lead.name = rows.GetText();
  lead.call_status = rows.GetText();
  lead.transferred_to_human = rows.GetBool();
  lead.last_call_id = rows.GetText();
  lead.create_time = rows.GetTime();
  lead.update_time = rows.GetTime();
  lead.result.disposition = rows.GetText();
  lead.result.interest = rows.GetText();
  lead.result.follow_up_time = rows.GetText();
  lead.result_call_id = rows.GetText();
  lead.status_call_id = rows.GetText();
  if (!DecodeMetadata(rows.GetText(), &lead.metadata)) rows.Damaged();
  lead.suppressed = rows.GetBool();
  lead.suppressed_reason = rows.GetText();
  lead.suppressed_time = rows.GetTime();
  lead.revision = rows.GetInt();
  return lead;
}

Statement SelectFingerprint(absl::string_view lead_id) {
  return Statement("SELECT fingerprint FROM leads WHERE id = $1").Text(lead_id);
}

}  // namespace callbridge::store
