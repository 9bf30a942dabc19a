#ifndef CALLBRIDGE_SRC_SIM_SCENARIO_H_
#define CALLBRIDGE_SRC_SIM_SCENARIO_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// What happens in one simulated call, read from a small text file: what the person does, what the model answers, what
// the humans do whom the carrier dials, and which faults occur. docs/simulator.md describes the format with an example.
namespace callbridge::sim {

// Both ends included.
struct DurationRange {
  absl::Duration low;
  absl::Duration high;
};

// One thing the person on the phone does. Steps run in order, each when the one before is done. The script begins when
// an inbound call rings and when an outbound one is picked up; people speak and press keys only once the line is open,
// so those steps wait for it.
struct PersonStep {
  enum class Kind {
    kPause,  // `duration`
    kSay,    // Plays `clips` one after the other, from their start, or only `duration` of them if that is not zero.
    kWaitAssistantSpeaking,  // Until `duration` of the assistant's current utterance was heard (its first byte for
                             // zero).
    kWaitAssistantDone,      // Until the assistant has been heard and then silent for `duration`.
    kWaitTransferring,       // Until the carrier dials somebody.
    kWaitReturned,           // Until a second (third...) stream has started.
    kWaitConnected,          // Until a human is on the line.
    kPress,                  // DTMF `text`, a digit each 100 ms
    kHangUp,
    kDropStream,  // The carrier's WebSocket breaks without a close frame. `text` "reconnect": it comes back.
    kStopAudio,   // The carrier sends no more media frames; kResumeAudio ends it.
    kResumeAudio,
  };
  Kind kind = Kind::kPause;
  absl::Duration duration = absl::ZeroDuration();
  std::vector<std::string> clips;
  std::string text;
  absl::Duration limit =
      absl::Seconds(20);  // Of a wait: after it the person gives up, which counts as a failed step, and hangs up.
};

// What the dialled phone does: the person of an outbound call, or a human that <Dial> rings.
struct Pickup {
  enum class Kind { kAnswer, kBusy, kNoAnswer, kReject, kInvalidNumber, kCarrierError, kMachine };
  Kind kind = Kind::kAnswer;
  absl::Duration after = absl::Milliseconds(500);  // Ringing before it. No answer: until the network gives up (3000).
  absl::Duration talk = absl::Seconds(2);          // Humans: they hang up after this.
  std::string press;                               // Humans: the key they press when they are asked to; empty: none.
  // kMachine, of outbound calls only: speaks its greeting, beeps, and records what it hears; what [person] says comes
  // behind.
  std::vector<std::string> greeting = {"vm-intro"};       // Clips.
  absl::Duration greeting_length = absl::ZeroDuration();  // So much of them; zero: all.
  bool beep = false;
};

// One response of the model, in the order in which it makes them. The first is the greeting.
struct ModelReply {
  std::vector<std::vector<std::string>> speech;  // Audio items; each the clips spoken in it.
  std::string tool;                              // Function call after the speech; empty: none.
  std::string arguments;                         // Its JSON.
  // Empty: the next response in order. "tool-failed"/"tool-ok": only as the answer to a tool output with that status.
  // Others in order skip it.
  std::string when;
  std::string status =
      "completed";  // Or "failed:rate_limit_exceeded", "failed:insufficient_quota", "incomplete:max_output_tokens".
  bool nothing = false;  // No response at all comes of the turn, or of the client's asking for one.
  absl::Duration think = absl::InfiniteDuration();  // Instead of ModelManners::think; infinite: as there.
};

// Faults and manners of the model. Everything defaults to what the real service does most of the time.
struct ModelManners {
  int piece_ms_min = 60;  // Size of audio deltas: uneven, not multiples of 20 ms.
  int piece_ms_max = 260;
  double speed = 4.0;                                            // Times real time.
  absl::Duration think = absl::Milliseconds(120);                // Commit to the first audio.
  absl::Duration transcription_delay = absl::Milliseconds(250);  // Commit to the caller's text.
  std::string refuse;          // "http:401", "error:invalid_api_key", "error:insufficient_quota"...
  std::string on_update;       // "error:unknown_parameter", "never": session.update is refused or never answered.
  std::string transcription;   // "", "failed", "none"
  bool beta_names = false;     // Old event names, as compatible servers send.
  bool unknown_extras = true;  // Unknown events and fields thrown in.
  // "after:12s" "close:1011" ...: at this time after the session is open, what breaks: "close:CODE", "abort", "stall",
  // "garbage", "expire" (session_expired + 1001), "error:CODE".
  struct Fault {
    absl::Duration at;
    std::string what;
    int session = 0;   // Only in the call's first, second ... session; 0: in each.
    int response = 0;  // `at` counts from the start of the session's first, second ... response; 0: from its opening.
  };
  std::vector<Fault> faults;
  // Refusals of single sessions of the call, by number; as `refuse`.
  std::map<int, std::string> refusals;
  absl::Duration lifetime = absl::Minutes(60);  // Of each session: expires_at, and session_expired + 1001 at it.
  std::string unknown_speech;                   // What is transcribed where no recording is recognised: a cough.
};

// Manners of the carrier.
struct CarrierManners {
  bool numbers_as_strings = false;          // sequenceNumber and chunk.
  std::string extra_headers = "semicolon";  // "braces", "json", "missing"
  bool send_stop = false;                   // {"event":"stop"} before closing.
  bool twice = false;                       // Every callback is delivered twice.
  bool reorder_hangup = false;              // The hang-up callback comes before the socket closes.
  bool late_hangup = false;                 // ... two seconds after it.
  bool use_get = false;                     // Webhooks by GET.
  std::string sign = "v3";                  // "wrong", "none", "list" (several values)
  std::string upgrade_scheme =
      "wss";  // What the upgrade's signature covers: "wss" or "https" (ws/http against a plain server)
  bool ignore_checkpoints = false;  // playedStream is never sent.
  // First byte received to its sound; drawn anew for each spell of sound.
  DurationRange playout_delay = {absl::Milliseconds(80), absl::Milliseconds(80)};
  int checkpoint_loss_percent = 0;                                                // playedStream that is never sent.
  DurationRange checkpoint_delay = {absl::ZeroDuration(), absl::ZeroDuration()};  // Others are late, and overtake.
  std::string after_stream =
      "continue";                        // "end": XML behind a keep-alive stream is not executed, the call ends (4010).
  bool subprotocol = false;              // Offers audio.plivo.com.
  int reconnects = 2;                    // Attempts after a stream broke (or never opened) before it is given up.
  bool new_stream_id = false;            // A stream that came back has another streamId.
  std::string transfer_fetch = "close";  // aleg_url is fetched when the stream has closed; "now": at once.
  bool stream_events = false;            // PlayedStream and ClearedAudio are told over HTTP too.
  // HTTP statuses for the first REST requests: those that place an outbound call, those about an inbound one. A 5xx
  // that answers a dial has dialled all the same; a 4xx has not. 0: done, but never answered.
  std::vector<int> rest_errors;
};

struct Scenario {
  std::string name;
  bool inbound = true;
  std::string from;  // As the carrier says it.
  std::string to;
  Pickup pickup;  // Outbound: the person's phone.
  std::vector<PersonStep> person;
  std::map<std::string, std::vector<Pickup>>
      humans;  // By number as dialled; each dial takes the next, the last one stays.
  std::vector<ModelReply> replies;
  std::string summary = "The caller asked a question and was answered.";  // Text of out-of-band responses.
  std::map<std::string, std::string> texts;  // Clip -> words, where they differ from the speech library's.
  ModelManners model;
  CarrierManners carrier;
};

// Reads a scenario; `name` is its name unless the text gives one. kInvalidArgument names the line and what would be
// right. Names of clips are not looked up here.
absl::StatusOr<Scenario> ParseScenario(absl::string_view text, absl::string_view name = "");

// Every clip that a scenario wants spoken, by the person or the model, so that a world can refuse one that it does not
// have.
std::vector<std::string> ClipsOf(const Scenario& scenario);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_SCENARIO_H_
