#ifndef CALLBRIDGE_SRC_NET_WS_FRAME_H_
#define CALLBRIDGE_SRC_NET_WS_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/types/optional.h"

namespace callbridge::net {

// RFC 6455, section 5.2: the frames that we write ourselves, so that a message is built in place and never copied.
enum class WsOpcode : uint8_t { kText = 1, kBinary = 2, kPing = 9, kPong = 10 };

// What stands before the payload of an unfragmented frame: 2 to 14 bytes. `mask` (clients must, servers must not): the four bytes
// of the masking key as they lie in memory.
std::string FrameHeader(WsOpcode opcode, size_t payload_bytes, absl::optional<uint32_t> mask);

// Masks `size` bytes in place; a second time unmasks them.
void MaskPayload(char* payload, size_t size, uint32_t mask);

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_WS_FRAME_H_
