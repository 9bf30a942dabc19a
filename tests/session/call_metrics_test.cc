#include "src/session/call_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace callbridge::session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

void Observe(CallMetrics& metrics, call::EventBody body) {
  metrics.Observe({"c1", 1, absl::FromUnixSeconds(1'700'000'000), std::move(body)});
}

call::EventBody Ended(call::EndReason reason) {
  call::CallEnded ended;
  ended.termination.reason = reason;
  return ended;
}

call::EventBody Transferred(call::TransferState state, call::TransferOutcome outcome) {
  call::Transfer transfer;
  transfer.state = state;
  transfer.outcome = outcome;
  return call::TransferChanged{transfer};
}

struct Row {
  const char* name;
  call::EventBody body;
  const char* line;  // What it makes of a fresh set.
};

const std::vector<Row>& Rows() {
  using call::TransferOutcome;
  using call::TransferState;
  static const auto& kRows = *new std::vector<Row>{
      {"commit", call::TurnMeasured{"i", 150, -1, -1, -1}, "callbridge_turn_commit_seconds_sum 0.15"},
      {"first audio", call::TurnMeasured{"i", -1, 250, -1, -1}, "callbridge_turn_first_audio_seconds_sum 0.25"},
      {"first sent", call::TurnMeasured{"i", -1, -1, 350, -1}, "callbridge_turn_first_sent_seconds_sum 0.35"},
      {"first heard", call::TurnMeasured{"i", -1, -1, -1, 450}, "callbridge_turn_first_heard_seconds_sum 0.45"},
      {"first heard's bucket", call::TurnMeasured{"i", -1, -1, -1, 450},
       "callbridge_turn_first_heard_seconds_bucket{le=\"0.5\"} 1"},
      {"at once", call::TurnMeasured{"i", 0, -1, -1, -1}, "callbridge_turn_commit_seconds_count 1"},
      {"answer sent", call::AnswerMeasured{-1, -1, -1, 700, -1}, "callbridge_answer_first_sent_seconds_sum 0.7"},
      {"answer heard", call::AnswerMeasured{-1, -1, -1, -1, 900}, "callbridge_answer_first_heard_seconds_sum 0.9"},
      {"silence", call::AssistantSilenced{80}, "callbridge_barge_in_silence_seconds_sum 0.08"},
      {"barge-in", call::BargeIn(), "callbridge_barge_ins_total 1"},
      {"resumed", call::AssistantResumed(), "callbridge_assistant_resumed_total 1"},
      {"planned", call::ModelReopening{0, ""}, "callbridge_model_reopenings_total{why=\"planned\"} 1"},
      {"lost", call::ModelReopening{3, ""}, "callbridge_model_reopenings_total{why=\"lost\"} 1"},
      {"prompt", call::PromptPlayed{"hold", "", ""}, "callbridge_prompts_played_total{prompt=\"hold\"} 1"},
      {"new prompt", call::PromptPlayed{"jingle", "", ""}, "callbridge_prompts_played_total{prompt=\"other\"} 1"},
      {"asks again", call::CallerIdle{1, false}, "callbridge_caller_idle_total{then=\"reprompt\"} 1"},
      {"goes", call::CallerIdle{1, true}, "callbridge_caller_idle_total{then=\"goodbye\"} 1"},
      {"tool", call::ToolAnswered{"", "", "", true}, "callbridge_tool_calls_total{outcome=\"ok\"} 1"},
      {"tool failed", call::ToolAnswered{"", "", "", false}, "callbridge_tool_calls_total{outcome=\"failed\"} 1"},
      {"machine", call::MachineAnswered{call::VoicemailPolicy::kHangUp, ""},
       "callbridge_machines_answered_total{policy=\"hang_up\"} 1"},
      {"summary", call::SummaryReady(), "callbridge_summaries_total{outcome=\"made\"} 1"},
      {"no summary", call::SummaryFailed(), "callbridge_summaries_total{outcome=\"given_up\"} 1"},
      {"transfer failed", Transferred(TransferState::kFailed, TransferOutcome::kBusy),
       "callbridge_transfers_total{outcome=\"busy\"} 1"},
      {"transfer done", Transferred(TransferState::kCompleted, TransferOutcome::kBridged),
       "callbridge_transfers_total{outcome=\"bridged\"} 1"},
      {"callback", call::CallbackPromised(), "callbridge_callbacks_promised_total 1"},
      {"end", Ended(call::EndReason::kCallerIdle), "callbridge_calls_ended_total{reason=\"caller_idle\"} 1"}};
  return kRows;
}

TEST(CallMetrics, EachEventCountsForWhatItSays) {
  for (const Row& row : Rows()) {
    SCOPED_TRACE(row.name);
    CallMetrics metrics;
    EXPECT_THAT(metrics.Text(), Not(HasSubstr(absl::StrCat(row.line, "\n")))) << "before";
    Observe(metrics, row.body);
    EXPECT_THAT(metrics.Text(), HasSubstr(absl::StrCat(row.line, "\n")));
  }
}

TEST(CallMetrics, WhatIsNotKnownIsNotMeasured) {
  CallMetrics metrics;
  Observe(metrics, call::TurnMeasured{"i", 150, -1, -1, -1});
  Observe(metrics, call::AnswerMeasured());
  EXPECT_THAT(metrics.Text(), HasSubstr("callbridge_turn_first_heard_seconds_count 0\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("callbridge_answer_first_heard_seconds_count 0\n"));
}

TEST(CallMetrics, TransfersUnderWayAreNotCounted) {
  CallMetrics metrics;
  Observe(metrics, Transferred(call::TransferState::kDialing, call::TransferOutcome::kPending));
  Observe(metrics, Transferred(call::TransferState::kConnected, call::TransferOutcome::kBridged));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("callbridge_transfers_total{")));
}

TEST(CallMetrics, CountsFromManyThreads) {
  CallMetrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 500; ++i) {
        Observe(metrics, Ended(call::EndReason::kBusy));
        if (i % 100 == 0) metrics.Text();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Text(), HasSubstr("callbridge_calls_ended_total{reason=\"busy\"} 2000\n"));
}

TEST(CallMetrics, StopsAreMeasured) {
  CallMetrics metrics;
  metrics.ObserveStop(absl::Microseconds(150));
  EXPECT_THAT(metrics.Text(), HasSubstr("callbridge_stop_seconds_bucket{le=\"0.0001\"} 0\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("callbridge_stop_seconds_bucket{le=\"0.0002\"} 1\n"));
}

TEST(CallMetrics, TheDocumentNamesEachOfThem) {
  std::ifstream file("docs/metrics.md");
  const std::string doc(std::istreambuf_iterator<char>(file), {});
  CallMetrics metrics;
  for (const Row& row : Rows()) Observe(metrics, row.body);
  int names = 0;
  for (const absl::string_view line : absl::StrSplit(metrics.Text(), '\n')) {
    if (!absl::StartsWith(line, "# TYPE ")) continue;
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    EXPECT_THAT(doc, HasSubstr(absl::StrCat("`", words.at(2), "`")));
    ++names;
  }
  EXPECT_EQ(names, 19);
}

}  // namespace
}  // namespace callbridge::session
