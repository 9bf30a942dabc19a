#ifndef CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_
#define CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_

#include "tests/contract/apply_contract.h"
#include "tests/contract/create_contract.h"
#include "tests/contract/erasure_contract.h"
#include "tests/contract/ghost_contract.h"
#include "tests/contract/lead_contract.h"
#include "tests/contract/lead_write_contract.h"
#include "tests/contract/log_contract.h"
#include "tests/contract/owner_contract.h"
#include "tests/contract/reading_contract.h"
#include "tests/contract/restore_contract.h"
#include "tests/contract/retention_contract.h"
#include "tests/contract/settlement_contract.h"
#include "tests/contract/store_under_test.h"
#include "tests/contract/summary_contract.h"

// Every promise of src/store/call_store.h as tests, for every store. A store's test includes this file, in one .cc
// only, and instantiates:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, CallStoreContract, testing::Values(StoreFactory{...}));

#endif  // CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_
