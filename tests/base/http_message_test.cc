#include "src/base/http_message.h"

#include "gtest/gtest.h"

namespace callbridge::base {
namespace {

TEST(HttpRequestTest, FindsTheFirstHeaderInAnyCase) {
  HttpRequest request;
  request.headers = {{"Host", "a"}, {"X-Id", "1"}, {"x-id", "2"}};
  EXPECT_EQ(request.Header("x-ID"), "1");
  EXPECT_EQ(request.Header("X-I"), "");
}

TEST(HttpRequestTest, SplitsTheTarget) {
  struct Row {
    const char* target;
    const char* path;
    const char* query;
  };
  for (const Row& row : {Row{"/answer", "/answer", ""}, Row{"/answer?a=1", "/answer", "a=1"},
                         Row{"/a?b?c", "/a", "b?c"}, Row{"/a?", "/a", ""}, Row{"", "", ""}}) {
    HttpRequest request;
    request.target = row.target;
    EXPECT_EQ(request.Path(), row.path) << row.target;
    EXPECT_EQ(request.Query(), row.query) << row.target;
  }
}

}  // namespace
}  // namespace callbridge::base
