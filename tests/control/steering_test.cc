// The RPCs that steer a live call: what of their requests is wrong, what of them reaches the call, and how its refusals
// are told.

#include <string>
#include <utility>
#include <variant>

#include "src/base/error.h"
#include "src/base/ids.h"
#include "tests/control/rpc_matrix.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;
namespace input = call::input;
using Control = session::CallControl;

const char kRequestId[] = "aaaaaaaa-2222-4333-8444-555555555555";

template <typename Request, typename Response>
using Method = grpc::Status (v1::CallService::Stub::*)(grpc::ClientContext*, const Request&, Response*);

// A row's call: a good request with one thing changed.
template <typename Request, typename Response>
auto Rpc(
    Method<Request, Response> method, Request good, std::function<void(Request&)> change = [](Request&) {}) {
  return [=](v1::CallService::Stub& stub) {
    Request request = good;
    change(request);
    grpc::ClientContext context;
    Response response;
    return (stub.*method)(&context, request, &response);
  };
}

v1::SayOnCallRequest GoodSay() {
  v1::SayOnCallRequest request;
  request.set_call(kCall);
  request.set_text("Thank you.");
  return request;
}
auto Say(std::function<void(v1::SayOnCallRequest&)> change) {
  return Rpc<v1::SayOnCallRequest, v1::SayOnCallResponse>(&v1::CallService::Stub::SayOnCall, GoodSay(), change);
}
auto Inject(std::function<void(v1::InjectContextRequest&)> change) {
  v1::InjectContextRequest good;
  good.set_call(kCall);
  good.set_text("The order was sent.");
  return Rpc<v1::InjectContextRequest, v1::InjectContextResponse>(&v1::CallService::Stub::InjectContext, good, change);
}
auto Instruct(std::function<void(v1::UpdateInstructionsRequest&)> change) {
  v1::UpdateInstructionsRequest good;
  good.set_call(kCall);
  good.set_instructions("Speak French.");
  return Rpc<v1::UpdateInstructionsRequest, v1::UpdateInstructionsResponse>(&v1::CallService::Stub::UpdateInstructions,
                                                                            good, change);
}
auto Keys(std::function<void(v1::SendDtmfRequest&)> change) {
  v1::SendDtmfRequest good;
  good.set_call(kCall);
  good.set_digits("12#");
  return Rpc<v1::SendDtmfRequest, v1::SendDtmfResponse>(&v1::CallService::Stub::SendDtmf, good, change);
}
auto Mute(std::function<void(v1::MuteCallRequest&)> change) {
  v1::MuteCallRequest good;
  good.set_call(kCall);
  good.set_caller_muted(false);
  return Rpc<v1::MuteCallRequest, v1::MuteCallResponse>(&v1::CallService::Stub::MuteCall, good, change);
}
auto Takeover(std::function<void(v1::TakeoverCallRequest&)> change) {
  v1::TakeoverCallRequest good;
  good.set_call(kCall);
  return Rpc<v1::TakeoverCallRequest, v1::TakeoverCallResponse>(&v1::CallService::Stub::TakeoverCall, good, change);
}
auto Release(std::function<void(v1::ReleaseCallRequest&)> change) {
  v1::ReleaseCallRequest good;
  good.set_call(kCall);
  return Rpc<v1::ReleaseCallRequest, v1::ReleaseCallResponse>(&v1::CallService::Stub::ReleaseCall, good, change);
}
auto Submit(std::function<void(v1::SubmitToolResultRequest&)> change) {
  v1::SubmitToolResultRequest good;
  good.set_call(kCall);
  good.set_tool_call_id("call_1");
  good.set_output_json(R"({"price":12})");
  return Rpc<v1::SubmitToolResultRequest, v1::SubmitToolResultResponse>(&v1::CallService::Stub::SubmitToolResult, good,
                                                                        change);
}

auto Refused(absl::StatusCode code, const char* reason) {
  return [=](ServerUnderTest& server) { server.control().SetSteerResult(base::MakeError(code, reason, "no")); };
}

TEST(SteeringTest, WhatMayBeWrong) {
  constexpr auto kBad = StatusCode::INVALID_ARGUMENT;
  const std::string kilobyte(1024, 'x');
  const std::string words = kilobyte + "x";
  std::string context;
  for (int i = 0; i < 16; ++i) context += kilobyte;
  std::string instructions = context + context + context + context;
  const std::string json = "\"" + instructions + "\"";
  const Row rows[] = {
      {"say", Say(kNothing), StatusCode::OK, "", ""},
      {"say: no call", Say([](auto& r) { r.clear_call(); }), kBad, "FIELD_REQUIRED", "call"},
      {"say: bad call", Say([](auto& r) { r.set_call("calls/7"); }), kBad, "INVALID_CALL_NAME", "call"},
      {"say: nothing", Say([](auto& r) { r.clear_text(); }), kBad, "FIELD_REQUIRED", "text"},
      {"say: both", Say([](auto& r) { r.set_prompt("hold"); }), kBad, "FIELD_CONFLICT", "prompt"},
      {"say: longest", Say([&](auto& r) { r.set_text(kilobyte); }), StatusCode::OK, "", ""},
      {"say: too long", Say([&](auto& r) { r.set_text(words); }), kBad, "TEXT_TOO_LONG", "text"},
      {"say: id", Say([](auto& r) { r.set_request_id("7"); }), kBad, "INVALID_REQUEST_ID", "request_id"},
      {"say: unknown prompt", Say(kNothing), kBad, "UNKNOWN_PROMPT", "prompt",
       [](auto& server) { server.control().SetSteerResult(base::FieldError("prompt", "UNKNOWN_PROMPT", "no")); }},
      {"say: too many", Say(kNothing), StatusCode::RESOURCE_EXHAUSTED, "TOO_MANY_REQUESTS", "",
       Refused(absl::StatusCode::kResourceExhausted, "TOO_MANY_REQUESTS")},
      {"say: no model", Say(kNothing), StatusCode::FAILED_PRECONDITION, "MODEL_NOT_READY", "",
       Refused(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_READY")},
      {"say: no such call", Say(kNothing), StatusCode::NOT_FOUND, "CALL_NOT_FOUND", "",
       Refused(absl::StatusCode::kNotFound, "CALL_NOT_FOUND")},
      {"inject", Inject(kNothing), StatusCode::OK, "", ""},
      {"inject: nothing", Inject([](auto& r) { r.clear_text(); }), kBad, "FIELD_REQUIRED", "text"},
      {"inject: longest", Inject([&](auto& r) { r.set_text(context); }), StatusCode::OK, "", ""},
      {"inject: too long", Inject([&](auto& r) { r.set_text(context + "x"); }), kBad, "TEXT_TOO_LONG", "text"},
      {"inject: id", Inject([](auto& r) { r.set_request_id("7"); }), kBad, "INVALID_REQUEST_ID", "request_id"},
      {"inject: over", Inject(kNothing), StatusCode::FAILED_PRECONDITION, "CALL_NOT_ACTIVE", "",
       Refused(absl::StatusCode::kFailedPrecondition, "CALL_NOT_ACTIVE")},
      {"instructions", Instruct([&](auto& r) { r.set_instructions(instructions); }), StatusCode::OK, "", ""},
      {"instructions: none", Instruct([](auto& r) { r.clear_instructions(); }), kBad, "FIELD_REQUIRED", "instructions"},
      {"instructions: too long", Instruct([&](auto& r) { r.set_instructions(instructions + "x"); }), kBad,
       "TEXT_TOO_LONG", "instructions"},
      {"keys", Keys([](auto& r) { r.set_digits("0123456789*#ABCD"); }), StatusCode::OK, "", ""},
      {"keys: none", Keys([](auto& r) { r.clear_digits(); }), kBad, "FIELD_REQUIRED", "digits"},
      {"keys: other", Keys([](auto& r) { r.set_digits("1 2"); }), kBad, "INVALID_DIGITS", "digits"},
      {"keys: too many", Keys([](auto& r) { r.set_digits(std::string(65, '1')); }), kBad, "INVALID_DIGITS", "digits"},
      {"keys: id", Keys([](auto& r) { r.set_request_id("7"); }), kBad, "INVALID_REQUEST_ID", "request_id"},
      {"mute", Mute(kNothing), StatusCode::OK, "", ""},
      {"mute: nobody", Mute([](auto& r) { r.clear_caller_muted(); }), kBad, "FIELD_REQUIRED", "caller_muted"},
      {"takeover", Takeover(kNothing), StatusCode::OK, "", ""},
      {"takeover: too long", Takeover([&](auto& r) { r.set_reason(kilobyte); }), kBad, "TEXT_TOO_LONG", "reason"},
      {"release", Release(kNothing), StatusCode::OK, "", ""},
      {"release: too long", Release([&](auto& r) { r.set_context(context + "x"); }), kBad, "TEXT_TOO_LONG", "context"},
      {"tool", Submit(kNothing), StatusCode::OK, "", ""},
      {"tool: none", Submit([](auto& r) { r.clear_tool_call_id(); }), kBad, "FIELD_REQUIRED", "tool_call_id"},
      {"tool: nothing", Submit([](auto& r) { r.clear_output_json(); }), kBad, "FIELD_REQUIRED", "output_json"},
      {"tool: no JSON", Submit([](auto& r) { r.set_output_json("{"); }), kBad, "INVALID_JSON", "output_json"},
      {"tool: too long", Submit([&](auto& r) { r.set_output_json(json); }), kBad, "TEXT_TOO_LONG", "output_json"},
  };
  for (const Row& row : rows) Check(row);
}

TEST(SteeringTest, WhatReachesTheCall) {
  ServerUnderTest server;
  server.Create(kCall);
  grpc::ClientContext context;
  v1::SayOnCallRequest say = GoodSay();
  say.set_interrupt(true);
  say.set_request_id(kRequestId);
  v1::SayOnCallResponse said;
  ASSERT_TRUE(server.stub().SayOnCall(&context, say, &said).ok());
  EXPECT_EQ(said.request_id(), kRequestId);

  for (const auto& call : {Inject([](auto& r) { r.set_respond(true); })}) ASSERT_TRUE(call(server.stub()).ok());
  ASSERT_TRUE(Mute([](auto& r) {
                r.clear_caller_muted();
                r.set_assistant_muted(true);
              })(server.stub())
                  .ok());
  ASSERT_TRUE(Submit([](auto& r) { r.set_failed(true); })(server.stub()).ok());

  const auto asked = server.control().steerings();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0].call_id, kCall);
  const auto& words = std::get<input::SayRequested>(asked[0].what);
  EXPECT_EQ(words.text, "Thank you.");
  EXPECT_EQ(words.request_id, kRequestId);
  EXPECT_TRUE(words.interrupt);
  const auto& known = std::get<input::ContextGiven>(asked[1].what);
  EXPECT_EQ(known.text, "The order was sent.");
  EXPECT_TRUE(known.respond);
  EXPECT_TRUE(base::IsCanonicalUuid(known.request_id)) << "one is made";
  const auto& mute = std::get<Control::Mute>(asked[2].what);
  EXPECT_FALSE(mute.caller.has_value());
  EXPECT_EQ(mute.assistant, absl::optional<bool>(true));
  const auto& answer = std::get<input::ToolResultGiven>(asked[3].what);
  EXPECT_EQ(answer.tool_call_id, "call_1");
  EXPECT_FALSE(answer.ok);
  EXPECT_EQ(answer.output, R"({"price":12})");
}

TEST(SteeringTest, TheCallSaysWhoIsMuted) {
  ServerUnderTest server;
  server.Create(kCall);
  server.control().SetSteerResult(Control::Steered{true, false});
  grpc::ClientContext context;
  v1::MuteCallRequest request;
  request.set_call(kCall);
  request.set_caller_muted(true);
  v1::MuteCallResponse response;
  ASSERT_TRUE(server.stub().MuteCall(&context, request, &response).ok());
  EXPECT_TRUE(response.caller_muted());
  EXPECT_FALSE(response.assistant_muted());
}

TEST(SteeringTest, AGoodbyeReachesTheCall) {
  ServerUnderTest server;
  server.Create(kCall);
  const auto end = [&](const std::string& goodbye) {
    grpc::ClientContext context;
    v1::EndCallRequest request;
    request.set_call(kCall);
    request.set_goodbye(goodbye);
    v1::EndCallResponse response;
    return server.stub().EndCall(&context, request, &response);
  };
  ASSERT_TRUE(end("Good bye.").ok());
  EXPECT_EQ(server.control().goodbyes(), std::vector<std::string>{"Good bye."});
  const grpc::Status status = end(std::string(1025, 'x'));
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOf(status).info.reason(), "TEXT_TOO_LONG");
}

}  // namespace
}  // namespace callbridge::control
