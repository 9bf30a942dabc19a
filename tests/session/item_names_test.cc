#include "src/session/item_names.h"

#include "gtest/gtest.h"

namespace callbridge::session {
namespace {

TEST(ItemNamesTest, WhatWasNeverRewrittenKeepsItsId) {
  const ItemNames names;
  EXPECT_EQ(names.InSession("item_1"), "item_1");
  EXPECT_EQ(names.InCall("item_1"), "item_1");
  EXPECT_EQ(names.Behind("item_1"), "item_1");
  EXPECT_EQ(names.Behind(""), "root");
  EXPECT_FALSE(names.IsOurs("item_1"));
}

TEST(ItemNamesTest, TheLastIdCounts) {
  ItemNames names;
  names.Rename("item_1", "cb_1");
  names.Rename("item_1", "cb_2");
  EXPECT_EQ(names.InSession("item_1"), "cb_2");
  EXPECT_EQ(names.Behind("item_1"), "cb_2");
  EXPECT_EQ(names.InCall("cb_1"), "item_1") << "the server may still speak of the earlier one";
  EXPECT_EQ(names.InCall("cb_2"), "item_1");
  EXPECT_TRUE(names.IsOurs("cb_1"));
  EXPECT_TRUE(names.IsOurs("cb_2"));
}

TEST(ItemNamesTest, BehindARemovedItemIsBehindItsPredecessor) {
  ItemNames names;
  names.Rename("b", "cb_b");
  names.Remove("c", "b");
  names.Remove("d", "c");
  EXPECT_EQ(names.InSession("d"), "");
  EXPECT_EQ(names.Behind("d"), "cb_b");
  names.Remove("b", "");
  EXPECT_EQ(names.Behind("d"), "root");
  names.Rename("c", "cb_c");
  EXPECT_EQ(names.Behind("d"), "cb_c") << "an item can come back";
}

TEST(ItemNamesTest, ACircleOfPredecessorsEnds) {
  ItemNames names;
  names.Remove("a", "b");
  names.Remove("b", "a");
  EXPECT_EQ(names.Behind("a"), "root");
}

}  // namespace
}  // namespace callbridge::session
