#include "src/audio/playout_ledger.h"

#include "gtest/gtest.h"

namespace callbridge::audio {
namespace {

const absl::Time kBegin = absl::FromUnixSeconds(1700000000);
absl::Time At(int64_t ms) { return kBegin + absl::Milliseconds(ms); }
int64_t Bytes(int64_t ms) { return ms * kBytesPerMs; }

// Sends `ms` of an item as it comes.
void Say(PlayoutLedger& ledger, const char* item, int64_t ms, absl::Time now) {
  ledger.OnReceived(item, Bytes(ms));
  ledger.OnSent(item, Bytes(ms), now);
}

TEST(PlayoutLedgerTest, KnowsNothingAtFirst) {
  PlayoutLedger ledger;
  EXPECT_TRUE(ledger.empty());
  EXPECT_EQ(ledger.playout_end(), absl::InfinitePast());
  EXPECT_EQ(ledger.FrontEnd(), absl::InfiniteFuture());
  EXPECT_EQ(ledger.Ahead(At(0)), absl::ZeroDuration());
  EXPECT_TRUE(ledger.Clear(At(0)).empty());
  EXPECT_TRUE(ledger.TakeFinished(At(0)).empty());
  EXPECT_FALSE(ledger.OnComplete("a"));
}

TEST(PlayoutLedgerTest, ClockEstimatesBehindTheStartDelay) {
  PlayoutLedger ledger;
  Say(ledger, "a", 1000, At(0));
  EXPECT_EQ(ledger.playout_end(), At(1060));
  EXPECT_EQ(ledger.Ahead(At(60)), absl::Milliseconds(1000));
  EXPECT_EQ(ledger.Ahead(At(560)), absl::Milliseconds(500));
  const auto cut = ledger.Clear(At(560));
  ASSERT_EQ(cut.size(), 1);
  EXPECT_EQ(cut[0].item_id, "a");
  EXPECT_EQ(cut[0].heard, Bytes(500));
  EXPECT_EQ(cut[0].received, Bytes(1000));
  EXPECT_FALSE(cut[0].acknowledged);
  EXPECT_FALSE(cut[0].complete);
}

TEST(PlayoutLedgerTest, NothingIsHeardBeforeTheStartDelay) {
  PlayoutLedger ledger;
  Say(ledger, "a", 1000, At(0));
  EXPECT_EQ(ledger.Clear(At(50))[0].heard, 0);
}

TEST(PlayoutLedgerTest, NeverMoreThanWasSent) {
  PlayoutLedger ledger;
  ledger.OnReceived("a", Bytes(5000));
  ledger.OnSent("a", Bytes(400), At(0));
  const auto cut = ledger.Clear(At(9000));
  ASSERT_EQ(cut.size(), 1);
  EXPECT_EQ(cut[0].heard, Bytes(400));
  EXPECT_EQ(cut[0].sent, Bytes(400));
  EXPECT_EQ(cut[0].received, Bytes(5000));
}

TEST(PlayoutLedgerTest, NeverLessThanWasAcknowledged) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnCheckpointSent(1);
  Say(ledger, "a", 400, At(0));
  // The carrier is faster than was believed.
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(300)));
  const auto cut = ledger.Clear(At(300));
  EXPECT_EQ(cut[0].heard, Bytes(400));
  EXPECT_TRUE(cut[0].acknowledged);
}

TEST(PlayoutLedgerTest, LearnsTheStartDelay) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnCheckpointSent(1);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(520)));
  EXPECT_EQ(ledger.start_delay(), absl::Milliseconds(120));
  EXPECT_EQ(ledger.playout_end(), At(520));
  EXPECT_EQ(ledger.NextStart(At(1000)), At(1120));
}

TEST(PlayoutLedgerTest, LearnsNothingFromAStall) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnCheckpointSent(1);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(3000)));
  EXPECT_EQ(ledger.start_delay(), absl::Milliseconds(60));
}

TEST(PlayoutLedgerTest, LearnsOnlyFromTheFirstCheckpointOfASpell) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnCheckpointSent(1);
  Say(ledger, "a", 400, At(0));
  ledger.OnCheckpointSent(2);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(460)));
  EXPECT_TRUE(ledger.OnCheckpointPlayed(2, At(960)));
  EXPECT_EQ(ledger.start_delay(), absl::Milliseconds(60));
}

TEST(PlayoutLedgerTest, UnknownAndRepeatedCheckpointsChangeNothing) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnCheckpointSent(1);
  EXPECT_FALSE(ledger.OnCheckpointPlayed(2, At(100)));
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(460)));
  EXPECT_FALSE(ledger.OnCheckpointPlayed(1, At(900)));
  EXPECT_EQ(ledger.playout_end(), At(460));
}

TEST(PlayoutLedgerTest, ALaterCheckpointStandsForLostOnes) {
  PlayoutLedger ledger;
  for (int64_t number = 1; number <= 3; ++number) {
    Say(ledger, "a", 400, At(0));
    ledger.OnCheckpointSent(number);
  }
  EXPECT_TRUE(ledger.OnCheckpointPlayed(2, At(860)));
  EXPECT_EQ(ledger.unacknowledged_checkpoints(), 1);
  EXPECT_FALSE(ledger.OnCheckpointPlayed(1, At(870)));
  EXPECT_EQ(ledger.Clear(At(870))[0].heard, Bytes(810));
}

TEST(PlayoutLedgerTest, ClearSwallowsCheckpoints) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnCheckpointSent(1);
  ledger.Clear(At(100));
  EXPECT_EQ(ledger.unacknowledged_checkpoints(), 0);
  EXPECT_FALSE(ledger.OnCheckpointPlayed(1, At(200)));
  Say(ledger, "b", 400, At(1000));
  EXPECT_EQ(ledger.Clear(At(1160))[0].heard, Bytes(100));
}

TEST(PlayoutLedgerTest, CutsOnlyWhatWasNotHeardToItsEnd) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnComplete("a");
  Say(ledger, "b", 400, At(0));
  ledger.OnReceived("c", Bytes(400));
  const auto cut = ledger.Clear(At(560));
  ASSERT_EQ(cut.size(), 2);
  EXPECT_EQ(cut[0].item_id, "b");
  EXPECT_EQ(cut[0].heard, Bytes(100));
  EXPECT_EQ(cut[1].item_id, "c");
  EXPECT_EQ(cut[1].heard, 0);
  EXPECT_TRUE(ledger.empty());
}

TEST(PlayoutLedgerTest, AnItemThatIsNotCompleteIsCutThoughAllWasHeard) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  const auto cut = ledger.Clear(At(5000));
  ASSERT_EQ(cut.size(), 1);
  EXPECT_EQ(cut[0].heard, Bytes(400));
}

TEST(PlayoutLedgerTest, TakesItemsInOrderWhenTheyWereHeard) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  Say(ledger, "b", 400, At(0));
  EXPECT_TRUE(ledger.OnComplete("b"));
  EXPECT_TRUE(ledger.TakeFinished(At(2000)).empty());  // "a" may go on.
  EXPECT_TRUE(ledger.OnComplete("a"));
  EXPECT_FALSE(ledger.OnComplete("a"));
  EXPECT_EQ(ledger.FrontEnd(), At(460));
  EXPECT_TRUE(ledger.TakeFinished(At(459)).empty());
  const auto first = ledger.TakeFinished(At(460));
  ASSERT_EQ(first.size(), 1);
  EXPECT_EQ(first[0].item_id, "a");
  EXPECT_EQ(ledger.FrontEnd(), At(860));
  EXPECT_EQ(ledger.TakeFinished(At(860)).size(), 1);
  EXPECT_TRUE(ledger.empty());
}

TEST(PlayoutLedgerTest, CheckpointsThatArePendingKeepThePositions) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnComplete("a");
  ledger.OnCheckpointSent(1);
  EXPECT_EQ(ledger.TakeFinished(At(500)).size(), 1);
  Say(ledger, "b", 400, At(1000));
  ledger.OnCheckpointSent(2);
  // The first one is late: it says nothing about "b".
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(1010)));
  EXPECT_EQ(ledger.playout_end(), At(1460));
  EXPECT_TRUE(ledger.OnCheckpointPlayed(2, At(1460)));
  EXPECT_EQ(ledger.Clear(At(1460))[0].heard, Bytes(400));
}

TEST(PlayoutLedgerTest, WhatWasHeardStaysHeardWhenANewSpellBegins) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  Say(ledger, "a", 400, At(2000));  // Behind a pause: it begins to sound at 2060.
  EXPECT_EQ(ledger.Ahead(At(2000)), absl::Milliseconds(400));
  EXPECT_EQ(ledger.Clear(At(2010))[0].heard, Bytes(400));
}

TEST(PlayoutLedgerTest, AnEmptyItemIsFinishedAtOnce) {
  PlayoutLedger ledger;
  ledger.OnReceived("a", 0);
  EXPECT_EQ(ledger.FrontEnd(), absl::InfiniteFuture());
  ledger.OnComplete("a");
  EXPECT_LT(ledger.FrontEnd(), At(0));
  EXPECT_EQ(ledger.TakeFinished(At(0)).size(), 1);
}

TEST(PlayoutLedgerTest, NamesWhatIsIncomplete) {
  PlayoutLedger ledger;
  ledger.OnReceived("a", 8);
  ledger.OnReceived("b", 8);
  ledger.OnReceived("c", 8);
  ledger.OnComplete("b");
  EXPECT_EQ(ledger.Incomplete(), (std::vector<std::string>{"a", "c"}));
}

}  // namespace
}  // namespace callbridge::audio
