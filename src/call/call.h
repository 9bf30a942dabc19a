#ifndef CALLBRIDGE_SRC_CALL_CALL_H_
#define CALLBRIDGE_SRC_CALL_CALL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/audio/assistant_playout.h"
#include "src/audio/caller_backlog.h"
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

  // Of the event that would come next: what is recorded about the call after its end goes on from here.
  int64_t next_sequence() const { return next_sequence_; }

  // Whether the call wants input::CallerVoice for each frame of the caller, or input::BeepHeard.
  bool listening_for_voice() const { return listening_for_voice_; }
  bool listening_for_beep() const { return listening_for_beep_; }

  // When Tick is due; InfiniteFuture: never.
  absl::Time next_deadline() const;

  State state() const { return state_; }
  bool over() const { return IsFinal(state_); }
  const absl::optional<Transfer>& transfer() const { return transfer_; }
  // Any transfer of this call; null: it never had it.
  const Transfer* FindTransfer(absl::string_view transfer_id) const;
  const Transcript& transcript() const { return transcript_; }
  const audio::AssistantPlayout& playout() const { return playout_; }
  int64_t late_audio_dropped() const { return late_audio_dropped_; }

  // Why TransferRequested with this destination or, if that is empty, number would be refused now; empty: it would be
  // accepted. Also says what would be right.
  std::string TransferProblem(absl::string_view destination, absl::string_view number = "") const;
  // Whether this call has had all the transfers it may.
  bool TransfersUsedUp() const;

  // What would become of a steering input now.
  enum class Refusal {
    kNone,             // It would be carried out.
    kRepeated,         // It was, and nothing would change.
    kNotActive,        // The call is over, about to be, or nobody listens to the assistant.
    kModelNotReady,    // The model's session is not there.
    kUnknownPrompt,    //
    kTooMany,          // kMaxSays wait to be said.
    kUnknownToolCall,  // There is none, or it is not a client's to answer.
    kToolCallAnswered  // Otherwise, or its time is over.
  };
  static constexpr size_t kMaxSays = 8;
  Refusal WhyNot(const input::SayRequested& in) const;
  Refusal WhyNot(const input::ContextGiven& in) const;
  Refusal WhyNot(const input::InstructionsGiven& in) const;
  Refusal WhyNot(const input::DtmfRequested& in) const;
  Refusal WhyNot(const input::MuteRequested& in) const;
  Refusal WhyNot(const input::TakeoverRequested& in) const;
  Refusal WhyNot(const input::ReleaseRequested& in) const;
  Refusal WhyNot(const input::ToolResultGiven& in) const;
  // Of the stored prompts that this call has.
  std::vector<std::string> PromptNames() const;
  bool caller_muted() const { return caller_muted_; }
  bool assistant_muted() const { return assistant_muted_; }

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

  // The model's session, and what is known of the one that is open.
  struct Session {
    bool open = false;        // OpenModel was commanded and the session has not been lost.
    bool created = false;     // The server has it ...
    bool configured = false;  // ... and it works.
    bool given_up = false;    // None is opened any more.
    bool renewal_due = false;
    int count = 0;                                     // Sessions that the server created.
    int attempts = 0;                                  // Opened in a row without one that answered.
    EndReason trouble = EndReason::kModelUnavailable;  // Of the last loss.
    std::string evidence;
  };
  struct Turn {  // The caller's last turn, until it is answered.
    std::string item_id;
    absl::Time stopped = absl::InfinitePast();
    absl::Time committed = absl::InfinitePast();
    absl::Time first_audio = absl::InfinitePast();
    absl::Time first_sent = absl::InfinitePast();
    bool open = false;
    int retries = 0;  // Of asking for its answer.
  };
  // First sound of an item that is still to be heard, for TurnMeasured and AnswerMeasured.
  struct Measure {
    std::string item_id;  // Empty: nothing is being measured.
    Turn turn;            // item_id empty: no turn is answered by it.
  };
  struct Evidence {       // Whether a pause was asked for by a cough or by an interruption.
    std::string item_id;  // The caller's.
    std::string paused_item;
    absl::Time since;
    absl::Duration voiced = absl::ZeroDuration();  // Since the start, or since the assistant went on.
    absl::Duration quiet = absl::ZeroDuration();   // At the end.
    bool paused = false;
    bool resumed = false;  // The utterance did not count as an interruption.
  };
  struct Farewell {  // The call ends when the last words were heard.
    bool active = false;
    bool cancellable = false;  // By the caller's voice.
    EndReason reason = EndReason::kAssistantEnded;
    Party party = Party::kAssistant;
    std::string evidence;
    std::string tool_call_id;  // Waits for its output; empty: none.
  };
  struct ToolCall {
    std::string name;
    std::string arguments;
  };
  struct RunningTool {
    std::string name;
    absl::Time asked;
    bool bridged = false;  // The caller was told that it takes a moment.
    bool client = false;   // Whose to answer it is.
  };
  struct Say {  // What a client wants said.
    std::string request_id;
    std::string text;
    std::string prompt;
  };
  enum class Voicemail { kNo, kWaiting, kSpeaking };

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
  void OnSignallingDeadline(absl::string_view which);
  void Settle();  // What follows from any input.
  void MoveTo(State to);
  void AskForHangUp(EndReason reason, Party party, absl::string_view evidence);
  void ExpectHangUp(EndReason reason, Party party, absl::string_view evidence);
  void End(EndReason reason, Party party, absl::string_view evidence);
  void CloseLegs();
  void FinishIfDone();
  void Emit(EventBody body);
  void SetDeadline(absl::string_view which, absl::Duration in);
  void SetDeadlineOnce(absl::string_view which, absl::Duration in);
  void ClearDeadline(absl::string_view which);
  bool Awaits(absl::string_view which) const { return deadlines_.find(which) != deadlines_.end(); }

  // ---- call_audio.cc: audio both ways, prompts, gaps ----
  void On(const input::CallerAudio& in);
  void On(const input::CheckpointPlayed& in);
  void On(const input::AudioCleared& in);
  void On(const input::ModelAudio& in);
  void On(const input::ModelAudioDone& in);
  void FlushBacklog();
  void PadGap();
  absl::Time NextGap() const;
  void DropModelAudio(absl::string_view item_id, int64_t bytes);
  void OnFirstSent(absl::string_view item_id);
  // When the measured item was heard first; InfinitePast: it was not.
  void Measured(absl::Time heard);
  void TakeHeardItems();
  bool PlayPrompt(absl::string_view name, const Prompt& prompt);

  // ---- call_model.cc: the model's session, lost and found ----
  void On(const input::ModelCreated& in);
  void On(const input::ModelConfigured& in);
  void On(const input::ModelError& in);
  void On(const input::ModelClosed& in);
  void OnModelDeadline(absl::string_view which);
  void OpenSession();
  void LoseSession(EndReason reason, absl::string_view code, absl::string_view detail);
  void ReopenSession(absl::string_view code);
  void RenewIfQuiet();
  void ForgetSession();  // What was of the old session alone.
  void RestoreConversation();
  std::vector<command::HistoryItem> History() const;
  void TellModel(const std::string& text);  // This session, or the next one.
  void EnsureSession();                     // Somebody is there again who wants to talk to the model.
  void GiveUpOnModel();
  void GreetIfReady();
  bool ModelUsable() const { return session_.configured; }
  bool MediaUp() const { return stream_open_ && state_ == State::kInProgress; }

  // ---- call_turns.cc: responses, the caller's turns, interruption, the transcript ----
  void On(const input::ResponseStarted& in);
  void On(const input::ItemAdded& in);
  void On(const input::AssistantText& in);
  void On(const input::AssistantTextDone& in);
  void On(const input::ResponseEnded& in);
  void On(const input::SpeechStarted& in);
  void On(const input::SpeechStopped& in);
  void On(const input::TurnCommitted& in);
  void On(const input::CallerText& in);
  void On(const input::CallerTextFailed& in);
  void On(const input::CallerVoice& in);
  void CloseItems();
  // `instructions`: for this one alone; empty: the session's.
  void RequestResponse(absl::string_view instructions = "");  // Now, or when the running response has ended.
  void SendPendingResponse();
  void SendResponse(absl::string_view instructions);
  void OnAnswerOverdue();
  void OnAnswered();         // The assistant is heard to answer: nothing is overdue.
  bool Undisturbed() const;  // Whether the caller's voice changes nothing just now.
  void PauseAssistant(const std::string& caller_item);
  void DecideInterruption();
  void ResumeAssistant();
  void InterruptAssistant();
  enum class Cut { kBargeIn, kLineGone, kSteered };
  void CutAssistant(Cut why);
  void TellModelOfCut(const audio::PlayoutLedger::Item& item);
  void CancelOnce(const std::string& response_id);
  void TakeFinalItems();
  bool Quiet() const;  // Nobody speaks, and nothing is on its way.
  void WatchIdle();
  void OnIdle();

  // ---- call_tools.cc: tools, keys, goodbyes, machines, the summary ----
  void On(const input::Dtmf& in);
  void On(const input::EndAsked& in);
  void On(const input::DtmfAsked& in);
  void On(const input::ToolAsked& in);
  void On(const input::ToolFinished& in);
  void On(const input::ToolRefused& in);
  void On(const input::MachineDetected& in);
  void On(const input::BeepHeard& in);
  void On(const input::SummaryMade& in);
  void On(const input::SummaryUnavailable& in);
  void OnToolDeadline(absl::string_view which);
  bool FirstCall(const std::string& tool_call_id, absl::string_view name, absl::string_view arguments,
                 absl::Time answer_by = absl::InfinitePast());
  void AnswerTool(const std::string& tool_call_id, absl::string_view name, bool ok, const std::string& output);
  void TakeKeys();
  void BeginFarewell(EndReason reason, Party party, absl::string_view evidence, bool cancellable);
  void CancelFarewell();
  void EndIfFarewellHeard();
  void EndFarewell();
  void LeaveMessage();

  // ---- call_steering.cc: what clients ask for while the call runs ----
  void On(const input::SayRequested& in);
  void On(const input::ContextGiven& in);
  void On(const input::InstructionsGiven& in);
  void On(const input::DtmfRequested& in);
  void On(const input::MuteRequested& in);
  void On(const input::TakeoverRequested& in);
  void On(const input::ReleaseRequested& in);
  void On(const input::ToolResultGiven& in);
  bool Ending() const { return over() || hangup_asked_; }
  bool AnswersNobody() const { return taken_over_ || last_words_; }
  bool AskedBefore(const std::string& request_id) const { return steered_.count(request_id) > 0; }
  const Prompt* FindPrompt(absl::string_view name) const;
  void NoteForModel(const std::string& text);  // This session, and those after it.
  void SayNext();
  void SayAgain();  // What was asked of the model and not said.
  void ForgetSays();
  void StopAnswering();
  void LiftGreeting();  // The greeting was stopped, and with it its protection ends.
  // The goodbye of EndRequested; false: nobody would hear it.
  bool SayLastWords(const input::EndRequested& in);

  // ---- call_transfer.cc ----
  void On(const input::TransferAsked& in);
  void On(const input::TransferRequested& in);
  void On(const input::TransferCancelRequested& in);
  void On(const input::TransferTaken& in);
  void On(const input::TransferRefused& in);
  void On(const input::TransferFetched& in);
  void On(const input::HumanAnswered& in);
  void On(const input::TransferDone& in);
  void AcceptTransfer(Transfer transfer, Destination to);
  // The way out when the model is gone: a transfer without an announcement, which needs no model. False: there is none,
  // or it was tried.
  bool BeginFallbackTransfer();
  // Tells the model what came of the transfer; nothing if it knows.
  void TellTransferFailed();
  void BeginTransferIfAnnounced();
  void AskForAnnouncement();
  void BeginTransfer();
  void DialTarget(const Destination::Target& target);
  // Of the target that is being dialled.
  absl::Duration DialLimit() const;
  int64_t CurrentTarget() const;
  void FailTransfer(TransferOutcome outcome, absl::string_view detail);
  // The same, and has the carrier ask at once what is next: it would not by itself.
  void RecallCaller(TransferOutcome outcome, absl::string_view detail);
  void ReturnToAssistant();
  void ChangeTransfer(TransferState state, TransferOutcome outcome, absl::string_view detail);
  // The call ends: so does its transfer.
  void SettleTransfer(const EndFacts& facts);
  bool IsCurrentTransfer(absl::string_view transfer_id) const;
  bool TransferPending() const;

  const CallOptions options_;
  CommandSink& sink_;
  PlayoutCarrier playout_carrier_{*this};
  audio::AssistantPlayout playout_;
  audio::CallerBacklog backlog_;
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
  bool line_cut_in_ = false;  // ... and whether it ended in the assistant's words, or before its answer.
  int streams_ = 0;
  absl::Time stream_time_ = absl::InfinitePast();   // Of the first.
  absl::Time caller_until_ = absl::InfinitePast();  // Until when the model has the caller's audio, or silence for it.
  absl::Time gap_since_ = absl::InfinitePast();     // The caller's last frame.

  Session session_;
  absl::Time session_ready_ = absl::InfinitePast();  // The first.
  bool greeted_ = false;
  bool greeting_protected_ = false;
  std::string greeting_item_;
  std::set<std::string> running_responses_;
  std::set<std::string> cut_responses_;        // Audio of these never reaches the carrier any more.
  std::set<std::string> cancelled_responses_;  // By us.
  std::set<std::string> cut_items_;
  std::set<std::string> restored_items_;  // The present session has these as texts.
  std::set<std::string> prompt_items_;    // The model has never heard of these.
  std::string speaking_item_;             // The item whose audio was handed over last.
  bool response_wanted_ = false;
  bool response_asked_ = false;  // Commanded, and not started yet.
  std::string response_instructions_;
  int failed_responses_ = 0;  // In a row.
  bool caller_speaking_ = false;
  std::string speech_item_;  // The caller's utterance, spoken since ...
  absl::Time speech_since_ = absl::InfinitePast();
  bool rehearing_ = false;        // The utterance that the session reports next was spoken to the last one.
  std::string backchannel_item_;  // Spoken over, and not taken as a turn.
  absl::Time silencing_since_ = absl::InfinitePast();  // The carrier was told to clear, and has not confirmed.
  int64_t late_audio_dropped_ = 0;
  bool caller_muted_ = false;
  bool assistant_muted_ = false;
  bool listening_for_voice_ = false;
  bool listening_for_beep_ = false;
  Turn turn_;
  Measure measure_;
  bool answer_measured_ = false;
  absl::Time first_audio_ = absl::InfinitePast();  // Of the assistant, ever.
  Evidence evidence_;
  int idle_count_ = 0;
  int prompts_ = 0;

  std::map<std::string, RunningTool> tools_;    // By tool call id.
  std::map<std::string, ToolCall> tool_calls_;  // All that were ever made.
  std::vector<std::pair<size_t, command::HistoryItem>>
      asides_;  // What is no speech: behind so many items of the transcript.
  std::string keys_;
  int key_entries_ = 0;
  Farewell farewell_;
  bool machine_ = false;
  Voicemail voicemail_ = Voicemail::kNo;
  bool summary_asked_ = false;
  bool summary_settled_ = false;

  std::set<std::string> steered_;  // Ids of requests that were carried out.
  std::deque<Say> says_;           // To be said, in this order.
  absl::optional<Say> saying_;     // The model was asked to say this ...
  std::string say_response_;       // ... and does, in this response.
  bool say_retry_ = false;         // kRetryResponse is for it.
  bool taken_over_ = false;
  bool last_words_ = false;                                             // A client's goodbye is being said.
  std::string instructions_;                                            // As a client gave them; empty: none did.
  std::set<std::string> client_calls_;                                  // Tool calls that clients may answer ...
  std::map<std::string, std::pair<bool, std::string>> client_answers_;  // ... and have.

  absl::optional<Transfer> transfer_;        // The latest.
  std::vector<Transfer> earlier_transfers_;  // Those before it.
  Destination transfer_to_;                  // Of the latest.
  enum class Announcement {
    kNone,     // Nothing is to be said, or it was.
    kDue,      // Unless the response that asked for the transfer has spoken.
    kAsked,    // The model was asked to say it.
    kRunning,  // It does.
  };
  Announcement announcement_ = Announcement::kNone;
  bool response_spoke_ = false;     // The response that began last brought audio.
  std::string transfer_tool_call_;  // Waits for its output; empty: none.
  bool transfer_failure_untold_ = false;
  bool human_ = false;            // A human had taken over.
  bool return_pending_ = false;   // The stream that comes next brings the caller back.
  bool recall_refused_ = false;   // The carrier would not fetch instructions in the middle of a dial.
  std::string saved_transcript_;  // As CallEnded's record has it.
};

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_CALL_H_
