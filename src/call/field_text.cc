#include "src/call/field_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace callbridge::call {

void AppendText(absl::string_view name, absl::string_view value, std::string* line) {
  absl::StrAppend(line, name, "=\"", absl::Utf8SafeCEscape(value), "\"");
}

absl::Status TakeField(absl::string_view* rest, std::string* name, std::string* value) {
  const size_t equals = rest->find('=');
  if (equals == 0 || equals == absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("expected name=value, found '", *rest, "'"));
  }
  *name = std::string(rest->substr(0, equals));
  rest->remove_prefix(equals + 1);
  size_t end = rest->find(' ');
  if (!rest->empty() && (*rest)[0] == '"') {
    end = 1;
    while (end < rest->size() && (*rest)[end] != '"') end += (*rest)[end] == '\\' ? 2 : 1;
    if (end >= rest->size()) return absl::InvalidArgumentError(absl::StrCat(*name, ": the closing quote is missing"));
    std::string error;
    if (!absl::CUnescape(rest->substr(1, end - 1), value, &error))
      return absl::InvalidArgumentError(absl::StrCat(*name, ": ", error));
    if (++end < rest->size() && (*rest)[end] != ' ') {
      return absl::InvalidArgumentError(absl::StrCat(*name, ": a blank is missing behind the closing quote"));
    }
  } else {
    *value = std::string(rest->substr(0, end));
  }
  rest->remove_prefix(std::min(end, rest->size()));
  return absl::OkStatus();
}

std::string FormatDecimal(int64_t value, int digits) {
  std::string text = absl::StrCat(value);
  const auto places = static_cast<size_t>(digits);
  if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
  text.insert(text.size() - places, ".");
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

bool ParseDecimal(absl::string_view text, int digits, int64_t* value) {
  const size_t point = std::min(text.find('.'), text.size());
  const absl::string_view places = text.substr(std::min(point + 1, text.size()));
  const bool pointless = point == text.size();
  if (point == 0 || (!pointless && places.empty()) || places.size() > static_cast<size_t>(digits)) return false;
  std::string all = absl::StrCat(text.substr(0, point), places);
  if (!std::all_of(all.begin(), all.end(), absl::ascii_isdigit)) return false;
  all.append(static_cast<size_t>(digits) - places.size(), '0');
  return absl::SimpleAtoi(all, value);
}

}  // namespace callbridge::call
