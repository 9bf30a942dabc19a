#ifndef CALLBRIDGE_SRC_STORE_SQLITE_LEAD_TABLE_H_
#define CALLBRIDGE_SRC_STORE_SQLITE_LEAD_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/store/records.h"
#include "src/store/sqlite/database.h"

// The rows of leads. Functions that write expect an open transaction. A trigger keeps `revision`.
namespace callbridge::store {

// Finds or makes the lead of `phone`, makes `call_id` its last call, and returns its id.
absl::StatusOr<std::string> TouchLead(Database& database, absl::string_view phone, absl::string_view call_id,
                                      absl::Time now);

enum class LeadKey { kId, kPhone };
absl::StatusOr<absl::optional<LeadRecord>> SelectLead(Database& database, LeadKey key, absl::string_view value);
absl::StatusOr<std::vector<LeadRecord>> SelectLeads(Database& database, const LeadFilter& filter,
                                                    const absl::optional<LeadPageKey>& after, int limit);

// As CallStore::CreateLead() and UpdateLead(), of what was checked.
absl::StatusOr<LeadRecord> AddLead(Database& database, const LeadRecord& lead);
absl::StatusOr<LeadRecord> ChangeLead(Database& database, const LeadUpdate& update, absl::Time now);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SQLITE_LEAD_TABLE_H_
