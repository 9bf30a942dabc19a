#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/call/call.h"
#include "src/call/transfer_rules.h"

// How a call hands its caller to a human, and takes them back when nobody picks up.
//
//   kRequested --last words heard--> kDialing, target after target --human answers--> kConnected --hangs up-->
//   kCompleted
//        \------------- cancelled, or the last target's refusal, time-out ... ----> kFailed: the caller returns to the
//                                                                                   assistant
//
// The carrier is told of the targets once. When one's dial has failed, whoever answers the carrier gives it the next
// one at once, and tells the call (TransferDone, then TransferFetched); both decide with TriesNext(), so neither waits
// for the other. Inputs name their target: a repeated or late one about an earlier target does nothing.
namespace callbridge::call {
namespace {

// What hearing the whisper and finding the key takes, behind picking up.
constexpr absl::Duration kConfirmTime = absl::Seconds(20);

}  // namespace

bool Call::TransferPending() const {
  return transfer_ && (transfer_->state == TransferState::kRequested || transfer_->state == TransferState::kDialing);
}

bool Call::IsCurrentTransfer(absl::string_view transfer_id) const {
  return transfer_ && transfer_->transfer_id == transfer_id;
}

const Transfer* Call::FindTransfer(absl::string_view transfer_id) const {
  if (IsCurrentTransfer(transfer_id)) return &*transfer_;
  const auto found = std::find_if(earlier_transfers_.begin(), earlier_transfers_.end(),
                                  [transfer_id](const Transfer& each) { return each.transfer_id == transfer_id; });
  return found == earlier_transfers_.end() ? nullptr : &*found;
}

int64_t Call::CurrentTarget() const { return static_cast<int64_t>(transfer_->attempts.size()) - 1; }

bool Call::TransfersUsedUp() const {
  return static_cast<int>(earlier_transfers_.size()) + (transfer_ ? 1 : 0) >= options_.max_transfers;
}

std::string Call::TransferProblem(absl::string_view destination, absl::string_view number) const {
  const bool by_number = destination.empty() && !number.empty();
  if (!by_number && options_.destinations.count(std::string(destination)) == 0) {
    const auto key = [](std::string* out, const auto& entry) { out->append(entry.first); };
    return absl::StrCat("no destination '", destination,
                        "'; there are: ", absl::StrJoin(options_.destinations, ", ", key));
  }
  if (over() || hangup_asked_) return "the call is over";
  if (TransferPending() || state_ == State::kTransferred) return "a transfer is under way";
  if (TransfersUsedUp()) return absl::StrCat("no more transfers in this call: it has had ", options_.max_transfers);
  if (!MediaUp()) return "caller and assistant are not connected";
  return "";
}

// ---- Asked for ----

void Call::On(const input::TransferAsked& in) {
  if (!FirstCall(in.tool_call_id, "transfer_call", in.arguments)) return;
  const std::string problem = TransferProblem(in.destination);
  if (!problem.empty()) {
    AnswerTool(in.tool_call_id, "transfer_call", false, problem);
    RequestResponse();
    return;
  }
  Transfer transfer;
  transfer.transfer_id = in.transfer_id;
  transfer.destination = in.destination;
  transfer.reason = in.reason;
  transfer.requested_by = Party::kAssistant;
  AcceptTransfer(std::move(transfer), options_.destinations.at(in.destination));
  transfer_tool_call_ = in.tool_call_id;
}

void Call::On(const input::TransferRequested& in) {
  if (!TransferProblem(in.destination, in.number).empty() || FindTransfer(in.transfer_id) != nullptr) return;
  Transfer transfer;
  transfer.transfer_id = in.transfer_id;
  transfer.destination = in.destination;
  transfer.reason = in.reason;
  transfer.requested_by = Party::kApi;
  Destination to;
  if (in.destination.empty()) {
    to.targets.push_back({in.number});
  } else {
    to = options_.destinations.at(in.destination);
  }
  AcceptTransfer(std::move(transfer), std::move(to));
}

bool Call::BeginFallbackTransfer() {
  if (TransferPending()) return true;
  const auto to = options_.destinations.find(options_.fallback_destination);
  const bool tried = FindTransfer(options_.fallback_transfer_id) != nullptr;
  if (to == options_.destinations.end() || tried || hangup_asked_ || !MediaUp()) return false;
  Transfer transfer;
  transfer.transfer_id = options_.fallback_transfer_id;
  transfer.destination = to->first;
  transfer.reason = "the assistant is not available";
  transfer.requested_by = Party::kSystem;
  AcceptTransfer(std::move(transfer), to->second);
  return true;
}

void Call::AcceptTransfer(Transfer transfer, Destination to) {
  if (transfer_) earlier_transfers_.push_back(*std::move(transfer_));
  transfer_ = std::move(transfer);
  transfer_to_ = std::move(to);
  transfer_->number = transfer_to_.targets.front().number;
  transfer_->request_time = now_;
  transfer_tool_call_.clear();
  transfer_failure_untold_ = recall_refused_ = false;
  const bool announce =
      !transfer_to_.announcement.empty() && transfer_->requested_by != Party::kSystem && !AnswersNobody();
  announcement_ = announce ? Announcement::kDue : Announcement::kNone;
  Emit(TransferChanged{*transfer_});
  SetDeadline("announcement", options_.announcement_limit);
}

// ---- The last words ----

// What the assistant says before the transfer is heard to its end: the line is cut by it.
void Call::BeginTransferIfAnnounced() {
  if (!transfer_ || transfer_->state != TransferState::kRequested || over() || hangup_asked_ || !MediaUp()) return;
  const bool running = !running_responses_.empty();
  if (announcement_ == Announcement::kAsked && running) {
    announcement_ = Announcement::kRunning;
    SetDeadline("announcement", options_.announcement_limit);
  }
  if (!playout_.Silent(now_)) return;
  // Without a model nobody speaks but stored prompts, and nobody tells when the caller stops.
  if (ModelUsable()) {
    if (running || caller_speaking_ || announcement_ == Announcement::kAsked) return;
    const bool said = transfer_->requested_by == Party::kAssistant && response_spoke_;
    if (announcement_ == Announcement::kDue && !said) return AskForAnnouncement();
  }
  BeginTransfer();
}

void Call::AskForAnnouncement() {
  announcement_ = Announcement::kAsked;
  // A model that does not even begin to say it delays nothing for long.
  SetDeadline("announcement", std::min(options_.answer_limit, options_.announcement_limit));
  SendResponse(absl::StrCat("Say exactly this to the caller, nothing else: ", transfer_to_.announcement));
}

// ---- Dialling ----

void Call::BeginTransfer() {
  if (!transfer_ || transfer_->state != TransferState::kRequested) return;
  if (!MediaUp()) {
    SetDeadline("announcement", options_.announcement_limit);  // Until the stream is back, or the call is over.
    return;
  }
  ClearDeadline("announcement");
  announcement_ = Announcement::kNone;
  CutAssistant(Cut::kLineGone);
  MoveTo(State::kTransferring);
  DialTarget(transfer_to_.targets.front());
  command::NextStep step{command::NextStep::Kind::kDial, transfer_->transfer_id};
  for (const Destination::Target& target : transfer_to_.targets)
    step.targets.push_back({target.number, target.ring_time});
  step.whisper = transfer_to_.whisper;
  step.confirm_key = transfer_to_.confirm_key;
  sink_.Do(step);
  sink_.Do(command::TransferCarrier{transfer_->transfer_id});
}

void Call::DialTarget(const Destination::Target& target) {
  transfer_->number = target.number;
  transfer_->attempts.push_back({target.number, TransferOutcome::kPending, "", now_});
  ChangeTransfer(TransferState::kDialing, TransferOutcome::kPending, "");
  ClearDeadline("dial");
  SetDeadline("transfer_fetch", options_.transfer_fetch_limit);
}

absl::Duration Call::DialLimit() const {
  const bool key = !transfer_to_.confirm_key.empty();
  return transfer_to_.targets[CurrentTarget()].ring_time + options_.dial_limit +
         (key ? kConfirmTime : absl::ZeroDuration());
}

// The carrier fetches the new instructions once the stream is closed.
void Call::On(const input::TransferTaken& in) {
  if (IsCurrentTransfer(in.transfer_id) && transfer_->state == TransferState::kDialing)
    sink_.Do(command::CloseStream{});
}

void Call::On(const input::TransferRefused& in) {
  if (!IsCurrentTransfer(in.transfer_id) || over()) return;
  if (transfer_->state == TransferState::kDialing) {
    FailTransfer(TransferOutcome::kCarrierError, in.detail);
  } else if (return_pending_ && transfer_->outcome == TransferOutcome::kCancelled) {
    // It goes on dialling whom nobody wants any more. The end of that brings the caller back; it has an end.
    recall_refused_ = true;
    SetDeadline("stream", DialLimit() + options_.stream_limit);
  }
}

void Call::On(const input::TransferFetched& in) {
  if (!IsCurrentTransfer(in.transfer_id) || transfer_->state != TransferState::kDialing) return;
  if (in.target != CurrentTarget()) return;
  if (deadlines_.count("dial") > 0) return;  // A repeat does not stretch the limit.
  ClearDeadline("transfer_fetch");
  SetDeadline("dial", DialLimit());
}

void Call::On(const input::HumanAnswered& in) {
  if (!IsCurrentTransfer(in.transfer_id) || over() || in.target != CurrentTarget()) return;
  // The carrier would not stop the dial, and now there is somebody to be stopped.
  if (return_pending_ && std::exchange(recall_refused_, false)) {
    SetDeadline("stream", options_.stream_limit);
    sink_.Do(command::TransferCarrier{transfer_->transfer_id});
  }
  if (transfer_->state != TransferState::kDialing) return;
  ClearDeadline("transfer_fetch");
  ClearDeadline("dial");
  human_ = true;
  ChangeTransfer(TransferState::kConnected, TransferOutcome::kBridged, "");
  MoveTo(State::kTransferred);
  // The assistant's part is over. Its session could end before the humans' talk does, so it sums up now.
  if (!ModelUsable() || summary_asked_ || transcript_.empty() || !options_.summary_in_session) return;
  summary_asked_ = true;
  sink_.Do(command::RequestSummary{});
}

void Call::On(const input::TransferDone& in) {
  if (!IsCurrentTransfer(in.transfer_id) || over()) return;
  // Repeated, or late: another target is dialled, or the caller was taken back already.
  const bool connected = transfer_->state == TransferState::kConnected;
  if ((transfer_->state != TransferState::kDialing && !connected) || in.target != CurrentTarget()) return;
  if (in.outcome == TransferOutcome::kBridged) {
    if (!connected) On(input::HumanAnswered{in.transfer_id, in.target});
    ChangeTransfer(TransferState::kCompleted, TransferOutcome::kBridged, in.detail);
    // What the carrier gets as its next instructions is to hang up; its notice ends the call.
    if (!hangup_asked_) ExpectHangUp(EndReason::kNormalHangup, Party::kCallee, "the human hung up");
    return;
  }
  const size_t next = transfer_->attempts.size();
  if (TriesNext(in.outcome, connected) && next < transfer_to_.targets.size() && !hangup_asked_) {
    TransferAttempt& failed = transfer_->attempts.back();
    failed.outcome = in.outcome;
    failed.detail = in.detail;
    failed.end_time = now_;
    DialTarget(transfer_to_.targets[next]);
    return;
  }
  // Even behind HumanAnswered: better that the assistant asks once more than that the caller sits on a dead line.
  FailTransfer(in.outcome, in.detail);
}

// ---- Cancelled, failed, over ----

void Call::On(const input::TransferCancelRequested& in) {
  if (IsCurrentTransfer(in.transfer_id) && TransferPending() && !over() && !hangup_asked_)
    RecallCaller(TransferOutcome::kCancelled, "cancelled");
}

void Call::RecallCaller(TransferOutcome outcome, absl::string_view detail) {
  FailTransfer(outcome, detail);
  // A dial of which nobody hears could last for ever, and the caller's leg with it: the new instructions end it. Should
  // a human be on the line after all, without anybody having said so, the caller is better off with the assistant than
  // nowhere.
  if (return_pending_ && !over() && !hangup_asked_) sink_.Do(command::TransferCarrier{transfer_->transfer_id});
}

void Call::FailTransfer(TransferOutcome outcome, absl::string_view detail) {
  if (!transfer_ || transfer_->state == TransferState::kFailed || transfer_->state == TransferState::kCompleted) return;
  ClearDeadline("announcement");
  ClearDeadline("transfer_fetch");
  ClearDeadline("dial");
  announcement_ = Announcement::kNone;
  const bool begun = transfer_->state != TransferState::kRequested;
  ChangeTransfer(TransferState::kFailed, outcome, detail);
  if (over() || hangup_asked_) return;
  transfer_failure_untold_ = true;
  if (!begun) {
    // The caller has not left the assistant.
    session_.given_up ? GiveUpOnModel() : TellTransferFailed();
    return;
  }
  return_pending_ = true;
  if (stream_open_) {
    // It was never closed, or is there again: the caller is on it.
    MoveTo(State::kInProgress);
    ReturnToAssistant();
    return;
  }
  sink_.Do(command::NextStep{});
  SetDeadline("stream", options_.stream_limit);
}

void Call::ReturnToAssistant() {
  return_pending_ = false;
  human_ = false;
  sink_.Do(command::NextStep{});
  Emit(CallerReturned{transfer_->transfer_id});
  session_.given_up ? GiveUpOnModel() : TellTransferFailed();
}

void Call::TellTransferFailed() {
  if (!std::exchange(transfer_failure_untold_, false)) return;
  const std::string to = transfer_->destination.empty() ? "" : absl::StrCat(" to ", transfer_->destination);
  const bool cancelled = transfer_->outcome == TransferOutcome::kCancelled;
  std::string message = cancelled ? absl::StrCat("The transfer", to, " was cancelled.")
                                  : absl::StrCat("The transfer", to, " failed: ", WhyFailed(*transfer_), ".");
  absl::StrAppend(&message,
                  transfer_->attempts.empty() ? " You still talk to the caller." : " The caller is on the line again.");
  if (!cancelled && !transfer_to_.failure_text.empty())
    absl::StrAppend(&message, " Say to them: ", transfer_to_.failure_text);
  if (transfer_tool_call_.empty()) {
    TellModel(message);
  } else {
    AnswerTool(std::exchange(transfer_tool_call_, ""), "transfer_call", false, message);
  }
  RequestResponse();
}

void Call::ChangeTransfer(TransferState state, TransferOutcome outcome, absl::string_view detail) {
  transfer_->state = state;
  transfer_->outcome = outcome;
  transfer_->detail = std::string(detail);
  const bool over = state == TransferState::kCompleted || state == TransferState::kFailed;
  if (state == TransferState::kConnected) transfer_->connect_time = now_;
  if (over) transfer_->end_time = now_;
  if (!transfer_->attempts.empty()) {
    TransferAttempt& last = transfer_->attempts.back();
    last.outcome = outcome;
    last.detail = transfer_->detail;
    if (over) last.end_time = now_;
  }
  Emit(TransferChanged{*transfer_});
}

void Call::SettleTransfer(const EndFacts& facts) {
  if (!transfer_) return;
  if (transfer_->state == TransferState::kConnected)
    return ChangeTransfer(TransferState::kCompleted, TransferOutcome::kBridged, facts.evidence);
  if (!TransferPending()) return;
  const bool left = facts.reason == EndReason::kNormalHangup || facts.reason == EndReason::kCallerCancelled;
  ChangeTransfer(TransferState::kFailed,
                 hangup_asked_ ? TransferOutcome::kCancelled
                 : left        ? TransferOutcome::kCallerLeft
                               : TransferOutcome::kCarrierError,
                 facts.evidence);
}

}  // namespace callbridge::call
