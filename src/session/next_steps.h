#ifndef CALLBRIDGE_SRC_SESSION_NEXT_STEPS_H_
#define CALLBRIDGE_SRC_SESSION_NEXT_STEPS_H_

#include <cstddef>
#include <string>

#include "src/call/command.h"
#include "src/call/types.h"
#include "src/session/front_desk.h"

namespace callbridge::session {

// What the carrier is told when it asks next about one call. The call says it (command::NextStep); of a transfer's
// targets it says all at once, and they are given out here one after the other as the carrier reports that a dial is
// over: with the rule that the call itself goes by (call/transfer_rules.h), so that neither has to wait for the other.
//
// Every report names its target. One that is repeated, or comes after the next target's turn, changes nothing. Pure;
// its owner guards it.
class NextSteps {
 public:
  void Set(const call::command::NextStep& step);

  Instructions::Kind kind() const { return kind_; }
  const std::string& transfer_id() const { return dial_.transfer_id; }
  const std::string& whisper() const { return dial_.whisper; }
  const std::string& confirm_key() const { return dial_.confirm_key; }
  // Of what is being dialled; only with kDial.
  const call::command::NextStep::Target& target() const { return dial_.targets[index_]; }
  int64_t target_number() const { return dial_.first_target + static_cast<int64_t>(index_); }

  // Something happened during a dial. True: a human has the caller now. Where a key is wanted, picking up is not yet
  // that.
  bool OnProgress(const FrontDesk::DialRef& dial, FrontDesk::DialProgress what);

  // A dial is over; moves on. What came of it, which can be less than the carrier believes: one who picked up and never
  // pressed the key was not reached (kRejected).
  call::TransferOutcome OnDone(const FrontDesk::DialRef& dial, call::TransferOutcome outcome);

 private:
  bool IsCurrent(const FrontDesk::DialRef& dial) const;

  Instructions::Kind kind_ = Instructions::Kind::kStream;
  call::command::NextStep dial_;  // The last transfer's; no targets before the first one.
  size_t index_ = 0;
  bool answered_ = false;       // A human has, or had, the caller.
  bool not_confirmed_ = false;  // Somebody picked up and did not press the key.
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_NEXT_STEPS_H_
