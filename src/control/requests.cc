#include "src/control/requests.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/base/phone.h"
#include "src/base/sha256.h"
#include "src/call/event.h"
#include "src/control/fields.h"
#include "src/control/utf8.h"

namespace callbridge::control {
namespace {

using base::FieldError;

constexpr int kDefaultCallsPage = 50;
constexpr int kMaxCallsPage = 500;
constexpr int kDefaultItemsPage = 100;
constexpr int kMaxItemsPage = 1000;
constexpr size_t kMaxGoodbyeBytes = 1024;
constexpr size_t kMaxNumberBytes = 256;
constexpr int kMaxDispositions = 16;
constexpr size_t kMaxDispositionBytes = 64;
constexpr absl::Duration kMinRing = absl::Seconds(5);
constexpr absl::Duration kMaxRing = absl::Seconds(120);
constexpr absl::Duration kMinCall = absl::Seconds(10);
constexpr absl::Duration kMaxCall = absl::Hours(4);
constexpr absl::Duration kMinHeartbeat = absl::Seconds(1);
constexpr absl::Duration kMaxHeartbeat = absl::Minutes(5);

// A hash of all that StartCall acts on. Every part has its length before it, so that no two requests run together.
std::string Fingerprint(const session::CallControl::StartRequest& request) {
  std::string text;
  const auto add = [&text](absl::string_view part) { absl::StrAppend(&text, part.size(), ":", part); };
  add(request.to);
  add(request.from);
  add(request.agent);
  add(absl::FormatDuration(request.ring_timeout));
  add(absl::FormatDuration(request.max_duration));
  for (const auto& [key, value] : request.metadata) {
    add(key);
    add(value);
  }
  // The same hash as before there were labels, where there are none.
  if (!request.labels.empty()) add("labels");
  for (const auto& [key, value] : request.labels) {
    add(key);
    add(value);
  }
  return base::Sha256Hex(text);
}

absl::StatusOr<std::vector<call::State>> ParseStates(const v1::CallFilter& filter) {
  std::vector<call::State> states;
  for (int i = 0; i < filter.states_size(); ++i) {
    const int value = filter.states(i);
    if (value == v1::CALL_STATE_UNSPECIFIED || !v1::CallState_IsValid(value)) {
      return FieldError(absl::StrCat("filter.states[", i, "]"), "INVALID_FILTER",
                        absl::StrCat(value, " is not a state of a call"));
    }
    states.push_back(static_cast<call::State>(value - 1));
  }
  return states;
}

absl::Status ParseTimes(const v1::CallFilter& filter, store::CallFilter& out) {
  if (filter.has_created_after()) {
    const auto time = ParseTime("filter.created_after", filter.created_after());
    if (!time.ok()) return time.status();
    out.created_after = *time;
  }
  if (filter.has_created_before()) {
    const auto time = ParseTime("filter.created_before", filter.created_before());
    if (!time.ok()) return time.status();
    out.created_before = *time;
  }
  if (out.created_after < out.created_before) return absl::OkStatus();
  return FieldError("filter.created_before", "INVALID_FILTER", "must be later than filter.created_after");
}

absl::Status ParseOutcomes(const v1::CallFilter& filter, store::CallFilter& out) {
  for (int i = 0; i < filter.end_reasons_size(); ++i) {
    const int value = filter.end_reasons(i);
    if (value == v1::END_REASON_UNSPECIFIED || !v1::EndReason_IsValid(value)) {
      return FieldError(absl::StrCat("filter.end_reasons[", i, "]"), "INVALID_FILTER",
                        absl::StrCat(value, " is not a reason for the end of a call"));
    }
    out.end_reasons.push_back(static_cast<call::EndReason>(value - 1));
  }
  if (filter.dispositions_size() > kMaxDispositions) {
    return FieldError("filter.dispositions", "INVALID_FILTER",
                      absl::StrCat("has ", filter.dispositions_size(), " entries; at most ", kMaxDispositions));
  }
  for (int i = 0; i < filter.dispositions_size(); ++i) {
    const std::string& disposition = filter.dispositions(i);
    if (disposition.empty() || disposition.size() > kMaxDispositionBytes) {
      return FieldError(absl::StrCat("filter.dispositions[", i, "]"), "INVALID_FILTER",
                        absl::StrCat("must have 1 to ", kMaxDispositionBytes, " bytes"));
    }
    out.dispositions.push_back(disposition);
  }
  return absl::OkStatus();
}

absl::StatusOr<store::CallFilter> ParseFilter(const v1::CallFilter& filter) {
  store::CallFilter out;
  auto states = ParseStates(filter);
  if (!states.ok()) return states.status();
  out.states = *std::move(states);
  if (!v1::CallDirection_IsValid(filter.direction())) {
    return FieldError("filter.direction", "INVALID_FILTER", absl::StrCat(filter.direction(), " is not a direction"));
  }
  if (filter.direction() != v1::CALL_DIRECTION_UNSPECIFIED) {
    out.direction = static_cast<call::Direction>(filter.direction() - 1);
  }
  if (filter.number().size() > kMaxNumberBytes) {
    return FieldError("filter.number", "INVALID_FILTER", absl::StrCat("has more than ", kMaxNumberBytes, " bytes"));
  }
  out.number = base::NormalizeNumber(filter.number());
  if (!filter.lead().empty()) {
    auto lead_id = ParseResourceName("filter.lead", "leads/", "INVALID_FILTER", filter.lead());
    if (!lead_id.ok()) return lead_id.status();
    out.lead_id = *std::move(lead_id);
  }
  absl::Status status = ParseTimes(filter, out);
  if (status.ok()) status = CheckLabels("filter.labels", "INVALID_FILTER", filter.labels());
  if (status.ok()) status = ParseOutcomes(filter, out);
  if (!status.ok()) return status;
  out.labels.insert(filter.labels().begin(), filter.labels().end());
  return out;
}

// Exactly one of a known destination and a number.
absl::Status CheckWhom(const v1::TransferCallRequest& request, const std::vector<std::string>& destinations) {
  const std::string keys = destinations.empty() ? "none is configured" : absl::StrJoin(destinations, ", ");
  if (request.destination().empty()) {
    if (!request.number().empty()) return CheckNumber("number", request.number());
    return Required("destination", absl::StrCat(keys, "; or a number instead of it"));
  }
  if (!request.number().empty()) {
    return FieldError("number", "FIELD_CONFLICT", "goes without `destination`; set one of the two");
  }
  if (std::find(destinations.begin(), destinations.end(), request.destination()) != destinations.end()) {
    return absl::OkStatus();
  }
  return FieldError("destination", "UNKNOWN_DESTINATION",
                    absl::StrCat(Quoted(request.destination()), " is not a destination; there are: ", keys));
}

template <size_t... kIndex>
std::vector<absl::string_view> TypeNames(std::index_sequence<kIndex...>) {
  return {call::TypeName(call::EventBody(std::in_place_index<kIndex>))...};
}

std::string AllTypeNames() {
  return absl::StrJoin(TypeNames(std::make_index_sequence<std::variant_size_v<call::EventBody>>()), ", ");
}

template <typename Request>
absl::Status ParseTypes(const Request& request, EventQuery& query) {
  for (int i = 0; i < request.event_types_size(); ++i) {
    const std::string& type = request.event_types(i);
    if (!call::IsEventType(type)) {
      return FieldError(absl::StrCat("event_types[", i, "]"), "UNKNOWN_EVENT_TYPE",
                        absl::StrCat(Quoted(type), " is not one of: ", AllTypeNames()));
    }
    query.types.insert(type);
  }
  return absl::OkStatus();
}

absl::Status ParseStart(const v1::CallEventsRequest& request, EventQuery& query) {
  switch (request.start_case()) {
    case v1::CallEventsRequest::START_NOT_SET: return absl::OkStatus();
    case v1::CallEventsRequest::kFromBeginning:
      if (request.from_beginning()) query.start = EventQuery::Start::kBeginning;
      return absl::OkStatus();
    case v1::CallEventsRequest::kAfterCursor: {
      const auto cursor = ParseCursor(request.after_cursor());
      if (!cursor) {
        return FieldError("after_cursor", "CURSOR_INVALID",
                          "is not a cursor; pass one from a message of CallEvents, unchanged");
      }
      query.start = EventQuery::Start::kCursor;
      query.cursor = *cursor;
      return absl::OkStatus();
    }
    case v1::CallEventsRequest::kAfterSequence:
      if (query.call_id.empty() || request.after_sequence() < 0) {
        return FieldError("after_sequence", "INVALID_SEQUENCE", "must be 0 or more, and goes with `call` only");
      }
      query.start = EventQuery::Start::kSequence;
      query.sequence = request.after_sequence();
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ParseCallName(absl::string_view field, absl::string_view name) {
  return ParseResourceName(field, "calls/", "INVALID_CALL_NAME", name);
}

absl::StatusOr<session::CallControl::StartRequest> ParseOutboundCall(const v1::OutboundCall& call) {
  if (call.to().empty()) return Required("call.to", "the number to call, +14155550100");
  absl::Status status = CheckNumber("call.to", call.to());
  if (!status.ok()) return status;
  if (!call.from().empty()) status = CheckNumber("call.from", call.from());
  if (!status.ok()) return status;
  status = CheckMetadata("call.metadata", call.metadata());
  if (status.ok()) status = CheckLabels("call.labels", "INVALID_LABELS", call.labels());
  if (!status.ok()) return status;

  session::CallControl::StartRequest out;
  if (call.has_ring_timeout()) {
    const auto ring = ParseDuration("call.ring_timeout", call.ring_timeout(), kMinRing, kMaxRing, true);
    if (!ring.ok()) return ring.status();
    out.ring_timeout = *ring;
  }
  if (call.has_max_duration()) {
    const auto longest = ParseDuration("call.max_duration", call.max_duration(), kMinCall, kMaxCall, true);
    if (!longest.ok()) return longest.status();
    out.max_duration = *longest;
  }
  out.to = call.to();
  out.from = call.from();
  out.agent = call.agent();
  out.metadata.insert(call.metadata().begin(), call.metadata().end());
  out.labels.insert(call.labels().begin(), call.labels().end());
  return out;
}

absl::StatusOr<session::CallControl::StartRequest> ParseStartCall(const v1::StartCallRequest& request,
                                                                  absl::string_view principal) {
  absl::Status status = CheckUuid("request_id", request.request_id());
  if (!status.ok()) return status;
  if (!request.has_call()) return Required("call", "{\"to\": \"+14155550100\"}");
  auto out = ParseOutboundCall(request.call());
  if (out.ok() && !request.request_id().empty()) {
    out->key = store::RequestKey{std::string(principal), request.request_id(), Fingerprint(*out)};
  }
  return out;
}

absl::StatusOr<session::CallControl::StartRequest> ParseEvaluateCallPolicy(
    const v1::EvaluateCallPolicyRequest& request) {
  if (!request.has_call()) return Required("call", "{\"to\": \"+14155550100\"}");
  return ParseOutboundCall(request.call());
}

absl::Status InsideCall(const absl::Status& status) {
  const base::ErrorInfo info = base::GetErrorInfo(status);
  if (info.field.empty() || info.field == "request_id" || absl::StartsWith(info.field, "call.")) return status;
  auto metadata = info.metadata;
  metadata["field"] = absl::StrCat("call.", info.field);
  const bool begins_with_it = absl::StartsWith(status.message(), absl::StrCat(info.field, ": "));
  absl::Status inside = base::MakeError(status.code(), info.reason,
                                        absl::StrCat(begins_with_it ? "call." : "", status.message()), metadata);
  const auto delay = base::GetRetryDelay(status);
  return delay ? base::WithRetryDelay(std::move(inside), *delay) : inside;
}

absl::StatusOr<EndRequest> ParseEndCall(const v1::EndCallRequest& request) {
  auto call_id = ParseCallName("call", request.call());
  if (!call_id.ok()) return call_id.status();
  absl::Status status = CheckLength("reason", request.reason(), kMaxReasonBytes);
  if (status.ok()) status = CheckLength("goodbye", request.goodbye(), kMaxGoodbyeBytes);
  if (!status.ok()) return status;
  return EndRequest{*std::move(call_id), request.reason(), request.goodbye()};
}

absl::StatusOr<session::CallControl::TransferRequest> ParseTransferCall(const v1::TransferCallRequest& request,
                                                                        const std::vector<std::string>& destinations) {
  auto call_id = ParseCallName("call", request.call());
  if (!call_id.ok()) return call_id.status();
  absl::Status status = CheckWhom(request, destinations);
  if (status.ok()) status = CheckLength("reason", request.reason(), kMaxReasonBytes);
  if (status.ok()) status = CheckUuid("request_id", request.request_id());
  if (!status.ok()) return status;
  const std::string id = request.request_id().empty() ? base::NewUuid() : request.request_id();
  return session::CallControl::TransferRequest{*std::move(call_id), request.destination(), request.reason(), id,
                                               request.number()};
}

absl::StatusOr<TransferKey> ParseTransferName(absl::string_view field, absl::string_view name) {
  if (name.empty()) return Required(field, "calls/{uuid}/transfers/{uuid}");
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  if (parts.size() == 4 && parts[0] == "calls" && base::IsCanonicalUuid(parts[1]) && parts[2] == "transfers" &&
      base::IsCanonicalUuid(parts[3])) {
    return TransferKey{std::string(parts[1]), std::string(parts[3])};
  }
  return FieldError(
      field, "INVALID_TRANSFER_NAME",
      absl::StrCat(Quoted(name),
                   " is not the name of a transfer; write calls/{uuid}/transfers/{uuid}, the UUIDs in lower case"));
}

absl::StatusOr<ListRequest> ParseListCalls(const v1::ListCallsRequest& request) {
  ListRequest out;
  const auto page_size = ParsePageSize(request.page_size(), kDefaultCallsPage, kMaxCallsPage);
  if (!page_size.ok()) return page_size.status();
  out.page_size = *page_size;
  auto filter = ParseFilter(request.filter());
  if (!filter.ok()) return filter.status();
  out.filter = *std::move(filter);
  if (request.page_token().empty()) return out;
  out.after = ParseCallPageToken(out.filter, request.page_token());
  if (!out.after) return PageTokenError();
  return out;
}

absl::StatusOr<TranscriptRequest> ParseGetTranscript(const v1::GetTranscriptRequest& request,
                                                     absl::string_view principal) {
  TranscriptRequest out;
  out.principal = std::string(principal);
  auto call_id = ParseCallName("call", request.call());
  if (!call_id.ok()) return call_id.status();
  out.call_id = *std::move(call_id);
  if (!v1::TranscriptView_IsValid(request.view())) {
    return FieldError("view", "INVALID_VIEW",
                      absl::StrCat(request.view(), " is not a view; write HEARD, GENERATED or BOTH"));
  }
  if (request.view() != v1::TRANSCRIPT_VIEW_UNSPECIFIED) out.view = request.view();
  out.scope = absl::StrCat(out.call_id, "/", static_cast<int>(out.view));
  const auto page_size = ParsePageSize(request.page_size(), kDefaultItemsPage, kMaxItemsPage);
  if (!page_size.ok()) return page_size.status();
  out.page_size = *page_size;
  if (request.page_token().empty()) return out;
  out.after = ParseTranscriptPageToken(out.scope, request.page_token());
  if (!out.after) return PageTokenError();
  return out;
}

absl::StatusOr<TranscriptRequest> ParseStreamTranscript(const v1::StreamTranscriptRequest& request,
                                                        absl::string_view principal) {
  v1::GetTranscriptRequest same;
  same.set_call(request.call());
  same.set_view(request.view());
  return ParseGetTranscript(same, principal);
}

absl::StatusOr<EventQuery> ParseCallEvents(const v1::CallEventsRequest& request) {
  EventQuery query;
  if (!request.call().empty()) {
    auto call_id = ParseCallName("call", request.call());
    if (!call_id.ok()) return call_id.status();
    query.call_id = *std::move(call_id);
  }
  absl::Status status = ParseStart(request, query);
  if (status.ok()) status = ParseTypes(request, query);
  if (!status.ok()) return status;
  if (request.has_heartbeat_interval()) {
    const auto heartbeat =
        ParseDuration("heartbeat_interval", request.heartbeat_interval(), kMinHeartbeat, kMaxHeartbeat, false);
    if (!heartbeat.ok()) return heartbeat.status();
    query.heartbeat = *heartbeat;
  }
  return query;
}

absl::StatusOr<EventListRequest> ParseListCallEvents(const v1::ListCallEventsRequest& request) {
  EventListRequest out;
  if (!request.call().empty()) {
    auto call_id = ParseCallName("call", request.call());
    if (!call_id.ok()) return call_id.status();
    out.query.call_id = *std::move(call_id);
  }
  const absl::Status status = ParseTypes(request, out.query);
  if (!status.ok()) return status;
  const auto page_size = ParsePageSize(request.page_size(), kDefaultItemsPage, kMaxItemsPage);
  if (!page_size.ok()) return page_size.status();
  out.page_size = *page_size;
  out.query.start = EventQuery::Start::kBeginning;
  if (request.page_token().empty()) return out;
  const auto cursor = ParseCursor(request.page_token());
  if (!cursor) return PageTokenError();
  out.query.start = EventQuery::Start::kCursor;
  out.query.cursor = *cursor;
  return out;
}

absl::StatusOr<store::CallUpdate> ParseUpdateCall(const v1::UpdateCallRequest& request) {
  auto call_id = ParseCallName("call", request.call());
  if (!call_id.ok()) return call_id.status();
  const auto paths = ParseUpdateMask(request.update_mask(), {"labels", "metadata"});
  if (!paths.ok()) return paths.status();
  store::CallUpdate update;
  update.call_id = *std::move(call_id);
  if (paths->count("metadata") > 0) {
    const absl::Status status = CheckMetadata("metadata", request.metadata());
    if (!status.ok()) return status;
    update.metadata.emplace(request.metadata().begin(), request.metadata().end());
  }
  if (paths->count("labels") > 0) {
    const absl::Status status = CheckLabels("labels", "INVALID_LABELS", request.labels());
    if (!status.ok()) return status;
    update.labels.emplace(request.labels().begin(), request.labels().end());
  }
  return update;
}

}  // namespace callbridge::control
