#include "src/net/ws_frame.h"

#include <cstring>

namespace callbridge::net {
namespace {

constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kMasked = 0x80;

void AppendBigEndian(uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace

std::string FrameHeader(WsOpcode opcode, size_t payload_bytes, absl::optional<uint32_t> mask) {
  std::string header;  // Up to 14 bytes: fits without an allocation.
  header.push_back(static_cast<char>(kFinal | static_cast<uint8_t>(opcode)));
  const uint8_t masked = mask ? kMasked : 0;
  if (payload_bytes < 126) {
    header.push_back(static_cast<char>(masked | payload_bytes));
  } else if (payload_bytes <= 0xffff) {
    header.push_back(static_cast<char>(masked | 126));
    AppendBigEndian(payload_bytes, 2, header);
  } else {
    header.push_back(static_cast<char>(masked | 127));
    AppendBigEndian(payload_bytes, 8, header);
  }
  if (mask) header.append(reinterpret_cast<const char*>(&*mask), sizeof(*mask));
  return header;
}

void MaskPayload(char* payload, size_t size, uint32_t mask) {
  const uint64_t wide = (static_cast<uint64_t>(mask) << 32) | mask;
  size_t at = 0;
  for (; at + sizeof(wide) <= size; at += sizeof(wide)) {
    uint64_t word;
    std::memcpy(&word, payload + at, sizeof(word));
    word ^= wide;
    std::memcpy(payload + at, &word, sizeof(word));
  }
  char key[sizeof(mask)];
  std::memcpy(key, &mask, sizeof(mask));
  for (; at < size; ++at) payload[at] ^= key[at % sizeof(mask)];
}

}  // namespace callbridge::net
