// Feeds a fuzz target with its corpus where there is no fuzzer: each file, each beginning of it, and each with one byte
// changed.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::string g_corpus;

void Feed(const std::string& input) {
  // A copy of exactly that size, so that AddressSanitizer sees a read behind its end.
  const std::basic_string<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void FeedChanged(const std::string& input) {
  // Bounded: long inputs are changed in steps.
  const size_t step = 1 + input.size() / 512;
  for (size_t i = 0; i < input.size(); i += step) {
    Feed(input.substr(0, i));
    for (const char other : {'\0', '"', '\\', '\xff', static_cast<char>(input[i] ^ 1)}) {
      std::string changed = input;
      changed[i] = other;
      Feed(changed);
    }
  }
}

TEST(CorpusTest, NoInputAndNoSmallChangeOfItBreaksTheTarget) {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(g_corpus)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    Feed(input);
    FeedChanged(input);
    ++files;
  }
  EXPECT_GT(files, 0) << g_corpus;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) g_corpus = argv[1];
  return RUN_ALL_TESTS();
}
