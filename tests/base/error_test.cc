#include "src/base/error.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace callbridge::base {
namespace {

using Metadata = std::map<std::string, std::string>;

TEST(ErrorTest, CarriesReasonAndMetadata) {
  const Metadata metadata = {{"call_id", "7"}, {"empty", ""}};
  const absl::Status status = MakeError(absl::StatusCode::kNotFound, "NO_SUCH_CALL", "there is no call 7", metadata);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "there is no call 7");
  const ErrorInfo info = GetErrorInfo(status);
  EXPECT_EQ(info.reason, "NO_SUCH_CALL");
  EXPECT_EQ(info.field, "");
  EXPECT_EQ(info.metadata, metadata);
}

TEST(ErrorTest, FieldErrorNamesTheField) {
  const absl::Status status = FieldError("to", "BAD_NUMBER", "must be E.164, such as +14155550123");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "to: must be E.164, such as +14155550123");
  const ErrorInfo info = GetErrorInfo(status);
  EXPECT_EQ(info.field, "to");
  EXPECT_EQ(info.reason, "BAD_NUMBER");
  EXPECT_EQ(info.metadata, Metadata());
}

// Values may be what a peer sent.
TEST(ErrorTest, AnyByteSurvives) {
  const Metadata metadata = {{"a", std::string("x\0y\0", 4)}, {"b:1", ":3:"}, {std::string("\0", 1), "1"}};
  const ErrorInfo info = GetErrorInfo(MakeError(absl::StatusCode::kInternal, "R", "m", metadata));
  EXPECT_EQ(info.reason, "R");
  EXPECT_EQ(info.metadata, metadata);
}

TEST(ErrorTest, OtherStatusesHaveNone) {
  EXPECT_EQ(GetErrorInfo(absl::OkStatus()).reason, "");
  EXPECT_EQ(GetErrorInfo(absl::NotFoundError("x")).reason, "");
}

TEST(ErrorTest, ARetryDelayTravelsWithIt) {
  EXPECT_FALSE(GetRetryDelay(absl::NotFoundError("x")));
  const absl::Status status = MakeError(absl::StatusCode::kUnavailable, "R", "m");
  EXPECT_EQ(GetRetryDelay(WithRetryDelay(status, absl::Microseconds(1500))), absl::Milliseconds(2));
  EXPECT_EQ(GetRetryDelay(WithRetryDelay(status, absl::Seconds(-1))), absl::ZeroDuration());
  EXPECT_EQ(GetErrorInfo(WithRetryDelay(status, absl::Seconds(1))).reason, "R");
}

}  // namespace
}  // namespace callbridge::base
