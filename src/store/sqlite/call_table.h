#ifndef CALLBRIDGE_SRC_STORE_SQLITE_CALL_TABLE_H_
#define CALLBRIDGE_SRC_STORE_SQLITE_CALL_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/store/records.h"
#include "src/store/sqlite/database.h"

// The rows of call_logs and call_requests, and what calls do to leads. Functions that write expect an open transaction.
namespace callbridge::store {

absl::Status InsertCall(Database& database, const CallRecord& call);

// nullopt: no such call.
absl::StatusOr<absl::optional<CallRecord>> SelectCall(Database& database, absl::string_view call_id);
absl::StatusOr<std::vector<CallRecord>> SelectCalls(Database& database, const CallFilter& filter,
                                                    const absl::optional<CallPageKey>& after, int limit);
// As CallStore::FindCall().
absl::StatusOr<absl::optional<CallRecord>> SelectCallOfCarrier(Database& database, absl::string_view carrier_call_id,
                                                               absl::string_view carrier_request_id);
// Calls that are not final, oldest first.
absl::StatusOr<std::vector<CallRecord>> SelectOpenCalls(Database& database);

// What a write changes in the call's row and in its lead's. `now` is the time of the change, for leads.updated_at.
absl::Status UpdateCall(Database& database, const CallRecord& call, const CallWrite& write, int64_t event_head,
                        absl::Time now);

// What is the client's own, of a call that is there.
absl::Status WriteClientFields(Database& database, const CallUpdate& update);

// That the call's summary was made or given up, once and for all.
absl::Status SettleSummary(Database& database, absl::string_view call_id);
absl::StatusOr<bool> SummaryIsSettled(Database& database, absl::string_view call_id);

struct RequestRow {
  std::string fingerprint;
  std::string call_id;
};
absl::StatusOr<absl::optional<RequestRow>> SelectRequest(Database& database, const RequestKey& key);
absl::Status InsertRequest(Database& database, const RequestKey& key, const CallRecord& call);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SQLITE_CALL_TABLE_H_
