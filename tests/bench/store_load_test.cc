#include "src/bench/store_load.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::bench {
namespace {

// Every event that was handed over is in the store, and each call's are without a gap: the store refuses others.
TEST(MeasureStoreTest, EveryEventIsCommitted) {
  store::MemoryCallStore store;
  const auto figures = MeasureStore("memory", &store, absl::Milliseconds(200));
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_GT(figures->commit_p50_us, 0);
  EXPECT_GE(figures->commit_p99_us, figures->commit_p50_us);
  EXPECT_GT(figures->cpu_us_per_call_second, 0);
  EXPECT_GT(figures->events_per_second, kTalkingCalls * kEventsPerSecond) << "faster than people talk";
  const auto calls = store.ListCalls({}, absl::nullopt, 1000);
  ASSERT_TRUE(calls.ok());
  EXPECT_EQ(calls->size(), kTalkingCalls);
  EXPECT_GT(calls->front().event_head, 1);
}

TEST(MeasureStoreTest, TheNullStoreIsTheFloor) {
  const auto figures = MeasureStore("null", nullptr, absl::Milliseconds(100));
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ(figures->commit_p50_us, 0);
  EXPECT_EQ(figures->events_per_second, 0);
}

TEST(MeasureStoreTest, AStoreThatRefusesIsNoFigure) {
  store::MemoryCallStore store;
  store.SetFault(
      [](absl::string_view method) { return method == "Apply" ? absl::InternalError("broken") : absl::OkStatus(); });
  const auto figures = MeasureStore("memory", &store, absl::Milliseconds(100));
  ASSERT_FALSE(figures.ok());
  EXPECT_NE(std::string(figures.status().message()).find("were committed"), std::string::npos) << figures.status();
}

TEST(FormatStoresTest, ShowsWhatAStoreCostsBeyondNone) {
  StoreFigures none, sqlite;
  none.store = "null";
  none.cpu_us_per_call_second = 10;
  sqlite.store = "sqlite";
  sqlite.commit_p99_us = 1234;
  sqlite.cpu_us_per_call_second = 52.5;
  sqlite.events_per_second = 4321;
  const std::string table = FormatStores({sqlite, none});
  for (const char* figure : {"1234", "52.5", "42.5", "4321"})
    EXPECT_NE(table.find(figure), std::string::npos) << figure << "\n" << table;
}

}  // namespace
}  // namespace callbridge::bench
