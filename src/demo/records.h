#ifndef CALLBRIDGE_SRC_DEMO_RECORDS_H_
#define CALLBRIDGE_SRC_DEMO_RECORDS_H_

#include <string>

#include "absl/status/statusor.h"
#include "src/demo/table.h"

namespace callbridge::demo {

// All rows of a table of the server's SQLite file, in the order in which they were created; NULL is "". Reads only, and
// may while the server writes.
absl::StatusOr<Table> ReadTable(const std::string& path, const std::string& name);

}  // namespace callbridge::demo

#endif  // CALLBRIDGE_SRC_DEMO_RECORDS_H_
