#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/call/call.h"
#include "src/call/deadlines.h"
#include "src/call/heard.h"

// Who speaks: the model's responses, the caller's turns, and what happens when both do at once.
namespace callbridge::call {

using namespace deadline;  // NOLINT(google-build-using-namespace): a list of names, of this room alone.

namespace {

// A response that failed is asked for again this often in a row; then it is the session that is no good.
constexpr int kResponseRetries = 2;

// So many words are more than an "mm-hmm", however short they were.
constexpr int kWordsOfATurn = 3;

int Words(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipWhitespace());
  return static_cast<int>(words.size());
}

}  // namespace

// ---- Responses ----

void Call::On(const input::ResponseStarted& in) {
  if (!session_.open) return;
  const bool asked = response_asked_;
  running_responses_.insert(in.response_id);
  response_spoke_ = false;
  rehearing_ = false;  // Whoever speaks over this one speaks now.
  const bool says = saying_ && say_response_.empty() && in.request_id == saying_->request_id;
  response_asked_ = false;
  if (says) {
    say_response_ = in.response_id;
  } else {
    response_wanted_ = false;                          // This one knows of whatever ours would have been asked for,
    if (saying_ && say_response_.empty()) SayAgain();  // but not of words that are to be said exactly.
  }
  const bool message = voicemail_ == Voicemail::kNo || (voicemail_ == Voicemail::kSpeaking && asked);
  const bool called_for = says || (in.request_id.empty() && !AnswersNobody());
  if (message && called_for) return;
  cut_responses_.insert(in.response_id);  // The machine wants no answer, only its message; a colleague none either.
  CancelOnce(in.response_id);
}

void Call::On(const input::ItemAdded& in) {
  if (in.role == Role::kAssistant || in.role == Role::kCaller) {
    if (restored_items_.count(in.item_id) == 0) transcript_.Add(in.item_id, in.previous_item_id, in.role, now_);
  }
}

void Call::On(const input::AssistantText& in) { transcript_.OnAssistantText(in.item_id, in.delta); }

void Call::On(const input::AssistantTextDone& in) {
  transcript_.OnAssistantTextDone(in.item_id, in.text);
  // It is not heard yet: should the process die before, its words are known all the same.
  if (const TranscriptItem* item = transcript_.Find(in.item_id); item->status == ItemStatus::kInProgress) {
    sink_.Do(command::SaveItem{*item});
  }
}

void Call::On(const input::ResponseEnded& in) {
  running_responses_.erase(in.response_id);
  cut_responses_.erase(in.response_id);
  cancelled_responses_.erase(in.response_id);
  if (running_responses_.empty()) CloseItems();
  if (over()) return;
  const bool said = saying_ && in.response_id == say_response_;
  if (said && in.status == "failed") SayAgain();
  if (said) {
    saying_.reset();
    say_response_.clear();
    ClearDeadline(kAnswer);
  }
  if (in.status == "failed") {
    Emit(ModelTrouble{in.code, in.detail, false});
    say_retry_ = said;
    if (++failed_responses_ > kResponseRetries) {
      response_wanted_ |= !said;
      LoseSession(EndReason::kModelSessionLost, in.code, in.detail);
      return;
    }
    ClearDeadline(kAnswer);
    SetDeadline(kRetryResponse, absl::Seconds(failed_responses_));
    if (MediaUp()) SetDeadlineOnce(kHold, options_.hold_after);
  } else {
    failed_responses_ = 0;
    if (in.status == "completed") session_.attempts = 0;
  }
  // A session that may not be interrupted answers nothing that was said meanwhile.
  if (greeting_protected_ && turn_.open && turn_.committed != absl::InfinitePast()) response_wanted_ = true;
  SendPendingResponse();
}

// No response runs, so no item gets more audio or text, whatever was left out of its end: what was heard of it is
// settled by what came, and what was cut will not be heard of again.
void Call::CloseItems() {
  cut_items_.clear();
  playout_.CompleteAll(now_);
  transcript_.CloseAssistantItems();
}

void Call::RequestResponse(absl::string_view instructions) {
  response_wanted_ = true;
  response_instructions_ = std::string(instructions);
  SendPendingResponse();
}

// One response at a time, and none while the caller speaks: the end of the turn makes one, which answers everything.
// None that nobody could hear either: it waits for the stream, and for what comes of a transfer.
void Call::SendPendingResponse() {
  if (!response_wanted_ || response_asked_ || !running_responses_.empty() || caller_speaking_ || !ModelUsable()) return;
  if (AnswersNobody()) return;
  if (!MediaUp() || hangup_asked_ || TransferPending() || voicemail_ == Voicemail::kWaiting) return;
  SendResponse(std::exchange(response_instructions_, ""));
}

void Call::SendResponse(absl::string_view instructions) {
  response_wanted_ = false;
  response_asked_ = true;
  SetDeadline(kAnswer, options_.answer_limit);
  sink_.Do(command::CreateResponse{std::string(instructions), ""});
}

void Call::OnAnswered() {
  ClearDeadline(kAnswer);
  ClearDeadline(kHold);
  turn_.retries = 0;
}

// The model owes an answer: it is asked for once more, then the session is given up for one that answers.
void Call::OnAnswerOverdue() {
  if (!MediaUp() || !ModelUsable() || hangup_asked_ || caller_speaking_ || !tools_.empty() || TransferPending()) return;
  if (AnswersNobody() && !saying_) return;
  if (++turn_.retries > 1) {
    turn_.retries = 0;
    response_wanted_ |= !saying_;
    PlayPrompt("hold", options_.hold_prompt);
    LoseSession(EndReason::kModelSessionLost, "answer_overdue", "no audio of an answer in time, twice");
    return;
  }
  Emit(ModelTrouble{"answer_overdue", "no audio of an answer in time; it is asked for again", false});
  for (const std::string& response : running_responses_) {
    cut_responses_.insert(response);  // Should it come after all, it would be the second answer.
    CancelOnce(response);
  }
  if (!saying_) return SendResponse("");
  response_asked_ = false;
  SayAgain();
}

// ---- The caller's turns ----

void Call::On(const input::SpeechStarted& in) {
  if (over()) return;
  caller_speaking_ = true;
  speech_item_ = in.item_id;
  speech_since_ = now_;
  const bool in_words = playout_.Interruptible(now_) || !running_responses_.empty();
  ClearDeadline(kRetryResponse);
  ClearDeadline(kAnswer);
  if (!Undisturbed() && !std::exchange(rehearing_, false)) {
    if (options_.barge_in == BargeInMode::kReversible && in_words) {
      PauseAssistant(in.item_id);
    } else if (in_words) {
      InterruptAssistant();
    } else {
      CancelFarewell();
    }
  }
  if (voicemail_ == Voicemail::kWaiting) SetDeadline(kBeep, options_.beep_limit);
  transcript_.OnCallerSpeech(in.item_id, now_);
  Emit(CallerSpeechStarted{in.item_id});
}

bool Call::Undisturbed() const {
  return greeting_protected_ || voicemail_ == Voicemail::kSpeaking || (farewell_.active && !farewell_.cancellable);
}

void Call::On(const input::SpeechStopped& in) {
  if (over()) return;
  transcript_.OnCallerSpeechEnd(in.item_id, now_);
  if (evidence_.paused) ResumeAssistant();
  listening_for_voice_ = false;
  if (evidence_.resumed && evidence_.item_id == in.item_id) {
    backchannel_item_ = in.item_id;
  } else {
    turn_ = Turn();
    turn_.item_id = in.item_id;
    turn_.stopped = now_;
    turn_.open = true;
  }
  Emit(CallerSpeechStopped{in.item_id});
}

void Call::On(const input::TurnCommitted& in) {
  if (over()) return;
  caller_speaking_ = false;
  transcript_.Add(in.item_id, in.previous_item_id, Role::kCaller, now_);
  if (voicemail_ == Voicemail::kWaiting) SetDeadline(kBeep, kBehindGreeting);
  if (in.item_id == backchannel_item_) {
    SendPendingResponse();
    return;
  }
  if (turn_.item_id == in.item_id) turn_.committed = now_;
  idle_count_ = 0;
  if (AnswersNobody()) {
    turn_.open = false;
  } else if (options_.barge_in == BargeInMode::kReversible) {
    RequestResponse("");
  } else if (MediaUp() && ModelUsable() && !TransferPending()) {
    SetDeadline(kAnswer, options_.answer_limit);
  }
}

void Call::On(const input::CallerText& in) {
  transcript_.OnCallerText(in.item_id, in.text);
  if (in.item_id.empty() || in.item_id != backchannel_item_ || Words(in.text) < kWordsOfATurn) return;
  backchannel_item_.clear();
  if (!over()) RequestResponse("");
}

void Call::On(const input::CallerTextFailed& in) { transcript_.OnCallerTextFailed(in.item_id); }

// ---- Both at once ----

// Silence at once; whether for good is decided when the caller has been listened to for a moment.
void Call::PauseAssistant(const std::string& caller_item) {
  TakeHeardItems();
  if (evidence_.paused) return;
  const bool sounding = playout_.Interruptible(now_);
  const absl::optional<audio::PlayoutLedger::Item> item = playout_.Pause(now_);
  if (sounding && stream_open_) {
    silencing_since_ = now_;
    sink_.Do(command::ClearAudio{});
  }
  evidence_ = Evidence();
  evidence_.item_id = caller_item;
  evidence_.paused_item = item ? item->item_id : speaking_item_;
  evidence_.since = now_;
  evidence_.paused = true;
  listening_for_voice_ = true;
  SetDeadline(kEvidence, options_.evidence_time);
  Emit(AssistantPaused{evidence_.paused_item, item ? HeardMs(*item) : 0});
}

void Call::On(const input::CallerVoice& in) {
  if (!listening_for_voice_) return;
  const absl::Duration length = absl::Milliseconds(in.ms);
  if (in.voiced) {
    evidence_.voiced += length;
    evidence_.quiet = absl::ZeroDuration();
  } else {
    evidence_.quiet += length;
  }
  // The caller only drew breath: the server still takes it for the same utterance, and so do we now.
  if (evidence_.resumed && evidence_.voiced >= options_.evidence_time) InterruptAssistant();
}

void Call::DecideInterruption() {
  if (!evidence_.paused) return;
  const bool over_already = evidence_.quiet >= options_.evidence_quiet || evidence_.voiced == absl::ZeroDuration();
  if (over_already) {
    ResumeAssistant();
  } else {
    InterruptAssistant();
  }
}

void Call::ResumeAssistant() {
  ClearDeadline(kEvidence);
  evidence_.paused = false;
  evidence_.resumed = true;
  evidence_.voiced = evidence_.quiet = absl::ZeroDuration();
  playout_.Resume(now_);
  if (MediaUp()) playout_.Pump(now_);
  Emit(AssistantResumed{evidence_.paused_item, absl::ToInt64Milliseconds(now_ - evidence_.since)});
}

void Call::InterruptAssistant() {
  CutAssistant(Cut::kBargeIn);
  CancelFarewell();
}

void Call::CutAssistant(Cut why) {
  TakeHeardItems();
  const bool sounding = playout_.Interruptible(now_) && !playout_.paused();
  const std::vector<audio::PlayoutLedger::Item> cut = playout_.Cut(now_);
  if (sounding && stream_open_) {
    silencing_since_ = why == Cut::kLineGone ? absl::InfinitePast() : now_;
    sink_.Do(command::ClearAudio{});
  }
  for (const std::string& response : running_responses_) {
    const bool first = cut_responses_.insert(response).second;
    const bool ours_to_stop = why == Cut::kSteered || (why == Cut::kBargeIn && !options_.server_cancels);
    if (first && ours_to_stop) CancelOnce(response);
  }
  ClearDeadline(kEvidence);
  listening_for_voice_ = false;
  evidence_ = Evidence();
  for (const auto& item : cut) {
    cut_items_.insert(item.item_id);
    if (item.item_id == measure_.item_id) Measured(item.heard > 0 ? item.first_sound : absl::InfinitePast());
    transcript_.OnCut(item.item_id, HeardMs(item), item.received / audio::kBytesPerMs, BasisOf(item));
    if (!over() && ModelUsable()) TellModelOfCut(item);
  }
  if (running_responses_.empty()) cut_items_.clear();
  if (why != Cut::kBargeIn || cut.empty()) return;
  const auto& audible = cut.front();
  Emit(BargeIn{audible.item_id, HeardMs(audible), audible.received / audio::kBytesPerMs, BasisOf(audible)});
}

// So that the model believes to have said what was heard, and no more.
void Call::TellModelOfCut(const audio::PlayoutLedger::Item& item) {
  if (restored_items_.count(item.item_id) > 0) {
    const TranscriptItem* const known = transcript_.Find(item.item_id);
    sink_.Do(command::RewriteItem{item.item_id, transcript_.Before(item.item_id, restored_items_),
                                  known == nullptr ? "" : known->text_heard});
  } else if (prompt_items_.count(item.item_id) > 0) {
    return;
  } else if (HeardMs(item) > 0) {
    sink_.Do(command::TruncateItem{item.item_id, HeardMs(item)});
  } else {
    sink_.Do(command::DeleteItem{item.item_id});
  }
}

void Call::CancelOnce(const std::string& response_id) {
  if (!ModelUsable() || !cancelled_responses_.insert(response_id).second) return;
  sink_.Do(command::CancelResponse{response_id});
}

void Call::TakeFinalItems() {
  for (TranscriptItem& item : transcript_.TakeFinal()) {
    if (item.role == Role::kCaller && item.text_generated.empty() && item.status == ItemStatus::kComplete) continue;
    Emit(TranscriptItemFinal{std::move(item)});
  }
}

// ---- Nobody says anything ----

bool Call::Quiet() const {
  return running_responses_.empty() && !response_wanted_ && !response_asked_ && !caller_speaking_ && !turn_.open &&
         tools_.empty() && keys_.empty() && !evidence_.paused && !farewell_.active && says_.empty() && !saying_ &&
         playout_.Silent(now_);
}

void Call::WatchIdle() {
  if (options_.idle_after == absl::InfiniteDuration()) return;
  const bool waiting = MediaUp() && ModelUsable() && greeted_ && !hangup_asked_ && !TransferPending() &&
                       voicemail_ == Voicemail::kNo && !taken_over_ && Quiet();
  if (waiting) {
    SetDeadlineOnce(kIdle, options_.idle_after);
  } else {
    ClearDeadline(kIdle);
  }
}

void Call::OnIdle() {
  const bool goodbye = ++idle_count_ > options_.idle_reprompts;
  Emit(CallerIdle{idle_count_, goodbye});
  sink_.Do(command::AddSystemText{goodbye ? options_.idle_goodbye : options_.idle_prompt});
  RequestResponse("");
  if (goodbye) BeginFarewell(EndReason::kCallerIdle, Party::kAssistant, "the caller said nothing any more", true);
}

}  // namespace callbridge::call
