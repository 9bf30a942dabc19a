// What LeadService does, and what it says to bad requests, over a real connection.

#include <set>

#include "absl/strings/str_cat.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;

const char kPhone[] = "+14155550123";
const char kLead[] = "aaaaaaaa-2222-4333-8444-555555555555";

class LeadServiceTest : public ::testing::Test {
 protected:
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::LeadService::Stub::*)(grpc::ClientContext*, const Request&, Response*);

  template <typename Request, typename Response>
  grpc::Status Send(Method<Request, Response> method, const Request& request, Response* response) {
    grpc::ClientContext context;
    return (stub_.get()->*method)(&context, request, response);
  }

  // The lead that comes back; fails the test where none does.
  template <typename Request, typename Response>
  v1::Lead Get(Method<Request, Response> method, const Request& request) {
    Response response;
    const grpc::Status status = Send(method, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.lead();
  }

  template <typename Request, typename Response>
  void ExpectError(Method<Request, Response> method, const Request& request, StatusCode code, const std::string& reason,
                   const std::string& field = "") {
    Response response;
    const grpc::Status status = Send(method, request, &response);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    const Details details = DetailsOf(status);
    EXPECT_EQ(details.info.reason(), reason);
    ASSERT_EQ(details.bad_request.field_violations_size(), field.empty() ? 0 : 1) << status.error_message();
    if (!field.empty()) {
      EXPECT_EQ(details.bad_request.field_violations(0).field(), field);
    }
  }

  static v1::CreateLeadRequest NewLead() {
    v1::CreateLeadRequest request;
    request.set_request_id(kLead);
    request.set_phone(kPhone);
    request.set_display_name("Ada");
    (*request.mutable_metadata())["crm"] = "17";
    return request;
  }
  v1::Lead Create() { return Get(&v1::LeadService::Stub::CreateLead, NewLead()); }
  v1::Lead Read(const std::string& name = std::string("leads/") + kLead) {
    v1::GetLeadRequest request;
    request.set_lead(name);
    return Get(&v1::LeadService::Stub::GetLead, request);
  }
  static v1::UpdateLeadRequest Rename(const std::string& name) {
    v1::UpdateLeadRequest request;
    request.set_lead(std::string("leads/") + kLead);
    request.set_display_name(name);
    request.mutable_update_mask()->add_paths("display_name");
    return request;
  }

  ServerUnderTest server_;
  std::unique_ptr<v1::LeadService::Stub> stub_ = server_.NewLeadStub();
};

TEST_F(LeadServiceTest, ANewLeadIsWhatWasAskedFor) {
  const v1::Lead made = Create();
  EXPECT_EQ(made.name(), std::string("leads/") + kLead);
  EXPECT_EQ(made.phone(), kPhone);
  EXPECT_EQ(made.display_name(), "Ada");
  EXPECT_EQ(made.metadata().at("crm"), "17");
  EXPECT_EQ(made.call_status(), v1::LEAD_CALL_STATUS_NEW);
  EXPECT_FALSE(made.suppressed());
  EXPECT_FALSE(made.has_suppress_time());
  EXPECT_GT(made.create_time().seconds(), 0);
  EXPECT_NE(made.etag(), "");
  EXPECT_EQ(Read().SerializeAsString(), made.SerializeAsString());
  EXPECT_EQ(Read(kLead).name(), made.name()) << "a bare id is taken as well";
}

TEST_F(LeadServiceTest, TheSameRequestAgainIsTheSameLead) {
  const v1::Lead made = Create();
  EXPECT_EQ(Create().etag(), made.etag());
  v1::CreateLeadRequest other = NewLead();
  other.set_display_name("Eve");
  ExpectError(&v1::LeadService::Stub::CreateLead, other, StatusCode::INVALID_ARGUMENT, "REQUEST_ID_REUSED",
              "request_id");
  other.clear_request_id();
  ExpectError(&v1::LeadService::Stub::CreateLead, other, StatusCode::ALREADY_EXISTS, "LEAD_EXISTS");
}

TEST_F(LeadServiceTest, ALeadIsFoundByItsNumber) {
  const v1::Lead made = Create();
  v1::LookupLeadRequest request;
  request.set_phone(kPhone);
  EXPECT_EQ(Get(&v1::LeadService::Stub::LookupLead, request).name(), made.name());
  request.set_phone("+14155550199");
  ExpectError(&v1::LeadService::Stub::LookupLead, request, StatusCode::NOT_FOUND, "LEAD_NOT_FOUND");
  request.set_phone("14155550123");
  ExpectError(&v1::LeadService::Stub::LookupLead, request, StatusCode::INVALID_ARGUMENT, "INVALID_E164", "phone");
}

TEST_F(LeadServiceTest, AnUpdateWritesWhatItsMaskNames) {
  Create();
  v1::UpdateLeadRequest request = Rename("Grace");
  (*request.mutable_metadata())["crm"] = "18";
  v1::Lead lead = Get(&v1::LeadService::Stub::UpdateLead, request);
  EXPECT_EQ(lead.display_name(), "Grace");
  EXPECT_EQ(lead.metadata().at("crm"), "17") << "not named";
  request.mutable_update_mask()->add_paths("metadata");
  request.clear_metadata();
  lead = Get(&v1::LeadService::Stub::UpdateLead, request);
  EXPECT_TRUE(lead.metadata().empty()) << "named and empty";
  request.mutable_update_mask()->add_paths("phone");
  ExpectError(&v1::LeadService::Stub::UpdateLead, request, StatusCode::INVALID_ARGUMENT, "INVALID_UPDATE_MASK",
              "update_mask");
  request.clear_update_mask();
  ExpectError(&v1::LeadService::Stub::UpdateLead, request, StatusCode::INVALID_ARGUMENT, "FIELD_REQUIRED",
              "update_mask");
}

TEST_F(LeadServiceTest, AnEtagKeepsFromOverwriting) {
  const v1::Lead made = Create();
  v1::UpdateLeadRequest request = Rename("Grace");
  request.set_etag(made.etag());
  const v1::Lead changed = Get(&v1::LeadService::Stub::UpdateLead, request);
  EXPECT_NE(changed.etag(), made.etag());
  request.set_display_name("Eve");
  ExpectError(&v1::LeadService::Stub::UpdateLead, request, StatusCode::ABORTED, "LEAD_CHANGED");
  EXPECT_EQ(Read().display_name(), "Grace");
  request.set_etag("1");
  ExpectError(&v1::LeadService::Stub::UpdateLead, request, StatusCode::INVALID_ARGUMENT, "INVALID_ETAG", "etag");
}

TEST_F(LeadServiceTest, SuppressingKeepsReasonAndTime) {
  Create();
  v1::SuppressLeadRequest request;
  request.set_lead(std::string("leads/") + kLead);
  ExpectError(&v1::LeadService::Stub::SuppressLead, request, StatusCode::INVALID_ARGUMENT, "FIELD_REQUIRED", "reason");
  request.set_reason("asked not to be called");
  const v1::Lead suppressed = Get(&v1::LeadService::Stub::SuppressLead, request);
  EXPECT_TRUE(suppressed.suppressed());
  EXPECT_EQ(suppressed.suppress_reason(), "asked not to be called");
  EXPECT_TRUE(suppressed.has_suppress_time());
  v1::UnsuppressLeadRequest back;
  back.set_lead(request.lead());
  const v1::Lead allowed = Get(&v1::LeadService::Stub::UnsuppressLead, back);
  EXPECT_FALSE(allowed.suppressed());
  EXPECT_EQ(allowed.suppress_reason(), "");
  EXPECT_FALSE(allowed.has_suppress_time());
}

TEST_F(LeadServiceTest, PagesHoldEveryLeadOnce) {
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) {
    v1::CreateLeadRequest request;
    request.set_phone(absl::StrCat("+1415555010", i));
    made.insert(Get(&v1::LeadService::Stub::CreateLead, request).name());
  }
  v1::ListLeadsRequest request;
  request.set_page_size(2);
  std::set<std::string> seen;
  int pages = 0;
  do {
    v1::ListLeadsResponse response;
    ASSERT_TRUE(Send(&v1::LeadService::Stub::ListLeads, request, &response).ok());
    for (const v1::Lead& lead : response.leads()) EXPECT_TRUE(seen.insert(lead.name()).second);
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty() && pages < 10);
  EXPECT_EQ(seen, made);
  EXPECT_EQ(pages, 3);
}

TEST_F(LeadServiceTest, ATokenIsGoodForItsFilterOnly) {
  for (const char* const phone : {"+14155550101", "+14155550102"}) {
    v1::CreateLeadRequest request;
    request.set_phone(phone);
    Get(&v1::LeadService::Stub::CreateLead, request);
  }
  v1::ListLeadsRequest request;
  request.set_page_size(1);
  v1::ListLeadsResponse response;
  ASSERT_TRUE(Send(&v1::LeadService::Stub::ListLeads, request, &response).ok());
  request.set_page_token(response.next_page_token());
  request.mutable_filter()->set_suppressed(false);
  ExpectError(&v1::LeadService::Stub::ListLeads, request, StatusCode::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
              "page_token");
  request.clear_page_token();
  request.set_page_size(-1);
  ExpectError(&v1::LeadService::Stub::ListLeads, request, StatusCode::INVALID_ARGUMENT, "INVALID_PAGE_SIZE",
              "page_size");
  request.set_page_size(0);
  request.mutable_filter()->set_call_status(static_cast<v1::LeadCallStatus>(9));
  ExpectError(&v1::LeadService::Stub::ListLeads, request, StatusCode::INVALID_ARGUMENT, "INVALID_FILTER",
              "filter.call_status");
}

TEST_F(LeadServiceTest, AFilterLeavesOutTheRest) {
  Create();
  server_.Create(kCall);  // Makes a lead, too.
  server_.End(kCall, 2);
  v1::ListLeadsRequest request;
  request.mutable_filter()->set_call_status(v1::LEAD_CALL_STATUS_NEW);
  v1::ListLeadsResponse response;
  ASSERT_TRUE(Send(&v1::LeadService::Stub::ListLeads, request, &response).ok());
  ASSERT_EQ(response.leads_size(), 1);
  EXPECT_EQ(response.leads(0).phone(), kPhone);
}

TEST_F(LeadServiceTest, WhatACallDidSaysWhichCallItWas) {
  server_.Create(kCall);
  server_.End(kCall, 2);
  v1::LookupLeadRequest request;
  request.set_phone("+15550001111");
  const v1::Lead lead = Get(&v1::LeadService::Stub::LookupLead, request);
  EXPECT_EQ(lead.call_status(), v1::LEAD_CALL_STATUS_CALLED);
  EXPECT_EQ(lead.status_call(), std::string("calls/") + kCall);
  EXPECT_EQ(lead.last_call(), std::string("calls/") + kCall);
}

TEST_F(LeadServiceTest, ErasingTakesThePersonOutOfTheirCalls) {
  server_.Create(kCall);
  v1::EraseLeadRequest request;
  request.set_phone("+15550001111");
  ExpectError(&v1::LeadService::Stub::EraseLead, request, StatusCode::FAILED_PRECONDITION, "CALLS_NOT_OVER");
  server_.End(kCall, 2);
  v1::EraseLeadResponse response;
  ASSERT_TRUE(Send(&v1::LeadService::Stub::EraseLead, request, &response).ok());
  EXPECT_EQ(response.calls(), 1);
  EXPECT_TRUE(response.has_erase_time());
  EXPECT_EQ(server_.store().GetCall(kCall)->from, "");
  EXPECT_EQ(server_.store().ListErasures(1)->at(0).by, "a client of the open port");
  ASSERT_TRUE(Send(&v1::LeadService::Stub::EraseLead, request, &response).ok()) << "again";
  EXPECT_EQ(response.calls(), 0);
}

}  // namespace
}  // namespace callbridge::control
