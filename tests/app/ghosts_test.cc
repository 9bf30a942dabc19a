#include "src/app/ghosts.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::app {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class GhostsTest : public ::testing::Test {
 protected:
  GhostsTest() { base::SetLogEnabled(false); }

  void Add(const std::string& id, call::State state, const std::string& carrier_call_id) {
    store::CallRecord call;
    call.call_id = id;
    call.state = state;
    call.carrier_call_id = carrier_call_id;
    call.create_time = base::SystemClock().Now() - absl::Minutes(1);
    ASSERT_TRUE(store_.CreateCall(call, {{id, 1, call.create_time, call::CallCreated{}}}, absl::nullopt).ok());
  }
  absl::Status Close() {
    hung_up_.clear();
    return CloseGhosts(store_, /*summaries_due=*/false,
                       [this](const std::string& call_id, const std::string& carrier_call_id) {
                         hung_up_.push_back(absl::StrCat(call_id, "=", carrier_call_id));
                       });
  }

  store::MemoryCallStore store_;
  std::vector<std::string> hung_up_;
};

TEST_F(GhostsTest, WhatWasLeftOpenIsClosedAndHungUp) {
  Add("open", call::State::kInProgress, "carrier-1");
  Add("ringing", call::State::kRinging, "");
  Add("over", call::State::kCompleted, "carrier-2");
  ASSERT_TRUE(Close().ok());
  EXPECT_THAT(hung_up_, UnorderedElementsAre("open=carrier-1", "ringing="));
  EXPECT_EQ(store_.GetCall("open")->state, call::State::kFailed);
  EXPECT_EQ(store_.GetCall("open")->termination->reason, call::EndReason::kProcessLost);
  EXPECT_EQ(store_.GetCall("over")->state, call::State::kCompleted);
}

TEST_F(GhostsTest, TheNextStartHangsUpOnceMore) {
  Add("open", call::State::kInProgress, "carrier-1");
  ASSERT_TRUE(Close().ok());
  ASSERT_TRUE(Close().ok());
  EXPECT_THAT(hung_up_, UnorderedElementsAre("open=carrier-1")) << "the one before may have died first";
}

TEST_F(GhostsTest, NothingIsLeftOfAnOrderlyEnd) {
  Add("over", call::State::kCompleted, "carrier-2");
  ASSERT_TRUE(Close().ok());
  EXPECT_THAT(hung_up_, IsEmpty());
}

}  // namespace
}  // namespace callbridge::app
