#include "src/store/spool/spooled_store.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/base/error.h"
#include "src/base/log.h"
#include "tests/contract/call_store_contract.h"
#include "tests/fakes/memory_call_store.h"
#include "tests/fakes/troubled_store.h"
#include "tests/store/spool/fragile_disk.h"
#include "tests/store/sqlite/temporary_folder.h"

namespace callbridge::store {
namespace {

using testing::HasSubstr;
using Kind = StoreTrouble::Kind;

// What is written through the spool is as good as what is written past it.
class SpooledUnderTest final : public StoreUnderTest {
 public:
  CallStore& Open() override {
    store_.reset();
    SpooledStore::Options options;
    options.log.folder = folder_.File("spool");
    auto opened = SpooledStore::Open(std::make_unique<TroubledStore>(memory_, trouble_), options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    return *store_;
  }

 private:
  const TemporaryFolder folder_;
  const std::shared_ptr<MemoryCallStore> memory_ = std::make_shared<MemoryCallStore>();
  const std::shared_ptr<StoreTrouble> trouble_ = std::make_shared<StoreTrouble>();
  std::unique_ptr<CallStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Spooled, CallStoreContract,
                         testing::Values(StoreFactory{"spooled", [] { return std::make_unique<SpooledUnderTest>(); }}));

class SpooledStoreTest : public testing::Test {
 protected:
  SpooledStoreTest() {
    base::SetLogEnabled(false);
    options_.log.folder = "spool";
    options_.log.disk = &disk_;
    options_.first_pause = absl::Milliseconds(1);
    options_.longest_pause = absl::Milliseconds(5);
    trouble_->SetLimit(absl::Milliseconds(5));
    Open();
  }
  ~SpooledStoreTest() override {
    store_.reset();
    base::SetLogEnabled(true);
  }

  // As a new process would; closes what was open.
  void Open(bool start = true) {
    store_.reset();
    auto opened = SpooledStore::Open(std::make_unique<TroubledStore>(memory_, trouble_), options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    if (!start) return;
    store_->Start([this](int64_t position) {
      base::MutexLock lock(mutex_);
      replayed_to_ = position;
    });
  }
  // Long pauses: nothing is replayed unless a test asks for it.
  void OpenWithoutReplay() {
    options_.first_pause = options_.longest_pause = absl::Hours(1);
    Open();
  }
  absl::Status Create(const std::string& call_id, call::Direction direction = call::Direction::kInbound,
                      const absl::optional<RequestKey>& key = absl::nullopt) {
    CallRecord call = MakeCall(call_id);
    call.direction = direction;
    return store_->CreateCall(call, CreatedEvents(call_id), key).status();
  }
  void ApplyOk(const CallWrite& write) {
    const absl::Status status = store_->Apply(write, nullptr);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<int64_t> Sequences(const std::string& call_id) {
    std::vector<int64_t> sequences;
    const auto events = memory_->ReadCallEvents(call_id, 0, 100000);
    for (const auto& stored : events.ok() ? *events : std::vector<events::StoredEvent>())
      sequences.push_back(stored.event.sequence);
    return sequences;
  }

  FragileDisk disk_;
  SpooledStore::Options options_;
  const std::shared_ptr<MemoryCallStore> memory_ = std::make_shared<MemoryCallStore>();
  const std::shared_ptr<StoreTrouble> trouble_ = std::make_shared<StoreTrouble>();
  base::Mutex mutex_;
  int64_t replayed_to_ ABSL_GUARDED_BY(mutex_) = -1;
  std::unique_ptr<SpooledStore> store_;
};

constexpr absl::Duration kLong = absl::Seconds(20);

TEST_F(SpooledStoreTest, WhileTheStoreIsThereNothingIsSpooled) {
  ASSERT_TRUE(Create("a").ok());
  std::vector<int64_t> positions;
  ASSERT_TRUE(store_->Apply(MakeWrite("a", {2, 3}), &positions).ok());
  EXPECT_EQ(positions.size(), 2u);
  EXPECT_EQ(Sequences("a"), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(store_->stats().records, 0);
  EXPECT_EQ(disk_.Paths().size(), 0u);
}

TEST_F(SpooledStoreTest, ErrorsThatAreNoOutageAreTold) {
  ASSERT_TRUE(Create("a").ok());
  EXPECT_EQ(store_->Apply(MakeWrite("a", {7}), nullptr).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->Apply(MakeWrite("b", {1}), nullptr).code(), absl::StatusCode::kNotFound);
  trouble_->Set(Kind::kRefused);
  EXPECT_EQ(store_->Apply(MakeWrite("", {}), nullptr).code(), absl::StatusCode::kInvalidArgument)
      << "what could never be replayed is not spooled";
  EXPECT_EQ(Create("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->stats().records, 0);
}

TEST_F(SpooledStoreTest, InEveryTroubleWritesAreKeptAndReplayedInOrder) {
  for (const Kind kind : {Kind::kRefused, Kind::kHanging, Kind::kReadOnly, Kind::kLostReply}) {
    const std::string call = absl::StrCat("call ", static_cast<int>(kind));
    SCOPED_TRACE(call);
    ASSERT_TRUE(Create(call).ok());
    trouble_->Set(kind);
    std::vector<int64_t> positions = {7};
    for (int64_t sequence = 2; sequence <= 30; ++sequence) {
      ASSERT_TRUE(store_->Apply(MakeWrite(call, {sequence}), &positions).ok());
      EXPECT_TRUE(positions.empty()) << "it has none yet";
    }
    CallWrite end = MakeWrite(call, {31});
    end.end = MakeEnd();
    ApplyOk(end);
    EXPECT_GT(store_->stats().records, 0);
    trouble_->Set(Kind::kNone);
    ASSERT_TRUE(store_->Drain(kLong));
    EXPECT_EQ(Sequences(call).size(), 31u);
    EXPECT_EQ(memory_->GetCall(call)->transcript, MakeEnd().transcript);
    EXPECT_EQ(store_->stats().bytes, 0);
    EXPECT_EQ(store_->stats().refused, 0);
    base::MutexLock lock(mutex_);
    EXPECT_EQ(replayed_to_, *memory_->HeadPosition());
  }
}

TEST_F(SpooledStoreTest, OnlyTheFirstWaitsForAStoreThatHangs) {
  OpenWithoutReplay();
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kHanging);
  const int before = trouble_->writes();
  for (int64_t sequence = 2; sequence <= 50; ++sequence) ApplyOk(MakeWrite("a", {sequence}));
  EXPECT_TRUE(Create("b").ok());
  EXPECT_FALSE(Create("c", call::Direction::kOutbound).ok());
  EXPECT_EQ(trouble_->writes(), before + 1);
}

TEST_F(SpooledStoreTest, WhatComesDuringAReplayGoesBehindIt) {
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kRefused);
  ApplyOk(MakeWrite("a", {2}));
  trouble_->Set(Kind::kNone);
  // The replay goes on meanwhile; were one of these to overtake it, it would leave a gap and be refused.
  for (int64_t sequence = 3; sequence <= 400; ++sequence) ApplyOk(MakeWrite("a", {sequence}));
  ASSERT_TRUE(store_->Drain(kLong));
  EXPECT_EQ(Sequences("a").size(), 400u);
  EXPECT_EQ(store_->stats().refused, 0);
}

TEST_F(SpooledStoreTest, NewInboundCallsAreTakenAndOthersAreNot) {
  OpenWithoutReplay();
  trouble_->Set(Kind::kRefused);
  const RequestKey key{"somebody", "id", "print"};
  const absl::Status outbound = Create("out", call::Direction::kOutbound, key);
  EXPECT_EQ(outbound.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(outbound.message()), HasSubstr("connection refused"));
  EXPECT_EQ(base::GetErrorInfo(outbound).reason, "STORE_UNAVAILABLE");
  EXPECT_EQ(Create("out", call::Direction::kOutbound).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Create("in with a key", call::Direction::kInbound, key).code(), absl::StatusCode::kUnavailable);
  const auto created = store_->CreateCall(MakeCall("in"), CreatedEvents("in"), absl::nullopt);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_FALSE(created->existed);
  EXPECT_TRUE(created->events.empty());
  EXPECT_EQ(created->call.call_id, "in");
  EXPECT_EQ(created->call.event_head, 1);
  EXPECT_EQ(store_->stats().records, 1);
}

TEST_F(SpooledStoreTest, CallsAreDialledAgainOnceAllIsReplayed) {
  trouble_->Set(Kind::kRefused);
  EXPECT_FALSE(Create("out", call::Direction::kOutbound).ok());
  trouble_->Set(Kind::kNone);
  ASSERT_TRUE(store_->Drain(kLong)) << "although nothing was spooled";
  EXPECT_TRUE(Create("out", call::Direction::kOutbound).ok());
  trouble_->Set(Kind::kRefused);
  ASSERT_TRUE(Create("in").ok());
  ApplyOk(MakeWrite("in", {2}));
  trouble_->Set(Kind::kNone);
  ASSERT_TRUE(store_->Drain(kLong));
  EXPECT_EQ(Sequences("in"), (std::vector<int64_t>{1, 2}));
  EXPECT_TRUE(Create("out 2", call::Direction::kOutbound).ok());
}

TEST_F(SpooledStoreTest, WhatIsSpooledIsReplayedAfterARestart) {
  OpenWithoutReplay();
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kRefused);
  ApplyOk(MakeWrite("a", {2}));
  ASSERT_TRUE(Create("b").ok());
  Open();  // The store is still away.
  EXPECT_EQ(store_->stats().records, 2);
  ApplyOk(MakeWrite("b", {2}));
  EXPECT_EQ(store_->stats().records, 3) << "behind the others, whether the store is back or not";
  trouble_->Set(Kind::kNone);
  options_.first_pause = options_.longest_pause = absl::Milliseconds(1);
  Open();
  ASSERT_TRUE(store_->Drain(kLong));
  EXPECT_EQ(Sequences("a"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(Sequences("b"), (std::vector<int64_t>{1, 2}));
}

TEST_F(SpooledStoreTest, ReplayedTwiceIsReplayedOnce) {
  OpenWithoutReplay();
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kLostReply);
  ApplyOk(MakeWrite("a", {2}));  // It is in the store already.
  trouble_->Set(Kind::kRefused);
  ASSERT_TRUE(Create("b").ok());
  ApplyOk(MakeWrite("b", {2}));
  // A replay that dies before it could take anything off: what was on the disk comes again.
  std::map<std::string, std::string> spooled;
  for (const std::string& path : disk_.Paths()) spooled[path] = disk_.Content(path);
  trouble_->Set(Kind::kNone);
  options_.first_pause = options_.longest_pause = absl::Milliseconds(1);
  Open();
  ASSERT_TRUE(store_->Drain(kLong));
  const int64_t head = *memory_->HeadPosition();
  store_.reset();
  for (const auto& [path, content] : spooled) disk_.SetContent(path, content);
  Open();
  ASSERT_EQ(store_->stats().records, 3);
  ASSERT_TRUE(store_->Drain(kLong));
  EXPECT_EQ(*memory_->HeadPosition(), head);
  EXPECT_EQ(store_->stats().refused, 0);
}

TEST_F(SpooledStoreTest, GhostsAreLookedForOnceAllIsReplayed) {
  OpenWithoutReplay();
  ASSERT_TRUE(Create("over").ok());
  ASSERT_TRUE(Create("ghost").ok());
  trouble_->Set(Kind::kRefused);
  CallWrite end = MakeWrite("over", {2});
  end.end = MakeEnd();
  ApplyOk(end);
  Open(/*start=*/false);
  const call::Termination lost = {
      call::EndReason::kProcessLost, call::Party::kSystem, call::Layer::kProcess, "", true, true};
  EXPECT_EQ(store_->CloseOpenCalls(lost, kStart, false).status().code(), absl::StatusCode::kUnavailable);
  trouble_->Set(Kind::kNone);
  const auto ghosts = store_->CloseOpenCalls(lost, kStart, false);
  ASSERT_TRUE(ghosts.ok()) << ghosts.status();
  ASSERT_EQ(ghosts->size(), 1u);
  EXPECT_EQ((*ghosts)[0].call_id, "ghost");
  EXPECT_EQ(memory_->GetCall("over")->termination->reason, call::EndReason::kNormalHangup);
  EXPECT_EQ(store_->stats().records, 0);
}

TEST_F(SpooledStoreTest, NothingOfAPersonComesBehindTheirErasure) {
  OpenWithoutReplay();
  trouble_->Set(Kind::kRefused);
  ASSERT_TRUE(Create("a").ok());
  CallWrite end = MakeWrite("a", {2});
  end.end = MakeEnd();
  ApplyOk(end);
  ASSERT_EQ(store_->EraseNumber("+15550001111", "somebody", kStart).status().code(), absl::StatusCode::kUnavailable);
  trouble_->Set(Kind::kNone);
  const auto erasure = store_->EraseNumber("+15550001111", "somebody", kStart);
  ASSERT_TRUE(erasure.ok()) << erasure.status();
  EXPECT_EQ(erasure->counts.calls, 1);
  EXPECT_EQ(store_->stats().records, 0);
  EXPECT_EQ(memory_->GetCall("a")->transcript, "");
}

TEST_F(SpooledStoreTest, WhatTheStoreRefusesForGoodIsKeptAndHoldsNothingUp) {
  OpenWithoutReplay();
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kRefused);
  ApplyOk(MakeWrite("nobody", {1}));
  CallWrite gap = MakeWrite("a", {9});
  gap.end = MakeEnd();
  ApplyOk(gap);
  ASSERT_TRUE(Create("b").ok());
  trouble_->Set(Kind::kNone);
  options_.first_pause = options_.longest_pause = absl::Milliseconds(1);
  Open();
  ASSERT_TRUE(store_->Drain(kLong));
  EXPECT_EQ(store_->stats().refused, 2);
  const std::string refused = disk_.Content("spool/spool.refused");
  EXPECT_EQ(std::count(refused.begin(), refused.end(), '\n'), 2);
  EXPECT_THAT(refused, HasSubstr("nobody"));
  EXPECT_EQ(Sequences("b").size(), 1u);
  EXPECT_TRUE(memory_->GetCall("a")->termination.has_value()) << "the call ends behind the gap";
}

// The call was taken away while its owner was cut off from the database.
TEST_F(SpooledStoreTest, OfAFormerOwnersRecordsOnlyWhatWasSaidIsApplied) {
  CallRecord call = MakeCall("a");
  call.owner = {"n1", 1};
  ASSERT_TRUE(store_->CreateCall(call, CreatedEvents("a"), absl::nullopt).ok());
  trouble_->Set(Kind::kRefused);
  CallWrite said = MakeWrite("a", {2});
  said.owner = Owner{"n1", 1};
  said.state = call::State::kInProgress;
  said.model_session_id = "session";
  said.transcript_items = {MakeItem("i1", 1)};
  ApplyOk(said);
  CallWrite nothing = MakeWrite("a", {3});
  nothing.owner = Owner{"n1", 1};
  nothing.transferred = true;
  ApplyOk(nothing);
  CallWrite end = MakeWrite("a", {4});
  end.owner = Owner{"n1", 1};
  end.end = MakeEnd();
  end.summary_due = true;
  ApplyOk(end);
  CallWrite settled = MakeWrite("a");
  settled.settlement.emplace();
  settled.settlement->cost = "0.01";
  settled.settlement->time = kStart;
  ApplyOk(settled);
  const auto all = [](const CallRecord&, absl::Time) { return true; };
  const call::Termination lost{
      call::EndReason::kProcessLost, call::Party::kSystem, call::Layer::kProcess, "its node is gone", true, true};
  ASSERT_EQ(memory_->CloseWhere(all, lost, kStart + absl::Seconds(40), false, 1, /*raise_epoch=*/true)->size(), 1);
  trouble_->Set(Kind::kNone);
  ASSERT_TRUE(store_->Drain(kLong));

  EXPECT_EQ(store_->stats().refused, 3);
  const std::string refused = disk_.Content("spool/spool.refused");
  EXPECT_EQ(std::count(refused.begin(), refused.end(), '\n'), 3) << "whole, for people";
  EXPECT_THAT(refused, HasSubstr("has another owner"));
  const CallRecord got = *memory_->GetCall("a");
  EXPECT_EQ(memory_->GetTranscript("a")->size(), 1);
  EXPECT_EQ(got.transcript, MakeEnd().transcript) << "as it was at the end";
  EXPECT_EQ(Sequences("a"), (std::vector<int64_t>{1, 2, 3})) << "the two of whoever took it away";
  EXPECT_EQ(got.termination->reason, call::EndReason::kProcessLost);
  EXPECT_EQ(got.end_time, kStart + absl::Seconds(40));
  EXPECT_EQ(got.model_session_id, "");
  EXPECT_FALSE(got.transferred);
  EXPECT_TRUE(memory_->ListSummaryJobs(absl::InfiniteFuture(), 10)->empty());
  EXPECT_EQ(got.settlement.cost, "0.01") << "nobody's in particular";
}

TEST_F(SpooledStoreTest, ARefusedRecordThatCannotBeKeptWaits) {
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kRefused);
  ApplyOk(MakeWrite("nobody", {1}));
  disk_.FailNext("open", 3);
  trouble_->Set(Kind::kNone);
  ASSERT_TRUE(store_->Drain(kLong));
  EXPECT_THAT(disk_.Content("spool/spool.refused"), HasSubstr("nobody"));
}

TEST_F(SpooledStoreTest, ARecordThatCannotBeReadIsKeptAside) {
  store_.reset();
  {
    auto log = SpoolLog::Open(options_.log);
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE((*log)->Append("{\"from\":\"the future\"}\n").ok());
  }
  Open();
  ASSERT_TRUE(store_->Drain(kLong));
  EXPECT_THAT(disk_.Content("spool/spool.refused"), HasSubstr("the future"));
}

TEST_F(SpooledStoreTest, BeyondItsBoundWritesAreTheCallersAgain) {
  options_.log.limit_bytes = 2000;
  OpenWithoutReplay();
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kRefused);
  int64_t sequence = 2;
  absl::Status status;
  for (; status.ok() && sequence < 1000; ++sequence) status = store_->Apply(MakeWrite("a", {sequence}), nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("full"));
  EXPECT_LE(store_->stats().bytes, 2000);
  trouble_->Set(Kind::kNone);
  options_.first_pause = options_.longest_pause = absl::Milliseconds(1);
  Open();
  ASSERT_TRUE(store_->Drain(kLong));
  ApplyOk(MakeWrite("a", {sequence - 1}));  // The one that was not taken, as a recorder does it.
  EXPECT_EQ(Sequences("a").size(), static_cast<size_t>(sequence - 1));
}

TEST_F(SpooledStoreTest, WithBothAwayTheWriteIsTheCallers) {
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kRefused);
  disk_.FailNext("append", 1);
  const absl::Status status = store_->Apply(MakeWrite("a", {2}), nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("No space left"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("connection refused"));
}

TEST_F(SpooledStoreTest, WritesGoPastTheSpoolOnlyWhenItIsGone) {
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kRefused);
  CallWrite old = MakeWrite("a");
  old.transcript_items = {MakeItem("item", 1, "old")};
  ApplyOk(old);
  disk_.FailNext("remove", 3);
  trouble_->Set(Kind::kNone);
  ASSERT_TRUE(store_->Drain(kLong));
  CallWrite newer = MakeWrite("a");
  newer.transcript_items = {MakeItem("item", 1, "newer")};
  ApplyOk(newer);
  // Power goes now: were the spool's file back, it would bring the old text again.
  std::mt19937 random(1);
  store_.reset();
  disk_.LosePower(random);
  Open();
  ASSERT_TRUE(store_->Drain(kLong));
  EXPECT_EQ((*memory_->GetTranscript("a"))[0].text_heard, "newer");
}

TEST_F(SpooledStoreTest, StopsWhileTheStoreIsAway) {
  OpenWithoutReplay();
  ASSERT_TRUE(Create("a").ok());
  trouble_->Set(Kind::kRefused);
  ApplyOk(MakeWrite("a", {2}));
  EXPECT_FALSE(store_->Drain(absl::Milliseconds(10)));
  store_->Stop();
  store_->Stop();
  EXPECT_EQ(store_->stats().records, 1);
}

// Outages, losses of power and restarts in any order: of what was acknowledged, all is in the store at the end, once
// and in order, and newer texts are not overwritten by older ones.
TEST_F(SpooledStoreTest, LosesNothingInAnyOrderOfTroubles) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 random(seed);
    std::map<std::string, int64_t> acknowledged;  // Per call the highest sequence.
    std::string live;                             // The call of this process.
    std::map<std::string, int64_t> unsure_of;
    for (int step = 0; step < 120; ++step) {
      switch (random() % 12) {
        case 0: trouble_->Set(static_cast<Kind>(random() % 5)); break;
        case 1: trouble_->Set(Kind::kNone); break;
        case 2: {
          disk_.StopAfter(static_cast<int>(random() % 20));
          for (int i = 0; i < 5 && !live.empty() && acknowledged.count(live) > 0; ++i) {
            const int64_t sequence = acknowledged[live] + 1;
            CallWrite write = MakeWrite(live, {sequence});
            write.transcript_items = {MakeItem("item", 1, absl::StrCat(sequence))};
            unsure_of[live] = sequence;
            if (!store_->Apply(write, nullptr).ok()) break;  // Nobody is there any more who would try it again.
            acknowledged[live] = sequence;
          }
          store_.reset();
          disk_.LosePower(random);
          Open();
          live.clear();
          break;
        }
        default: {
          if (live.empty()) {
            live = absl::StrCat(seed, "/", step);
            if (!Create(live).ok()) {
              live.clear();
              break;
            }
            acknowledged[live] = 1;
          }
          const int64_t sequence = acknowledged[live] + 1;
          CallWrite write = MakeWrite(live, {sequence});
          write.transcript_items = {MakeItem("item", 1, absl::StrCat(sequence))};
          ApplyOk(write);
          acknowledged[live] = sequence;
        }
      }
    }
    trouble_->Set(Kind::kNone);
    ASSERT_TRUE(store_->Drain(kLong));
    EXPECT_EQ(store_->stats().refused, 0);
    for (const auto& [call, sequence] : acknowledged) {
      const auto got = static_cast<int64_t>(Sequences(call).size());
      EXPECT_TRUE(got == sequence || (got == sequence + 1 && unsure_of[call] == got)) << call << ": " << got;
      if (got > 1) {
        EXPECT_EQ((*memory_->GetTranscript(call))[0].text_heard, absl::StrCat(got));
      }
    }
  }
}

}  // namespace
}  // namespace callbridge::store
