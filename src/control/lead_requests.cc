#include "src/control/lead_requests.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/control/etag.h"
#include "src/control/fields.h"
#include "src/control/page_token.h"

namespace callbridge::control {
namespace {

using base::FieldError;

constexpr int kDefaultPage = 50;
constexpr int kMaxPage = 500;
constexpr size_t kMaxNameBytes = 256;
constexpr std::array<absl::string_view, 4> kStatuses = {"", "new", "called", "transferred"};

absl::StatusOr<store::LeadFilter> ParseFilter(const v1::LeadFilter& filter) {
  store::LeadFilter out;
  if (!v1::LeadCallStatus_IsValid(filter.call_status())) {
    return FieldError("filter.call_status", "INVALID_FILTER",
                      absl::StrCat(static_cast<int>(filter.call_status()), " is not a status of a lead"));
  }
  out.call_status = std::string(kStatuses[filter.call_status()]);
  if (filter.has_suppressed()) out.suppressed = filter.suppressed();
  if (filter.has_updated_after()) {
    const auto time = ParseTime("filter.updated_after", filter.updated_after());
    if (!time.ok()) return time.status();
    out.updated_after = *time;
  }
  return out;
}

}  // namespace

absl::StatusOr<std::string> ParseLeadName(absl::string_view field, absl::string_view name) {
  return ParseResourceName(field, "leads/", "INVALID_LEAD_NAME", name);
}

absl::StatusOr<std::string> ParsePhone(absl::string_view field, absl::string_view phone) {
  if (phone.empty()) return Required(field, "the number, +14155550100");
  const absl::Status status = CheckNumber(field, phone);
  if (!status.ok()) return status;
  return std::string(phone);
}

absl::StatusOr<store::LeadRecord> ParseCreateLead(const v1::CreateLeadRequest& request, absl::Time now) {
  auto phone = ParsePhone("phone", request.phone());
  if (!phone.ok()) return phone.status();
  absl::Status status = CheckUuid("request_id", request.request_id());
  if (status.ok()) status = CheckLength("display_name", request.display_name(), kMaxNameBytes);
  if (status.ok()) status = CheckMetadata("metadata", request.metadata());
  if (!status.ok()) return status;
  store::LeadRecord lead;
  lead.lead_id = request.request_id().empty() ? base::NewUuid() : request.request_id();
  lead.phone = *std::move(phone);
  lead.name = request.display_name();
  lead.metadata.insert(request.metadata().begin(), request.metadata().end());
  lead.create_time = now;
  return lead;
}

absl::StatusOr<ListLeadsQuery> ParseListLeads(const v1::ListLeadsRequest& request) {
  ListLeadsQuery out;
  const auto page_size = ParsePageSize(request.page_size(), kDefaultPage, kMaxPage);
  if (!page_size.ok()) return page_size.status();
  out.page_size = *page_size;
  auto filter = ParseFilter(request.filter());
  if (!filter.ok()) return filter.status();
  out.filter = *std::move(filter);
  if (request.page_token().empty()) return out;
  out.after = ParseLeadPageToken(out.filter, request.page_token());
  if (!out.after) return PageTokenError();
  return out;
}

absl::StatusOr<store::LeadUpdate> ParseUpdateLead(const v1::UpdateLeadRequest& request) {
  auto lead_id = ParseLeadName("lead", request.lead());
  if (!lead_id.ok()) return lead_id.status();
  const auto paths = ParseUpdateMask(request.update_mask(), {"display_name", "metadata"});
  if (!paths.ok()) return paths.status();
  store::LeadUpdate update;
  update.lead_id = *std::move(lead_id);
  if (paths->count("display_name") > 0) {
    const absl::Status status = CheckLength("display_name", request.display_name(), kMaxNameBytes);
    if (!status.ok()) return status;
    update.name = request.display_name();
  }
  if (paths->count("metadata") > 0) {
    const absl::Status status = CheckMetadata("metadata", request.metadata());
    if (!status.ok()) return status;
    update.metadata.emplace(request.metadata().begin(), request.metadata().end());
  }
  if (request.etag().empty()) return update;
  update.revision = ParseEtag(request.etag());
  if (update.revision) return update;
  return FieldError("etag", "INVALID_ETAG", "is no etag of a lead; pass Lead.etag unchanged, or none");
}

absl::StatusOr<store::LeadUpdate> ParseSuppressLead(const v1::SuppressLeadRequest& request) {
  auto lead_id = ParseLeadName("lead", request.lead());
  if (!lead_id.ok()) return lead_id.status();
  if (request.reason().empty()) return Required("reason", "asked not to be called");
  const absl::Status status = CheckLength("reason", request.reason(), kMaxReasonBytes);
  if (!status.ok()) return status;
  store::LeadUpdate update;
  update.lead_id = *std::move(lead_id);
  update.suppressed = true;
  update.suppressed_reason = request.reason();
  return update;
}

absl::StatusOr<store::LeadUpdate> ParseUnsuppressLead(const v1::UnsuppressLeadRequest& request) {
  auto lead_id = ParseLeadName("lead", request.lead());
  if (!lead_id.ok()) return lead_id.status();
  store::LeadUpdate update;
  update.lead_id = *std::move(lead_id);
  update.suppressed = false;
  return update;
}

}  // namespace callbridge::control
