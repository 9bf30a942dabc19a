#ifndef CALLBRIDGE_SRC_STORE_NUMBER_EXPORT_H_
#define CALLBRIDGE_SRC_STORE_NUMBER_EXPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/store/call_store.h"

namespace callbridge::store {

// Everything that the store has about a person, by phone number, as one JSON document for people and programs:
//   {"number", "exported_at", "lead": {...} or null, "calls": [{..., "transcript_items", "transfers", "events",
//    "transcript_reads"}]}
// with the words and the forms of docs/schema.md, newest call first. Calls are those with the number on the other side,
// as EraseNumber() takes them. What was purged is not in it; a call that runs is as it was when it was read.
// kInvalidArgument: not E.164. Else what the store says. Blocks.
absl::StatusOr<std::string> ExportNumber(CallStore& store, absl::string_view number, absl::Time now);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_NUMBER_EXPORT_H_
