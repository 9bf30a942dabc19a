#ifndef CALLBRIDGE_SRC_CONTROL_PAGE_BYTES_H_
#define CALLBRIDGE_SRC_CONTROL_PAGE_BYTES_H_

#include <cstddef>
#include <utility>

namespace callbridge::control {

// Keeps the message of a page below 1 MiB.
class PageBytes {
 public:
  // Adds `entry` if the page has room for it; a page without entries always has.
  template <typename Entry, typename Field>
  bool TryAdd(Entry entry, Field* page) {
    const size_t more = entry.ByteSizeLong() + 8;
    if (page->size() > 0 && bytes_ + more > kMost) return false;
    bytes_ += more;
    *page->Add() = std::move(entry);
    return true;
  }

 private:
  // What a page's entries may take together, room for the token and the last entry's framing left.
  static constexpr size_t kMost = 1000 * 1024;
  size_t bytes_ = 0;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_PAGE_BYTES_H_
