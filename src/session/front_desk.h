#ifndef CALLBRIDGE_SRC_SESSION_FRONT_DESK_H_
#define CALLBRIDGE_SRC_SESSION_FRONT_DESK_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/call/settlement.h"
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
  // kDial:
  std::string number;     // E.164 or SIP URI.
  std::string caller_id;  // E.164, ours.
  absl::Duration ring_time = absl::Seconds(25);
  std::string transfer_id;
  int64_t target = 0;       // Which of the transfer's targets; in the URLs of this dial.
  bool whispers = false;    // FrontDesk::OnWhisper has something for the human.
  std::string confirm_key;  // The key with which the human takes the call; empty: picking up is enough.
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
    bool machine = false;  // The carrier has found already that a machine answered.
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
    std::string carrier_request_id;  // May be empty.
    call::Settlement settlement;     // But for its time.
  };
  // A call is over, as the carrier sees it. Settles its record, also of a call that is not live any more.
  virtual void OnHangup(const HangupNotice& notice) = 0;

  // The carrier asks for the next instructions of a call.
  virtual Instructions OnNextStep(absl::string_view call_token) = 0;

  // Which dial of which call a carrier's report is about: as the dial's URLs have it.
  struct DialRef {
    std::string call_token;
    std::string transfer_id;
    int64_t target = 0;
  };
  enum class DialProgress {
    kPickedUp,      // The human's phone was picked up; a whisper or a wanted key may still be between.
    kConnected,     // Caller and human hear each other.
    kNotConfirmed,  // The one who picked up did not press the key.
  };
  virtual void OnDialProgress(const DialRef& dial, DialProgress what) = 0;

  // A dial ended; what is next: another target, or the way back. A repeat, or a late one about an earlier target, is
  // answered with what is next now.
  virtual Instructions OnTransferDone(const DialRef& dial, call::TransferOutcome outcome, absl::string_view detail) = 0;

  // What is said to the human who picked up, before the caller is put through; empty: nothing. nullopt: no such call.
  virtual absl::optional<std::string> OnWhisper(absl::string_view call_token) = 0;

  // A machine answered an outbound call, as the carrier found.
  virtual void OnMachine(absl::string_view call_token, absl::string_view carrier_call_id, absl::string_view detail) = 0;

  // Diagnostics of a stream.
  virtual void OnStreamStatus(absl::string_view carrier_call_id, absl::string_view event, absl::string_view detail) = 0;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_FRONT_DESK_H_
