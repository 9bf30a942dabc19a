#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/call/scenario_runner.h"

// Each fault at each state of a call: whatever breaks, the call ends once, with a reason, a whole record and nothing
// left to wait for; either because somebody hangs up or, if nobody ever says another word, by its own limits.
namespace callbridge::call {
namespace {

struct Row {
  const char* name;
  const char* lines;
};

const std::vector<Row> kStates = {
    {"Dialing", "option outbound\n"},
    {"DialAccepted", "option outbound\ndial_accepted request_id=q\n"},
    {"Ringing", "option outbound\ndial_accepted request_id=q\nrang carrier_call_id=c\n"},
    {"RingingModelReady", "option outbound\ndial_accepted\nrang carrier_call_id=c\nsession m1\n"},
    {"AnsweredNoStream", "+100\n"},
    {"AnsweredModelReady", "session m1\n"},
    {"StreamNoModel", "stream_opened stream_id=s1\nframes 3\n"},
    {"GreetingAsked", "ready\n"},
    {"GreetingSounds", "ready\nresponse_started response_id=r1\naudio r1 a1 3000\n+500\n"},
    {"GreetingSaidAndSounding", "ready\nsay r1 a1 3000 Good morning to you\n+500\n"},
    {"Listening", "ready\nsay r1 a1 300 Hello.\n+1000\n"},
    {"CallerSpeaks", "ready\nsay r1 a1 300 Hello.\n+1000 speech_started item_id=u1\nframes 5\n"},
    {"TurnUnanswered", "ready\nsay r1 a1 300 Hello.\n+1000 turn u1 Help me.\nresponse_started response_id=r2\n+100\n"},
    {"BargedIn", "ready\nresponse_started response_id=r1\naudio r1 a1 3000\n+900 speech_started item_id=u1\n+20\n"},
    {"Paused", "option reversible\nready\nsay r1 a1 3000 Good morning to you\n+500 speech_started item_id=u1\n+100\n"},
    {"ToolRuns",
     "ready\nsay r1 a1 300 Hello.\n+1000 turn u1 Find it.\nresponse_started response_id=r2\n"
     "tool_asked tool_call_id=t1 name=lookup\nresponse_ended response_id=r2 status=completed\n+100\n"},
    {"SayingGoodbye",
     "ready\nresponse_started response_id=r1\naudio r1 a1 3000\nend_asked tool_call_id=t1\n"
     "response_ended response_id=r1 status=completed\n+500\n"},
    {"TransferAnnounced",
     "ready\nresponse_started response_id=r1\naudio r1 a1 3000\n"
     "transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales\n+500\n"},
    {"TransferDialing",
     "ready\nsay r1 a1 300 Hello.\n+1000 transfer_requested transfer_id=x1 destination=sales\n"
     "transfer_taken transfer_id=x1\nstream_closed clean=true\ntransfer_fetched transfer_id=x1\n"},
    {"Transferred",
     "ready\nsay r1 a1 300 Hello.\n+1000 transfer_requested transfer_id=x1 destination=sales\n"
     "transfer_taken transfer_id=x1\nstream_closed clean=true\ntransfer_fetched transfer_id=x1\n"
     "human_answered transfer_id=x1\n+1000\n"},
    {"StreamLost", "ready\nsay r1 a1 3000 Good morning\n+500 stream_closed clean=false detail=1006\n+100\n"},
    {"ModelReopening", "ready\nsay r1 a1 300 Hello.\n+1000 model_closed reason=model_session_lost\n+100\n"},
};

const std::vector<Row> kFaults = {
    {"StreamDropped", "stream_closed clean=false detail=\"close code 1006\"\n"},
    {"StreamClosed", "stream_closed clean=true detail=stop\n"},
    {"StreamReplaced", "stream_opened stream_id=s9\n"},
    {"StreamStalled", "acks off\n+15000\n"},
    {"ModelDropped", "model_closed reason=model_session_lost detail=\"close code 1006\"\n"},
    {"ModelExpired", "model_error code=session_expired\nmodel_closed reason=model_session_lost detail=1001\n"},
    {"ModelRefused", "model_closed reason=model_refused detail=\"401\"\n"},
    {"ModelQuota", "model_error code=insufficient_quota fatal=true reason=model_quota\n"},
    {"ModelStalled", "+20000\n"},
    {"ModelDroppedForGood",
     "model_closed reason=model_session_lost\n+300 model_closed reason=model_unavailable\n"
     "+600 model_closed reason=model_unavailable\n+1200 model_closed reason=model_unavailable\n"},
    {"ModelHarmlessError", "model_error code=response_cancel_not_active message=none\n"},
    {"ResponseRateLimited",
     "response_ended response_id=r1 status=failed code=rate_limit_exceeded\n"
     "response_ended response_id=r2 status=failed code=rate_limit_exceeded\n"},
    {"ResponsesFailForEver",
     "response_ended response_id=r8 status=failed\nresponse_ended response_id=r8 status=failed\n"
     "response_ended response_id=r8 status=failed\nresponse_ended response_id=r8 status=failed\n"},
    {"CarrierRefusesTheTransfer", "transfer_refused transfer_id=x1 detail=404\n"},
    {"CallbacksTwiceAndReordered",
     "transfer_done transfer_id=x1 outcome=busy\ntransfer_fetched transfer_id=x1\n"
     "transfer_done transfer_id=x1 outcome=busy\nanswered\nrang\nanswered\n"},
    {"Machine", "machine_detected detail=late\n"},
    {"ToolFailed", "tool_finished tool_call_id=t1 ok=false output=down\n"},
    {"Drain", "end_requested reason=server_drain\n"},
};

std::string NameOf(const testing::TestParamInfo<std::tuple<size_t, size_t>>& info) {
  return absl::StrCat(kFaults[std::get<1>(info.param)].name, "When", kStates[std::get<0>(info.param)].name);
}

class FaultMatrixTest : public testing::TestWithParam<std::tuple<size_t, size_t>> {
 protected:
  std::string ScriptText() const {
    return absl::StrCat("option goodbye_prompt=600\noption hold_prompt=400\n", kStates[std::get<0>(GetParam())].lines,
                        kFaults[std::get<1>(GetParam())].lines);
  }

  void Run(ScenarioRunner& runner) const {
    for (const ScriptStep& step : ReadScript(ScriptText()).steps) runner.Do(step, false);
  }

  static void ExpectOrderlyEnd(const ScenarioRunner& runner) {
    EXPECT_TRUE(runner.finished());
    EXPECT_EQ(runner.Count("call_ended"), 1);
    EXPECT_EQ(runner.Count("call_ended reason=internal_error"), 0);
    EXPECT_GE(runner.Count("close_model"), 1);
    EXPECT_EQ(runner.call().next_deadline(), absl::InfiniteFuture());
    // No transfer is left under way.
    if (runner.call().transfer()) {
      const TransferState state = runner.call().transfer()->state;
      EXPECT_TRUE(state == TransferState::kCompleted || state == TransferState::kFailed);
      for (const TransferAttempt& attempt : runner.call().transfer()->attempts) {
        EXPECT_NE(attempt.outcome, TransferOutcome::kPending);
      }
    }
    // Each item of the transcript is settled, and was told.
    for (const TranscriptItem& item : runner.call().transcript().Items()) {
      EXPECT_NE(item.status, ItemStatus::kInProgress) << item.item_id;
      EXPECT_GE(runner.Count(absl::StrCat("transcript_item_final item_id=", item.item_id)), 1) << item.item_id;
    }
    // Tools that were called have their answers, or died with the call.
    EXPECT_LE(runner.Count("tool_answered"), runner.Count("tool_called"));
    if (HasFailure()) ADD_FAILURE() << runner.Timeline();
  }
};

TEST_P(FaultMatrixTest, EndsWhenTheCallerGivesUp) {
  ScenarioRunner runner(ReadScript(ScriptText()));
  Run(runner);
  runner.AdvanceTo(runner.now_ms() + 5000);
  runner.Feed(input::HungUp{EndReason::kNormalHangup, Party::kCaller, "4000"});
  EXPECT_TRUE(runner.call().over());
  runner.AdvanceTo(runner.now_ms() + 60'000);
  ExpectOrderlyEnd(runner);
}

TEST_P(FaultMatrixTest, EndsByItselfWhenNobodySaysAnotherWord) {
  ScenarioRunner runner(ReadScript(ScriptText()));
  Run(runner);
  runner.AdvanceTo(runner.now_ms() + 40 * 60'000);
  ExpectOrderlyEnd(runner);
}

INSTANTIATE_TEST_SUITE_P(All, FaultMatrixTest,
                         testing::Combine(testing::Range<size_t>(0, kStates.size()),
                                          testing::Range<size_t>(0, kFaults.size())),
                         NameOf);

}  // namespace
}  // namespace callbridge::call
