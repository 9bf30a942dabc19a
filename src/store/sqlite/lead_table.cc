#include "src/store/sqlite/lead_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/ids.h"
#include "src/store/metadata_json.h"
#include "src/store/refusals.h"
#include "src/store/text.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

constexpr char kLeadColumns[] =
    "id, phone, name, call_status, transferred_to_human, last_call_id, created_at, updated_at, disposition, interest, "
    "follow_up_time, result_call_id, status_call_id, metadata, suppressed, suppressed_reason, suppressed_at, revision";

// Reads kLeadColumns from the current row.
LeadRecord ReadLead(Query& row) {
  LeadRecord lead;
  lead.lead_id = row.GetText();
  lead.phone = row.GetText();
  lead.name = row.GetText();
  lead.call_status = row.GetText();
  lead.transferred_to_human = row.GetBool();
  lead.last_call_id = row.GetText();
  lead.create_time = row.GetTime();
  lead.update_time = row.GetTime();
  lead.result.disposition = row.GetText();
  lead.result.interest = row.GetText();
  lead.result.follow_up_time = row.GetText();
  lead.result_call_id = row.GetText();
  lead.status_call_id = row.GetText();
  if (!DecodeMetadata(row.GetText(), &lead.metadata)) row.Damaged();
  lead.suppressed = row.GetBool();
  lead.suppressed_reason = row.GetText();
  lead.suppressed_time = row.GetTime();
  lead.revision = row.GetInt();
  return lead;
}

absl::StatusOr<LeadRecord> SelectExisting(Database& database, absl::string_view lead_id) {
  absl::StatusOr<absl::optional<LeadRecord>> lead = SelectLead(database, LeadKey::kId, lead_id);
  if (!lead.ok()) return lead.status();
  if (!lead->has_value()) return LeadNotFound();
  return **std::move(lead);
}

absl::StatusOr<std::string> SelectFingerprint(Database& database, absl::string_view lead_id) {
  Query query = database.Prepare("SELECT fingerprint FROM leads WHERE id = ?");
  query.Text(lead_id);
  std::string fingerprint = query.Step() ? query.GetText() : "";
  if (!query.status().ok()) return query.status();
  return fingerprint;
}

// Writes what a client may change.
absl::Status WriteClientFields(Database& database, const LeadRecord& lead) {
  return database
      .Prepare(
          "UPDATE leads SET name = ?, metadata = ?, suppressed = ?, suppressed_reason = ?, suppressed_at = ?, "
          "updated_at = max(updated_at, ?) WHERE id = ?")
      .Text(lead.name)
      .Text(EncodeMetadata(lead.metadata))
      .Bool(lead.suppressed)
      .Text(lead.suppressed_reason)
      .TimeOrNull(lead.suppressed_time)
      .Time(lead.update_time)
      .Text(lead.lead_id)
      .Run();
}

}  // namespace

absl::StatusOr<std::string> TouchLead(Database& database, absl::string_view phone, absl::string_view call_id,
                                      absl::Time now) {
  Query query = database.Prepare(
      "INSERT INTO leads (id, phone, last_call_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (phone) DO UPDATE SET last_call_id = excluded.last_call_id, updated_at = max(updated_at, "
      "excluded.updated_at) "
      "RETURNING id");
  query.Text(base::NewUuid()).Text(phone).Text(call_id).Time(now).Time(now);
  std::string lead_id;
  if (query.Step()) lead_id = query.GetText();
  const absl::Status status = query.Run();
  if (!status.ok()) return status;
  return lead_id;
}

absl::StatusOr<absl::optional<LeadRecord>> SelectLead(Database& database, LeadKey key, absl::string_view value) {
  Query query = database.Prepare(
      absl::StrCat("SELECT ", kLeadColumns, " FROM leads WHERE ", key == LeadKey::kId ? "id" : "phone", " = ?"));
  query.Text(value);
  absl::optional<LeadRecord> lead;
  if (query.Step()) lead = ReadLead(query);
  if (!query.status().ok()) return query.status();
  return lead;
}

absl::StatusOr<std::vector<LeadRecord>> SelectLeads(Database& database, const LeadFilter& filter,
                                                    const absl::optional<LeadPageKey>& after, int limit) {
  std::string where = "updated_at >= ?";
  if (!filter.call_status.empty()) absl::StrAppend(&where, " AND call_status = ?");
  if (filter.suppressed) absl::StrAppend(&where, " AND suppressed = ?");
  if (after) absl::StrAppend(&where, " AND (created_at, id) < (?, ?)");
  Query query = database.PrepareOnce(
      absl::StrCat("SELECT ", kLeadColumns, " FROM leads WHERE ", where, " ORDER BY created_at DESC, id DESC LIMIT ?"));
  query.Time(filter.updated_after);
  if (!filter.call_status.empty()) query.Text(filter.call_status);
  if (filter.suppressed) query.Bool(*filter.suppressed);
  if (after) query.Time(after->create_time).Text(after->lead_id);
  query.Int(limit);
  std::vector<LeadRecord> leads;
  while (query.Step()) leads.push_back(ReadLead(query));
  if (!query.status().ok()) return query.status();
  return leads;
}

absl::StatusOr<LeadRecord> AddLead(Database& database, const LeadRecord& lead) {
  const std::string fingerprint = LeadFingerprint(lead);
  absl::StatusOr<absl::optional<LeadRecord>> known = SelectLead(database, LeadKey::kId, lead.lead_id);
  if (!known.ok()) return known.status();
  if (known->has_value()) {
    const absl::StatusOr<std::string> first = SelectFingerprint(database, lead.lead_id);
    if (!first.ok()) return first.status();
    if (*first != fingerprint) return LeadIdReused(lead.lead_id);
    return **std::move(known);
  }
  known = SelectLead(database, LeadKey::kPhone, lead.phone);
  if (!known.ok()) return known.status();
  if (known->has_value()) return LeadExists((*known)->lead_id);
  const absl::Status status =
      database
          .Prepare(
              "INSERT INTO leads (id, phone, name, metadata, suppressed, suppressed_reason, suppressed_at, "
              "created_at, updated_at, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
          .Text(lead.lead_id)
          .Text(lead.phone)
          .Text(lead.name)
          .Text(EncodeMetadata(lead.metadata))
          .Bool(lead.suppressed)
          .Text(lead.suppressed ? lead.suppressed_reason : "")
          .TimeOrNull(lead.suppressed ? lead.create_time : absl::InfinitePast())
          .Time(lead.create_time)
          .Time(lead.create_time)
          .Text(fingerprint)
          .Run();
  if (!status.ok()) return status;
  return SelectExisting(database, lead.lead_id);
}

absl::StatusOr<LeadRecord> ChangeLead(Database& database, const LeadUpdate& update, absl::Time now) {
  absl::StatusOr<LeadRecord> lead = SelectExisting(database, update.lead_id);
  if (!lead.ok()) return lead.status();
  if (update.revision && *update.revision != lead->revision) return LeadChanged(*lead);
  if (!ApplyUpdate(update, now, &*lead)) return lead;
  const absl::Status status = WriteClientFields(database, *lead);
  if (!status.ok()) return status;
  return SelectExisting(database, update.lead_id);
}

}  // namespace callbridge::store
