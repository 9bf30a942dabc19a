#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/call/call.h"
#include "src/call/deadlines.h"

// The model's session, lost and found: a session has no memory beyond its socket, so a new one is given the
// conversation as it was heard, and the caller's words that the old one did not answer.
//
//   OpenSession --created, configured--> usable --limit near, quiet--> another one
//        ^            lost: again, at once, then with growing pauses         |
//        '------- model_attempts in a row, refused, quota: GiveUpOnModel <---'
namespace callbridge::call {

using namespace deadline;  // NOLINT(google-build-using-namespace): a list of names, of this room alone.

namespace {

// Speech begins this long before the server is sure of it.
constexpr absl::Duration kSpeechOnset = absl::Milliseconds(700);

bool WorthAnotherSession(EndReason reason) {
  return reason == EndReason::kModelSessionLost || reason == EndReason::kModelUnavailable;
}

}  // namespace

// ---- Opening ----

void Call::OpenSession() {
  session_.open = true;
  const bool early = state_ == State::kDialing || state_ == State::kRinging;
  SetDeadline(kModel, options_.model_limit + (early ? options_.ring_limit : absl::ZeroDuration()));
  if (MediaUp()) SetDeadlineOnce(kHold, options_.hold_after);
  sink_.Do(command::OpenModel{});
}

void Call::EnsureSession() {
  if (over() || hangup_asked_ || session_.given_up) return;
  if (!session_.open && !Awaits(kReopen)) OpenSession();
  if (ModelUsable()) return;
  // While the phone rang there was more time than the caller has now.
  if (session_.open) SetDeadline(kModel, options_.model_limit);
  if (MediaUp()) SetDeadlineOnce(kHold, options_.hold_after);
}

void Call::On(const input::ModelCreated& in) {
  if (over() || !session_.open || session_.configured) return;
  session_.created = true;
  Emit(ModelReady{in.session_id, in.model, ++session_.count});
  if (in.lifetime_ms > 0) {
    const absl::Duration left = absl::Milliseconds(in.lifetime_ms);
    SetDeadline(kRenewal, std::max(left / 2, left - options_.model_renewal));
    SetDeadline(kRenewalAnyhow, std::max(left * 3 / 4, left - options_.model_renewal / 2));
  }
  greeting_protected_ = options_.barge_in == BargeInMode::kProtectedGreeting && greeting_item_.empty();
  sink_.Do(command::ConfigureModel{greeting_protected_});
}

void Call::On(const input::ModelConfigured&) {
  if (over() || !session_.created || session_.configured) return;
  session_.configured = true;
  if (session_ready_ == absl::InfinitePast()) session_ready_ = now_;
  ClearDeadline(kModel);
  if (session_.count > 1 || !asides_.empty()) RestoreConversation();
  GreetIfReady();
  FlushBacklog();
  if (!response_wanted_ && !response_asked_) ClearDeadline(kHold);
  SendPendingResponse();
}

void Call::GreetIfReady() {
  if (greeted_ || AnswersNobody() || !ModelUsable() || !MediaUp() || voicemail_ != Voicemail::kNo) return;
  greeted_ = true;
  if (options_.greeting_prompt.empty()) return;
  sink_.Do(command::AddSystemText{options_.greeting_prompt});
  SendResponse("");
}

// ---- Losing ----

void Call::On(const input::ModelError& in) {
  if (over() || !session_.open) return;
  if (in.fatal) {
    LoseSession(in.reason, in.code, in.message);
  } else {
    Emit(ModelTrouble{in.code, in.message, false});
  }
}

void Call::On(const input::ModelClosed& in) {
  if (!session_.open) return;
  if (over()) {
    ForgetSession();
    On(input::SummaryUnavailable{in.detail});
    return;
  }
  LoseSession(in.reason, "session_closed", in.detail);
}

void Call::LoseSession(EndReason reason, absl::string_view code, absl::string_view detail) {
  Emit(ModelTrouble{std::string(code), std::string(detail), true});
  session_.trouble = reason;
  session_.evidence = absl::StrCat(code, ": ", detail);
  ForgetSession();
  On(input::SummaryUnavailable{std::string(detail)});
  sink_.Do(command::CloseModel{});  // It may be there still, and only silent.
  if (!WorthAnotherSession(reason)) {
    session_.given_up = true;
    GiveUpOnModel();
    return;
  }
  // A human has the caller: the call does not need the model any more, unless the caller comes back.
  if (state_ == State::kTransferred || hangup_asked_) return;
  ReopenSession(code);
}

// What was said so far stays; what the session had not answered is answered by the next one.
void Call::ForgetSession() {
  const bool mid_response =
      !running_responses_.empty() && (playout_.ledger().empty() || !playout_.ledger().Incomplete().empty());
  session_.open = session_.created = session_.configured = session_.renewal_due = false;
  for (const absl::string_view which : {kModel, kRenewal, kRenewalAnyhow, kAnswer, kRetryResponse, kEvidence})
    ClearDeadline(which);
  running_responses_.clear();
  cut_responses_.clear();
  cancelled_responses_.clear();
  restored_items_.clear();
  response_asked_ = false;
  failed_responses_ = 0;
  const bool said = !say_response_.empty();
  if (saying_ && (!said || mid_response)) SayAgain();
  saying_.reset();
  say_response_.clear();
  CloseItems();
  if (evidence_.paused) ResumeAssistant();
  listening_for_voice_ = false;
  // An utterance of which no words are known yet is in nobody's memory, even if its answer has begun.
  const bool unheard = caller_speaking_ || transcript_.AwaitsText(turn_.item_id);
  if (unheard && speech_since_ != absl::InfinitePast()) {
    // The new session hears the utterance again, as far as it is kept, and answers it by itself.
    backlog_.Rewind(speech_since_ - kSpeechOnset);
    rehearing_ = true;
    transcript_.Forget(caller_speaking_ ? speech_item_ : turn_.item_id);
    response_wanted_ = false;
    turn_.open = false;
  } else if ((turn_.open || (mid_response && !said)) && tools_.empty()) {
    // While tools run their output brings the answer: a session that does not know of them would ask for them again.
    response_wanted_ = true;
  }
  caller_speaking_ = false;
}

void Call::ReopenSession(absl::string_view code) {
  if (++session_.attempts >= options_.model_attempts) {
    session_.given_up = true;
    GiveUpOnModel();
    return;
  }
  Emit(ModelReopening{session_.attempts, std::string(code)});
  if (session_.attempts == 1) {
    OpenSession();
  } else {
    SetDeadline(kReopen, options_.model_pause * (int64_t{1} << std::min(session_.attempts - 2, 6)));
    if (MediaUp()) SetDeadlineOnce(kHold, options_.hold_after);
  }
}

void Call::RenewIfQuiet() {
  if (session_.renewal_due && ModelUsable() && !over() && !hangup_asked_ && Quiet()) OnModelDeadline(kRenewalAnyhow);
}

void Call::OnModelDeadline(absl::string_view which) {
  if (which == kModel && !session_.configured) {
    LoseSession(EndReason::kModelUnavailable, "session_not_ready", "the session was not ready in time");
  } else if (which == kReopen) {
    OpenSession();
  } else if (which == kRenewal) {
    session_.renewal_due = true;
  } else if (which == kRenewalAnyhow) {
    Emit(ModelReopening{0, "session_limit"});
    ForgetSession();
    if (state_ != State::kTransferred) OpenSession();
  } else if (which == kRetryResponse) {
    if (!std::exchange(say_retry_, false)) RequestResponse("");
  } else if (which == kAnswer) {
    OnAnswerOverdue();
  } else if (which == kEvidence) {
    DecideInterruption();
  } else if (which == kMeasure) {
    Measured(playout_.ledger().FirstSound(measure_.item_id));
  } else if (which == kIdle) {
    OnIdle();
  } else if (which == kHold) {
    if (ModelUsable() && !response_wanted_ && !response_asked_ && !turn_.open && !Awaits(kRetryResponse)) return;
    // What can still be heard is no silence.
    if (playout_.Silent(now_) && !caller_speaking_ && !taken_over_) PlayPrompt("hold", options_.hold_prompt);
    if (MediaUp()) SetDeadline(kHold, options_.hold_after * 3);
  }
}

// ---- The conversation for a new session ----

void Call::RestoreConversation() {
  command::RestoreConversation restore{History()};
  for (const command::HistoryItem& item : restore.items) restored_items_.insert(item.item_id);
  const bool said_anything =
      std::any_of(restore.items.begin(), restore.items.end(),
                  [](const command::HistoryItem& item) { return item.role == Role::kAssistant; });
  if (!restore.items.empty()) sink_.Do(restore);
  if (!said_anything) greeted_ = false;  // The greeting went with the old session.
}

std::vector<command::HistoryItem> Call::History() const {
  std::vector<command::HistoryItem> history;
  size_t tools = 0;
  size_t seen = 0;
  const auto put_tools = [&] {
    for (; tools < asides_.size() && asides_[tools].first <= seen; ++tools) {
      history.push_back(asides_[tools].second);
    }
  };
  for (const TranscriptItem& item : transcript_.Items()) {
    put_tools();
    ++seen;
    // What is still sounding will have been heard; should it be cut, the item is written anew then.
    const bool sounding = item.role == Role::kAssistant && item.status == ItemStatus::kInProgress;
    const std::string& text = sounding ? item.text_generated : item.text_heard;
    if (!text.empty()) history.push_back({item.role, item.item_id, text, "", "", ""});
  }
  seen = asides_.empty() ? seen : std::max(seen, asides_.back().first);
  put_tools();
  return history;
}

void Call::TellModel(const std::string& text) {
  if (ModelUsable()) {
    sink_.Do(command::AddSystemText{text});
    return;
  }
  command::HistoryItem item;
  item.role = Role::kSystem;
  item.text = text;
  asides_.emplace_back(transcript_.size(), std::move(item));
}

// ---- Without a model ----

// The configured way out, as soon as somebody is there to hear it.
void Call::GiveUpOnModel() {
  ClearDeadline(kHold);
  ClearDeadline(kReopen);
  ForgetSays();
  if (over() || hangup_asked_ || farewell_.active) return;
  if (taken_over_) return;  // The colleague decides what becomes of the caller.
  if (state_ == State::kTransferred || state_ == State::kTransferring) return;  // A human has the caller, or will have.
  const bool goodbye = !options_.goodbye_prompt.base64.empty() || options_.fallback != FallbackKind::kGoodbye;
  if (!MediaUp()) {
    const bool coming = state_ == State::kAnswered && Awaits(kStream);
    if (!coming || !goodbye) AskForHangUp(session_.trouble, Party::kModel, session_.evidence);
    return;
  }
  if (options_.fallback == FallbackKind::kTransfer && BeginFallbackTransfer()) return;
  if (options_.fallback == FallbackKind::kCallback) {
    Emit(CallbackPromised{session_.evidence});
    PlayPrompt("callback", options_.callback_prompt);
  } else {
    PlayPrompt("goodbye", options_.goodbye_prompt);
  }
  BeginFarewell(session_.trouble, Party::kModel, session_.evidence, /*cancellable=*/false);
}

}  // namespace callbridge::call
