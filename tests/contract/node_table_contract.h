#ifndef CALLBRIDGE_TESTS_CONTRACT_NODE_TABLE_CONTRACT_H_
#define CALLBRIDGE_TESTS_CONTRACT_NODE_TABLE_CONTRACT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/store/node_table.h"
#include "tests/contract/store_under_test.h"

// Every promise of src/store/node_table.h as tests, for every table of nodes. They come with the library of this
// header; a table's test includes it and instantiates:
//   INSTANTIATE_TEST_SUITE_P(Memory, NodeTableContract, testing::Values(NodeTableFactory{...}));
namespace callbridge::store {

class NodeTableUnderTest {
 public:
  virtual ~NodeTableUnderTest() = default;
  virtual NodeTable& nodes() = 0;
  virtual CallStore& calls() = 0;
  // Lets its clock go on.
  virtual void Advance(absl::Duration by) = 0;
};

struct NodeTableFactory {
  std::string name;
  std::function<std::unique_ptr<NodeTableUnderTest>()> make;  // New and empty.
  std::string missing;                                        // Why there can be none on this machine.
};
inline void PrintTo(const NodeTableFactory& factory, std::ostream* out) { *out << factory.name; }

inline constexpr absl::Duration kLease = absl::Seconds(10);
inline constexpr absl::Duration kGrace = absl::Seconds(30);

inline NodeRecord MakeNode(const std::string& id) {
  NodeRecord node;
  node.node_id = id;
  node.address = id + ".example:7000";
  node.media_address = id + ".example:8080";
  node.version = "1.2";
  node.max_calls = 100;
  return node;
}

inline call::Termination NodeLost() {
  return {call::EndReason::kProcessLost, call::Party::kSystem, call::Layer::kProcess, "its node is gone", true, true};
}

class NodeTableContract : public testing::TestWithParam<NodeTableFactory> {
 protected:
  void SetUp() override {
    if (!GetParam().missing.empty()) GTEST_SKIP() << GetParam().missing;
    under_test_ = GetParam().make();
  }
  NodeTable& nodes() { return under_test_->nodes(); }
  CallStore& calls() { return under_test_->calls(); }
  void Advance(absl::Duration by) { under_test_->Advance(by); }

  void Register(const std::string& id) {
    const absl::Status status = nodes().Register(MakeNode(id), kLease);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<NodeRecord> Renew(const std::string& id, NodeState state = NodeState::kUp) {
    auto there = nodes().Renew(id, state, 0, kLease);
    EXPECT_TRUE(there.ok()) << there.status();
    return there.ok() ? *there : std::vector<NodeRecord>();
  }
  static std::vector<std::string> Ids(const std::vector<NodeRecord>& nodes) {
    std::vector<std::string> ids;
    for (const NodeRecord& node : nodes) ids.push_back(node.node_id);
    return ids;
  }
  void Create(const std::string& id, const Owner& owner, const std::string& carrier_call_id = "") {
    CallRecord call = MakeCall(id);
    call.owner = owner;
    call.carrier_call_id = carrier_call_id;
    const auto created = calls().CreateCall(call, CreatedEvents(id), absl::nullopt);
    ASSERT_TRUE(created.ok()) << created.status();
  }
  absl::Status WriteAs(const std::string& id, const Owner& owner, int64_t sequence) {
    CallWrite write = MakeWrite(id, {sequence});
    write.owner = owner;
    return calls().Apply(write, nullptr);
  }
  CallRecord Get(const std::string& id) {
    const auto call = calls().GetCall(id);
    EXPECT_TRUE(call.ok()) << call.status();
    return call.ok() ? *call : CallRecord();
  }
  bool IsOver(const std::string& id) { return call::IsFinal(Get(id).state); }
  NodeTable::Reaped Reap(int limit = 100, bool summaries_due = false) {
    const auto reaped = nodes().Reap(kGrace, NodeLost(), kStart + absl::Seconds(70), summaries_due, limit);
    EXPECT_TRUE(reaped.ok()) << reaped.status();
    EXPECT_FALSE(reaped.ok() && reaped->busy);
    return reaped.ok() ? *reaped : NodeTable::Reaped();
  }
  std::vector<std::string> ReapIds() {
    std::vector<std::string> ids;
    for (const OpenCall& call : Reap().calls) ids.push_back(call.call_id);
    return ids;
  }
  std::string Claim(const std::string& carrier_call_id, const std::string& node) {
    const auto owner = nodes().ClaimCarrierCall(carrier_call_id, node);
    EXPECT_TRUE(owner.ok()) << owner.status();
    return owner.ok() ? *owner : "";
  }
  std::string Find(const std::string& carrier_call_id) {
    const auto owner = nodes().FindCarrierCall(carrier_call_id);
    EXPECT_TRUE(owner.ok()) << owner.status();
    return owner.ok() ? owner->value_or("nobody") : "";
  }
  std::vector<HangUpJob> TakeHangUps(int limit = 100) {
    const auto jobs = nodes().TakeHangUps(absl::Minutes(1), limit);
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    return jobs.ok() ? *jobs : std::vector<HangUpJob>();
  }

 private:
  std::unique_ptr<NodeTableUnderTest> under_test_;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_CONTRACT_NODE_TABLE_CONTRACT_H_
