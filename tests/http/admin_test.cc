#include "src/http/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace callbridge::http {
namespace {

using ::testing::HasSubstr;

base::HttpResponse Ask(const Admin& admin, const std::string& target, const std::string& method = "GET") {
  base::HttpRequest request;
  request.method = method;
  request.target = target;
  return admin.Handle(request);
}

TEST(AdminTest, ReadinessFollowsTheServerHealthDoesNot) {
  ServerStats stats;
  const Admin admin([&] { return stats; });
  stats.ready = true;
  EXPECT_EQ(Ask(admin, "/readyz").status, 200);
  stats.ready = false;
  EXPECT_EQ(Ask(admin, "/readyz").status, 503);
  EXPECT_EQ(Ask(admin, "/healthz").status, 200);
}

TEST(AdminTest, MetricsAreReadWhenAsked) {
  ServerStats stats;
  const Admin admin([&] { return stats; });
  stats.live_calls = 3;
  stats.events_lost = 2;
  stats.spool_records = 4;
  stats.spool_bytes = 500;
  stats.spool_refused = 6;
  const auto response = Ask(admin, "/metrics");
  EXPECT_THAT(response.body, HasSubstr("callbridge_calls_active 3"));
  EXPECT_THAT(response.body, HasSubstr("callbridge_events_lost_total 2"));
  EXPECT_THAT(response.body, HasSubstr("callbridge_spool_records 4"));
  EXPECT_THAT(response.body, HasSubstr("callbridge_spool_bytes 500"));
  EXPECT_THAT(response.body, HasSubstr("callbridge_spool_refused_total 6"));
}

TEST(AdminTest, OtherMetricsFollowItsOwn) {
  const Admin admin([] { return ServerStats(); }, [] { return std::string("callbridge_more 1\n"); });
  EXPECT_THAT(Ask(admin, "/metrics").body, ::testing::EndsWith("\ncallbridge_more 1\n"));
  EXPECT_THAT(Ask(admin, "/readyz").body, ::testing::Not(HasSubstr("callbridge_more")));
}

TEST(AdminTest, OtherPathsAndMethodsAreRefused) {
  const Admin admin([] { return ServerStats(); });
  EXPECT_EQ(Ask(admin, "/").status, 404);
  EXPECT_EQ(Ask(admin, "/metrics", "POST").status, 405);
}

}  // namespace
}  // namespace callbridge::http
