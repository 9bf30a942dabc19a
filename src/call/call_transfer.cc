#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/call/call.h"

// How a call hands its caller to a human, and takes them back when nobody picks up.
//
//   kRequested --last words heard--> kDialing --human answers--> kConnected --hangs up--> kCompleted
//        \------------- refused, busy, no answer, time-out ----> kFailed: the caller returns to the assistant
namespace callbridge::call {

bool Call::TransferPending() const {
  return transfer_ && (transfer_->state == TransferState::kRequested || transfer_->state == TransferState::kDialing);
}

bool Call::IsCurrentTransfer(absl::string_view transfer_id) const {
  return transfer_ && transfer_->transfer_id == transfer_id;
}

std::string Call::TransferProblem(absl::string_view destination) const {
  if (options_.destinations.count(std::string(destination)) == 0) {
    const auto key = [](std::string* out, const auto& entry) { out->append(entry.first); };
    return absl::StrCat("no destination '", destination,
                        "'; there are: ", absl::StrJoin(options_.destinations, ", ", key));
  }
  if (over() || hangup_asked_) return "the call is over";
  if (TransferPending() || state_ == State::kTransferred) return "a transfer is under way";
  if (!MediaUp()) return "caller and assistant are not connected";
  return "";
}

void Call::On(const input::TransferAsked& in) {
  if (over()) return;
  Emit(ToolCalled{in.tool_call_id, "transfer_call", in.arguments});
  const std::string problem = TransferProblem(in.destination);
  if (!problem.empty()) {
    On(input::ToolRefused{in.tool_call_id, "transfer_call", problem});
    return;
  }
  AcceptTransfer(in.transfer_id, in.destination, in.reason, Party::kAssistant, in.tool_call_id);
}

void Call::On(const input::TransferRequested& in) {
  if (!TransferProblem(in.destination).empty()) return;
  AcceptTransfer(in.transfer_id, in.destination, in.reason, Party::kApi, "");
}

void Call::On(const input::TransferCancelRequested&) {}

void Call::AcceptTransfer(absl::string_view transfer_id, absl::string_view destination, absl::string_view reason,
                          Party by, absl::string_view tool_call_id) {
  transfer_.emplace();
  transfer_->transfer_id = std::string(transfer_id);
  transfer_->destination = std::string(destination);
  transfer_->number = options_.destinations.at(std::string(destination)).targets.front().number;
  transfer_->reason = std::string(reason);
  transfer_->requested_by = by;
  transfer_->request_time = now_;
  transfer_tool_call_ = std::string(tool_call_id);
  return_reason_.clear();
  Emit(TransferChanged{*transfer_});
  SetDeadline("announcement", options_.announcement_limit);
}

void Call::ChangeTransfer(TransferState state, TransferOutcome outcome, absl::string_view detail) {
  transfer_->state = state;
  transfer_->outcome = outcome;
  transfer_->detail = std::string(detail);
  if (state == TransferState::kConnected) transfer_->connect_time = now_;
  if (state == TransferState::kCompleted || state == TransferState::kFailed) transfer_->end_time = now_;
  Emit(TransferChanged{*transfer_});
}

// What the assistant says before the transfer is heard to its end: the line is cut by it.
void Call::BeginTransferIfAnnounced() {
  if (!transfer_ || transfer_->state != TransferState::kRequested || over() || hangup_asked_) return;
  if (running_responses_.empty() && playout_.Silent(now_) && !caller_speaking_) BeginTransfer();
}

void Call::BeginTransfer() {
  if (!transfer_ || transfer_->state != TransferState::kRequested || !MediaUp()) return;
  ClearDeadline("announcement");
  CutAssistant(Cut::kLineGone);
  MoveTo(State::kTransferring);
  ChangeTransfer(TransferState::kDialing, TransferOutcome::kPending, "");
  SetDeadline("transfer_fetch", options_.transfer_fetch_limit);
  command::NextStep step{command::NextStep::Kind::kDial, transfer_->transfer_id};
  for (const auto& target : options_.destinations.at(transfer_->destination).targets)
    step.targets.push_back({target.number, target.ring_time});
  sink_.Do(step);
  sink_.Do(command::TransferCarrier{transfer_->transfer_id});
}

// The carrier fetches the new instructions once the stream is closed.
void Call::On(const input::TransferTaken& in) {
  if (IsCurrentTransfer(in.transfer_id) && transfer_->state == TransferState::kDialing)
    sink_.Do(command::CloseStream{});
}

void Call::On(const input::TransferRefused& in) {
  if (!IsCurrentTransfer(in.transfer_id) || transfer_->state != TransferState::kDialing) return;
  FailTransfer(TransferOutcome::kCarrierError, in.detail);
}

void Call::On(const input::TransferFetched& in) {
  if (!IsCurrentTransfer(in.transfer_id) || transfer_->state != TransferState::kDialing) return;
  if (deadlines_.count("dial") > 0) return;  // A repeat does not stretch the limit.
  ClearDeadline("transfer_fetch");
  SetDeadline("dial", options_.dial_limit);
}

void Call::On(const input::HumanAnswered& in) {
  if (!IsCurrentTransfer(in.transfer_id) || transfer_->state != TransferState::kDialing || over()) return;
  ClearDeadline("transfer_fetch");
  ClearDeadline("dial");
  human_ = true;
  ChangeTransfer(TransferState::kConnected, TransferOutcome::kBridged, "");
  MoveTo(State::kTransferred);
  // The assistant's part is over. Its session could end before the humans' talk does, so it sums up now.
  if (!ModelUsable() || summary_asked_ || transcript_.empty()) return;
  summary_asked_ = true;
  sink_.Do(command::RequestSummary{});
}

void Call::On(const input::TransferDone& in) {
  if (!IsCurrentTransfer(in.transfer_id) || over()) return;
  // Repeated, or late: the caller was taken back already.
  if (transfer_->state != TransferState::kDialing && transfer_->state != TransferState::kConnected) return;
  if (in.outcome == TransferOutcome::kBridged) {
    if (transfer_->state == TransferState::kDialing) On(input::HumanAnswered{in.transfer_id});
    ChangeTransfer(TransferState::kCompleted, TransferOutcome::kBridged, in.detail);
    // What the carrier gets as its next instructions is to hang up; its notice ends the call.
    if (!hangup_asked_) ExpectHangUp(EndReason::kNormalHangup, Party::kCallee, "the human hung up");
    return;
  }
  // Even behind HumanAnswered: better that the assistant asks once more than that the caller sits on a dead line.
  FailTransfer(in.outcome, in.detail);
}

void Call::FailTransfer(TransferOutcome outcome, absl::string_view detail) {
  if (!transfer_ || transfer_->state == TransferState::kFailed || transfer_->state == TransferState::kCompleted) return;
  ClearDeadline("announcement");
  ClearDeadline("transfer_fetch");
  ClearDeadline("dial");
  ChangeTransfer(TransferState::kFailed, outcome, detail);
  return_reason_ = absl::StrCat(Name(outcome), detail.empty() ? "" : ": ", detail);
  if (over() || hangup_asked_) return;
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
  if (session_.given_up) {
    OnTransferFailedWithoutModel();
    return;
  }
  const std::string message = absl::StrCat("The transfer to ", transfer_->destination, " failed (", return_reason_,
                                           "). The caller is on the line again.");
  if (transfer_tool_call_.empty()) {
    TellModel(message);
  } else {
    AnswerTool(std::exchange(transfer_tool_call_, ""), "transfer_call", false, message);
  }
  RequestResponse();
}

}  // namespace callbridge::call
