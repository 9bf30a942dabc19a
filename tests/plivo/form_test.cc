#include "src/plivo/form.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace callbridge::plivo {
namespace {

using Fields = Form::Fields;

TEST(FormTest, Decodes) {
  const struct {
    const char* name;
    absl::string_view encoded;
    Fields fields;
  } rows[] = {
      {"empty", "", {}},
      {"one", "a=1", {{"a", "1"}}},
      {"order_is_kept", "b=2&a=1", {{"b", "2"}, {"a", "1"}}},
      {"repeats_are_kept", "a=2&a=1&a=2", {{"a", "2"}, {"a", "1"}, {"a", "2"}}},
      {"plus_is_space", "a=x+y", {{"a", "x y"}}},
      {"escaped_plus", "a=%2B1415", {{"a", "+1415"}}},
      {"both_cases_of_hex", "a=%c3%AB", {{"a", "\xC3\xAB"}}},
      {"escape_in_name", "SIP%2DH%2DTo=x", {{"SIP-H-To", "x"}}},
      {"empty_value", "Digits=", {{"Digits", ""}}},
      {"no_equals_sign", "flag&a=1", {{"flag", ""}, {"a", "1"}}},
      {"second_equals_sign", "a=b=c", {{"a", "b=c"}}},
      {"empty_name", "=x", {{"", "x"}}},
      {"empty_pieces", "&&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}},
      {"nul_byte", "a=%00", {{"a", std::string(1, '\0')}}},
      {"not_utf8_stays", "a=%FF", {{"a", "\xFF"}}},
      {"escape_is_decoded_once", "a=%2541", {{"a", "%41"}}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto form = ParseForm(row.encoded);
    ASSERT_TRUE(form.ok()) << form.status();
    EXPECT_EQ(form->fields(), row.fields);
  }
}

TEST(FormTest, BadEscapesNameTheField) {
  for (const char* encoded : {"From=%", "From=%4", "From=%4x", "From=%x4", "From=%%41", "From=%+1", "From=a%"}) {
    const auto form = ParseForm(absl::StrCat("a=1&", encoded, "&b=2"));
    ASSERT_TRUE(absl::IsInvalidArgument(form.status())) << encoded;
    EXPECT_TRUE(absl::StrContains(form.status().message(), "\"From\"")) << form.status();
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParseForm("%=x").status()));
}

TEST(FormTest, AFieldsNameInAMessageIsCutAndCleaned) {
  const auto form = ParseForm(absl::StrCat("a\n\"b", std::string(200, 'x'), "=%"));
  ASSERT_FALSE(form.ok());
  EXPECT_TRUE(absl::StrContains(form.status().message(), "\"a??bx"));
  EXPECT_LT(form.status().message().size(), 160u);
}

TEST(FormTest, CountAndSizeAreLimited) {
  std::string fields = "a=1";
  for (size_t i = 1; i < kMaxFormFields; ++i) fields += "&a=1";
  EXPECT_TRUE(ParseForm(fields).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(ParseForm(fields + "&a=1").status()));
  EXPECT_TRUE(ParseForm("a=" + std::string(kMaxFormBytes - 2, 'x')).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(ParseForm("a=" + std::string(kMaxFormBytes - 1, 'x')).status()));
}

TEST(FormTest, Lookups) {
  const Form form(Fields{{"A", "1"}, {"a", "2"}, {"A", "3"}, {"E", ""}});
  EXPECT_EQ(form.Get("A"), "1");
  EXPECT_EQ(form.Get("a"), "2");
  EXPECT_EQ(form.GetIgnoringCase("a"), "1");
  EXPECT_EQ(form.Get("missing"), "");
  EXPECT_TRUE(form.Has("E"));
  EXPECT_FALSE(form.Has("e"));
  EXPECT_TRUE(Form().empty());
}

TEST(FormTest, FormatIsTheInverseForEveryByte) {
  Fields fields;
  for (int byte = 0; byte < 256; ++byte) fields.emplace_back("k", std::string(1, static_cast<char>(byte)));
  const std::string text = FormatForm(fields);
  const auto form = ParseForm(text);
  ASSERT_TRUE(form.ok()) << form.status();
  EXPECT_EQ(form->fields(), fields);
  EXPECT_EQ(FormatForm({{"From", "+1 a&b=c"}, {"To", ""}}), "From=%2B1+a%26b%3Dc&To=");
}

}  // namespace
}  // namespace callbridge::plivo
