#include "src/store/spool/spool_log.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/store/spool/crc32c.h"
#include "tests/store/spool/fragile_disk.h"

namespace callbridge::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Crc32c, IsTheOneOfTheStandard) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
}

class SpoolLogTest : public testing::Test {
 protected:
  SpoolLogTest() {
    base::SetLogEnabled(false);
    options_.folder = "spool";
    options_.disk = &disk_;
    options_.segment_bytes = 64;
  }
  ~SpoolLogTest() override { base::SetLogEnabled(true); }

  absl::Status Open() {
    log_.reset();
    auto opened = SpoolLog::Open(options_);
    if (opened.ok()) log_ = *std::move(opened);
    return opened.status();
  }
  // All that is left, without taking it.
  std::vector<std::string> TakeAll() {
    std::vector<std::string> all;
    for (;;) {
      const auto front = log_->Front();
      EXPECT_TRUE(front.ok()) << front.status();
      if (!front.ok() || !*front) return all;
      all.push_back(**front);
      log_->Pop();
    }
  }
  void AppendOk(const std::string& record) {
    const absl::Status status = log_->Append(record);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<std::string> Segments() const {
    std::vector<std::string> paths = disk_.Paths();
    paths.erase(
        std::remove_if(paths.begin(), paths.end(), [](const std::string& p) { return !absl::EndsWith(p, ".log"); }),
        paths.end());
    return paths;
  }

  FragileDisk disk_;
  SpoolLog::Options options_;
  std::unique_ptr<SpoolLog> log_;
  std::mt19937 random_{7};
};

TEST_F(SpoolLogTest, GivesWhatWasAppendedInOrder) {
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(TakeAll(), IsEmpty());
  AppendOk("one");
  AppendOk("two");
  EXPECT_EQ(log_->records(), 2);
  EXPECT_EQ(log_->bytes(), 2 * (8 + 3));
  EXPECT_THAT(TakeAll(), ElementsAre("one", "two"));
  AppendOk("three");
  EXPECT_THAT(TakeAll(), ElementsAre("three"));
  EXPECT_EQ(log_->records(), 0);
}

TEST_F(SpoolLogTest, ManySegmentsAreOneQueueAndGoWhenTheyAreDone) {
  ASSERT_TRUE(Open().ok());
  std::vector<std::string> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(absl::StrCat("record ", i));
    AppendOk(all.back());
  }
  EXPECT_GT(Segments().size(), 5u);
  EXPECT_THAT(TakeAll(), testing::ElementsAreArray(all));
  EXPECT_EQ(Segments().size(), 1u) << "the one that is appended to";
  ASSERT_TRUE(log_->Clear().ok());
  EXPECT_THAT(Segments(), IsEmpty());
  EXPECT_EQ(log_->bytes(), 0);
}

TEST_F(SpoolLogTest, ARecordLargerThanASegmentHasOneOfItsOwn) {
  ASSERT_TRUE(Open().ok());
  const std::string large(1000, 'x');
  AppendOk("one");
  AppendOk(large);
  AppendOk("three");
  EXPECT_EQ(Segments().size(), 3u);
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(TakeAll(), ElementsAre("one", large, "three"));
}

TEST_F(SpoolLogTest, WhatIsLeftComesBackAfterARestart) {
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 20; ++i) AppendOk(absl::StrCat("record ", i));
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(log_->records(), 20);
  AppendOk("later");
  std::vector<std::string> all = TakeAll();
  ASSERT_EQ(all.size(), 21u);
  EXPECT_EQ(all.front(), "record 0");
  EXPECT_EQ(all.back(), "later");
}

TEST_F(SpoolLogTest, OneProcessAtATime) {
  ASSERT_TRUE(Open().ok());
  const auto second = SpoolLog::Open(options_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another process"));
}

TEST_F(SpoolLogTest, IsBounded) {
  options_.limit_bytes = 100;
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 1000 && log_->Append("0123456789").ok(); ++i) {
  }
  EXPECT_LE(log_->bytes(), 100);
  EXPECT_EQ(log_->records(), 5);
  const absl::Status status = log_->Append("0123456789");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("full"));
  EXPECT_EQ(TakeAll().size(), 5u);
  ASSERT_TRUE(log_->Clear().ok());
  EXPECT_TRUE(log_->Append("0123456789").ok()) << "there is room again";
}

TEST_F(SpoolLogTest, AFailedAppendLeavesNoTrace) {
  for (const char* const operation : {"append", "sync", "open", "sync folder"}) {
    SCOPED_TRACE(operation);
    ASSERT_TRUE(Open().ok());
    if (std::string(operation) == "append" || std::string(operation) == "sync") AppendOk("first");
    const int64_t before = log_->records();
    disk_.FailNext(operation);
    EXPECT_EQ(log_->Append("lost").code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(log_->records(), before);
    AppendOk("kept");
    ASSERT_TRUE(Open().ok());
    EXPECT_EQ(log_->records(), before + 1);
    EXPECT_EQ(TakeAll().back(), "kept");
    ASSERT_TRUE(log_->Clear().ok());
  }
}

TEST_F(SpoolLogTest, AnEndThatCannotBeRepairedTakesNothingMore) {
  ASSERT_TRUE(Open().ok());
  AppendOk("first");
  disk_.FailNext("append");
  disk_.FailNext("truncate", 2);
  EXPECT_FALSE(log_->Append("lost").ok());
  EXPECT_FALSE(log_->Append("behind half a record").ok());
  AppendOk("kept");
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(TakeAll(), ElementsAre("first", "kept"));
}

TEST_F(SpoolLogTest, ATornEndIsCutOffAndKeptAside) {
  ASSERT_TRUE(Open().ok());
  AppendOk("first");
  AppendOk("second");
  log_.reset();
  const std::string path = Segments().back();
  const std::string whole = disk_.Content(path);
  for (size_t size = whole.size() - 13; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    disk_.SetContent(path, whole.substr(0, size));
    ASSERT_TRUE(Open().ok());
    EXPECT_EQ(log_->records(), 1);
    EXPECT_EQ(disk_.Content(path).size(), whole.size() - 14);
    EXPECT_EQ(disk_.Content(path + ".torn"), whole.substr(whole.size() - 14, size - (whole.size() - 14)));
    log_.reset();
  }
  // Room was made on the disk, and nothing written into it.
  disk_.SetContent(path, whole + std::string(100, '\0'));
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(TakeAll(), ElementsAre("first", "second"));
}

TEST_F(SpoolLogTest, ABadRecordInTheMiddleStopsTheStartAndIsQuarantined) {
  ASSERT_TRUE(Open().ok());
  for (const char* const record : {"first", "second", "third", "fourth"}) AppendOk(record);
  log_.reset();
  const std::string path = Segments().front();
  std::string content = disk_.Content(path);
  content[8 + 5 + 8] ^= 1;  // The first letter of "second".
  disk_.SetContent(path, content);
  const absl::Status status = Open();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(std::string(status.message()), HasSubstr("offset 13;"));
  EXPECT_EQ(disk_.Content(path + ".quarantined"), content) << "all of it";
  // The next start goes on with the rest, and says that something is missing.
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(log_->quarantined(), 1);
  EXPECT_THAT(TakeAll(), ElementsAre("first"));
}

TEST_F(SpoolLogTest, ABadLengthInTheMiddleDoesNotPassForATornEnd) {
  options_.segment_bytes = 1000;
  ASSERT_TRUE(Open().ok());
  for (const char* const record : {"first", "second", "third"}) AppendOk(record);
  log_.reset();
  const std::string path = Segments().front();
  std::string content = disk_.Content(path);
  content[13 + 2] = 0x7F;  // The second record would go on far behind the end of the file.
  disk_.SetContent(path, content);
  EXPECT_EQ(Open().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(disk_.Content(path + ".quarantined"), content);
}

TEST_F(SpoolLogTest, OnlyTheLastSegmentCanBeTorn) {
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 10; ++i) AppendOk(absl::StrCat("record ", i));
  log_.reset();
  const std::string path = Segments().front();
  disk_.SetContent(path, disk_.Content(path).substr(0, disk_.Content(path).size() - 1));
  EXPECT_EQ(Open().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SpoolLogTest, AFileThatGoesBadMeanwhileIsQuarantinedAndTheNextGoesOn) {
  ASSERT_TRUE(Open().ok());
  std::vector<std::string> all;
  for (int i = 0; i < 9; ++i) AppendOk(absl::StrCat("record ", i));  // 16 bytes each: four in a segment.
  ASSERT_EQ(Segments().size(), 3u);
  const std::string path = Segments().front();
  std::string content = disk_.Content(path);
  content[16 + 9] ^= 1;
  disk_.SetContent(path, content);
  EXPECT_THAT(TakeAll(), ElementsAre("record 0", "record 4", "record 5", "record 6", "record 7", "record 8"));
  EXPECT_EQ(log_->records(), 0);
  EXPECT_EQ(log_->quarantined(), 1);
  EXPECT_EQ(disk_.Content(path + ".quarantined"), content);
}

TEST_F(SpoolLogTest, TheSegmentThatIsAppendedToMayGoBadToo) {
  ASSERT_TRUE(Open().ok());
  AppendOk("first");
  AppendOk("second");
  const std::string path = Segments().front();
  std::string content = disk_.Content(path);
  content[8] ^= 1;
  disk_.SetContent(path, content);
  EXPECT_THAT(TakeAll(), IsEmpty());
  EXPECT_EQ(log_->records(), 0);
  AppendOk("third");
  EXPECT_THAT(TakeAll(), ElementsAre("third"));
}

TEST_F(SpoolLogTest, RefusedRecordsAreKeptAsLines) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(log_->Refuse("{\"write\":{}}\n", "no such call").ok());
  ASSERT_TRUE(log_->Refuse("two", "again").ok());
  const std::string lines = disk_.Content("spool/spool.refused");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_THAT(lines, HasSubstr("no such call"));
  EXPECT_THAT(lines, HasSubstr(R"({\"write\":{}})"));
  disk_.LosePower(random_);
  EXPECT_EQ(disk_.Content("spool/spool.refused"), lines);
}

TEST_F(SpoolLogTest, NamesOfWhatWasSetAsideAreNotUsedAgain) {
  disk_.SetContent("spool/spool-00000007.log.quarantined", "x");
  ASSERT_TRUE(Open().ok());
  AppendOk("first");
  EXPECT_THAT(Segments(), ElementsAre("spool/spool-00000008.log"));
}

// Whatever was appended is there after the power went at any instant: each record that was acknowledged and not
// cleared, in order, none twice; popped ones may come again before them, and at the end the one record that was being
// appended. SPOOL_SEEDS makes it more.
TEST_F(SpoolLogTest, SurvivesALossOfPowerAtAnyInstant) {
  const char* const wanted = std::getenv("SPOOL_SEEDS");
  int seeds = 400;
  if (wanted != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(wanted, &seeds));
  }
  for (int seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 random(static_cast<uint32_t>(seed));
    FragileDisk disk;
    SpoolLog::Options options = options_;
    options.disk = &disk;
    std::vector<std::string> acknowledged;
    size_t cleared = 0;  // So many of them can never come again.
    size_t popped = 0;
    std::string in_flight;
    int next = 0;
    for (int round = 0; round < 4; ++round) {
      if (random() % 3 == 0) {  // And once more while it recovers.
        disk.StopAfter(static_cast<int>(random() % 12));
        (void)SpoolLog::Open(options);
        disk.LosePower(random);
      }
      auto opened = SpoolLog::Open(options);
      ASSERT_TRUE(opened.ok()) << opened.status();
      // What is there now, against what must be.
      {
        std::vector<std::string> left;
        for (auto front = (*opened)->Front(); front.ok() && *front; front = (*opened)->Front()) {
          left.push_back(**front);
          (*opened)->Pop();
        }
        if (!left.empty() && left.back() == in_flight) acknowledged.push_back(in_flight);
        ASSERT_LE(left.size(), acknowledged.size() - cleared);
        ASSERT_GE(left.size(), acknowledged.size() - popped);
        ASSERT_TRUE(std::equal(left.rbegin(), left.rend(), acknowledged.rbegin()));
        popped = acknowledged.size() - left.size();
        opened->reset();
      }
      opened = SpoolLog::Open(options);
      if (!opened.ok()) break;
      // Those that taking them away has already removed.
      popped = acknowledged.size() - static_cast<size_t>((*opened)->records());
      disk.StopAfter(static_cast<int>(random() % 60));
      in_flight.clear();
      while (!disk.stopped()) {
        switch (random() % 4) {
          case 0:
          case 1: {
            in_flight = absl::StrCat("record ", next++, std::string(random() % 40, 'y'));
            if ((*opened)->Append(in_flight).ok()) {
              acknowledged.push_back(in_flight);
              in_flight.clear();
            }
            break;
          }
          case 2: {
            const auto front = (*opened)->Front();
            if (!front.ok() || !*front) break;
            ASSERT_EQ(**front, acknowledged[popped]);
            (*opened)->Pop();
            ++popped;
            break;
          }
          default:
            if ((*opened)->records() == 0 && (*opened)->Clear().ok()) cleared = acknowledged.size();
        }
      }
      opened->reset();
      disk.LosePower(random);
    }
  }
}

}  // namespace
}  // namespace callbridge::store
