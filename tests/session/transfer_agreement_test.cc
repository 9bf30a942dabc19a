// Two places decide which target of a transfer is dialled next: the call, and NextSteps, which answers the carrier
// before the call has heard. Whatever the carrier reports, in whatever order, they must come to the same.

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/call/call.h"
#include "src/session/next_steps.h"

namespace callbridge::session {
namespace {

namespace command = call::command;
namespace input = call::input;
using call::TransferOutcome;
using Kind = Instructions::Kind;
using Progress = FrontDesk::DialProgress;

const absl::Time kBegin = absl::FromUnixSeconds(1'700'000'000);
constexpr int kTargets = 4;

class Sink final : public call::CommandSink {
 public:
  void AudioToModel(absl::string_view) override {}
  void AudioToCarrier(absl::string_view) override {}
  void Do(const command::Command& command) override {
    if (const auto* step = std::get_if<command::NextStep>(&command)) steps.push_back(*step);
  }
  void Record(call::Event) override {}

  std::vector<command::NextStep> steps;  // Not yet taken over by NextSteps.
};

call::CallOptions Options(bool key) {
  call::CallOptions options;
  options.call_id = "c";
  call::Destination& sales = options.destinations["sales"];
  for (int i = 0; i < kTargets; ++i) sales.targets.push_back({absl::StrCat("+1555011", i), absl::Seconds(20)});
  if (key) sales.confirm_key = "1";
  return options;
}

// The call a moment behind its front desk, as on its loop.
class Both {
 public:
  explicit Both(bool key) : call_(Options(key), sink_) {
    call_.Begin(kBegin);
    Feed(input::StreamOpened{"s1"});
    Feed(input::TransferRequested{"x1", "sales", "", ""});
    Feed(input::ModelCreated{"m", "m"});
    Feed(input::ModelConfigured{});
    CatchUp();
    Feed(input::TransferTaken{"x1"});
    Feed(input::StreamClosed{});
  }

  void Report(int64_t target, int what) {
    static constexpr TransferOutcome kOutcomes[] = {TransferOutcome::kBusy,          TransferOutcome::kNoAnswer,
                                                    TransferOutcome::kRejected,      TransferOutcome::kCarrierError,
                                                    TransferOutcome::kInvalidTarget, TransferOutcome::kBridged,
                                                    TransferOutcome::kUnknown,       TransferOutcome::kCancelled};
    const FrontDesk::DialRef dial{"t", "x1", target};
    if (what < 8) {
      const TransferOutcome outcome = steps.OnDone(dial, kOutcomes[what]);
      waiting_.push_back(input::TransferDone{"x1", target, outcome, ""});
    } else if (what == 8 || what == 9) {
      if (steps.OnProgress(dial, what == 8 ? Progress::kPickedUp : Progress::kConnected))
        waiting_.push_back(input::HumanAnswered{"x1", target});
    } else if (what == 10) {
      steps.OnProgress(dial, Progress::kNotConfirmed);
    }
    if (steps.kind() == Kind::kDial) waiting_.push_back(input::TransferFetched{"x1", steps.target_number()});
  }

  // The loop comes round.
  void CatchUp() {
    for (; !waiting_.empty(); waiting_.pop_front()) Feed(waiting_.front());
    for (const command::NextStep& step : sink_.steps) steps.Set(step);
    sink_.steps.clear();
  }

  int64_t dialled() const { return static_cast<int64_t>(call_.transfer()->attempts.size()) - 1; }
  const call::Transfer& transfer() const { return *call_.transfer(); }

  NextSteps steps;

 private:
  void Feed(const input::Input& input) { call_.On(input, kBegin); }

  Sink sink_;
  call::Call call_;
  std::deque<input::Input> waiting_;
};

Kind WantedBy(const call::Transfer& transfer) {
  switch (transfer.state) {
    case call::TransferState::kDialing:
    case call::TransferState::kConnected: return Kind::kDial;
    case call::TransferState::kCompleted: return Kind::kHangUp;
    default: return Kind::kStream;
  }
}

TEST(TransferAgreementTest, CallAndFrontDeskAgreeAfterAnyReports) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 random(seed);
    const auto draw = [&random](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    Both both(seed % 2 == 1);
    ASSERT_EQ(both.steps.kind(), Kind::kDial);
    for (int i = 0; i < 12; ++i) {
      // Mostly about the target whose turn it is; the rest are repeats and nonsense.
      const int64_t target = draw(3) > 0 ? both.steps.target_number() : draw(kTargets);
      const Kind before = both.steps.kind();
      both.Report(target, draw(11));
      const Kind answered = both.steps.kind();
      if (draw(3) == 0) continue;  // Another report comes before the loop does.
      both.CatchUp();
      ASSERT_EQ(both.steps.kind(), WantedBy(both.transfer())) << Name(both.transfer().state);
      if (before == Kind::kDial) {
        ASSERT_EQ(both.steps.kind(), answered) << "what the carrier was told holds";
      }
      if (both.steps.kind() == Kind::kDial) {
        ASSERT_EQ(both.steps.target_number(), both.dialled());
      }
    }
  }
}

}  // namespace
}  // namespace callbridge::session
