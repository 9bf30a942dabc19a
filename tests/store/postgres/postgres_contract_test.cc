#include <memory>

#include "absl/strings/str_cat.h"
#include "src/store/postgres/postgres_store.h"
#include "tests/contract/call_store_contract.h"
#include "tests/store/postgres/postgres_server.h"

namespace callbridge::store {
namespace {

// One database for all cases, emptied in between: a new one for each takes more than the case.
class PostgresUnderTest final : public StoreUnderTest {
 public:
  PostgresUnderTest() : uri_(Database()) { PostgresServer::Shared().Query(uri_, kEmpty); }
  CallStore& Open() override {
    store_.reset();
    auto store = PostgresStore::Open(uri_);
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    return *store_;
  }

 private:
  static constexpr char kEmpty[] =
      "DELETE FROM transcript_reads; DELETE FROM summary_jobs; DELETE FROM call_requests; DELETE FROM call_events; "
      "DELETE FROM call_transfers; "
      "DELETE FROM transcript_items; DELETE FROM call_logs; DELETE FROM leads; DELETE FROM store_owner; "
      "DELETE FROM erasures; DELETE FROM hangups; DELETE FROM carrier_claims; DELETE FROM nodes; "
      "DELETE FROM lost_positions; UPDATE log_state SET purged_through = 0";
  static const std::string& Database() {
    static const std::string* const uri = new std::string(PostgresServer::Shared().NewStoreDatabase());
    return *uri;
  }

  const std::string uri_;
  std::unique_ptr<CallStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, CallStoreContract,
                         testing::Values(StoreFactory{"postgres", [] { return std::make_unique<PostgresUnderTest>(); },
                                                      PostgresServer::WhyMissing()}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace callbridge::store
