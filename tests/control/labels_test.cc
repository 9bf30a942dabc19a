// What is the client's own in a call: given to StartCall, changed by UpdateCall, found by ListCalls.

#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/control/convert.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;

class LabelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.Create(kCall);
    server_.Create(kOther, absl::Seconds(1));
  }

  static v1::UpdateCallRequest Change(const std::map<std::string, std::string>& labels) {
    v1::UpdateCallRequest request;
    request.set_call(absl::StrCat("calls/", kCall));
    request.mutable_labels()->insert(labels.begin(), labels.end());
    request.mutable_update_mask()->add_paths("labels");
    return request;
  }
  grpc::Status Update(const v1::UpdateCallRequest& request, v1::Call* call = nullptr) {
    grpc::ClientContext context;
    v1::UpdateCallResponse response;
    const grpc::Status status = server_.stub().UpdateCall(&context, request, &response);
    if (call != nullptr) *call = response.call();
    return status;
  }
  std::set<std::string> List(const v1::ListCallsRequest& request) {
    grpc::ClientContext context;
    v1::ListCallsResponse response;
    const grpc::Status status = server_.stub().ListCalls(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::set<std::string> names;
    for (const v1::Call& call : response.calls()) names.insert(call.name());
    return names;
  }
  void ExpectRefused(const grpc::Status& status, const std::string& reason, const std::string& field) {
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << status.error_message();
    const Details details = DetailsOf(status);
    EXPECT_EQ(details.info.reason(), reason);
    ASSERT_EQ(details.bad_request.field_violations_size(), 1);
    EXPECT_EQ(details.bad_request.field_violations(0).field(), field);
  }

  ServerUnderTest server_;
};

TEST_F(LabelsTest, AChangeTakesThePlaceOfWhatWasThere) {
  v1::Call call;
  ASSERT_TRUE(Update(Change({{"campaign", "spring"}}), &call).ok());
  EXPECT_EQ(call.labels().at("campaign"), "spring");
  EXPECT_EQ(call.metadata().at("crm"), "17") << "not named in the mask";
  ASSERT_TRUE(Update(Change({{"region", "west"}}), &call).ok());
  EXPECT_EQ(call.labels_size(), 1);
  v1::UpdateCallRequest both = Change({});
  both.mutable_update_mask()->add_paths("metadata");
  (*both.mutable_metadata())["crm"] = "18";
  ASSERT_TRUE(Update(both, &call).ok());
  EXPECT_EQ(call.labels_size(), 0);
  EXPECT_EQ(call.metadata().at("crm"), "18");
}

TEST_F(LabelsTest, AFilterFindsTheCallsThatHaveThemAll) {
  ASSERT_TRUE(Update(Change({{"campaign", "spring"}, {"region", "west"}})).ok());
  v1::ListCallsRequest request;
  (*request.mutable_filter()->mutable_labels())["campaign"] = "spring";
  EXPECT_EQ(List(request), std::set<std::string>{absl::StrCat("calls/", kCall)});
  (*request.mutable_filter()->mutable_labels())["region"] = "east";
  EXPECT_TRUE(List(request).empty());
}

TEST_F(LabelsTest, AFilterFindsCallsByTheirOutcome) {
  server_.End(kOther, 2);
  v1::ListCallsRequest request;
  const auto reason = server_.store().GetCall(kOther)->termination->reason;
  request.mutable_filter()->add_end_reasons(ToProto(reason));
  EXPECT_EQ(List(request), std::set<std::string>{absl::StrCat("calls/", kOther)});
  request.mutable_filter()->clear_end_reasons();
  request.mutable_filter()->add_dispositions("callback");
  EXPECT_TRUE(List(request).empty());
}

TEST_F(LabelsTest, ATokenIsGoodForItsLabelsOnly) {
  v1::ListCallsRequest request;
  request.set_page_size(1);
  grpc::ClientContext context;
  v1::ListCallsResponse response;
  ASSERT_TRUE(server_.stub().ListCalls(&context, request, &response).ok());
  request.set_page_token(response.next_page_token());
  EXPECT_EQ(List(request).size(), 1);
  (*request.mutable_filter()->mutable_labels())["campaign"] = "spring";
  grpc::ClientContext other;
  ExpectRefused(server_.stub().ListCalls(&other, request, &response), "PAGE_TOKEN_INVALID", "page_token");
}

TEST_F(LabelsTest, WordsAreShortAndPlain) {
  const std::map<std::string, std::map<std::string, std::string>> wrong = {
      {"empty key", {{"", "x"}}},
      {"empty value", {{"x", ""}}},
      {"capital", {{"Campaign", "x"}}},
      {"blank", {{"campaign", "spring 26"}}},
      {"begins with a dash", {{"campaign", "-x"}}},
      {"too long", {{"campaign", std::string(64, 'x')}}},
      {"not ASCII", {{"campaign", "fr\xC3\xBChling"}}}};
  for (const auto& [name, labels] : wrong) {
    SCOPED_TRACE(name);
    ExpectRefused(Update(Change(labels)), "INVALID_LABELS", "labels");
    v1::StartCallRequest start;
    start.mutable_call()->set_to("+14155550100");
    start.mutable_call()->mutable_labels()->insert(labels.begin(), labels.end());
    grpc::ClientContext context;
    v1::StartCallResponse response;
    ExpectRefused(server_.stub().StartCall(&context, start, &response), "INVALID_LABELS", "call.labels");
    v1::ListCallsRequest list;
    list.mutable_filter()->mutable_labels()->insert(labels.begin(), labels.end());
    grpc::ClientContext listing;
    v1::ListCallsResponse listed;
    ExpectRefused(server_.stub().ListCalls(&listing, list, &listed), "INVALID_FILTER", "filter.labels");
  }
  std::map<std::string, std::string> many;
  for (int i = 0; i < 17; ++i) many[absl::StrCat("k", i)] = "v";
  ExpectRefused(Update(Change(many)), "INVALID_LABELS", "labels");
  many.erase("k0");
  EXPECT_TRUE(Update(Change(many)).ok()) << "16";
}

TEST_F(LabelsTest, AMaskNamesWhatMayBeWritten) {
  v1::UpdateCallRequest request = Change({});
  request.mutable_update_mask()->add_paths("state");
  ExpectRefused(Update(request), "INVALID_UPDATE_MASK", "update_mask");
  request.clear_update_mask();
  ExpectRefused(Update(request), "FIELD_REQUIRED", "update_mask");
}

TEST_F(LabelsTest, AnErasedCallTakesNothingAnyMore) {
  server_.End(kCall, 2);
  server_.End(kOther, 2);
  ASSERT_TRUE(server_.store().EraseNumber("+15550001111", "test", kEpoch).ok());
  const grpc::Status status = Update(Change({{"name", "ada"}}));
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(DetailsOf(status).info.reason(), "CALL_ERASED");
}

TEST_F(LabelsTest, StartCallHandsThemOn) {
  v1::StartCallRequest request;
  request.set_request_id("aaaaaaaa-2222-4333-8444-555555555555");
  request.mutable_call()->set_to("+14155550100");
  std::set<std::string> fingerprints;
  for (const char* const campaign : {"", "spring", "autumn"}) {
    if (*campaign != '\0') (*request.mutable_call()->mutable_labels())["campaign"] = campaign;
    grpc::ClientContext context;
    v1::StartCallResponse response;
    ASSERT_TRUE(server_.stub().StartCall(&context, request, &response).ok());
    fingerprints.insert(server_.control().starts().back().key->fingerprint);
  }
  EXPECT_EQ(server_.control().starts().back().labels.at("campaign"), "autumn");
  EXPECT_EQ(fingerprints.size(), 3) << "other labels are another request";
}

}  // namespace
}  // namespace callbridge::control
