#ifndef CALLBRIDGE_SRC_CONTROL_REQUESTS_H_
#define CALLBRIDGE_SRC_CONTROL_REQUESTS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "callbridge/v1/call_service.pb.h"
#include "callbridge/v1/operations_service.pb.h"
#include "src/control/cursor.h"
#include "src/control/page_token.h"
#include "src/session/call_control.h"
#include "src/store/records.h"

// Requests of the API, checked, as our values. Pure. Every error is kInvalidArgument with the field's path in the
// message
// ("call.to") and a reason that call_service.proto lists.
namespace callbridge::control {

// "calls/{uuid}" or "{uuid}" -> the id.
absl::StatusOr<std::string> ParseCallName(absl::string_view field, absl::string_view name);

// `principal` is who asks: a request_id means something to its owner only.
absl::StatusOr<session::CallControl::StartRequest> ParseStartCall(const v1::StartCallRequest& request,
                                                                  absl::string_view principal);

absl::StatusOr<session::CallControl::StartRequest> ParseEvaluateCallPolicy(
    const v1::EvaluateCallPolicyRequest& request);

// CallControl names fields of a call ("to"), which are inside of `call` in requests.
absl::Status InsideCall(const absl::Status& status);

struct EndRequest {
  std::string call_id;
  std::string reason;
  std::string goodbye;
};
absl::StatusOr<EndRequest> ParseEndCall(const v1::EndCallRequest& request);

// `destinations` are the keys that exist. transfer_id is the client's request_id, or a new one.
absl::StatusOr<session::CallControl::TransferRequest> ParseTransferCall(const v1::TransferCallRequest& request,
                                                                        const std::vector<std::string>& destinations);

// "calls/{uuid}/transfers/{uuid}".
struct TransferKey {
  std::string call_id;
  std::string transfer_id;
};
absl::StatusOr<TransferKey> ParseTransferName(absl::string_view field, absl::string_view name);

struct ListRequest {
  store::CallFilter filter;
  absl::optional<store::CallPageKey> after;
  int page_size = 0;
};
absl::StatusOr<ListRequest> ParseListCalls(const v1::ListCallsRequest& request);

struct TranscriptRequest {
  std::string call_id;
  v1::TranscriptView view = v1::TRANSCRIPT_VIEW_HEARD;
  std::string scope;      // For the next page's token.
  std::string principal;  // Who asks.
  absl::optional<TranscriptPageKey> after;
  int page_size = 0;
};
absl::StatusOr<TranscriptRequest> ParseGetTranscript(const v1::GetTranscriptRequest& request,
                                                     absl::string_view principal);

// Without a page.
absl::StatusOr<TranscriptRequest> ParseStreamTranscript(const v1::StreamTranscriptRequest& request,
                                                        absl::string_view principal);

// What a subscriber of events wants.
struct EventQuery {
  enum class Start { kNow, kBeginning, kCursor, kSequence };

  std::string call_id;  // Empty: all calls.
  Start start = Start::kNow;
  Cursor cursor;                // Of kCursor.
  int64_t sequence = 0;         // Of kSequence.
  std::set<std::string> types;  // Empty: all.
  absl::Duration heartbeat = absl::Seconds(15);
};
absl::StatusOr<EventQuery> ParseCallEvents(const v1::CallEventsRequest& request);

struct EventListRequest {
  EventQuery query;  // From the beginning, or behind a cursor.
  int page_size = 0;
};
absl::StatusOr<EventListRequest> ParseListCallEvents(const v1::ListCallEventsRequest& request);

absl::StatusOr<store::CallUpdate> ParseUpdateCall(const v1::UpdateCallRequest& request);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_REQUESTS_H_
