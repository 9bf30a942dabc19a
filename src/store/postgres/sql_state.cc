#include "src/store/postgres/sql_state.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace callbridge::store {
namespace {

struct Words {
  absl::string_view begin;  // Of the code; the first row that fits counts.
  absl::string_view words;
};

// Worth another try.
constexpr Words kAway[] = {
    {"08", "the connection failed"},
    {"57014", "a statement took too long and was ended by the server"},
    {"57", "the server is stopping, starting or recovering"},
    {"53100", "the server's disk is full"},
    {"53300", "the server has too many connections"},
    {"53", "the server is out of resources"},
    {"58", "the server's disk or system failed"},
    {"25006", "the server is read-only"},
    {"25P03", "the server ended a transaction that waited too long"},
    {"40", "another transaction was in the way"},
    {"55P03", "a lock was not to be had in time"},
    {"55006", "the object is in use"},
    {"0A000", "the schema was changed meanwhile"},
    {"26000", "the server does not know a statement that was prepared: is a pooler in between?"},
};

constexpr Words kWrong[] = {
    {"22", "a value was refused"},
    {"23", "a row was refused by a constraint"},
    {"25", "the transaction is in the wrong state"},
    {"42501", "the role lacks a privilege"},
    {"42", "a statement does not fit the schema"},
    {"54", "a value is too big"},
};

}  // namespace

absl::Status SqlError(absl::string_view sql_state) {
  const auto say = [sql_state](absl::string_view words) {
    return absl::StrCat("database: ", words, " (SQLSTATE ", sql_state, ")");
  };
  if (sql_state == kOwnerMoved) {
    return absl::FailedPreconditionError(
        "database: another callbridge has taken it over; this one writes nothing more. Stop one of them");
  }
  for (const Words& row : kAway) {
    if (absl::StartsWith(sql_state, row.begin)) return absl::UnavailableError(say(row.words));
  }
  for (const Words& row : kWrong) {
    if (absl::StartsWith(sql_state, row.begin)) return absl::InternalError(say(row.words));
  }
  return absl::InternalError(say("the server failed"));
}

bool IsExpected(absl::string_view sql_state) {
  for (const absl::string_view expected : {kUniqueViolation, kHeadMoved, kOwnerMoved, kSuppressed}) {
    if (sql_state == expected) return true;
  }
  return IsCollision(sql_state);
}

bool IsCollision(absl::string_view sql_state) { return sql_state == kSerializationFailure || sql_state == kDeadlock; }

}  // namespace callbridge::store
