// What a client asks of a live call, and how it reads along, at a node that does not have the call: over real
// connections with mTLS.

#include <atomic>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "callbridge/node/v1/node_service.grpc.pb.h"
#include "src/base/error.h"
#include "src/call/termination.h"
#include "tests/nodes/node_under_test.h"

namespace callbridge::nodes {
namespace {

using control::DetailsOf;
using control::ForwardOutcome;
using control::kCall;
using session::CallControl;
namespace input = call::input;

const char kRequestId[] = "aaaaaaaa-2222-4333-8444-555555555555";

// Node "b" has the call; node "a" is asked.
class AnyNodeTest : public ::testing::Test {
 protected:
  AnyNodeTest() {
    store_.SetOnCommit([this](const std::vector<events::StoredEvent>& events) {
      asked_.hub().Publish(events);
      owner_.hub().Publish(events);
    });
    asked_.control().SetLive(false);
    store::CallRecord call;
    call.call_id = kCall;
    call.from = "+15550001111";
    call.to = "+15559990000";
    call.state = call::State::kInProgress;
    call.create_time = control::kEpoch;
    call.owner = {"b", 1};
    EXPECT_TRUE(store_.CreateCall(call, {{kCall, 1, call.create_time, call::CallCreated{}}}, absl::nullopt).ok());
  }

  // As the owner records an item.
  void Say(const std::string& id, const std::string& text) {
    call::TranscriptItem item;
    item.item_id = id;
    item.position = ++sequence_;
    item.role = call::Role::kAssistant;
    item.status = call::ItemStatus::kComplete;
    item.text_heard = item.text_generated = text;
    store::CallWrite write;
    write.call_id = kCall;
    write.owner = store::Owner{"b", 1};
    write.events = {{kCall, sequence_, control::kEpoch, call::TranscriptItemFinal{item}}};
    write.transcript_items = {item};
    EXPECT_TRUE(store_.Apply(write, nullptr).ok());
  }

  // Until so many follow what is said at the owner.
  void WaitForListeners(int count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (owner_.speech().listeners() != count && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
    EXPECT_EQ(owner_.speech().listeners(), count);
  }

  const testing::Certificate ca_ = testing::Issue("nodes", "", nullptr);
  store::MemoryCallStore store_;
  Addresses addresses_;
  NodeUnderTest asked_{"a", NodeFiles("a", ca_), store_, addresses_};
  NodeUnderTest owner_{"b", NodeFiles("b", ca_), store_, addresses_};
  int64_t sequence_ = 1;
};

// One RPC, with a request that is in order, and what is wrong with what the call was asked for; empty: nothing.
struct Steering {
  const char* name;
  std::function<grpc::Status(v1::CallService::Stub&, grpc::ClientContext&)> ask;
  std::function<std::string(const CallControl::Steering&)> check;
};
void PrintTo(const Steering& row, std::ostream* out) { *out << row.name; }

template <typename Request, typename Response, typename Fill>
auto Ask(grpc::Status (v1::CallService::Stub::*method)(grpc::ClientContext*, const Request&, Response*), Fill fill) {
  return [=](v1::CallService::Stub& stub, grpc::ClientContext& context) {
    Request request;
    request.set_call(kCall);
    fill(request);
    Response response;
    return (stub.*method)(&context, request, &response);
  };
}
template <typename Input, typename Look>
auto Was(Look look) {
  return [=](const CallControl::Steering& what) -> std::string {
    const auto* const input = std::get_if<Input>(&what);
    if (input == nullptr) return absl::StrCat("another kind, ", what.index());
    return look(*input) ? "" : "with other content";
  };
}

std::vector<Steering> Rows() {
  using Stub = v1::CallService::Stub;
  return {
      {"SayOnCall",
       Ask(&Stub::SayOnCall,
           [](v1::SayOnCallRequest& request) {
             request.set_text("Thank you.");
             request.set_request_id(kRequestId);
           }),
       Was<input::SayRequested>(
           [](const auto& asked) { return asked.text == "Thank you." && asked.request_id == kRequestId; })},
      {"InjectContext",
       Ask(&Stub::InjectContext,
           [](v1::InjectContextRequest& request) {
             request.set_text("The order was sent.");
             request.set_respond(true);
             request.set_request_id(kRequestId);
           }),
       Was<input::ContextGiven>([](const auto& asked) {
         return asked.text == "The order was sent." && asked.respond && asked.request_id == kRequestId;
       })},
      {"UpdateInstructions",
       Ask(&Stub::UpdateInstructions,
           [](v1::UpdateInstructionsRequest& request) { request.set_instructions("Speak French."); }),
       Was<input::InstructionsGiven>([](const auto& asked) { return asked.instructions == "Speak French."; })},
      {"SendDtmf",
       Ask(&Stub::SendDtmf,
           [](v1::SendDtmfRequest& request) {
             request.set_digits("12#");
             request.set_request_id(kRequestId);
           }),
       Was<input::DtmfRequested>(
           [](const auto& asked) { return asked.digits == "12#" && asked.request_id == kRequestId; })},
      {"MuteCall", Ask(&Stub::MuteCall, [](v1::MuteCallRequest& request) { request.set_caller_muted(true); }),
       Was<CallControl::Mute>([](const auto& asked) { return asked.caller == true && !asked.assistant; })},
      {"TakeoverCall",
       Ask(&Stub::TakeoverCall, [](v1::TakeoverCallRequest& request) { request.set_reason("a complaint"); }),
       Was<input::TakeoverRequested>([](const auto& asked) { return asked.reason == "a complaint"; })},
      {"ReleaseCall",
       Ask(&Stub::ReleaseCall, [](v1::ReleaseCallRequest& request) { request.set_context("It is solved."); }),
       Was<input::ReleaseRequested>([](const auto& asked) { return asked.context == "It is solved."; })},
      {"SubmitToolResult",
       Ask(&Stub::SubmitToolResult,
           [](v1::SubmitToolResultRequest& request) {
             request.set_tool_call_id("call_1");
             request.set_output_json(R"({"open":true})");
           }),
       Was<input::ToolResultGiven>([](const auto& asked) { return asked.tool_call_id == "call_1"; })},
  };
}

class SteeringAtAnyNodeTest : public AnyNodeTest, public ::testing::WithParamInterface<Steering> {
 protected:
  grpc::Status AskOther() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return GetParam().ask(asked_.stub(), context);
  }
};

TEST_P(SteeringAtAnyNodeTest, ReachesTheCall) {
  const grpc::Status status = AskOther();
  ASSERT_TRUE(status.ok()) << status.error_message();
  const auto steerings = owner_.control().steerings();
  ASSERT_EQ(steerings.size(), 1u);
  EXPECT_EQ(steerings[0].call_id, kCall);
  EXPECT_EQ(GetParam().check(steerings[0].what), "");
  EXPECT_TRUE(asked_.control().steerings().empty());
  EXPECT_EQ(asked_.count(ForwardOutcome::kAnswered), 1);
}

TEST_P(SteeringAtAnyNodeTest, ARefusalOfTheCallIsToldAsItIs) {
  owner_.control().SetSteerResult(
      base::MakeError(absl::StatusCode::kFailedPrecondition, "CALL_NOT_ACTIVE", "it rings", {{"state", "ringing"}}));
  const grpc::Status status = AskOther();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(DetailsOf(status).info.reason(), "CALL_NOT_ACTIVE");
  EXPECT_EQ(DetailsOf(status).info.metadata().at("state"), "ringing");
}

TEST_P(SteeringAtAnyNodeTest, ADeadOwnerIsUnreachable) {
  addresses_.Remove("b");
  const grpc::Status status = AskOther();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).info.reason(), "OWNER_UNREACHABLE");
  EXPECT_TRUE(owner_.control().steerings().empty());
}

INSTANTIATE_TEST_SUITE_P(All, SteeringAtAnyNodeTest, ::testing::ValuesIn(Rows()),
                         [](const auto& info) { return std::string(info.param.name); });

// --- StreamTranscript

// One client at a node.
class Reading {
 public:
  explicit Reading(v1::CallService::Stub& stub) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::StreamTranscriptRequest request;
    request.set_call(absl::StrCat("calls/", kCall));
    request.set_view(v1::TRANSCRIPT_VIEW_BOTH);
    stream_ = stub.StreamTranscript(&context_, request);
  }
  ~Reading() {
    context_.TryCancel();
    stream_->Finish();
  }
  // "id+words" or "id:text", heartbeats skipped.
  std::string Next() {
    v1::StreamTranscriptResponse message;
    while (stream_->Read(&message)) {
      if (message.has_delta()) {
        const bool callers = message.delta().role() == v1::SPEAKER_ROLE_CALLER;
        return absl::StrCat(callers ? "caller's " : "", message.delta().item_id(), "+", message.delta().text());
      }
      if (message.has_item()) return absl::StrCat(message.item().item_id(), ":", message.item().text_generated());
    }
    return "end";
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::StreamTranscriptResponse>> stream_;
};

TEST_F(AnyNodeTest, EveryNodeShowsTheItemsAndTheWords) {
  Say("first", "Hello.");
  Reading at_owner(owner_.stub()), elsewhere(asked_.stub());
  for (Reading* const reading : {&at_owner, &elsewhere}) EXPECT_EQ(reading->Next(), "first:Hello.");
  WaitForListeners(2);
  const auto publish = [this](const std::string& id, call::Role role, size_t offset, const std::string& text) {
    owner_.speech().Publish(kCall, id, role, offset, text);
  };
  publish("second", call::Role::kAssistant, 0, "Good ");
  for (Reading* const reading : {&at_owner, &elsewhere}) EXPECT_EQ(reading->Next(), "second+Good ");
  publish("second", call::Role::kAssistant, 5, "day\xff.");
  for (Reading* const reading : {&at_owner, &elsewhere}) EXPECT_EQ(reading->Next(), "second+day\xEF\xBF\xBD.");
  publish("third", call::Role::kCaller, 0, "Good");
  for (Reading* const reading : {&at_owner, &elsewhere}) EXPECT_EQ(reading->Next(), "caller's third+Good");
  Say("second", "Good day.");
  for (Reading* const reading : {&at_owner, &elsewhere}) EXPECT_EQ(reading->Next(), "second:Good day.");
}

TEST_F(AnyNodeTest, AnOwnerThatIsAwayCostsNoMoreThanTheWords) {
  const std::string address = *addresses_.Of("b");
  addresses_.Remove("b");
  Say("first", "Hello.");
  Reading reading(asked_.stub());
  EXPECT_EQ(reading.Next(), "first:Hello.");
  addresses_.Set("b", address);
  Say("second", "Are you there?");
  EXPECT_EQ(reading.Next(), "second:Are you there?");
  WaitForListeners(1);
  owner_.speech().Publish(kCall, "third", call::Role::kAssistant, 0, "Back");
  EXPECT_EQ(reading.Next(), "third+Back");
}

TEST_F(AnyNodeTest, WordsThatAreNotTakenAreLeftOut) {
  constexpr size_t kPiece = 1000;
  constexpr size_t kPieces = 4000;  // Fewer than the hub lets wait, and far more than connections take.
  Reading reading(asked_.stub());
  WaitForListeners(1);
  for (size_t i = 0; i < kPieces; ++i)
    owner_.speech().Publish(kCall, "long", call::Role::kAssistant, i * kPiece, std::string(kPiece, 'x'));
  // Said until one is shown: what comes first may not fit either.
  std::atomic<bool> shown{false};
  std::thread later([&] {
    for (int i = 0; !shown && i < 2000; ++i) {
      owner_.speech().Publish(kCall, absl::StrCat("later", i), call::Role::kAssistant, 0, "after");
      absl::SleepFor(absl::Milliseconds(5));
    }
  });
  size_t bytes = 0;
  std::string next = reading.Next();
  for (; next.rfind("long+", 0) == 0; next = reading.Next()) bytes += next.size() - 5;
  shown = true;
  later.join();
  EXPECT_EQ(next.substr(0, 5), "later");
  EXPECT_GT(bytes, 0u);
  EXPECT_LT(bytes, kPiece * kPieces);
}

TEST_F(AnyNodeTest, NobodyFollowsACallThatNobodyReads) {
  Say("first", "Hello.");
  {
    Reading reading(asked_.stub());
    EXPECT_EQ(reading.Next(), "first:Hello.");
    WaitForListeners(1);
  }
  WaitForListeners(0);
  Reading reading(asked_.stub());
  WaitForListeners(1);
  store::CallWrite end;
  end.call_id = kCall;
  end.owner = store::Owner{"b", 1};
  call::EndFacts facts;
  facts.reason = call::EndReason::kNormalHangup;
  end.state = call::State::kCompleted;
  end.end = store::CallWrite::End{call::MakeTermination(facts), control::kEpoch, 0, ""};
  end.events = {{kCall, ++sequence_, control::kEpoch, call::CallEnded{end.end->termination}}};
  ASSERT_TRUE(store_.Apply(end, nullptr).ok());
  WaitForListeners(0);
}

TEST_F(AnyNodeTest, WordsAreForNodes) {
  const auto stub = node::v1::SpeechService::NewStub(asked_.channels().To(owner_.node_server().address()));
  grpc::ClientContext context;
  const auto stream = stub->FollowSpeech(&context, node::v1::FollowSpeechRequest());
  node::v1::FollowSpeechResponse message;
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(control::DetailsOf(stream->Finish()).info.reason(), "NOT_FORWARDED");
}

}  // namespace
}  // namespace callbridge::nodes
