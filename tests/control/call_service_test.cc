// Every RPC times what can go wrong with it: code, reason and field, over a real connection.

#include <future>
#include <map>
#include <set>

#include "src/base/error.h"
#include "src/base/ids.h"
#include "tests/control/rpc_matrix.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;

const char kRequestId[] = "aaaaaaaa-2222-4333-8444-555555555555";

grpc::Status Start(v1::CallService::Stub& stub, const v1::StartCallRequest& request,
                   v1::StartCallResponse* response = nullptr) {
  grpc::ClientContext context;
  v1::StartCallResponse ignored;
  return stub.StartCall(&context, request, response == nullptr ? &ignored : response);
}
grpc::Status End(v1::CallService::Stub& stub, const v1::EndCallRequest& request) {
  grpc::ClientContext context;
  v1::EndCallResponse response;
  return stub.EndCall(&context, request, &response);
}
grpc::Status Get(v1::CallService::Stub& stub, const v1::GetCallRequest& request,
                 v1::GetCallResponse* response = nullptr) {
  grpc::ClientContext context;
  v1::GetCallResponse ignored;
  return stub.GetCall(&context, request, response == nullptr ? &ignored : response);
}
grpc::Status List(v1::CallService::Stub& stub, const v1::ListCallsRequest& request,
                  v1::ListCallsResponse* response = nullptr) {
  grpc::ClientContext context;
  v1::ListCallsResponse ignored;
  return stub.ListCalls(&context, request, response == nullptr ? &ignored : response);
}
grpc::Status Transcript(v1::CallService::Stub& stub, const v1::GetTranscriptRequest& request,
                        v1::GetTranscriptResponse* response = nullptr) {
  grpc::ClientContext context;
  v1::GetTranscriptResponse ignored;
  return stub.GetTranscript(&context, request, response == nullptr ? &ignored : response);
}
// Until the stream's end, or its caught_up.
grpc::Status Events(v1::CallService::Stub& stub, const v1::CallEventsRequest& request) {
  grpc::ClientContext context;
  const auto reader = stub.CallEvents(&context, request);
  v1::CallEventsResponse message;
  while (reader->Read(&message)) {
    if (message.has_caught_up()) return grpc::Status::OK;
  }
  return reader->Finish();
}

v1::StartCallRequest GoodStart() {
  v1::StartCallRequest request;
  request.mutable_call()->set_to("+14155550100");
  return request;
}
auto StartWith(std::function<void(v1::StartCallRequest&)> change) {
  return With<v1::StartCallRequest>(
      GoodStart(), [](auto& stub, const auto& request) { return Start(stub, request); }, change);
}
auto EndWith(std::function<void(v1::EndCallRequest&)> change) {
  v1::EndCallRequest good;
  good.set_call(kCall);
  return With<v1::EndCallRequest>(good, End, change);
}
auto GetWith(std::function<void(v1::GetCallRequest&)> change) {
  v1::GetCallRequest good;
  good.set_call(kCall);
  return With<v1::GetCallRequest>(
      good, [](auto& stub, const auto& request) { return Get(stub, request); }, change);
}
auto ListWith(std::function<void(v1::ListCallsRequest&)> change) {
  return With<v1::ListCallsRequest>(
      {}, [](auto& stub, const auto& request) { return List(stub, request); }, change);
}
auto TranscriptWith(std::function<void(v1::GetTranscriptRequest&)> change) {
  v1::GetTranscriptRequest good;
  good.set_call(kCall);
  return With<v1::GetTranscriptRequest>(
      good, [](auto& stub, const auto& request) { return Transcript(stub, request); }, change);
}
auto EventsWith(std::function<void(v1::CallEventsRequest&)> change) {
  v1::CallEventsRequest good;
  good.set_call(kCall);
  return With<v1::CallEventsRequest>(good, Events, change);
}

auto StartFails(absl::Status status) {
  return [status](ServerUnderTest& server) { server.control().SetStartResult(status); };
}
auto EndFails(absl::Status status) {
  return [status](ServerUnderTest& server) { server.control().SetEndResult(status); };
}
std::vector<Row> StartRows() {
  constexpr StatusCode kBad = StatusCode::INVALID_ARGUMENT;
  return {
      {"start_ok", StartWith(kNothing), StatusCode::OK, "", ""},
      {"start_without_call", StartWith([](auto& r) { r.clear_call(); }), kBad, "FIELD_REQUIRED", "call"},
      {"start_without_to", StartWith([](auto& r) { r.mutable_call()->clear_to(); }), kBad, "FIELD_REQUIRED", "call.to"},
      {"start_to_without_plus", StartWith([](auto& r) { r.mutable_call()->set_to("14155550100"); }), kBad,
       "INVALID_E164", "call.to"},
      {"start_to_a_word", StartWith([](auto& r) { r.mutable_call()->set_to("mom"); }), kBad, "INVALID_E164", "call.to"},
      {"start_to_with_newline", StartWith([](auto& r) { r.mutable_call()->set_to("+14155550100\n"); }), kBad,
       "INVALID_E164", "call.to"},
      {"start_to_too_long", StartWith([](auto& r) { r.mutable_call()->set_to("+1234567890123456"); }), kBad,
       "INVALID_E164", "call.to"},
      {"start_to_huge", StartWith([](auto& r) { r.mutable_call()->set_to(std::string(100'000, '7')); }), kBad,
       "INVALID_E164", "call.to"},
      {"start_bad_from", StartWith([](auto& r) { r.mutable_call()->set_from("+0"); }), kBad, "INVALID_E164",
       "call.from"},
      {"start_bad_request_id", StartWith([](auto& r) { r.set_request_id("1"); }), kBad, "INVALID_REQUEST_ID",
       "request_id"},
      {"start_upper_request_id", StartWith([](auto& r) { r.set_request_id("AAAAAAAA-2222-4333-8444-555555555555"); }),
       kBad, "INVALID_REQUEST_ID", "request_id"},
      {"start_short_ring", StartWith([](auto& r) { r.mutable_call()->mutable_ring_timeout()->set_seconds(4); }), kBad,
       "INVALID_DURATION", "call.ring_timeout"},
      {"start_long_ring", StartWith([](auto& r) { r.mutable_call()->mutable_ring_timeout()->set_seconds(121); }), kBad,
       "INVALID_DURATION", "call.ring_timeout"},
      {"start_broken_ring", StartWith([](auto& r) {
         r.mutable_call()->mutable_ring_timeout()->set_seconds(30);
         r.mutable_call()->mutable_ring_timeout()->set_nanos(1);
       }),
       kBad, "INVALID_DURATION", "call.ring_timeout"},
      {"start_negative_length", StartWith([](auto& r) { r.mutable_call()->mutable_max_duration()->set_seconds(-60); }),
       kBad, "INVALID_DURATION", "call.max_duration"},
      {"start_endless", StartWith([](auto& r) { r.mutable_call()->mutable_max_duration()->set_seconds(INT64_MAX); }),
       kBad, "INVALID_DURATION", "call.max_duration"},
      {"start_metadata_key", StartWith([](auto& r) { (*r.mutable_call()->mutable_metadata())[""] = "x"; }), kBad,
       "INVALID_METADATA", "call.metadata"},
      {"start_metadata_value",
       StartWith([](auto& r) { (*r.mutable_call()->mutable_metadata())["k"] = std::string(1025, 'x'); }), kBad,
       "INVALID_METADATA", "call.metadata"},
      {"start_metadata_many", StartWith([](auto& r) {
         for (int i = 0; i < 51; ++i) (*r.mutable_call()->mutable_metadata())[absl::StrCat(i)] = "x";
       }),
       kBad, "INVALID_METADATA", "call.metadata"},
      {"start_unknown_agent", StartWith(kNothing), kBad, "UNKNOWN_AGENT", "call.agent",
       StartFails(base::FieldError("agent", "UNKNOWN_AGENT", "no such agent"))},
      {"start_reused_id", StartWith(kNothing), kBad, "REQUEST_ID_REUSED", "request_id",
       StartFails(base::FieldError("request_id", "REQUEST_ID_REUSED", "other content"))},
      {"start_not_allowed", StartWith(kNothing), StatusCode::FAILED_PRECONDITION, "DESTINATION_NOT_ALLOWED", "",
       StartFails(base::MakeError(absl::StatusCode::kFailedPrecondition, "DESTINATION_NOT_ALLOWED", "not there"))},
      {"start_suppressed", StartWith(kNothing), StatusCode::FAILED_PRECONDITION, "LEAD_SUPPRESSED", "",
       StartFails(base::MakeError(absl::StatusCode::kFailedPrecondition, "LEAD_SUPPRESSED", "to: must not be called",
                                  {{"field", "to"}, {"lead", "l1"}}))},
      {"start_too_many", StartWith(kNothing), StatusCode::RESOURCE_EXHAUSTED, "CONCURRENCY_LIMIT", "",
       StartFails(base::MakeError(absl::StatusCode::kResourceExhausted, "CONCURRENCY_LIMIT", "full"))},
      {"start_draining", StartWith(kNothing), StatusCode::UNAVAILABLE, "DRAINING", "",
       StartFails(base::MakeError(absl::StatusCode::kUnavailable, "DRAINING", "stopping"))},
      {"start_bug", StartWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "",
       StartFails(absl::InternalError("secret"))},
      {"start_unknown_error", StartWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "",
       StartFails(absl::UnknownError("secret"))},
  };
}

std::vector<Row> EndRows() {
  constexpr StatusCode kBad = StatusCode::INVALID_ARGUMENT;
  const absl::Status no_call = base::MakeError(absl::StatusCode::kNotFound, "CALL_NOT_FOUND", "no such call");
  return {
      {"end_ok", EndWith(kNothing), StatusCode::OK, "", ""},
      {"end_full_name", EndWith([](auto& r) { r.set_call(absl::StrCat("calls/", kCall)); }), StatusCode::OK, "", ""},
      {"end_without_call", EndWith([](auto& r) { r.clear_call(); }), kBad, "FIELD_REQUIRED", "call"},
      {"end_bad_name", EndWith([](auto& r) { r.set_call("calls/1"); }), kBad, "INVALID_CALL_NAME", "call"},
      {"end_lead_name", EndWith([](auto& r) { r.set_call(absl::StrCat("leads/", kCall)); }), kBad, "INVALID_CALL_NAME",
       "call"},
      {"end_long_reason", EndWith([](auto& r) { r.set_reason(std::string(513, 'x')); }), kBad, "TEXT_TOO_LONG",
       "reason"},
      {"end_not_found", EndWith(kNothing), StatusCode::NOT_FOUND, "CALL_NOT_FOUND", "", EndFails(no_call)},
      {"end_store_away", EndWith(kNothing), StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", "",
       EndFails(base::MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", "later"))},
      {"end_bug", EndWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "", EndFails(absl::DataLossError("secret"))},
  };
}

std::vector<Row> ReadRows() {
  constexpr StatusCode kBad = StatusCode::INVALID_ARGUMENT;
  const auto away = StoreFails(absl::UnavailableError("secret path"));
  const auto broken = StoreFails(absl::InternalError("secret path"));
  return {
      {"get_ok", GetWith(kNothing), StatusCode::OK, "", ""},
      {"get_without_call", GetWith([](auto& r) { r.clear_call(); }), kBad, "FIELD_REQUIRED", "call"},
      {"get_bad_name", GetWith([](auto& r) { r.set_call("calls/"); }), kBad, "INVALID_CALL_NAME", "call"},
      {"get_upper_name", GetWith([](auto& r) { r.set_call("AAAAAAAA-2222-4333-8444-555555555555"); }), kBad,
       "INVALID_CALL_NAME", "call"},
      {"get_name_with_more", GetWith([](auto& r) { r.set_call(absl::StrCat("calls/", kCall, "/transfers/x")); }), kBad,
       "INVALID_CALL_NAME", "call"},
      {"get_not_found", GetWith([](auto& r) { r.set_call(kOther); }), StatusCode::NOT_FOUND, "CALL_NOT_FOUND", ""},
      {"get_store_away", GetWith(kNothing), StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", "", away},
      {"get_store_broken", GetWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "", broken},
      {"get_store_throws", GetWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "", StoreThrows},
      {"list_ok", ListWith(kNothing), StatusCode::OK, "", ""},
      {"list_large_page", ListWith([](auto& r) { r.set_page_size(INT32_MAX); }), StatusCode::OK, "", ""},
      {"list_negative_page", ListWith([](auto& r) { r.set_page_size(-1); }), kBad, "INVALID_PAGE_SIZE", "page_size"},
      {"list_bad_token", ListWith([](auto& r) { r.set_page_token("x"); }), kBad, "PAGE_TOKEN_INVALID", "page_token"},
      {"list_huge_token", ListWith([](auto& r) { r.set_page_token(std::string(100'000, 'A')); }), kBad,
       "PAGE_TOKEN_INVALID", "page_token"},
      {"list_unknown_state", ListWith([](auto& r) { r.mutable_filter()->add_states(static_cast<v1::CallState>(99)); }),
       kBad, "INVALID_FILTER", "filter.states[0]"},
      {"list_no_state", ListWith([](auto& r) {
         r.mutable_filter()->add_states(v1::CALL_STATE_FAILED);
         r.mutable_filter()->add_states(v1::CALL_STATE_UNSPECIFIED);
       }),
       kBad, "INVALID_FILTER", "filter.states[1]"},
      {"list_unknown_direction",
       ListWith([](auto& r) { r.mutable_filter()->set_direction(static_cast<v1::CallDirection>(9)); }), kBad,
       "INVALID_FILTER", "filter.direction"},
      {"list_bad_lead", ListWith([](auto& r) { r.mutable_filter()->set_lead("me"); }), kBad, "INVALID_FILTER",
       "filter.lead"},
      {"list_long_number", ListWith([](auto& r) { r.mutable_filter()->set_number(std::string(257, '1')); }), kBad,
       "INVALID_FILTER", "filter.number"},
      {"list_bad_time", ListWith([](auto& r) { r.mutable_filter()->mutable_created_after()->set_nanos(-1); }), kBad,
       "INVALID_FILTER", "filter.created_after"},
      {"list_year_10000",
       ListWith([](auto& r) { r.mutable_filter()->mutable_created_before()->set_seconds(253'402'300'800); }), kBad,
       "INVALID_FILTER", "filter.created_before"},
      {"list_backward_times", ListWith([](auto& r) {
         r.mutable_filter()->mutable_created_after()->set_seconds(2);
         r.mutable_filter()->mutable_created_before()->set_seconds(2);
       }),
       kBad, "INVALID_FILTER", "filter.created_before"},
      {"list_store_away", ListWith(kNothing), StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", "", away},
      {"list_store_throws", ListWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "", StoreThrows},
      {"transcript_ok", TranscriptWith(kNothing), StatusCode::OK, "", ""},
      {"transcript_without_call", TranscriptWith([](auto& r) { r.clear_call(); }), kBad, "FIELD_REQUIRED", "call"},
      {"transcript_bad_name", TranscriptWith([](auto& r) { r.set_call("calls"); }), kBad, "INVALID_CALL_NAME", "call"},
      {"transcript_not_found", TranscriptWith([](auto& r) { r.set_call(kOther); }), StatusCode::NOT_FOUND,
       "CALL_NOT_FOUND", ""},
      {"transcript_bad_view", TranscriptWith([](auto& r) { r.set_view(static_cast<v1::TranscriptView>(7)); }), kBad,
       "INVALID_VIEW", "view"},
      {"transcript_negative_page", TranscriptWith([](auto& r) { r.set_page_size(-5); }), kBad, "INVALID_PAGE_SIZE",
       "page_size"},
      {"transcript_bad_token", TranscriptWith([](auto& r) { r.set_page_token("bDF8"); }), kBad, "PAGE_TOKEN_INVALID",
       "page_token"},
      {"transcript_store_away", TranscriptWith(kNothing), StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", "", away},
      {"transcript_store_throws", TranscriptWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "", StoreThrows},
  };
}

std::vector<Row> EventRows() {
  constexpr StatusCode kBad = StatusCode::INVALID_ARGUMENT;
  return {
      {"events_ok", EventsWith(kNothing), StatusCode::OK, "", ""},
      {"events_of_all_ok", EventsWith([](auto& r) { r.clear_call(); }), StatusCode::OK, "", ""},
      {"events_bad_name", EventsWith([](auto& r) { r.set_call("calls/-"); }), kBad, "INVALID_CALL_NAME", "call"},
      {"events_not_found", EventsWith([](auto& r) { r.set_call(kOther); }), StatusCode::NOT_FOUND, "CALL_NOT_FOUND",
       ""},
      {"events_bad_cursor", EventsWith([](auto& r) { r.set_after_cursor("x"); }), kBad, "CURSOR_INVALID",
       "after_cursor"},
      {"events_empty_cursor", EventsWith([](auto& r) { r.set_after_cursor(""); }), kBad, "CURSOR_INVALID",
       "after_cursor"},
      {"events_negative_sequence", EventsWith([](auto& r) { r.set_after_sequence(-1); }), kBad, "INVALID_SEQUENCE",
       "after_sequence"},
      {"events_sequence_ahead", EventsWith([](auto& r) { r.set_after_sequence(2); }), kBad, "INVALID_SEQUENCE",
       "after_sequence"},
      {"events_sequence_of_all", EventsWith([](auto& r) {
         r.clear_call();
         r.set_after_sequence(1);
       }),
       kBad, "INVALID_SEQUENCE", "after_sequence"},
      {"events_unknown_type", EventsWith([](auto& r) {
         r.add_event_types("barge_in");
         r.add_event_types("barge-in");
       }),
       kBad, "UNKNOWN_EVENT_TYPE", "event_types[1]"},
      {"events_fast_heartbeat", EventsWith([](auto& r) { r.mutable_heartbeat_interval()->set_nanos(1000); }), kBad,
       "INVALID_DURATION", "heartbeat_interval"},
      {"events_slow_heartbeat", EventsWith([](auto& r) { r.mutable_heartbeat_interval()->set_seconds(301); }), kBad,
       "INVALID_DURATION", "heartbeat_interval"},
      {"events_store_away", EventsWith(kNothing), StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", "",
       StoreFails(absl::UnavailableError("secret path"))},
      {"events_store_throws", EventsWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "", StoreThrows},
  };
}

TEST(CallServiceMatrixTest, StartCall) {
  for (const Row& row : StartRows()) Check(row);
}
TEST(CallServiceMatrixTest, EndCall) {
  for (const Row& row : EndRows()) Check(row);
}
TEST(CallServiceMatrixTest, GetCallListCallsAndGetTranscript) {
  for (const Row& row : ReadRows()) Check(row);
}
TEST(CallServiceMatrixTest, CallEvents) {
  for (const Row& row : EventRows()) Check(row);
}

// --- What comes of good requests

TEST(CallServiceTest, StartCallHandsEverythingOn) {
  ServerUnderTest server;
  store::CallRecord record;
  record.call_id = kCall;
  record.to = "+14155550100";
  server.control().SetStartResult(record);
  v1::StartCallRequest request = GoodStart();
  request.set_request_id(kRequestId);
  request.mutable_call()->set_from("+14155550199");
  request.mutable_call()->set_agent("front_desk");
  request.mutable_call()->mutable_ring_timeout()->set_seconds(5);
  request.mutable_call()->mutable_max_duration()->set_seconds(14'400);
  (*request.mutable_call()->mutable_metadata())["crm"] = "17";
  v1::StartCallResponse response;
  ASSERT_TRUE(Start(server.stub(), request, &response).ok());
  EXPECT_EQ(response.call().name(), absl::StrCat("calls/", kCall));
  EXPECT_EQ(response.call().state(), v1::CALL_STATE_DIALING);
  const auto start = server.control().starts().at(0);
  EXPECT_EQ(start.to, "+14155550100");
  EXPECT_EQ(start.from, "+14155550199");
  EXPECT_EQ(start.agent, "front_desk");
  EXPECT_EQ(start.ring_timeout, absl::Seconds(5));
  EXPECT_EQ(start.max_duration, absl::Hours(4));
  EXPECT_EQ(start.metadata, (std::map<std::string, std::string>{{"crm", "17"}}));
  ASSERT_TRUE(start.key.has_value());
  EXPECT_EQ(start.key->principal, "");
  EXPECT_EQ(start.key->request_id, kRequestId);
}

TEST(CallServiceTest, FingerprintsTellContentsApart) {
  ServerUnderTest server;
  std::vector<std::function<void(v1::OutboundCall&)>> changes = {
      [](auto&) {},
      [](auto& call) { call.set_to("+14155550101"); },
      [](auto& call) { call.set_from("+14155550101"); },
      [](auto& call) { call.set_agent("x"); },
      [](auto& call) { call.mutable_ring_timeout()->set_seconds(30); },
      [](auto& call) { call.mutable_max_duration()->set_seconds(30); },
      [](auto& call) { (*call.mutable_metadata())["a"] = "bc"; },
      [](auto& call) { (*call.mutable_metadata())["ab"] = "c"; },
  };
  for (int round = 0; round < 2; ++round) {
    for (const auto& change : changes) {
      v1::StartCallRequest request = GoodStart();
      request.set_request_id(kRequestId);
      change(*request.mutable_call());
      ASSERT_TRUE(Start(server.stub(), request).ok());
    }
  }
  std::set<std::string> fingerprints;
  for (const auto& start : server.control().starts()) fingerprints.insert(start.key->fingerprint);
  EXPECT_EQ(fingerprints.size(), changes.size());
}

TEST(CallServiceTest, WithoutRequestIdThereIsNoKey) {
  ServerUnderTest server;
  ASSERT_TRUE(Start(server.stub(), GoodStart()).ok());
  EXPECT_FALSE(server.control().starts().at(0).key.has_value());
}

TEST(CallServiceTest, BadRequestsReachNobody) {
  ServerUnderTest server;
  for (const Row& row : StartRows()) {
    if (!row.prepare && row.code != StatusCode::OK) row.call(server.stub());
  }
  EXPECT_TRUE(server.control().starts().empty());
}

TEST(CallServiceTest, UnknownTypesListThoseThatExist) {
  ServerUnderTest server;
  v1::CallEventsRequest events;
  events.add_event_types("x");
  const std::string message = Events(server.stub(), events).error_message();
  EXPECT_NE(message.find("call_created, state_changed"), std::string::npos) << message;
  EXPECT_NE(message.find("summary_failed"), std::string::npos) << message;
}

TEST(CallServiceTest, EndCallHandsTheReasonOn) {
  ServerUnderTest server;
  v1::EndCallRequest request;
  request.set_call(absl::StrCat("calls/", kCall));
  request.set_reason("done");
  ASSERT_TRUE(End(server.stub(), request).ok());
  EXPECT_EQ(server.control().ends().at(0), std::make_pair(std::string(kCall), std::string("done")));
}

TEST(CallServiceTest, ListCallsPagesWithoutGapOrRepeat) {
  ServerUnderTest server;
  constexpr int kCalls = 7;
  for (int i = 0; i < kCalls; ++i)
    server.Create(absl::StrCat("0000000", i, "-2222-4333-8444-555555555555"), absl::Seconds(i / 3));
  v1::ListCallsRequest request;
  request.set_page_size(2);
  std::set<std::string> names;
  int pages = 0;
  do {
    v1::ListCallsResponse response;
    ASSERT_TRUE(List(server.stub(), request, &response).ok());
    ASSERT_LE(response.calls_size(), 2);
    for (const auto& call : response.calls()) EXPECT_TRUE(names.insert(call.name()).second) << call.name();
    request.set_page_token(response.next_page_token());
    ASSERT_LE(++pages, kCalls);
  } while (!request.page_token().empty());
  EXPECT_EQ(names.size(), kCalls);
  EXPECT_EQ(pages, 4);
}

TEST(CallServiceTest, PageTokensAreBoundToTheFilter) {
  ServerUnderTest server;
  server.Create(kCall);
  server.Create(kOther);
  v1::ListCallsRequest request;
  request.set_page_size(1);
  v1::ListCallsResponse response;
  ASSERT_TRUE(List(server.stub(), request, &response).ok());
  request.set_page_token(response.next_page_token());
  request.mutable_filter()->set_number("+15550001111");
  EXPECT_EQ(DetailsOf(List(server.stub(), request)).info.reason(), "PAGE_TOKEN_INVALID");
  request.clear_filter();
  request.set_page_size(50);  // Not part of the binding.
  EXPECT_TRUE(List(server.stub(), request).ok());
}

TEST(CallServiceTest, ListCallsFilters) {
  ServerUnderTest server;
  server.Create(kCall);
  server.Create(kOther, absl::Seconds(10));
  server.End(kOther, 2);
  v1::ListCallsRequest request;
  const auto names = [&] {
    v1::ListCallsResponse response;
    EXPECT_TRUE(List(server.stub(), request, &response).ok());
    std::string text;
    for (const auto& call : response.calls()) text += call.name()[6];
    return text;
  };
  EXPECT_EQ(names(), "91");
  request.mutable_filter()->add_states(v1::CALL_STATE_RINGING);
  EXPECT_EQ(names(), "1");
  request.mutable_filter()->clear_states();
  request.mutable_filter()->set_number("15550001111");  // The plus is added.
  EXPECT_EQ(names(), "91");
  request.mutable_filter()->mutable_created_after()->set_seconds(absl::ToUnixSeconds(kEpoch) + 10);
  EXPECT_EQ(names(), "9");
  request.mutable_filter()->set_direction(v1::CALL_DIRECTION_OUTBOUND);
  EXPECT_EQ(names(), "");
}

call::TranscriptItem Item(int64_t position, const std::string& heard, const std::string& generated) {
  call::TranscriptItem item;
  item.item_id = absl::StrCat("i", position, generated.size());
  item.position = position;
  item.role = call::Role::kAssistant;
  item.text_heard = heard;
  item.text_generated = generated;
  item.heard_ms = heard.empty() ? 0 : 700;
  item.generated_ms = 1500;
  return item;
}

TEST(CallServiceTest, TranscriptViews) {
  ServerUnderTest server;
  server.Create(kCall);
  store::CallWrite write;
  write.call_id = kCall;
  write.transcript_items = {Item(1, "Good", "Good morning"), Item(2, "", "Never heard")};
  server.Apply(write);
  struct ViewRow {
    v1::TranscriptView view;
    int items;
    std::string heard;
    std::string generated;
  };
  for (const ViewRow& row :
       {ViewRow{v1::TRANSCRIPT_VIEW_UNSPECIFIED, 1, "Good", ""}, ViewRow{v1::TRANSCRIPT_VIEW_HEARD, 1, "Good", ""},
        ViewRow{v1::TRANSCRIPT_VIEW_GENERATED, 2, "", "Good morning"},
        ViewRow{v1::TRANSCRIPT_VIEW_BOTH, 2, "Good", "Good morning"}}) {
    SCOPED_TRACE(row.view);
    v1::GetTranscriptRequest request;
    request.set_call(kCall);
    request.set_view(row.view);
    v1::GetTranscriptResponse response;
    ASSERT_TRUE(Transcript(server.stub(), request, &response).ok());
    ASSERT_EQ(response.items_size(), row.items);
    EXPECT_EQ(response.items(0).text_heard(), row.heard);
    EXPECT_EQ(response.items(0).text_generated(), row.generated);
    EXPECT_EQ(response.items(0).heard_duration().nanos(), 700'000'000);
    EXPECT_EQ(response.items(0).generated_duration().seconds(), 1);
  }
}

TEST(CallServiceTest, EachReadOfATranscriptIsNoted) {
  ServerUnderTest server;
  server.Create(kCall);
  v1::GetTranscriptRequest request;
  request.set_call(kCall);
  const absl::Time before = absl::Now();
  ASSERT_TRUE(Transcript(server.stub(), request).ok());
  ASSERT_TRUE(Transcript(server.stub(), request).ok());
  request.set_page_token("bDF8");
  EXPECT_FALSE(Transcript(server.stub(), request).ok());
  const auto reads = server.store().ListTranscriptReads(kCall, 10);
  ASSERT_TRUE(reads.ok());
  ASSERT_EQ(reads->size(), 2) << "and what is refused is no read";
  EXPECT_GE((*reads)[0].time, before);
  EXPECT_EQ((*reads)[0].principal, "") << "the open port";
}

TEST(CallServiceTest, WhatCannotBeNotedIsNotShown) {
  ServerUnderTest server;
  server.Create(kCall);
  server.store().SetFault([](absl::string_view method) {
    return method == "AddTranscriptRead" ? absl::UnavailableError("away") : absl::OkStatus();
  });
  v1::GetTranscriptRequest request;
  request.set_call(kCall);
  const grpc::Status status = Transcript(server.stub(), request);
  EXPECT_EQ(DetailsOf(status).info.reason(), "STORE_UNAVAILABLE");
}

// Positions repeat, and texts are so long that pages end by their bytes.
TEST(CallServiceTest, TranscriptPagesStayBelowAMebibyte) {
  ServerUnderTest server;
  server.Create(kCall);
  store::CallWrite write;
  write.call_id = kCall;
  constexpr int kItems = 12;
  for (int i = 0; i < kItems; ++i) {
    auto item = Item(i / 5, "x", std::string(400'000, 'x'));
    item.item_id = absl::StrCat("item", i);
    write.transcript_items.push_back(item);
  }
  server.Apply(write);
  for (const int page_size : {0, 1, 2, 3}) {
    SCOPED_TRACE(page_size);
    v1::GetTranscriptRequest request;
    request.set_call(kCall);
    request.set_view(v1::TRANSCRIPT_VIEW_BOTH);
    request.set_page_size(page_size);
    std::vector<std::string> ids;
    do {
      v1::GetTranscriptResponse response;
      ASSERT_TRUE(Transcript(server.stub(), request, &response).ok());
      ASSERT_LT(response.ByteSizeLong(), 1024 * 1024);
      for (const auto& item : response.items()) ids.push_back(item.item_id());
      request.set_page_token(response.next_page_token());
      ASSERT_LE(ids.size(), kItems);
    } while (!request.page_token().empty());
    ASSERT_EQ(ids.size(), kItems);
    for (int i = 0; i < kItems; ++i) EXPECT_EQ(ids[i], absl::StrCat("item", i));
  }
}

// --- Deadlines and lost work

TEST(CallServiceTest, RequestsWithoutADeadlineGetOne) {
  ControlServerOptions options;
  options.longest_unary = absl::Milliseconds(100);
  ServerUnderTest server(options);
  server.control().Hold();
  const grpc::Status status = Start(server.stub(), GoodStart());
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(DetailsOf(status).info.reason(), "DEADLINE_EXCEEDED");
  server.control().AnswerHeld();  // Too late, and harmless.
}

TEST(CallServiceTest, AnAnswerThatNeverComesIsAnError) {
  ServerUnderTest server;
  server.control().Hold();
  auto status = std::async(std::launch::async, [&] { return Start(server.stub(), GoodStart()); });
  ASSERT_TRUE(Eventually([&] { return server.control().held() == 1; }));
  server.control().DropHeld();
  EXPECT_EQ(DetailsOf(status.get()).info.reason(), "SHUTTING_DOWN");
}

TEST(CallServiceTest, ACancelledRequestIsForgotten) {
  ServerUnderTest server;
  server.control().Hold();
  grpc::ClientContext context;
  auto status = std::async(std::launch::async, [&] {
    v1::StartCallResponse response;
    return server.stub().StartCall(&context, GoodStart(), &response);
  });
  ASSERT_TRUE(Eventually([&] { return server.control().held() == 1; }));
  context.TryCancel();
  EXPECT_EQ(status.get().error_code(), StatusCode::CANCELLED);
  server.control().AnswerHeld();
}

TEST(CallServiceTest, TooLargeARequestIsRefused) {
  ServerUnderTest server;
  auto request = GoodStart();
  request.mutable_call()->set_agent(std::string(2 * 1024 * 1024, 'x'));
  EXPECT_EQ(Start(server.stub(), request).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Start(server.stub(), GoodStart()).ok());
}

// --- Tokens

TEST(CallServiceTest, TokensAreAskedForByEveryMethod) {
  ControlServerOptions options;
  options.api_tokens = {"one-token", "another-token"};
  ServerUnderTest server(options);
  server.Create(kCall);
  for (const auto& call : std::vector<std::function<grpc::Status(v1::CallService::Stub&)>>{
           StartWith(kNothing), EndWith(kNothing), GetWith(kNothing), ListWith(kNothing), TranscriptWith(kNothing),
           EventsWith(kNothing), GetWith([](auto& r) { r.set_call("bad"); })}) {
    const grpc::Status status = call(server.stub());
    EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(DetailsOf(status).info.reason(), "TOKEN_MISSING");
  }
  EXPECT_TRUE(server.control().starts().empty());
}

TEST(CallServiceTest, TokensAreCompared) {
  ControlServerOptions options;
  options.api_tokens = {"one-token", "another-token"};
  ServerUnderTest server(options);
  struct TokenRow {
    std::vector<std::string> values;
    std::string reason;  // Empty: it is let in.
  };
  std::set<std::string> principals;
  for (const TokenRow& row : std::vector<TokenRow>{{{"Bearer one-token"}, ""},
                                                   {{"bearer another-token"}, ""},
                                                   {{"Bearer one-toke"}, "TOKEN_INVALID"},
                                                   {{"Bearer one-token2"}, "TOKEN_INVALID"},
                                                   {{"Bearer "}, "TOKEN_INVALID"},
                                                   {{"one-token"}, "TOKEN_INVALID"},
                                                   {{"Basic one-token"}, "TOKEN_INVALID"},
                                                   {{""}, "TOKEN_INVALID"},
                                                   {{"Bearer one-token", "Bearer x"}, "TOKEN_INVALID"}}) {
    SCOPED_TRACE(row.values[0]);
    grpc::ClientContext context;
    for (const std::string& value : row.values) context.AddMetadata("authorization", value);
    auto request = GoodStart();
    request.set_request_id(kRequestId);
    v1::StartCallResponse response;
    const grpc::Status status = server.stub().StartCall(&context, request, &response);
    if (row.reason.empty()) {
      EXPECT_TRUE(status.ok()) << status.error_message();
      principals.insert(server.control().starts().back().key->principal);
      continue;
    }
    EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(DetailsOf(status).info.reason(), row.reason);
    EXPECT_EQ(status.error_message().find("one-token"), std::string::npos);
  }
  EXPECT_EQ(principals.size(), 2) << "each token is somebody else";
  EXPECT_EQ(principals.count(""), 0);
}

}  // namespace
}  // namespace callbridge::control
