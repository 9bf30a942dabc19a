// The life of a node among others, in virtual time.

#include "src/nodes/membership.h"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/nodes/hang_ups.h"

namespace callbridge::nodes {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

// The table as the database would have it, with a clock of its own, that can be away.
class FakeTable final : public store::NodeTable {
 public:
  explicit FakeTable(const base::ManualClock& clock) : clock_(clock) {}

  absl::Status Register(const store::NodeRecord& self, absl::Duration lease) override {
    if (!error_.ok()) return error_;
    for (auto& [id, node] : nodes_) {
      if (node.record.address == self.address) node.record.state = store::NodeState::kGone;
    }
    nodes_[self.node_id] = {self, clock_.Now() + lease};
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<store::NodeRecord>> Renew(absl::string_view node_id, store::NodeState state,
                                                       int64_t live_calls, absl::Duration lease) override {
    ++renewals_;
    if (!error_.ok()) return error_;
    const auto self = nodes_.find(std::string(node_id));
    if (self == nodes_.end()) return absl::NotFoundError("never registered");
    self->second.record.state = state;
    self->second.record.live_calls = live_calls;
    self->second.lease_end = clock_.Now() + lease;
    std::vector<store::NodeRecord> records;
    for (auto& [id, node] : nodes_) {
      node.record.leased = node.lease_end > clock_.Now();
      if (node.record.state != store::NodeState::kGone) records.push_back(node.record);
    }
    return records;
  }
  absl::Status Leave(absl::string_view node_id) override {
    nodes_[std::string(node_id)].record.state = store::NodeState::kGone;
    return error_;
  }
  absl::StatusOr<absl::optional<store::NodeRecord>> FindNode(absl::string_view) override { return absl::nullopt; }
  absl::StatusOr<std::string> ClaimCarrierCall(absl::string_view, absl::string_view node_id) override {
    return std::string(node_id);
  }
  absl::StatusOr<absl::optional<std::string>> FindCarrierCall(absl::string_view) override { return absl::nullopt; }
  absl::StatusOr<Reaped> Reap(absl::Duration grace, const call::Termination& termination, absl::Time, bool,
                              int limit) override {
    reaped_at_.push_back(clock_.Now());
    grace_ = grace;
    termination_ = termination;
    if (!reap_error_.ok()) return reap_error_;
    Reaped reaped;
    reaped.busy = busy_;
    if (busy_) return reaped;
    while (!open_.empty() && reaped.calls.size() < static_cast<size_t>(limit)) {
      reaped.calls.push_back({open_.front(), "carrier-" + open_.front(), call::State::kRinging, {"dead", 1}});
      open_.pop_front();
    }
    reaped.more = !open_.empty();
    return reaped;
  }
  absl::StatusOr<std::vector<store::HangUpJob>> TakeHangUps(absl::Duration patience, int limit) override {
    if (!error_.ok()) return error_;
    std::vector<store::HangUpJob> taken;
    for (auto& [id, job] : jobs_) {
      if (job.due > clock_.Now() || taken.size() == static_cast<size_t>(limit)) continue;
      job.due = clock_.Now() + patience;
      taken.push_back({id, "carrier-" + id, ++job.attempts});
    }
    return taken;
  }
  absl::Status FinishHangUp(absl::string_view call_id) override {
    jobs_.erase(std::string(call_id));
    return absl::OkStatus();
  }

  struct Node {
    store::NodeRecord record;
    absl::Time lease_end;
  };
  struct Job {
    absl::Time due;
    int64_t attempts = 0;
  };
  const base::ManualClock& clock_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, Job> jobs_;
  std::deque<std::string> open_;  // Calls of dead nodes.
  absl::Status error_;
  absl::Status reap_error_;
  bool busy_ = false;
  int renewals_ = 0;
  std::vector<absl::Time> reaped_at_;
  absl::Duration grace_;
  call::Termination termination_;
};

class MembershipTest : public testing::Test {
 protected:
  MembershipTest() {
    base::SetLogEnabled(false);
    options_.self.node_id = "self";
    options_.self.address = "10.0.0.1:7000";
    options_.self.media_address = "10.0.0.1:8080";
    AddPeer("peer", "10.0.0.2:7000");
  }
  ~MembershipTest() override { base::SetLogEnabled(true); }

  Membership& self() {
    if (self_ == nullptr) {
      Membership::Deps deps;
      deps.table = &table_;
      deps.clock = &clock_;
      deps.live_calls = [this] { return live_calls_; };
      deps.on_peers = [this] { ++peers_changed_; };
      deps.on_lost = [this] { ++lost_; };
      deps.on_reaped = [this] { ++reaps_told_; };
      self_ = std::make_unique<Membership>(options_, deps);
      EXPECT_TRUE(self_->Join().ok());
    }
    return *self_;
  }
  void AddPeer(const std::string& id, const std::string& address) {
    store::NodeRecord record;
    record.node_id = id;
    record.address = address;
    record.media_address = "10.0.0.2:8080";
    table_.nodes_[id] = {record, clock_.Now() + absl::Seconds(10)};
  }
  void PeerRenews(const std::string& id = "peer") { table_.nodes_[id].lease_end = clock_.Now() + absl::Seconds(10); }

  // Lets time pass as the thread would, the peer renewing (or not) beside it.
  void Run(absl::Duration how_long, bool peer_renews = true) {
    const absl::Time end = clock_.Now() + how_long;
    while (clock_.Now() < end) {
      if (peer_renews) PeerRenews();
      const absl::Duration pause = self().Turn();
      clock_.Advance(std::min(std::max(pause, absl::Milliseconds(1)), end - clock_.Now()));
    }
  }
  bool PeerIsAlive(const std::string& id = "peer") {
    const auto peer = self().Find(id);
    return peer && peer->alive;
  }

  base::ManualClock clock_;
  FakeTable table_{clock_};
  Membership::Options options_;
  int64_t live_calls_ = 0;
  int peers_changed_ = 0;
  int reaps_told_ = 0;
  int lost_ = 0;
  std::unique_ptr<Membership> self_;
};

TEST_F(MembershipTest, JoinsAndKnowsTheOthers) {
  EXPECT_EQ(self().self_id(), "self");
  const auto peer = self().Find("peer");
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->address, "10.0.0.2:7000");
  EXPECT_EQ(peer->media_address, "10.0.0.2:8080");
  EXPECT_TRUE(peer->alive);
  EXPECT_TRUE(PeerIsAlive("self"));
  EXPECT_EQ(self().All().size(), 2);
  EXPECT_FALSE(self().Find("nobody"));
  EXPECT_EQ(peers_changed_, 1);
}

TEST_F(MembershipTest, AStoreThatIsAwayFailsTheStart) {
  table_.error_ = absl::UnavailableError("away");
  Membership::Deps deps;
  deps.table = &table_;
  deps.clock = &clock_;
  EXPECT_TRUE(absl::IsUnavailable(Membership(options_, deps).Join()));
}

TEST_F(MembershipTest, RenewsEveryTwoSecondsWithItsCalls) {
  self();
  table_.renewals_ = 0;
  live_calls_ = 17;
  Run(absl::Seconds(60));
  EXPECT_EQ(table_.renewals_, 30);
  EXPECT_EQ(table_.nodes_["self"].record.live_calls, 17);
  EXPECT_EQ(table_.nodes_["self"].record.state, store::NodeState::kUp);
  EXPECT_EQ(peers_changed_, 1) << "nothing has";
}

TEST_F(MembershipTest, DrainIsToldWithTheNextTurn) {
  Run(absl::Seconds(3));
  self().Drain();
  self().Turn();  // Woken, long before the next renewal.
  EXPECT_EQ(table_.nodes_["self"].record.state, store::NodeState::kDraining);
  EXPECT_EQ(self().stats().draining, 1);
  ASSERT_TRUE(self().Leave().ok());
  EXPECT_EQ(table_.nodes_["self"].record.state, store::NodeState::kGone);
}

TEST_F(MembershipTest, APeerWithoutALeaseIsDeadAndComesBack) {
  Run(absl::Seconds(12));
  EXPECT_TRUE(PeerIsAlive());
  Run(absl::Seconds(7), /*peer_renews=*/false);
  EXPECT_TRUE(PeerIsAlive()) << "its lease holds";
  Run(absl::Seconds(4), /*peer_renews=*/false);
  EXPECT_FALSE(PeerIsAlive());
  EXPECT_EQ(self().stats().dead, 1);
  EXPECT_TRUE(self().Find("peer")) << "its address is known until it is gone";
  Run(absl::Seconds(3));
  EXPECT_TRUE(PeerIsAlive());
  EXPECT_EQ(peers_changed_, 3);
}

TEST_F(MembershipTest, APeerThatLeftIsUnknownAtOnce) {
  self();
  table_.nodes_["peer"].record.state = store::NodeState::kGone;
  Run(absl::Seconds(3));
  EXPECT_FALSE(self().Find("peer"));
  EXPECT_EQ(peers_changed_, 2);
}

// Nobody can renew then, so a lease that is over says nothing; a node that can be reached is of use.
TEST_F(MembershipTest, WhileTheDatabaseIsAwayThePeersStand) {
  Run(absl::Seconds(12));
  table_.error_ = absl::UnavailableError("away");
  Run(absl::Minutes(10), /*peer_renews=*/false);
  EXPECT_TRUE(PeerIsAlive());
  EXPECT_GE(self().stats().lease_age, absl::Minutes(10));
  // It is back, and this node is the first to renew: the peer's lease is long over.
  table_.error_ = absl::OkStatus();
  Run(absl::Seconds(4), /*peer_renews=*/false);
  EXPECT_TRUE(PeerIsAlive()) << "it gets the time to renew";
  EXPECT_LE(self().stats().lease_age, absl::Seconds(3));
  Run(absl::Seconds(8), /*peer_renews=*/false);
  EXPECT_FALSE(PeerIsAlive()) << "now it has had it";
}

TEST_F(MembershipTest, APeerThatWasDeadBeforeAnOutageStaysSo) {
  Run(absl::Seconds(25), /*peer_renews=*/false);
  ASSERT_FALSE(PeerIsAlive());
  table_.error_ = absl::UnavailableError("away");
  Run(absl::Seconds(30), /*peer_renews=*/false);
  table_.error_ = absl::OkStatus();
  Run(absl::Seconds(2), /*peer_renews=*/false);
  EXPECT_FALSE(PeerIsAlive());
}

TEST_F(MembershipTest, AfterAFailureItAsksSoonAgain) {
  self();
  table_.error_ = absl::UnavailableError("away");
  table_.renewals_ = 0;
  Run(absl::Seconds(10));
  EXPECT_GE(table_.renewals_, 18);
  EXPECT_LE(table_.renewals_, 21);
}

// Two processes with one address would throw each other out for ever, and close each other's calls.
TEST_F(MembershipTest, ANodeWhosePlaceIsTakenDoesNotTakeItBack) {
  Run(absl::Seconds(12));
  table_.nodes_.erase("self");
  table_.reaped_at_.clear();
  Run(absl::Seconds(30));
  EXPECT_EQ(table_.nodes_.count("self"), 0);
  EXPECT_EQ(lost_, 1);
  EXPECT_TRUE(table_.reaped_at_.empty());
}

TEST_F(MembershipTest, ReapsOnlyAfterAWholeLeaseOfRenewals) {
  const absl::Time start = clock_.Now();
  Run(absl::Minutes(1));
  ASSERT_FALSE(table_.reaped_at_.empty());
  EXPECT_EQ(table_.reaped_at_.front(), start + options_.lease);
  EXPECT_EQ(table_.grace_, absl::Seconds(30));
  EXPECT_EQ(table_.termination_.reason, call::EndReason::kProcessLost);
}

TEST_F(MembershipTest, OneFailureMakesTheReaperWaitAgain) {
  Run(absl::Seconds(30));
  table_.error_ = absl::UnavailableError("away");
  Run(absl::Seconds(1));
  table_.error_ = absl::OkStatus();
  table_.reaped_at_.clear();
  const absl::Time back = clock_.Now();
  Run(absl::Minutes(1));
  ASSERT_FALSE(table_.reaped_at_.empty());
  EXPECT_GE(table_.reaped_at_.front(), back + options_.lease);
}

TEST_F(MembershipTest, AProcessThatWasFrozenWaitsAgain) {
  Run(absl::Seconds(30));
  table_.reaped_at_.clear();
  clock_.Advance(absl::Minutes(2));
  const absl::Time awake = clock_.Now();
  // The peer was away as well: the whole machine slept.
  Run(absl::Seconds(4), /*peer_renews=*/false);
  EXPECT_TRUE(PeerIsAlive());
  Run(absl::Minutes(1));
  ASSERT_FALSE(table_.reaped_at_.empty());
  EXPECT_GE(table_.reaped_at_.front(), awake + options_.lease);
}

TEST_F(MembershipTest, ReapsInBatchesAtOnce) {
  options_.reap_batch = 3;
  Run(absl::Seconds(12));
  for (int i = 0; i < 10; ++i) table_.open_.push_back("call-" + std::to_string(i));
  table_.reaped_at_.clear();
  Run(absl::Milliseconds(2100));
  EXPECT_TRUE(table_.open_.empty());
  EXPECT_GE(table_.reaped_at_.size(), 4);
  EXPECT_EQ(self().stats().reaped, 10);
  EXPECT_EQ(reaps_told_, 4);
}

TEST_F(MembershipTest, ALongReapDoesNotCostTheLease) {
  options_.reap_batch = 1;
  Run(absl::Seconds(12));
  for (int i = 0; i < 100'000; ++i) table_.open_.push_back("call");
  table_.renewals_ = 0;
  Run(absl::Seconds(10));
  EXPECT_GE(table_.renewals_, 5);
}

TEST_F(MembershipTest, AnotherReaperIsLeftAlone) {
  Run(absl::Seconds(12));
  table_.busy_ = true;
  table_.reaped_at_.clear();
  table_.open_ = {"call"};
  Run(absl::Seconds(20));
  EXPECT_LE(table_.reaped_at_.size(), 11) << "once for each renewal";
  EXPECT_EQ(self().stats().reaped, 0);
}

TEST_F(MembershipTest, AReaperThatFailsTriesWithTheNextRenewal) {
  Run(absl::Seconds(12));
  table_.open_ = {"call"};
  table_.reap_error_ = absl::InternalError("deadlock");
  Run(absl::Seconds(6));
  EXPECT_EQ(self().stats().reaped, 0);
  table_.reap_error_ = absl::OkStatus();
  Run(absl::Seconds(3));
  EXPECT_EQ(self().stats().reaped, 1);
}

class HangUpsTest : public MembershipTest {
 protected:
  HangUps hang_ups_{table_,
                    [this](const std::string& carrier_call_id) {
                      asked_.push_back(carrier_call_id);
                      return answer_;
                    },
                    HangUps::Options()};
  std::vector<std::string> asked_;
  absl::Status answer_;
};

TEST_F(HangUpsTest, HangsUpOnce) {
  table_.jobs_["a"];
  table_.jobs_["b"];
  EXPECT_EQ(hang_ups_.Turn(), absl::Seconds(5));
  EXPECT_THAT(asked_, UnorderedElementsAre("carrier-a", "carrier-b"));
  EXPECT_EQ(hang_ups_.done(), 2);
  clock_.Advance(absl::Hours(1));
  hang_ups_.Turn();
  EXPECT_EQ(asked_.size(), 2);
}

TEST_F(HangUpsTest, ManyAreDoneWithoutAPause) {
  for (int i = 0; i < 9; ++i) table_.jobs_["call-" + std::to_string(i)];
  EXPECT_EQ(hang_ups_.Turn(), absl::ZeroDuration());
  EXPECT_EQ(hang_ups_.Turn(), absl::ZeroDuration());
  EXPECT_EQ(hang_ups_.Turn(), absl::Seconds(5));
  EXPECT_EQ(asked_.size(), 9);
}

TEST_F(HangUpsTest, TriesAgainUntilTheCarrierHasUnderstood) {
  table_.jobs_["a"];
  answer_ = absl::UnavailableError("no connection");
  hang_ups_.Turn();
  clock_.Advance(absl::Seconds(5));
  hang_ups_.Turn();
  EXPECT_EQ(asked_.size(), 1) << "not before the patience is over";
  clock_.Advance(absl::Minutes(2));
  answer_ = absl::OkStatus();
  hang_ups_.Turn();
  EXPECT_EQ(asked_.size(), 2);
  EXPECT_TRUE(table_.jobs_.empty());
}

TEST_F(HangUpsTest, GivesUpInTheEnd) {
  table_.jobs_["a"];
  answer_ = absl::UnknownError("500");
  for (int i = 0; i < 30; ++i) {
    hang_ups_.Turn();
    clock_.Advance(absl::Minutes(3));
  }
  EXPECT_EQ(asked_.size(), 20);
  EXPECT_TRUE(table_.jobs_.empty());
}

TEST_F(HangUpsTest, AnIdThatCannotBeIsGivenUpAtOnce) {
  table_.jobs_["a"];
  answer_ = absl::InvalidArgumentError("not one path segment");
  hang_ups_.Turn();
  EXPECT_TRUE(table_.jobs_.empty());
}

TEST_F(HangUpsTest, WaitsWhileTheDatabaseIsAway) {
  table_.jobs_["a"];
  table_.error_ = absl::UnavailableError("away");
  EXPECT_EQ(hang_ups_.Turn(), absl::Seconds(5));
  EXPECT_TRUE(asked_.empty());
}

}  // namespace
}  // namespace callbridge::nodes
