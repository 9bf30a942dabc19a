#ifndef CALLBRIDGE_SRC_CALL_OPTIONS_H_
#define CALLBRIDGE_SRC_CALL_OPTIONS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/audio/assistant_playout.h"
#include "src/call/types.h"

namespace callbridge::call {

// A sound as base64 text that all calls of an agent share: copies cost nothing. Immutable, any thread.
class SharedSound {
 public:
  SharedSound() = default;
  SharedSound(std::string base64)  // NOLINT(google-explicit-constructor): it is the text, only cheaper to copy.
      : text_(std::make_shared<const std::string>(std::move(base64))) {}

  operator absl::string_view() const {  // NOLINT(google-explicit-constructor)
    return text_ == nullptr ? absl::string_view() : absl::string_view(*text_);
  }
  bool empty() const { return absl::string_view(*this).empty(); }
  friend bool operator==(const SharedSound& a, absl::string_view b) { return absl::string_view(a) == b; }

 private:
  std::shared_ptr<const std::string> text_;
};

// A stored prompt: mu-law audio, spoken while the model cannot.
struct Prompt {
  std::string text;    // As the transcript has it.
  SharedSound base64;  // 8 kHz mu-law. Empty: there is no such prompt, and nothing is played.
};

// Whom a key of the configuration stands for.
struct Destination {
  struct Target {
    std::string number;  // E.164 or SIP URI.
    absl::Duration ring_time = absl::Seconds(25);
  };
  std::vector<Target> targets;  // Tried in this order; at least one.
  std::string announcement;     // What the assistant says to the caller before; empty: what it finds fit.
  std::string failure_text;     // ... when nobody took over.
  std::string whisper;          // Said to the human, before the caller is put through; empty: nothing.
  std::string confirm_key;      // 0-9 * #: with it the human takes the call. Empty: picking up is enough.
};

// How one call is to be conducted.
struct CallOptions {
  std::string call_id;
  Direction direction = Direction::kInbound;
  std::string from;
  std::string to;
  std::string agent;
  std::string lead_id;

  // Said to the model, not to the caller, when the line is ready: makes it speak first. Empty: the caller speaks first.
  std::string greeting_prompt;
  // Whether the model's server cancels a response by itself when the caller speaks (interrupt_response). If so, a
  // response.cancel of ours could hit the next response, and none is sent.
  bool server_cancels = true;
  // Transfer destinations by the key that the model and the API name: nothing else is ever dialled, but numbers that
  // TransferRequested brings.
  std::map<std::string, Destination> destinations;
  int max_transfers = 3;

  // ---- Interruption ----
  BargeInMode barge_in = BargeInMode::kImmediate;
  // kReversible: how long the caller is listened to before it is decided. 300 to 600 ms.
  absl::Duration evidence_time = absl::Milliseconds(450);
  // ... and how much of its end must be silent to count as a cough.
  absl::Duration evidence_quiet = absl::Milliseconds(160);

  // ---- Never silent ----
  Prompt hold_prompt;       // "One moment please."
  Prompt goodbye_prompt;    // "We are having trouble. Please call again later."
  Prompt callback_prompt;   // "... We will call you back."
  Prompt voicemail_prompt;  // The message for a machine; empty: the model says `voicemail_message`.
  absl::Duration hold_after = absl::Seconds(2);          // Of waiting in silence for the model.
  absl::Duration answer_limit = absl::Seconds(4);        // A committed turn to its first audio.
  int model_attempts = 4;                                // Sessions opened in a row without one that works.
  absl::Duration model_pause = absl::Milliseconds(250);  // Before the second; doubled for each further.
  // A session is replaced this long before its end, at a quiet moment; at half of it, at any.
  absl::Duration model_renewal = absl::Minutes(5);
  FallbackKind fallback = FallbackKind::kGoodbye;
  std::string fallback_destination;                     // kTransfer: a key.
  absl::Duration gap_after = absl::Milliseconds(200);   // Without the caller's audio: silence is put in its place ...
  absl::Duration gap_limit = absl::Seconds(10);         // ... for at most so long.
  absl::Duration farewell_limit = absl::Seconds(20);    // Of waiting until the last words were heard.
  absl::Duration last_words_limit = absl::Seconds(15);  // The same, of those that a client asked for.

  // ---- The caller says nothing ----
  absl::Duration idle_after = absl::InfiniteDuration();  // Since all was heard.
  int idle_reprompts = 2;                                // Then the goodbye.
  std::string idle_prompt = "The caller has been silent for a while. Ask briefly whether they are still there.";
  std::string idle_goodbye = "The caller does not answer any more. Say goodbye in one short sentence.";

  // ---- Tools and keys ----
  absl::Duration tool_patience = absl::Seconds(2);  // Then the assistant says that it takes a moment.
  absl::Duration tool_limit = absl::Seconds(30);    // Our own, behind the runner's.
  // Tools that a client answers by ToolResultGiven: how long it may take, by name.
  std::map<std::string, absl::Duration> client_tools;
  absl::Duration keys_pause = absl::Milliseconds(1200);  // Between keys of one entry; '#' ends it at once.

  // ---- Machines ----
  VoicemailPolicy voicemail = VoicemailPolicy::kOff;  // Outbound only.
  std::string voicemail_message;                      // What is to be left.
  absl::Duration beep_limit = absl::Seconds(30);      // Of waiting for the machine's greeting to end.

  // Whether the session itself sums up the conversation; if not, somebody does it afterwards from the transcript.
  bool summary_in_session = true;

  absl::Duration ring_limit = absl::Seconds(60);            // Outbound: dialled to answered.
  absl::Duration stream_limit = absl::Seconds(10);          // Answered to stream.
  absl::Duration model_limit = absl::Seconds(5);            // Opened to configured, each time.
  absl::Duration stream_grace = absl::Seconds(5);           // Stream lost to its return or a hang-up notice.
  absl::Duration max_duration = absl::Minutes(30);          // From answer.
  absl::Duration announcement_limit = absl::Seconds(15);    // Of waiting for the last words before a transfer.
  absl::Duration transfer_fetch_limit = absl::Seconds(10);  // Transfer accepted to instructions fetched.
  // Behind a target's ring time: instructions fetched to an outcome, without a human. With a key to press, and
  // something to hear before, longer by the 20 s that this may take.
  absl::Duration dial_limit = absl::Seconds(15);
  absl::Duration hangup_limit = absl::Seconds(5);     // Our hang-up to the carrier's notice.
  absl::Duration late_text_limit = absl::Seconds(2);  // End to the last transcription.
  absl::Duration summary_limit = absl::Seconds(8);    // End to the summary.
  // Frames of the caller that are kept until the model is ready: 250 are 5 s.
  size_t early_frames = 250;
  audio::AssistantPlayout::Options playout;
  std::string fallback_transfer_id;  // UUID of the transfer that `fallback` may make.
};

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_OPTIONS_H_
