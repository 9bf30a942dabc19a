#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_LEAD_ROWS_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_LEAD_ROWS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/store/postgres/statement.h"
#include "src/store/records.h"

// The statements for the rows of leads, and what comes back. A trigger keeps `revision`.
namespace callbridge::store {

// Finds or makes the lead of `phone` and makes `call_id` its last call. Gives its id; holds it for the transaction.
Statement TouchLead(absl::string_view phone, absl::string_view call_id, absl::Time now);

// The whole transaction fails with kSuppressed if the lead must not be dialled. Behind TouchLead(), so that nobody
// suppresses it in between.
Statement RequireDiallable(absl::string_view phone);

// Adds a lead, unless its id or its phone is there. Gives its id if it did.
Statement InsertLead(const LeadRecord& lead);

// Writes what a client may change, if the lead is still at its revision. Gives a row for ReadLead() if it was.
Statement UpdateClientFields(const LeadRecord& lead);

// Give rows for ReadLead().
enum class LeadKey { kId, kPhone };
Statement SelectLead(LeadKey key, absl::string_view value);
Statement SelectLeads(const LeadFilter& filter, const absl::optional<LeadPageKey>& after, int limit);
LeadRecord ReadLead(Rows& rows);

// Of the request that made the lead; '': a call did.
Statement SelectFingerprint(absl::string_view lead_id);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_LEAD_ROWS_H_
