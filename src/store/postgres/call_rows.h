#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_CALL_ROWS_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_CALL_ROWS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/store/postgres/statement.h"
#include "src/store/records.h"

// The statements for the rows of call_logs, leads and call_requests, and what comes back. None of them needs the answer
// of another, so that a whole transaction is one pipeline; those that change a call's lead find it themselves.
namespace callbridge::store {

// Adds the call; its lead is that of `phone`, none if that is empty.
Statement InsertCall(const CallRecord& call, absl::string_view phone);
Statement InsertRequest(const RequestKey& key, const CallRecord& call);

// Finds or makes the lead of `phone` and makes `call_id` its last call. Gives its id.
Statement TouchLead(absl::string_view phone, absl::string_view call_id, absl::Time now);

// Gives rows for ReadCall().
Statement SelectCall(absl::string_view call_id);
Statement SelectCalls(const CallFilter& filter, const absl::optional<CallPageKey>& after, int limit);
// At most `limit` calls that are not final, oldest first, locked until the end of the transaction.
Statement SelectOpenCalls(int limit);
CallRecord ReadCall(Rows& rows);

// What a write sets in the call's row, but for what the functions below do; moves its head from `head` to `new_head`.
// The whole transaction fails with kHeadMoved if the call is not there, or at another head than `head`; nullopt: any.
Statement UpdateCall(const CallWrite& write, const absl::optional<int64_t>& head, int64_t new_head);

// write.transferred, write.end and write.result, which are set: on the call and on its lead. In this order.
Statement UpdateTransferred(const CallWrite& write, absl::Time now);
Statement UpdateEnd(const CallWrite& write);
Statement UpdateResult(const CallWrite& write, absl::Time now);

// Gives rows for ReadLead().
enum class LeadKey { kId, kPhone };
Statement SelectLead(LeadKey key, absl::string_view value);
LeadRecord ReadLead(Rows& rows);

// Gives the fingerprint and the call's id.
Statement SelectRequest(const RequestKey& key);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_CALL_ROWS_H_
