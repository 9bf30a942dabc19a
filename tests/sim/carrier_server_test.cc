// The carrier end to end against a tiny server of the test's own: no part of callbridge takes part.

#include "src/sim/carrier_server.h"

#include <curl/curl.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "src/base/mutex.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "src/sim/carrier_form.h"
#include "src/sim/carrier_signature.h"

namespace callbridge::sim {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kToken[] = "c2FuZGJveC1hdXRoLXRva2Vu";
constexpr char kAccount[] = "MASANDBOXSANDBOX0000";
constexpr char kPublic[] = "https://bridge.test";

std::shared_ptr<const SpeechLibrary> Speech() {
  static const std::shared_ptr<const SpeechLibrary> speech = *SpeechLibrary::Load();
  return speech;
}

bool WaitFor(const std::function<bool()>& condition, absl::Duration limit = absl::Seconds(15)) {
  const absl::Time deadline = absl::Now() + limit;
  while (absl::Now() < deadline) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return condition();
}

std::string StreamXml(const std::string& attributes = "", const std::string& after = "") {
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Stream bidirectional=\"true\" keepCallAlive=\"true\" "
      "audioTrack=\"inbound\" contentType=\"audio/x-mulaw;rate=8000\" "
      "statusCallbackUrl=\"https://bridge.test/stream-status\" ",
      attributes, ">wss://bridge.test/media?a=1&amp;b=2</Stream>", after, "</Response>");
}

// A server such as callbridge, as small as can be: answers webhooks with fixed documents and echoes or plays audio.
class FakeServer final : private net::ServerDelegate {
 public:
  struct Stream final : net::WsConnection::Listener {
    explicit Stream(FakeServer& server) : server(server) {}
    void OnOpen(net::WsConnection& opened) override {
      connection = &opened;
      base::MutexLock lock(server.mutex_);
      ++server.streams_;
    }
    void OnText(absl::string_view text) override {
      json message = json::parse(std::string(text));
      if (message["event"] == "start") id = message["start"]["streamId"];
      server.OnMessage(*this, message);
    }
    void OnBinary(size_t) override {}
    void OnClosed(const net::WsClose& close) override {
      connection = nullptr;
      base::MutexLock lock(server.mutex_);
      ++server.closed_;
    }
    FakeServer& server;
    net::WsConnection* connection = nullptr;
    std::string id;
  };

  FakeServer() : loop_(net::EventLoop::Start("fake")) { server_ = *net::Server::Start({}, {loop_.get()}, *this); }
  ~FakeServer() override {
    server_->Stop();
    loop_->Stop();
  }

  std::string url() const { return absl::StrCat("http://127.0.0.1:", server_->port()); }

  // Answers a path with that body; several: one after the other, the last one stays.
  void Answer(const std::string& path, std::vector<std::pair<int, std::string>> bodies) {
    base::MutexLock lock(mutex_);
    answers_[path] = std::move(bodies);
  }
  // On the loop, with each message of a stream.
  void OnStream(std::function<void(Stream&, const json&)> handler) { handler_ = std::move(handler); }

  struct Seen {
    std::string path;
    Params params;
    bool signed_right = false;
  };
  std::vector<Seen> seen() const {
    base::MutexLock lock(mutex_);
    return seen_;
  }
  // The requests of a path, or with that Event.
  std::vector<Params> Requests(absl::string_view path_or_event) const {
    std::vector<Params> found;
    for (const Seen& each : seen()) {
      if (each.path == path_or_event || Find(each.params, "Event") == path_or_event) found.push_back(each.params);
    }
    return found;
  }
  std::vector<json> messages(const std::string& event) const {
    base::MutexLock lock(mutex_);
    std::vector<json> found;
    for (const json& message : messages_) {
      if (message["event"] == event) found.push_back(message);
    }
    return found;
  }
  int streams() const {
    base::MutexLock lock(mutex_);
    return streams_;
  }
  int closed() const {
    base::MutexLock lock(mutex_);
    return closed_;
  }
  std::string upgrade_signature_of() const {
    base::MutexLock lock(mutex_);
    return upgrade_;
  }

 private:
  int LoopFor(absl::string_view, absl::string_view) override { return 0; }

  bool SignedRight(const base::HttpRequest& request, const std::string& scheme, const Params& form) {
    const Url url = *ParseUrl(absl::StrCat(scheme, "://bridge.test", request.target));
    const std::string right =
        SignV3(kToken, SignedText(request.method, url, form), request.Header("X-Plivo-Signature-V3-Nonce"));
    return request.Header("X-Plivo-Signature-V3") == right && request.Header("X-Plivo-Signature-Ma-V3") == right;
  }

  void OnRequest(int, const base::HttpRequest& request, Respond respond) override {
    Seen seen;
    seen.path = std::string(request.Path());
    const Params form = request.method == "POST" ? DecodeForm(request.body) : Params();
    seen.params = request.method == "POST" ? form : DecodeForm(request.Query());
    seen.signed_right = SignedRight(request, "https", form);
    base::HttpResponse response;
    response.content_type = "application/xml";
    response.body = "<Response/>";
    base::MutexLock lock(mutex_);
    seen_.push_back(seen);
    const auto found = answers_.find(seen.path);
    if (found != answers_.end()) {
      std::tie(response.status, response.body) = found->second.front();
      if (found->second.size() > 1) found->second.erase(found->second.begin());
    }
    respond(response);
  }

  net::UpgradeDecision OnUpgrade(int, const base::HttpRequest& request) override {
    base::MutexLock lock(mutex_);
    upgrade_ = SignedRight(request, "wss", {}) ? "wss" : SignedRight(request, "https", {}) ? "https" : "wrong";
    net::UpgradeDecision decision;
    owned_.push_back(std::make_unique<Stream>(*this));
    decision.listener = owned_.back().get();
    return decision;
  }

  void OnMessage(Stream& stream, const json& message) {
    {
      base::MutexLock lock(mutex_);
      messages_.push_back(message);
    }
    if (handler_ != nullptr && stream.connection != nullptr) handler_(stream, message);
  }

  mutable base::Mutex mutex_;
  std::map<std::string, std::vector<std::pair<int, std::string>>> answers_;
  std::vector<Seen> seen_;
  std::vector<json> messages_;
  int streams_ = 0;
  int closed_ = 0;
  std::string upgrade_;
  std::vector<std::unique_ptr<Stream>> owned_;
  std::function<void(Stream&, const json&)> handler_;
  std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<net::Server> server_;
};

std::string PlayAudio(const std::string& payload) {
  return absl::StrCat(R"({"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":")",
                      payload, "\"}}");
}

// The caller's speech comes back to them, frame by frame.
void Echo(FakeServer::Stream& stream, const json& message) {
  if (message["event"] != "media") return;
  stream.connection->Send({PlayAudio(message["media"]["payload"])});
}

struct Answer {
  long status = 0;
  std::string body;
};

Answer Rest(const std::string& method, const std::string& url, const std::string& body = "", bool authorized = true) {
  CURL* const easy = curl_easy_init();
  Answer answer;
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  const std::string user = absl::StrCat(kAccount, ":", authorized ? kToken : "guess");
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(easy, CURLOPT_USERPWD, user.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);
  if (method == "POST") curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(
      easy, CURLOPT_WRITEFUNCTION, +[](char* data, size_t size, size_t count, void* out) {
        static_cast<std::string*>(out)->append(data, size * count);
        return size * count;
      });
  curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_slist_free_all(headers);
  curl_easy_cleanup(easy);
  return answer;
}

class CarrierServerTest : public testing::Test {
 protected:
  void SetUp() override {
    CarrierServer::Options options;
    options.auth_id = kAccount;
    options.auth_token = kToken;
    options.answer_url = absl::StrCat(kPublic, "/answer");
    options.hangup_url = hangup_url_;
    options.fallback_url = fallback_;
    options.public_base = kPublic;
    options.dial_base = server_.url();
    options.dials_per_second = dials_per_second_;
    absl::StatusOr<std::unique_ptr<CarrierServer>> carrier = CarrierServer::Start(options, Speech());
    ASSERT_TRUE(carrier.ok()) << carrier.status();
    carrier_ = *std::move(carrier);
    server_.Answer("/answer", {{200, StreamXml()}});
  }
  void TearDown() override {
    if (carrier_ != nullptr) carrier_->Stop();
  }

  static Scenario Read(const std::string& person, const std::string& rest = "") {
    const absl::StatusOr<Scenario> scenario =
        ParseScenario(absl::StrCat("from: 14155550121\nto: 14155550100\n[person]\n", person, "\n", rest));
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    return *scenario;
  }
  static Scenario Phone(const std::string& to, const std::string& pickup, const std::string& person = "") {
    return *ParseScenario(absl::StrCat("call: outbound\nto: ", to, "\npickup: ", pickup, "\n[person]\n", person));
  }

  CarrierCallReport Report(const std::string& uuid) const { return *carrier_->Call(uuid); }
  // Lets a call run to its end.
  CarrierCallReport Finish(const std::string& uuid, absl::Duration limit = absl::Seconds(30)) const {
    EXPECT_TRUE(WaitFor([&] { return Report(uuid).over; }, limit)) << Describe(Report(uuid));
    return Report(uuid);
  }
  CarrierCallReport Run(const Scenario& scenario) { return Finish(*carrier_->CallIn(scenario)); }
  static std::string Describe(const CarrierCallReport& report) {
    std::string text;
    for (const CarrierStep& step : report.steps) absl::StrAppend(&text, step.what, " ", step.detail, "\n");
    return text;
  }
  std::string Api(const std::string& path) const {
    return absl::StrCat("http://127.0.0.1:", carrier_->port(), "/v1/Account/", kAccount, path);
  }
  static std::string CallBody(const std::string& to, const json& more = json::object()) {
    json body = {{"from", "14155550100"},
                 {"to", to},
                 {"answer_url", "https://bridge.test/answer"},
                 {"ring_url", "https://bridge.test/ring"},
                 {"hangup_url", "https://bridge.test/hangup"}};
    body.update(more);
    return body.dump();
  }
  std::string Place(const std::string& to, const json& more = json::object()) {
    const Answer answer = Rest("POST", Api("/Call/"), CallBody(to, more));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return json::parse(answer.body)["request_uuid"];
  }

  int dials_per_second_ = 1000;
  std::string hangup_url_ = absl::StrCat(kPublic, "/hangup");
  std::string fallback_;
  FakeServer server_;
  std::unique_ptr<CarrierServer> carrier_;
};

TEST_F(CarrierServerTest, CarriesACallWhoseSpeechComesBack) {
  server_.OnStream(Echo);
  const CarrierCallReport report = Run(Read("say hello-world\nwait assistant done 300ms\nhang up"));
  EXPECT_EQ(report.hangup_code, 4000) << Describe(report);
  EXPECT_EQ(report.hangup_source, "Caller");
  EXPECT_THAT(report.violations, IsEmpty());
  EXPECT_THAT(report.failed_steps, IsEmpty());
  EXPECT_EQ(report.streams, 1);
  EXPECT_THAT(report.heard, HasSubstr(Speech()->Find("hello-world")->mulaw));
  int64_t bytes = 0;
  for (const CarrierCallReport::Spell& spell : report.spells) {
    EXPECT_EQ(spell.first_byte, bytes);
    bytes += spell.bytes;
  }
  EXPECT_EQ(bytes, static_cast<int64_t>(report.heard.size()));
  EXPECT_THAT(carrier_->Violations(), IsEmpty());

  ASSERT_TRUE(
      WaitFor([&] { return server_.Requests("Hangup").size() == 1 && server_.Requests("StopStream").size() == 1; }));
  for (const FakeServer::Seen& seen : server_.seen()) EXPECT_TRUE(seen.signed_right) << seen.path;
  EXPECT_EQ(server_.upgrade_signature_of(), "wss");
  const Params answer = server_.Requests("StartApp").at(0);
  EXPECT_EQ(Find(answer, "CallStatus"), "ringing");
  EXPECT_EQ(Find(answer, "Direction"), "inbound");
  EXPECT_EQ(Find(answer, "From"), "14155550121");
  const Params hangup = server_.Requests("Hangup").at(0);
  EXPECT_EQ(Find(hangup, "CallUUID"), report.call_uuid);
  EXPECT_EQ(Find(hangup, "CallStatus"), "completed");
  EXPECT_EQ(Find(hangup, "HangupCauseCode"), "4000");
  EXPECT_EQ(Find(hangup, "BillDuration"), "60");
  EXPECT_EQ(server_.Requests("StartStream").size(), 1u);
}

TEST_F(CarrierServerTest, NumbersItsMessagesAndFrames) {
  Run(Read("pause 600ms\nhang up", "[carrier]\nextra headers: semicolon"));
  const json start = server_.messages("start").at(0);
  EXPECT_EQ(start["sequenceNumber"], 1);
  EXPECT_EQ(start["start"]["mediaFormat"], json({{"encoding", "audio/x-mulaw"}, {"sampleRate", 8000}}));
  EXPECT_FALSE(start.contains("streamId"));
  const std::vector<json> media = server_.messages("media");
  ASSERT_GT(media.size(), 5u);
  for (size_t i = 0; i < media.size(); ++i) {
    EXPECT_EQ(media[i]["sequenceNumber"], i + 2);
    EXPECT_EQ(media[i]["media"]["chunk"], i + 1);
    EXPECT_EQ(media[i]["streamId"], start["start"]["streamId"]);
    EXPECT_EQ(media[i]["media"]["payload"].get<std::string>().size(), 216u);
    if (i == 0) continue;
    // No drift: every frame is exactly 20 ms after the one before.
    EXPECT_EQ(std::stoll(media[i]["media"]["timestamp"].get<std::string>()) -
                  std::stoll(media[i - 1]["media"]["timestamp"].get<std::string>()),
              20);
  }
}

TEST_F(CarrierServerTest, HasTheMannersThatDocumentsDisagreeOn) {
  server_.Answer("/answer", {{200, StreamXml("extraHeaders=\"sid=a1\"")}});
  server_.OnStream([](FakeServer::Stream& stream, const json& message) {
    if (message["event"] == "start") stream.connection->Send({PlayAudio("/////w==")});
  });
  Run(Read("pause 500ms\npress 5\npause 200ms\nhang up",
           "[carrier]\nnumbers as strings: yes\nextra headers: braces\nsend stop: yes\nupgrade scheme: https\nuse get: "
           "yes"));
  ASSERT_TRUE(WaitFor([&] { return server_.messages("stop").size() == 1; }));
  EXPECT_EQ(server_.messages("start").at(0)["sequenceNumber"], "1");
  EXPECT_EQ(server_.messages("start").at(0)["extra_headers"], "{X-PH-sid: a1}");
  EXPECT_EQ(server_.messages("media").at(0)["media"]["chunk"], "1");
  EXPECT_EQ(server_.messages("dtmf").at(0)["dtmf"]["digit"], "5");
  EXPECT_EQ(server_.upgrade_signature_of(), "https");
  EXPECT_TRUE(server_.seen().at(0).signed_right);
}

TEST_F(CarrierServerTest, PlaysCheckpointsAndClears) {
  const std::string second(8000 / 3 * 4, 'A');  // A little less than a second of sound, base64.
  server_.OnStream([second](FakeServer::Stream& stream, const json& message) {
    const auto send = [&stream](const std::string& text) { stream.connection->Send({text}); };
    if (message["event"] == "start") {
      send(PlayAudio("AAAA"));
      send(absl::StrCat(R"({"event":"checkpoint","streamId":")", stream.id, R"(","name":"short"})"));
      for (int i = 0; i < 5; ++i) send(PlayAudio(second));
      send(absl::StrCat(R"({"event":"checkpoint","streamId":")", stream.id, R"(","name":"never"})"));
    }
    if (message["event"] == "playedStream" && message["name"] == "short") {
      send(absl::StrCat(R"({"event":"clearAudio","streamId":")", stream.id, R"("})"));
      send(PlayAudio("AAAA"));
      send(absl::StrCat(R"({"event":"checkpoint","streamId":")", stream.id, R"(","name":"after"})"));
    }
  });
  const std::string uuid =
      *carrier_->CallIn(Read("wait assistant done 600ms\nhang up", "[carrier]\nstream events: yes"));
  const CarrierCallReport report = Finish(uuid);
  std::vector<std::string> names;
  for (const json& message : server_.messages("playedStream")) names.push_back(message["name"]);
  EXPECT_THAT(names, testing::Not(Contains("never")));
  EXPECT_EQ(names.at(0), "short");
  EXPECT_EQ(names.at(1), "after");
  EXPECT_GE(report.clears, 1);
  EXPECT_GT(report.cleared_bytes, 4 * 7000);
  EXPECT_LT(report.heard.size(), 4000u);
  EXPECT_GE(server_.messages("clearedAudio").size(), 1u);
  EXPECT_THAT(report.violations, IsEmpty());
  EXPECT_TRUE(WaitFor([&] { return !server_.Requests("PlayedStream").empty(); }));
}

TEST_F(CarrierServerTest, FlagsWhatPlivoWouldNotUnderstand) {
  server_.OnStream([](FakeServer::Stream& stream, const json& message) {
    if (message["event"] != "start") return;
    for (const std::string& text : std::vector<std::string>{
             R"({"event":"media","media":{"payload":"AAAA"}})", "not json", R"({"event":"playAudio"})",
             PlayAudio("AAA"), absl::StrReplaceAll(PlayAudio("AAAA"), {{"x-mulaw", "x-mulaw;rate=8000"}}),
             absl::StrReplaceAll(PlayAudio("AAAA"), {{"8000", "16000"}}), R"({"event":"checkpoint","name":"x"})",
             R"({"event":"clearAudio","streamId":"other"})", R"({"event":"sendDTMF","dtmf":"x"})",
             PlayAudio(std::string(70 << 10, 'A'))}) {
      stream.connection->Send({text});
    }
  });
  const CarrierCallReport report = Run(Read("pause 800ms\nhang up"));
  EXPECT_THAT(
      report.violations,
      ElementsAre(HasSubstr("event 'media' is not one"), HasSubstr("no JSON object"), HasSubstr("without 'media'"),
                  HasSubstr("no padded standard base64"), HasSubstr("contentType 'audio/x-mulaw;rate=8000'"),
                  HasSubstr("sampleRate 16000"), HasSubstr("checkpoint without 'streamId'"),
                  HasSubstr("streamId of another stream"), HasSubstr("sendDTMF"), HasSubstr("more than 64 KB")));
}

TEST_F(CarrierServerTest, OverflowsAfterFortySeconds) {
  const std::string second(8000 / 3 * 4, 'A');
  server_.OnStream([second](FakeServer::Stream& stream, const json& message) {
    if (message["event"] != "start") return;
    for (int i = 0; i < 42; ++i) stream.connection->Send({PlayAudio(second)});
  });
  const CarrierCallReport report = Run(Read("pause 800ms\nhang up"));
  EXPECT_THAT(report.violations, testing::Each(HasSubstr("buffer_overflow")));
  EXPECT_FALSE(report.violations.empty());
  EXPECT_EQ(server_.messages("error").at(0)["reason"], "buffer_overflow");
}

struct BadAnswer {
  const char* name;
  int status;
  const char* body;
  int code;
};

class BadAnswerTest : public CarrierServerTest, public testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswerTest, EndsTheCallWithItsCode) {
  server_.Answer("/answer", {{GetParam().status, GetParam().body}});
  const CarrierCallReport report = Run(Read("pause 20s\nhang up"));
  EXPECT_EQ(report.hangup_code, GetParam().code) << Describe(report);
  ASSERT_TRUE(WaitFor([&] { return !server_.Requests("Hangup").empty(); }));
  EXPECT_EQ(Find(server_.Requests("Hangup").at(0), "HangupCauseCode"), absl::StrCat(GetParam().code));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadAnswerTest,
    testing::Values(
        BadAnswer{"Missing", 404, "", 7011}, BadAnswer{"Broken", 500, "<Response/>", 7011},
        BadAnswer{"NoXml", 200, "{}", 8011}, BadAnswer{"Unknown", 200, "<Response><Reject/></Response>", 8011},
        BadAnswer{"Nothing", 200, "<Response/>", 4010},
        BadAnswer{"BadStream", 200, "<Response><Stream contentType=\"raw\">wss://bridge.test/m</Stream></Response>",
                  8011},
        BadAnswer{
            "NoKeepAlive", 200,
            "<Response><Stream bidirectional=\"true\" audioTrack=\"inbound\" contentType=\"audio/x-mulaw;rate=8000\" "
            "keepCallAlive=\"false\">wss://bridge.test/m</Stream></Response>",
            4010},
        BadAnswer{"Rejected", 200, "<Response><Hangup reason=\"rejected\"/></Response>", 3020},
        BadAnswer{"BadRedirect", 200, "<Response><Redirect>https://bridge.test/bad</Redirect></Response>", 4010}),
    [](const testing::TestParamInfo<BadAnswer>& info) { return info.param.name; });

TEST_F(CarrierServerTest, RedirectsFailWithTheirOwnCodes) {
  server_.Answer("/answer", {{200, "<Response><Redirect>https://bridge.test/next</Redirect></Response>"}});
  server_.Answer("/next", {{503, ""}, {200, "oops"}});
  EXPECT_EQ(Run(Read("pause 20s")).hangup_code, 7014);
  EXPECT_EQ(Run(Read("pause 20s")).hangup_code, 8014);
}

TEST_F(CarrierServerTest, ARedirectToItselfIsALoop) {
  server_.Answer("/answer", {{200, "<Response><Redirect>https://bridge.test/answer</Redirect></Response>"}});
  EXPECT_EQ(Run(Read("pause 20s")).hangup_code, 2060);
  EXPECT_EQ(server_.Requests("/answer").size(), 71u);
}

TEST_F(CarrierServerTest, DeliversTwiceWhenAskedTo) {
  const CarrierCallReport report = Run(Read("pause 500ms\nhang up", "[carrier]\ntwice: yes"));
  EXPECT_TRUE(WaitFor([&] { return server_.Requests("Hangup").size() == 2; }));
  EXPECT_EQ(server_.Requests("StartApp").size(), 2u);
  EXPECT_EQ(server_.streams(), 1);
}

TEST_F(CarrierServerTest, ADroppedStreamComesBackWithASecondStart) {
  const CarrierCallReport report =
      Run(Read("pause 500ms\ndrop stream and reconnect\npause 1s\nhang up", "[carrier]\nnew stream id: yes"));
  EXPECT_EQ(report.streams, 2) << Describe(report);
  const std::vector<json> starts = server_.messages("start");
  ASSERT_EQ(starts.size(), 2u);
  EXPECT_EQ(starts[0]["start"]["callId"], starts[1]["start"]["callId"]);
  EXPECT_NE(starts[0]["start"]["streamId"], starts[1]["start"]["streamId"]);
}

TEST_F(CarrierServerTest, AStreamThatStaysAwayIsDropped) {
  const CarrierCallReport report = Run(Read("pause 500ms\ndrop stream\npause 5s\nhang up"));
  EXPECT_EQ(report.hangup_code, 4010) << Describe(report);
  EXPECT_TRUE(WaitFor([&] { return server_.Requests("DroppedStream").size() == 1; }));
}

TEST_F(CarrierServerTest, TheServersCloseGoesOnWithTheDocument) {
  server_.Answer("/answer", {{200, StreamXml("", "<Redirect>https://bridge.test/after</Redirect>")}});
  server_.Answer("/after", {{200, "<Response><Hangup/></Response>"}});
  server_.OnStream([](FakeServer::Stream& stream, const json& message) {
    if (message["event"] == "media" && message["media"]["chunk"] == 5) stream.connection->Close(1000, "");
  });
  const CarrierCallReport report = Run(Read("pause 20s"));
  EXPECT_EQ(report.hangup_code, 4000) << Describe(report);
  EXPECT_EQ(report.hangup_source, "Answer XML");
  EXPECT_EQ(server_.Requests("/after").size(), 1u);
}

TEST_F(CarrierServerTest, TransfersToAHumanAndBack) {
  server_.OnStream(Echo);
  server_.Answer("/transfer",
                 {{200,
                   "<Response><Dial timeout=\"20\" action=\"https://bridge.test/done\" "
                   "callbackUrl=\"https://bridge.test/progress\"><Number>+14155550142</Number></Dial></Response>"}});
  server_.Answer("/done", {{200, StreamXml()}, {200, "<Response><Hangup/></Response>"}});
  server_.OnStream([this](FakeServer::Stream& stream, const json& message) {
    // Not right away: the answer of the REST request must be there before the close.
    if (message["event"] == "media" && message["media"]["chunk"] == 30) stream.connection->Close(1000, "transfer");
  });
  const std::string uuid = *carrier_->CallIn(Read("wait transferring\nwait returned\nwait connected\npause 20s",
                                                  "[humans]\n14155550142: busy after 300ms\n"
                                                  "14155550142: answer after 300ms, talk 700ms"));
  const auto transfer = [&] {
    return Rest("POST", Api(absl::StrCat("/Call/", uuid, "/")),
                R"({"legs":"aleg","aleg_url":"https://bridge.test/transfer","aleg_method":"POST"})")
        .status;
  };
  ASSERT_TRUE(WaitFor([&] { return Report(uuid).streams == 1; }));
  EXPECT_EQ(transfer(), 202);
  ASSERT_TRUE(WaitFor([&] { return Report(uuid).streams == 2; })) << Describe(Report(uuid));
  EXPECT_EQ(transfer(), 202);
  const CarrierCallReport report = Finish(uuid);
  EXPECT_THAT(report.dialled, ElementsAre("+14155550142", "+14155550142"));
  EXPECT_THAT(report.failed_steps, IsEmpty()) << Describe(report);
  EXPECT_THAT(report.violations, IsEmpty());
  const std::vector<Params> done = server_.Requests("/done");
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(Find(done[0], "DialStatus"), "busy");
  EXPECT_EQ(Find(done[0], "DialHangupCause"), "USER_BUSY");
  EXPECT_EQ(Find(done[1], "DialStatus"), "completed");
  EXPECT_TRUE(WaitFor([&] { return server_.Requests("/progress").size() == 4; }));
}

struct Pick {
  const char* name;
  const char* pickup;
  const char* status;
  int code;
};

class PickupTest : public CarrierServerTest, public testing::WithParamInterface<Pick> {};

TEST_P(PickupTest, EndsWithItsStatus) {
  carrier_->RegisterPhone(Phone("14155550122", GetParam().pickup));
  const std::string uuid = Place("+14155550122");
  const CarrierCallReport report = Finish(uuid);
  EXPECT_EQ(report.hangup_code, GetParam().code);
  ASSERT_TRUE(WaitFor([&] { return !server_.Requests("Hangup").empty(); }));
  const Params hangup = server_.Requests("Hangup").at(0);
  EXPECT_EQ(Find(hangup, "CallStatus"), GetParam().status);
  EXPECT_EQ(Find(hangup, "Duration"), "0");
  EXPECT_EQ(Find(hangup, "RequestUUID"), uuid);
  EXPECT_THAT(server_.Requests("StartApp"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Table, PickupTest,
                         testing::Values(Pick{"Busy", "busy after 200ms", "busy", 3010},
                                         Pick{"NoAnswer", "no answer after 200ms", "no-answer", 3000},
                                         Pick{"Reject", "reject after 200ms", "failed", 3020},
                                         Pick{"Invalid", "invalid number", "failed", 3050},
                                         Pick{"Carrier", "carrier error", "failed", 3080}),
                         [](const testing::TestParamInfo<Pick>& info) { return info.param.name; });

TEST_F(CarrierServerTest, PlacesAnOutboundCallThatAnswers) {
  server_.OnStream(Echo);
  carrier_->RegisterPhone(Phone("*", "answer after 300ms", "say hello-world\nwait assistant done 300ms\nhang up"));
  const std::string uuid = Place("14155550122");
  const CarrierCallReport report = Finish(uuid);
  EXPECT_EQ(report.hangup_source, "Callee");
  EXPECT_THAT(report.failed_steps, IsEmpty());
  EXPECT_EQ(server_.Requests("Ring").size(), 1u);
  EXPECT_EQ(Find(server_.Requests("StartApp").at(0), "CallStatus"), "in-progress");
  EXPECT_EQ(Rest("DELETE", Api(absl::StrCat("/Call/", uuid, "/"))).status, 404);
  const Answer detail = Rest("GET", Api(absl::StrCat("/Call/", uuid, "/")));
  EXPECT_EQ(json::parse(detail.body)["hangup_cause_code"], 4000);
}

const json& Listening() {
  static const json* const listening = new json{{"machine_detection", "true"},
                                                {"machine_detection_time", 2000},
                                                {"machine_detection_url", "https://bridge.test/amd"}};
  return *listening;
}

TEST_F(CarrierServerTest, TellsOfAMachineWhileTheCallGoesOn) {
  carrier_->RegisterPhone(Phone("*", "machine after 100ms, greeting 600ms, beep", "pause 1800ms\nhang up"));
  const std::string uuid = Place("14155550122", Listening());
  ASSERT_TRUE(WaitFor([&] { return server_.streams() == 1; }));
  EXPECT_THAT(server_.Requests("MachineDetection"), IsEmpty()) << "the stream is there before the verdict";
  ASSERT_TRUE(WaitFor([&] { return server_.Requests("MachineDetection").size() == 1; })) << Describe(Report(uuid));
  EXPECT_EQ(Find(server_.Requests("MachineDetection").at(0), "Machine"), "true");
  EXPECT_EQ(Find(server_.Requests("MachineDetection").at(0), "IfMachine"), "continue");
  const CarrierCallReport report = Finish(uuid);
  EXPECT_TRUE(report.machine_told);
  EXPECT_EQ(report.recording_from, 0) << "nothing was said to it before its beep was over";
}

TEST_F(CarrierServerTest, TellsNothingAboutAHumanOrUnasked) {
  carrier_->RegisterPhone(Phone("14155550122", "answer after 100ms", "pause 2500ms\nhang up"));
  carrier_->RegisterPhone(Phone("14155550123", "machine after 100ms, greeting 600ms", "pause 2s\nhang up"));
  const std::string human = Place("14155550122", Listening());
  const std::string unasked = Place("14155550123");
  EXPECT_FALSE(Finish(human).machine_told);
  EXPECT_FALSE(Finish(unasked).machine_told);
  EXPECT_EQ(Report(unasked).recording_from, -1) << "it does not beep";
  EXPECT_THAT(server_.Requests("MachineDetection"), IsEmpty());
}

TEST_F(CarrierServerTest, WithoutItsUrlTheAnswerWaitsForTheVerdict) {
  carrier_->RegisterPhone(Phone("*", "machine after 100ms, greeting 600ms", "pause 3s\nhang up"));
  const CarrierCallReport report =
      Finish(Place("14155550122", {{"machine_detection", "true"}, {"machine_detection_time", 2000}}));
  EXPECT_EQ(Find(server_.Requests("StartApp").at(0), "Machine"), "true") << Describe(report);
  EXPECT_THAT(server_.Requests("MachineDetection"), IsEmpty());
}

TEST_F(CarrierServerTest, HangsUpOnAMachineWhenAskedTo) {
  carrier_->RegisterPhone(Phone("*", "machine after 100ms, greeting 600ms"));
  const CarrierCallReport report =
      Finish(Place("14155550122", {{"machine_detection", "hangup"}, {"machine_detection_time", 2000}}));
  EXPECT_EQ(report.hangup_code, 9100);
}

TEST_F(CarrierServerTest, RefusesMachineDetectionThatPlivoRefuses) {
  const json rows[] = {{{"machine_detection", "yes"}},
                       {{"machine_detection_time", 3000}},
                       {{"machine_detection", "true"}, {"machine_detection_time", 1999}},
                       {{"machine_detection", "true"}, {"machine_detection_time", 10001}},
                       {{"machine_detection", "true"}, {"machine_detection_time", "soon"}},
                       {{"machine_detection", "true"}, {"machine_detection_url", "amd"}},
                       {{"machine_detection", "true"}, {"machine_detection_method", "PUT"}}};
  for (const json& row : rows) {
    const Answer answer = Rest("POST", Api("/Call/"), CallBody("14155550122", row));
    EXPECT_EQ(answer.status, 400) << row.dump();
    EXPECT_THAT(answer.body, HasSubstr("machine_detection")) << row.dump();
  }
}

TEST_F(CarrierServerTest, LosesAndDelaysCheckpointsAndReportsDigits) {
  server_.OnStream([](FakeServer::Stream& stream, const json& message) {
    if (message["event"] != "start") return;
    stream.connection->Send({R"({"event":"sendDTMF","dtmf":"12#"})"});
    for (int i = 0; i < 200; ++i) {
      stream.connection->Send({PlayAudio("AAAA")});
      stream.connection->Send(
          {absl::StrCat(R"({"event":"checkpoint","streamId":")", stream.id, R"(","name":")", 1000 + i, R"("})")});
    }
  });
  const CarrierCallReport report =
      Run(Read("pause 1200ms\nhang up", "[carrier]\ncheckpoints: lose 30%, delay 0..300ms"));
  EXPECT_THAT(report.violations, IsEmpty());
  ASSERT_EQ(report.dtmf.size(), 1u);
  EXPECT_EQ(report.dtmf[0].digits, "12#");
  std::vector<std::string> names;
  for (const json& message : server_.messages("playedStream")) names.push_back(message["name"]);
  EXPECT_GT(names.size(), 100u) << "of 200, about 140 are told";
  EXPECT_LT(names.size(), 180u);
  EXPECT_FALSE(std::is_sorted(names.begin(), names.end())) << "some overtake others";
}

TEST_F(CarrierServerTest, HangsUpByRest) {
  const std::string uuid = *carrier_->CallIn(Read("pause 20s"));
  ASSERT_TRUE(WaitFor([&] { return server_.streams() == 1; }));
  EXPECT_THAT(Rest("GET", Api("/Call/?status=live")).body, HasSubstr(uuid));
  EXPECT_EQ(Rest("DELETE", Api(absl::StrCat("/Call/", uuid, "/"))).status, 204);
  const CarrierCallReport report = Finish(uuid);
  EXPECT_EQ(report.hangup_source, "API Request");
  EXPECT_TRUE(WaitFor([&] { return server_.closed() == 1; }));
  EXPECT_EQ(Rest("GET", Api(absl::StrCat("/Call/", uuid, "/?status=live"))).status, 404);
}

TEST_F(CarrierServerTest, RefusesWhatPlivoRefuses) {
  const Answer unauthorized = Rest("GET", Api("/Call/?status=live"), "", false);
  EXPECT_EQ(unauthorized.status, 401);
  EXPECT_THAT(unauthorized.body, HasSubstr("Could not verify your access level"));
  EXPECT_EQ(Rest("POST", Api("/Call"), CallBody("14155550122")).status, 404);
  EXPECT_EQ(Rest("DELETE", Api("/Call/")).status, 204);
  EXPECT_THAT(carrier_->Violations(), ElementsAre(HasSubstr("without valid credentials"), HasSubstr("trailing slash"),
                                                  HasSubstr("hangs up every call")));
  EXPECT_EQ(Rest("POST", Api("/Call/"), "{}").status, 400);
  EXPECT_EQ(Rest("POST", Api("/Call/"), CallBody("14155550100")).status, 400);
  EXPECT_EQ(Rest("POST", Api("/Call/no-such-call/"), R"({"aleg_url":"https://h/"})").status, 404);
}

TEST_F(CarrierServerTest, RestFaultsDialAndDoubleDiallingIsSeen) {
  Scenario phone = Phone("14155550122", "answer after 10s");
  phone.carrier.rest_errors = {429, 500};
  carrier_->RegisterPhone(phone);
  EXPECT_EQ(Rest("POST", Api("/Call/"), CallBody("14155550122")).status, 429);
  EXPECT_THAT(carrier_->Calls(), IsEmpty());
  EXPECT_EQ(Rest("POST", Api("/Call/"), CallBody("14155550122")).status, 500);
  EXPECT_EQ(carrier_->Calls().size(), 1u);
  EXPECT_THAT(carrier_->Violations(), IsEmpty());
  EXPECT_EQ(Rest("POST", Api("/Call/"), CallBody("14155550122")).status, 201);
  EXPECT_THAT(carrier_->Violations(), ElementsAre(HasSubstr("repeated although")));
}

TEST_F(CarrierServerTest, RestFaultsMeetRequestsAboutAnInboundCall) {
  const std::string uuid = *carrier_->CallIn(Read("pause 20s", "[carrier]\nrest errors: 503"));
  const std::string url = Api(absl::StrCat("/Call/", uuid, "/"));
  EXPECT_EQ(Rest("DELETE", url).status, 503);
  EXPECT_FALSE(Report(uuid).over);
  EXPECT_EQ(Rest("DELETE", url).status, 204);
  EXPECT_EQ(Finish(uuid).hangup_source, "API Request");
}

TEST_F(CarrierServerTest, DialsBeyondTheRateAreQueued) {
  carrier_->Stop();
  dials_per_second_ = 2;
  SetUp();
  carrier_->RegisterPhone(Phone("*", "busy after 100ms"));
  const absl::Time start = absl::Now();
  EXPECT_THAT(Rest("POST", Api("/Call/"), CallBody("14155550122")).body, HasSubstr("call fired"));
  const Answer second = Rest("POST", Api("/Call/"), CallBody("14155550123"));
  EXPECT_THAT(second.body, HasSubstr("call queued"));
  EXPECT_EQ(Finish(json::parse(second.body)["request_uuid"]).hangup_code, 3010);
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(500));
}

TEST_F(CarrierServerTest, AnAnswerThatFailsIsAskedForAtTheFallback) {
  carrier_->Stop();
  fallback_ = "https://bridge.test/fallback";
  SetUp();
  server_.Answer("/answer", {{500, ""}});
  server_.Answer("/fallback", {{200, "<Response><Hangup/></Response>"}});
  EXPECT_EQ(Run(Read("pause 20s")).hangup_code, 4000);
  EXPECT_EQ(server_.Requests("/fallback").size(), 1u);
}

TEST_F(CarrierServerTest, WithoutAHangupUrlTheAnswerUrlHearsOfTheEnd) {
  carrier_->Stop();
  hangup_url_ = "";
  SetUp();
  Run(Read("pause 300ms\nhang up"));
  ASSERT_TRUE(WaitFor([&] { return server_.Requests("/answer").size() == 2; }));
  EXPECT_EQ(Find(server_.Requests("/answer").at(1), "Event"), "Hangup");
}

TEST_F(CarrierServerTest, TheHangupCanComeBeforeTheClose) {
  const CarrierCallReport report = Run(Read("pause 500ms\nhang up", "[carrier]\nreorder hangup: yes"));
  ASSERT_TRUE(WaitFor([&] { return server_.Requests("Hangup").size() == 1; }));
  EXPECT_EQ(server_.closed(), 0);
  EXPECT_TRUE(WaitFor([&] { return server_.closed() == 1; }));
}

TEST_F(CarrierServerTest, GoesOnWhenAStreamCannotBeReached) {
  server_.Answer(
      "/answer",
      {{200, absl::StrReplaceAll(StreamXml("", "<Hangup/>"), {{"bridge.test/media", "127.0.0.1:1/media"}})}});
  const CarrierCallReport report = Run(Read("pause 20s"));
  EXPECT_EQ(report.streams, 0);
  EXPECT_EQ(report.hangup_code, 4000) << Describe(report);
  EXPECT_TRUE(WaitFor([&] { return server_.Requests("DroppedStream").size() == 1; }));
}

TEST_F(CarrierServerTest, AWaitThatRunsOutIsAFailedStep) {
  const CarrierCallReport report = Run(Read("wait assistant speaking 0 within 500ms\npause 10s"));
  EXPECT_THAT(report.failed_steps, ElementsAre(HasSubstr("wait assistant speaking")));
  EXPECT_EQ(report.hangup_code, 4000);
}

TEST_F(CarrierServerTest, StopsWithCallsInFlight) {
  server_.OnStream(Echo);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(carrier_->CallIn(Read("pause 20s")).ok());
  ASSERT_TRUE(WaitFor([&] { return server_.streams() == 5; }));
  carrier_->Stop();
  EXPECT_TRUE(WaitFor([&] { return server_.closed() == 5; }));
}

}  // namespace
}  // namespace callbridge::sim
