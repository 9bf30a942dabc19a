#include "src/bench/figures.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace callbridge::bench {
namespace {

Run MakeRun(Program program, int calls, double cpu, double p99, double kb) {
  Run run;
  run.load = {calls, 20};
  run.program = program;
  run.cpu_us_per_pair = cpu;
  run.to_model_p99_us = p99;
  run.to_caller_p99_us = 2 * p99;
  run.kb_per_call = kb;
  run.delivered_percent = 100;
  return run;
}

// Three alternating pairs at 100 calls; medians 30 and 20, 600 and 400, 90 and 50.
std::vector<Run> Pairs() {
  return {MakeRun(Program::kCallbridge, 100, 30, 9000, 90), MakeRun(Program::kRelay, 100, 20, 400, 50),
          MakeRun(Program::kRelay, 100, 10, 300, 10),       MakeRun(Program::kCallbridge, 100, 35, 600, 80),
          MakeRun(Program::kCallbridge, 100, 25, 500, 95),  MakeRun(Program::kRelay, 100, 90, 9000, 60)};
}

TEST(MakeRowsTest, MediansByLoadAndProgram) {
  std::vector<Run> runs = Pairs();
  runs.push_back(MakeRun(Program::kRelay, 200, 99, 99, 99));
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
  std::vector<Run> runs = Pairs();
  Run failed = MakeRun(Program::kRelay, 100, 0, 0, 0);
  failed.trouble = "no port";
  runs.push_back(failed);
  const auto rows = MakeRows(runs);
  EXPECT_EQ(rows[1].median.cpu_us_per_pair, 20);
  EXPECT_EQ(rows[1].runs, 3);
  EXPECT_EQ(rows[1].note, "no port");
  EXPECT_EQ(Compare(MakeRows({failed, MakeRun(Program::kCallbridge, 100, 1, 1, 1)})).size(), 0);
}

TEST(MakeRowsTest, SaysWhenTheMachineDoesNotCarryTheLoad) {
  Run slow = MakeRun(Program::kCallbridge, 200, 1, 1, 1);
  slow.delivered_percent = 71;
  EXPECT_NE(MakeRows({slow})[0].note.find("71%"), std::string::npos);
  slow.delivered_percent = kEnoughDelivered;
  EXPECT_EQ(MakeRows({slow})[0].note, "");
}

TEST(CompareTest, RatiosOfMediansAndDifferenceOfMemory) {
  const auto comparisons = Compare(MakeRows(Pairs()));
  ASSERT_EQ(comparisons.size(), 1);
  EXPECT_DOUBLE_EQ(comparisons[0].cpu_ratio, 1.5);
  EXPECT_DOUBLE_EQ(comparisons[0].to_model_p99_ratio, 1.5);
  EXPECT_DOUBLE_EQ(comparisons[0].to_caller_p99_ratio, 1.5);
  EXPECT_DOUBLE_EQ(comparisons[0].kb_per_call_beyond, 40);
}

TEST(FormatTableTest, ShowsFigureAndAim) {
  const auto rows = MakeRows(Pairs());
  const std::string table = FormatTable(rows, Compare(rows));
  EXPECT_NE(table.find("<= 1.5 times"), std::string::npos) << table;
  EXPECT_NE(table.find("1.50 times"), std::string::npos) << table;
  EXPECT_NE(table.find("40.0 KB"), std::string::npos) << table;
}

TEST(FormatTableTest, RowWithoutRunsHasNoFigures) {
  Run failed = MakeRun(Program::kRelay, 200, 0, 0, 0);
  failed.trouble = "of 200 calls 3 talk";
  const std::string table = FormatTable(MakeRows({failed}), {});
  EXPECT_NE(table.find("of 200 calls 3 talk"), std::string::npos);
  EXPECT_EQ(table.find("0.0"), std::string::npos) << table;
}

TEST(FormatJsonTest, CarriesEverything) {
  std::vector<Run> runs = Pairs();
  runs[0].trouble = "broken \xff text";
  const auto rows = MakeRows(runs);
  Setting setting;
  setting.cores = 2;
  const auto json = nlohmann::json::parse(FormatJson(setting, runs, rows, Compare(rows)));
  EXPECT_EQ(json["setting"]["cores"], 2);
  EXPECT_EQ(json["runs"].size(), 6);
  EXPECT_EQ(json["rows"][1]["cpu_us_per_frame_pair"], 20);
  EXPECT_EQ(json["rows"][1]["program"], "relay");
  EXPECT_EQ(json["ratios"][0]["cpu_per_frame_pair_ratio"], 1.5);
  EXPECT_EQ(json["aims"]["cpu_per_frame_pair_ratio"], 1.5);
}

}  // namespace
}  // namespace callbridge::bench
