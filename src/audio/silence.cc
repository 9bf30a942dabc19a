#include "src/audio/silence.h"

#include <algorithm>
#include <string>

#include "src/audio/playout_ledger.h"

namespace callbridge::audio {
namespace {

constexpr int64_t kLongestMs = 1000;

}  // namespace

absl::string_view SilenceBase64(int64_t ms) {
  // Three bytes of 0xFF are four slashes.
  static const auto& kText = *new std::string(kLongestMs * kBytesPerMs / 3 * 4, '/');
  const int64_t bytes = std::clamp<int64_t>(ms, 0, kLongestMs) * kBytesPerMs;
  return absl::string_view(kText).substr(0, static_cast<size_t>(bytes / 3 * 4));
}

}  // namespace callbridge::audio
