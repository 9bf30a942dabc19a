#include "src/sim/carrier_xml.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

using testing::HasSubstr;

constexpr char kGood[] = R"(<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Stream bidirectional="true" keepCallAlive="true" audioTrack="inbound" contentType="audio/x-mulaw;rate=8000"
          statusCallbackUrl="https://h/status" extraHeaders="sid=abc123,x=1">wss://h/s?a=1&amp;b=2</Stream>
  <Dial timeout="25"><Number>+14155550142</Number><User>sip:a@b</User></Dial>
  <Redirect>https://h/after</Redirect>
</Response>)";

TEST(CarrierXmlTest, ReadsAnAnswer) {
  const absl::StatusOr<std::vector<XmlElement>> elements = ReadAnswer(kGood);
  ASSERT_TRUE(elements.ok()) << elements.status();
  ASSERT_EQ(elements->size(), 3u);
  std::vector<std::string> warnings;
  const absl::StatusOr<StreamOrder> order = ReadStream((*elements)[0], warnings);
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_THAT(warnings, testing::IsEmpty());
  EXPECT_EQ(order->url, "wss://h/s?a=1&b=2");
  EXPECT_TRUE(order->bidirectional);
  EXPECT_TRUE(order->keep_alive);
  EXPECT_EQ(order->Encoding(), "audio/x-mulaw");
  EXPECT_EQ(order->BytesPerSecond(), 8000);
  EXPECT_EQ((*elements)[1].children[0].text, "+14155550142");
}

TEST(CarrierXmlTest, AnEmptyResponseIsAnAnswer) {
  const absl::StatusOr<std::vector<XmlElement>> elements = ReadAnswer("<Response/>");
  ASSERT_TRUE(elements.ok());
  EXPECT_TRUE(elements->empty());
}

struct Bad {
  const char* name;
  std::string body;
  const char* says;
};

class BadXmlTest : public testing::TestWithParam<Bad> {};

TEST_P(BadXmlTest, IsRefused) {
  const absl::StatusOr<std::vector<XmlElement>> elements = ReadAnswer(GetParam().body);
  EXPECT_EQ(elements.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(elements.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadXmlTest,
    testing::Values(
        Bad{"Empty", "", "empty"}, Bad{"Json", "{\"a\":1}", "not well-formed"},
        Bad{"RawAmpersand", "<Response><Redirect>https://h/?a=1&b=2</Redirect></Response>", "not well-formed"},
        Bad{"SpaceBeforeDeclaration", "\n<?xml version=\"1.0\"?><Response/>", "XML or text declaration not at start"},
        Bad{"Unclosed", "<Response><Hangup>", "no element found"}, Bad{"Root", "<response/>", "not <Response>"},
        Bad{"Unknown", "<Response><Reject/></Response>", "unknown element <Reject>"},
        Bad{"Case", "<Response><stream>wss://h</stream></Response>", "unknown element <stream>"},
        Bad{"Attribute", "<Response><Stream keepcallalive=\"true\">wss://h</Stream></Response>",
            "no attribute 'keepcallalive'"},
        Bad{"Nesting", "<Response><Dial><Speak>hi</Speak></Dial></Response>", "cannot be inside <Dial>"},
        Bad{"NumberOutside", "<Response><Number>1</Number></Response>", "outside <Dial>"},
        Bad{"StreamInPreAnswer", "<Response><PreAnswer><Stream>wss://h</Stream></PreAnswer></Response>",
            "cannot be inside"},
        Bad{"TextInDial", "<Response><Dial>+14155550142</Dial></Response>", "text inside <Dial>"},
        Bad{"Doctype", "<!DOCTYPE r [<!ENTITY a \"b\">]><Response>&a;</Response>", "document type"},
        Bad{"TooLarge", absl::StrCat("<Response><!--", std::string(101 << 10, 'x'), "--></Response>"), "100 KB"}),
    [](const testing::TestParamInfo<Bad>& info) { return info.param.name; });

struct BadAttribute {
  const char* name;
  const char* attributes;
  const char* url;
  const char* says;
};

class BadStreamTest : public testing::TestWithParam<BadAttribute> {};

TEST_P(BadStreamTest, IsRefused) {
  const absl::StatusOr<std::vector<XmlElement>> elements = ReadAnswer(
      absl::StrCat("<Response><Stream ", GetParam().attributes, ">", GetParam().url, "</Stream></Response>"));
  ASSERT_TRUE(elements.ok()) << elements.status();
  std::vector<std::string> warnings;
  const absl::StatusOr<StreamOrder> order = ReadStream((*elements)[0], warnings);
  EXPECT_EQ(order.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(order.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadStreamTest,
    testing::Values(
        BadAttribute{"Type", "contentType=\"audio/x-mulaw\"", "wss://h", "contentType 'audio/x-mulaw' is invalid"},
        BadAttribute{"Mulaw16", "contentType=\"audio/x-mulaw;rate=16000\"", "wss://h", "contentType"},
        BadAttribute{"Track", "audioTrack=\"all\"", "wss://h", "audioTrack 'all'"},
        BadAttribute{"BothWays", "bidirectional=\"true\" audioTrack=\"both\"", "wss://h", "must be inbound"},
        BadAttribute{"Bool", "keepCallAlive=\"yes\"", "wss://h", "must be true or false"},
        BadAttribute{"Timeout", "streamTimeout=\"0\"", "wss://h", "positive seconds"},
        BadAttribute{"Http", "", "https://h/s", "must begin with wss://"}, BadAttribute{"NoUrl", "", "", "Stream URL"},
        BadAttribute{"Extra", "extraHeaders=\"a=b-c\"", "wss://h", "letters and digits"}),
    [](const testing::TestParamInfo<BadAttribute>& info) { return info.param.name; });

TEST(CarrierXmlTest, WarnsOfDefaultsThatNoAgentWants) {
  const absl::StatusOr<std::vector<XmlElement>> elements = ReadAnswer("<Response><Stream>wss://h</Stream></Response>");
  std::vector<std::string> warnings;
  ASSERT_TRUE(ReadStream((*elements)[0], warnings).ok());
  EXPECT_EQ(warnings.size(), 4u);
}

TEST(ExtraHeadersTest, HasEveryForm) {
  const std::vector<std::pair<std::string, std::string>> headers = {{"sid", "abc"}, {"lang", "en"}};
  EXPECT_EQ(ExtraHeadersJson("semicolon", headers), R"("sid=abc;lang=en")");
  EXPECT_EQ(ExtraHeadersJson("braces", headers), R"("{X-PH-sid: abc, X-PH-lang: en}")");
  EXPECT_EQ(ExtraHeadersJson("json", headers), R"("{\"lang\":\"en\",\"sid\":\"abc\"}")");
  EXPECT_EQ(ExtraHeadersJson("missing", headers), "");
}

}  // namespace
}  // namespace callbridge::sim
