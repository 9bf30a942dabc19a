#include "src/sim/carrier_signature.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

// Plivo's own published vectors (tests of its Go SDK).
constexpr char kToken[] = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4";
constexpr char kNonce[] = "31627761595286130198";
constexpr char kUrl[] = "https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml";

Params PublishedParams() {
  const std::string uuid = "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36";
  return {{"Direction", "outbound"},
          {"From", "19792014278"},
          {"CallStatus", "in-progress"},
          {"BillRate", "0.002"},
          {"ParentAuthID", "MANWVLYTK4ZWU1YTY4QA"},
          {"Event", "StartApp"},
          {"SessionStart", "2020-04-08 11:34:33.238707"},
          {"To", "sip:PlivoSignature382029104058171078704104@phone-qa.voice.plivodev.com"},
          {"SIP-H-To", "<sip:PlivoSignature382029104058171078704104@52.9.11.55;transport=udp>;tag=1"},
          {"ALegUUID", uuid},
          {"ALegRequestUUID", uuid},
          {"CallUUID", uuid},
          {"RequestUUID", uuid}};
}

std::string Sign(const std::string& method, const std::string& url, const Params& form) {
  return SignV3(kToken, SignedText(method, *ParseUrl(url), form), kNonce);
}

TEST(CarrierSignatureTest, AgreesWithPublishedVectors) {
  const Params params = PublishedParams();
  const std::string form = EncodeForm(params);
  EXPECT_EQ(Sign("POST", std::string(kUrl) + "/?a=b&c=d", params), "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c=");
  EXPECT_EQ(Sign("GET", std::string(kUrl) + "/?a=b&c=d&" + form, {}), "UBq8jAtd32wR8EK9VgxbBn4n5rpI/l1H9iN4WfSEHFQ=");
  EXPECT_EQ(Sign("POST", kUrl, params), "iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0=");
  EXPECT_EQ(Sign("GET", std::string(kUrl) + "?" + form, {}), "i/MQsaQSAd6fiKhOh2qeeeLHZ9faldADSb3/7+Akfbc=");
}

struct Text {
  const char* name;
  const char* method;
  const char* url;
  Params form;
  const char* text;
};

class SignedTextTest : public testing::TestWithParam<Text> {};

TEST_P(SignedTextTest, IsBuiltAsDocumented) {
  EXPECT_EQ(SignedText(GetParam().method, *ParseUrl(GetParam().url), GetParam().form), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, SignedTextTest,
    testing::Values(
        Text{"PostWithoutQuery", "POST", "https://h/p", {{"b", "2"}, {"a", "1"}}, "https://h/p?a1b2"},
        Text{"PostWithQuery", "POST", "https://h/p?z=1&b=2", {{"a", ""}}, "https://h/p?b=2&z=1.a"},
        Text{"PostWithoutBody", "POST", "https://h/p", {}, "https://h/p"},
        Text{"GetDecodes", "GET", "wss://h:8443/s?token=a%2Bb%3D%3D&call=1", {}, "wss://h:8443/s?call=1&token=a+b=="},
        Text{"PlusIsSpace", "GET", "https://h/p?q=a+b&r=a%2Bb", {}, "https://h/p?q=a b&r=a+b"},
        Text{"BareMark", "GET", "https://h/p?", {}, "https://h/p"},
        Text{"Flag", "GET", "https://h/p?flag", {}, "https://h/p?flag="},
        Text{"CaseAndRepeats",
             "POST",
             "https://h/p",
             {{"a", "1"}, {"Z", "2"}, {"A", "3"}, {"Z", "1"}},
             "https://h/p?A3Z1Z2a1"},
        Text{"PortAndFragment", "GET", "https://u:p@h:443/p#rt=5", {}, "https://h:443/p"},
        Text{"EscapedPathStays", "GET", "https://h/p%20q/", {}, "https://h/p%20q/"}),
    [](const testing::TestParamInfo<Text>& info) { return info.param.name; });

TEST(SignatureHeadersTest, FollowTheManner) {
  EXPECT_TRUE(SignatureHeaders("none", "t", "text").empty());
  for (const char* manner : {"v3", "wrong", "list"}) {
    const base::HttpHeaders headers = SignatureHeaders(manner, "t", "text");
    ASSERT_EQ(headers.size(), 3u) << manner;
    const std::string& nonce = headers[2].second;
    EXPECT_EQ(nonce.size(), 20u);
    const std::string right = SignV3("t", "text", nonce);
    EXPECT_EQ(headers[0].second == right, std::string(manner) == "v3");
    EXPECT_EQ(headers[0].second.find(right) != std::string::npos, std::string(manner) != "wrong");
  }
}

TEST(CarrierFormTest, EncodesAndDecodes) {
  const Params params = {{"a b", "1+2&3=é"}, {"empty", ""}};
  EXPECT_EQ(EncodeForm(params), "a+b=1%2B2%263%3D%C3%A9&empty=");
  EXPECT_EQ(DecodeForm(EncodeForm(params)), params);
  EXPECT_EQ(DecodeForm("a=%zz&&b=%4"), (Params{{"a", "%zz"}, {"b", "%4"}}));
}

TEST(CarrierFormTest, RefusesWhatIsNoUrl) {
  for (const char* text : {"", "host/path", "ftp://h/", "https://", "https:///p", "https://h /p", "://h"}) {
    EXPECT_FALSE(ParseUrl(text).ok()) << text;
  }
}

TEST(CarrierFormTest, MapsThePublicHostOnly) {
  const auto map = [](const char* url) {
    return MapUrl(*ParseUrl(url), "https://bridge.test", "http://127.0.0.1:81").Spell();
  };
  EXPECT_EQ(map("wss://bridge.test/s?t=1"), "ws://127.0.0.1:81/s?t=1");
  EXPECT_EQ(map("https://BRIDGE.test/a"), "http://127.0.0.1:81/a");
  EXPECT_EQ(map("https://other.test/a"), "https://other.test/a");
}

TEST(CarrierFormTest, ReadsLimitsFromTheFragment) {
  const FetchLimits limits = ReadLimits("rt=500&rc=3&rp=5xx,ct&ct=1", 1);
  EXPECT_EQ(limits.read_ms, 500);
  EXPECT_EQ(limits.connect_ms, 2000);
  EXPECT_EQ(limits.retries, 3);
  EXPECT_TRUE(limits.retry_5xx);
  EXPECT_TRUE(limits.retry_connect);
  EXPECT_FALSE(limits.retry_read);
  EXPECT_EQ(ReadLimits("", 2).retries, 2);
}

}  // namespace
}  // namespace callbridge::sim
