#include "src/base/ids.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/escaping.h"

namespace callbridge::base {
namespace {

std::array<unsigned char, 16> RandomBytes() {
  std::array<unsigned char, 16> bytes;
  // Up to 256 bytes never come short (getrandom(2)); without randomness no token of ours would be safe.
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  return bytes;
}

std::string Hex(const std::array<unsigned char, 16>& bytes) {
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

std::string NewUuid() {
  auto bytes = RandomBytes();
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  std::string id = Hex(bytes);
  for (int dash : {8, 13, 18, 23}) id.insert(dash, 1, '-');
  return id;
}

std::string NewToken() { return Hex(RandomBytes()); }

bool IsCanonicalUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

}  // namespace callbridge::base
