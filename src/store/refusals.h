#ifndef CALLBRIDGE_SRC_STORE_REFUSALS_H_
#define CALLBRIDGE_SRC_STORE_REFUSALS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "src/store/records.h"

// What every store answers where it refuses by what is in it, in the same words; with the reasons that call_store.h
// names.
namespace callbridge::store {

absl::Status RequestIdReused();
absl::Status LeadNotFound();
absl::Status LeadSuppressed(const LeadRecord& lead);
absl::Status LeadIdReused(absl::string_view lead_id);
absl::Status LeadExists(absl::string_view lead_id);
absl::Status LeadChanged(const LeadRecord& lead);
absl::Status CallsNotOver(const std::vector<std::string>& call_ids);
absl::Status CallErased(absl::string_view call_id);
absl::Status EventsPurged(int64_t oldest);
absl::Status OwnerChanged(absl::string_view call_id);

// Whether `status` is OwnerChanged().
bool IsOwnerChanged(const absl::Status& status);

// The `oldest` of EventsPurged(); -1: `status` is another one.
int64_t OldestOf(const absl::Status& status);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_REFUSALS_H_
