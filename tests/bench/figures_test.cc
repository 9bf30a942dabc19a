#include "src/bench/figures.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace callbridge::bench {
namespace {

Trial MakeTrial(Program program, int pair, int calls, double cpu, double p99, double kb) {
  Trial run;
  run.pair = pair;
  run.load.calls = calls;
  run.load.piece_ms = 20;
  run.program = program;
  run.cpu_us_per_pair = cpu;
  run.to_model_p99_us = p99;
  run.to_caller_p99_us = 2 * p99;
  run.kb_per_call = kb;
  run.delivered_percent = 100;
  return run;
}

// Three pairs at 100 calls, the second with the relay first. Medians 30 and 20, 600 and 400, 90 and 50.
std::vector<Trial> Pairs() {
  return {MakeTrial(Program::kCallbridge, 0, 100, 30, 9000, 90), MakeTrial(Program::kRelay, 0, 100, 20, 400, 50),
          MakeTrial(Program::kRelay, 1, 100, 10, 300, 10),       MakeTrial(Program::kCallbridge, 1, 100, 35, 600, 80),
          MakeTrial(Program::kCallbridge, 2, 100, 25, 500, 95),  MakeTrial(Program::kRelay, 2, 100, 90, 9000, 60)};
}

TEST(MakeRowsTest, MediansByLoadAndProgram) {
  std::vector<Trial> runs = Pairs();
  runs.push_back(MakeTrial(Program::kRelay, 3, 200, 99, 99, 99));
  const auto rows = MakeRows(runs);
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows[0].median.program, Program::kCallbridge);
  EXPECT_EQ(rows[0].median.cpu_us_per_pair, 30);
  EXPECT_EQ(rows[0].median.to_model_p99_us, 600);
  EXPECT_EQ(rows[0].runs, 3);
  EXPECT_EQ(rows[1].median.cpu_us_per_pair, 20);
  EXPECT_EQ(rows[1].median.kb_per_call, 50);
  EXPECT_EQ(rows[2].median.load.calls, 200);
  EXPECT_EQ(rows[2].runs, 1);
}

TEST(MakeRowsTest, RunsThatDidNotComeAboutDoNotCount) {
  std::vector<Trial> runs = Pairs();
  Trial failed = MakeTrial(Program::kRelay, 3, 100, 0, 0, 0);
  failed.trouble = "no port";
  runs.push_back(failed);
  const auto rows = MakeRows(runs);
  EXPECT_EQ(rows[1].median.cpu_us_per_pair, 20);
  EXPECT_EQ(rows[1].runs, 3);
  EXPECT_EQ(rows[1].note, "no port");
}

TEST(MakeRowsTest, SaysWhenTheMachineDoesNotCarryTheLoad) {
  Trial slow = MakeTrial(Program::kCallbridge, 3, 200, 1, 1, 1);
  slow.delivered_percent = 71;
  EXPECT_NE(MakeRows({slow})[0].note.find("71%"), std::string::npos);
  slow.delivered_percent = kEnoughDelivered;
  EXPECT_EQ(MakeRows({slow})[0].note, "");
}

// The ratios of the pairs are 1.5, 3.5 and 0.3 for the CPU, 22.5, 2 and 0.06 for the p99: not those of the medians.
TEST(CompareTest, MediansOverPairs) {
  const auto comparisons = Compare(Pairs());
  ASSERT_EQ(comparisons.size(), 1);
  EXPECT_EQ(comparisons[0].pairs, 3);
  EXPECT_DOUBLE_EQ(comparisons[0].cpu_ratio, 1.5);
  EXPECT_DOUBLE_EQ(comparisons[0].to_model_p99_ratio, 2);
  EXPECT_DOUBLE_EQ(comparisons[0].to_caller_p99_ratio, 2);
  EXPECT_DOUBLE_EQ(comparisons[0].kb_per_call_beyond, 40);
}

TEST(CompareTest, HalfAPairIsNone) {
  std::vector<Trial> trials = Pairs();
  trials[2].trouble = "no port";
  EXPECT_EQ(Compare(trials)[0].pairs, 2);
  trials[1].trouble = trials[5].trouble = "no port";
  EXPECT_TRUE(Compare(trials).empty());
}

TEST(FormatTableTest, ShowsFigureAndAim) {
  const auto rows = MakeRows(Pairs());
  const std::string table = FormatTable(rows, Compare(Pairs()));
  EXPECT_NE(table.find("<= 1.5 times"), std::string::npos) << table;
  EXPECT_NE(table.find("1.50 times"), std::string::npos) << table;
  EXPECT_NE(table.find("40.0 KB"), std::string::npos) << table;
}

TEST(FormatTableTest, ShowsStopAndFirst) {
  Trial run = MakeTrial(Program::kCallbridge, 0, 100, 1, 1, 1);
  run.stop_p50_us = 1234;
  run.stop_p99_us = 4321;
  run.stop_inside_p99_us = 345;
  run.stopped_percent = 99.5;
  run.first_p50_us = 777;
  run.first_p99_us = 888;
  const std::string table = FormatTable(MakeRows({run}), {});
  for (const char* figure : {"1234", "4321", "<= 345", "99.5", "777", "888", "p99 <= 5000 us"})
    EXPECT_NE(table.find(figure), std::string::npos) << figure << "\n" << table;
}

// Each lead and length of pieces is a row of its own.
TEST(FormatPlayoutTableTest, ShowsWhatALeadCosts) {
  Trial near = MakeTrial(Program::kCallbridge, 0, 100, 1, 1, 1);
  near.load.lead_ms = 100;
  near.load.sent_ms = 20;
  near.thrown_p50_ms = 123;
  near.gaps_per_minute = 4.5;
  Trial far = near;
  far.load.lead_ms = 600;
  far.thrown_p50_ms = 654;
  Trial failed = near;
  failed.load.sent_ms = 40;
  failed.trouble = "no port";
  const auto rows = MakeRows({near, far, failed});
  ASSERT_EQ(rows.size(), 3);
  const std::string table = FormatPlayoutTable(rows);
  for (const char* figure : {"123", "4.50", "654", "no port"})
    EXPECT_NE(table.find(figure), std::string::npos) << figure << "\n" << table;
  const auto json = nlohmann::json::parse(FormatJson({}, {near}, rows, {}, {}));
  EXPECT_EQ(json["runs"][0]["lead_ms"], 100);
  EXPECT_EQ(json["runs"][0]["sent_ms"], 20);
  EXPECT_EQ(json["runs"][0]["thrown_p50_ms"], 123);
}

TEST(FormatTableTest, RowWithoutRunsHasNoFigures) {
  Trial failed = MakeTrial(Program::kRelay, 3, 200, 0, 0, 0);
  failed.trouble = "of 200 calls 3 talk";
  const std::string table = FormatTable(MakeRows({failed}), {});
  EXPECT_NE(table.find("of 200 calls 3 talk"), std::string::npos);
  EXPECT_EQ(table.find("0.0"), std::string::npos) << table;
}

TEST(FormatJsonTest, CarriesEverything) {
  std::vector<Trial> runs = Pairs();
  runs[0].trouble = "broken \xff text";
  const auto rows = MakeRows(runs);
  Setting setting;
  setting.cores = 2;
  StreamFigures streams;
  streams.load = {200, 20};
  streams.p50_us = 900;
  streams.p99_us = 2400;
  streams.kb_per_stalled = 80;
  const auto json = nlohmann::json::parse(FormatJson(setting, runs, rows, Compare(Pairs()), {streams}));
  EXPECT_EQ(json["setting"]["cores"], 2);
  EXPECT_EQ(json["runs"].size(), 6);
  EXPECT_EQ(json["rows"][1]["cpu_us_per_frame_pair"], 20);
  EXPECT_EQ(json["rows"][1]["program"], "relay");
  EXPECT_EQ(json["ratios"][0]["cpu_per_frame_pair_ratio"], 1.5);
  EXPECT_EQ(json["aims"]["cpu_per_frame_pair_ratio"], 1.5);
  EXPECT_EQ(json["aims"]["to_stream_p99_us"], 100'000);
  ASSERT_EQ(json["streams"].size(), 1);
  EXPECT_EQ(json["streams"][0]["streams"], 200);
  EXPECT_EQ(json["streams"][0]["stalled"], 20);
  EXPECT_EQ(json["streams"][0]["to_stream_p50_us"], 900);
  EXPECT_EQ(json["streams"][0]["to_stream_p99_us"], 2400);
  EXPECT_EQ(json["streams"][0]["kb_per_stalled"], 80);
}

}  // namespace
}  // namespace callbridge::bench
