#include "src/openai/connect.h"

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace callbridge::openai {
namespace {

TEST(ConnectTest, RealtimeUrl) {
  const struct {
    const char* name;
    const char* base;
    const char* model;
    const char* url;
  } rows[] = {
      {"plain", "wss://h/v1/realtime", "gpt-realtime-2.1", "wss://h/v1/realtime?model=gpt-realtime-2.1"},
      {"escaped", "wss://h/v1", "a b&c=d/é", "wss://h/v1?model=a%20b%26c%3Dd%2F%C3%A9"},
      {"query", "wss://h/v1?api-version=1", "m", "wss://h/v1?api-version=1&model=m"},
      {"empty query", "wss://h/v1?", "m", "wss://h/v1?model=m"},
      {"open query", "wss://h/v1?a=1&", "m", "wss://h/v1?a=1&model=m"},
      {"has model", "wss://h/v1?model=mine", "m", "wss://h/v1?model=mine"},
      {"has call", "wss://h/v1?x=1&call_id=rtc_1", "m", "wss://h/v1?x=1&call_id=rtc_1"},
      {"looks like model", "wss://h/v1?my_model=x", "m", "wss://h/v1?my_model=x&model=m"},
      {"fragment", "wss://h/v1#top", "m", "wss://h/v1?model=m"},
  };
  for (const auto& row : rows) EXPECT_EQ(RealtimeUrl(row.base, row.model), row.url) << row.name;
}

TEST(ConnectTest, HeadersAreAuthorizationAndWhatIsSet) {
  const auto least = RealtimeHeaders({"sk-1", "", "", ""});
  ASSERT_TRUE(least.ok());
  EXPECT_EQ(*least, (base::HttpHeaders{{"Authorization", "Bearer sk-1"}}));
  const auto all = RealtimeHeaders({"sk-1", "org_1", "proj_1", "hash"});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(*all, (base::HttpHeaders{{"Authorization", "Bearer sk-1"},
                                     {"OpenAI-Organization", "org_1"},
                                     {"OpenAI-Project", "proj_1"},
                                     {"OpenAI-Safety-Identifier", "hash"}}));
}

TEST(ConnectTest, BadHeaderValuesAreNamedNotQuoted) {
  const struct {
    Credentials credentials;
    const char* field;
  } rows[] = {
      {{"", "", "", ""}, "api_key"},
      {{"sk-1\n", "", "", ""}, "api_key"},
      {{"sk-1\r\nX: y", "", "", ""}, "api_key"},
      {{"sk-\xC3\xA9", "", "", ""}, "api_key"},
      {{"sk-1", "org 1", "", ""}, "organization"},
      {{"sk-1", "", "p\t", ""}, "project"},
      {{"sk-1", "", "", "a\nb"}, "safety_identifier"},
  };
  for (const auto& row : rows) {
    const auto headers = RealtimeHeaders(row.credentials);
    EXPECT_EQ(headers.status().code(), absl::StatusCode::kInvalidArgument) << row.field;
    EXPECT_TRUE(absl::StartsWith(headers.status().message(), row.field)) << headers.status();
    EXPECT_FALSE(absl::StrContains(headers.status().message(), "sk-")) << headers.status();
  }
}

}  // namespace
}  // namespace callbridge::openai
