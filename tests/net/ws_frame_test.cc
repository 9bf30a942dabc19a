#include "src/net/ws_frame.h"

#include <cstring>
#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace callbridge::net {
namespace {

uint32_t Key(const char (&bytes)[5]) {
  uint32_t key;
  std::memcpy(&key, bytes, sizeof(key));
  return key;
}

// The lengths are those at which RFC 6455, section 5.2, changes the form.
TEST(WsFrameTest, HeaderForms) {
  struct Row {
    WsOpcode opcode;
    size_t size;
    std::string hex;
  };
  const Row rows[] = {
      {WsOpcode::kText, 0, "8100"},
      {WsOpcode::kText, 125, "817d"},
      {WsOpcode::kText, 126, "817e007e"},
      {WsOpcode::kText, 0xffff, "817effff"},
      {WsOpcode::kText, 0x10000, "817f0000000000010000"},
      {WsOpcode::kBinary, 5, "8205"},
      {WsOpcode::kPing, 0, "8900"},
      {WsOpcode::kPong, 4, "8a04"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.hex);
    EXPECT_EQ(absl::BytesToHexString(FrameHeader(row.opcode, row.size, absl::nullopt)), row.hex);
  }
}

TEST(WsFrameTest, MaskedHeadersSetTheBitAndEndWithTheKey) {
  EXPECT_EQ(absl::BytesToHexString(FrameHeader(WsOpcode::kText, 5, Key("\x37\xfa\x21\x3d"))), "818537fa213d");
  EXPECT_EQ(absl::BytesToHexString(FrameHeader(WsOpcode::kText, 256, Key("\1\2\3\4"))), "81fe010001020304");
}

// The example of RFC 6455, section 5.7: a masked "Hello".
TEST(WsFrameTest, MasksAsInTheRfc) {
  std::string payload = "Hello";
  MaskPayload(&payload[0], payload.size(), Key("\x37\xfa\x21\x3d"));
  EXPECT_EQ(absl::BytesToHexString(payload), "7f9f4d5158");
}

TEST(WsFrameTest, MasksEveryLengthByteForByte) {
  const char key[5] = "\x11\x22\x33\x44";
  for (size_t size = 0; size < 40; ++size) {
    std::string payload(size, 'a');
    MaskPayload(&payload[0], size, Key("\x11\x22\x33\x44"));
    for (size_t i = 0; i < size; ++i) EXPECT_EQ(payload[i], static_cast<char>('a' ^ key[i % 4])) << size << " " << i;
    MaskPayload(&payload[0], size, Key("\x11\x22\x33\x44"));
    EXPECT_EQ(payload, std::string(size, 'a'));
  }
}

}  // namespace
}  // namespace callbridge::net
