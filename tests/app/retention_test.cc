#include "src/app/retention.h"

#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::app {
namespace {

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() { base::SetLogEnabled(false); }
  ~RetentionTest() override { base::SetLogEnabled(true); }

  void AddEnded(const std::string& id, absl::Time end) {
    store::CallRecord call;
    call.call_id = id;
    call.create_time = end;
    ASSERT_TRUE(store_.CreateCall(call, {{id, 1, end, call::DtmfReceived{"1"}}}, absl::nullopt).ok());
    store::CallWrite write;
    write.call_id = id;
    write.end.emplace();
    write.end->end_time = end;
    ASSERT_TRUE(store_.Apply(write, nullptr).ok());
  }
  bool IsThere(const std::string& id) { return store_.GetCall(id).ok(); }
  static bool Eventually(const std::function<bool()>& condition) {
    for (const absl::Time deadline = absl::Now() + absl::Seconds(10); absl::Now() < deadline;) {
      if (condition()) return true;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return false;
  }

  store::MemoryCallStore store_;
};

TEST_F(RetentionTest, DaysCountBackFromNow) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const store::Retention keep = KeptSince({1, 0, 30}, now);
  EXPECT_EQ(keep.events, now - absl::Hours(24));
  EXPECT_EQ(keep.transcripts, absl::InfinitePast()) << "for ever";
  EXPECT_EQ(keep.calls, now - absl::Hours(24 * 30));
  EXPECT_FALSE(Purges({0, 0, 0}));
  EXPECT_TRUE(Purges({0, 1, 0}));
}

TEST_F(RetentionTest, AllBatchesArePurged) {
  for (int i = 0; i < 120; ++i) AddEnded(absl::StrCat("c", i), absl::FromUnixSeconds(1'600'000'000 + i));
  int pauses = 0;
  const auto purged = PurgeAll(store_, KeptSince({1, 0, 0}, absl::Now()), [&] { return ++pauses > 0; });
  ASSERT_TRUE(purged.ok());
  EXPECT_EQ(purged->events, 120);
  EXPECT_EQ(pauses, 2) << "between three batches";
  EXPECT_FALSE(purged->more);
}

TEST_F(RetentionTest, APurgeCanBeStopped) {
  for (int i = 0; i < 120; ++i) AddEnded(absl::StrCat("c", i), absl::FromUnixSeconds(1'600'000'000 + i));
  const auto purged = PurgeAll(store_, KeptSince({0, 0, 3}, absl::Now()), [] { return false; });
  ASSERT_TRUE(purged.ok());
  EXPECT_EQ(purged->calls, 50);
  EXPECT_TRUE(purged->more);
}

TEST_F(RetentionTest, TheServerPurgesWhenItStarts) {
  AddEnded("old", absl::Now() - absl::Hours(24 * 40));
  AddEnded("new", absl::Now() - absl::Hours(24 * 10));
  const DailyPurge purge(store_, {0, 0, 30});
  EXPECT_TRUE(Eventually([&] { return !IsThere("old"); }));
  EXPECT_TRUE(IsThere("new"));
}

TEST_F(RetentionTest, WithoutRetentionNothingIsAsked) {
  std::atomic<int> asked{0};
  store_.SetFault([&](absl::string_view method) {
    asked += method == "Purge" ? 1 : 0;
    return absl::OkStatus();
  });
  { const DailyPurge purge(store_, {}); }
  EXPECT_EQ(asked, 0);
}

TEST_F(RetentionTest, AStoreThatIsAwayDoesNotHoldTheEndUp) {
  std::atomic<int> asked{0};
  store_.SetFault([&](absl::string_view method) {
    asked += method == "Purge" ? 1 : 0;
    return absl::UnavailableError("away");
  });
  {
    const DailyPurge purge(store_, {1, 1, 3});
    EXPECT_TRUE(Eventually([&] { return asked > 0; }));
  }
  EXPECT_EQ(asked, 1) << "and is asked again after a pause only";
}

}  // namespace
}  // namespace callbridge::app
