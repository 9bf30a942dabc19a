#include "src/control/requests.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
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
#include "src/control/field_checks.h"
#include "src/control/utf8.h"

namespace callbridge::control {
namespace {

using base::FieldError;

constexpr int kDefaultCallsPage = 50;
constexpr int kMaxCallsPage = 500;
constexpr int kDefaultItemsPage = 100;
constexpr int kMaxItemsPage = 1000;
constexpr size_t kMaxReasonBytes = 512;
constexpr size_t kMaxWordsBytes = 1024;
constexpr size_t kMaxNumberBytes = 256;
constexpr int kMaxMetadataEntries = 50;
constexpr size_t kMaxMetadataKeyBytes = 64;
constexpr size_t kMaxMetadataValueBytes = 1024;
constexpr absl::Duration kMinRing = absl::Seconds(5);
constexpr absl::Duration kMaxRing = absl::Seconds(120);
constexpr absl::Duration kMinCall = absl::Seconds(10);
constexpr absl::Duration kMaxCall = absl::Hours(4);
constexpr absl::Duration kMinHeartbeat = absl::Seconds(1);
constexpr absl::Duration kMaxHeartbeat = absl::Minutes(5);

absl::StatusOr<std::string> ParseName(absl::string_view field, absl::string_view prefix, absl::string_view reason,
                                      absl::string_view name) {
  absl::string_view id = name;
  absl::ConsumePrefix(&id, prefix);
  if (!base::IsCanonicalUuid(id)) {
    return FieldError(field, reason,
                      absl::StrCat(Quoted(name), " is not a name; write ", prefix, "{uuid}, the UUID in lower case"));
  }
  return std::string(id);
}

absl::Status CheckNumber(absl::string_view field, absl::string_view number) {
  if (base::IsE164(number)) return absl::OkStatus();
  return FieldError(
      field, "INVALID_E164",
      absl::StrCat(Quoted(number), " is not a number in E.164 form; write + and 7 to 15 digits: +14155550100"));
}

std::string Readable(absl::Duration duration) { return absl::FormatDuration(duration); }

bool IsValid(const google::protobuf::Duration& duration) {
  constexpr int64_t kMostSeconds = 315'576'000'000;  // As the message's comments define it.
  constexpr int32_t kMostNanos = 999'999'999;
  if (duration.seconds() < -kMostSeconds || duration.seconds() > kMostSeconds) return false;
  if (duration.nanos() < -kMostNanos || duration.nanos() > kMostNanos) return false;
  return !(duration.seconds() > 0 && duration.nanos() < 0) && !(duration.seconds() < 0 && duration.nanos() > 0);
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view field, const google::protobuf::Duration& value,
                                             absl::Duration least, absl::Duration most, bool whole_seconds) {
  const absl::Duration duration = absl::Seconds(value.seconds()) + absl::Nanoseconds(value.nanos());
  if (IsValid(value) && duration >= least && duration <= most && !(whole_seconds && value.nanos() != 0))
    return duration;
  return FieldError(
      field, "INVALID_DURATION",
      absl::StrCat("must be ", Readable(least), " to ", Readable(most), whole_seconds ? " in whole seconds" : ""));
}

absl::StatusOr<absl::Time> ParseTime(absl::string_view field, const google::protobuf::Timestamp& value) {
  // 0001-01-01 to 9999-12-31, as the message's comments define it.
  constexpr int64_t kFirst = -62'135'596'800;
  constexpr int64_t kLast = 253'402'300'799;
  if (value.seconds() < kFirst || value.seconds() > kLast || value.nanos() < 0 || value.nanos() > 999'999'999) {
    return FieldError(field, "INVALID_FILTER", "is not a time between the years 1 and 9999");
  }
  return absl::FromUnixSeconds(value.seconds()) + absl::Nanoseconds(value.nanos());
}

absl::StatusOr<int> ParsePageSize(int page_size, int normally, int most) {
  if (page_size < 0) {
    return FieldError("page_size", "INVALID_PAGE_SIZE",
                      absl::StrCat("is ", page_size, "; write 1 to ", most, ", or 0 for ", normally));
  }
  return page_size == 0 ? normally : std::min(page_size, most);
}

absl::Status PageTokenError() {
  return FieldError("page_token", "PAGE_TOKEN_INVALID",
                    "is no token for this request; pass next_page_token of the page before and leave the rest of the "
                    "request as it was");
}

absl::Status CheckMetadata(const v1::OutboundCall& call) {
  constexpr char kField[] = "call.metadata";
  constexpr char kReason[] = "INVALID_METADATA";
  if (call.metadata_size() > kMaxMetadataEntries) {
    return FieldError(
        kField, kReason,
        absl::StrCat("has ", call.metadata_size(), " entries; at most ", kMaxMetadataEntries, " are kept"));
  }
  for (const auto& [key, value] : call.metadata()) {
    if (key.empty() || key.size() > kMaxMetadataKeyBytes) {
      return FieldError(kField, kReason,
                        absl::StrCat("key ", Quoted(key), " must have 1 to ", kMaxMetadataKeyBytes, " bytes"));
    }
    if (value.size() > kMaxMetadataValueBytes) {
      return FieldError(kField, kReason,
                        absl::StrCat("the value of ", Quoted(key), " has ", value.size(), " bytes; at most ",
                                     kMaxMetadataValueBytes, " are kept"));
    }
  }
  return absl::OkStatus();
}

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
    auto lead_id = ParseName("filter.lead", "leads/", "INVALID_FILTER", filter.lead());
    if (!lead_id.ok()) return lead_id.status();
    out.lead_id = *std::move(lead_id);
  }
  const absl::Status times = ParseTimes(filter, out);
  if (!times.ok()) return times;
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

absl::Status ParseTypes(const v1::CallEventsRequest& request, EventQuery& query) {
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
  if (name.empty()) return Required(field, "calls/{uuid}");
  return ParseName(field, "calls/", "INVALID_CALL_NAME", name);
}

absl::StatusOr<session::CallControl::StartRequest> ParseStartCall(const v1::StartCallRequest& request,
                                                                  absl::string_view principal) {
  absl::Status status = CheckUuid("request_id", request.request_id());
  if (!status.ok()) return status;
  if (!request.has_call()) return Required("call", "{\"to\": \"+14155550100\"}");
  const v1::OutboundCall& call = request.call();
  if (call.to().empty()) return Required("call.to", "the number to call, +14155550100");
  status = CheckNumber("call.to", call.to());
  if (!status.ok()) return status;
  if (!call.from().empty()) status = CheckNumber("call.from", call.from());
  if (!status.ok()) return status;
  status = CheckMetadata(call);
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
  if (!request.request_id().empty()) {
    out.key = store::RequestKey{std::string(principal), request.request_id(), Fingerprint(out)};
  }
  return out;
}

absl::StatusOr<EndRequest> ParseEndCall(const v1::EndCallRequest& request) {
  auto call_id = ParseCallName("call", request.call());
  if (!call_id.ok()) return call_id.status();
  absl::Status status = CheckLength("reason", request.reason(), kMaxReasonBytes);
  if (status.ok()) status = CheckLength("goodbye", request.goodbye(), kMaxWordsBytes);
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

}  // namespace callbridge::control
