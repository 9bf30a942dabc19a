#include "src/tape/mask.h"

#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace callbridge::tape {
namespace {

TEST(MaskTest, NumbersAreMaskedAndNothingElse) {
  const std::pair<std::string, std::string> rows[] = {
      // Fields that are numbers.
      {R"(from="+14155550100")", R"(from="+1********00")"},
      {R"(a=1 to="+14155550100" b=2)", R"(a=1 to="+1********00" b=2)"},
      {R"(destination.sales.target.1.number="sip:sales@example.com")",
       R"(destination.sales.target.1.number="si*****************om")"},
      {R"(transfer_changed attempt1_number="+14155550100")", R"(transfer_changed attempt1_number="+1********00")"},
      {R"(number="12345")", R"(number="*****")"},
      {R"(state_changed from="answered" to="in_progress")", R"(state_changed from="answered" to="in_progress")"},
      {R"(from="anonymous")", R"(from="anonymous")"},
      {R"(from="")", R"(from="")"},
      // Texts.
      {R"(text="Call +1 (415) 555-0100 now")", R"(text="Call +1 (***) ***-**00 now")"},
      {R"(text="4155550100")", R"(text="41******00")"},
      {R"(text="1234567")", R"(text="12***67")"},
      {R"(text="123456 is short")", R"(text="123456 is short")"},
      {R"(detail="hangup cause 4000, close code 1006")", R"(detail="hangup cause 4000, close code 1006")"},
      {R"(text="on 1 2 3 4 5 6 7 8")", R"(text="on 1 2 * * * * 7 8")"},
      {R"(text="1 or 2, or 3, or 4, or 5, or 6, or 7")", R"(text="1 or 2, or 3, or 4, or 5, or 6, or 7")"},
      {R"(arguments="{\"number\":\"+14155550100\"}")", R"(arguments="{\"number\":\"+1********00\"}")"},
      {"text=\"one 4155550100\\ntwo 4155550199\"", "text=\"one 41******00\\ntwo 41******99\""},
      {R"(text="ü 4155550100 ü")", R"(text="ü 41******00 ü")"},
      // Pieces of a text: the number may come in several.
      {R"(item_id="a1" delta=" 415")", R"(item_id="a1" delta=" ***")"},
      // Ids, and what is no text.
      {R"(call_id="1234567890")", R"(call_id="1234567890")"},
      {R"(response_id="resp_1234567890")", R"(response_id="resp_1234567890")"},
      {R"(base64="1234567890==")", R"(base64="1234567890==")"},
      {"audio_end_ms=12345678", "audio_end_ms=12345678"},
      {"tick", "tick"},
      {"", ""},
      // Broken lines stay as they are.
      {R"(text="4155550100)", R"(text="41******00)"},
      {R"(text="\q4155550100")", R"(text="\q4155550100")"},
  };
  for (const auto& [line, masked] : rows) {
    EXPECT_EQ(MaskNumbers(line), masked);
    EXPECT_TRUE(SameButForMasks(line, masked)) << line;
    EXPECT_TRUE(SameButForMasks(MaskNumbers(masked), masked)) << line;
  }
}

TEST(MaskTest, OneNumberOneMask) {
  EXPECT_EQ(MaskNumbers(R"(number="+14155550100")").substr(7), MaskNumbers(R"(text="+14155550100")").substr(5));
}

TEST(MaskTest, OnlyMasksMayDiffer) {
  EXPECT_TRUE(SameButForMasks("a **34", "a 1234"));
  EXPECT_TRUE(SameButForMasks("a 1234", "a **34"));
  EXPECT_TRUE(SameButForMasks("a 12*4", "a *234"));
  EXPECT_FALSE(SameButForMasks("a **34", "a 1235"));
  EXPECT_FALSE(SameButForMasks("a **34", "a 12345"));
  EXPECT_FALSE(SameButForMasks("a", "b"));
}

}  // namespace
}  // namespace callbridge::tape
