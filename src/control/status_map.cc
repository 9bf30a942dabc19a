#include "src/control/status_map.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/base/log.h"
#include "src/control/utf8.h"

namespace callbridge::control {
namespace {

constexpr char kDomain[] = "callbridge";
// Message and details travel in trailers, in base64, and clients take 8 KiB of them.
constexpr size_t kMaxMessageBytes = 1024;
constexpr size_t kMaxMetadataBytes = 256;
// Where the status does not say it.
constexpr absl::Duration kUnavailableRetry = absl::Seconds(1);
constexpr absl::Duration kExhaustedRetry = absl::Seconds(5);

// Codes that handlers mean when they return them; all others are our own fault.
bool IsForClients(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnauthenticated: return true;
    default: return false;
  }
}

absl::Status HideInternals(const absl::Status& status) {
  const std::string trace_id = base::NewToken();
  base::Log(base::LogKind::kTrouble, "", "a request failed by a fault of ours",
            {{"trace_id", trace_id}, {"error", status.ToString()}});
  return base::MakeError(absl::StatusCode::kInternal, "INTERNAL",
                         absl::StrCat("internal error; the server's log has it under trace_id ", trace_id),
                         {{"trace_id", trace_id}});
}

template <typename Detail>
void AddDetail(const Detail& detail, google::rpc::Status& to) {
  to.add_details()->PackFrom(detail);
}

void AddErrorInfo(const absl::Status& status, const base::ErrorInfo& info, google::rpc::Status& to) {
  google::rpc::ErrorInfo detail;
  // absl's code names are gRPC's: "NOT_FOUND".
  detail.set_reason(info.reason.empty() ? absl::StatusCodeToString(status.code()) : info.reason);
  detail.set_domain(kDomain);
  for (const auto& [key, value] : info.metadata)
    (*detail.mutable_metadata())[key] = ToUtf8(InNames(key, value), kMaxMetadataBytes);
  if (!info.field.empty()) (*detail.mutable_metadata())["field"] = ToUtf8(info.field, kMaxMetadataBytes);
  AddDetail(detail, to);
}

void AddBadRequest(const std::string& field, google::rpc::Status& to) {
  google::rpc::BadRequest detail;
  auto* violation = detail.add_field_violations();
  violation->set_field(ToUtf8(field, kMaxMetadataBytes));
  violation->set_description(to.message());
  AddDetail(detail, to);
}

void AddPreconditionFailure(const base::ErrorInfo& info, google::rpc::Status& to) {
  google::rpc::PreconditionFailure detail;
  auto* violation = detail.add_violations();
  violation->set_type(info.reason);
  violation->set_subject(ToUtf8(info.field, kMaxMetadataBytes));
  violation->set_description(to.message());
  AddDetail(detail, to);
}

void AddQuotaFailure(const base::ErrorInfo& info, google::rpc::Status& to) {
  google::rpc::QuotaFailure detail;
  auto* violation = detail.add_violations();
  violation->set_subject(info.reason);
  violation->set_description(to.message());
  AddDetail(detail, to);
}

void AddRetryInfo(absl::Duration delay, google::rpc::Status& to) {
  google::rpc::RetryInfo detail;
  absl::Duration rest;
  detail.mutable_retry_delay()->set_seconds(absl::IDivDuration(delay, absl::Seconds(1), &rest));
  detail.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  AddDetail(detail, to);
}

void AddDetails(const absl::Status& status, google::rpc::Status& to) {
  const base::ErrorInfo info = base::GetErrorInfo(status);
  AddErrorInfo(status, info, to);
  if (status.code() == absl::StatusCode::kInvalidArgument && !info.field.empty()) AddBadRequest(info.field, to);
  if (status.code() == absl::StatusCode::kFailedPrecondition) AddPreconditionFailure(info, to);
  if (status.code() == absl::StatusCode::kResourceExhausted) AddQuotaFailure(info, to);
  if (const auto delay = RetryDelayOf(status)) AddRetryInfo(*delay, to);
}

}  // namespace

std::string InNames(const std::string& key, const std::string& value) {
  const char* const collection = key == "lead" ? "leads/" : key == "call" ? "calls/" : key == "node" ? "nodes/" : "";
  return value.empty() || absl::StartsWith(value, collection) ? value : absl::StrCat(collection, value);
}

absl::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  if (const auto delay = base::GetRetryDelay(status)) return delay;
  if (status.code() == absl::StatusCode::kResourceExhausted) return kExhaustedRetry;
  if (status.code() == absl::StatusCode::kUnavailable) return kUnavailableRetry;
  return absl::nullopt;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const absl::Status shown = IsForClients(status.code()) ? status : HideInternals(status);
  google::rpc::Status details;
  details.set_code(static_cast<int>(shown.code()));
  details.set_message(ToUtf8(shown.message(), kMaxMessageBytes));
  AddDetails(shown, details);
  return grpc::Status(static_cast<grpc::StatusCode>(shown.code()), details.message(), details.SerializeAsString());
}

absl::Status FromStore(const absl::Status& status, absl::string_view call_id) {
  const std::string reason = base::GetErrorInfo(status).reason;
  if (status.code() == absl::StatusCode::kNotFound && (reason.empty() || reason == "CALL_NOT_FOUND")) {
    return base::MakeError(absl::StatusCode::kNotFound, "CALL_NOT_FOUND",
                           absl::StrCat("there is no call calls/", call_id),
                           {{"call", absl::StrCat("calls/", call_id)}});
  }
  if (status.code() == absl::StatusCode::kUnavailable && reason.empty()) {
    base::Log(base::LogKind::kDatabase, call_id, "the database is not available to a request",
              {{"error", status.ToString()}});
    return base::MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                           "the database does not answer now; try again");
  }
  return status;
}

}  // namespace callbridge::control
