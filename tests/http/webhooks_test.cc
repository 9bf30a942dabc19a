#include "src/http/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/plivo/form.h"
#include "src/plivo/signature.h"

namespace callbridge::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kPublic[] = "https://bridge.example.com";
constexpr char kToken[] = "a-secret-of-the-account";
constexpr char kCallUuid[] = "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10";

// Writes down what it is told, and answers with what the test put in.
class FakeDesk final : public session::FrontDesk {
 public:
  session::Instructions OnAnswer(const AnswerNotice& notice) override {
    said.push_back(
        absl::StrCat("answer ", notice.call_token, " ", notice.carrier_call_id, " ", notice.from, " ", notice.to));
    return next;
  }
  void OnRing(absl::string_view token, absl::string_view id) override {
    said.push_back(absl::StrCat("ring ", token, " ", id));
  }
  void OnHangup(const HangupNotice& notice) override {
    said.push_back(absl::StrCat("hangup ", notice.call_token, " ", notice.carrier_call_id, " ", Name(notice.reason),
                                " ", Name(notice.party)));
  }
  session::Instructions OnNextStep(absl::string_view token) override {
    said.push_back(absl::StrCat("next ", token));
    return next;
  }
  void OnHumanAnswered(absl::string_view token) override { said.push_back(absl::StrCat("human ", token)); }
  session::Instructions OnTransferDone(absl::string_view token, call::TransferOutcome outcome,
                                       absl::string_view detail) override {
    said.push_back(absl::StrCat("done ", token, " ", Name(outcome)));
    return next;
  }
  void OnStreamStatus(absl::string_view id, absl::string_view event, absl::string_view detail) override {
    said.push_back(absl::StrCat("stream ", id, " ", event, " ", detail));
  }

  session::Instructions next;
  std::vector<std::string> said;
};

session::Instructions Stream() {
  session::Instructions out;
  out.kind = session::Instructions::Kind::kStream;
  out.call_token = "calltoken";
  out.stream_token = "streamtoken";
  return out;
}

using Fields = plivo::Form::Fields;

Fields With(Fields fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

const Fields& Common() {
  static const auto* const fields =
      new Fields{{"CallUUID", kCallUuid},  {"From", "14155550121"},   {"To", "14155550100"},
                 {"Direction", "inbound"}, {"CallStatus", "ringing"}, {"Event", "StartApp"}};
  return *fields;
}

class WebhooksTest : public ::testing::Test {
 protected:
  WebhooksTest() : webhooks_({kPublic, kToken, true}, desk_) { desk_.next = Stream(); }

  static void Sign(base::HttpRequest& request, const std::string& token = kToken, const std::string& base = kPublic) {
    const auto body = plivo::ParseForm(request.method == "POST" ? request.body : "");
    const std::string url = plivo::PublicUrl(base, request.target);
    const auto signature = plivo::SignV3({request.method, url, &*body}, "12345", token);
    request.headers.push_back({"X-Plivo-Signature-V3", *signature});
    request.headers.push_back({"X-Plivo-Signature-V3-Nonce", "12345"});
  }
  static base::HttpRequest Post(const std::string& target, const Fields& fields) {
    base::HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.body = plivo::FormatForm(fields);
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    return request;
  }
  base::HttpResponse Signed(base::HttpRequest request) {
    Sign(request);
    return webhooks_.Handle(request);
  }

  FakeDesk desk_;
  Webhooks webhooks_;
};

TEST_F(WebhooksTest, AnswerOpensAStreamWithEveryAttributeExplicit) {
  const auto response = Signed(Post("/answer", Common()));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/xml");
  EXPECT_THAT(response.body, StartsWith("<?xml"));
  for (const char* part : {"bidirectional=\"true\"", "keepCallAlive=\"true\"", "audioTrack=\"inbound\"",
                           "contentType=\"audio/x-mulaw;rate=8000\"", "streamTimeout=\"86400\"",
                           "wss://bridge.example.com/media-stream?token=streamtoken</Stream>",
                           "https://bridge.example.com/transfer/calltoken</Redirect>",
                           "statusCallbackUrl=\"https://bridge.example.com/stream-status\""}) {
    EXPECT_THAT(response.body, HasSubstr(part));
  }
  EXPECT_THAT(desk_.said, ElementsAre(absl::StrCat("answer  ", kCallUuid, " 14155550121 14155550100")));
}

TEST_F(WebhooksTest, AnswerByGetReadsTheQuery) {
  base::HttpRequest request;
  request.method = "GET";
  request.target = absl::StrCat("/answer?call=t1&", plivo::FormatForm(Common()));
  EXPECT_EQ(Signed(request).status, 200);
  EXPECT_THAT(desk_.said, ElementsAre(absl::StrCat("answer t1 ", kCallUuid, " 14155550121 14155550100")));
}

TEST_F(WebhooksTest, AHangupNoticeAtTheAnswerUrlOpensNoStream) {
  const auto response = Signed(Post("/answer", {{"CallUUID", kCallUuid},
                                                {"Event", "Hangup"},
                                                {"CallStatus", "completed"},
                                                {"HangupCauseCode", "4000"},
                                                {"HangupSource", "Caller"}}));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, Not(HasSubstr("Stream")));
  EXPECT_THAT(desk_.said, ElementsAre(absl::StrCat("hangup  ", kCallUuid, " normal_hangup caller")));
}

struct Refusal {
  const char* name;
  int status;
  const char* says;
  base::HttpRequest request;
  bool sign = true;
};

TEST_F(WebhooksTest, RefusesWhatIsNotTheCarriersAndTellsNobody) {
  base::HttpRequest get_ring = Post("/ring", {});
  get_ring.method = "GET";
  get_ring.body.clear();
  base::HttpRequest json = Post("/answer", Common());
  json.headers = {{"Content-Type", "application/json"}};
  json.body = "{}";
  base::HttpRequest bad_escape = Post("/answer", Common());
  bad_escape.body = "CallUUID=%zz";
  base::HttpRequest put = Post("/answer", Common());
  put.method = "PUT";
  base::HttpRequest stream = Post("/media-stream", {});
  stream.method = "GET";
  const Refusal rows[] = {
      {"unsigned", 403, "not signed", Post("/answer", Common()), false},
      {"no call uuid", 400, "CallUUID", Post("/answer", {{"From", "14155550121"}})},
      {"call uuid of nonsense", 400, "CallUUID", Post("/answer", {{"CallUUID", "../.."}})},
      {"ring without call uuid", 400, "CallUUID", Post("/ring", {{"From", "1"}})},
      {"hangup without call uuid", 400, "CallUUID", Post("/hangup?call=t", {{"From", "1"}})},
      {"get where post is wanted", 405, "POST", get_ring, false},
      {"put", 405, "GET or POST", put, false},
      {"not a form", 415, "x-www-form-urlencoded", json, false},
      {"broken escape", 400, "CallUUID", bad_escape, false},
      {"unknown path", 404, "no such path", Post("/nowhere", Common()), false},
      {"token missing", 404, "no such path", Post("/transfer/", Common()), false},
      {"plain request to the stream", 426, "WebSocket", stream, false},
  };
  for (const Refusal& row : rows) {
    SCOPED_TRACE(row.name);
    const auto response = row.sign ? Signed(row.request) : webhooks_.Handle(row.request);
    EXPECT_EQ(response.status, row.status);
    EXPECT_THAT(response.body, HasSubstr(row.says));
  }
  EXPECT_THAT(desk_.said, IsEmpty());
}

TEST_F(WebhooksTest, SignaturesCoverTheConfiguredUrlTheBodyAndTheToken) {
  base::HttpRequest other_token = Post("/answer", Common());
  Sign(other_token, "another token");
  base::HttpRequest other_host = Post("/answer", Common());
  Sign(other_host, kToken, "https://elsewhere.example.com");
  base::HttpRequest changed = Post("/answer", Common());
  Sign(changed);
  changed.body += "&To=19005551234";
  base::HttpRequest v2_only = Post("/answer", Common());
  v2_only.headers.push_back({"X-Plivo-Signature-V2", "MnoV3MJJltqAQRwuT8ee2jOS1jPiaGeVX//+ssek8g4="});
  v2_only.headers.push_back({"X-Plivo-Signature-V2-Nonce", "1"});
  for (const auto* request : {&other_token, &other_host, &changed, &v2_only}) {
    EXPECT_EQ(webhooks_.Handle(*request).status, 403);
  }
  EXPECT_THAT(desk_.said, IsEmpty());
}

TEST_F(WebhooksTest, HangupCausesBecomeReasons) {
  const std::pair<const char*, const char*> rows[] = {{"4000", "normal_hangup"},       {"3010", "busy"},
                                                      {"3000", "no_answer"},           {"3020", "rejected"},
                                                      {"3050", "invalid_number"},      {"8011", "xml_rejected"},
                                                      {"7011", "xml_rejected"},        {"9100", "answering_machine"},
                                                      {"5010", "carrier_unavailable"}, {"4010", "media_stream_lost"}};
  for (const auto& [code, reason] : rows) {
    desk_.said.clear();
    Signed(Post("/hangup?call=t", {{"CallUUID", kCallUuid}, {"HangupCauseCode", code}, {"HangupSource", "Callee"}}));
    EXPECT_THAT(desk_.said, ElementsAre(absl::StrCat("hangup t ", kCallUuid, " ", reason, " callee")));
  }
  desk_.said.clear();
  Signed(Post("/hangup?call=t", {{"CallUUID", kCallUuid}, {"CallStatus", "no-answer"}}));
  EXPECT_THAT(desk_.said, ElementsAre(HasSubstr(" no_answer "))) << "without a code the status tells";
}

TEST_F(WebhooksTest, TransferUrlsServeTheNextStep) {
  desk_.next.kind = session::Instructions::Kind::kDial;
  desk_.next.number = "+14155550142";
  desk_.next.caller_id = "+14155550100";
  const auto dial = Signed(Post("/transfer/calltoken", Common()));
  EXPECT_THAT(dial.body, HasSubstr("<Number>+14155550142</Number>"));
  EXPECT_THAT(dial.body, HasSubstr("timeout=\"25\""));
  EXPECT_THAT(dial.body, HasSubstr("callerId=\"+14155550100\""));
  EXPECT_THAT(dial.body, HasSubstr("https://bridge.example.com/transfer-done/calltoken"));
  desk_.next.kind = session::Instructions::Kind::kHangUp;
  EXPECT_THAT(Signed(Post("/transfer/calltoken", Common())).body, HasSubstr("<Hangup"));
  desk_.next.kind = session::Instructions::Kind::kUnknown;
  EXPECT_EQ(Signed(Post("/transfer/gone", Common())).status, 404);
  EXPECT_THAT(desk_.said, ElementsAre("next calltoken", "next calltoken", "next gone"));
}

TEST_F(WebhooksTest, DialOutcomesAreTyped) {
  const std::pair<const char*, const char*> rows[] = {
      {"completed", "bridged"},    {"busy", "busy"},        {"no-answer", "no_answer"}, {"timeout", "no_answer"},
      {"failed", "carrier_error"}, {"cancel", "cancelled"}, {"odd", "unknown"}};
  for (const auto& [status, outcome] : rows) {
    desk_.said.clear();
    EXPECT_THAT(Signed(Post("/transfer-done/t", With(Common(), {{"DialStatus", status}}))).body, HasSubstr("<Stream"));
    EXPECT_THAT(desk_.said, ElementsAre(absl::StrCat("done t ", outcome)));
  }
  desk_.said.clear();
  Signed(Post("/transfer-done/t", With(Common(), {{"DialAction", "answer"}, {"DialBLegUUID", "b"}})));
  Signed(Post("/transfer-done/t", With(Common(), {{"DialAction", "hangup"}, {"DialBLegUUID", "b"}})));
  EXPECT_THAT(desk_.said, ElementsAre("human t")) << "progress is told apart from the end";
}

TEST_F(WebhooksTest, StreamStatusAndMachineDetectionAreAcknowledged) {
  EXPECT_EQ(
      Signed(Post("/stream-status", {{"CallUUID", kCallUuid}, {"Event", "DroppedStream"}, {"Error", "gone"}})).status,
      200);
  EXPECT_EQ(Signed(Post("/amd", {{"CallUUID", kCallUuid}, {"Event", "MachineDetection"}, {"Machine", "true"}})).status,
            200);
  EXPECT_THAT(desk_.said, ElementsAre(HasSubstr("DroppedStream gone"), HasSubstr("MachineDetection machine")));
}

TEST_F(WebhooksTest, StreamTokensAreReadFromTheirPathOnly) {
  EXPECT_EQ(Webhooks::StreamToken("/media-stream?token=abc"), "abc");
  EXPECT_EQ(Webhooks::StreamToken("/media-stream?x=1&token=a%2Bb"), "a+b");
  EXPECT_EQ(Webhooks::StreamToken("/media-stream"), "");
  EXPECT_EQ(Webhooks::StreamToken("/answer?token=abc"), "");
  EXPECT_EQ(Webhooks::StreamToken("/media-stream?token=%zz"), "");
}

TEST_F(WebhooksTest, UpgradesMustBeSigned) {
  base::HttpRequest upgrade;
  upgrade.method = "GET";
  upgrade.target = "/media-stream?token=abc";
  EXPECT_FALSE(webhooks_.CheckUpgrade(upgrade).ok());
  for (const char* base : {"wss://bridge.example.com", "https://bridge.example.com"}) {
    base::HttpRequest good = upgrade;
    Sign(good, kToken, base);
    EXPECT_TRUE(webhooks_.CheckUpgrade(good).ok()) << base;
  }
  base::HttpRequest moved = upgrade;
  Sign(moved, kToken, "wss://bridge.example.com");
  moved.target = "/media-stream?token=other";
  EXPECT_FALSE(webhooks_.CheckUpgrade(moved).ok()) << "a signature holds for its token only";
}

}  // namespace
}  // namespace callbridge::http
