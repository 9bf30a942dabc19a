#include "src/store/postgres/postgres_store.h"

#include <signal.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/store/postgres/postgres_server.h"

namespace callbridge::store {
namespace {

const absl::Time kStart = absl::FromUnixMicros(1'700'000'000'123'456);
constexpr absl::Duration kPatience = absl::Seconds(30);

CallRecord MakeCall(const std::string& id, const std::string& from = "+15550001111") {
  CallRecord call;
  call.call_id = id;
  call.direction = call::Direction::kInbound;
  call.from = from;
  call.to = "+15559990000";
  call.agent = "desk";
  call.create_time = kStart;
  return call;
}

CallWrite Append(const std::string& id, int64_t sequence) {
  CallWrite write;
  write.call_id = id;
  write.events = {{id, sequence, kStart, call::DtmfReceived{"1"}}};
  return write;
}

class PostgresStoreTest : public testing::Test {
 protected:
  using Sharing = PostgresStore::Sharing;

  void SetUp() override {
    if (!PostgresServer::WhyMissing().empty()) GTEST_SKIP() << PostgresServer::WhyMissing();
    uri_ = server().NewStoreDatabase();
    options_.owner_patience = absl::Seconds(10);
    short_ = options_;
    short_.limits = {absl::Milliseconds(600), absl::Milliseconds(600), absl::Milliseconds(300)};
    short_.sharing = Sharing::kNone;
    shared_ = options_;
    shared_.sharing = Sharing::kNone;
    shared_.write_connections = 8;
  }
  static PostgresServer& server() { return PostgresServer::Shared(); }
  std::unique_ptr<CallStore> Open(const PostgresStore::Options& options) {
    auto store = PostgresStore::Open(uri_, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::unique_ptr<CallStore> Open() { return Open(options_); }
  std::string Query(const std::string& sql) { return server().Query(uri_, sql); }
  // Ends all sessions in the database but the asking one's, and waits until they are gone.
  void EndSessions() {
    Query(
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()");
  }
  static void Create(CallStore& store, const std::string& id, const std::string& from = "+15550001111") {
    const auto created = store.CreateCall(MakeCall(id, from), {}, absl::nullopt);
    ASSERT_TRUE(created.ok()) << created.status();
  }
  // Until it is OK, as the recorder would do it.
  template <typename Try>
  static void ExpectSoonOk(Try attempt) {
    absl::Status status = attempt();
    for (const absl::Time deadline = absl::Now() + kPatience; !status.ok() && absl::Now() < deadline;) {
      absl::SleepFor(absl::Milliseconds(20));
      status = attempt();
    }
    EXPECT_TRUE(status.ok()) << status;
  }

  std::string uri_;
  PostgresStore::Options options_;
  PostgresStore::Options short_;   // Limits that a test can wait for.
  PostgresStore::Options shared_;  // Many writers at once.
};

// --- The log of all calls

TEST_F(PostgresStoreTest, ReadersStopBeforeATransactionThatStillRuns) {
  auto store = Open();
  Create(*store, "c1");
  Create(*store, "c2");
  // Somebody else has begun to write, with an earlier transaction id, and is slow to commit.
  auto slow = Connection::Open(*Target::Parse(uri_), Limits());
  ASSERT_TRUE(slow.ok());
  ASSERT_TRUE((*slow)
                  ->Execute("BEGIN; UPDATE call_logs SET event_head = 1 WHERE id = 'c1'; "
                            "INSERT INTO call_events (position, call_id, sequence, type, occurred_at, payload) VALUES "
                            "(pg_current_xact_id()::text::bigint << 16, 'c1', 1, 'dtmf_received', now(), '{}')")
                  .ok());
  std::vector<int64_t> positions;
  ASSERT_TRUE(store->Apply(Append("c2", 1), &positions).ok());
  EXPECT_EQ(store->ReadCallEvents("c2", 0, 10)->size(), 1) << "the call's own are there at once";
  EXPECT_TRUE(store->ReadEvents(0, 10)->empty()) << "c2's would be read before c1's, which comes to be in front of it";
  EXPECT_EQ(*store->HeadPosition(), 0);
  ASSERT_TRUE((*slow)->Execute("COMMIT").ok());
  const auto events = store->ReadEvents(0, 10);
  ASSERT_EQ(events->size(), 2);
  EXPECT_EQ((*events)[0].event.call_id, "c1");
  EXPECT_EQ((*events)[1].event.call_id, "c2");
  EXPECT_EQ((*events)[1].position, positions.at(0));
  EXPECT_EQ(*store->HeadPosition(), positions.at(0));
}

TEST_F(PostgresStoreTest, ATransactionThatOnlyReadsHoldsNothingBack) {
  auto store = Open();
  auto reader = Connection::Open(*Target::Parse(uri_), Limits());
  ASSERT_TRUE((*reader)->Execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM call_logs").ok());
  Create(*store, "c1");
  ASSERT_TRUE(store->Apply(Append("c1", 1), nullptr).ok());
  EXPECT_EQ(store->ReadEvents(0, 10)->size(), 1);
}

TEST_F(PostgresStoreTest, EightWritersLeaveNoGapAndAReaderMissesNothing) {
  constexpr int kWriters = 8;
  constexpr int kWrites = 60;
  auto store = Open(shared_);
  for (int w = 0; w < kWriters; ++w) Create(*store, absl::StrCat("c", w), absl::StrCat("+1555000", 1000 + w));
  std::atomic<int> running{kWriters};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const std::string id = absl::StrCat("c", w);
      for (int i = 1; i <= kWrites; ++i) {
        CallWrite write = Append(id, i);
        write.summary = absl::StrCat(i);
        const absl::Status status = store->Apply(write, nullptr);
        EXPECT_TRUE(status.ok()) << status;
      }
      --running;
    });
  }
  // What has been read is final: nothing appears behind a position that was returned.
  std::vector<events::StoredEvent> seen;
  for (bool last = false; !last;) {
    last = running == 0;  // One more round after the last write.
    for (size_t before = seen.size() + 1; before != seen.size();) {
      before = seen.size();
      const auto more = store->ReadEvents(seen.empty() ? 0 : seen.back().position, 5);
      ASSERT_TRUE(more.ok()) << more.status();
      seen.insert(seen.end(), more->begin(), more->end());
    }
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_EQ(seen.size(), kWriters * kWrites);
  std::map<std::string, int64_t> heads;
  std::set<int64_t> positions;
  for (const events::StoredEvent& event : seen) {
    EXPECT_EQ(event.event.sequence, ++heads[event.event.call_id]);
    EXPECT_TRUE(positions.insert(event.position).second);
  }
}

TEST_F(PostgresStoreTest, EightAtOnceWithTheSameEventAppendItOnce) {
  auto store = Open(shared_);
  Create(*store, "c1");
  for (int64_t sequence = 1; sequence <= 10; ++sequence) {
    std::vector<std::thread> writers;
    std::vector<std::vector<int64_t>> positions(8);
    for (auto& into : positions) {
      writers.emplace_back([&, into = &into] {
        const absl::Status status = store->Apply(Append("c1", sequence), into);
        EXPECT_TRUE(status.ok()) << status;
      });
    }
    for (std::thread& writer : writers) writer.join();
    for (const auto& got : positions) EXPECT_EQ(got, positions[0]);
  }
  EXPECT_EQ(store->ReadEvents(0, 100)->size(), 10);
}

// --- The same request, twice at once

TEST_F(PostgresStoreTest, EightAtOnceWithOneRequestMakeOneCall) {
  auto one = Open(shared_);
  auto other = Open(shared_);  // As another process would.
  for (int round = 0; round < 10; ++round) {
    const RequestKey key{"crm", absl::StrCat("r", round), "f"};
    std::vector<std::thread> threads;
    std::vector<std::string> ids(8);
    std::atomic<int> made{0};
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const std::string id = absl::StrCat("c", round, "-", t);
        const auto created =
            (t % 2 == 0 ? one : other)->CreateCall(MakeCall(id), {{id, 1, kStart, call::CallCreated{}}}, key);
        ASSERT_TRUE(created.ok()) << created.status();
        ids[t] = created->call.call_id;
        if (!created->existed) ++made;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
    for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  }
  EXPECT_EQ(Query("SELECT count(*) FROM call_logs"), "10;");
  EXPECT_EQ(Query("SELECT count(*) FROM call_events"), "10;");
}

TEST_F(PostgresStoreTest, WhoeverWaitsForARequestThatFailsMakesTheCall) {
  auto store = Open(shared_);
  auto rival = Connection::Open(*Target::Parse(uri_), Limits());
  ASSERT_TRUE((*rival)
                  ->Execute("BEGIN; INSERT INTO call_logs (id, direction, from_number, to_number, agent, state, "
                            "created_at) VALUES ('rival', 'inbound', '', '', '', 'ringing', now()); "
                            "INSERT INTO call_requests VALUES ('crm', 'r', 'f', 'rival', now())")
                  .ok());
  std::thread waiting([&] {
    const auto created = store->CreateCall(MakeCall("c1"), {}, RequestKey{"crm", "r", "f"});
    ASSERT_TRUE(created.ok()) << created.status();
    EXPECT_FALSE(created->existed);
  });
  const absl::Time deadline = absl::Now() + kPatience;
  while (Query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0;" &&
         absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  ASSERT_TRUE((*rival)->Execute("ROLLBACK").ok());
  waiting.join();
  EXPECT_EQ(Query("SELECT call_id FROM call_requests"), "c1;");
}

TEST_F(PostgresStoreTest, ACallWhoseAnswerWasLostIsStillOurs) {
  // The server commits, and the answer comes after the limit: a trigger at the end of the transaction is slow once.
  auto store = Open(short_);
  Query("CREATE SEQUENCE once");
  server().Query(uri_, "CREATE TABLE gate (x int)");
  auto gate = Connection::Open(*Target::Parse(uri_), {absl::Seconds(3), absl::Seconds(3), absl::Seconds(3)});
  ASSERT_TRUE(
      (*gate)
          ->Execute("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    "IF nextval('once') = 1 THEN SET LOCAL statement_timeout = 0; PERFORM pg_sleep(1.5); END IF; "
                    "RETURN NULL; END $$")
          .ok());
  ASSERT_TRUE((*gate)
                  ->Execute("CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON call_logs DEFERRABLE INITIALLY DEFERRED "
                            "FOR EACH ROW EXECUTE FUNCTION slow()")
                  .ok());
  const std::vector<call::Event> events = {{"c1", 1, kStart, call::CallCreated{}}};
  const RequestKey key{"crm", "r", "f"};
  const absl::Status lost = store->CreateCall(MakeCall("c1"), events, key).status();
  EXPECT_EQ(lost.code(), absl::StatusCode::kUnavailable) << lost;
  absl::optional<CallStore::Created> created;
  ExpectSoonOk([&] {
    auto again = store->CreateCall(MakeCall("c1"), events, key);
    if (again.ok()) created = *std::move(again);
    return again.status();
  });
  ASSERT_TRUE(created.has_value());
  EXPECT_FALSE(created->existed) << "nobody else has dialled it";
  ASSERT_EQ(created->events.size(), 1);
  EXPECT_EQ(created->events[0].position, store->ReadCallEvents("c1", 0, 1)->at(0).position);
  EXPECT_TRUE(store->CreateCall(MakeCall("c1"), events, key)->existed) << "from now on it did";
  EXPECT_EQ(Query("SELECT count(*) FROM call_logs"), "1;");
}

// --- Erasure

TEST_F(PostgresStoreTest, WhatIsWrittenDuringAnErasureIsErasedToo) {
  shared_.limits = {kPatience, kPatience, kPatience};
  auto store = Open(shared_);
  Create(*store, "c1");
  CallWrite end = Append("c1", 1);
  end.end.emplace();
  end.end->end_time = kStart;
  ASSERT_TRUE(store->Apply(end, nullptr).ok());
  const std::string lead_id = store->FindLead("+15550001111")->lead_id;
  // The erasure stands still before its note, when all rows are changed and nothing is committed.
  auto gate = Connection::Open(*Target::Parse(uri_), Limits());
  ASSERT_TRUE((*gate)->Execute("BEGIN; LOCK TABLE erasures").ok());
  const auto wait_for = [this](int waiting) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (Query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") !=
               absl::StrCat(waiting, ";") &&
           absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(5));
    }
  };
  std::thread erasing([&] { EXPECT_TRUE(store->EraseNumber("+15550001111", "me", kStart).ok()); });
  wait_for(1);
  std::thread writing([&] {
    CallWrite late = Append("c1", 2);
    late.summary = "secret";
    EXPECT_TRUE(store->Apply(late, nullptr).ok());
  });
  std::thread calling([&] { Create(*store, "c2"); });
  wait_for(3);
  ASSERT_TRUE((*gate)->Execute("COMMIT").ok());
  for (std::thread* thread : {&erasing, &writing, &calling}) thread->join();
  EXPECT_EQ(store->GetCall("c1")->summary, "");
  EXPECT_TRUE(store->ReadCallEvents("c1", 1, 1)->at(0).erased);
  EXPECT_NE(store->GetCall("c2")->lead_id, lead_id) << "whoever calls again is somebody new";
  EXPECT_EQ(store->GetCall("c2")->from, "+15550001111");
}

// --- A database that is away

TEST_F(PostgresStoreTest, AFrozenServerIsUnavailableWithinTheLimitAndGoodAgain) {
  auto store = Open(short_);
  Create(*store, "c1");
  ASSERT_TRUE(store->GetCall("c1").ok());
  server().Freeze();
  const absl::Time begin = absl::Now();
  EXPECT_EQ(store->Apply(Append("c1", 1), nullptr).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->GetCall("c1").status().code(), absl::StatusCode::kUnavailable);
  const absl::Status late = store->Apply(Append("c1", 1), nullptr);
  EXPECT_EQ(late.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(late.message(), "does not answer")) << late;
  // Three attempts; each may wait for an old connection and for a new one.
  EXPECT_LT(absl::Now() - begin, absl::Seconds(8));
  server().Thaw();
  ExpectSoonOk([&] { return store->Apply(Append("c1", 1), nullptr); });
  ExpectSoonOk([&] { return store->GetCall("c1").status(); });
  EXPECT_EQ(store->GetCall("c1")->event_head, 1) << "however many of the attempts came through";
  EXPECT_EQ(Query("SELECT count(*) FROM call_events"), "1;");
}

TEST_F(PostgresStoreTest, ARestartInBetweenIsNotNoticed) {
  auto store = Open();
  Create(*store, "c1");
  ASSERT_TRUE(store->GetCall("c1").ok());
  server().Stop();
  EXPECT_EQ(store->Apply(Append("c1", 1), nullptr).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->GetCall("c1").status().code(), absl::StatusCode::kUnavailable);
  server().Start();
  EXPECT_TRUE(store->Apply(Append("c1", 1), nullptr).ok());
  EXPECT_TRUE(store->GetCall("c1").ok());
  server().Stop();
  server().Start();
  const absl::Status status = store->Apply(Append("c1", 2), nullptr);
  EXPECT_TRUE(status.ok()) << "an old connection that turns out to be dead is made again: " << status;
}

TEST_F(PostgresStoreTest, SessionsThatAreEndedAreMadeAgain) {
  auto store = Open();
  Create(*store, "c1");
  for (int64_t sequence = 1; sequence <= 5; ++sequence) {
    EndSessions();
    const absl::Status status = store->Apply(Append("c1", sequence), nullptr);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(store->GetCall("c1").ok());
  }
}

TEST_F(PostgresStoreTest, AServerThatIsReadOnlyIsUnavailableForWrites) {
  auto store = Open(short_);
  Create(*store, "c1");
  const std::string name = uri_.substr(uri_.rfind('/') + 1);
  Query(absl::StrCat("ALTER DATABASE ", name, " SET default_transaction_read_only = on"));
  EndSessions();
  const absl::Status status = store->Apply(Append("c1", 1), nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "read-only")) << status;
  EXPECT_EQ(store->CreateCall(MakeCall("c2"), {}, absl::nullopt).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(store->GetCall("c1").ok());
  Query(absl::StrCat("SET default_transaction_read_only = off; ALTER DATABASE ", name,
                     " RESET default_transaction_read_only"));
  ExpectSoonOk([&] { return store->Apply(Append("c1", 1), nullptr); });
}

TEST_F(PostgresStoreTest, TooManyConnectionsAreUnavailable) {
  auto store = Open(short_);
  Create(*store, "c1");
  const std::string name = uri_.substr(uri_.rfind('/') + 1);
  Query("CREATE ROLE clerk LOGIN");
  Query("GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk");
  Query("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO clerk");
  store.reset();
  uri_.replace(uri_.find("callbridge@"), 11, "clerk@");
  store = Open(short_);
  uri_.replace(uri_.find("clerk@"), 6, "callbridge@");
  EndSessions();
  Query(absl::StrCat("ALTER DATABASE ", name, " CONNECTION LIMIT 0"));
  const absl::Status status = store->Apply(Append("c1", 1), nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "too many connections")) << status;
  Query(absl::StrCat("ALTER DATABASE ", name, " CONNECTION LIMIT -1"));
  ExpectSoonOk([&] { return store->Apply(Append("c1", 1), nullptr); });
}

TEST_F(PostgresStoreTest, ALockOnACallIsWaitedForThenUnavailable) {
  auto store = Open(short_);
  Create(*store, "c1");
  auto other = Connection::Open(*Target::Parse(uri_), Limits());
  ASSERT_TRUE((*other)->Execute("BEGIN; UPDATE call_logs SET agent = agent").ok());
  EXPECT_EQ(store->Apply(Append("c1", 1), nullptr).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(store->GetCall("c1").ok()) << "reads do not wait for writes";
  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  ExpectSoonOk([&] { return store->Apply(Append("c1", 1), nullptr); });
}

TEST_F(PostgresStoreTest, OpeningSaysWhatIsWrong) {
  const std::string gone = uri_ + "_gone";
  const absl::Status status = PostgresStore::Open(gone, options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), gone.substr(gone.rfind('/')))) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
  const absl::Status none = PostgresStore::Open("postgresql://u:secret@h:x/d", options_).status();
  EXPECT_FALSE(absl::StrContains(none.message(), "secret")) << none;
}

// --- One process at a time

TEST_F(PostgresStoreTest, ASecondProcessIsRefused) {
  auto store = Open();
  options_.owner_patience = absl::Milliseconds(100);
  const absl::Status status = PostgresStore::Open(uri_, options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "another callbridge uses it")) << status;
  store.reset();
  EXPECT_NE(Open(), nullptr);
  options_.sharing = Sharing::kNone;
  auto one = Open();
  EXPECT_NE(Open(), nullptr) << "when it is switched off";
}

TEST_F(PostgresStoreTest, TheDatabaseIsKeptThroughARestartOfTheServer) {
  auto store = Open();
  Create(*store, "c1");
  server().Stop();
  server().Start();
  ASSERT_TRUE(store->Apply(Append("c1", 1), nullptr).ok());  // Takes the lock again on its way.
  options_.owner_patience = absl::Milliseconds(100);
  EXPECT_EQ(PostgresStore::Open(uri_, options_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(store->Apply(Append("c1", 2), nullptr).ok());
}

TEST_F(PostgresStoreTest, WhoLostTheDatabaseToAnotherWritesNothingMore) {
  auto store = Open();
  Create(*store, "c1");
  server().Stop();
  server().Start();
  auto successor = Open();  // Before the first one came back.
  ASSERT_NE(successor, nullptr);
  const absl::Status status = store->Apply(Append("c1", 1), nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "another callbridge has taken it over")) << status;
  EXPECT_EQ(store->CreateCall(MakeCall("c2"), {}, absl::nullopt).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store->CloseOpenCalls({}, kStart, false).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store->SaveSummaryJob({"c1", 1, kStart, ""}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store->EraseNumber("+15550001111", "me", kStart).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store->Purge({}, 1).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store->AddTranscriptRead({"c1", "", kStart}).code(), absl::StatusCode::kFailedPrecondition);
  LeadRecord lead;
  lead.lead_id = "l";
  lead.phone = "+15558887777";
  lead.create_time = kStart;
  EXPECT_EQ(store->CreateLead(lead).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Query("SELECT count(*) FROM call_logs"), "1;");
  EXPECT_EQ(Query("SELECT event_head FROM call_logs"), "0;");
  EXPECT_TRUE(store->GetCall("c1").ok()) << "it may still read";
  EXPECT_TRUE(successor->Apply(Append("c1", 1), nullptr).ok());
}

// --- Nodes

TEST_F(PostgresStoreTest, NodesShareADatabaseWithNobodyElse) {
  options_.owner_patience = absl::Milliseconds(100);
  PostgresStore::Options alone = options_;
  options_.sharing = Sharing::kNodes;
  auto one = Open();
  auto other = Open();
  ASSERT_TRUE(one != nullptr && other != nullptr);
  Create(*one, "c1");
  EXPECT_TRUE(other->Apply(Append("c1", 1), nullptr).ok());
  EXPECT_TRUE(one->Apply(Append("c1", 2), nullptr).ok());
  const absl::Status refused = PostgresStore::Open(uri_, alone).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "--node_listen")) << refused;
  one.reset();
  EXPECT_EQ(PostgresStore::Open(uri_, alone).status().code(), absl::StatusCode::kFailedPrecondition)
      << "as long as there is one";
  other.reset();
  auto exclusive = Open(alone);
  ASSERT_NE(exclusive, nullptr);
  const absl::Status node = PostgresStore::Open(uri_, options_).status();
  EXPECT_EQ(node.code(), absl::StatusCode::kFailedPrecondition) << node;
  EXPECT_TRUE(absl::StrContains(node.message(), "is no node")) << node;
}

TEST_F(PostgresStoreTest, NodesThatLostTheDatabaseWriteNothingMore) {
  PostgresStore::Options alone = options_;
  options_.sharing = Sharing::kNodes;
  auto node = Open();
  Create(*node, "c1");
  server().Stop();
  server().Start();
  auto exclusive = Open(alone);  // Before the node came back.
  ASSERT_NE(exclusive, nullptr);
  EXPECT_EQ(node->Apply(Append("c1", 1), nullptr).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(exclusive->Apply(Append("c1", 1), nullptr).ok());
  server().Stop();
  server().Start();
  auto next = Open();
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(exclusive->Apply(Append("c1", 2), nullptr).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(next->Apply(Append("c1", 2), nullptr).ok());
  EXPECT_TRUE(node->Apply(Append("c1", 3), nullptr).ok()) << "the nodes have it again";
}

TEST_F(PostgresStoreTest, NodesKeepTheDatabaseThroughARestartOfTheServer) {
  options_.owner_patience = absl::Milliseconds(100);
  PostgresStore::Options alone = options_;
  options_.sharing = Sharing::kNodes;
  auto one = Open();
  auto other = Open();
  Create(*one, "c1");
  server().Stop();
  server().Start();
  ASSERT_TRUE(one->Apply(Append("c1", 1), nullptr).ok());
  ASSERT_TRUE(other->Apply(Append("c1", 2), nullptr).ok());
  EXPECT_EQ(PostgresStore::Open(uri_, alone).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(PostgresStoreTest, ANodeClosesNoOpenCallsOfOthers) {
  options_.sharing = Sharing::kNodes;
  auto store = Open();
  Create(*store, "c1");
  EXPECT_EQ(store->CloseOpenCalls({}, kStart, false).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(call::IsFinal(store->GetCall("c1")->state));
}

TEST_F(PostgresStoreTest, FourNodesStartAtOnceOnANewDatabase) {
  uri_ = server().NewDatabase();
  options_.sharing = Sharing::kNodes;
  std::vector<std::unique_ptr<CallStore>> stores(4);
  std::vector<std::thread> starters;
  for (auto& into : stores) starters.emplace_back([&, into = &into] { *into = Open(); });
  for (std::thread& starter : starters) starter.join();
  for (size_t i = 0; i < stores.size(); ++i) {
    ASSERT_NE(stores[i], nullptr);
    Create(*stores[i], absl::StrCat("c", i), absl::StrCat("+1555000", 1000 + i));
  }
  EXPECT_EQ(Query("SELECT count(*) FROM call_logs"), "4;");
  EXPECT_EQ(Query("SELECT token FROM store_owner"), "nodes;");
}

TEST_F(PostgresStoreTest, SeveralNodesPurgeAtOnce) {
  constexpr int kCalls = 40;
  options_.sharing = Sharing::kNodes;
  std::unique_ptr<CallStore> nodes[] = {Open(), Open(), Open()};
  for (int i = 0; i < kCalls; ++i) {
    const std::string id = absl::StrCat("c", i);
    Create(*nodes[0], id);
    CallWrite end = Append(id, 1);
    end.end.emplace();
    end.end->end_time = kStart;
    ASSERT_TRUE(nodes[0]->Apply(end, nullptr).ok());
  }
  Retention keep;
  keep.calls = kStart + absl::Hours(1);
  std::atomic<int64_t> purged{0};
  std::atomic<int64_t> events{0};
  std::vector<std::thread> threads;
  for (auto& node : nodes) {
    threads.emplace_back([&, store = node.get()] {
      for (bool more = true; more;) {
        const auto some = store->Purge(keep, 3);
        ASSERT_TRUE(some.ok()) << some.status();
        purged += some->calls;
        events += some->events;
        more = some->more;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(purged, kCalls) << "each once";
  EXPECT_EQ(events, kCalls);
  EXPECT_EQ(Query("SELECT count(*) FROM call_logs"), "0;");
  EXPECT_EQ(Query("SELECT count(*) FROM call_events"), "0;");
}

TEST_F(PostgresStoreTest, AJobIsClaimedByOneOfTwoNodes) {
  options_.sharing = Sharing::kNodes;
  auto one = Open();
  auto other = Open();
  Create(*one, "c1");
  CallWrite end = Append("c1", 1);
  end.end.emplace();
  end.end->end_time = kStart;
  end.summary_due = true;
  ASSERT_TRUE(one->Apply(end, nullptr).ok());
  for (int round = 0; round < 20; ++round) {
    const SummaryJob job = one->ListSummaryJobs(absl::InfiniteFuture(), 1)->at(0);
    std::atomic<int> claimed{0};
    std::thread thread([&] { claimed += *other->ClaimSummaryJob(job, job.due + absl::Seconds(1)); });
    claimed += *one->ClaimSummaryJob(job, job.due + absl::Seconds(1));
    thread.join();
    EXPECT_EQ(claimed, 1);
  }
}

// --- Rows

// --- Restores

TEST_F(PostgresStoreTest, ARestoredDumpIsNoticedOnce) {
  int64_t seen = 0;
  const std::string original = uri_;
  {
    auto store = Open(options_);
    ASSERT_TRUE(store->CreateCall(MakeCall("c1"), {}, absl::nullopt).ok());
    ASSERT_TRUE(store->Apply(Append("c1", 1), nullptr).ok());
    uri_ = server().Restore(original);
    ASSERT_TRUE(store->Apply(Append("c1", 2), nullptr).ok());
    seen = *store->HeadPosition();
    EXPECT_TRUE(store->ListLostPositions()->empty());
  }
  for (int i = 0; i < 2; ++i) {
    auto store = Open(options_);
    const std::vector<LostPositions> lost = *store->ListLostPositions();
    ASSERT_EQ(lost.size(), 1) << i;
    EXPECT_LT(lost[0].after, seen);
    EXPECT_GT(lost[0].before, seen);
    ASSERT_TRUE(store->Apply(Append("c1", 2 + i), nullptr).ok());
    EXPECT_EQ(store->ReadEvents(seen, 10)->size(), 1 + i);
  }
  uri_ = original;
  EXPECT_TRUE(Open(options_)->ListLostPositions()->empty());
}

TEST_F(PostgresStoreTest, AServerWhoseTransactionsAreBehindTheLogGoesOnAboveIt) {
  {
    auto store = Open(options_);
    ASSERT_TRUE(store->CreateCall(MakeCall("c1"), {}, absl::nullopt).ok());
    ASSERT_TRUE(store->Apply(Append("c1", 1), nullptr).ok());
  }
  server().Query(uri_, "UPDATE call_events SET position = position + (7000000000::bigint << 16)");
  auto store = Open(options_);
  std::vector<int64_t> positions;
  ASSERT_TRUE(store->Apply(Append("c1", 2), &positions).ok());
  const auto log = store->ReadEvents(0, 10);
  ASSERT_EQ(log->size(), 2);
  EXPECT_EQ(log->back().position, positions.at(0));
  EXPECT_GE(positions[0], store->ListLostPositions()->at(0).before);
}

TEST_F(PostgresStoreTest, AFailoverIsNoticedByWhoeverConnectsAgain) {
  auto store = Open(options_);
  ASSERT_TRUE(store->CreateCall(MakeCall("c1"), {}, absl::nullopt).ok());
  ASSERT_TRUE(store->Apply(Append("c1", 1), nullptr).ok());
  const int64_t seen = *store->HeadPosition() + (50 << 16);  // Of transactions that the new server has not got.
  server().Query(uri_, "UPDATE log_state SET cluster = cluster || '9'");
  server().Query(uri_, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
  ASSERT_TRUE(store->Apply(Append("c1", 2), nullptr).ok());
  EXPECT_EQ(store->ReadEvents(seen, 10)->size(), 1);
  EXPECT_EQ(store->ListLostPositions()->size(), 1);
}

// Who writes while a restore is noted is waited for: what it writes is not hidden from those who read behind it.
TEST_F(PostgresStoreTest, NotingARestoreUnderWritesHidesNothing) {
  auto store = Open(shared_);
  constexpr int kWriters = 4;
  std::vector<std::thread> writers;
  std::atomic<bool> failed{false};
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const std::string id = absl::StrCat("c", w);
      failed = failed || !store->CreateCall(MakeCall(id), {}, absl::nullopt).ok();
      for (int i = 1; i <= 50; ++i) failed = failed || !store->Apply(Append(id, i), nullptr).ok();
    });
  }
  std::map<std::string, int64_t> last;
  int64_t after = 0;
  int seen = 0;
  int notes = 0;
  const absl::Time deadline = absl::Now() + kPatience;
  while (seen < kWriters * 50 && absl::Now() < deadline) {
    if (notes < 5 && seen > notes * 20) notes += store->NoteRestored(kStart).ok() ? 1 : 0;
    const auto events = store->ReadEvents(after, 7);
    ASSERT_TRUE(events.ok()) << events.status();
    for (const events::StoredEvent& stored : *events) {
      EXPECT_GT(stored.position, after);
      after = stored.position;
      EXPECT_EQ(stored.event.sequence, ++last[stored.event.call_id]);
      ++seen;
    }
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_FALSE(failed);
  EXPECT_EQ(seen, kWriters * 50);
  EXPECT_GE(notes, 3);
}

// --- What is in the tables

TEST_F(PostgresStoreTest, RowsReadWellInPlainSql) {
  auto store = Open();
  ASSERT_TRUE(store->CreateCall(MakeCall("c1"), {}, RequestKey{"crm", "r", "f"}).ok());
  EXPECT_EQ(Query("SELECT status, state, created_at, transferred FROM call_logs"),
            "called,dialing,2023-11-14 22:13:20.123456+00,f;");
  CallWrite write = Append("c1", 1);
  write.transferred = true;
  write.transfer_reason = "price";
  write.end.emplace();
  write.end->end_time = kStart + absl::Seconds(61);
  write.end->duration_seconds = 61;
  ASSERT_TRUE(store->Apply(write, nullptr).ok());
  EXPECT_EQ(Query("SELECT transferred, transfer_reason, duration, ended_at FROM call_logs"),
            "t,price,61,2023-11-14 22:14:21.123456+00;");
  EXPECT_EQ(Query("SELECT call_status, transferred_to_human FROM leads"), "transferred,t;");
  EXPECT_EQ(Query("SELECT payload ->> 'digit' FROM call_events WHERE type = 'dtmf_received'"), "1;");
}

TEST_F(PostgresStoreTest, ADamagedRowIsAnErrorWithoutItsValue) {
  auto store = Open();
  ASSERT_TRUE(store->CreateCall(MakeCall("c1"), {{"c1", 1, kStart, call::DtmfReceived{"1"}}}, absl::nullopt).ok());
  Query("UPDATE call_logs SET state = 'secret'; UPDATE call_events SET type = 'secret'");
  const absl::Status call = store->GetCall("c1").status();
  EXPECT_EQ(call.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(call.message(), "state")) << call;
  EXPECT_FALSE(absl::StrContains(call.message(), "secret")) << call;
  const absl::Status events = store->ReadEvents(0, 10).status();
  EXPECT_EQ(events.code(), absl::StatusCode::kInternal);
  EXPECT_FALSE(absl::StrContains(events.message(), "secret")) << events;
}

TEST_F(PostgresStoreTest, OneItemTwiceInAWriteIsTheLaterOneInTheFirstsPlace) {
  auto store = Open();
  Create(*store, "c1");
  call::TranscriptItem a;
  a.item_id = "a";
  a.text_heard = "first";
  call::TranscriptItem b = a;
  b.item_id = "b";
  CallWrite write = Append("c1", 1);
  write.transcript_items = {a, b, a};
  write.transcript_items[2].text_heard = "later";
  ASSERT_TRUE(store->Apply(write, nullptr).ok());
  const auto items = store->GetTranscript("c1");
  ASSERT_EQ(items->size(), 2);
  EXPECT_EQ((*items)[0].item_id, "a");
  EXPECT_EQ((*items)[0].text_heard, "later");
}

TEST_F(PostgresStoreTest, EventsOfTodayAreInTheirDaysPartition) {
  auto store = Open();
  Create(*store, "c1");
  CallWrite write = Append("c1", 1);
  write.events[0].time = absl::Now();
  ASSERT_TRUE(store->Apply(write, nullptr).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM call_events_default"), "0;");
  EXPECT_EQ(Query("SELECT count(*) FROM call_events"), "1;");
}

// Each step of a call is one round trip: what a slow network makes of that is in the record of the decision.
TEST_F(PostgresStoreTest, AWriteIsOneTransaction) {
  auto store = Open();
  Create(*store, "c1");
  CallWrite write = Append("c1", 1);
  write.transcript_items.resize(1);
  write.transcript_items[0].item_id = "i";
  write.transferred = true;
  write.end.emplace();
  write.end->end_time = kStart;
  write.summary_due = true;
  const std::string before = Query("SELECT pg_current_xact_id()::text::bigint");
  ASSERT_TRUE(store->Apply(write, nullptr).ok());
  const std::string after = Query("SELECT pg_current_xact_id()::text::bigint");
  int64_t first = 0;
  int64_t last = 0;
  ASSERT_TRUE(absl::SimpleAtoi(before.substr(0, before.size() - 1), &first));
  ASSERT_TRUE(absl::SimpleAtoi(after.substr(0, after.size() - 1), &last));
  EXPECT_EQ(last - first, 2) << "one between the two that ask";
}

}  // namespace
}  // namespace callbridge::store
