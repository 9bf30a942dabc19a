#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_SQL_STATE_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_SQL_STATE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// Codes of errors as PostgreSQL gives them (its manual, appendix A), and two of our own.
namespace callbridge::store {

inline constexpr absl::string_view kUniqueViolation = "23505";
inline constexpr absl::string_view kSerializationFailure = "40001";
inline constexpr absl::string_view kDeadlock = "40P01";

// Raised by callbridge_require() of the schema, so that a whole pipeline is taken back.
inline constexpr absl::string_view kHeadMoved = "UB001";   // The call is not there, or not at the expected event.
inline constexpr absl::string_view kOwnerMoved = "UB002";  // Another process writes to this database now.
inline constexpr absl::string_view kSuppressed = "UB003";  // The lead must not be dialled.

// The status for an error of the server: kUnavailable (worth a retry: going down, out of something, read-only, locked,
// too slow, changed under us), kFailedPrecondition (kOwnerMoved) or kInternal (the rest), in fixed words with the code.
// PostgreSQL's own words are left out: they quote what was written.
absl::Status SqlError(absl::string_view sql_state);

// Whether `sql_state` left the connection as it was, and may be had in the normal course of things.
bool IsExpected(absl::string_view sql_state);

// Whether the same transaction may succeed when it is tried again at once.
bool IsCollision(absl::string_view sql_state);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_SQL_STATE_H_
