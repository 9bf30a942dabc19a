#ifndef CALLBRIDGE_SRC_SESSION_FRONT_DESK_H_
#define CALLBRIDGE_SRC_SESSION_FRONT_DESK_H_

#include <string>

#include "absl/strings/string_view.h"
#include "src/call/types.h"

namespace callbridge::session {

// What the carrier is to do next with a call; the web handlers write it as the carrier's XML.
struct Instructions {
  enum class Kind {
    kStream,  // Connect the caller to the assistant.
    kDial,    // Ring a human.
    kHangUp,
    kUnknown,  // There is no such call.
  };
  Kind kind = Kind::kUnknown;
  std::string call_id;
  std::string call_token;    // Unguessable name of the call in URLs of ours; all kinds but kUnknown.
  std::string stream_token;  // kStream: opens one stream, once.
  std::string number;        // kDial: E.164 or SIP URI.
  std::string caller_id;     // kDial: E.164, ours.
};

// What webhooks tell and ask. Thread-safe and never blocking: answers come from memory, effects are posted to the
// call's loop. Every method is idempotent, since carriers repeat and reorder: a repeat gives the same answer and has no
// second effect.
class FrontDesk {
 public:
  virtual ~FrontDesk() = default;

  struct AnswerNotice {
    std::string call_token;  // From our answer URL of an outbound call; empty: inbound.
    std::string carrier_call_id;
    std::string carrier_request_id;
    std::string from;
    std::string to;
  };
  // Somebody answered our outbound call, or an inbound call reached us (which makes the call). kHangUp for a call that
  // is over, or when there is no room.
  virtual Instructions OnAnswer(const AnswerNotice& notice) = 0;

  virtual void OnRing(absl::string_view call_token, absl::string_view carrier_call_id) = 0;

  struct HangupNotice {
    std::string call_token;  // May be empty: then the carrier's id finds the call.
    std::string carrier_call_id;
    call::EndReason reason = call::EndReason::kNormalHangup;
    call::Party party = call::Party::kCaller;
    std::string detail;
  };
  virtual void OnHangup(const HangupNotice& notice) = 0;

  // The carrier asks for the next instructions of a call.
  virtual Instructions OnNextStep(absl::string_view call_token) = 0;

  // The human picked up.
  virtual void OnHumanAnswered(absl::string_view call_token) = 0;

  // The dial ended; what is next.
  virtual Instructions OnTransferDone(absl::string_view call_token, call::TransferOutcome outcome,
                                      absl::string_view detail) = 0;

  // Diagnostics of a stream.
  virtual void OnStreamStatus(absl::string_view carrier_call_id, absl::string_view event, absl::string_view detail) = 0;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_FRONT_DESK_H_
