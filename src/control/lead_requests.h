#ifndef CALLBRIDGE_SRC_CONTROL_LEAD_REQUESTS_H_
#define CALLBRIDGE_SRC_CONTROL_LEAD_REQUESTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "callbridge/v1/lead_service.pb.h"
#include "src/store/records.h"

// Requests of LeadService, checked, as our values. Pure. Every error is kInvalidArgument with the field's path in the
// message and a reason that lead_service.proto lists.
namespace callbridge::control {

// "leads/{uuid}" or "{uuid}" -> the id.
absl::StatusOr<std::string> ParseLeadName(absl::string_view field, absl::string_view name);

// lead_id is the client's request_id, or a new one.
absl::StatusOr<store::LeadRecord> ParseCreateLead(const v1::CreateLeadRequest& request, absl::Time now);

absl::StatusOr<std::string> ParsePhone(absl::string_view field, absl::string_view phone);

struct ListLeadsQuery {
  store::LeadFilter filter;
  absl::optional<store::LeadPageKey> after;
  int page_size = 0;
};
absl::StatusOr<ListLeadsQuery> ParseListLeads(const v1::ListLeadsRequest& request);

absl::StatusOr<store::LeadUpdate> ParseUpdateLead(const v1::UpdateLeadRequest& request);
absl::StatusOr<store::LeadUpdate> ParseSuppressLead(const v1::SuppressLeadRequest& request);
absl::StatusOr<store::LeadUpdate> ParseUnsuppressLead(const v1::UnsuppressLeadRequest& request);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_LEAD_REQUESTS_H_
