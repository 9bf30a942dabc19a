// ListCallEvents: the log page by page, in the order in which CallEvents shows it.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;

class EventPagesTest : public ::testing::Test {
 protected:
  grpc::Status List(const v1::ListCallEventsRequest& request, v1::ListCallEventsResponse* response) {
    grpc::ClientContext context;
    return server_.stub().ListCallEvents(&context, request, response);
  }
  // "call:sequence" of all pages.
  std::vector<std::string> ReadAll(v1::ListCallEventsRequest request, int* pages = nullptr) {
    std::vector<std::string> seen;
    for (int page = 1; page < 100; ++page) {
      v1::ListCallEventsResponse response;
      const grpc::Status status = List(request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      for (const v1::CallEvent& event : response.events()) {
        seen.push_back(absl::StrCat(event.call().substr(6, 1), ":", event.sequence()));
      }
      last_cursor_ = response.cursor();
      if (pages != nullptr) *pages = page;
      if (response.next_page_token().empty() || !status.ok()) break;
      request.set_page_token(response.next_page_token());
    }
    return seen;
  }
  void ExpectError(const v1::ListCallEventsRequest& request, StatusCode code, const std::string& reason,
                   const std::string& field = "") {
    v1::ListCallEventsResponse response;
    const grpc::Status status = List(request, &response);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    const Details details = DetailsOf(status);
    EXPECT_EQ(details.info.reason(), reason);
    ASSERT_EQ(details.bad_request.field_violations_size(), field.empty() ? 0 : 1);
    if (!field.empty()) {
      EXPECT_EQ(details.bad_request.field_violations(0).field(), field);
    }
  }

  void SetUp() override {
    server_.Create(kCall);
    server_.Create(kOther, absl::Seconds(1));
    server_.Add(kCall, 2);
    server_.Add(kOther, 2, call::CallerReturned{});
    server_.Add(kCall, 3);
  }

  ServerUnderTest server_;
  std::string last_cursor_;
};

TEST_F(EventPagesTest, AllCallsInTheOrderOfTheLog) {
  v1::ListCallEventsRequest request;
  EXPECT_EQ(ReadAll(request), (std::vector<std::string>{"1:1", "9:1", "1:2", "9:2", "1:3"}));
  request.set_page_size(2);
  int pages = 0;
  EXPECT_EQ(ReadAll(request, &pages), (std::vector<std::string>{"1:1", "9:1", "1:2", "9:2", "1:3"}));
  EXPECT_EQ(pages, 3);
}

TEST_F(EventPagesTest, OneCall) {
  v1::ListCallEventsRequest request;
  request.set_call(absl::StrCat("calls/", kCall));
  request.set_page_size(2);
  EXPECT_EQ(ReadAll(request), (std::vector<std::string>{"1:1", "1:2", "1:3"}));
}

TEST_F(EventPagesTest, SomeTypes) {
  v1::ListCallEventsRequest request;
  request.add_event_types("caller_returned");
  EXPECT_EQ(ReadAll(request), (std::vector<std::string>{"9:2"}));
  request.set_call(absl::StrCat("calls/", kCall));
  EXPECT_TRUE(ReadAll(request).empty());
}

TEST_F(EventPagesTest, TheCursorIsWhereToGoOn) {
  v1::ListCallEventsRequest request;
  request.add_event_types("caller_returned");
  ReadAll(request);
  server_.Add(kOther, 3, call::CallerReturned{});
  request.set_page_token(last_cursor_);
  EXPECT_EQ(ReadAll(request), (std::vector<std::string>{"9:3"}));
  EXPECT_TRUE(ReadAll(request).size() == 1) << "the same question, the same answer";
  // For a stream, too, and of another call.
  v1::CallEventsRequest events;
  events.set_after_cursor(last_cursor_);
  grpc::ClientContext context;
  const auto reader = server_.stub().CallEvents(&context, events);
  v1::CallEventsResponse message;
  while (reader->Read(&message) && !message.has_caught_up()) EXPECT_FALSE(message.has_event());
  EXPECT_TRUE(message.has_caught_up());
  context.TryCancel();
  reader->Finish();
}

TEST_F(EventPagesTest, APageOfARareTypeEndsSomewhere) {
  for (int i = 4; i < 1300; ++i) server_.Add(kCall, i);
  server_.Add(kCall, 1300, call::CallerReturned{});
  v1::ListCallEventsRequest request;
  request.set_call(absl::StrCat("calls/", kCall));
  request.add_event_types("caller_returned");
  EXPECT_EQ(ReadAll(request), (std::vector<std::string>{"1:1300"}));
}

TEST_F(EventPagesTest, BadQuestions) {
  v1::ListCallEventsRequest request;
  request.set_page_token("x");
  ExpectError(request, StatusCode::INVALID_ARGUMENT, "PAGE_TOKEN_INVALID", "page_token");
  request.set_page_token("");
  request.set_page_size(-1);
  ExpectError(request, StatusCode::INVALID_ARGUMENT, "INVALID_PAGE_SIZE", "page_size");
  request.set_page_size(0);
  request.add_event_types("nonsense");
  ExpectError(request, StatusCode::INVALID_ARGUMENT, "UNKNOWN_EVENT_TYPE", "event_types[0]");
  request.clear_event_types();
  request.set_call("calls/77777777-2222-4333-8444-555555555555");
  ExpectError(request, StatusCode::NOT_FOUND, "CALL_NOT_FOUND");
}

TEST_F(EventPagesTest, ACursorFromBeyondTheLogIsNone) {
  ServerUnderTest other;
  other.Create(kCall);
  v1::ListCallEventsRequest request;
  ReadAll(request);
  request.set_page_token(last_cursor_);
  grpc::ClientContext context;
  v1::ListCallEventsResponse response;
  const grpc::Status status = other.stub().ListCallEvents(&context, request, &response);
  EXPECT_EQ(DetailsOf(status).info.reason(), "PAGE_TOKEN_INVALID") << status.error_message();
}

TEST_F(EventPagesTest, WhatWasPurgedIsSaid) {
  v1::ListCallEventsRequest request;
  request.set_page_size(1);
  v1::ListCallEventsResponse first;
  ASSERT_TRUE(List(request, &first).ok());
  server_.End(kCall, 4);
  server_.End(kOther, 3);
  store::Retention keep;
  keep.events = kEpoch + absl::Hours(1);
  ASSERT_TRUE(server_.store().Purge(keep, 100).ok());
  request.set_page_token(first.next_page_token());
  ExpectError(request, StatusCode::OUT_OF_RANGE, "CURSOR_EXPIRED");
  request.clear_page_token();
  EXPECT_TRUE(ReadAll(request).empty()) << "from the oldest that is kept";
}

}  // namespace
}  // namespace callbridge::control
