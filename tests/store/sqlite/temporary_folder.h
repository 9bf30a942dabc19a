#ifndef CALLBRIDGE_TESTS_STORE_SQLITE_TEMPORARY_FOLDER_H_
#define CALLBRIDGE_TESTS_STORE_SQLITE_TEMPORARY_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace callbridge::store {

// A folder of its own that goes away at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = testing::TempDir() + "/callbridge_XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_STORE_SQLITE_TEMPORARY_FOLDER_H_
