#include "src/session/call_session.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "src/base/executor.h"
#include "src/events/speech_hub.h"
#include "src/net/manual_loop.h"
#include "src/openai/call_tools.h"
#include "src/openai/transfer_tool.h"
#include "tests/fakes/fake_ws_connection.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::session {
namespace {

namespace input = call::input;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

// 20 ms of silence.
const char kFrame[] =
    "////////////////////////////////////////////////////////////////////////////////////////////////////////////"
    "/////////////////////////////////////////////////////////////////////////////////////////////////////////w==";

class FakeCarrier final : public carrier::CarrierApi {
 public:
  absl::StatusOr<std::string> Place(const Dial&) override { return std::string("request"); }
  absl::Status HangUp(absl::string_view id) override {
    hung_up.emplace_back(id);
    return absl::OkStatus();
  }
  absl::Status Transfer(absl::string_view, absl::string_view) override { return absl::OkStatus(); }

  std::vector<std::string> hung_up;
};

class FakeHost final : public SessionHost {
 public:
  void OnNextStep(const std::string&, const call::command::NextStep&) override {}
  void OnCarrierCallId(const std::string&, const std::string&) override {}
  void OnStateChanged(const std::string&, call::State) override {}
  absl::Status TakeTransfer() override { return transfers; }
  void OnFinished(const std::string&, int64_t next_sequence) override { finished.push_back(next_sequence); }

  std::vector<int64_t> finished;
  absl::Status transfers;
};

class FakeRunner final : public ToolRunner {
 public:
  using Done = std::function<void(bool ok, std::string output)>;

  absl::Status Check(const std::string&, const std::string&, absl::string_view arguments) const override {
    return arguments == "{}" ? absl::InvalidArgumentError("day: missing") : absl::OkStatus();
  }
  void Run(const std::string& agent, const std::string& call_id, const std::string& tool_call_id,
           const std::string& name, const std::string& arguments, Done done) override {
    runs.push_back(absl::StrCat(agent, " ", call_id, " ", tool_call_id, " ", name, " ", arguments));
    waiting.push_back(std::move(done));
  }

  std::vector<std::string> runs;
  std::vector<Done> waiting;
};

// One call between a carrier and a model that the test plays, in virtual time.
class CallSessionTest : public ::testing::Test {
 protected:
  CallSessionTest() {
    tools_.loop = &loop_;
    tools_.connector = &model_;
    options_.call.call_id = "c1";
    options_.call.agent = "desk";
    options_.call.from = "+14155550123";
    options_.call.to = "+14155550100";
    options_.call.summary_in_session = false;
    options_.carrier_call_id = "leg_1";
    options_.model.url = "wss://model/v1/realtime";
    options_.model.api_key = "key";
    options_.model.session.tools = {openai::SendDtmfTool(), openai::Tool{"lookup", "", ""}};
    deps_.tools = &tools_;
    deps_.recorder = &recorder_;
    deps_.carrier = &carrier_api_;
    deps_.carrier_executor = &carrier_executor_;
    deps_.host = &host_;
    deps_.tool_runner = &runner_;
    deps_.metrics = &metrics_;
  }
  ~CallSessionTest() override {
    // The legs go with the session; the sockets know nothing of them then.
    session_.reset();
    loop_.Run();
    executor_.RunAll();
  }

  void Begin() {
    store::CallRecord record;
    record.call_id = "c1";
    record.event_head = 1;
    recorder_.Create(record, {call::Call::Created(options_.call, loop_.now())}, absl::nullopt, nullptr);
    session_ = std::make_shared<CallSession>(options_, deps_);
    session_->Begin();
    AnswerModel();
    carrier_ = std::make_unique<testing::FakeWsConnection>(loop_, *session_->NewStream());
    carrier_->Open();
    carrier_->Receive(R"({"event":"start","start":{"callId":"leg_1","streamId":"stream_1"}})");
    Settle();
    model_.last().TakeSent();
    carrier_->TakeSent();
  }
  // The newest connection to the model becomes a session that works.
  void AnswerModel() {
    model_.last().Open();
    model_.last().Receive(R"({"type":"session.created","session":{"id":"sess_1"}})");
    model_.last().Receive(R"({"type":"session.updated","session":{"audio":{"input":{"format":{"type":"audio/pcmu"}},)"
                          R"("output":{"format":{"type":"audio/pcmu"}}}}})");
  }
  void Settle() {
    for (int i = 0; i < 10; ++i) loop_.Run(), carrier_executor_.RunAll(), executor_.RunAll();
  }
  void CallTool(absl::string_view id, absl::string_view name, const std::string& arguments) {
    const Json item = {{"id", "fc_1"},
                       {"type", "function_call"},
                       {"status", "completed"},
                       {"call_id", std::string(id)},
                       {"name", std::string(name)},
                       {"arguments", arguments}};
    model_.last().Receive(
        Json{{"type", "response.output_item.done"}, {"response_id", "resp_1"}, {"item", item}}.dump());
    Settle();
  }
  static std::vector<Json> Parsed(testing::FakeWsConnection& connection) {
    std::vector<Json> messages;
    for (const std::string& text : connection.TakeSent()) messages.push_back(Json::parse(text));
    return messages;
  }
  // The outputs of tools that the model was told since the last call.
  std::vector<std::string> Outputs() {
    std::vector<std::string> outputs;
    for (const Json& message : Parsed(model_.last())) {
      if (message.contains("item") && message["item"]["type"] == "function_call_output") {
        outputs.push_back(message["item"]["output"]);
      }
    }
    return outputs;
  }

  net::ManualLoop loop_;
  testing::FakeWsConnector model_{loop_};
  LoopTools tools_;
  store::MemoryCallStore store_;
  base::ManualExecutor executor_;
  base::ManualExecutor carrier_executor_;
  CallRecorder recorder_{store_, executor_};
  FakeCarrier carrier_api_;
  FakeHost host_;
  FakeRunner runner_;
  CallMetrics metrics_;
  CallSession::Options options_;
  CallSession::Deps deps_;
  std::unique_ptr<testing::FakeWsConnection> carrier_;
  std::shared_ptr<CallSession> session_;
};

TEST_F(CallSessionTest, ARunToolsResultReachesTheModel) {
  Begin();
  CallTool("call_1", "lookup", R"({"day":1})");
  EXPECT_THAT(runner_.runs, ElementsAre(R"(desk c1 call_1 lookup {"day":1})"));
  EXPECT_THAT(Outputs(), IsEmpty());
  runner_.waiting[0](true, R"({"open":true})");
  EXPECT_THAT(Outputs(), IsEmpty()) << "it may come on any thread: the loop takes it";
  Settle();
  EXPECT_THAT(Outputs(), ElementsAre(R"({"status":"ok","result":{"open":true}})"));
}

TEST_F(CallSessionTest, ArgumentsThatDoNotFitAreNotRun) {
  Begin();
  CallTool("call_1", "lookup", "{}");
  EXPECT_THAT(runner_.runs, IsEmpty());
  EXPECT_THAT(Outputs(), ElementsAre(HasSubstr("day: missing")));
}

TEST_F(CallSessionTest, ATransferBeyondTheLimitIsToldToTheModel) {
  options_.call.destinations["sales"].targets = {{"+14155550142"}};
  options_.model.session.tools.push_back(openai::TransferTool({{"sales", "buying"}}));
  host_.transfers = absl::ResourceExhaustedError("already 1 in a minute");
  Begin();
  CallTool("call_1", "transfer_call", R"({"destination":"sales","reason":"wants to buy"})");
  EXPECT_THAT(Outputs(), ElementsAre(HasSubstr("already 1 in a minute")));
  EXPECT_EQ(session_->call().transfer(), absl::nullopt);
}

TEST_F(CallSessionTest, WithoutARunnerTheModelIsToldSo) {
  deps_.tool_runner = nullptr;
  Begin();
  CallTool("call_1", "lookup", "{}");
  EXPECT_THAT(Outputs(), ElementsAre(HasSubstr("cannot be used")));
}

TEST_F(CallSessionTest, AResultForACallThatIsGoneIsDropped) {
  Begin();
  CallTool("call_1", "lookup", R"({"day":1})");
  session_.reset();
  loop_.Run();
  runner_.waiting[0](true, "late");
  loop_.Run();
  EXPECT_THAT(runner_.runs, SizeIs(1));
}

TEST_F(CallSessionTest, ASlowToolSurvivesTheModelsSession) {
  Begin();
  CallTool("call_1", "lookup", R"({"day":1})");
  model_.last().PeerVanish();
  Settle();
  ASSERT_THAT(model_.connections(), SizeIs(2));
  AnswerModel();
  Settle();
  runner_.waiting[0](true, "done");
  Settle();
  EXPECT_THAT(runner_.runs, SizeIs(1));
  const std::vector<Json> sent = Parsed(model_.last());
  std::vector<std::string> items;
  for (const Json& message : sent) {
    if (message.contains("item")) items.push_back(message["item"]["type"]);
  }
  EXPECT_THAT(items, ElementsAre("function_call", "function_call_output")) << "the new session never made the call";
}

TEST_F(CallSessionTest, KeysGoToTheCarrier) {
  Begin();
  CallTool("call_1", "send_dtmf", R"({"digits":"12#"})");
  std::vector<std::string> keys;
  for (const Json& message : Parsed(*carrier_)) {
    if (message["event"] == "sendDTMF") keys.push_back(message["dtmf"]);
  }
  EXPECT_THAT(keys, ElementsAre("12#"));
}

TEST_F(CallSessionTest, AGapInTheCallersAudioIsNoticedByItself) {
  Begin();
  carrier_->Receive(absl::Substitute(R"({"event":"media","media":{"track":"inbound","payload":"$0"}})", kFrame));
  EXPECT_THAT(Parsed(model_.last()), SizeIs(1));
  loop_.Advance(absl::Milliseconds(250));
  EXPECT_THAT(Parsed(model_.last()), SizeIs(1)) << "silence in the place of what did not come";
}

// What readers are given of the assistant's words: each piece with its place in the item.
TEST_F(CallSessionTest, WhoReadsAlongIsGivenTheWords) {
  events::SpeechHub hub;
  std::mutex mutex;
  std::vector<std::string> words;
  const auto subscription = hub.Subscribe("c1", [&](const events::SpokenWords& said) {
    const std::lock_guard<std::mutex> lock(mutex);
    words.push_back(absl::StrCat(said.item_id, "@", said.offset, " ", said.text));
  });
  deps_.speech = &hub;
  Begin();
  const auto say = [this](absl::string_view response, absl::string_view item, absl::string_view delta) {
    model_.last().Receive(absl::Substitute(
        R"({"type":"response.output_audio_transcript.delta","response_id":"$0","item_id":"$1","delta":"$2"})", response,
        item, delta));
  };
  model_.last().Receive(R"({"type":"response.created","response":{"id":"resp_1"}})");
  say("resp_1", "item_A", "Good ");
  say("resp_1", "item_B", "Yes");
  say("resp_1", "item_A", "day");
  model_.last().Receive(
      R"({"type":"response.output_audio_transcript.done","response_id":"resp_1","item_id":"item_A","transcript":"Good day"})");
  say("resp_1", "item_A", " twice");
  say("resp_1", "item_B", ".");
  const auto heard = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return words;
  };
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while ((heard().empty() || heard().back() != "item_B@3 .") && absl::Now() < deadline) std::this_thread::yield();
  const auto all = heard();
  EXPECT_THAT(std::vector<std::string>(all.begin(), all.begin() + 3),
              ElementsAre("item_A@0 Good ", "item_B@0 Yes", "item_A@5 day"));
}

// The caller's words come in pieces before the whole, which may be worded differently.
TEST_F(CallSessionTest, WhoReadsAlongIsGivenTheCallersWords) {
  events::SpeechHub hub;
  std::mutex mutex;
  std::vector<std::string> words;
  const auto subscription = hub.Subscribe("c1", [&](const events::SpokenWords& said) {
    const std::lock_guard<std::mutex> lock(mutex);
    words.push_back(absl::StrCat(said.role == call::Role::kCaller ? "caller " : "? ", said.item_id, "@", said.offset,
                                 " ", said.text));
  });
  deps_.speech = &hub;
  Begin();
  const auto say = [this](absl::string_view kind, absl::string_view item, absl::string_view key,
                          absl::string_view text) {
    model_.last().Receive(absl::Substitute(
        R"({"type":"conversation.item.input_audio_transcription.$0","item_id":"$1","content_index":0,"$2":"$3"})", kind,
        item, key, text));
  };
  say("delta", "item_U", "delta", "of nobody's turn");
  for (const char* const item : {"item_U", "item_V", "item_W"}) {
    model_.last().Receive(absl::Substitute(R"({"type":"input_audio_buffer.committed","item_id":"$0"})", item));
  }
  say("delta", "item_U", "delta", "Where");
  say("delta", "item_V", "delta", "Hello?");
  say("delta", "item_U", "delta", " are");
  say("completed", "item_U", "transcript", "Where are you?");
  say("delta", "item_U", "delta", " late");
  say("failed", "item_V", "error", "");
  say("delta", "item_V", "delta", " late");
  say("delta", "item_W", "delta", "Bye");
  const auto heard = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return words;
  };
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while ((heard().empty() || heard().back() != "caller item_W@0 Bye") && absl::Now() < deadline)
    std::this_thread::yield();
  EXPECT_THAT(heard(), ElementsAre("caller item_U@0 Where", "caller item_V@0 Hello?", "caller item_U@5  are",
                                   "caller item_W@0 Bye"));
}

// A reversible pause: listened to frame by frame, then decided.
class ReversibleSessionTest : public CallSessionTest {
 protected:
  void SpeakOver() {
    options_.call.barge_in = call::BargeInMode::kReversible;
    options_.call.server_cancels = false;
    Begin();
    model_.last().Receive(R"({"type":"response.created","response":{"id":"resp_1"}})");
    for (int i = 0; i < 100; ++i) {
      model_.last().Receive(absl::Substitute(
          R"({"type":"response.output_audio.delta","response_id":"resp_1","item_id":"item_A","delta":"$0"})", kFrame));
    }
    Wait(500, kFrame);
    model_.last().Receive(R"({"type":"input_audio_buffer.speech_started","item_id":"item_U"})");
    carrier_->TakeSent();
    model_.last().TakeSent();
  }
  // The caller's line sounds like this for so long.
  void Wait(int ms, const std::string& frame) {
    for (int t = 0; t < ms; t += 20) {
      carrier_->Receive(absl::Substitute(R"({"event":"media","media":{"track":"inbound","payload":"$0"}})", frame));
      loop_.Advance(absl::Milliseconds(20));
    }
  }
  static int Count(const std::vector<Json>& messages, const char* key, const char* value) {
    return static_cast<int>(
        std::count_if(messages.begin(), messages.end(), [&](const Json& message) { return message[key] == value; }));
  }
  // 20 ms as loud as a voice: any code of mu-law's loudest.
  const std::string loud_ = absl::Base64Escape(std::string(80, '\x90') + std::string(80, '\x10'));
};

// Only what a message of the model stops is the bridge's own time: a pause was one, the cut that follows is a decision.
TEST_F(ReversibleSessionTest, AStopByTheModelsMessageIsMeasured) {
  SpeakOver();
  EXPECT_THAT(metrics_.Text(), HasSubstr("callbridge_stop_seconds_count 1\n"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("callbridge_stop_seconds_bucket{le=\"5e-05\"} 1\n")) << "in virtual time";
  Wait(700, loud_);
  EXPECT_THAT(metrics_.Text(), HasSubstr("callbridge_stop_seconds_count 1\n"));
}

TEST_F(ReversibleSessionTest, ACoughLetsTheSentenceGoOn) {
  SpeakOver();
  Wait(100, loud_);
  Wait(600, kFrame);
  EXPECT_GT(Count(Parsed(*carrier_), "event", "playAudio"), 0) << "the same sentence goes on";
  EXPECT_EQ(Count(Parsed(model_.last()), "type", "response.cancel"), 0);
}

TEST_F(ReversibleSessionTest, WordsCutIt) {
  SpeakOver();
  Wait(700, loud_);
  EXPECT_EQ(Count(Parsed(*carrier_), "event", "playAudio"), 0);
  const std::vector<Json> told = Parsed(model_.last());
  EXPECT_EQ(Count(told, "type", "response.cancel"), 1);
  EXPECT_EQ(Count(told, "type", "conversation.item.truncate"), 1);
}

TEST_F(CallSessionTest, TheHostLearnsWhichEventWouldComeNext) {
  Begin();
  session_->Feed(input::HungUp{call::EndReason::kNormalHangup, call::Party::kCaller, "bye"});
  Settle();
  for (int i = 0; i < 20; ++i) loop_.Advance(absl::Seconds(1)), Settle();
  ASSERT_THAT(host_.finished, SizeIs(1));
  EXPECT_EQ(host_.finished[0], store_.GetCall("c1")->event_head + 1);
}

}  // namespace
}  // namespace callbridge::session
