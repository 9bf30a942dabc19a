// What others are asked about a call, over real sockets: the text model when it is over, tools while it goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/fakes/http_endpoint.h"
#include "tests/integration/bridge_and_world.h"

namespace callbridge::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kIn[] = "call: inbound\nfrom: 14155550121\nto: 14155550100\nsummary: They left a message.\n";
constexpr char kTalk[] =
    "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait assistant done 300ms\nhang up\n"
    "[model]\nreply: say dir-welcome\nreply: say vm-msgsaved\n";

BridgeAndWorld::Tweaks ByTextModel() {
  BridgeAndWorld::Tweaks tweaks;
  tweaks.settings = [](session::Settings& settings) {
    session::Agent& agent = settings.agents["sandbox"];
    agent.conduct.summary_in_session = false;
    agent.after_call.summary = session::AfterCall::Summary::kText;
    agent.after_call.dispositions = {"left_message", "other"};
    agent.after_call.fields_schema_json = R"({"type":"object","properties":{"floor":{"type":"integer"}}})";
  };
  return tweaks;
}

TEST(SummaryTest, TheTextModelSumsUpWhatWasHeard) {
  BridgeAndWorld both(ByTextModel());
  both.world().model().text_model().SetResult(R"({"interest":"high","fields":{"floor":3}})");
  const std::string call = both.CallIn(std::string(kIn) + kTalk);
  ASSERT_TRUE(both.WaitForEnd(call));
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return !both.Column(call, "summary").empty(); }));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_EQ(both.Column(call, "summary"), "They left a message.");
  EXPECT_EQ(both.Column(call, "disposition"), "left_message");
  EXPECT_EQ(both.Column(call, "interest"), "high");
  EXPECT_EQ(both.Column(call, "result_fields"), R"({"floor":3})");
  EXPECT_EQ(both.Query("SELECT disposition, interest FROM leads"), (std::vector<Row>{{"left_message", "high"}}));
  EXPECT_THAT(both.Query("SELECT call_id FROM summary_jobs"), IsEmpty());
  const auto requests = both.world().model().text_model().Requests();
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].status, 200);
  EXPECT_FALSE(requests[0].stored);
  EXPECT_THAT(requests[0].input, AllOf(HasSubstr("direction: inbound"), HasSubstr("assistant"), HasSubstr("caller"),
                                       Not(HasSubstr("1415555"))));
  // Behind all that the call itself wrote, as its last event.
  const auto last = both.Query(
      absl::StrCat("SELECT type FROM call_events WHERE call_id = '", call, "' ORDER BY sequence DESC LIMIT 1"));
  EXPECT_EQ(last, (std::vector<Row>{{"summary_ready"}}));
}

TEST(SummaryTest, ARefusalIsSaidAtOnce) {
  BridgeAndWorld::Tweaks tweaks = ByTextModel();
  const auto by_text_model = tweaks.settings;
  tweaks.settings = [by_text_model](session::Settings& settings) {
    by_text_model(settings);
    settings.agents["sandbox"].after_call.model = "gpt-realtime";
  };
  BridgeAndWorld both(tweaks);
  const std::string call = both.CallIn(std::string(kIn) + kTalk);
  ASSERT_TRUE(both.WaitForEnd(call));
  const std::string failed =
      absl::StrCat("SELECT payload FROM call_events WHERE call_id = '", call, "' AND type = 'summary_failed'");
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return !both.Query(failed).empty(); }));
  EXPECT_THAT(both.Query(failed)[0][0], HasSubstr("model_not_found"));
  EXPECT_THAT(both.world().model().text_model().Requests(), SizeIs(1));
}

TEST(SummaryTest, ALongRequestDoesNotHoldUpTheEnd) {
  HttpEndpoint endpoint;
  endpoint.Hold();
  BridgeAndWorld::Tweaks tweaks = ByTextModel();
  const auto by_text_model = tweaks.settings;
  tweaks.settings = [&, by_text_model](session::Settings& settings) {
    by_text_model(settings);
    settings.text_model_url = endpoint.url("/v1");
  };
  BridgeAndWorld both(tweaks);
  const std::string call = both.CallIn(std::string(kIn) + kTalk);
  ASSERT_TRUE(both.WaitForEnd(call));
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return endpoint.requests().size() == 1; }));
  const absl::Time begin = absl::Now();
  both.StopServer();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(30)) << "it did not wait for the request's time limit";
  EXPECT_EQ(both.Query("SELECT call_id, attempts FROM summary_jobs"), (std::vector<Row>{{call, "0"}}));
}

TEST(ToolTest, TheModelCallsAToolAndGetsItsAnswer) {
  HttpEndpoint endpoint;
  endpoint.SetAnswer(200, R"({"free":true})");
  BridgeAndWorld::Tweaks tweaks;
  tweaks.settings = [&](session::Settings& settings) {
    session::HttpTool tool;
    tool.name = "book_table";
    tool.description = "Books a table.";
    tool.parameters_json =
        R"({"type":"object","properties":{"guests":{"type":"integer","minimum":1}},"required":["guests"]})";
    tool.url = endpoint.url("/book");
    tool.secret_header = "X-Key";
    tool.secret = "s3cret";
    settings.agents["sandbox"].tools = {tool};
  };
  BridgeAndWorld both(tweaks);
  const std::string call =
      both.CallIn(std::string(kIn) +
                  "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait assistant done 1500ms\nhang up\n"
                  "[model]\nreply: say dir-welcome\n"
                  "reply: say one-moment-please ; call book_table {\"guests\":2}\n"
                  "reply when tool-failed: say vm-nobodyavail\n"
                  "reply when tool-ok: say vm-msgsaved\n");
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  ASSERT_THAT(endpoint.requests(), SizeIs(1));
  EXPECT_EQ(endpoint.requests()[0].body, R"({"guests":2})");
  EXPECT_EQ(endpoint.requests()[0].Header("X-Callbridge-Call-Id"), call);
  EXPECT_EQ(endpoint.requests()[0].Header("X-Key"), "s3cret");
  const auto answered = both.Query(
      absl::StrCat("SELECT payload FROM call_events WHERE call_id = '", call, "' AND type = 'tool_answered'"));
  ASSERT_THAT(answered, SizeIs(1));
  EXPECT_THAT(answered[0][0], AllOf(HasSubstr("free"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(both.Column(call, "transcript"), Not(HasSubstr("nobody")));
}

}  // namespace
}  // namespace callbridge::testing
