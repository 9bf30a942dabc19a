#include "src/base/phone.h"

#include "gtest/gtest.h"

namespace callbridge::base {
namespace {

struct Row {
  const char* name;
  const char* number;
  bool e164;
  const char* normal;
};

TEST(PhoneTest, ChecksAndNormalizes) {
  const Row rows[] = {
      {"with plus", "+14155550123", true, "+14155550123"},
      {"without plus", "14155550123", false, "+14155550123"},
      {"shortest", "+1234567", true, "+1234567"},
      {"one too short", "+123456", false, "+123456"},
      {"short code", "12345", false, "12345"},
      {"longest", "+123456789012345", true, "+123456789012345"},
      {"one too long", "1234567890123456", false, "1234567890123456"},
      {"leading zero", "04155550123", false, "04155550123"},
      {"zero behind plus", "+04155550123", false, "+04155550123"},
      {"spaces", "+1 415 555 0123", false, "+1 415 555 0123"},
      {"letters", "+1415555CALL", false, "+1415555CALL"},
      {"two pluses", "++14155550123", false, "++14155550123"},
      {"sip", "sip:agent@example.com", false, "sip:agent@example.com"},
      {"anonymous", "anonymous", false, "anonymous"},
      {"only plus", "+", false, "+"},
      {"empty", "", false, ""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(IsE164(row.number), row.e164) << row.name;
    EXPECT_EQ(NormalizeNumber(row.number), row.normal) << row.name;
  }
}

TEST(PhoneTest, Masks) {
  EXPECT_EQ(MaskNumber("+14155550123"), "+1********23");
  EXPECT_EQ(MaskNumber("1234567"), "12***67");
  EXPECT_EQ(MaskNumber("123456"), "******");
  EXPECT_EQ(MaskNumber("12"), "**");
  EXPECT_EQ(MaskNumber(""), "");
}

}  // namespace
}  // namespace callbridge::base
