#include "src/store/postgres/postgres_node_table.h"

#include <atomic>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/store/postgres/postgres_store.h"
#include "src/store/postgres/schema.h"
#include "tests/contract/node_table_contract.h"
#include "tests/store/postgres/postgres_server.h"

namespace callbridge::store {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

const std::string& Database() {
  static const std::string* const uri = new std::string(PostgresServer::Shared().NewStoreDatabase());
  return *uri;
}

std::unique_ptr<CallStore> OpenStore(const std::string& uri) {
  PostgresStore::Options options;
  options.sharing = PostgresStore::Sharing::kNodes;
  auto store = PostgresStore::Open(uri, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return *std::move(store);
}

std::unique_ptr<NodeTable> OpenTable(const std::string& uri) {
  auto table = PostgresNodeTable::Open(uri, Limits());
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

void Empty() {
  PostgresServer::Shared().Query(
      Database(),
      "DELETE FROM summary_jobs; DELETE FROM call_events; DELETE FROM call_transfers; DELETE FROM transcript_items; "
      "DELETE FROM call_logs; DELETE FROM leads; DELETE FROM hangups; DELETE FROM carrier_claims; DELETE FROM nodes");
}

void AdvanceClock(absl::Duration by) {
  const std::string less = absl::StrCat(" - interval '", absl::ToInt64Microseconds(by), " microseconds'");
  PostgresServer::Shared().Query(
      Database(), absl::StrCat("UPDATE nodes SET started_at = started_at", less, ", renewed_at = renewed_at", less,
                               ", lease_until = lease_until", less, "; UPDATE call_logs SET stored_at = stored_at",
                               less, "; UPDATE carrier_claims SET claimed_at = claimed_at", less,
                               "; UPDATE hangups SET due_at = due_at", less));
}

// The server's clock cannot be moved: everything else is.
class PostgresUnderTest final : public NodeTableUnderTest {
 public:
  PostgresUnderTest() {
    Empty();
    calls_ = OpenStore(Database());
    nodes_ = OpenTable(Database());
  }
  NodeTable& nodes() override { return *nodes_; }
  CallStore& calls() override { return *calls_; }
  void Advance(absl::Duration by) override { AdvanceClock(by); }

 private:
  std::unique_ptr<CallStore> calls_;
  std::unique_ptr<NodeTable> nodes_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, NodeTableContract,
                         testing::Values(NodeTableFactory{"postgres",
                                                          [] { return std::make_unique<PostgresUnderTest>(); },
                                                          PostgresServer::WhyMissing()}),
                         [](const auto& info) { return info.param.name; });

// --- Several at once

class PostgresNodeTableTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresServer::WhyMissing().empty()) GTEST_SKIP() << PostgresServer::WhyMissing();
    Empty();
    store_ = OpenStore(Database());
    one_ = OpenTable(Database());
    other_ = OpenTable(Database());
  }
  static std::string Query(const std::string& sql) { return PostgresServer::Shared().Query(Database(), sql); }
  void Create(const std::string& id, const Owner& owner) {
    CallRecord call = MakeCall(id, absl::StrCat("+1555", 1000000 + created_++));
    call.owner = owner;
    call.carrier_call_id = "u-" + id;
    const auto created = store_->CreateCall(call, CreatedEvents(id), absl::nullopt);
    ASSERT_TRUE(created.ok()) << created.status();
  }
  static absl::StatusOr<NodeTable::Reaped> Reap(NodeTable& table, int limit = 1000) {
    return table.Reap(kGrace, NodeLost(), kStart + absl::Seconds(70), false, limit);
  }
  static void WaitForLocks(int waiting) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (Query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") !=
               absl::StrCat(waiting, ";") &&
           absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  std::unique_ptr<CallStore> store_;
  std::unique_ptr<NodeTable> one_;
  std::unique_ptr<NodeTable> other_;
  int created_ = 0;
};

TEST_F(PostgresNodeTableTest, TwoReapersAtOnceCloseEachCallOnce) {
  constexpr int kCalls = 60;
  ASSERT_TRUE(one_->Register(MakeNode("dead"), kLease).ok());
  for (int i = 0; i < kCalls; ++i) Create(absl::StrCat("c", i), {"dead", 1});
  AdvanceClock(kLease + kGrace + absl::Seconds(5));
  std::atomic<int> closed{0};
  std::vector<std::thread> reapers;
  for (NodeTable* table : {one_.get(), other_.get()}) {
    reapers.emplace_back([&closed, table] {
      const absl::Time deadline = absl::Now() + kPatience;
      while (closed < kCalls && absl::Now() < deadline) {
        const auto reaped = Reap(*table, 7);
        ASSERT_TRUE(reaped.ok()) << reaped.status();
        closed += static_cast<int>(reaped->calls.size());
      }
    });
  }
  for (std::thread& reaper : reapers) reaper.join();
  EXPECT_EQ(closed, kCalls);
  EXPECT_EQ(Query("SELECT count(*) FROM call_events WHERE type = 'call_ended'"), absl::StrCat(kCalls, ";"));
  EXPECT_EQ(Query("SELECT DISTINCT state, owner_epoch, event_head FROM call_logs"), "failed,2,3;");
  EXPECT_EQ(Query("SELECT count(*) FROM hangups"), absl::StrCat(kCalls, ";"));
}

TEST_F(PostgresNodeTableTest, WhileOneReapsTheOtherIsTold) {
  ASSERT_TRUE(one_->Register(MakeNode("silent"), kLease).ok());
  AdvanceClock(kLease + kGrace + absl::Seconds(5));
  ASSERT_TRUE(one_->Register(MakeNode("dead"), kLease).ok());
  auto reaper = Connection::Open(*Target::Parse(Database()), Limits());
  ASSERT_TRUE((*reaper)
                  ->Execute(absl::StrCat("BEGIN; SELECT pg_advisory_xact_lock(", kLockSpace, ", ", kReaperLock, ")"))
                  .ok());
  auto reaped = Reap(*one_);
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  EXPECT_TRUE(reaped->busy);
  EXPECT_EQ(Query("SELECT count(*) FROM nodes WHERE state = 'gone'"), "0;") << "nothing was done";
  Create("c1", {"dead", 1});
  ASSERT_TRUE(one_->Leave("dead").ok());
  reaped = Reap(*one_);
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  EXPECT_TRUE(reaped->busy);
  EXPECT_TRUE(reaped->calls.empty());
  ASSERT_TRUE((*reaper)->Execute("ROLLBACK").ok());
  reaped = Reap(*one_);
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  EXPECT_FALSE(reaped->busy);
  EXPECT_EQ(reaped->calls.size(), 1);
}

TEST_F(PostgresNodeTableTest, OfTwoThatClaimACallAtOnceOneHasIt) {
  for (int round = 0; round < 30; ++round) {
    const std::string id = absl::StrCat("u", round);
    std::string told[2];
    std::thread first([&] { told[0] = *one_->ClaimCarrierCall(id, "n1"); });
    std::thread second([&] { told[1] = *other_->ClaimCarrierCall(id, "n2"); });
    first.join();
    second.join();
    EXPECT_EQ(told[0], told[1]);
  }
  EXPECT_EQ(Query("SELECT count(*) FROM carrier_claims"), "30;");
}

// An owner that is thought to be dead and writes as fast as it can: each write is either there, before the end, or was
// refused; and whoever reads the log of all calls sees them in order.
TEST_F(PostgresNodeTableTest, AFencedOwnerThatGoesOnWritingIsStoppedExactly) {
  constexpr int kCalls = 12;
  ASSERT_TRUE(one_->Register(MakeNode("dead"), kLease).ok());
  for (int i = 0; i < kCalls; ++i) Create(absl::StrCat("c", i), {"dead", 1});
  ASSERT_TRUE(one_->Leave("dead").ok());
  std::vector<int64_t> written(kCalls, 1);
  std::vector<std::thread> writers;
  std::atomic<int> writing{0};
  for (int t = 0; t < 3; ++t) {
    writers.emplace_back([&, t] {
      auto own = OpenStore(Database());
      const absl::Time deadline = absl::Now() + kPatience;
      std::set<int> fenced;
      while (fenced.size() < kCalls / 3 && absl::Now() < deadline) {
        for (int c = t; c < kCalls; c += 3) {
          if (fenced.count(c) > 0) continue;
          CallWrite write = MakeWrite(absl::StrCat("c", c), {written[c] + 1});
          write.owner = Owner{"dead", 1};
          const absl::Status status = own->Apply(write, nullptr);
          if (status.ok()) {
            ++written[c];
            ++writing;
          } else {
            EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
            fenced.insert(c);
          }
        }
      }
      EXPECT_EQ(fenced.size(), kCalls / 3);
    });
  }
  const absl::Time deadline = absl::Now() + kPatience;
  while (writing < 3 * kCalls && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
  int closed = 0;
  while (closed < kCalls && absl::Now() < deadline) {
    const auto reaped = Reap(*one_, 5);
    ASSERT_TRUE(reaped.ok()) << reaped.status();
    closed += static_cast<int>(reaped->calls.size());
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(closed, kCalls);
  for (int c = 0; c < kCalls; ++c) {
    EXPECT_EQ(store_->GetCall(absl::StrCat("c", c))->event_head, written[c] + 2) << "and the two events of the end";
  }
  std::map<std::string, int64_t> heads;
  const auto events = store_->ReadEvents(0, 100'000);
  ASSERT_TRUE(events.ok()) << events.status();
  for (const events::StoredEvent& event : *events) {
    EXPECT_EQ(event.event.sequence, ++heads[event.event.call_id]) << "in the order of the log";
  }
}

// The reaper's transaction got its id with the first call's row; what was committed to another one since then has a
// higher position than its events would have.
TEST_F(PostgresNodeTableTest, ACallThatWasWrittenToMeanwhileWaitsForTheNextTransaction) {
  ASSERT_TRUE(one_->Register(MakeNode("dead"), kLease).ok());
  Create("c1", {"dead", 1});
  ASSERT_TRUE(one_->Leave("dead").ok());
  // As if a later transaction had written its last event.
  Query("UPDATE call_events SET position = position + (1000 << 16)");
  auto reaped = Reap(*one_);
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  EXPECT_TRUE(reaped->calls.empty());
  EXPECT_TRUE(reaped->more);
  EXPECT_EQ(Query("SELECT state, owner_epoch FROM call_logs"), "ringing,1;");
  Query("UPDATE call_events SET position = position - (1000 << 16)");
  reaped = Reap(*one_);
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  EXPECT_EQ(reaped->calls.size(), 1);
}

TEST_F(PostgresNodeTableTest, ACallThatSomebodyWritesToIsLeftOut) {
  ASSERT_TRUE(one_->Register(MakeNode("dead"), kLease).ok());
  Create("c1", {"dead", 1});
  Create("c2", {"dead", 1});
  ASSERT_TRUE(one_->Leave("dead").ok());
  auto writer = Connection::Open(*Target::Parse(Database()), Limits());
  ASSERT_TRUE((*writer)->Execute("BEGIN; UPDATE call_logs SET agent = agent WHERE id = 'c1'").ok());
  auto reaped = Reap(*one_);
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  ASSERT_EQ(reaped->calls.size(), 1);
  EXPECT_EQ(reaped->calls[0].call_id, "c2");
  ASSERT_TRUE((*writer)->Execute("COMMIT").ok());
  reaped = Reap(*one_);
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  EXPECT_EQ(reaped->calls.size(), 1);
}

TEST_F(PostgresNodeTableTest, ARenewalWaitsBehindNothingElse) {
  one_ = *PostgresNodeTable::Open(Database(), {absl::Seconds(2), absl::Minutes(1), absl::Minutes(1)});
  ASSERT_TRUE(one_->Register(MakeNode("n1"), kLease).ok());
  // Somebody holds what claims need: both other connections wait, for longer than anybody waits for one.
  auto gate = Connection::Open(*Target::Parse(Database()), Limits());
  ASSERT_TRUE((*gate)->Execute("BEGIN; LOCK TABLE carrier_claims IN EXCLUSIVE MODE").ok());
  std::vector<std::thread> claims;
  for (int i = 0; i < 3; ++i) {
    claims.emplace_back([this, i] { one_->ClaimCarrierCall(absl::StrCat("u", i), "n1").status().IgnoreError(); });
  }
  WaitForLocks(2);
  const auto there = one_->Renew("n1", NodeState::kUp, 0, kLease);
  EXPECT_TRUE(there.ok()) << there.status();
  ASSERT_TRUE((*gate)->Execute("COMMIT").ok());
  for (std::thread& claim : claims) claim.join();
}

TEST_F(PostgresNodeTableTest, OfTwoThatRegisterOneAddressAtOnceOneIsThere) {
  for (int round = 0; round < 20; ++round) {
    NodeRecord first = MakeNode(absl::StrCat("a", round));
    NodeRecord second = MakeNode(absl::StrCat("b", round));
    second.address = first.address;
    std::thread thread([&] { EXPECT_TRUE(one_->Register(first, kLease).ok()); });
    EXPECT_TRUE(other_->Register(second, kLease).ok());
    thread.join();
  }
  EXPECT_EQ(Query("SELECT count(*) FROM nodes WHERE state = 'up'"), "20;");
}

TEST_F(PostgresNodeTableTest, CallsOfAProcessThatHasTheDatabaseAloneAreNotReaped) {
  store_.reset();
  auto alone = PostgresStore::Open(Database());
  ASSERT_TRUE(alone.ok()) << alone.status();
  ASSERT_TRUE(one_->Register(MakeNode("silent"), kLease).ok());
  AdvanceClock(absl::Hours(1));
  EXPECT_EQ(Reap(*one_).status().code(), absl::StatusCode::kFailedPrecondition) << "also where there is no call";
  EXPECT_EQ(Query("SELECT state FROM nodes"), "up;");
  ASSERT_TRUE((*alone)->CreateCall(MakeCall("c1"), {}, absl::nullopt).ok());
  AdvanceClock(absl::Hours(1));
  EXPECT_EQ(Reap(*one_).status().code(), absl::StatusCode::kFailedPrecondition);
  alone->reset();
  store_ = OpenStore(Database());
  const auto reaped = Reap(*one_);
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  EXPECT_EQ(reaped->calls.size(), 1) << "what it has left";
}

TEST_F(PostgresNodeTableTest, NodesThatAreLongGoneAreForgotten) {
  ASSERT_TRUE(one_->Register(MakeNode("old"), kLease).ok());
  ASSERT_TRUE(one_->Register(MakeNode("silent"), kLease).ok());
  ASSERT_TRUE(one_->Leave("old").ok());
  AdvanceClock(absl::Hours(26));
  ASSERT_TRUE(one_->Register(MakeNode("new"), kLease).ok());
  ASSERT_TRUE(one_->Leave("new").ok());
  ASSERT_TRUE(Reap(*one_).ok());
  EXPECT_EQ(Query("SELECT id FROM nodes ORDER BY id"), "new;") << "the silent one was found dead a moment before";
}

TEST_F(PostgresNodeTableTest, OpeningSaysWhatIsWrong) {
  const std::string empty = PostgresServer::Shared().NewDatabase();
  EXPECT_EQ(PostgresNodeTable::Open(empty, Limits()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(PostgresNodeTable::Open("postgresql://u:secret@h/d?nonsense=1", Limits()).status().code(),
            absl::StatusCode::kInvalidArgument);
  const absl::Status gone = PostgresNodeTable::Open(empty + "_gone", Limits()).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(gone.message(), "_gone")) << gone;
}

}  // namespace
}  // namespace callbridge::store
