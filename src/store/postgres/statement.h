#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_STATEMENT_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_STATEMENT_H_

#include <postgresql/libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace callbridge::store {

// The text of a PostgreSQL array: '{"a","b"}', for a parameter that is cast to text[], bigint[], ...
class ArrayText {
 public:
  void Add(absl::string_view value);  // Goes through CleanText().
  void Add(int64_t value);
  void Add(absl::Time value);  // NULL if it is not storable: the infinite times.
  std::string text() const { return text_ + "}"; }

 private:
  void Comma() {
    if (text_.size() > 1) text_ += ',';
  }
  std::string text_ = "{";
};

// One statement with its parameters ($1, $2, ...), bound from left to right.
class Statement {
 public:
  explicit Statement(absl::string_view sql) : sql_(sql) {}

  Statement& Text(absl::string_view value);                       // Goes through CleanText().
  Statement& TextOrNull(absl::string_view value);                 // Empty: NULL.
  Statement& Optional(const absl::optional<std::string>& value);  // Not set: NULL.
  Statement& Int(int64_t value);
  Statement& Optional(const absl::optional<int64_t>& value);  // Not set: NULL.
  Statement& Bool(bool value);
  Statement& Time(absl::Time value);          // The nearest that can be stored.
  Statement& TimeOrNull(absl::Time value);    // NULL if it is not storable: the infinite times.
  Statement& Bound(absl::Time value);         // To compare with: the infinite times are PostgreSQL's own.
  Statement& Interval(absl::Duration value);  // For a parameter that is cast to interval.
  Statement& Array(const ArrayText& array);
  Statement& Null();

  const std::string& sql() const { return sql_; }
  const std::vector<absl::optional<std::string>>& parameters() const { return parameters_; }

 private:
  std::string sql_;
  std::vector<absl::optional<std::string>> parameters_;
};

// The rows that a statement gave, one after the other, columns from left to right. The first failure sticks and shows
// in status().
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}

  // Moves to the next row; begins before the first. False: there is none, or status() is an error.
  bool Next();
  const absl::Status& status() const { return status_; }
  int size() const { return PQntuples(result_.get()); }
  int columns() const { return PQnfields(result_.get()); }

  // How many rows an INSERT, UPDATE or DELETE touched.
  int64_t affected() const;

  // Read the next column of the row; NULL reads as "", 0 and InfinitePast. A time or number that cannot be read sets
  // status().
  std::string GetText();
  int64_t GetInt();
  absl::optional<int64_t> GetIntOrNull();
  bool GetBool();
  absl::Time GetTime();
  bool NextIsNull() const;

  // Reads an enum's word; one that is not known sets status().
  template <typename Enum>
  Enum GetEnum() {
    Enum value{};
    if (!Parse(GetText(), &value)) Damaged();
    return value;
  }
  // The row holds what we never write.
  void Damaged();

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
  absl::Status status_;
  int row_ = -1;
  int column_ = 0;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_STATEMENT_H_
