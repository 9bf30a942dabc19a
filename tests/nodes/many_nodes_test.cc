// Three nodes on one database in virtual time: whose calls are closed, when, and by how many.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/nodes/hang_ups.h"
#include "src/nodes/membership.h"
#include "tests/fakes/memory_call_store.h"
#include "tests/fakes/memory_node_table.h"

namespace callbridge::nodes {
namespace {

constexpr absl::Duration kStep = absl::Milliseconds(100);

class ManyNodesTest : public testing::Test {
 protected:
  ManyNodesTest() {
    base::SetLogEnabled(false);
    for (const char* id : {"a", "b", "c"}) Start(id, id);
  }
  ~ManyNodesTest() override { base::SetLogEnabled(true); }

  struct Node {
    std::unique_ptr<Membership> membership;
    std::unique_ptr<HangUps> hang_ups;
    absl::Time due;  // Of the membership's next turn.
    absl::Time hang_ups_due;
    bool frozen = false;
    bool cut_off = false;  // From the database.
    bool lost = false;
  };

  void Start(const std::string& id, const std::string& host) {
    Node& node = nodes_[id];
    Membership::Options options;
    options.self.node_id = id;
    options.self.address = host + ":7000";
    options.self.media_address = host + ":8080";
    Membership::Deps deps;
    deps.table = &table_;
    deps.clock = &clock_;
    deps.on_reaped = [this, &node] { node.hang_ups_due = clock_.Now(); };
    deps.on_lost = [&node] { node.lost = true; };
    node.membership = std::make_unique<Membership>(options, deps);
    node.hang_ups = std::make_unique<HangUps>(
        table_,
        [this](const std::string& carrier_call_id) {
          ++hung_up_[carrier_call_id];
          return absl::OkStatus();
        },
        HangUps::Options());
    ASSERT_TRUE(node.membership->Join().ok());
  }
  void Kill(const std::string& id) { nodes_.erase(id); }

  void Call(const std::string& id, const std::string& owner) {
    store::CallRecord call;
    call.call_id = id;
    call.from = "+15550001111";
    call.to = "+15559990000";
    call.carrier_call_id = absl::StrCat("carrier-", id);
    call.state = call::State::kRinging;
    call.create_time = clock_.Now();
    call.owner = {owner, 1};
    ASSERT_TRUE(store_.CreateCall(call, {{id, 1, call.create_time, call::CallCreated{}}}, absl::nullopt).ok());
  }
  bool IsOpen(const std::string& id) { return !call::IsFinal(store_.GetCall(id)->state); }
  // What its owner writes is still taken.
  bool Write(const std::string& id, const std::string& owner) {
    store::CallWrite write;
    write.call_id = id;
    write.owner = store::Owner{owner, 1};
    write.events = {{id, ++sequences_[id] + 1, clock_.Now(), call::DtmfReceived{"1"}}};
    return store_.Apply(write, nullptr).ok();
  }

  void Run(absl::Duration how_long) {
    for (const absl::Time end = clock_.Now() + how_long; clock_.Now() < end;) {
      clock_.Advance(kStep);
      table_.Advance(kStep);
      for (auto& [id, node] : nodes_) {
        if (node.frozen) continue;
        table_.SetFault([this, cut_off = node.cut_off](absl::string_view) {
          return away_ || cut_off ? absl::UnavailableError("away") : absl::OkStatus();
        });
        if (clock_.Now() >= node.due) node.due = clock_.Now() + node.membership->Turn();
        if (clock_.Now() >= node.hang_ups_due) node.hang_ups_due = clock_.Now() + node.hang_ups->Turn();
      }
    }
  }
  int64_t reaped() const {
    int64_t all = 0;
    for (const auto& [id, node] : nodes_) all += node.membership->stats().reaped;
    return all;
  }
  bool Alive(const std::string& at, const std::string& id) {
    const auto peer = nodes_.at(at).membership->Find(id);
    return peer && peer->alive;
  }

  base::ManualClock clock_;
  store::MemoryCallStore store_;
  store::MemoryNodeTable table_{store_};
  std::map<std::string, Node> nodes_;
  std::map<std::string, int> hung_up_;  // By the carrier's id.
  std::map<std::string, int64_t> sequences_;
  bool away_ = false;
};

TEST_F(ManyNodesTest, CallsOfADeadNodeAreClosedOnceWithin45Seconds) {
  Run(absl::Minutes(1));
  for (int i = 0; i < 200; ++i) Call(absl::StrCat("call-", i), "a");
  Call("other", "b");
  Run(absl::Seconds(10));
  Kill("a");
  Run(absl::Seconds(35));
  EXPECT_TRUE(IsOpen("call-0")) << "it might be back";
  Run(absl::Seconds(10));
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(IsOpen(absl::StrCat("call-", i)));
    EXPECT_EQ(hung_up_[absl::StrCat("carrier-call-", i)], 1);
  }
  EXPECT_EQ(reaped(), 200);
  Run(absl::Minutes(10));
  EXPECT_EQ(reaped(), 200);
  EXPECT_EQ(hung_up_.size(), 200);
  EXPECT_TRUE(IsOpen("other"));
  EXPECT_FALSE(nodes_.at("b").membership->Find("a"));
}

// It blinks, it is away for a moment, it is away for long: nothing is closed, and nobody is taken for dead.
TEST_F(ManyNodesTest, NoCallEndsBecauseTheDatabaseWasAway) {
  Run(absl::Minutes(1));
  for (const char* owner : {"a", "b", "c"}) Call(owner, owner);
  for (const absl::Duration outage : {absl::Seconds(1), absl::Seconds(9), absl::Seconds(11), absl::Seconds(29),
                                      absl::Seconds(45), absl::Minutes(10)}) {
    SCOPED_TRACE(absl::FormatDuration(outage));
    away_ = true;
    for (absl::Duration passed; passed < outage; passed += absl::Seconds(1)) {
      Run(absl::Seconds(1));
      ASSERT_TRUE(Alive("a", "b") && Alive("b", "c") && Alive("c", "a"));
    }
    away_ = false;
    for (int second = 0; second < 60; ++second) {
      Run(absl::Seconds(1));
      ASSERT_TRUE(Alive("a", "b") && Alive("b", "c") && Alive("c", "a")) << second;
    }
    for (const char* owner : {"a", "b", "c"}) EXPECT_TRUE(IsOpen(owner) && Write(owner, owner));
  }
  EXPECT_EQ(reaped(), 0);
  EXPECT_TRUE(hung_up_.empty());
}

TEST_F(ManyNodesTest, ANodeThatDiesDuringAnOutageIsFoundAfterIt) {
  Run(absl::Minutes(1));
  Call("call", "a");
  away_ = true;
  Run(absl::Minutes(2));
  Kill("a");
  Run(absl::Minutes(1));
  EXPECT_TRUE(Alive("b", "a")) << "nobody can know";
  away_ = false;
  Run(absl::Seconds(9));
  EXPECT_TRUE(IsOpen("call"));
  Run(absl::Seconds(6));
  EXPECT_FALSE(IsOpen("call"));
  EXPECT_EQ(reaped(), 1);
}

TEST_F(ManyNodesTest, ANodeThatIsFrozenFor15SecondsKeepsItsCalls) {
  Run(absl::Minutes(1));
  Call("call", "a");
  nodes_.at("a").frozen = true;
  Run(absl::Seconds(15));
  EXPECT_FALSE(Alive("b", "a"));
  nodes_.at("a").frozen = false;
  Run(absl::Seconds(5));
  EXPECT_TRUE(Alive("b", "a"));
  EXPECT_TRUE(Alive("a", "b"));
  Run(absl::Minutes(5));
  EXPECT_TRUE(IsOpen("call") && Write("call", "a"));
  EXPECT_EQ(reaped(), 0);
}

TEST_F(ManyNodesTest, ANodeThatIsFrozenForLongComesBackWithoutItsCalls) {
  Run(absl::Minutes(1));
  Call("call", "a");
  nodes_.at("a").frozen = true;
  Run(absl::Minutes(2));
  EXPECT_FALSE(IsOpen("call"));
  EXPECT_EQ(hung_up_["carrier-call"], 1);
  nodes_.at("a").frozen = false;
  Run(absl::Seconds(5));
  EXPECT_FALSE(Write("call", "a"));
  EXPECT_TRUE(Alive("b", "a"));
  Call("new", "a");
  Run(absl::Minutes(5));
  EXPECT_TRUE(IsOpen("new") && Write("new", "a"));
  EXPECT_EQ(reaped(), 1);
}

TEST_F(ManyNodesTest, ANodeThatIsCutOffClosesNothing) {
  Run(absl::Minutes(1));
  Call("a", "a");
  Call("b", "b");
  nodes_.at("a").cut_off = true;
  Run(absl::Minutes(2));
  EXPECT_FALSE(IsOpen("a")) << "for the others it is dead";
  EXPECT_TRUE(Alive("a", "b")) << "it may still be asked to pass things on";
  nodes_.at("a").cut_off = false;
  Run(absl::Minutes(2));
  EXPECT_TRUE(IsOpen("b"));
  EXPECT_EQ(nodes_.at("a").membership->stats().reaped, 0);
}

TEST_F(ManyNodesTest, ANewProcessOnTheAddressReplacesTheOld) {
  Run(absl::Minutes(1));
  Call("call", "a");
  Kill("a");
  Start("a2", "a");
  Run(absl::Seconds(4));
  EXPECT_FALSE(IsOpen("call")) << "nobody has to wait for the lease";
  EXPECT_EQ(reaped(), 1);
  EXPECT_FALSE(nodes_.at("b").membership->Find("a"));
  EXPECT_TRUE(Alive("b", "a2"));
}

TEST_F(ManyNodesTest, OfTwoProcessesWithOneAddressTheLaterStays) {
  Run(absl::Minutes(1));
  Start("b2", "b");
  Run(absl::Minutes(1));
  EXPECT_TRUE(nodes_.at("b").lost);
  EXPECT_FALSE(nodes_.at("b2").lost);
  EXPECT_TRUE(Alive("a", "b2"));
  EXPECT_FALSE(nodes_.at("a").membership->Find("b"));
}

TEST_F(ManyNodesTest, WhoLeavesIsGoneAtOnce) {
  Run(absl::Minutes(1));
  nodes_.at("a").membership->Drain();
  nodes_.at("a").membership->Turn();
  Run(absl::Seconds(3));
  EXPECT_EQ(nodes_.at("b").membership->stats().draining, 1);
  EXPECT_TRUE(Alive("b", "a"));
  ASSERT_TRUE(nodes_.at("a").membership->Leave().ok());
  Kill("a");
  Run(absl::Seconds(3));
  EXPECT_FALSE(nodes_.at("b").membership->Find("a"));
  EXPECT_EQ(nodes_.at("b").membership->stats().up, 2);
}

}  // namespace
}  // namespace callbridge::nodes
