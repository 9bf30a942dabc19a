#ifndef CALLBRIDGE_SRC_CALL_CALL_H_
#define CALLBRIDGE_SRC_CALL_CALL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/audio/assistant_playout.h"
#include "src/call/command.h"
#include "src/call/event.h"
#include "src/call/input.h"
#include "src/call/options.h"
#include "src/call/termination.h"
#include "src/call/transcript.h"
#include "src/call/types.h"

namespace callbridge::call {

// One phone call: what happens goes in, what is to be done comes out.
//
//   inbound   kAnswered --stream--> kInProgress --transfer--> kTransferring --human--> kTransferred
//   outbound  kDialing -> kRinging -> kAnswered ...    ^------ nobody took over ----'
//   and from everywhere, once, kCompleted or kFailed.
//
// Pure: no clock, socket, JSON or thread; time is an argument that never goes backwards, and the same inputs give the
// same commands and events. Not thread-safe: owned by one session, used on its loop. An input that does not apply in
// the present state is ignored: both peers race us, repeat and reorder.
//
// After Begin(), On() is called for each input and, with input::Tick, when next_deadline() has come. command::Finished
// is the last command, once; until then a call that ended waits for late texts and its summary.
class Call {
 public:
  // `sink` outlives the call.
  Call(CallOptions options, CommandSink& sink);

  // The event that makes the call known, its sequence 1: recorded with the call's row, before a Call exists.
  static Event Created(const CallOptions& options, absl::Time now);

  // Opens the model's session (inbound), or waits for the phone to ring.
  void Begin(absl::Time now);

  void On(const input::Input& input, absl::Time now);

  // The two inputs of the hot path, without a variant or a copy. `bytes`: decoded length. Text that was checked to be
  // base64.
  void OnCallerAudio(absl::string_view base64, absl::Time now);
  void OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64, int64_t bytes,
                    absl::Time now);

  // Whether the call wants input::CallerVoice for each frame of the caller, or input::BeepHeard.
  bool listening_for_voice() const { return listening_for_voice_; }
  bool listening_for_beep() const { return listening_for_beep_; }

  // When Tick is due; InfiniteFuture: never.
  absl::Time next_deadline() const;

  State state() const { return state_; }
  bool over() const { return IsFinal(state_); }
  // Of the event that would come next: what is recorded about the call after its end goes on from here.
  int64_t next_sequence() const { return next_sequence_; }
  const absl::optional<Transfer>& transfer() const { return transfer_; }
  const Transcript& transcript() const { return transcript_; }
  const audio::AssistantPlayout& playout() const { return playout_; }
  int64_t late_audio_dropped() const { return late_audio_dropped_; }

  // Why TransferRequested with this destination would be refused now; empty: it would be accepted. Also says what would
  // be right.
  std::string TransferProblem(absl::string_view destination) const;

 private:
  // Hands the playout's output on; the sink's vocabulary is wider than the playout's.
  class PlayoutCarrier final : public audio::AssistantPlayout::Carrier {
   public:
    explicit PlayoutCarrier(Call& call) : call_(call) {}
    void Play(absl::string_view item_id, absl::string_view base64) override;
    void Checkpoint(int64_t number) override;

   private:
    Call& call_;
  };
  struct Turn {  // The caller's last turn, until it is answered.
    std::string item_id;
    absl::Time stopped = absl::InfinitePast();
    absl::Time committed = absl::InfinitePast();
    absl::Time first_audio = absl::InfinitePast();
    bool open = false;
  };

  // ---- call.cc: signalling, the clock, the end ----
  void On(const input::DialAccepted& in);
  void On(const input::DialRefused& in);
  void On(const input::DialUnknown& in);
  void On(const input::Rang& in);
  void On(const input::Answered& in);
  void On(const input::HungUp& in);
  void On(const input::StreamOpened& in);
  void On(const input::StreamClosed& in);
  void On(const input::EndRequested& in);
  void On(const input::Tick& in);
  void OnDeadline(absl::string_view which);
  void MoveTo(State to);
  void AskForHangUp(EndReason reason, Party party, absl::string_view evidence);
  void ExpectHangUp(EndReason reason, Party party, absl::string_view evidence);
  void End(EndReason reason, Party party, absl::string_view evidence);
  void CloseLegs();
  void FinishIfDone();
  void Emit(EventBody body);
  void SetDeadline(absl::string_view which, absl::Duration in);
  void ClearDeadline(absl::string_view which);

  // ---- call_model.cc: the model's session, turns, barge-in ----
  void On(const input::CallerAudio& in);
  void On(const input::CheckpointPlayed& in);
  void On(const input::AudioCleared& in);
  void On(const input::Dtmf& in);
  void On(const input::ModelCreated& in);
  void On(const input::ModelConfigured& in);
  void On(const input::ResponseStarted& in);
  void On(const input::ItemAdded& in);
  void On(const input::ModelAudio& in);
  void On(const input::ModelAudioDone& in);
  void On(const input::AssistantText& in);
  void On(const input::AssistantTextDone& in);
  void On(const input::ResponseEnded& in);
  void On(const input::SpeechStarted& in);
  void On(const input::SpeechStopped& in);
  void On(const input::TurnCommitted& in);
  void On(const input::CallerText& in);
  void On(const input::CallerTextFailed& in);
  void On(const input::ToolRefused& in);
  void On(const input::SummaryMade& in);
  void On(const input::SummaryUnavailable& in);
  void On(const input::ModelError& in);
  void On(const input::ModelClosed& in);
  void GreetIfReady();
  void FlushEarlyAudio();
  void CloseItems();
  void DropModelAudio(absl::string_view item_id, int64_t bytes);
  void RequestResponse();  // Now, or when the running response has ended.
  void SendPendingResponse();
  enum class Cut { kBargeIn, kLineGone };
  void CutAssistant(Cut why);
  void CancelOnce(const std::string& response_id);
  void TakeHeardItems();
  void TakeFinalItems();
  void OnFirstSent(absl::string_view item_id);
  bool ModelUsable() const { return model_configured_ && !model_closed_; }
  bool MediaUp() const { return stream_open_ && state_ == State::kInProgress; }

  // ---- call_transfer.cc ----
  void On(const input::TransferAsked& in);
  void On(const input::TransferRequested& in);
  void On(const input::TransferTaken& in);
  void On(const input::TransferRefused& in);
  void On(const input::TransferFetched& in);
  void On(const input::HumanAnswered& in);
  void On(const input::TransferDone& in);
  template <typename In>
  void On(const In&) {}
  void AcceptTransfer(absl::string_view transfer_id, absl::string_view destination, absl::string_view reason, Party by,
                      absl::string_view tool_call_id);
  void BeginTransferIfAnnounced();
  void BeginTransfer();
  void FailTransfer(TransferOutcome outcome, absl::string_view detail);
  void ReturnToAssistant();
  void ChangeTransfer(TransferState state, TransferOutcome outcome, absl::string_view detail);
  bool IsCurrentTransfer(absl::string_view transfer_id) const;
  bool TransferPending() const;

  const CallOptions options_;
  CommandSink& sink_;
  PlayoutCarrier playout_carrier_{*this};
  audio::AssistantPlayout playout_;
  Transcript transcript_;
  absl::Time now_ = absl::InfinitePast();  // Of the input being handled.

  State state_;
  int64_t next_sequence_ = 2;                                 // 1 is Created().
  std::map<std::string, absl::Time, std::less<>> deadlines_;  // By name; few.
  absl::Time answer_time_ = absl::InfinitePast();
  bool dial_accepted_ = false;
  bool conversation_ = false;  // Was ever in kInProgress.
  bool hangup_asked_ = false;
  EndFacts asked_end_;  // Valid when hangup_asked_.
  bool finished_ = false;

  bool stream_open_ = false;
  bool lost_cleanly_ = true;  // How the last stream ended.
  int streams_ = 0;
  std::deque<std::string> early_audio_;

  bool model_configured_ = false;
  bool model_closed_ = false;
  bool greeted_ = false;
  std::set<std::string> running_responses_;
  std::set<std::string> cut_responses_;        // Audio of these never reaches the carrier any more.
  std::set<std::string> cancelled_responses_;  // By us.
  std::set<std::string> cut_items_;
  std::string speaking_item_;  // The item whose audio was handed over last.
  bool response_wanted_ = false;
  int failed_responses_ = 0;  // In a row.
  bool caller_speaking_ = false;
  int64_t late_audio_dropped_ = 0;
  bool listening_for_voice_ = false;
  bool listening_for_beep_ = false;
  Turn turn_;
  bool summary_asked_ = false;
  bool summary_settled_ = false;

  absl::optional<Transfer> transfer_;  // The latest.
  std::string transfer_tool_call_;     // Waits for its output; empty: none.
  bool human_ = false;                 // A human had taken over.
  bool return_pending_ = false;        // The stream that comes next brings the caller back.
  std::string return_reason_;
  std::string saved_transcript_;  // As CallEnded's record has it.
};

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_CALL_H_
