#include "tests/fakes/memory_node_table.h"

#include <memory>

#include "tests/contract/node_table_contract.h"

namespace callbridge::store {
namespace {

class MemoryUnderTest final : public NodeTableUnderTest {
 public:
  NodeTable& nodes() override { return nodes_; }
  CallStore& calls() override { return calls_; }
  void Advance(absl::Duration by) override { nodes_.Advance(by); }

 private:
  MemoryCallStore calls_;
  MemoryNodeTable nodes_{calls_};
};

INSTANTIATE_TEST_SUITE_P(Memory, NodeTableContract,
                         testing::Values(NodeTableFactory{"memory",
                                                          [] { return std::make_unique<MemoryUnderTest>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace callbridge::store
