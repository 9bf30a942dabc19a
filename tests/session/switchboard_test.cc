#include "src/session/switchboard.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"
#include "src/base/executor.h"
#include "src/net/manual_loop.h"
#include "src/session/node_token.h"
#include "tests/fakes/fake_ws_connection.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::session {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace input = call::input;
using Kind = Instructions::Kind;
using Progress = FrontDesk::DialProgress;

constexpr char kLeg[] = "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10";

class FakeCarrier final : public carrier::CarrierApi {
 public:
  absl::StatusOr<std::string> Place(const Dial& dial) override {
    placed.push_back(dial);
    return std::string("request");
  }
  absl::Status HangUp(absl::string_view id) override {
    hung_up.emplace_back(id);
    return absl::OkStatus();
  }
  absl::Status Transfer(absl::string_view, absl::string_view url) override {
    fetches.emplace_back(url);
    return absl::OkStatus();
  }

  std::vector<Dial> placed;
  std::vector<std::string> fetches;
  std::vector<std::string> hung_up;
};

Settings TestSettings() {
  Settings settings;
  settings.public_url = "https://bridge.example.com";
  settings.model_url = "wss://model/v1/realtime";
  Agent agent;
  agent.caller_id = "+14155550100";
  settings.agents["desk"] = agent;
  agent.conduct.voicemail = call::VoicemailPolicy::kContinue;
  agent.machine_detection_time = absl::Seconds(4);
  settings.agents["seller"] = agent;
  settings.default_agent = "desk";
  Destination& sales = settings.destinations["sales"];
  sales.call.targets = {{"+14155550142", absl::Seconds(9)}, {"+14155550143", absl::Seconds(8)}};
  settings.destinations["secretary"].call.targets = {{"+14155550144"}};
  settings.destinations["secretary"].call.confirm_key = "*";
  settings.allowed_prefixes = {"+1415555"};
  settings.transfer_prefixes = {"+1415555017"};
  return settings;
}

// Calls between a carrier and a model that the test plays, in virtual time.
class SwitchboardTest : public ::testing::Test {
 protected:
  SwitchboardTest() {
    tools_.loop = &loop_;
    tools_.connector = &model_;
    MakeBoard("");
  }
  void MakeBoard(const std::string& node_id) {
    Switchboard::Deps deps;
    deps.node_id = node_id;
    deps.loops = {&tools_};
    deps.recorder = &recorder_;
    deps.carrier = &carrier_;
    deps.carrier_executor = &carrier_executor_;
    deps.find_call = [this](const std::string& id, auto done) {
      looked_for_.push_back(id);
      done(store_.GetCall(id));
    };
    deps.find_lead = [this](const std::string& phone, auto done) { done(store_.FindLead(phone)); };
    deps.list_calls = [this](const store::CallFilter& filter, int limit, auto done) {
      done(store_.ListCalls(filter, absl::nullopt, limit));
    };
    deps.find_carrier_call = [this](const std::string& call, const std::string& request, auto done) {
      done(store_.FindCall(call, request));
    };
    deps.on_finished = [this](const std::string&, int64_t next) { finished_.push_back(next); };
    board_ = std::make_unique<Switchboard>(settings_, std::move(deps));
  }
  ~SwitchboardTest() override {
    Settle();  // Nothing that is posted may find the switchboard gone.
    board_.reset();
    executor_.RunAll();
  }

  void Settle() {
    for (int i = 0; i < 10; ++i) loop_.Run(), carrier_executor_.RunAll(), executor_.RunAll();
  }

  // A call comes in, and its caller talks to the assistant. Its id.
  std::string Connect(const std::string& leg = kLeg) {
    FrontDesk::AnswerNotice notice;
    notice.carrier_call_id = leg;
    notice.from = "14155550121";
    notice.to = "14155550100";
    const Instructions first = board_->OnAnswer(notice);
    EXPECT_EQ(first.kind, Kind::kStream);
    token_ = first.call_token;
    OpenStream(first, leg);
    return first.call_id;
  }
  void OpenStream(const Instructions& instructions, const std::string& leg = kLeg) {
    Settle();
    net::WsConnection::Listener* const listener = board_->ClaimStream(instructions.stream_token);
    ASSERT_NE(listener, nullptr);
    stream_ = std::make_unique<testing::FakeWsConnection>(loop_, *listener);
    stream_->Open();
    stream_->Receive(absl::StrCat(R"({"event":"start","start":{"callId":")", leg, R"(","streamId":"s"}})"));
    Settle();
  }
  absl::StatusOr<call::Transfer> Transfer(const std::string& call, const std::string& id, const std::string& to,
                                          const std::string& number = "") {
    absl::StatusOr<call::Transfer> result = absl::UnknownError("never answered");
    board_->TransferCall({call, to, "why", id, number}, [&](auto answer) { result = std::move(answer); });
    Settle();
    return result;
  }
  absl::StatusOr<call::Transfer> Cancel(const std::string& call, const std::string& id) {
    absl::StatusOr<call::Transfer> result = absl::UnknownError("never answered");
    board_->CancelTransfer(call, id, [&](auto answer) { result = std::move(answer); });
    Settle();
    return result;
  }
  CallRecorder::Options RecorderOptions() {
    CallRecorder::Options options;
    options.create_patience = absl::ZeroDuration();
    options.on_fenced = [this](const std::string& call) {
      if (drops_) board_->DropCall(call, "another node has it");
    };
    return options;
  }
  void TakeAway(const std::string& call) {
    const auto all = [](const store::CallRecord&, absl::Time) { return true; };
    const auto closed = store_.CloseWhere(all, {}, loop_.clock().Now(), false, 1, /*raise_epoch=*/true);
    ASSERT_TRUE(closed.ok()) << closed.status();
    ASSERT_THAT(*closed, SizeIs(1));
    ASSERT_EQ((*closed)[0].call_id, call);
  }
  static std::string ReasonOf(const absl::Status& status) { return base::GetErrorInfo(status).reason; }
  FrontDesk::DialRef Dial(int64_t target) const { return {token_, "x1", target}; }
  // The events of that kind that were recorded.
  int Events(const std::string& call, absl::string_view type) {
    Settle();
    int count = 0;
    const auto events = store_.ReadCallEvents(call, 0, 1000);
    if (!events.ok()) return -1;
    for (const auto& event : *events) count += call::TypeName(event.event.body) == type ? 1 : 0;
    return count;
  }

  Settings settings_ = TestSettings();
  net::ManualLoop loop_;
  testing::FakeWsConnector model_{loop_};
  LoopTools tools_;
  store::MemoryCallStore store_;
  base::ManualExecutor executor_;
  base::ManualExecutor carrier_executor_;
  std::vector<std::string> looked_for_;  // In the store.
  bool drops_ = false;                   // The calls that the recorder was told are lost.
  CallRecorder recorder_{store_, executor_, RecorderOptions()};
  FakeCarrier carrier_;
  std::vector<int64_t> finished_;
  std::unique_ptr<Switchboard> board_;
  std::unique_ptr<testing::FakeWsConnection> stream_;
  std::string token_;
};

TEST_F(SwitchboardTest, AnOutboundCallThatIsRecordedAfterAllIsClosed) {
  store_.SetFault([](absl::string_view method) {
    return method == "CreateCall" ? absl::UnavailableError("stands still") : absl::OkStatus();
  });
  absl::StatusOr<store::CallRecord> answer = absl::UnknownError("never answered");
  CallControl::StartRequest request;
  request.to = "+14155550199";
  board_->StartCall(request, [&](auto result) { answer = std::move(result); });
  Settle();
  ASSERT_EQ(ReasonOf(answer.status()), "STORE_UNAVAILABLE") << answer.status();
  EXPECT_THAT(looked_for_, IsEmpty());
  store_.SetFault(nullptr);
  loop_.Advance(absl::Seconds(10));
  ASSERT_THAT(looked_for_, SizeIs(1));
  // What the database was asked for comes about now.
  store::CallRecord call;
  call.call_id = looked_for_[0];
  call.direction = call::Direction::kOutbound;
  call.to = request.to;
  call.create_time = loop_.now();
  ASSERT_TRUE(
      store_.CreateCall(call, {call::Event{call.call_id, 1, loop_.now(), call::CallCreated()}}, absl::nullopt).ok());
  loop_.Advance(absl::Seconds(10));
  Settle();
  EXPECT_EQ(store_.GetCall(call.call_id)->state, call::State::kFailed);
  EXPECT_EQ(Events(call.call_id, "call_ended"), 1);
  EXPECT_THAT(carrier_.placed, IsEmpty());
  loop_.Advance(absl::Minutes(5));
  EXPECT_THAT(looked_for_, SizeIs(2));
}

TEST_F(SwitchboardTest, AnOutboundCallThatWasNeverRecordedIsLookedForTwice) {
  bool away = true;
  store_.SetFault([&](absl::string_view method) {
    return method == "CreateCall" || away ? absl::UnavailableError("away") : absl::OkStatus();
  });
  CallControl::StartRequest request;
  request.to = "+14155550199";
  board_->StartCall(request, [](auto) {});
  Settle();
  loop_.Advance(absl::Minutes(10));
  EXPECT_THAT(looked_for_, SizeIs(60)) << "as long as the store is away";
  away = false;
  loop_.Advance(absl::Minutes(10));
  EXPECT_THAT(looked_for_, SizeIs(62));
}

TEST_F(SwitchboardTest, SteeringReachesTheCallOrIsRefusedInWords) {
  const std::string call = Connect();
  const auto steer = [&](CallControl::Steering what, const std::string& id) {
    absl::StatusOr<CallControl::Steered> result = absl::UnknownError("never answered");
    board_->Steer({id, std::move(what)}, [&](auto answer) { result = std::move(answer); });
    Settle();
    return result;
  };
  const std::string nobody = "99999999-2222-4333-8444-555555555555";
  const struct {
    const char* name;
    CallControl::Steering what;
    std::string call;
    absl::StatusCode code;
    const char* reason;
  } rows[] = {
      {"keys", input::DtmfRequested{"q1", "12#", "crm"}, call, absl::StatusCode::kOk, ""},
      {"keys again", input::DtmfRequested{"q1", "12#", "crm"}, call, absl::StatusCode::kOk, ""},
      {"nobody", input::DtmfRequested{"q1", "1", ""}, nobody, absl::StatusCode::kNotFound, "CALL_NOT_FOUND"},
      {"prompt", input::SayRequested{"q2", "", "tune", false, ""}, call, absl::StatusCode::kInvalidArgument,
       "UNKNOWN_PROMPT"},
      {"model", input::SayRequested{"q3", "Hi.", "", false, ""}, call, absl::StatusCode::kFailedPrecondition,
       "MODEL_NOT_READY"},
      {"tool", input::ToolResultGiven{"t", true, "{}"}, call, absl::StatusCode::kNotFound, "TOOL_CALL_NOT_FOUND"},
      {"context", input::ContextGiven{"q4", "x", false, "crm"}, call, absl::StatusCode::kOk, ""},
      {"instructions", input::InstructionsGiven{"x", "crm"}, call, absl::StatusCode::kOk, ""},
      {"takeover", input::TakeoverRequested{"why", "crm"}, call, absl::StatusCode::kOk, ""},
      {"release", input::ReleaseRequested{"", false, "crm"}, call, absl::StatusCode::kOk, ""},
  };
  for (const auto& row : rows) {
    const auto result = steer(row.what, row.call);
    EXPECT_EQ(result.status().code(), row.code) << row.name << ": " << result.status();
    EXPECT_EQ(ReasonOf(result.status()), row.reason) << row.name;
  }
  EXPECT_EQ(Events(call, "dtmf_sent"), 1);
  EXPECT_EQ(Events(call, "takeover_changed"), 2);

  auto muted = steer(CallControl::Mute{true, absl::nullopt, ""}, call);
  ASSERT_TRUE(muted.ok()) << muted.status();
  EXPECT_TRUE(muted->caller_muted);
  EXPECT_FALSE(muted->assistant_muted);
  muted = steer(CallControl::Mute{absl::nullopt, true, ""}, call);
  ASSERT_TRUE(muted.ok()) << muted.status();
  EXPECT_TRUE(muted->caller_muted) << "what is not named stays";
  EXPECT_TRUE(muted->assistant_muted);

  board_->EndCall(call, "", "", [](const absl::Status&) {});
  Settle();
  EXPECT_EQ(ReasonOf(steer(input::TakeoverRequested{}, call).status()), "CALL_NOT_ACTIVE");
}

TEST_F(SwitchboardTest, TheNextTargetIsTheAnswerToTheLastOnesEnd) {
  const std::string call = Connect();
  ASSERT_TRUE(Transfer(call, "x1", "sales").ok());
  EXPECT_THAT(carrier_.fetches, ElementsAre(absl::StrCat("https://bridge.example.com/transfer/", token_)));
  const Instructions first = board_->OnNextStep(token_);
  EXPECT_EQ(first.kind, Kind::kDial);
  EXPECT_EQ(first.number, "+14155550142");
  EXPECT_EQ(first.caller_id, "+14155550100");
  EXPECT_EQ(first.ring_time, absl::Seconds(9));
  EXPECT_EQ(first.transfer_id, "x1");
  EXPECT_EQ(first.target, 0);
  EXPECT_FALSE(first.whispers);
  for (int repeat = 0; repeat < 2; ++repeat) {
    const Instructions second = board_->OnTransferDone(Dial(0), call::TransferOutcome::kBusy, "");
    EXPECT_EQ(second.number, "+14155550143") << "and a repeat skips nobody";
    EXPECT_EQ(second.target, 1);
  }
  const Instructions back = board_->OnTransferDone(Dial(1), call::TransferOutcome::kNoAnswer, "");
  EXPECT_EQ(back.kind, Kind::kStream);
  OpenStream(back);
  EXPECT_EQ(Events(call, "caller_returned"), 1);
}

TEST_F(SwitchboardTest, WhoTakesOverEndsTheAssistantsPart) {
  const std::string call = Connect();
  ASSERT_TRUE(Transfer(call, "x1", "sales").ok());
  board_->OnNextStep(token_);
  board_->OnDialProgress(Dial(0), Progress::kPickedUp);
  Settle();
  EXPECT_EQ(ReasonOf(Cancel(call, "x1").status()), "TRANSFER_NOT_CANCELLABLE");
  EXPECT_EQ(board_->OnTransferDone(Dial(0), call::TransferOutcome::kBridged, "").kind, Kind::kHangUp);
}

TEST_F(SwitchboardTest, WithoutTheKeyNobodyHasTakenOver) {
  const std::string call = Connect();
  ASSERT_TRUE(Transfer(call, "x1", "secretary").ok());
  const Instructions dial = board_->OnNextStep(token_);
  EXPECT_TRUE(dial.whispers);
  EXPECT_EQ(dial.confirm_key, "*");
  EXPECT_EQ(board_->OnWhisper(token_), "You have a call. Press the star key to take it.");
  EXPECT_EQ(board_->OnWhisper("nobody"), absl::nullopt);
  board_->OnDialProgress(Dial(0), Progress::kPickedUp);
  const Instructions back = board_->OnTransferDone(Dial(0), call::TransferOutcome::kBridged, "DialStatus completed");
  EXPECT_EQ(back.kind, Kind::kStream);
  Settle();
  const auto transfer = Transfer(call, "x1", "secretary");
  ASSERT_TRUE(transfer.ok()) << "a repeat answers with what became of it";
  EXPECT_EQ(transfer->outcome, call::TransferOutcome::kRejected);
  EXPECT_EQ(transfer->detail, "DialStatus completed, the key was not pressed");
}

TEST_F(SwitchboardTest, ATransferIsTakenBackOnce) {
  const std::string call = Connect();
  EXPECT_EQ(ReasonOf(Cancel(call, "x1").status()), "TRANSFER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Cancel("no-such-call", "x1").status()), "CALL_NOT_FOUND");
  ASSERT_TRUE(Transfer(call, "x1", "sales").ok());
  board_->OnNextStep(token_);
  stream_->PeerClose(1000);
  Settle();
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto cancelled = Cancel(call, "x1");
    ASSERT_TRUE(cancelled.ok()) << cancelled.status();
    EXPECT_EQ(cancelled->outcome, call::TransferOutcome::kCancelled);
  }
  EXPECT_THAT(carrier_.fetches, SizeIs(2)) << "to begin with, and to come back";
  EXPECT_EQ(board_->OnNextStep(token_).kind, Kind::kStream);
  EXPECT_EQ(board_->OnTransferDone(Dial(0), call::TransferOutcome::kBusy, "").kind, Kind::kStream)
      << "the dial that was given up rings nobody else";
}

TEST_F(SwitchboardTest, NumbersNeedTheOperatorsLeave) {
  const std::string call = Connect();
  EXPECT_EQ(ReasonOf(Transfer(call, "x1", "", "4155550177").status()), "INVALID_E164");
  EXPECT_EQ(ReasonOf(Transfer(call, "x1", "", "+14155550188").status()), "DESTINATION_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(Transfer(call, "x1", "", "").status()), "UNKNOWN_DESTINATION");
  EXPECT_EQ(ReasonOf(Transfer(call, "x1", "moon", "+14155550177").status()), "UNKNOWN_DESTINATION");
  const auto transfer = Transfer(call, "x1", "", "+14155550177");
  ASSERT_TRUE(transfer.ok()) << transfer.status();
  EXPECT_EQ(transfer->number, "+14155550177");
  EXPECT_EQ(board_->OnNextStep(token_).number, "+14155550177");
}

TEST_F(SwitchboardTest, TransfersAreRefusedBeyondTheirLimits) {
  settings_.dial_limits.transfers_per_minute = 1;
  settings_.dial_limits.calls_per_number_per_day = 1;
  MakeBoard("");
  store::CallRecord dialled;
  dialled.call_id = "before";
  dialled.direction = call::Direction::kOutbound;
  dialled.to = "+14155550177";
  dialled.create_time = loop_.clock().Now();
  ASSERT_TRUE(store_.CreateCall(dialled, {}, absl::nullopt).ok());
  const std::string call = Connect();
  const absl::Status number = Transfer(call, "x0", "", dialled.to).status();
  EXPECT_EQ(ReasonOf(number), "NUMBER_LIMIT") << number;
  EXPECT_EQ(base::GetErrorInfo(number).field, "number");
  ASSERT_TRUE(Transfer(call, "x1", "sales").ok());
  const std::string other = Connect("7f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10");
  const absl::Status rate = Transfer(other, "x2", "sales").status();
  EXPECT_EQ(ReasonOf(rate), "DIAL_RATE_LIMIT") << rate;
  EXPECT_TRUE(Transfer(call, "x1", "sales").ok()) << "what was begun before is still told";
}

TEST_F(SwitchboardTest, NobodyIsTransferredToWhoMustNotBeCalled) {
  store::LeadRecord lead;
  lead.lead_id = "77777777-2222-4333-8444-555555555555";
  lead.phone = "+14155550177";
  lead.create_time = loop_.clock().Now();
  lead.suppressed = true;
  lead.suppressed_reason = "asked for it";
  ASSERT_TRUE(store_.CreateLead(lead).ok());
  const std::string call = Connect();
  const absl::Status refused = Transfer(call, "x1", "", lead.phone).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  const base::ErrorInfo info = base::GetErrorInfo(refused);
  EXPECT_EQ(info.reason, "LEAD_SUPPRESSED");
  EXPECT_EQ(info.field, "number");
  EXPECT_EQ(info.metadata.at("lead"), lead.lead_id);
  EXPECT_EQ(Events(call, "transfer_changed"), 0);
  // Somebody else, and the same person once they allow it.
  store::LeadUpdate update;
  update.lead_id = lead.lead_id;
  update.suppressed = false;
  ASSERT_TRUE(store_.UpdateLead(update, loop_.clock().Now()).ok());
  ASSERT_TRUE(Transfer(call, "x1", "", lead.phone).ok());
  // What was begun before is still told.
  update.suppressed = true;
  ASSERT_TRUE(store_.UpdateLead(update, loop_.clock().Now()).ok());
  const auto again = Transfer(call, "x1", "", lead.phone);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->number, lead.phone);
}

TEST_F(SwitchboardTest, NobodyIsTransferredToWhomNobodyCanLookUp) {
  const std::string call = Connect();
  store_.SetFault([](absl::string_view method) {
    return method == "FindLead" ? absl::UnavailableError("away") : absl::OkStatus();
  });
  const absl::Status refused = Transfer(call, "x1", "", "+14155550177").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  EXPECT_EQ(ReasonOf(refused), "STORE_UNAVAILABLE");
  EXPECT_TRUE(Transfer(call, "x1", "sales").ok()) << "the operator's own people need no look-up";
}

TEST_F(SwitchboardTest, AMachineIsToldOnce) {
  std::string call;
  CallControl::StartRequest request;
  request.to = "+14155550122";
  request.agent = "seller";
  board_->StartCall(request, [&](absl::StatusOr<store::CallRecord> started) { call = started->call_id; });
  Settle();
  ASSERT_THAT(carrier_.placed, SizeIs(1));
  const std::string& amd = carrier_.placed[0].machine_detection_url;
  ASSERT_EQ(amd.substr(0, 36), "https://bridge.example.com/amd?call=");
  EXPECT_EQ(carrier_.placed[0].machine_detection_time, absl::Seconds(4));
  const std::string token = amd.substr(36);
  FrontDesk::AnswerNotice answer;
  answer.call_token = token;
  answer.carrier_call_id = kLeg;
  answer.machine = true;
  board_->OnMachine("nobody", "none", "");
  EXPECT_EQ(Events(call, "machine_answered"), 0);
  board_->OnAnswer(answer);
  board_->OnAnswer(answer);
  board_->OnMachine(token, kLeg, "again");
  board_->OnMachine("", kLeg, "by its id");
  EXPECT_EQ(Events(call, "machine_answered"), 1);
}

TEST_F(SwitchboardTest, AgentsWithoutAPolicyDoNotListenForMachines) {
  CallControl::StartRequest request;
  request.to = "+14155550122";
  board_->StartCall(request, [](const absl::StatusOr<store::CallRecord>&) {});
  Settle();
  ASSERT_THAT(carrier_.placed, SizeIs(1));
  EXPECT_THAT(carrier_.placed[0].machine_detection_url, IsEmpty());
}

FrontDesk::HangupNotice Notice(const std::string& leg = kLeg, const std::string& request = "") {
  FrontDesk::HangupNotice notice;
  notice.carrier_call_id = leg;
  notice.carrier_request_id = request;
  notice.settlement.duration_seconds = 83;
  notice.settlement.billed_seconds = 120;
  notice.settlement.cost = "0.01100";
  notice.settlement.cause_code = 4000;
  return notice;
}

TEST_F(SwitchboardTest, TheHangUpOfALiveCallSettlesIt) {
  const std::string call = Connect();
  board_->OnHangup(Notice());
  Settle();
  const auto record = store_.GetCall(call);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->settlement.duration_seconds, 83);
  EXPECT_EQ(record->settlement.billed_seconds, 120);
  EXPECT_EQ(record->settlement.cost, "0.01100");
  EXPECT_EQ(record->settlement.cause_code, 4000);
  EXPECT_EQ(record->settlement.time, loop_.clock().Now());
}

TEST_F(SwitchboardTest, ALateHangUpSettlesACallThatIsOver) {
  const std::string call = Connect();
  FrontDesk::HangupNotice first;
  first.carrier_call_id = kLeg;
  board_->OnHangup(first);
  for (int i = 0; i < 15; ++i) loop_.Advance(absl::Seconds(1)), Settle();
  ASSERT_EQ(board_->live_calls(), 0);
  EXPECT_EQ(store_.GetCall(call)->settlement.cost, "");
  const auto before = store_.GetCall(call);
  for (int repeat = 0; repeat < 2; ++repeat) {
    board_->OnHangup(Notice());
    Settle();
    loop_.Advance(absl::Seconds(1));
  }
  const auto after = store_.GetCall(call);
  EXPECT_EQ(after->settlement.cost, "0.01100");
  EXPECT_EQ(after->settlement.time, loop_.clock().Now() - absl::Seconds(2)) << "the repeat said nothing new";
  EXPECT_EQ(after->event_head, before->event_head);
  EXPECT_EQ(after->end_time, before->end_time);
}

TEST_F(SwitchboardTest, AHangUpSettlesACallThatOnlyTheStoreKnows) {
  store::CallRecord old;
  old.call_id = "old";
  old.carrier_call_id = "old-leg";
  old.create_time = loop_.clock().Now();
  ASSERT_TRUE(store_.CreateCall(old, {}, absl::nullopt).ok());
  old.call_id = "asked";
  old.carrier_call_id = "";
  old.carrier_request_id = "request";
  ASSERT_TRUE(store_.CreateCall(old, {}, absl::nullopt).ok());
  board_->OnHangup(Notice("old-leg"));
  board_->OnHangup(Notice("unheard-of", "request"));
  board_->OnHangup(Notice("nobody's"));
  Settle();
  EXPECT_EQ(store_.GetCall("old")->settlement.cost, "0.01100");
  EXPECT_EQ(store_.GetCall("asked")->settlement.cost, "0.01100");
  EXPECT_EQ(board_->live_calls(), 0);
}

TEST_F(SwitchboardTest, ASettlementWaitsForTheDatabase) {
  store::CallRecord old;
  old.call_id = "old";
  old.carrier_call_id = "old-leg";
  old.create_time = loop_.clock().Now();
  ASSERT_TRUE(store_.CreateCall(old, {}, absl::nullopt).ok());
  store_.SetFault([](absl::string_view method) {
    return method == "FindCall" ? absl::UnavailableError("away") : absl::OkStatus();
  });
  board_->OnHangup(Notice("old-leg"));
  for (int i = 0; i < 30; ++i) loop_.Advance(absl::Seconds(1)), Settle();
  EXPECT_EQ(store_.GetCall("old")->settlement.cost, "");
  store_.SetFault(nullptr);
  for (int i = 0; i < 11; ++i) loop_.Advance(absl::Seconds(1)), Settle();
  EXPECT_EQ(store_.GetCall("old")->settlement.cost, "0.01100");
}

// ---- Nodes ----

TEST_F(SwitchboardTest, WithoutANodeCallsHaveNoOwner) {
  const std::string call = Connect();
  EXPECT_EQ(store_.GetCall(call)->owner, store::Owner());
  EXPECT_EQ(token_.find('.'), std::string::npos);
}

TEST_F(SwitchboardTest, ANodesCallsAndTokensAreItsOwn) {
  MakeBoard("n1");
  FrontDesk::AnswerNotice notice;
  notice.carrier_call_id = kLeg;
  const Instructions answer = board_->OnAnswer(notice);
  EXPECT_EQ(NodeOfToken(answer.call_token), "n1");
  EXPECT_EQ(NodeOfToken(answer.stream_token), "n1");
  Settle();
  EXPECT_EQ(store_.GetCall(answer.call_id)->owner, (store::Owner{"n1", 1}));
  CallControl::StartRequest request;
  request.to = "+14155550122";
  std::string started;
  board_->StartCall(request, [&](const absl::StatusOr<store::CallRecord>& call) { started = call->call_id; });
  Settle();
  EXPECT_EQ(store_.GetCall(started)->owner, (store::Owner{"n1", 1}));
  ASSERT_THAT(carrier_.placed, SizeIs(1));
  EXPECT_THAT(carrier_.placed[0].answer_url, ::testing::HasSubstr("/answer?call=n1."));
}

TEST_F(SwitchboardTest, AllThatANodesCallWritesIsItsOwners) {
  MakeBoard("n1");
  const std::string call = Connect();
  const int64_t before = store_.GetCall(call)->event_head;
  EXPECT_GT(before, 1);
  TakeAway(call);
  const int64_t taken = store_.GetCall(call)->event_head;
  // Whatever happens to the call from now on is nothing to the store; what the carrier settles still is.
  stream_->Receive(R"({"event":"dtmf","dtmf":{"digit":"1"}})");
  board_->OnMachine("", kLeg, "");
  board_->OnHangup(Notice());
  for (int i = 0; i < 15; ++i) loop_.Advance(absl::Seconds(1)), Settle();
  EXPECT_EQ(store_.GetCall(call)->event_head, taken);
  EXPECT_EQ(store_.GetCall(call)->settlement.cost, "0.01100");
  EXPECT_GT(recorder_.fenced_writes(), 0);
}

TEST_F(SwitchboardTest, ADroppedCallIsGoneAtOnceAndWritesNothing) {
  MakeBoard("n1");
  const std::string call = Connect();
  ASSERT_TRUE(board_->IsLive(call));
  const int64_t head = store_.GetCall(call)->event_head;
  board_->DropCall(call, "another node has it");
  FrontDesk::AnswerNotice notice;
  notice.carrier_call_id = kLeg;
  EXPECT_EQ(board_->OnAnswer(notice).kind, Kind::kHangUp) << "before the loop has come to it";
  board_->OnHangup(Notice());
  Settle();
  EXPECT_FALSE(board_->IsLive(call));
  EXPECT_EQ(board_->live_calls(), 0);
  EXPECT_EQ(stream_->close_code(), 1001);
  EXPECT_EQ(model_.last().close_code(), 1000);
  EXPECT_THAT(carrier_.hung_up, ElementsAre(kLeg));
  for (int i = 0; i < 90; ++i) loop_.Advance(absl::Seconds(1)), Settle();
  EXPECT_EQ(store_.GetCall(call)->event_head, head) << "no end is written for it";
  EXPECT_FALSE(store_.GetCall(call)->termination.has_value());
  EXPECT_THAT(finished_, IsEmpty());
  EXPECT_EQ(board_->OnAnswer(notice).kind, Kind::kHangUp) << "nor is it taken for a new one";
  board_->DropCall(call, "again");
  board_->DropCall("nobody's", "");
  Settle();
  EXPECT_THAT(carrier_.hung_up, SizeIs(1));
}

TEST_F(SwitchboardTest, ACallThatWasTakenAwayIsGoneWithItsNextWrite) {
  drops_ = true;
  MakeBoard("n1");
  const std::string call = Connect();
  TakeAway(call);
  const int64_t head = store_.GetCall(call)->event_head;
  stream_->Receive(R"({"event":"dtmf","dtmf":{"digit":"1"}})");
  Settle();
  EXPECT_FALSE(board_->IsLive(call));
  EXPECT_NE(stream_->close_code(), 0);
  EXPECT_THAT(carrier_.hung_up, ElementsAre(kLeg));
  EXPECT_EQ(store_.GetCall(call)->event_head, head);
}

TEST_F(SwitchboardTest, ACallThatIsDialledAndDroppedIsHungUpWhenItIsAnswered) {
  MakeBoard("n1");
  CallControl::StartRequest request;
  request.to = "+14155550122";
  std::string call;
  board_->StartCall(request, [&](const absl::StatusOr<store::CallRecord>& started) { call = started->call_id; });
  Settle();
  board_->DropCall(call, "another node has it");
  Settle();
  EXPECT_THAT(carrier_.hung_up, IsEmpty()) << "its id is not known";
  FrontDesk::AnswerNotice notice;
  notice.carrier_call_id = kLeg;
  const std::string& url = carrier_.placed.at(0).answer_url;
  notice.call_token = url.substr(url.find('=') + 1);
  EXPECT_EQ(board_->OnAnswer(notice).kind, Kind::kHangUp);
}

TEST_F(SwitchboardTest, ADroppedCallThatRingsIsHungUpAsSoonAsItsIdIsKnown) {
  MakeBoard("n1");
  CallControl::StartRequest request;
  request.to = "+14155550122";
  std::string call;
  board_->StartCall(request, [&](const absl::StatusOr<store::CallRecord>& started) { call = started->call_id; });
  Settle();
  const int64_t head = store_.GetCall(call)->event_head;
  const std::string& url = carrier_.placed.at(0).answer_url;
  board_->DropCall(call, "another node has it");
  board_->OnRing(url.substr(url.find('=') + 1), kLeg);  // Before it is forgotten.
  Settle();
  EXPECT_THAT(carrier_.hung_up, ElementsAre(kLeg));
  EXPECT_EQ(store_.GetCall(call)->event_head, head);
  EXPECT_EQ(store_.GetCall(call)->carrier_call_id, "");
}

TEST_F(SwitchboardTest, KnowsTheCarriersCallsThatAreOrWereHere) {
  EXPECT_FALSE(board_->KnowsCarrierCall(kLeg));
  EXPECT_FALSE(board_->KnowsCarrierCall(""));
  Connect();
  EXPECT_TRUE(board_->KnowsCarrierCall(kLeg));
  board_->OnHangup(Notice());
  for (int i = 0; i < 15; ++i) loop_.Advance(absl::Seconds(1)), Settle();
  ASSERT_EQ(board_->live_calls(), 0);
  EXPECT_TRUE(board_->KnowsCarrierCall(kLeg));
  EXPECT_FALSE(board_->KnowsCarrierCall("another"));
}

TEST_F(SwitchboardTest, ASuppressedLeadIsNotCalledAndTheReasonIsTold) {
  store::LeadRecord lead;
  lead.lead_id = "l1";
  lead.phone = "+14155550122";
  lead.suppressed = true;
  lead.create_time = loop_.clock().Now();
  ASSERT_TRUE(store_.CreateLead(lead).ok());
  CallControl::StartRequest request;
  request.to = "+14155550122";
  absl::Status status;
  board_->StartCall(request, [&](const absl::StatusOr<store::CallRecord>& started) { status = started.status(); });
  Settle();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "LEAD_SUPPRESSED");
  EXPECT_THAT(carrier_.placed, IsEmpty());
  EXPECT_EQ(board_->live_calls(), 0);
}

TEST_F(SwitchboardTest, ACallWithoutNumbersIsServedAndItsEndIsTold) {
  FrontDesk::AnswerNotice notice;
  notice.carrier_call_id = kLeg;
  EXPECT_EQ(board_->OnAnswer(notice).kind, Kind::kStream);
  FrontDesk::HangupNotice hangup;
  hangup.carrier_call_id = kLeg;
  Settle();
  board_->OnHangup(hangup);
  for (int i = 0; i < 15; ++i) loop_.Advance(absl::Seconds(1)), Settle();
  EXPECT_THAT(finished_, SizeIs(1));
  EXPECT_EQ(board_->live_calls(), 0);
  EXPECT_EQ(board_->OnAnswer(notice).kind, Kind::kHangUp) << "a late repeat makes no second call";
}

}  // namespace
}  // namespace callbridge::session
