#include "tests/fakes/memory_call_store.h"

#include "tests/contract/call_store_contract.h"

namespace callbridge::store {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  CallStore& Open() override { return store_; }

 private:
  MemoryCallStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, CallStoreContract,
                         testing::Values(StoreFactory{"memory", [] { return std::make_unique<MemoryUnderTest>(); }}));

}  // namespace
}  // namespace callbridge::store
