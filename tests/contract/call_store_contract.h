#ifndef CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_
#define CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_

#include "tests/contract/store_under_test.h"

// Every promise of src/store/call_store.h as tests, for every store. They are in *_contract.cc here, and come with the
// library of this header; a store's test includes it and instantiates:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, CallStoreContract, testing::Values(StoreFactory{...}));

#endif  // CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_
