#include "src/control/lead_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/clock.h"
#include "src/base/error.h"
#include "src/control/convert.h"
#include "src/control/lead_requests.h"
#include "src/control/pages.h"
#include "src/control/status_map.h"

namespace callbridge::control {
namespace {

std::string FullName(absl::string_view method) {
  return absl::StrCat("/", v1::LeadService::service_full_name(), "/", method);
}

// The client's id is the lead's; the store calls it by that name.
absl::Status InRequestsWords(const absl::Status& status) {
  const base::ErrorInfo info = base::GetErrorInfo(status);
  if (info.reason != "LEAD_ID_REUSED") return FromStore(status, "");
  auto metadata = info.metadata;
  metadata["field"] = "request_id";
  return base::MakeError(absl::StatusCode::kInvalidArgument, "REQUEST_ID_REUSED",
                         "request_id: was used for another lead; use a new one", metadata);
}

// The answer of an RPC that comes back with one lead.
template <typename Response>
absl::StatusOr<Response> WithLead(const absl::StatusOr<store::LeadRecord>& lead) {
  if (!lead.ok()) return InRequestsWords(lead.status());
  Response response;
  *response.mutable_lead() = ToProto(*lead);
  return response;
}

// What writes `update` and comes back with the lead.
template <typename Response>
auto Update() {
  return [](store::CallStore& store, const store::LeadUpdate& update) {
    return WithLead<Response>(store.UpdateLead(update, base::SystemClock().Now()));
  };
}

struct EraseRequest {
  std::string phone;
  std::string by;
};

}  // namespace

grpc::ServerUnaryReactor* LeadService::CreateLead(grpc::CallbackServerContext* context,
                                                  const v1::CreateLeadRequest* request,
                                                  v1::CreateLeadResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("CreateLead"), response,
      [&](const std::string&) { return ParseCreateLead(*request, base::SystemClock().Now()); },
      [](store::CallStore& store, const store::LeadRecord& lead) {
        return WithLead<v1::CreateLeadResponse>(store.CreateLead(lead));
      });
}

grpc::ServerUnaryReactor* LeadService::GetLead(grpc::CallbackServerContext* context, const v1::GetLeadRequest* request,
                                               v1::GetLeadResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("GetLead"), response,
      [&](const std::string&) { return ParseLeadName("lead", request->lead()); },
      [](store::CallStore& store, const std::string& lead_id) {
        return WithLead<v1::GetLeadResponse>(store.GetLead(lead_id));
      });
}

grpc::ServerUnaryReactor* LeadService::LookupLead(grpc::CallbackServerContext* context,
                                                  const v1::LookupLeadRequest* request,
                                                  v1::LookupLeadResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("LookupLead"), response,
      [&](const std::string&) { return ParsePhone("phone", request->phone()); },
      [](store::CallStore& store, const std::string& phone) {
        return WithLead<v1::LookupLeadResponse>(store.FindLead(phone));
      });
}

grpc::ServerUnaryReactor* LeadService::ListLeads(grpc::CallbackServerContext* context,
                                                 const v1::ListLeadsRequest* request, v1::ListLeadsResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("ListLeads"), response, [&](const std::string&) { return ParseListLeads(*request); },
      ReadLeadsPage);
}

grpc::ServerUnaryReactor* LeadService::UpdateLead(grpc::CallbackServerContext* context,
                                                  const v1::UpdateLeadRequest* request,
                                                  v1::UpdateLeadResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("UpdateLead"), response, [&](const std::string&) { return ParseUpdateLead(*request); },
      Update<v1::UpdateLeadResponse>());
}

grpc::ServerUnaryReactor* LeadService::SuppressLead(grpc::CallbackServerContext* context,
                                                    const v1::SuppressLeadRequest* request,
                                                    v1::SuppressLeadResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("SuppressLead"), response,
      [&](const std::string&) { return ParseSuppressLead(*request); }, Update<v1::SuppressLeadResponse>());
}

grpc::ServerUnaryReactor* LeadService::UnsuppressLead(grpc::CallbackServerContext* context,
                                                      const v1::UnsuppressLeadRequest* request,
                                                      v1::UnsuppressLeadResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("UnsuppressLead"), response,
      [&](const std::string&) { return ParseUnsuppressLead(*request); }, Update<v1::UnsuppressLeadResponse>());
}

grpc::ServerUnaryReactor* LeadService::EraseLead(grpc::CallbackServerContext* context,
                                                 const v1::EraseLeadRequest* request, v1::EraseLeadResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("EraseLead"), response,
      [&](const std::string& principal) -> absl::StatusOr<EraseRequest> {
        auto phone = ParsePhone("phone", request->phone());
        if (!phone.ok()) return phone.status();
        return EraseRequest{*std::move(phone), principal.empty() ? "a client of the open port" : principal};
      },
      [](store::CallStore& store, const EraseRequest& erase) -> absl::StatusOr<v1::EraseLeadResponse> {
        const auto erasure = store.EraseNumber(erase.phone, erase.by, base::SystemClock().Now());
        if (!erasure.ok()) return FromStore(erasure.status(), "");
        v1::EraseLeadResponse answer;
        answer.set_calls(erasure->counts.calls);
        *answer.mutable_erase_time() = ToTimestamp(erasure->time);
        return answer;
      });
}

}  // namespace callbridge::control
