#include "src/sim/world.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "src/sim/world_api.h"

namespace callbridge::sim {
namespace {

using nlohmann::json;
using testing::HasSubstr;

World::Options Options() {
  World::Options options;
  // Nobody listens there: calls fail fast, which is enough here.
  options.carrier.answer_url = "http://127.0.0.1:1/answer";
  return options;
}

class WorldTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<World>> world = World::Start(Options());
    ASSERT_TRUE(world.ok()) << world.status();
    world_ = *std::move(world);
  }
  base::HttpResponse Ask(const std::string& method, const std::string& target, const std::string& body = "") {
    base::HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    return HandleWorldRequest(*world_, request);
  }
  std::unique_ptr<World> world_;
};

TEST_F(WorldTest, HasTheScenariosBuiltIn) {
  for (const char* name : {"inbound_demo", "outbound_demo", "chat", "busy", "no_answer", "hangup_early"}) {
    EXPECT_EQ(world_->scenarios().count(name), 1u) << name;
  }
  EXPECT_EQ(json::parse(Ask("GET", "/sim/scenarios").body)["scenarios"].size(), world_->scenarios().size());
}

TEST_F(WorldTest, StartsCallsAndReportsThem) {
  const base::HttpResponse posted = Ask("POST", "/sim/calls", R"({"scenario":"inbound_demo","from":"14155550127"})");
  ASSERT_EQ(posted.status, 201) << posted.body;
  const std::string uuid = json::parse(posted.body)["call_uuid"];
  const json call = json::parse(Ask("GET", absl::StrCat("/sim/calls/", uuid, "?audio=1")).body);
  EXPECT_EQ(call["from"], "14155550127");
  EXPECT_EQ(call["scenario"], "inbound_demo");
  EXPECT_TRUE(call.contains("heard"));
  EXPECT_EQ(json::parse(Ask("GET", "/sim/calls").body)["calls"].size(), 1u);
  EXPECT_EQ(json::parse(Ask("GET", "/sim/model/sessions").body)["sessions"].size(), 0u);
}

TEST_F(WorldTest, TakesWholeScenarios) {
  EXPECT_EQ(Ask("POST", "/sim/phones", R"({"text":"call: outbound\nto: 14155550129\npickup: busy"})").status, 201);
  const base::HttpResponse wrong =
      Ask("POST", "/sim/calls", R"({"text":"from: 1\nto: 2\n[person]\nsay no-such-clip"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("there is no clip 'no-such-clip'"));
}

TEST_F(WorldTest, RefusesInWords) {
  EXPECT_THAT(Ask("POST", "/sim/calls", "{").body, HasSubstr("must be a JSON object"));
  EXPECT_THAT(Ask("POST", "/sim/calls", R"({"scenario":"x"})").body, HasSubstr("there is no scenario 'x'"));
  EXPECT_THAT(Ask("POST", "/sim/calls", R"({"scenario":"busy"})").body, HasSubstr("is an outbound call"));
  EXPECT_THAT(Ask("POST", "/sim/phones", R"({"scenario":"inbound_demo"})").body, HasSubstr("is an inbound call"));
  EXPECT_EQ(Ask("GET", "/sim/calls/none").status, 404);
  EXPECT_EQ(Ask("GET", "/elsewhere").status, 404);
  EXPECT_EQ(Ask("DELETE", "/sim/calls").status, 405);
}

TEST_F(WorldTest, APortInUseIsNamed) {
  World::Options options = Options();
  options.carrier.listen = absl::StrCat("127.0.0.1:", world_->carrier().port());
  const auto second = World::Start(options);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(options.carrier.listen));
}

TEST(WorldStartTest, NamesWhatIsMissing) {
  World::Options options = Options();
  options.scenarios_folder = "/nonexistent";
  EXPECT_THAT(std::string(World::Start(options).status().message()), HasSubstr("/nonexistent"));
  options = Options();
  options.speech_folder = "/nonexistent";
  EXPECT_FALSE(World::Start(options).ok());
}

}  // namespace
}  // namespace callbridge::sim
