#include "src/sim/carrier_dial.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

class Dialled final : public CarrierDial::Owner {
 public:
  Dialled(const std::map<std::string, std::string>& attributes, const std::map<std::string, Pickup>& phones) {
    XmlElement element;
    element.attributes = attributes;
    for (const auto& [number, pickup] : phones) {
      XmlElement child;
      child.text = number;
      element.children.push_back(child);
    }
    dial = std::make_unique<CarrierDial>(
        element, "a-leg", "14155550100", [phones](const std::string& number) { return phones.at(number); }, kStart,
        *this);
  }
  void RunTo(int ms) {
    for (; at_ < ms; at_ += 20) dial->Tick(kStart + absl::Milliseconds(at_ + 20));
  }
  void OnDialStep(const std::string&) override {}
  void OnDialProgress(const Params& params) override {
    progress.push_back(absl::StrCat(Find(params, "DialAction"), " ", Find(params, "DialBLegTo"), " ",
                                    Find(params, "DialBLegHangupCauseCode")));
    last_progress = params;
  }
  void OnDialWhisper(const std::string& url) override { whispers.push_back(url); }
  void OnDialDone(const Params& params) override { done.push_back(params); }

  std::string status() const { return done.empty() ? "" : std::string(Find(done[0], "DialStatus")); }

  std::unique_ptr<CarrierDial> dial;
  std::vector<std::string> progress;
  Params last_progress;
  std::vector<std::string> whispers;
  std::vector<Params> done;

 private:
  int at_ = 0;
};

Pickup Phone(Pickup::Kind kind, int after_ms, int talk_ms = 2000) {
  Pickup pickup;
  pickup.kind = kind;
  pickup.after = absl::Milliseconds(after_ms);
  pickup.talk = absl::Milliseconds(talk_ms);
  return pickup;
}

struct Outcome {
  const char* name;
  Pickup::Kind kind;
  const char* status;
  const char* cause;
  const char* rang;
};

class OutcomeTest : public testing::TestWithParam<Outcome> {};

TEST_P(OutcomeTest, IsToldToTheAction) {
  Dialled dialled({}, {{"1", Phone(GetParam().kind, 300, 500)}});
  dialled.RunTo(280);
  EXPECT_THAT(dialled.done, IsEmpty());
  dialled.RunTo(5000);
  ASSERT_EQ(dialled.done.size(), 1u);
  EXPECT_EQ(dialled.status(), GetParam().status);
  EXPECT_EQ(Find(dialled.done[0], "DialHangupCause"), GetParam().cause);
  EXPECT_EQ(Find(dialled.done[0], "DialRingStatus"), GetParam().rang);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OutcomeTest,
    testing::Values(Outcome{"Answer", Pickup::Kind::kAnswer, "completed", "NORMAL_CLEARING", "true"},
                    Outcome{"Busy", Pickup::Kind::kBusy, "busy", "USER_BUSY", "true"},
                    Outcome{"NoAnswer", Pickup::Kind::kNoAnswer, "no-answer", "NO_ANSWER", "true"},
                    Outcome{"Reject", Pickup::Kind::kReject, "failed", "CALL_REJECTED", "true"},
                    Outcome{"Invalid", Pickup::Kind::kInvalidNumber, "failed", "UNALLOCATED_NUMBER", "false"},
                    Outcome{"Carrier", Pickup::Kind::kCarrierError, "failed", "NETWORK_OUT_OF_ORDER", "false"}),
    [](const testing::TestParamInfo<Outcome>& info) { return info.param.name; });

TEST(CarrierDialTest, TheTimeoutEndsTheRinging) {
  Dialled dialled({{"timeout", "1"}}, {{"1", Phone(Pickup::Kind::kAnswer, 5000)}});
  dialled.RunTo(980);
  EXPECT_THAT(dialled.done, IsEmpty());
  dialled.RunTo(1020);
  EXPECT_EQ(dialled.status(), "timeout");
  EXPECT_THAT(dialled.progress, ElementsAre("hangup 1 6010"));
}

TEST(CarrierDialTest, TheFirstToAnswerWins) {
  Dialled dialled({}, {{"1", Phone(Pickup::Kind::kAnswer, 600)}, {"2", Phone(Pickup::Kind::kAnswer, 300, 1500)}});
  dialled.RunTo(1000);
  EXPECT_TRUE(dialled.dial->connected());
  EXPECT_THAT(dialled.progress, ElementsAre("hangup 1 9000", "answer 2 ", "connected 2 "));
  dialled.RunTo(3000);
  EXPECT_EQ(dialled.status(), "completed");
  EXPECT_EQ(Find(dialled.last_progress, "DialBLegDuration"), "2");
  EXPECT_EQ(Find(dialled.last_progress, "DialBLegBillDuration"), "60");
}

// 20 ms a tick; the whisper takes 400 ms from when it was fetched, at once.
struct Confirm {
  const char* name;
  const char* wanted;
  const char* pressed;
  const char* status;
  std::vector<std::string> progress;
};

TEST(CarrierDialTest, TheHumanHearsAndPressesBeforeBeingConnected) {
  const Confirm rows[] = {
      {"pressed", "1", "1", "completed", {"answer 1 ", "connected 1 ", "hangup 1 4000"}},
      {"only heard", "", "", "completed", {"answer 1 ", "connected 1 ", "hangup 1 4000"}},
      {"not pressed", "1", "", "failed", {"answer 1 ", "hangup 1 9110"}},
      {"another key", "1", "2", "failed", {"answer 1 ", "hangup 1 9110"}},
  };
  for (const Confirm& row : rows) {
    SCOPED_TRACE(row.name);
    Pickup phone = Phone(Pickup::Kind::kAnswer, 300);
    phone.press = row.pressed;
    Dialled dialled({{"confirmSound", "https://h/w"}, {"confirmKey", row.wanted}, {"confirmTimeout", "2"}},
                    {{"1", phone}});
    dialled.RunTo(320);
    EXPECT_THAT(dialled.whispers, ElementsAre("https://h/w"));
    dialled.dial->OnWhisper(absl::Milliseconds(400), kStart + absl::Milliseconds(320));
    dialled.RunTo(700);
    EXPECT_THAT(dialled.progress, ElementsAre("answer 1 ")) << "not before it was heard";
    EXPECT_FALSE(dialled.dial->connected());
    dialled.RunTo(9000);
    EXPECT_EQ(dialled.progress, row.progress);
    EXPECT_EQ(dialled.status(), row.status);
  }
}

TEST(CarrierDialTest, TheTimeLimitEndsTheTalk) {
  Dialled dialled({{"timeLimit", "1"}}, {{"1", Phone(Pickup::Kind::kAnswer, 100, 60000)}});
  dialled.RunTo(1200);
  EXPECT_EQ(dialled.status(), "completed");
  EXPECT_EQ(dialled.progress.back(), "hangup 1 6000");
}

TEST(CarrierDialTest, AnAbandonedDialTellsOfItsLegsOnly) {
  Dialled dialled({}, {{"1", Phone(Pickup::Kind::kAnswer, 100, 60000)}});
  dialled.RunTo(300);
  dialled.dial->Abandon(kStart + absl::Milliseconds(300));
  dialled.RunTo(1000);
  EXPECT_EQ(dialled.progress.back(), "hangup 1 4000");
  EXPECT_THAT(dialled.done, IsEmpty());
}

}  // namespace
}  // namespace callbridge::sim
