#include "src/base/log.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace callbridge::base {
namespace {

std::string Text(absl::string_view call_id, absl::string_view message, const std::vector<LogField>& fields = {}) {
  return FormatLogLine(LogFormat::kText, LogKind::kCall, call_id, message, fields);
}

std::string Json(absl::string_view call_id, absl::string_view message, const std::vector<LogField>& fields = {}) {
  return FormatLogLine(LogFormat::kJson, LogKind::kCall, call_id, message, fields);
}

TEST(LogLineTest, Text) {
  EXPECT_EQ(Text("7", "answered", {{"ms", "12"}, {"to", "+1***23"}}), "📞 [7] answered ms=12 to=+1***23");
  EXPECT_EQ(Text("", "ready"), "📞 ready");
}

TEST(LogLineTest, Json) {
  EXPECT_EQ(Json("7", "answered", {{"ms", "12"}}), R"({"kind":"call","call_id":"7","msg":"answered","ms":"12"})");
  EXPECT_EQ(Json("", "ready"), R"({"kind":"call","msg":"ready"})");
}

TEST(LogLineTest, EachKindHasItsOwnEmojiAndName) {
  std::set<std::string> lines;
  for (int kind = 0; kind <= static_cast<int>(LogKind::kEnd); ++kind) {
    for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
      lines.insert(FormatLogLine(format, static_cast<LogKind>(kind), "", "x", {}));
    }
  }
  EXPECT_EQ(lines.size(), 18u);
  EXPECT_EQ(lines.count(" x"), 0u);
}

// Whatever a peer put into a value: one line, and in JSON one value.
TEST(LogLineTest, ForeignBytesStayInsideTheirField) {
  struct Row {
    const char* name;
    std::string value;
    const char* text;
    const char* json;
  };
  const Row rows[] = {
      {"newline", "a\nb", "a b", R"(a\u000ab)"},
      {"terminal escape", "a\x1b[2Jb", "a [2Jb", R"(a\u001b[2Jb)"},
      {"zero byte", std::string("a\0b", 3), "a b", R"(a\u0000b)"},
      {"quote", "a\"b", "a\"b", R"(a\"b)"},
      {"backslash", "a\\b", "a\\b", R"(a\\b)"},
      {"emoji", "😀", "😀", "😀"},
      {"umlaut", "ü€", "ü€", "ü€"},
      {"cut character", "a\xc3", "a\xc3", "a\xEF\xBF\xBD"},
      {"lone tail", "\x80z", "\x80z", "\xEF\xBF\xBDz"},
      {"overlong", "\xc0\xaf", "\xc0\xaf", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"surrogate", "\xed\xa0\x80", "\xed\xa0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"beyond Unicode", "\xf4\x90\x80\x80", "\xf4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"last of Unicode", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Text(row.value, row.value, {{"k", row.value}}),
              absl::StrCat("📞 [", row.text, "] ", row.text, " k=", row.text))
        << row.name;
    EXPECT_EQ(Json(row.value, row.value, {{"k", row.value}}),
              absl::StrCat(R"({"kind":"call","call_id":")", row.json, R"(","msg":")", row.json, R"(","k":")", row.json,
                           "\"}"))
        << row.name;
  }
}

// Lines of all threads come out whole, each thread's in its order, and a flush waits for them.
TEST(LogTest, LinesAreWholeAndInOrder) {
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      for (int i = 0; i < 100; ++i) Log(LogKind::kCall, absl::StrCat("t", thread), "step", {{"n", absl::StrCat(i)}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  FlushLog();
  const std::vector<std::string> lines =
      absl::StrSplit(testing::internal::GetCapturedStderr(), '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 400u);
  for (int thread = 0; thread < 4; ++thread) {
    int next = 0;
    for (const std::string& line : lines) {
      // "12:00:00.000 📞 [t0] step n=7"
      if (line.find(absl::StrCat("[t", thread, "]")) == std::string::npos) continue;
      EXPECT_EQ(line.substr(line.find("📞")), absl::StrCat("📞 [t", thread, "] step n=", next)) << line;
      ++next;
    }
    EXPECT_EQ(next, 100);
  }
}

TEST(LogTest, JsonLinesBeginWithTheTime) {
  testing::internal::CaptureStderr();
  SetLogFormat(LogFormat::kJson);
  Log(LogKind::kEnd, "7", "over");
  FlushLog();
  SetLogFormat(LogFormat::kText);
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.rfind("{\"ts\":\"20", 0), 0u) << line;
  EXPECT_NE(line.find("Z\",\"kind\":\"end\",\"call_id\":\"7\",\"msg\":\"over\"}\n"), std::string::npos) << line;
}

TEST(LogTest, Silenced) {
  testing::internal::CaptureStderr();
  SetLogEnabled(false);
  Log(LogKind::kCall, "", "unheard");
  SetLogEnabled(true);
  FlushLog();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace callbridge::base
