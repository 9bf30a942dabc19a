#include "src/session/next_steps.h"

#include "src/call/transfer_rules.h"

namespace callbridge::session {

using call::TransferOutcome;
using Kind = Instructions::Kind;

void NextSteps::Set(const call::command::NextStep& step) {
  using StepKind = call::command::NextStep::Kind;
  kind_ = step.kind == StepKind::kStream ? Kind::kStream : step.kind == StepKind::kDial ? Kind::kDial : Kind::kHangUp;
  if (kind_ != Kind::kDial) return;
  dial_ = step;
  index_ = 0;
  answered_ = not_confirmed_ = false;
}

bool NextSteps::IsCurrent(const FrontDesk::DialRef& dial) const {
  return !dial_.targets.empty() && dial.transfer_id == dial_.transfer_id && dial.target == target_number();
}

bool NextSteps::OnProgress(const FrontDesk::DialRef& dial, FrontDesk::DialProgress what) {
  if (!IsCurrent(dial)) return false;
  if (what == FrontDesk::DialProgress::kNotConfirmed) {
    not_confirmed_ = true;
    return false;
  }
  if (what == FrontDesk::DialProgress::kPickedUp && !dial_.confirm_key.empty()) return false;
  answered_ = true;
  return true;
}

TransferOutcome NextSteps::OnDone(const FrontDesk::DialRef& dial, TransferOutcome outcome) {
  if (!IsCurrent(dial)) return outcome;
  // The carrier's notice that the key was missing can come later than the end, or not at all.
  const bool unconfirmed = !dial_.confirm_key.empty() && !answered_ && outcome == TransferOutcome::kBridged;
  if (not_confirmed_ || unconfirmed) outcome = TransferOutcome::kRejected;
  if (kind_ != Kind::kDial) return outcome;
  if (outcome == TransferOutcome::kBridged) {
    kind_ = Kind::kHangUp;
  } else if (call::TriesNext(outcome, answered_) && index_ + 1 < dial_.targets.size()) {
    ++index_;
    answered_ = not_confirmed_ = false;
  } else {
    kind_ = Kind::kStream;
  }
  return outcome;
}

}  // namespace callbridge::session
