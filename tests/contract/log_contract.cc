#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/store_under_test.h"

// Promises about the log of all calls, and about what is there after a restart. Part of the contract of stores.
namespace callbridge::store {

// --- The log

TEST_P(CallStoreContract, AnEmptyLog) {
  EXPECT_EQ(*store().HeadPosition(), 0);
  EXPECT_THAT(AllEvents(), IsEmpty());
}

TEST_P(CallStoreContract, ReadCallEventsPages) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2, 3, 4}));
  EXPECT_THAT(Sequences(CallEvents("c1", 0, 3)), ElementsAre(1, 2, 3));
  EXPECT_THAT(Sequences(CallEvents("c1", 3, 3)), ElementsAre(4));
  EXPECT_THAT(CallEvents("c1", 4), IsEmpty());
  EXPECT_THAT(CallEvents("c1", 1000), IsEmpty());
  EXPECT_THAT(Sequences(CallEvents("c1", -5, 1)), ElementsAre(1));
}

TEST_P(CallStoreContract, ReadEventsIsTheLogOfAllCalls) {
  Create("c1");
  Create("c2");
  ApplyOk(MakeWrite("c1", {2}));
  const auto all = AllEvents();
  ASSERT_EQ(all.size(), 3);
  EXPECT_EQ(all[0].event.call_id, "c1");
  EXPECT_EQ(all[1].event.call_id, "c2");
  EXPECT_EQ(all[2].event.call_id, "c1");
  EXPECT_LT(all[0].position, all[1].position);
  EXPECT_LT(all[1].position, all[2].position);
  EXPECT_GE(all[0].position, 1);
  EXPECT_EQ(*store().HeadPosition(), all[2].position);
  EXPECT_EQ(AllEvents(all[0].position).size(), 2);
  EXPECT_EQ(AllEvents(all[0].position, 1)[0].position, all[1].position);
  EXPECT_THAT(AllEvents(all[2].position), IsEmpty());
}

TEST_P(CallStoreContract, RefusedWritesDoNotShowInTheLog) {
  Create("c1");
  const int64_t head = *store().HeadPosition();
  EXPECT_FALSE(Apply(MakeWrite("c1", {7})).ok());
  EXPECT_EQ(*store().HeadPosition(), head);
}

// A tailing reader sees each event of concurrent writers exactly once and in order.
TEST_P(CallStoreContract, ATailMissesNothingOfConcurrentWriters) {
  constexpr int kWriters = 3;
  constexpr int kWrites = 40;
  for (int w = 0; w < kWriters; ++w) Create(absl::StrCat("c", w));
  std::atomic<int> running{kWriters};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const std::string id = absl::StrCat("c", w);
      for (int i = 0; i < kWrites; ++i) EXPECT_TRUE(Apply(MakeWrite(id, {2 * i + 2, 2 * i + 3})).ok());
      --running;
    });
  }
  std::vector<events::StoredEvent> seen;
  for (bool last = false; !last;) {
    last = running == 0;  // One more read after the last write.
    for (size_t before = 0; before != seen.size() + 1;) {
      before = seen.size() + 1;
      auto more = store().ReadEvents(seen.empty() ? 0 : seen.back().position, 7);
      ASSERT_TRUE(more.ok());
      seen.insert(seen.end(), more->begin(), more->end());
    }
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_EQ(seen.size(), kWriters * (1 + 2 * kWrites));
  std::map<std::string, int64_t> heads;
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_LT(i == 0 ? 0 : seen[i - 1].position, seen[i].position);
    EXPECT_EQ(seen[i].event.sequence, ++heads[seen[i].event.call_id]);
  }
}

// --- Durability

TEST_P(CallStoreContract, EverythingIsThereAfterReopening) {
  const RequestKey key{"crm", "r1", "f"};
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), CreatedEvents("c1"), key).ok());
  CallWrite write = MakeWrite("c1", {2, 3});
  write.transcript_items = {MakeItem("i1", 1)};
  write.transferred = true;
  write.end = MakeEnd();
  ApplyOk(write);
  const auto before = AllEvents();
  Reopen();
  const auto after = AllEvents();
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].position, before[i].position);
  EXPECT_EQ(Get("c1").termination->reason, call::EndReason::kNormalHangup);
  EXPECT_EQ(store().GetTranscript("c1")->size(), 1);
  EXPECT_EQ(Lead().call_status, "transferred");
  EXPECT_TRUE(store().CreateCall(MakeCall("c2"), {}, key)->existed);
  std::vector<int64_t> positions;
  CallWrite next = MakeWrite("c1", {4});
  ASSERT_TRUE(store().Apply(next, &positions).ok());
  EXPECT_GT(positions.at(0), before.back().position);
}

}  // namespace callbridge::store
