#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_CALL_ROWS_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_CALL_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/store/postgres/statement.h"
#include "src/store/records.h"

// The statements for the rows of call_logs and call_requests, and what comes back. None of them needs the answer
// of another, so that a whole transaction is one pipeline; those that change a call's lead find it themselves.
namespace callbridge::store {

// Adds the call; its lead is that of `phone`, none if that is empty.
Statement InsertCall(const CallRecord& call, absl::string_view phone);
Statement InsertRequest(const RequestKey& key, const CallRecord& call);

// Gives rows for ReadCall().
// Of a call that was not erased; the row as it is then, which ReadCall() reads.
Statement UpdateClientFields(const CallUpdate& update);

Statement SelectCall(absl::string_view call_id);
// The newest call with that CallUUID, or RequestUUID.
Statement SelectCallOfCarrier(absl::string_view carrier_call_id);
Statement SelectCallOfRequest(absl::string_view carrier_request_id);
Statement SelectCalls(const CallFilter& filter, const absl::optional<CallPageKey>& after, int limit);
// At most `limit` calls that are not final, oldest first, locked until the end of the transaction.
Statement SelectOpenCalls(int limit);
// The same of calls whose owner is gone, or no node at all and older here than `settle`. Calls that somebody writes to
// just now are left out.
Statement SelectOrphans(absl::Duration settle, int limit);
Statement SelectHasOrphans(absl::Duration settle);
// Gives the ids of those whose last event is of an older transaction than this one.
Statement SelectAppendable(const std::vector<std::string>& call_ids);
// So that no write of their owner is taken any more.
Statement RaiseEpochs(const std::vector<std::string>& call_ids);
CallRecord ReadCall(Rows& rows);

// What a write sets in the call's row, but for what the functions below do; moves its head from `head` to `new_head`.
// The whole transaction fails with kHeadMoved if the call is not there, at another head than `head` (nullopt: any),
// another owner's, or erased though that is not expected.
Statement UpdateCall(const CallWrite& write, const absl::optional<int64_t>& head, int64_t new_head, bool erased);

// write.settlement, which is set.
Statement UpdateSettlement(const CallWrite& write);

// write.transferred, write.end and write.result, which are set: on the call and on its lead. In this order.
Statement UpdateTransferred(const CallWrite& write, absl::Time now);
Statement UpdateEnd(const CallWrite& write);
Statement UpdateResult(const CallWrite& write, absl::Time now);

// Gives the fingerprint and the call's id.
Statement SelectRequest(const RequestKey& key);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_CALL_ROWS_H_
