// The resource Transfer over a real connection: made, cancelled, read, and what can go wrong with each.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "tests/control/rpc_matrix.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;

const char kTransferId[] = "aaaaaaaa-2222-4333-8444-555555555555";

std::string TransferOf(const std::string& call_id, const std::string& transfer_id = kTransferId) {
  return absl::StrCat("calls/", call_id, "/transfers/", transfer_id);
}

grpc::Status Transfer(v1::CallService::Stub& stub, const v1::TransferCallRequest& request,
                      v1::TransferCallResponse* response = nullptr) {
  grpc::ClientContext context;
  v1::TransferCallResponse ignored;
  return stub.TransferCall(&context, request, response == nullptr ? &ignored : response);
}
grpc::Status Cancel(v1::CallService::Stub& stub, const v1::CancelTransferRequest& request,
                    v1::CancelTransferResponse* response = nullptr) {
  grpc::ClientContext context;
  v1::CancelTransferResponse ignored;
  return stub.CancelTransfer(&context, request, response == nullptr ? &ignored : response);
}
grpc::Status Get(v1::CallService::Stub& stub, const v1::GetTransferRequest& request,
                 v1::GetTransferResponse* response = nullptr) {
  grpc::ClientContext context;
  v1::GetTransferResponse ignored;
  return stub.GetTransfer(&context, request, response == nullptr ? &ignored : response);
}
grpc::Status List(v1::CallService::Stub& stub, const v1::ListTransfersRequest& request,
                  v1::ListTransfersResponse* response = nullptr) {
  grpc::ClientContext context;
  v1::ListTransfersResponse ignored;
  return stub.ListTransfers(&context, request, response == nullptr ? &ignored : response);
}

v1::TransferCallRequest GoodTransfer() {
  v1::TransferCallRequest request;
  request.set_call(kCall);
  request.set_destination("sales");
  return request;
}
auto TransferWith(std::function<void(v1::TransferCallRequest&)> change) {
  return With<v1::TransferCallRequest>(
      GoodTransfer(), [](auto& stub, const auto& request) { return Transfer(stub, request); }, change);
}
auto CancelWith(std::function<void(v1::CancelTransferRequest&)> change) {
  v1::CancelTransferRequest good;
  good.set_transfer(TransferOf(kCall));
  return With<v1::CancelTransferRequest>(
      good, [](auto& stub, const auto& request) { return Cancel(stub, request); }, change);
}
auto GetWith(std::function<void(v1::GetTransferRequest&)> change) {
  v1::GetTransferRequest good;
  good.set_transfer(TransferOf(kCall));
  return With<v1::GetTransferRequest>(
      good, [](auto& stub, const auto& request) { return Get(stub, request); }, change);
}
auto ListWith(std::function<void(v1::ListTransfersRequest&)> change) {
  v1::ListTransfersRequest good;
  good.set_call(kCall);
  return With<v1::ListTransfersRequest>(
      good, [](auto& stub, const auto& request) { return List(stub, request); }, change);
}

auto TransferFails(absl::Status status) {
  return [status](ServerUnderTest& server) { server.control().SetTransferResult(status); };
}

// A transfer of kCall in the store, as kTransferId unless said otherwise.
void Store(ServerUnderTest& server, const std::string& transfer_id = kTransferId, absl::Time request_time = kEpoch) {
  store::CallWrite write;
  write.call_id = kCall;
  write.transfer.emplace();
  write.transfer->transfer_id = transfer_id;
  write.transfer->destination = "sales";
  write.transfer->request_time = request_time;
  write.transfer->attempts = {{"+14155550101", call::TransferOutcome::kBusy, "busy", kEpoch, kEpoch + absl::Seconds(1)},
                              {"+14155550102", call::TransferOutcome::kPending, "", kEpoch + absl::Seconds(2)}};
  server.Apply(write);
}
void HasTransfer(ServerUnderTest& server) { Store(server); }

// kCall is over, and CallControl knows no more of it than that; its record has the transfer as given.
auto IsOver(call::TransferState state, call::TransferOutcome outcome) {
  return [state, outcome](ServerUnderTest& server) {
    server.control().SetTransferResult(base::MakeError(
        absl::StatusCode::kFailedPrecondition, "TRANSFER_NOT_CANCELLABLE", "the call is over", {{"state", "over"}}));
    store::CallWrite write;
    write.call_id = kCall;
    write.transfer.emplace();
    write.transfer->transfer_id = kTransferId;
    write.transfer->state = state;
    write.transfer->outcome = outcome;
    server.Apply(write);
    server.End(kCall, 2);
  };
}

std::vector<Row> TransferRows() {
  constexpr StatusCode kBad = StatusCode::INVALID_ARGUMENT;
  const absl::Status no_call = base::MakeError(absl::StatusCode::kNotFound, "CALL_NOT_FOUND", "no such call");
  return {
      {"transfer_ok", TransferWith(kNothing), StatusCode::OK, "", ""},
      {"transfer_without_call", TransferWith([](auto& r) { r.clear_call(); }), kBad, "FIELD_REQUIRED", "call"},
      {"transfer_bad_name", TransferWith([](auto& r) { r.set_call("x/y"); }), kBad, "INVALID_CALL_NAME", "call"},
      {"transfer_with_both", TransferWith([](auto& r) { r.set_number("+14155550100"); }), kBad, "FIELD_CONFLICT",
       "number"},
      {"transfer_to_a_number_ok", TransferWith([](auto& r) {
         r.clear_destination();
         r.set_number("+14155550100");
       }),
       StatusCode::OK, "", ""},
      {"transfer_to_no_number", TransferWith([](auto& r) {
         r.clear_destination();
         r.set_number("sip:sales@example.com");
       }),
       kBad, "INVALID_E164", "number"},
      {"transfer_not_allowed", TransferWith([](auto& r) {
         r.clear_destination();
         r.set_number("+14155550100");
       }),
       StatusCode::FAILED_PRECONDITION, "DESTINATION_NOT_ALLOWED", "",
       TransferFails(base::MakeError(absl::StatusCode::kFailedPrecondition, "DESTINATION_NOT_ALLOWED", "not there"))},
      {"transfer_limit", TransferWith(kNothing), StatusCode::FAILED_PRECONDITION, "TRANSFER_LIMIT", "",
       TransferFails(base::MakeError(absl::StatusCode::kFailedPrecondition, "TRANSFER_LIMIT", "enough"))},
      {"transfer_without_destination", TransferWith([](auto& r) { r.clear_destination(); }), kBad, "FIELD_REQUIRED",
       "destination"},
      {"transfer_to_a_number", TransferWith([](auto& r) { r.set_destination("+14155550100"); }), kBad,
       "UNKNOWN_DESTINATION", "destination"},
      {"transfer_long_reason", TransferWith([](auto& r) { r.set_reason(std::string(513, 'x')); }), kBad,
       "TEXT_TOO_LONG", "reason"},
      {"transfer_bad_request_id", TransferWith([](auto& r) { r.set_request_id("x"); }), kBad, "INVALID_REQUEST_ID",
       "request_id"},
      {"transfer_not_found", TransferWith(kNothing), StatusCode::NOT_FOUND, "CALL_NOT_FOUND", "",
       TransferFails(no_call)},
      {"transfer_not_active", TransferWith(kNothing), StatusCode::FAILED_PRECONDITION, "CALL_NOT_ACTIVE", "",
       TransferFails(base::MakeError(absl::StatusCode::kFailedPrecondition, "CALL_NOT_ACTIVE", "over",
                                     {{"state", "completed"}}))},
      {"transfer_in_progress", TransferWith(kNothing), StatusCode::FAILED_PRECONDITION, "TRANSFER_IN_PROGRESS", "",
       TransferFails(base::MakeError(absl::StatusCode::kFailedPrecondition, "TRANSFER_IN_PROGRESS", "one runs"))},
      {"transfer_throws", TransferWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "",
       [](ServerUnderTest& server) { server.control().SetThrowing(true); }},
  };
}

std::vector<Row> CancelRows() {
  constexpr StatusCode kBad = StatusCode::INVALID_ARGUMENT;
  return {
      {"cancel_ok", CancelWith(kNothing), StatusCode::OK, "", ""},
      {"cancel_without_name", CancelWith([](auto& r) { r.clear_transfer(); }), kBad, "FIELD_REQUIRED", "transfer"},
      {"cancel_bare_id", CancelWith([](auto& r) { r.set_transfer(kTransferId); }), kBad, "INVALID_TRANSFER_NAME",
       "transfer"},
      {"cancel_a_call", CancelWith([](auto& r) { r.set_transfer(absl::StrCat("calls/", kCall)); }), kBad,
       "INVALID_TRANSFER_NAME", "transfer"},
      {"cancel_upper_id",
       CancelWith([](auto& r) { r.set_transfer(TransferOf(kCall, "AAAAAAAA-2222-4333-8444-555555555555")); }), kBad,
       "INVALID_TRANSFER_NAME", "transfer"},
      {"cancel_wrong_words",
       CancelWith([](auto& r) { r.set_transfer(absl::StrCat("leads/", kCall, "/transfers/", kTransferId)); }), kBad,
       "INVALID_TRANSFER_NAME", "transfer"},
      {"cancel_wrong_inner_word",
       CancelWith([](auto& r) { r.set_transfer(absl::StrCat("calls/", kCall, "/calls/", kTransferId)); }), kBad,
       "INVALID_TRANSFER_NAME", "transfer"},
      {"cancel_more_behind", CancelWith([](auto& r) { r.set_transfer(absl::StrCat(TransferOf(kCall), "/x")); }), kBad,
       "INVALID_TRANSFER_NAME", "transfer"},
      {"cancel_no_call", CancelWith(kNothing), StatusCode::NOT_FOUND, "CALL_NOT_FOUND", "",
       TransferFails(base::MakeError(absl::StatusCode::kNotFound, "CALL_NOT_FOUND", "no such call"))},
      {"cancel_no_transfer", CancelWith(kNothing), StatusCode::NOT_FOUND, "TRANSFER_NOT_FOUND", "",
       TransferFails(base::MakeError(absl::StatusCode::kNotFound, "TRANSFER_NOT_FOUND", "no such transfer"))},
      {"cancel_too_late", CancelWith(kNothing), StatusCode::FAILED_PRECONDITION, "TRANSFER_NOT_CANCELLABLE", "",
       TransferFails(base::MakeError(absl::StatusCode::kFailedPrecondition, "TRANSFER_NOT_CANCELLABLE", "too late",
                                     {{"state", "connected"}}))},
      {"cancel_cancelled_after_the_call", CancelWith(kNothing), StatusCode::OK, "", "",
       IsOver(call::TransferState::kFailed, call::TransferOutcome::kCancelled)},
      {"cancel_bridged_after_the_call", CancelWith(kNothing), StatusCode::FAILED_PRECONDITION,
       "TRANSFER_NOT_CANCELLABLE", "", IsOver(call::TransferState::kCompleted, call::TransferOutcome::kBridged)},
      {"cancel_another_after_the_call", CancelWith([](auto& r) { r.set_transfer(TransferOf(kCall, kOther)); }),
       StatusCode::NOT_FOUND, "TRANSFER_NOT_FOUND", "",
       IsOver(call::TransferState::kCompleted, call::TransferOutcome::kBridged)},
      {"cancel_bug", CancelWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "",
       TransferFails(absl::InternalError("secret"))},
  };
}

std::vector<Row> ReadRows() {
  constexpr StatusCode kBad = StatusCode::INVALID_ARGUMENT;
  const auto away = StoreFails(absl::UnavailableError("secret path"));
  return {
      {"get_ok", GetWith(kNothing), StatusCode::OK, "", "", HasTransfer},
      {"get_without_name", GetWith([](auto& r) { r.clear_transfer(); }), kBad, "FIELD_REQUIRED", "transfer"},
      {"get_bad_name", GetWith([](auto& r) { r.set_transfer("calls//transfers/"); }), kBad, "INVALID_TRANSFER_NAME",
       "transfer"},
      {"get_no_call", GetWith([](auto& r) { r.set_transfer(TransferOf(kOther)); }), StatusCode::NOT_FOUND,
       "CALL_NOT_FOUND", ""},
      {"get_no_transfer", GetWith([](auto& r) { r.set_transfer(TransferOf(kCall, kOther)); }), StatusCode::NOT_FOUND,
       "TRANSFER_NOT_FOUND", "", HasTransfer},
      {"get_store_away", GetWith(kNothing), StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", "", away},
      {"get_store_throws", GetWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "", StoreThrows},
      {"list_ok", ListWith(kNothing), StatusCode::OK, "", ""},
      {"list_without_call", ListWith([](auto& r) { r.clear_call(); }), kBad, "FIELD_REQUIRED", "call"},
      {"list_bad_call", ListWith([](auto& r) { r.set_call("calls/x"); }), kBad, "INVALID_CALL_NAME", "call"},
      {"list_no_call", ListWith([](auto& r) { r.set_call(kOther); }), StatusCode::NOT_FOUND, "CALL_NOT_FOUND", ""},
      {"list_store_away", ListWith(kNothing), StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", "", away},
      {"list_store_throws", ListWith(kNothing), StatusCode::INTERNAL, "INTERNAL", "", StoreThrows},
  };
}

TEST(TransferMatrixTest, TransferCall) {
  for (const Row& row : TransferRows()) Check(row);
}
TEST(TransferMatrixTest, CancelTransfer) {
  for (const Row& row : CancelRows()) Check(row);
}
TEST(TransferMatrixTest, GetTransferAndListTransfers) {
  for (const Row& row : ReadRows()) Check(row);
}

TEST(TransfersTest, TransferCallNamesTheTransfer) {
  ServerUnderTest server;
  call::Transfer transfer;
  transfer.transfer_id = kTransferId;
  transfer.destination = "sales";
  server.control().SetTransferResult(transfer);
  v1::TransferCallRequest request = GoodTransfer();
  request.set_request_id(kTransferId);
  request.set_reason("price");
  v1::TransferCallResponse response;
  ASSERT_TRUE(Transfer(server.stub(), request, &response).ok());
  EXPECT_EQ(response.transfer().name(), absl::StrCat("calls/", kCall, "/transfers/", kTransferId));
  EXPECT_EQ(response.transfer().state(), v1::TRANSFER_STATE_REQUESTED);
  ASSERT_TRUE(Transfer(server.stub(), GoodTransfer()).ok());
  const auto transfers = server.control().transfers();
  EXPECT_EQ(transfers[0].transfer_id, kTransferId);
  EXPECT_EQ(transfers[0].reason, "price");
  EXPECT_TRUE(base::IsCanonicalUuid(transfers[1].transfer_id));
}

TEST(TransfersTest, ANumberIsHandedOnWithoutDestination) {
  ServerUnderTest server;
  v1::TransferCallRequest request;
  request.set_call(kCall);
  request.set_number("+14155550100");
  ASSERT_TRUE(Transfer(server.stub(), request).ok());
  const auto asked = server.control().transfers().at(0);
  EXPECT_EQ(asked.number, "+14155550100");
  EXPECT_EQ(asked.destination, "");
}

TEST(TransfersTest, UnknownDestinationsListThoseThatExist) {
  ServerUnderTest server;
  auto transfer = GoodTransfer();
  transfer.set_destination("nowhere");
  EXPECT_NE(Transfer(server.stub(), transfer).error_message().find("sales, support"), std::string::npos);
}

TEST(TransfersTest, BadRequestsReachNobody) {
  ServerUnderTest server;
  for (const auto& rows : {TransferRows(), CancelRows()}) {
    for (const Row& row : rows) {
      if (!row.prepare && row.code != StatusCode::OK) row.call(server.stub());
    }
  }
  EXPECT_TRUE(server.control().transfers().empty());
  EXPECT_TRUE(server.control().cancels().empty());
}

TEST(TransfersTest, CancelTransferAnswersWithWhatItIsThen) {
  ServerUnderTest server;
  call::Transfer transfer;
  transfer.transfer_id = kTransferId;
  transfer.state = call::TransferState::kFailed;
  transfer.outcome = call::TransferOutcome::kCancelled;
  server.control().SetTransferResult(transfer);
  v1::CancelTransferRequest request;
  request.set_transfer(TransferOf(kCall));
  v1::CancelTransferResponse response;
  ASSERT_TRUE(Cancel(server.stub(), request, &response).ok());
  EXPECT_EQ(server.control().cancels().at(0), std::make_pair(std::string(kCall), std::string(kTransferId)));
  EXPECT_EQ(response.transfer().name(), TransferOf(kCall));
  EXPECT_EQ(response.transfer().state(), v1::TRANSFER_STATE_FAILED);
  EXPECT_EQ(response.transfer().outcome(), v1::TRANSFER_OUTCOME_CANCELLED);
}

TEST(TransfersTest, NotCancellableSaysTheState) {
  ServerUnderTest server;
  server.control().SetTransferResult(base::MakeError(absl::StatusCode::kFailedPrecondition, "TRANSFER_NOT_CANCELLABLE",
                                                     "too late", {{"state", "connected"}}));
  v1::CancelTransferRequest request;
  request.set_transfer(TransferOf(kCall));
  server.Create(kCall);
  EXPECT_EQ(DetailsOf(Cancel(server.stub(), request)).info.metadata().at("state"), "connected");
  IsOver(call::TransferState::kCompleted, call::TransferOutcome::kBridged)(server);
  EXPECT_EQ(DetailsOf(Cancel(server.stub(), request)).info.metadata().at("state"), "completed");
}

TEST(TransfersTest, GetTransferShowsEveryNumberThatWasTried) {
  ServerUnderTest server;
  server.Create(kCall);
  Store(server);
  v1::GetTransferRequest request;
  request.set_transfer(TransferOf(kCall));
  v1::GetTransferResponse response;
  ASSERT_TRUE(Get(server.stub(), request, &response).ok());
  EXPECT_EQ(response.transfer().name(), TransferOf(kCall));
  EXPECT_EQ(response.transfer().destination(), "sales");
  ASSERT_EQ(response.transfer().attempts_size(), 2);
  EXPECT_EQ(response.transfer().attempts(0).number(), "+14155550101");
  EXPECT_EQ(response.transfer().attempts(0).outcome(), v1::TRANSFER_OUTCOME_BUSY);
  EXPECT_TRUE(response.transfer().attempts(0).has_end_time());
  EXPECT_FALSE(response.transfer().attempts(1).has_end_time());
}

TEST(TransfersTest, ListTransfersIsInTheOrderOfTheRequests) {
  ServerUnderTest server;
  server.Create(kCall);
  Store(server, kOther, kEpoch + absl::Seconds(5));
  Store(server, kTransferId, kEpoch);
  v1::ListTransfersRequest request;
  request.set_call(absl::StrCat("calls/", kCall));
  v1::ListTransfersResponse response;
  ASSERT_TRUE(List(server.stub(), request, &response).ok());
  ASSERT_EQ(response.transfers_size(), 2);
  EXPECT_EQ(response.transfers(0).name(), TransferOf(kCall));
  EXPECT_EQ(response.transfers(1).name(), TransferOf(kCall, kOther));
}

TEST(TransfersTest, TokensAreAskedForByEveryMethod) {
  ControlServerOptions options;
  options.api_tokens = {"one-token"};
  ServerUnderTest server(options);
  server.Create(kCall);
  for (const auto& call : std::vector<std::function<grpc::Status(v1::CallService::Stub&)>>{
           TransferWith(kNothing), CancelWith(kNothing), GetWith(kNothing), ListWith(kNothing)}) {
    EXPECT_EQ(DetailsOf(call(server.stub())).info.reason(), "TOKEN_MISSING");
  }
}

}  // namespace
}  // namespace callbridge::control
