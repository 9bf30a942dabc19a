#include "src/bench/marker.h"

#include <ctime>

namespace callbridge::bench {
namespace {

constexpr absl::string_view kMagic = "cbT0";
constexpr size_t kDigits = 11;  // Of six bits: 66, for a number of 64.
constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int DigitOf(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

std::string SilentBase64(size_t bytes) {
  // Silence is 0xff, so every whole group of three bytes is "////".
  std::string base64(bytes / 3 * 4, '/');
  if (bytes % 3 == 1) base64 += "/w==";
  if (bytes % 3 == 2) base64 += "//8=";
  return base64;
}

void WriteMarker(uint64_t nanoseconds, std::string& base64) {
  base64.replace(0, kMagic.size(), kMagic.data(), kMagic.size());
  for (size_t i = 0; i < kDigits; ++i) {
    base64[kMagic.size() + i] = kAlphabet[nanoseconds & 63];
    nanoseconds >>= 6;
  }
  base64[kMarkerChars - 1] = 'A';
}

absl::optional<uint64_t> ReadMarker(absl::string_view base64) {
  if (base64.size() < kMarkerChars || base64.substr(0, kMagic.size()) != kMagic) return absl::nullopt;
  uint64_t nanoseconds = 0;
  for (size_t i = kDigits; i > 0; --i) {
    const int digit = DigitOf(base64[kMagic.size() + i - 1]);
    if (digit < 0) return absl::nullopt;
    nanoseconds = nanoseconds << 6 | static_cast<uint64_t>(digit);
  }
  return nanoseconds;
}

uint64_t SteadyNanos() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace callbridge::bench
