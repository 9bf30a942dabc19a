#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/store_under_test.h"

// Promises about a database that was restored from a backup. Part of the contract of stores.
namespace callbridge::store {

TEST_P(CallStoreContract, NothingIsLostWithoutARestore) {
  Create("c1");
  EXPECT_THAT(*store().ListLostPositions(), IsEmpty());
  Reopen();
  EXPECT_THAT(*store().ListLostPositions(), IsEmpty());
}

TEST_P(CallStoreContract, BehindARestorePositionsMeetNoneOfBefore) {
  Create("c1");
  const int64_t head = *store().HeadPosition();
  ASSERT_TRUE(store().NoteRestored(kStart).ok());
  EXPECT_EQ(*store().HeadPosition(), head);
  const std::vector<LostPositions> lost = *store().ListLostPositions();
  ASSERT_EQ(lost.size(), 1);
  EXPECT_EQ(lost[0].after, head);
  EXPECT_GE(lost[0].before - head, int64_t{1} << 32);
  ApplyOk(MakeWrite("c1", {2, 3}));
  const auto events = AllEvents(head);
  ASSERT_EQ(events.size(), 2);
  EXPECT_GE(events[0].position, lost[0].before);
  // Whoever was ahead of the restored log still sees what comes.
  EXPECT_EQ(AllEvents(head + 1000).size(), 2);
  EXPECT_EQ(*store().HeadPosition(), events[1].position);
  EXPECT_EQ(Get("c1").event_head, 3);
}

TEST_P(CallStoreContract, EachRestoreTakesItsOwn) {
  ASSERT_TRUE(store().NoteRestored(kStart).ok());
  ASSERT_TRUE(store().NoteRestored(kStart).ok());
  EXPECT_EQ(store().ListLostPositions()->size(), 1);  // Nothing came in between.
  Create("c1");
  ASSERT_TRUE(store().NoteRestored(kStart).ok());
  const std::vector<LostPositions> lost = *store().ListLostPositions();
  ASSERT_EQ(lost.size(), 2);
  EXPECT_EQ(lost[0].after, 0);
  EXPECT_GE(lost[1].after, lost[0].before);
  EXPECT_EQ(lost[1].after, *store().HeadPosition());
  Reopen();
  EXPECT_EQ(store().ListLostPositions()->size(), 2);
  ApplyOk(MakeWrite("c1", {2}));
  EXPECT_GE(AllEvents().back().position, lost[1].before);
}

}  // namespace callbridge::store
