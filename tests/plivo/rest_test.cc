#include "src/plivo/rest.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace callbridge::plivo {
namespace {

using Json = nlohmann::json;

constexpr char kAuth[] = "MAXXXXXXXXXXXXXXXXXX";
constexpr char kUuid[] = "9834029e-58b6-11e1-b8b7-a5bd0e4e126f";

PlaceCall Call() {
  PlaceCall call;
  call.from = "+14155550199";
  call.to = "+14155550100";
  call.answer_url = "https://bridge.example.com/answer?call=1";
  call.hangup_url = "https://bridge.example.com/hangup";
  return call;
}

TEST(RestTest, Paths) {
  EXPECT_EQ(CallsPath(kAuth).value(), "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Call/");
  EXPECT_EQ(CallPath(kAuth, kUuid).value(), absl::StrCat("/v1/Account/MAXXXXXXXXXXXXXXXXXX/Call/", kUuid, "/"));
  EXPECT_EQ(RequestPath(kAuth, kUuid).value(), absl::StrCat("/v1/Account/MAXXXXXXXXXXXXXXXXXX/Request/", kUuid, "/"));
  EXPECT_TRUE(CallPath(kAuth, "9834029E-58B6-11E1-B8B7-A5BD0E4E126F").ok());
}

// Each of these, put into a path as it is, would address something else: at worst every call of the account.
TEST(RestTest, PathsRefuseWhatIsNoUuid) {
  const std::string ids[] = {"",
                             " ",
                             "/",
                             ".",
                             "..",
                             "?",
                             "#",
                             "%2F",
                             "../Call",
                             "C1",
                             std::string(kUuid) + "/",
                             std::string(kUuid) + " ",
                             std::string("/") + kUuid,
                             std::string(kUuid) + "?x=1",
                             "9834029e58b611e1b8b7a5bd0e4e126f",
                             "9834029g-58b6-11e1-b8b7-a5bd0e4e126f",
                             std::string("9834029e-58b6-11e1-b8b7-a5bd0e4e126\0", 36),
                             std::string(36, '-'),
                             std::string(36, '/')};
  for (const std::string& id : ids) {
    EXPECT_TRUE(absl::IsInvalidArgument(CallPath(kAuth, id).status())) << id;
    EXPECT_TRUE(absl::IsInvalidArgument(RequestPath(kAuth, id).status())) << id;
  }
  for (const std::string& auth :
       {std::string(), std::string("a/b"), std::string("a b"), std::string(".."), std::string(65, 'a')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CallsPath(auth).status())) << auth;
    EXPECT_TRUE(absl::IsInvalidArgument(CallPath(auth, kUuid).status())) << auth;
  }
}

TEST(RestTest, PlaceCallWithLittle) {
  const Json body = Json::parse(FormatPlaceCall(Call()).value());
  EXPECT_EQ(body, (Json{{"from", "+14155550199"},
                        {"to", "+14155550100"},
                        {"answer_url", "https://bridge.example.com/answer?call=1"},
                        {"answer_method", "POST"},
                        {"hangup_url", "https://bridge.example.com/hangup"},
                        {"hangup_method", "POST"},
                        {"ring_timeout", 45},
                        {"time_limit", 14400}}));
}

TEST(RestTest, PlaceCallWithEverything) {
  PlaceCall call = Call();
  call.to = "sip:agent@phone.plivo.com";
  call.ring_url = "https://h/ring";
  call.fallback_url = "https://h/fallback";
  call.caller_name = "Zo\xC3\xAB \"Q\"";
  call.ring_timeout_seconds = 30;
  call.time_limit_seconds = 600;
  call.machine_detection = MachineDetection::kContinue;
  call.machine_detection_time_ms = 3000;
  call.machine_detection_url = "https://h/amd";
  const Json body = Json::parse(FormatPlaceCall(call).value());
  EXPECT_EQ(body["to"], "sip:agent@phone.plivo.com");
  EXPECT_EQ(body["ring_url"], "https://h/ring");
  EXPECT_EQ(body["ring_method"], "POST");
  EXPECT_EQ(body["fallback_url"], "https://h/fallback");
  EXPECT_EQ(body["fallback_method"], "POST");
  EXPECT_EQ(body["caller_name"], "Zo\xC3\xAB \"Q\"");
  EXPECT_EQ(body["ring_timeout"], 30);
  EXPECT_EQ(body["time_limit"], 600);
  EXPECT_EQ(body["machine_detection"], "true");
  EXPECT_EQ(body["machine_detection_time"], 3000);
  EXPECT_EQ(body["machine_detection_url"], "https://h/amd");
  EXPECT_EQ(body["machine_detection_method"], "POST");
  EXPECT_FALSE(body.contains("callback_url")) << "it would make the reply say nothing";
  call.machine_detection = MachineDetection::kHangup;
  EXPECT_EQ(Json::parse(FormatPlaceCall(call).value())["machine_detection"], "hangup");
  call.machine_detection = MachineDetection::kOff;
  EXPECT_FALSE(Json::parse(FormatPlaceCall(call).value()).contains("machine_detection_url"));
}

TEST(RestTest, WrongPlaceCallsNameTheField) {
  const struct {
    const char* name;
    std::function<void(PlaceCall*)> spoil;
    const char* field;
  } rows[] = {
      {"no_from", [](PlaceCall* x) { x->from = ""; }, "from"},
      {"from_without_plus", [](PlaceCall* x) { x->from = "14155550199"; }, "from"},
      {"no_to", [](PlaceCall* x) { x->to = ""; }, "to"},
      {"to_in_words", [](PlaceCall* x) { x->to = "Alice"; }, "to"},
      {"two_numbers", [](PlaceCall* x) { x->to = "+14155550100<+14155550101"; }, "to"},
      {"two_addresses", [](PlaceCall* x) { x->to = "sip:a@h<sip:b@h"; }, "to"},
      {"to_is_from", [](PlaceCall* x) { x->to = x->from; }, "to"},
      {"no_answer_url", [](PlaceCall* x) { x->answer_url = ""; }, "answer_url"},
      {"answer_url_scheme", [](PlaceCall* x) { x->answer_url = "wss://h"; }, "answer_url"},
      {"answer_url_with_space", [](PlaceCall* x) { x->answer_url += " "; }, "answer_url"},
      {"answer_url_too_long", [](PlaceCall* x) { x->answer_url.append(2048, 'x'); }, "answer_url"},
      {"no_hangup_url", [](PlaceCall* x) { x->hangup_url = ""; }, "hangup_url"},
      {"ring_url", [](PlaceCall* x) { x->ring_url = "h"; }, "ring_url"},
      {"fallback_url", [](PlaceCall* x) { x->fallback_url = "h"; }, "fallback_url"},
      {"machine_detection_url", [](PlaceCall* x) { x->machine_detection_url = "h"; }, "machine_detection_url"},
      {"ring_timeout", [](PlaceCall* x) { x->ring_timeout_seconds = 0; }, "ring_timeout_seconds"},
      {"time_limit", [](PlaceCall* x) { x->time_limit_seconds = 86401; }, "time_limit_seconds"},
      {"short_detection", [](PlaceCall* x) { x->machine_detection_time_ms = 1999; }, "machine_detection_time_ms"},
      {"long_detection", [](PlaceCall* x) { x->machine_detection_time_ms = 10001; }, "machine_detection_time_ms"},
      {"long_name", [](PlaceCall* x) { x->caller_name = std::string(51, 'n'); }, "caller_name"},
      {"name_not_utf8", [](PlaceCall* x) { x->caller_name = "\xFF"; }, "caller_name"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    PlaceCall call = Call();
    row.spoil(&call);
    const auto body = FormatPlaceCall(call);
    ASSERT_TRUE(absl::IsInvalidArgument(body.status()));
    EXPECT_TRUE(absl::StartsWith(body.status().message(), absl::StrCat(row.field, ":"))) << body.status();
  }
}

TEST(RestTest, Transfer) {
  EXPECT_EQ(Json::parse(FormatTransfer("https://h/transfer/t1").value()),
            (Json{{"legs", "aleg"}, {"aleg_url", "https://h/transfer/t1"}, {"aleg_method", "POST"}}));
  for (const char* url : {"", "h", "wss://h", "https://h/a b", "https://h/\xC3\xA9"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(FormatTransfer(url).status())) << url;
  }
}

TEST(RestTest, Accepted) {
  const struct {
    const char* name;
    int http_status;
    const char* body;
    const char* message;
    std::vector<std::string> uuids;
    bool queued;
  } rows[] = {
      {"fired", 201, R"({"message":"call fired","request_uuid":"U1","api_id":"A"})", "call fired", {"U1"}, false},
      {"queued", 201, R"({"message":"Call Queued","request_uuid":"U1","api_id":"A"})", "Call Queued", {"U1"}, true},
      {"several",
       201,
       R"({"message":"calls fired","request_uuid":["U1","U2"],"api_id":"A"})",
       "calls fired",
       {"U1", "U2"},
       false},
      {"array_of_odd_things",
       201,
       R"({"message":"m","request_uuid":["U1",5,null,"",["U2"]],"api_id":"A"})",
       "m",
       {"U1"},
       false},
      {"transferred", 202, R"({"message":"call transferred","api_id":"A"})", "call transferred", {}, false},
      {"uuid_is_no_text", 200, R"({"message":"m","request_uuid":7,"api_id":"A"})", "m", {}, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto reply = ParseReply(row.http_status, row.body);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->http_status, row.http_status);
    EXPECT_EQ(reply->api_id, "A");
    EXPECT_EQ(reply->message, row.message);
    EXPECT_EQ(reply->request_uuids, row.uuids);
    EXPECT_EQ(reply->queued, row.queued);
  }
}

TEST(RestTest, TheStatusCountsWhenTheBodyIsOdd) {
  for (const char* body : {"", "OK", "[]", "{", "null", R"({"message":5,"api_id":{}})"}) {
    const auto reply = ParseReply(204, body);
    ASSERT_TRUE(reply.ok()) << body;
    EXPECT_EQ(reply->message, "");
    EXPECT_TRUE(reply->request_uuids.empty());
  }
}

TEST(RestTest, Refused) {
  using Code = absl::StatusCode;
  const struct {
    const char* name;
    int http_status;
    std::string body;
    Code code;
    const char* text;
  } rows[] = {
      {"error_text", 400, R"({"api_id":"A","error":"from is not yours"})", Code::kInvalidArgument,
       "400: from is not yours"},
      {"error_object", 400, R"({"error":{"from":["bad"]}})", Code::kInvalidArgument, R"(400: {"from":["bad"]})"},
      {"error_null", 400, R"({"error":null,"message":"m"})", Code::kInvalidArgument, "400: m"},
      {"error_missing", 400, R"({"api_id":"A"})", Code::kInvalidArgument, "400: no error text"},
      {"plain_text", 401, "Could not verify your access level for that URL.\nYou have to login with proper credentials",
       Code::kUnauthenticated, "401: Could not verify your access level for that URL. You have to login"},
      {"no_credit", 402, "{}", Code::kPermissionDenied, "402"},
      {"country", 403, R"({"error":"destination country not enabled"})", Code::kPermissionDenied, "403: destination"},
      {"gone", 404, "{}", Code::kNotFound, "404: no error text"},
      {"method", 405, "", Code::kInvalidArgument, "405: no body"},
      {"conflict", 409, "", Code::kFailedPrecondition, "409"},
      {"unprocessable", 422, "", Code::kInvalidArgument, "422"},
      {"too_many", 429, "slow down", Code::kResourceExhausted, "429: slow down"},
      {"server", 500, "<html>oops</html>", Code::kUnknown, "500: <html>oops</html>"},
      {"gateway", 504, "", Code::kUnknown, "504"},
      {"redirect", 302, "", Code::kFailedPrecondition, "302"},
      {"no_status", 0, "", Code::kUnknown, "0"},
      {"odd_status", 999, "", Code::kUnknown, "999"},
      {"control_characters", 400, "a\r\n\x1B[31mb\xFF", Code::kInvalidArgument, "400: a [31mb"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto reply = ParseReply(row.http_status, row.body);
    EXPECT_EQ(reply.status().code(), row.code);
    EXPECT_TRUE(absl::StartsWith(reply.status().message(), absl::StrCat("carrier answered ", row.text)))
        << reply.status();
  }
}

TEST(RestTest, ErrorTextsAreShortened) {
  EXPECT_LT(ParseReply(400, std::string(5000, 'x')).status().message().size(), 400u);
  const std::string deep = "{\"error\":" + std::string(400000, '[') + std::string(400000, ']') + "}";
  EXPECT_LT(ParseReply(400, deep).status().message().size(), 400u);
}

TEST(RestTest, APlacedCallWithoutIdMayRing) {
  EXPECT_EQ(ParsePlaceReply(201, R"({"request_uuid":"U1"})")->request_uuids, std::vector<std::string>{"U1"});
  for (const char* body :
       {"", "{}", R"({"request_uuid":""})", R"({"request_uuid":[]})", R"({"message":"async api spawned"})"}) {
    EXPECT_EQ(ParsePlaceReply(201, body).status().code(), absl::StatusCode::kUnknown) << body;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParsePlaceReply(400, "").status()));
}

TEST(RestTest, WhatIsGoneIsDeleted) {
  EXPECT_TRUE(ParseDeleteReply(204, "").ok());
  EXPECT_TRUE(ParseDeleteReply(200, "{}").ok());
  EXPECT_TRUE(ParseDeleteReply(404, "{}").ok());
  EXPECT_TRUE(absl::IsUnauthenticated(ParseDeleteReply(401, "no")));
  EXPECT_EQ(ParseDeleteReply(500, "").code(), absl::StatusCode::kUnknown);
}

}  // namespace
}  // namespace callbridge::plivo
