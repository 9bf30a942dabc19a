#include <memory>

#include "src/store/sqlite/sqlite_store.h"
#include "tests/contract/call_store_contract.h"
#include "tests/store/sqlite/temporary_folder.h"

namespace callbridge::store {
namespace {

class SqliteUnderTest final : public StoreUnderTest {
 public:
  CallStore& Open() override {
    store_.reset();
    auto store = SqliteStore::Open(folder_.File("calls.db"));
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    return *store_;
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<CallStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, CallStoreContract,
                         testing::Values(StoreFactory{"sqlite", [] { return std::make_unique<SqliteUnderTest>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace callbridge::store
