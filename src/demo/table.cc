#include "src/demo/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace callbridge::demo {
namespace {

constexpr int kNarrowest = 16;

// Characters, not bytes: continuation bytes of UTF-8 do not count.
int Length(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::string Padded(absl::string_view text, int width) {
  return absl::StrCat(text, std::string(std::max(0, width - Length(text)), ' '));
}

// Takes from the front of `text` what fits a line: up to a line end, else to the last space, else as many characters as
// fit.
std::string TakeLine(absl::string_view& text, int width) {
  size_t end = 0, space = 0;
  for (int used = 0; end < text.size() && text[end] != '\n'; ++end) {
    used += (text[end] & 0xC0) != 0x80;
    if (used > width) break;
    if (text[end] == ' ') space = end;
  }
  const bool full = end < text.size() && text[end] != '\n' && text[end] != ' ';
  if (full && space > 0) end = space;
  std::string line(text.substr(0, end));
  text.remove_prefix(end);
  if (!text.empty() && (text[0] == '\n' || text[0] == ' ')) text.remove_prefix(1);
  return line;
}

std::vector<std::string> Wrapped(absl::string_view text, int width) {
  std::vector<std::string> lines;
  while (!text.empty()) lines.push_back(TakeLine(text, width));
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace

std::map<std::string, std::string> Table::Find(absl::string_view column, absl::string_view value) const {
  std::map<std::string, std::string> found;
  const auto place = std::find(columns.begin(), columns.end(), column);
  if (place == columns.end()) return found;
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const std::vector<std::string>& each) {
    return each[place - columns.begin()] == value;
  });
  if (row == rows.end()) return found;
  for (size_t i = 0; i < columns.size(); ++i) found[columns[i]] = (*row)[i];
  return found;
}

std::string FormatRecords(const Table& table, int width) {
  if (table.rows.empty()) return "  (no rows)\n";
  int names = 0;
  for (const std::string& column : table.columns) names = std::max(names, Length(column));
  const int count = table.rows.size();
  const int each = std::max(kNarrowest, (width - names - 2) / count - 3);
  std::string text;
  for (size_t column = 0; column < table.columns.size(); ++column) {
    std::vector<std::vector<std::string>> cells;
    size_t height = 1;
    for (const std::vector<std::string>& row : table.rows) {
      cells.push_back(Wrapped(row[column], each));
      height = std::max(height, cells.back().size());
    }
    for (size_t line = 0; line < height; ++line) {
      std::string out = absl::StrCat("  ", Padded(line == 0 ? table.columns[column] : "", names));
      for (const std::vector<std::string>& cell : cells) {
        absl::StrAppend(&out, " │ ", Padded(line < cell.size() ? cell[line] : "", each));
      }
      out.erase(out.find_last_not_of(' ') + 1);
      absl::StrAppend(&text, out, "\n");
    }
  }
  return text;
}

}  // namespace callbridge::demo
