#include "src/tape/mask.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/base/phone.h"

namespace callbridge::tape {
namespace {

constexpr int kShortestNumber = 7;

bool IsNumberField(absl::string_view name) { return name == "from" || name == "to" || absl::EndsWith(name, "number"); }

bool IsPlainField(absl::string_view name) {
  return absl::EndsWith(name, "_id") || name == "model" || name == "base64" || name == "follow_up_time";
}

// Names and words of ours ("anonymous", "in_progress") may stand where a number does.
bool BeginsLikeNumber(absl::string_view text) {
  return !text.empty() && (absl::ascii_isdigit(text[0]) || text[0] == '+' || absl::StrContains(text, ':'));
}

void MaskEachDigit(std::string& text) { std::replace_if(text.begin(), text.end(), absl::ascii_isdigit, '*'); }

// Masks the characters at these places as if they stood together.
void MaskAt(const std::vector<size_t>& places, std::string& text) {
  std::string run;
  for (const size_t place : places) run += text[place];
  run = base::MaskNumber(run);
  for (size_t i = 0; i < places.size(); ++i) text[places[i]] = run[i];
}

void MaskRuns(std::string& text) {
  std::vector<size_t> run;  // Where the present one's digits and its plus sign are.
  int between = 0;          // Characters since the last of them.
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : '\0';
    if (absl::ascii_isdigit(c)) {
      run.push_back(i);
      between = 0;
    } else if (run.empty() || c == '\0' || !absl::StrContains(" -./()", c) || ++between > 2) {
      if (run.size() >= kShortestNumber) MaskAt(run, text);
      run.clear();
      between = 0;
      if (c == '+') run.push_back(i);
    }
  }
}

void MaskField(absl::string_view name, std::string& text) {
  name.remove_prefix(name.rfind('.') == absl::string_view::npos ? 0 : name.rfind('.') + 1);
  if (IsPlainField(name)) return;
  if (IsNumberField(name)) {
    if (BeginsLikeNumber(text)) text = base::MaskNumber(text);
  } else if (name == "delta") {
    MaskEachDigit(text);
  } else {
    MaskRuns(text);
  }
}

bool HasDigits(absl::string_view text) { return std::any_of(text.begin(), text.end(), absl::ascii_isdigit); }

// The name before the '=' at `equals`.
absl::string_view NameBefore(absl::string_view line, size_t equals) {
  const size_t blank = line.rfind(' ', equals);
  return line.substr(blank == absl::string_view::npos ? 0 : blank + 1,
                     equals - (blank == absl::string_view::npos ? 0 : blank + 1));
}

size_t ClosingQuote(absl::string_view line, size_t from) {
  while (from < line.size() && line[from] != '"') from += line[from] == '\\' ? 2 : 1;
  return std::min(from, line.size());
}

}  // namespace

std::string MaskNumbers(absl::string_view line) {
  std::string out;
  out.reserve(line.size());
  size_t done = 0;
  for (size_t open = line.find("=\""); open != absl::string_view::npos; open = line.find("=\"", done)) {
    const size_t close = ClosingQuote(line, open + 2);
    const absl::string_view escaped = line.substr(open + 2, close - open - 2);
    const absl::string_view name = NameBefore(line, open);
    std::string text;
    const bool masks = HasDigits(escaped) || absl::StrContains(escaped, ':');
    if (masks && absl::CUnescape(escaped, &text)) {
      MaskField(name, text);
      absl::StrAppend(&out, line.substr(done, open + 2 - done), absl::Utf8SafeCEscape(text));
    } else {
      absl::StrAppend(&out, line.substr(done, close - done));
    }
    done = close;
  }
  absl::StrAppend(&out, line.substr(done));
  return out;
}

bool SameButForMasks(absl::string_view one, absl::string_view other) {
  const auto same = [](char a, char b) { return a == b || a == '*' || b == '*'; };
  return one.size() == other.size() && std::equal(one.begin(), one.end(), other.begin(), same);
}

}  // namespace callbridge::tape
