// Who may use the gRPC port, as a configuration says it.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/app/config.h"

namespace callbridge::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char kAgent[] = "agents { key: 'a' instructions: 'x' }\n";
const std::string kHash(64, 'a');

TEST(ConfigAccessTest, EveryFieldArrives) {
  control::AccessList access;
  const auto settings = ParseConfig(absl::StrCat(kAgent, "api_tokens { name: 'crm' sha256: '", kHash,
                                                 "' scopes: 'calls.start' scopes: 'events.read' expire_time: "
                                                 "'2027-01-31T00:00:00Z' requests_per_minute: 60 }\n",
                                                 "client_identities { name: 'worker' subject: 'crm.example' scopes: "
                                                 "'admin' }"),
                                    "good", "", &access);
  ASSERT_TRUE(settings.ok()) << settings.status();
  ASSERT_EQ(access.tokens.size(), 1);
  EXPECT_EQ(access.tokens[0].name, "crm");
  EXPECT_EQ(access.tokens[0].sha256, kHash);
  EXPECT_THAT(access.tokens[0].scopes, ElementsAre("calls.start", "events.read"));
  EXPECT_EQ(absl::FormatTime(access.tokens[0].expire_time, absl::UTCTimeZone()), "2027-01-31T00:00:00+00:00");
  EXPECT_EQ(access.tokens[0].requests_per_minute, 60);
  ASSERT_EQ(access.identities.size(), 1);
  EXPECT_EQ(access.identities[0].name, "worker");
  EXPECT_EQ(access.identities[0].subject, "crm.example");
  EXPECT_THAT(access.identities[0].scopes, ElementsAre("admin"));
}

TEST(ConfigAccessTest, WhatIsNotSaidHasNoLimit) {
  control::AccessList access;
  ASSERT_TRUE(ParseConfig(absl::StrCat(kAgent, "api_tokens { name: 'crm' sha256: '", kHash, "' scopes: 'admin' }"),
                          "small", "", &access)
                  .ok());
  EXPECT_EQ(access.tokens[0].expire_time, absl::InfiniteFuture());
  EXPECT_EQ(access.tokens[0].requests_per_minute, 0);
  ASSERT_TRUE(ParseConfig(kAgent, "none", "", &access).ok());
  EXPECT_TRUE(access.empty());
}

TEST(ConfigAccessTest, MistakesNameTheField) {
  const std::string good = absl::StrCat("name: 'crm' sha256: '", kHash, "' scopes: 'admin'");
  const struct {
    const char* name;
    std::string text;
    const char* says;
  } rows[] = {
      {"no name", absl::StrCat("api_tokens { sha256: '", kHash, "' scopes: 'admin' }"), "api_tokens[0].name"},
      {"name twice", absl::StrCat("api_tokens { ", good, " } api_tokens { ", good, " }"), "api_tokens[1].name"},
      {"hash twice",
       absl::StrCat("api_tokens { ", good, " } api_tokens { name: 'other' sha256: '", kHash, "' scopes: 'admin' }"),
       "api_tokens[1].sha256: is there twice"},
      {"the token itself", "api_tokens { name: 'crm' sha256: 'secret' scopes: 'admin' }", "api_tokens[0].sha256: not"},
      {"capital digits",
       absl::StrCat("api_tokens { name: 'crm' sha256: '", std::string(64, 'A'), "' scopes: 'admin' }"),
       "api_tokens[0].sha256: not"},
      {"no scope", absl::StrCat("api_tokens { name: 'crm' sha256: '", kHash, "' }"), "api_tokens[0].scopes: missing"},
      {"unknown scope", absl::StrCat("api_tokens { ", good, " scopes: 'calls' }"),
       "api_tokens[0].scopes[1]: no scope 'calls'; there are: admin, calls.control"},
      {"no time", absl::StrCat("api_tokens { ", good, " expire_time: 'tomorrow' }"), "api_tokens[0].expire_time"},
      {"negative limit", absl::StrCat("api_tokens { ", good, " requests_per_minute: -1 }"),
       "api_tokens[0].requests_per_minute"},
      {"no subject", "client_identities { name: 'w' scopes: 'admin' }", "client_identities[0].subject: missing"},
      {"identity without scopes", "client_identities { name: 'w' subject: 's' }", "client_identities[0].scopes"},
      {"subject twice",
       "client_identities { name: 'w' subject: 's' scopes: 'admin' } client_identities { name: 'v' subject: 's' "
       "scopes: "
       "'admin' }",
       "client_identities[1].subject: is there twice"},
  };
  for (const auto& row : rows) {
    const auto settings = ParseConfig(kAgent + row.text, "f");
    ASSERT_FALSE(settings.ok()) << row.name;
    EXPECT_THAT(std::string(settings.status().message()), HasSubstr(row.says)) << row.name;
  }
}

}  // namespace
}  // namespace callbridge::app
