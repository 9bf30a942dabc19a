#include "src/call/call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/call/deadlines.h"

namespace callbridge::call {
namespace {

// Of the caller's frames that the model has: enough to give a new session the utterance that the old one lost.
constexpr size_t kFramesKept = 150;

constexpr char kLineWasCut[] =
    "The line to the caller was interrupted for a moment and is back. Go on where the caller stopped hearing you.";

}  // namespace

using namespace deadline;  // NOLINT(google-build-using-namespace): a list of names, of this room alone.

Call::Call(CallOptions options, CommandSink& sink)
    : options_(std::move(options)),
      sink_(sink),
      playout_(options_.playout, playout_carrier_),
      backlog_(options_.early_frames, kFramesKept),
      state_(options_.direction == Direction::kInbound ? State::kAnswered : State::kDialing) {}

Event Call::Created(const CallOptions& options, absl::Time now) {
  return Event{options.call_id, 1, now,
               CallCreated{options.direction, options.from, options.to, options.agent, options.lead_id}};
}

void Call::Begin(absl::Time now) {
  now_ = now;
  if (options_.direction == Direction::kOutbound) {
    SetDeadline(kRing, options_.ring_limit);
    return;
  }
  answer_time_ = now;
  SetDeadline(kStream, options_.stream_limit);
  SetDeadline(kMaxDuration, options_.max_duration);
  OpenSession();
}

void Call::On(const input::Input& input, absl::Time now) {
  if (finished_) return;
  now_ = now;
  std::visit([this](const auto& in) { On(in); }, input);
  Settle();
}

void Call::Settle() {
  SayNext();
  EndIfFarewellHeard();
  TakeFinalItems();
  BeginTransferIfAnnounced();
  RenewIfQuiet();
  WatchIdle();
  FinishIfDone();
}

void Call::Emit(EventBody body) { sink_.Record(Event{options_.call_id, next_sequence_++, now_, std::move(body)}); }

void Call::SetDeadline(absl::string_view which, absl::Duration in) { deadlines_[std::string(which)] = now_ + in; }

void Call::SetDeadlineOnce(absl::string_view which, absl::Duration in) {
  if (!Awaits(which)) SetDeadline(which, in);
}

void Call::ClearDeadline(absl::string_view which) {
  const auto found = deadlines_.find(which);
  if (found != deadlines_.end()) deadlines_.erase(found);
}

absl::Time Call::next_deadline() const {
  absl::Time next = over() ? absl::InfiniteFuture() : std::min(playout_.NextWake(), NextGap());
  for (const auto& [name, at] : deadlines_) next = std::min(next, at);
  return next;
}

void Call::MoveTo(State to) {
  if (state_ == to) return;
  const State from = std::exchange(state_, to);
  if (to == State::kAnswered && answer_time_ == absl::InfinitePast()) {
    answer_time_ = now_;
    SetDeadline(kMaxDuration, options_.max_duration);
  }
  if (to == State::kInProgress) conversation_ = true;
  Emit(StateChanged{from, to});
}

// ---- Signalling ----

void Call::On(const input::DialAccepted&) { dial_accepted_ = true; }

void Call::On(const input::DialRefused& in) {
  if (state_ == State::kDialing) End(in.reason, Party::kCarrier, in.detail);
}

// Perhaps the phone rings: the carrier's callbacks will tell, and if none comes the ring limit ends the call.
void Call::On(const input::DialUnknown&) {}

void Call::On(const input::Rang&) {
  if (state_ != State::kDialing) return;
  MoveTo(State::kRinging);
  if (!hangup_asked_) OpenSession();
}

void Call::On(const input::Answered&) {
  if (state_ != State::kDialing && state_ != State::kRinging) return;
  if (hangup_asked_) {
    MoveTo(State::kAnswered);
    return;
  }
  ClearDeadline(kRing);
  SetDeadline(kStream, options_.stream_limit);
  MoveTo(State::kAnswered);
  EnsureSession();
}

void Call::On(const input::HungUp& in) { End(in.reason, in.party, in.detail); }

void Call::On(const input::StreamOpened& in) {
  if (over() || hangup_asked_) {
    sink_.Do(command::CloseStream{});
    return;
  }
  // Webhooks are reordered: a stream proves that somebody answered.
  if (state_ == State::kDialing || state_ == State::kRinging) On(input::Answered{});
  // The carrier has one stream a call: another one means that the last is gone and nobody told.
  if (stream_open_) On(input::StreamClosed{false, "replaced by another stream"});
  stream_open_ = true;
  playout_.OnNewStream();
  if (streams_ == 0) stream_time_ = now_;
  ClearDeadline(kRing);
  ClearDeadline(kStream);
  ClearDeadline(kGrace);
  Emit(StreamConnected{in.stream_id, ++streams_});
  // A stream that comes while a human is dialled means that nobody was reached, whatever the carrier said or did not
  // say.
  const bool dialling = transfer_ && transfer_->state == TransferState::kDialing;
  if (dialling || state_ == State::kTransferred) FailTransfer(TransferOutcome::kUnknown, "the stream came back");
  MoveTo(State::kInProgress);
  EnsureSession();
  if (return_pending_) {
    ReturnToAssistant();
  } else if (line_cut_in_ && streams_ > 1) {
    TellModel(kLineWasCut);
    response_wanted_ = true;
  }
  line_cut_in_ = false;
  if (session_.given_up && !TransferPending()) GiveUpOnModel();
  GreetIfReady();
  SendPendingResponse();
}

void Call::On(const input::StreamClosed& in) {
  if (!stream_open_) return;
  stream_open_ = false;
  caller_until_ = gap_since_ = absl::InfinitePast();
  if (over()) return;
  line_cut_in_ = playout_.Interruptible(now_) || !running_responses_.empty() || turn_.open;
  CutAssistant(Cut::kLineGone);
  backlog_.Clear();
  caller_speaking_ = false;
  TakeKeys();
  // We closed it ourselves for a transfer or a hang-up, and other things are awaited.
  if (state_ != State::kInProgress || hangup_asked_) return;
  lost_cleanly_ = in.clean;
  SetDeadline(kGrace, options_.stream_grace);
  // An orderly close is nearly always the caller's hang-up, whose notice is on its way: nothing was lost then.
  if (in.clean) return;
  Emit(StreamLost{in.detail});
  MoveTo(State::kAnswered);
}

void Call::On(const input::EndRequested& in) {
  const Party party = in.reason == EndReason::kServerDrain ? Party::kSystem : Party::kApi;
  if (!in.goodbye.empty() && SayLastWords(in)) return;
  AskForHangUp(in.reason, party, in.detail);
}

// ---- The clock ----

void Call::On(const input::Tick&) {
  std::vector<std::string> due;
  for (const auto& [name, at] : deadlines_) {
    if (at <= now_) due.push_back(name);
  }
  for (const std::string& name : due) {
    if (deadlines_.erase(name) > 0) OnDeadline(name);
  }
  if (over()) return;
  if (MediaUp()) playout_.Pump(now_);
  TakeHeardItems();
  PadGap();
}

void Call::OnDeadline(absl::string_view which) {
  OnSignallingDeadline(which);
  OnModelDeadline(which);
  OnToolDeadline(which);
}

void Call::OnSignallingDeadline(absl::string_view which) {
  if (which == kRing) {
    if (state_ == State::kDialing && !dial_accepted_) {
      AskForHangUp(EndReason::kDialOutcomeUnknown, Party::kCarrier, "the carrier never told what came of the dialling");
    } else {
      AskForHangUp(EndReason::kNoAnswer, Party::kCallee, "no answer in time");
    }
  } else if (which == kStream) {
    AskForHangUp(EndReason::kStreamNeverStarted, Party::kCarrier, "the call was answered and no stream came");
  } else if (which == kGrace && lost_cleanly_) {
    // The caller's hang-up without its notice: tell the carrier too, in case the leg is still up.
    sink_.Do(command::HangUpCarrier{});
    End(EndReason::kNormalHangup, Party::kCaller, "the stream was closed and no notice came");
  } else if (which == kGrace) {
    AskForHangUp(EndReason::kMediaStreamLost, Party::kCarrier, "the stream broke and did not come back");
  } else if (which == kMaxDuration) {
    AskForHangUp(EndReason::kMaxDuration, Party::kSystem, "the call's maximum duration was reached");
  } else if (which == kAnnouncement) {
    BeginTransfer();
  } else if (which == kTransferFetch) {
    RecallCaller(TransferOutcome::kCarrierError, "the carrier did not fetch the instructions");
  } else if (which == kDial) {
    RecallCaller(TransferOutcome::kUnknown, "the carrier never told what came of it");
  } else if (which == kHangUp) {
    End(asked_end_.reason, asked_end_.initiator, asked_end_.evidence);
  }
}

// ---- The end ----

void Call::AskForHangUp(EndReason reason, Party party, absl::string_view evidence) {
  if (over() || hangup_asked_) return;
  ExpectHangUp(reason, party, evidence);
  sink_.Do(command::HangUpCarrier{});
}

void Call::ExpectHangUp(EndReason reason, Party party, absl::string_view evidence) {
  hangup_asked_ = true;
  asked_end_.reason = reason;
  asked_end_.initiator = party;
  asked_end_.evidence = std::string(evidence);
  CutAssistant(Cut::kLineGone);
  farewell_ = Farewell();
  ForgetSays();
  deadlines_.clear();
  SetDeadline(kHangUp, options_.hangup_limit);
  sink_.Do(command::NextStep{command::NextStep::Kind::kHangUp});
}

void Call::End(EndReason reason, Party party, absl::string_view evidence) {
  if (over()) return;
  EndFacts facts = asked_end_;  // If we asked for the end, our reason is the reason.
  if (!hangup_asked_) facts = EndFacts{reason, party, std::string(evidence), false, false, false};
  facts.answered = answer_time_ != absl::InfinitePast();
  facts.conversation = conversation_;
  facts.human = human_;
  CutAssistant(Cut::kLineGone);
  SettleTransfer(facts);
  ForgetSays();
  deadlines_.clear();
  TakeFinalItems();
  const Termination termination = MakeTermination(facts);
  MoveTo(termination.failed ? State::kFailed : State::kCompleted);
  const absl::Duration length = facts.answered ? now_ - answer_time_ : absl::ZeroDuration();
  saved_transcript_ = transcript_.Text();
  Emit(CallEnded{termination, absl::ToInt64Seconds(length + absl::Milliseconds(500))});
  CloseLegs();
}

void Call::CloseLegs() {
  sink_.Do(command::NextStep{command::NextStep::Kind::kHangUp});
  sink_.Do(command::CloseStream{});
  stream_open_ = false;
  for (const std::string& response : running_responses_) CancelOnce(response);
  if (ModelUsable()) SetDeadline(kLateText, options_.late_text_limit);
  if (summary_asked_) {
    // When a human took over, and perhaps it is still to come.
    if (!summary_settled_) SetDeadline(kSummary, options_.summary_limit);
    return;
  }
  if (transcript_.empty()) return;
  if (!options_.summary_in_session) return;
  if (!ModelUsable()) {
    summary_asked_ = summary_settled_ = true;
    Emit(SummaryFailed{"the model's session was gone"});
    return;
  }
  summary_asked_ = true;
  SetDeadline(kSummary, options_.summary_limit);
  sink_.Do(command::RequestSummary{});
}

void Call::FinishIfDone() {
  if (!over() || finished_) return;
  const bool text_due = ModelUsable() && transcript_.AwaitsCallerText() && deadlines_.count(kLateText) > 0;
  const bool summary_due = summary_asked_ && !summary_settled_;
  if (summary_due && deadlines_.count(kSummary) == 0) {
    summary_settled_ = true;
    Emit(SummaryFailed{"the model did not answer in time"});
  } else if (text_due || summary_due) {
    return;
  }
  transcript_.CloseAll();
  TakeFinalItems();
  const std::string text = transcript_.Text();
  if (text != saved_transcript_) sink_.Do(command::SaveTranscript{text});
  sink_.Do(command::CloseModel{});
  deadlines_.clear();
  finished_ = true;
  sink_.Do(command::Finished{});
}

}  // namespace callbridge::call
