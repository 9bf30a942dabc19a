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
    said.push_back(absl::StrCat("answer ", notice.call_token, " ", notice.carrier_call_id, " ", notice.from, " ",
                                notice.to, notice.machine ? " machine" : ""));
    return next;
  }
  void OnRing(absl::string_view token, absl::string_view id) override {
    said.push_back(absl::StrCat("ring ", token, " ", id));
  }
  void OnHangup(const HangupNotice& notice) override {
    hung_up = notice;
    said.push_back(absl::StrCat("hangup ", notice.call_token, " ", notice.carrier_call_id, " ", Name(notice.reason),
                                " ", Name(notice.party)));
  }
  session::Instructions OnNextStep(absl::string_view token) override {
    said.push_back(absl::StrCat("next ", token));
    return next;
  }
  void OnDialProgress(const DialRef& dial, DialProgress what) override {
    static constexpr const char* kWhat[] = {"picked up", "connected", "not confirmed"};
    said.push_back(absl::StrCat(kWhat[static_cast<int>(what)], " ", Spell(dial)));
  }
  session::Instructions OnTransferDone(const DialRef& dial, call::TransferOutcome outcome,
                                       absl::string_view detail) override {
    said.push_back(absl::StrCat("done ", Spell(dial), " ", Name(outcome)));
    return next;
  }
  absl::optional<std::string> OnWhisper(absl::string_view token) override {
    said.push_back(absl::StrCat("whisper ", token));
    return whisper;
  }
  void OnMachine(absl::string_view token, absl::string_view id, absl::string_view) override {
    said.push_back(absl::StrCat("machine ", token, " ", id));
  }
  void OnStreamStatus(absl::string_view id, absl::string_view event, absl::string_view detail) override {
    said.push_back(absl::StrCat("stream ", id, " ", event, " ", detail));
  }

  session::Instructions next;
  absl::optional<std::string> whisper;
  session::FrontDesk::HangupNotice hung_up;
  std::vector<std::string> said;

 private:
  static std::string Spell(const DialRef& dial) {
    return absl::StrCat(dial.call_token, "/", dial.transfer_id, "/", dial.target);
  }
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
      {"dial without its transfer", 400, "transfer", Post("/transfer-done/t?target=0", Common())},
      {"dial without its target", 400, "target", Post("/transfer-done/t?transfer=x", Common())},
      {"dial with a target of nonsense", 400, "target", Post("/transfer-done/t?transfer=x&target=-1", Common())},
      {"unsigned whisper", 403, "not signed", Post("/whisper/t", Common()), false},
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

TEST_F(WebhooksTest, AHangUpBringsWhatTheCarrierSettles) {
  Signed(Post("/hangup?call=t", {{"CallUUID", kCallUuid},
                                 {"RequestUUID", "r1"},
                                 {"HangupCause", "NORMAL_CLEARING"},
                                 {"HangupCauseName", "Normal Hangup"},
                                 {"HangupCauseCode", "4000"},
                                 {"HangupSource", "Caller"},
                                 {"Duration", "83"},
                                 {"BillDuration", "120"},
                                 {"TotalCost", "0.01100"}}));
  EXPECT_EQ(desk_.hung_up.carrier_request_id, "r1");
  const call::Settlement& told = desk_.hung_up.settlement;
  EXPECT_EQ(told.duration_seconds, 83);
  EXPECT_EQ(told.billed_seconds, 120);
  EXPECT_EQ(told.cost, "0.01100");
  EXPECT_EQ(told.cause_code, 4000);
  EXPECT_EQ(told.cause, "Normal Hangup");
  EXPECT_EQ(told.source, "Caller");
  Signed(Post("/hangup?call=t", {{"CallUUID", kCallUuid}, {"HangupCause", "USER_BUSY"}}));
  EXPECT_EQ(desk_.hung_up.settlement.cause, "USER_BUSY");
  EXPECT_EQ(desk_.hung_up.settlement.duration_seconds, absl::nullopt);
}

TEST_F(WebhooksTest, TransferUrlsServeTheNextStep) {
  desk_.next.kind = session::Instructions::Kind::kDial;
  desk_.next.number = "+14155550142";
  desk_.next.caller_id = "+14155550100";
  desk_.next.ring_time = absl::Seconds(12);
  desk_.next.transfer_id = "x1";
  desk_.next.target = 2;
  const auto dial = Signed(Post("/transfer/calltoken", Common()));
  EXPECT_THAT(dial.body, HasSubstr("<Number>+14155550142</Number>"));
  EXPECT_THAT(dial.body, HasSubstr("timeout=\"12\""));
  EXPECT_THAT(dial.body, HasSubstr("callerId=\"+14155550100\""));
  for (const char* url : {"action", "callbackUrl"}) {
    EXPECT_THAT(dial.body,
                HasSubstr(absl::StrCat(
                    url, "=\"https://bridge.example.com/transfer-done/calltoken?transfer=x1&amp;target=2\"")));
  }
  EXPECT_THAT(dial.body, Not(HasSubstr("confirm")));
  desk_.next.kind = session::Instructions::Kind::kHangUp;
  EXPECT_THAT(Signed(Post("/transfer/calltoken", Common())).body, HasSubstr("<Hangup"));
  desk_.next.kind = session::Instructions::Kind::kUnknown;
  EXPECT_EQ(Signed(Post("/transfer/gone", Common())).status, 404);
  EXPECT_THAT(desk_.said, ElementsAre("next calltoken", "next calltoken", "next gone"));
}

TEST_F(WebhooksTest, DialOutcomesAreTyped) {
  struct Row {
    const char* status;
    const char* cause;
    const char* outcome;
  };
  const Row rows[] = {{"completed", "NORMAL_CLEARING", "bridged"},
                      {"busy", "USER_BUSY", "busy"},
                      {"no-answer", "NO_ANSWER", "no_answer"},
                      {"timeout", "", "no_answer"},
                      {"failed", "CALL_REJECTED", "rejected"},
                      {"failed", "UNALLOCATED_NUMBER", "invalid_target"},
                      {"failed", "NETWORK_OUT_OF_ORDER", "carrier_error"},
                      {"failed", "", "carrier_error"},
                      {"cancel", "", "cancelled"},
                      {"odd", "USER_BUSY", "unknown"}};
  for (const Row& row : rows) {
    desk_.said.clear();
    const Fields fields = With(Common(), {{"DialStatus", row.status}, {"DialHangupCause", row.cause}});
    EXPECT_THAT(Signed(Post("/transfer-done/t?transfer=x&target=1", fields)).body, HasSubstr("<Stream"));
    EXPECT_THAT(desk_.said, ElementsAre(absl::StrCat("done t/x/1 ", row.outcome))) << row.status << " " << row.cause;
  }
}

TEST_F(WebhooksTest, ADialsProgressIsToldApartFromItsEnd) {
  const auto progress = [this](const Fields& fields) {
    EXPECT_THAT(Signed(Post("/transfer-done/t?transfer=x&target=1", With(Common(), fields))).body,
                HasSubstr("<Response/>"));
  };
  progress({{"DialAction", "answer"}, {"DialBLegUUID", "b"}});
  progress({{"DialAction", "connected"}, {"DialBLegUUID", "b"}});
  progress({{"DialAction", "hangup"}, {"DialBLegUUID", "b"}, {"DialBLegHangupCauseCode", "9110"}});
  progress({{"DialAction", "hangup"}, {"DialBLegUUID", "b"}, {"DialBLegHangupCauseCode", "4000"}});
  progress({{"DialAction", "digits"}, {"DialDigitsMatch", "1"}});
  EXPECT_THAT(desk_.said, ElementsAre("picked up t/x/1", "connected t/x/1", "not confirmed t/x/1"));
}

TEST_F(WebhooksTest, TheHumanHearsTheWhisperAndWhichKeyToPress) {
  desk_.next.kind = session::Instructions::Kind::kDial;
  desk_.next.number = "+14155550142";
  desk_.next.transfer_id = "x1";
  desk_.next.whispers = true;
  desk_.next.confirm_key = "1";
  const auto dial = Signed(Post("/transfer/calltoken", Common()));
  EXPECT_THAT(dial.body,
              HasSubstr("confirmSound=\"https://bridge.example.com/whisper/calltoken?transfer=x1&amp;target=0\""));
  EXPECT_THAT(dial.body, HasSubstr("confirmKey=\"1\" confirmTimeout=\"15\""));
  desk_.whisper = "Somebody wants to <buy>.";
  EXPECT_THAT(Signed(Post("/whisper/calltoken?transfer=x1&target=0", Common())).body,
              HasSubstr("<Speak>Somebody wants to &lt;buy&gt;.</Speak>"));
  desk_.whisper = "";
  EXPECT_THAT(Signed(Post("/whisper/calltoken", Common())).body, HasSubstr("<Response/>"));
  desk_.whisper = absl::nullopt;
  EXPECT_EQ(Signed(Post("/whisper/gone", Common())).status, 404);
  EXPECT_THAT(desk_.said, ElementsAre("next calltoken", "whisper calltoken", "whisper calltoken", "whisper gone"));
}

TEST_F(WebhooksTest, StreamStatusIsAcknowledged) {
  EXPECT_EQ(
      Signed(Post("/stream-status", {{"CallUUID", kCallUuid}, {"Event", "DroppedStream"}, {"Error", "gone"}})).status,
      200);
  EXPECT_THAT(desk_.said, ElementsAre(HasSubstr("DroppedStream gone")));
}

TEST_F(WebhooksTest, MachinesAreRecognizedInEverySpelling) {
  const std::pair<Fields, bool> rows[] = {
      {{{"Event", "MachineDetection"}, {"Machine", "true"}, {"IfMachine", "continue"}}, true},
      {{{"Event", "machinedetection"}, {"machine", "True"}}, true},
      {{{"Event", "MachineDetection"}}, true},
      {{{"Machine", "1"}}, true},
      {{{"Event", "MachineDetection"}, {"Machine", "false"}}, false},
      {{{"Event", "Something"}}, false},
  };
  for (const auto& [fields, machine] : rows) {
    desk_.said.clear();
    EXPECT_EQ(Signed(Post("/amd?call=t1", With({{"CallUUID", kCallUuid}}, fields))).status, 200);
    EXPECT_EQ(desk_.said.size(), machine ? 1u : 0u) << plivo::FormatForm(fields);
    if (machine) {
      EXPECT_EQ(desk_.said[0], absl::StrCat("machine t1 ", kCallUuid));
    }
  }
  desk_.said.clear();
  Signed(Post("/answer?call=t1", With(Common(), {{"Machine", "true"}})));
  EXPECT_THAT(desk_.said, ElementsAre(HasSubstr(" machine"))) << "told with the answer";
}

TEST_F(WebhooksTest, ACallWithoutNumbersIsServed) {
  EXPECT_THAT(Signed(Post("/answer", {{"CallUUID", kCallUuid}, {"Event", "StartApp"}})).body, HasSubstr("<Stream"));
  EXPECT_THAT(desk_.said, ElementsAre(absl::StrCat("answer  ", kCallUuid, "  ")));
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
