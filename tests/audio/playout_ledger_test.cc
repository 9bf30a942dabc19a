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

// ... with a checkpoint behind it.
void SayChecked(PlayoutLedger& ledger, const char* item, int64_t ms, absl::Time now, int64_t number) {
  Say(ledger, item, ms, now);
  ledger.OnCheckpointSent(number);
}

TEST(PlayoutLedgerTest, KnowsNothingAtFirst) {
  PlayoutLedger ledger;
  EXPECT_TRUE(ledger.empty());
  EXPECT_EQ(ledger.playout_end(), absl::InfinitePast());
  EXPECT_EQ(ledger.FrontEnd(), absl::InfiniteFuture());
  EXPECT_EQ(ledger.Ahead(At(0)), absl::ZeroDuration());
  EXPECT_EQ(ledger.FirstSound("a"), absl::InfiniteFuture());
  EXPECT_TRUE(ledger.Clear(At(0)).empty());
  EXPECT_TRUE(ledger.TakeFinished(At(0)).empty());
  EXPECT_FALSE(ledger.Audible(At(0)).has_value());
  EXPECT_FALSE(ledger.OnComplete("a"));
}

TEST(PlayoutLedgerTest, ClockEstimatesBehindTheUsualStartDelay) {
  PlayoutLedger ledger;
  Say(ledger, "a", 1000, At(0));
  EXPECT_EQ(ledger.playout_end(), At(1110));
  EXPECT_EQ(ledger.Ahead(At(110)), absl::Milliseconds(1000));
  EXPECT_EQ(ledger.Ahead(At(610)), absl::Milliseconds(500));
  const auto cut = ledger.Clear(At(610));
  ASSERT_EQ(cut.size(), 1);
  EXPECT_EQ(cut[0].item_id, "a");
  EXPECT_EQ(cut[0].heard, Bytes(500));
  EXPECT_EQ(cut[0].received, Bytes(1000));
  EXPECT_FALSE(cut[0].acknowledged);
  EXPECT_FALSE(cut[0].calibrated);
  EXPECT_FALSE(cut[0].complete);
}

TEST(PlayoutLedgerTest, NothingIsHeardBeforeTheStartDelay) {
  PlayoutLedger ledger;
  Say(ledger, "a", 1000, At(0));
  EXPECT_EQ(ledger.Clear(At(100))[0].heard, 0);
}

// In a stream of which acknowledgements come, a spell without one has not begun, for as long as that may be.
TEST(PlayoutLedgerTest, NothingIsHeardWhileAcknowledgementsAreAwaited) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 400, At(0), 1);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(510)));
  EXPECT_EQ(ledger.Clear(At(510)).size(), 1);
  SayChecked(ledger, "b", 400, At(1000), 2);
  EXPECT_EQ(ledger.HeardPosition(At(1159)), Bytes(400));
  EXPECT_EQ(ledger.HeardPosition(At(1160)), Bytes(450));
}

// ... but not where most of them never come.
TEST(PlayoutLedgerTest, TheClockTellsWhereFewAcknowledgementsCome) {
  PlayoutLedger ledger;
  for (int64_t number = 1; number <= 3; ++number) SayChecked(ledger, "a", 100, At(0), number);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(3, At(410)));
  ledger.Clear(At(410));
  SayChecked(ledger, "b", 400, At(1000), 4);
  EXPECT_EQ(ledger.HeardPosition(At(1120)), Bytes(310));
}

TEST(PlayoutLedgerTest, AShortItemIsNotFinishedWhileAcknowledgementsAreAwaited) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 400, At(0), 1);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(510)));
  ledger.Clear(At(510));
  SayChecked(ledger, "b", 10, At(1000), 2);
  ledger.OnComplete("b");
  EXPECT_TRUE(ledger.TakeFinished(At(1159)).empty());
  EXPECT_EQ(ledger.FrontEnd(), At(1160));
  EXPECT_EQ(ledger.TakeFinished(At(1160)).size(), 1);
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
  SayChecked(ledger, "a", 400, At(0), 1);
  Say(ledger, "a", 400, At(0));
  // The carrier is faster than was believed.
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(300)));
  const auto cut = ledger.Clear(At(300));
  EXPECT_EQ(cut[0].heard, Bytes(400));
  EXPECT_TRUE(cut[0].acknowledged);
}

TEST(PlayoutLedgerTest, SaysHowItKnows) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 400, At(0), 1);
  Say(ledger, "a", 400, At(0));
  EXPECT_FALSE(ledger.Audible(At(500))->calibrated);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(500)));
  EXPECT_TRUE(ledger.Audible(At(500))->acknowledged);
  EXPECT_TRUE(ledger.Audible(At(500))->calibrated);
  EXPECT_FALSE(ledger.Audible(At(501))->acknowledged);
  EXPECT_TRUE(ledger.Audible(At(501))->calibrated);
  ledger.Clear(At(501));
  Say(ledger, "b", 400, At(1000));
  EXPECT_TRUE(ledger.Clear(At(1300))[0].calibrated);
  ledger.OnNewStream();
  Say(ledger, "c", 400, At(2000));
  EXPECT_FALSE(ledger.Clear(At(2300))[0].calibrated);
}

TEST(PlayoutLedgerTest, TwoAcknowledgementsThatAgreeSetTheClock) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 20, At(0), 1);
  SayChecked(ledger, "a", 20, At(0), 2);
  Say(ledger, "a", 400, At(0));
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(165)));
  EXPECT_EQ(ledger.playout_end(), At(115 + 440)) << "it may be late";
  EXPECT_TRUE(ledger.OnCheckpointPlayed(2, At(180)));
  EXPECT_EQ(ledger.playout_end(), At(140 + 440));
}

TEST(PlayoutLedgerTest, ManySpellsTeachTheStartDelay) {
  PlayoutLedger ledger;
  for (int spell = 0; spell < 16; ++spell) {
    const int64_t at = spell * 1000;
    SayChecked(ledger, "a", 20, At(at), spell * 2);
    SayChecked(ledger, "a", 20, At(at), spell * 2 + 1);
    EXPECT_GE(ledger.start_delay(), absl::Milliseconds(110)) << spell;
    EXPECT_TRUE(ledger.OnCheckpointPlayed(spell * 2, At(at + 100)));
    EXPECT_TRUE(ledger.OnCheckpointPlayed(spell * 2 + 1, At(at + 120)));
  }
  EXPECT_EQ(ledger.start_delay(), absl::Milliseconds(80));
  ledger.OnNewStream();
  EXPECT_EQ(ledger.start_delay(), absl::Milliseconds(80));
}

TEST(PlayoutLedgerTest, LearnsNothingFromAStall) {
  PlayoutLedger ledger;
  for (int spell = 0; spell < 16; ++spell) {
    const int64_t at = spell * 5000;
    for (int i = 0; i < 3; ++i) SayChecked(ledger, "a", 20, At(at), spell * 3 + i);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ledger.OnCheckpointPlayed(spell * 3 + i, At(at + 3000 + i * 20)));
  }
  EXPECT_EQ(ledger.start_delay(), absl::Milliseconds(110));
}

TEST(PlayoutLedgerTest, UnknownAndRepeatedCheckpointsChangeNothing) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 400, At(0), 1);
  EXPECT_FALSE(ledger.OnCheckpointPlayed(2, At(100)));
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(460)));
  EXPECT_FALSE(ledger.OnCheckpointPlayed(1, At(420)));
  EXPECT_EQ(ledger.playout_end(), At(460));
}

TEST(PlayoutLedgerTest, ALaterCheckpointStandsForLostOnes) {
  PlayoutLedger ledger;
  for (int64_t number = 1; number <= 3; ++number) SayChecked(ledger, "a", 400, At(0), number);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(2, At(860)));
  EXPECT_EQ(ledger.unacknowledged_checkpoints(), 1);
  EXPECT_FALSE(ledger.OnCheckpointPlayed(1, At(870)));
  EXPECT_EQ(ledger.Clear(At(870))[0].heard, Bytes(810));
}

TEST(PlayoutLedgerTest, CheckpointsThatNobodyAcknowledgesDoNotPileUp) {
  PlayoutLedger ledger;
  for (int64_t number = 1; number <= 1000; ++number) SayChecked(ledger, "a", 20, At(number * 20), number);
  EXPECT_LE(ledger.unacknowledged_checkpoints(), 64);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1000, At(20200)));
}

TEST(PlayoutLedgerTest, ClearSwallowsCheckpoints) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 400, At(0), 1);
  ledger.Clear(At(100));
  EXPECT_EQ(ledger.unacknowledged_checkpoints(), 0);
  EXPECT_FALSE(ledger.OnCheckpointPlayed(1, At(200)));
  Say(ledger, "b", 400, At(1000));
  EXPECT_EQ(ledger.Clear(At(1210))[0].heard, Bytes(100));
}

TEST(PlayoutLedgerTest, CutsOnlyWhatWasNotHeardToItsEnd) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  ledger.OnComplete("a");
  Say(ledger, "b", 400, At(0));
  ledger.OnReceived("c", Bytes(400));
  EXPECT_EQ(ledger.Audible(At(610))->item_id, "b");
  const auto cut = ledger.Clear(At(610));
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
  EXPECT_FALSE(ledger.Complete("a"));
  EXPECT_TRUE(ledger.OnComplete("a"));
  EXPECT_TRUE(ledger.Complete("a"));
  EXPECT_FALSE(ledger.OnComplete("a"));
  EXPECT_EQ(ledger.FrontEnd(), At(510));
  EXPECT_TRUE(ledger.TakeFinished(At(509)).empty());
  const auto first = ledger.TakeFinished(At(510));
  ASSERT_EQ(first.size(), 1);
  EXPECT_EQ(first[0].item_id, "a");
  EXPECT_EQ(ledger.FrontEnd(), At(910));
  EXPECT_EQ(ledger.TakeFinished(At(910)).size(), 1);
  EXPECT_TRUE(ledger.empty());
}

TEST(PlayoutLedgerTest, WhatWasReportedAsHeardStaysHeard) {
  PlayoutLedger ledger;
  for (int64_t number = 1; number <= 3; ++number) SayChecked(ledger, "a", 20, At(0), number);
  ledger.OnComplete("a");
  Say(ledger, "b", 400, At(0));
  EXPECT_EQ(ledger.TakeFinished(At(170)).size(), 1);
  // It began later than was believed, as three checkpoints say.
  for (int64_t number = 1; number <= 3; ++number) EXPECT_TRUE(ledger.OnCheckpointPlayed(number, At(170 + number * 20)));
  EXPECT_EQ(ledger.HeardPosition(At(170)), Bytes(60));
  EXPECT_EQ(ledger.Clear(At(330))[0].heard, Bytes(100));
}

TEST(PlayoutLedgerTest, ALateWordOfAnEarlierSpellSaysNothingOfTheNext) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 400, At(0), 1);
  ledger.OnComplete("a");
  EXPECT_EQ(ledger.TakeFinished(At(510)).size(), 1);
  SayChecked(ledger, "b", 400, At(1000), 2);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(1010)));
  EXPECT_EQ(ledger.playout_end(), At(1510));
  EXPECT_TRUE(ledger.OnCheckpointPlayed(2, At(1460)));
  EXPECT_EQ(ledger.Clear(At(1460))[0].heard, Bytes(400));
}

TEST(PlayoutLedgerTest, WhatWasHeardStaysHeardWhenANewSpellBegins) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  Say(ledger, "a", 400, At(2000));  // Behind a pause: it begins to sound at 2110.
  EXPECT_EQ(ledger.Ahead(At(2000)), absl::Milliseconds(400));
  EXPECT_EQ(ledger.Clear(At(2010))[0].heard, Bytes(400));
}

TEST(PlayoutLedgerTest, AudioThatComesInTheLastMomentContinuesTheSpell) {
  PlayoutLedger ledger;
  Say(ledger, "a", 400, At(0));
  Say(ledger, "a", 400, At(500));
  EXPECT_EQ(ledger.playout_end(), At(910));
  EXPECT_EQ(ledger.HeardPosition(At(505)), Bytes(395));
  EXPECT_EQ(ledger.HeardPosition(At(610)), Bytes(500));
}

TEST(PlayoutLedgerTest, AGapThatAcknowledgementsShowMovesWhatFollows) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 20, At(0), 1);
  SayChecked(ledger, "a", 20, At(0), 2);
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(120)));
  EXPECT_TRUE(ledger.OnCheckpointPlayed(2, At(140)));
  // Nearly too late: the carrier waits 50 ms before it goes on.
  for (int64_t number = 3; number <= 6; ++number) SayChecked(ledger, "a", 20, At(125), number);
  EXPECT_EQ(ledger.playout_end(), At(220));
  for (int64_t number = 3; number <= 6; ++number) {
    EXPECT_TRUE(ledger.OnCheckpointPlayed(number, At(190 + (number - 2) * 20)));
  }
  EXPECT_EQ(ledger.playout_end(), At(270));
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

TEST(PlayoutLedgerTest, KnowsWhenAnItemBeginsToSound) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 20, At(0), 1);
  Say(ledger, "b", 400, At(0));
  ledger.OnReceived("c", 8);
  EXPECT_EQ(ledger.FirstSound("a"), At(110));
  EXPECT_EQ(ledger.FirstSound("b"), At(130));
  EXPECT_EQ(ledger.FirstSound("c"), absl::InfiniteFuture());
  EXPECT_TRUE(ledger.OnCheckpointPlayed(1, At(90)));
  EXPECT_EQ(ledger.FirstSound("b"), At(90));
  Say(ledger, "c", 400, At(3000));
  EXPECT_EQ(ledger.FirstSound("a"), At(70)) << "of a spell that is over";
  const auto cut = ledger.Clear(At(3000));
  ASSERT_EQ(cut.size(), 3);
  EXPECT_EQ(cut[1].first_sound, At(90));
}

TEST(PlayoutLedgerTest, WithdrawnAudioIsHeardWhenItIsSentAgain) {
  PlayoutLedger ledger;
  SayChecked(ledger, "a", 1000, At(0), 1);
  Say(ledger, "b", 400, At(0));
  const int64_t heard = ledger.HeardPosition(At(410));
  EXPECT_EQ(heard, Bytes(300));
  ledger.Withdraw(heard);
  EXPECT_EQ(ledger.Ahead(At(410)), absl::ZeroDuration());
  EXPECT_EQ(ledger.playout_end(), absl::InfinitePast());
  EXPECT_FALSE(ledger.OnCheckpointPlayed(1, At(420)));
  EXPECT_EQ(ledger.Audible(At(5000))->heard, Bytes(300));
  EXPECT_EQ(ledger.FirstSound("a"), At(110));
  EXPECT_EQ(ledger.FirstSound("b"), absl::InfiniteFuture());
  ledger.OnSent("a", Bytes(700), At(1000));
  ledger.OnSent("b", Bytes(400), At(1000));
  EXPECT_EQ(ledger.Audible(At(1210))->heard, Bytes(400));
  EXPECT_EQ(ledger.FirstSound("b"), At(1810));
  const auto cut = ledger.Clear(At(1910));
  ASSERT_EQ(cut.size(), 2);
  EXPECT_EQ(cut[0].heard, Bytes(1000));
  EXPECT_EQ(cut[1].heard, Bytes(100));
}

}  // namespace
}  // namespace callbridge::audio
