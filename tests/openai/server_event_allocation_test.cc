// An audio delta allocates nothing once the parser is warm. Apart from the other tests, because it replaces operator
// new.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/openai/server_event.h"

namespace {

std::atomic<int64_t> allocations{0};

void* Allocate(size_t size) {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}

void* AllocateOrAbort(size_t size) {
  if (void* memory = Allocate(size)) return memory;
  std::abort();
}

}  // namespace

// The forms without exceptions too: simdjson uses them.
void* operator new(size_t size) { return AllocateOrAbort(size); }
void* operator new[](size_t size) { return AllocateOrAbort(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace callbridge::openai {
namespace {

TEST(ServerEventAllocationTest, AudioDeltaAllocatesNothingOnceWarm) {
  ServerEventParser parser;
  const std::string small =
      absl::StrCat(R"({"type":"response.output_audio.delta","event_id":"event_AbCdEfGhIjKlMnOpQrStU",)",
                   R"("response_id":"resp_AbCdEfGhIjKlMnOpQrStU","item_id":"item_AbCdEfGhIjKlMnOpQrStU",)",
                   R"("output_index":0,"content_index":0,"delta":")", std::string(216, 'A'), "\"}");
  const std::string large =
      absl::StrCat(R"({"delta":")", std::string(40000, 'A'),
                   R"(","item_id":"item_AbCdEfGhIjKlMnOpQrStU","type":"response.output_audio.delta"})");
  ASSERT_TRUE(parser.Parse(large).ok());
  const int64_t before = allocations;
  int64_t bytes = 0;
  for (int i = 0; i < 100; ++i) {
    for (const std::string& message : {std::cref(small), std::cref(large)}) {
      const auto event = parser.Parse(message);
      bytes += event.ok() ? std::get<AudioDelta>(*event).bytes : -1'000'000;
    }
  }
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(bytes, 100 * (162 + 30000));
}

}  // namespace
}  // namespace callbridge::openai
