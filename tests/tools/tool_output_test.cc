#include "src/tools/tool_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace callbridge::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

session::HttpTool Tool() {
  session::HttpTool tool;
  tool.name = "book";
  tool.secret_header = "Authorization";
  tool.secret = "Bearer s3cret";
  return tool;
}

ToolOutput Of(int status, const std::string& body) { return OutputOf(Tool(), web::WebResponse{status, {}, body}, 100); }

TEST(ToolOutputTest, AnAnswerIsGivenAsItIs) {
  const struct {
    const char* name;
    int status;
    std::string body;
    std::string output;
  } rows[] = {
      {"json", 200, R"({"free":[1, 2]})", R"({"free":[1, 2]})"},
      {"text", 201, "Booked.\n", "Booked.\n"},
      {"umlauts", 299, "übermorgen", "übermorgen"},
      {"longest", 200, std::string(100, 'x'), std::string(100, 'x')},
      {"no UTF-8", 200,
       "a\xff\xfe"
       "b",
       "a\xef\xbf\xbd\xef\xbf\xbd"
       "b"},
      {"cut in a character", 200, "a\xc3", "a\xef\xbf\xbd"},
      {"its secret", 200, "you sent Bearer s3cret", "you sent [secret]"},
  };
  for (const auto& row : rows) {
    const ToolOutput output = Of(row.status, row.body);
    EXPECT_TRUE(output.ok) << row.name;
    EXPECT_EQ(output.text, row.output) << row.name;
  }
  EXPECT_TRUE(Of(204, "").ok);
  EXPECT_NE(Of(204, "").text, "");
}

TEST(ToolOutputTest, WhatWentWrongIsSaidWithoutSecrets) {
  const struct {
    const char* name;
    int status;
    const char* body;
    const char* says;
    const char* hides;
  } rows[] = {
      {"a complaint about the request", 422, "the date is over; Bearer s3cret", "the date is over", "s3cret"},
      {"who we are", 401, "bad token tok_1", "refused the request (HTTP 401)", "tok_1"},
      {"what we may", 403, "role admin is missing", "HTTP 403", "admin"},
      {"how it is made", 500, "Traceback db=10.0.0.1", "not known whether anything was done", "10.0.0.1"},
      {"a redirect", 302, "over there", "redirect", "there"},
      {"nothing", 404, "", "HTTP 404", "It said"},
      {"too long", 200,
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
       "more than can be read", "xx"},
  };
  for (const auto& row : rows) {
    const ToolOutput output = Of(row.status, row.body);
    EXPECT_FALSE(output.ok) << row.name;
    EXPECT_THAT(output.text, AllOf(HasSubstr(row.says), Not(HasSubstr(row.hides)))) << row.name;
  }
  EXPECT_LT(Of(400, std::string(5'000, 'x')).text.size(), 700);
}

TEST(ToolOutputTest, WhetherItWasDoneIsSaid) {
  const struct {
    absl::Status failure;
    const char* says;
  } rows[] = {
      {absl::UnavailableError("h"), "Nothing was done"},
      {absl::InvalidArgumentError("h"), "Nothing was done"},
      {absl::DeadlineExceededError("h"), "not known whether"},
      {absl::UnknownError("h"), "not known whether"},
      {absl::CancelledError("h"), "not known whether"},
      {absl::ResourceExhaustedError("h"), "more than can be read"},
  };
  for (const auto& row : rows) {
    const ToolOutput output = OutputOf(Tool(), row.failure, 100);
    EXPECT_FALSE(output.ok) << row.failure;
    EXPECT_THAT(output.text, HasSubstr(row.says)) << row.failure;
  }
}

}  // namespace
}  // namespace callbridge::tools
