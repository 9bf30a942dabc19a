#ifndef CALLBRIDGE_SRC_DEMO_TABLE_H_
#define CALLBRIDGE_SRC_DEMO_TABLE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace callbridge::demo {

// Rows of a query, as text.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // Each as long as `columns`.

  // The first row whose `column` is `value`, by column; empty if there is none.
  std::map<std::string, std::string> Find(absl::string_view column, absl::string_view value) const;
};

// Records side by side: a line per column of the table, a column per row, values broken at spaces to fit `width`
// characters in all. Pure.
std::string FormatRecords(const Table& table, int width);

}  // namespace callbridge::demo

#endif  // CALLBRIDGE_SRC_DEMO_TABLE_H_
