#include "src/store/postgres/statement.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/store/text.h"

namespace callbridge::store {

void ArrayText::Add(absl::string_view value) {
  Comma();
  text_ += '"';
  for (const char c : CleanText(value)) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void ArrayText::Add(int64_t value) {
  Comma();
  absl::StrAppend(&text_, value);
}

void ArrayText::Add(absl::Time value) {
  if (IsStorableTime(value)) return Add(FormatTimestamp(value));
  Comma();
  text_ += "NULL";
}

Statement& Statement::Text(absl::string_view value) {
  parameters_.push_back(CleanText(value));
  return *this;
}

Statement& Statement::TextOrNull(absl::string_view value) { return value.empty() ? Null() : Text(value); }

Statement& Statement::Optional(const absl::optional<std::string>& value) { return value ? Text(*value) : Null(); }

Statement& Statement::Optional(const absl::optional<int64_t>& value) { return value ? Int(*value) : Null(); }

Statement& Statement::Int(int64_t value) {
  parameters_.push_back(absl::StrCat(value));
  return *this;
}

Statement& Statement::Bool(bool value) {
  parameters_.push_back(value ? "t" : "f");
  return *this;
}

Statement& Statement::Time(absl::Time value) {
  parameters_.push_back(FormatTimestamp(value));
  return *this;
}

Statement& Statement::TimeOrNull(absl::Time value) { return IsStorableTime(value) ? Time(value) : Null(); }

Statement& Statement::Bound(absl::Time value) {
  if (IsStorableTime(value)) return Time(value);
  parameters_.push_back(value < absl::UnixEpoch() ? "-infinity" : "infinity");
  return *this;
}

Statement& Statement::Interval(absl::Duration value) {
  return Text(absl::StrCat(absl::ToInt64Microseconds(value), " microseconds"));
}

Statement& Statement::Array(const ArrayText& array) {
  parameters_.push_back(array.text());
  return *this;
}

Statement& Statement::Null() {
  parameters_.push_back(absl::nullopt);
  return *this;
}

bool Rows::Next() {
  if (!status_.ok() || row_ + 1 >= size()) return false;
  ++row_;
  column_ = 0;
  return true;
}

int64_t Rows::affected() const {
  int64_t count = 0;
  return absl::SimpleAtoi(PQcmdTuples(result_.get()), &count) ? count : 0;
}

std::string Rows::GetText() {
  const int column = column_++;
  return std::string(PQgetvalue(result_.get(), row_, column), PQgetlength(result_.get(), row_, column));
}

int64_t Rows::GetInt() {
  const bool null = NextIsNull();
  int64_t value = 0;
  if (!absl::SimpleAtoi(GetText(), &value) && !null) Damaged();
  return value;
}

absl::optional<int64_t> Rows::GetIntOrNull() {
  const bool null = NextIsNull();
  const int64_t value = GetInt();
  return null ? absl::nullopt : absl::make_optional(value);
}

bool Rows::GetBool() { return GetText() == "t"; }

// "2023-11-14 22:13:20.123456+00": the session's time zone is UTC and its date style ISO.
absl::Time Rows::GetTime() {
  const bool null = NextIsNull();
  const std::string text = GetText();
  if (null) return absl::InfinitePast();
  absl::string_view utc = text;
  absl::Time time;
  std::string error;
  if (absl::ConsumeSuffix(&utc, "+00") &&
      absl::ParseTime("%E4Y-%m-%d %H:%M:%E*S", utc, absl::UTCTimeZone(), &time, &error)) {
    return time;
  }
  Damaged();
  return absl::InfinitePast();
}

bool Rows::NextIsNull() const { return PQgetisnull(result_.get(), row_, column_) == 1; }

void Rows::Damaged() {
  if (!status_.ok()) return;
  const char* name = PQfname(result_.get(), column_ - 1);
  status_ = absl::InternalError(
      absl::StrCat("database: column ", name == nullptr ? "?" : name, " holds what this version does not know"));
}

}  // namespace callbridge::store
