#include "src/plivo/xml.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "expat.h"
#include "gtest/gtest.h"

namespace callbridge::plivo {
namespace {

constexpr char kDeclaration[] = R"(<?xml version="1.0" encoding="UTF-8"?>)";

AnswerXml Answer() {
  AnswerXml answer;
  answer.stream_url = "wss://bridge.example.com/media-stream?c=1&t=2";
  answer.status_callback_url = "https://bridge.example.com/stream-status";
  answer.redirect_url = "https://bridge.example.com/after?a=1&b=2";
  answer.extra_headers = {{"sid", "abc123"}, {"lang", "en"}};
  return answer;
}

DialXml Dial() {
  DialXml dial;
  dial.to = "+14155550142";
  dial.caller_id = "+14155550199";
  dial.time_limit_seconds = 3600;
  dial.action_url = "https://bridge.example.com/transfer-done/t1";
  dial.callback_url = "https://bridge.example.com/dial-progress";
  return dial;
}

// A document as a strict parser of somebody else sees it: one line per element with its attributes by name, then its
// text.
std::string Seen(const std::string& xml) {
  struct State {
    std::string lines;
  } state;
  XML_Parser parser = XML_ParserCreate(nullptr);
  XML_SetUserData(parser, &state);
  XML_SetElementHandler(
      parser,
      [](void* data, const XML_Char* name, const XML_Char** attributes) {
        auto& lines = static_cast<State*>(data)->lines;
        absl::StrAppend(&lines, "<", name, ">");
        std::map<std::string, std::string> sorted;
        for (; *attributes != nullptr; attributes += 2) sorted[attributes[0]] = attributes[1];
        for (const auto& [key, value] : sorted) absl::StrAppend(&lines, " ", key, "=", value);
        lines += "\n";
      },
      [](void* data, const XML_Char* name) { absl::StrAppend(&static_cast<State*>(data)->lines, "</", name, ">\n"); });
  XML_SetCharacterDataHandler(parser, [](void* data, const XML_Char* text, int length) {
    static_cast<State*>(data)->lines.append(text, length);
  });
  const bool ok = XML_Parse(parser, xml.data(), static_cast<int>(xml.size()), 1) == XML_STATUS_OK;
  XML_ParserFree(parser);
  return ok ? state.lines : "not well-formed: " + xml;
}

TEST(XmlTest, Answer) {
  const auto xml = FormatXml(Answer());
  ASSERT_TRUE(xml.ok()) << xml.status();
  EXPECT_EQ(*xml, absl::StrCat(
                      kDeclaration,
                      R"(<Response><Stream bidirectional="true" keepCallAlive="true" audioTrack="inbound" )"
                      R"(contentType="audio/x-mulaw;rate=8000" streamTimeout="86400" )"
                      R"(statusCallbackUrl="https://bridge.example.com/stream-status" statusCallbackMethod="POST" )"
                      R"(extraHeaders="sid=abc123,lang=en">wss://bridge.example.com/media-stream?c=1&amp;t=2</Stream>)"
                      R"(<Redirect method="POST">https://bridge.example.com/after?a=1&amp;b=2</Redirect></Response>)"));
}

TEST(XmlTest, AnswerAsAParserSeesIt) {
  EXPECT_EQ(Seen(FormatXml(Answer()).value()),
            "<Response>\n"
            "<Stream> audioTrack=inbound bidirectional=true contentType=audio/x-mulaw;rate=8000 "
            "extraHeaders=sid=abc123,lang=en "
            "keepCallAlive=true statusCallbackMethod=POST statusCallbackUrl=https://bridge.example.com/stream-status "
            "streamTimeout=86400\n"
            "wss://bridge.example.com/media-stream?c=1&t=2</Stream>\n"
            "<Redirect> method=POST\n"
            "https://bridge.example.com/after?a=1&b=2</Redirect>\n"
            "</Response>\n");
}

TEST(XmlTest, AnswerWithLittle) {
  AnswerXml answer;
  answer.stream_url = "ws://127.0.0.1:8080/m";
  answer.stream_timeout_seconds = 60;
  EXPECT_EQ(
      FormatXml(answer).value(),
      absl::StrCat(
          kDeclaration,
          R"(<Response><Stream bidirectional="true" keepCallAlive="true" audioTrack="inbound" )"
          R"(contentType="audio/x-mulaw;rate=8000" streamTimeout="60">ws://127.0.0.1:8080/m</Stream></Response>)"));
}

TEST(XmlTest, DialNumber) {
  EXPECT_EQ(FormatXml(Dial()).value(),
            absl::StrCat(kDeclaration,
                         R"(<Response><Dial callerId="+14155550199" timeout="25" timeLimit="3600" )"
                         R"(action="https://bridge.example.com/transfer-done/t1" method="POST" redirect="true" )"
                         R"(callbackUrl="https://bridge.example.com/dial-progress" callbackMethod="POST">)"
                         R"(<Number>+14155550142</Number></Dial></Response>)"));
}

TEST(XmlTest, DialThatAsksForAKey) {
  DialXml dial = Dial();
  dial.confirm_sound_url = "https://bridge.example.com/whisper/t1?target=0&transfer=x";
  dial.confirm_key = "#";
  dial.confirm_timeout_seconds = 20;
  const std::string xml = FormatXml(dial).value();
  EXPECT_TRUE(absl::StrContains(
      xml, R"( confirmSound="https://bridge.example.com/whisper/t1?target=0&amp;transfer=x" confirmKey="#" )"
           R"(confirmTimeout="20">)"))
      << xml;
  dial.confirm_key = "";
  EXPECT_FALSE(absl::StrContains(FormatXml(dial).value(), "confirmKey")) << "only something to hear";
}

TEST(XmlTest, Speak) {
  EXPECT_EQ(FormatXml(SpeakXml{"A call & a \"key\""}).value(),
            absl::StrCat(kDeclaration, "<Response><Speak>A call &amp; a &quot;key&quot;</Speak></Response>"));
  EXPECT_FALSE(FormatXml(SpeakXml{""}).ok());
  EXPECT_FALSE(FormatXml(SpeakXml{std::string(3001, 'a')}).ok());
}

TEST(XmlTest, DialSipWithRedirectBehind) {
  DialXml dial = Dial();
  dial.to = "sip:agent&1@phone.plivo.com";
  dial.caller_id = "";
  dial.callback_url = "";
  dial.action_continues = false;
  dial.redirect_url = "https://bridge.example.com/next";
  EXPECT_EQ(
      Seen(FormatXml(dial).value()),
      "<Response>\n"
      "<Dial> action=https://bridge.example.com/transfer-done/t1 method=POST redirect=false timeLimit=3600 timeout=25\n"
      "<User>\n"
      "sip:agent&1@phone.plivo.com</User>\n"
      "</Dial>\n"
      "<Redirect> method=POST\n"
      "https://bridge.example.com/next</Redirect>\n"
      "</Response>\n");
}

TEST(XmlTest, HangupAndEmpty) {
  EXPECT_EQ(FormatXml(HangupXml{}).value(), absl::StrCat(kDeclaration, "<Response><Hangup/></Response>"));
  EXPECT_EQ(FormatXml(HangupXml{"rejected"}).value(),
            absl::StrCat(kDeclaration, R"(<Response><Hangup reason="rejected"/></Response>)"));
  EXPECT_EQ(FormatXml(HangupXml{"busy"}).value(),
            absl::StrCat(kDeclaration, R"(<Response><Hangup reason="busy"/></Response>)"));
  EXPECT_TRUE(absl::StrContains(FormatXml(HangupXml{"tired"}).status().message(), "reason"));
  EXPECT_EQ(FormatXml(EmptyXml{}).value(), absl::StrCat(kDeclaration, "<Response/>"));
}

TEST(XmlTest, WrongAnswersNameTheField) {
  const struct {
    const char* name;
    std::function<void(AnswerXml*)> spoil;
    const char* field;
  } rows[] = {
      {"no_stream", [](AnswerXml* x) { x->stream_url = ""; }, "stream_url"},
      {"stream_scheme", [](AnswerXml* x) { x->stream_url = "https://h/p"; }, "stream_url"},
      {"stream_without_host", [](AnswerXml* x) { x->stream_url = "wss://"; }, "stream_url"},
      {"stream_with_path_only", [](AnswerXml* x) { x->stream_url = "wss:///p"; }, "stream_url"},
      {"stream_with_space", [](AnswerXml* x) { x->stream_url += " x"; }, "stream_url"},
      {"stream_with_line_break", [](AnswerXml* x) { x->stream_url += "\n"; }, "stream_url"},
      {"stream_with_utf8", [](AnswerXml* x) { x->stream_url += "\xC3\xA9"; }, "stream_url"},
      {"stream_with_nul", [](AnswerXml* x) { x->stream_url += '\0'; }, "stream_url"},
      {"stream_too_long", [](AnswerXml* x) { x->stream_url.append(kMaxUrlBytes, 'x'); }, "stream_url"},
      {"status_scheme", [](AnswerXml* x) { x->status_callback_url = "wss://h/p"; }, "status_callback_url"},
      {"redirect_scheme", [](AnswerXml* x) { x->redirect_url = "/after"; }, "redirect_url"},
      {"no_timeout", [](AnswerXml* x) { x->stream_timeout_seconds = 0; }, "stream_timeout_seconds"},
      {"long_timeout", [](AnswerXml* x) { x->stream_timeout_seconds = 86401; }, "stream_timeout_seconds"},
      {"header_value_with_hyphen",
       [](AnswerXml* x) {
         x->extra_headers = {{"sid", "a-b"}};
       },
       "extra_headers"},
      {"header_name_with_quote",
       [](AnswerXml* x) {
         x->extra_headers = {{"a\"", "b"}};
       },
       "extra_headers"},
      {"header_without_name",
       [](AnswerXml* x) {
         x->extra_headers = {{"", "b"}};
       },
       "extra_headers"},
      {"header_without_value",
       [](AnswerXml* x) {
         x->extra_headers = {{"a", ""}};
       },
       "extra_headers"},
      {"header_with_comma",
       [](AnswerXml* x) {
         x->extra_headers = {{"a", "b,c=d"}};
       },
       "extra_headers"},
      {"headers_too_long",
       [](AnswerXml* x) {
         x->extra_headers = {{"a", std::string(511, 'x')}};
       },
       "extra_headers"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    AnswerXml answer = Answer();
    row.spoil(&answer);
    const auto xml = FormatXml(answer);
    ASSERT_TRUE(absl::IsInvalidArgument(xml.status()));
    EXPECT_TRUE(absl::StartsWith(xml.status().message(), absl::StrCat(row.field, ":"))) << xml.status();
  }
}

TEST(XmlTest, LimitsAreReached) {
  AnswerXml answer = Answer();
  answer.stream_url.append(kMaxUrlBytes - answer.stream_url.size(), 'x');
  answer.extra_headers = {{"a", std::string(510, 'x')}};
  EXPECT_TRUE(FormatXml(answer).ok()) << FormatXml(answer).status();
}

TEST(XmlTest, WrongDialsNameTheField) {
  const struct {
    const char* name;
    std::function<void(DialXml*)> spoil;
    const char* field;
  } rows[] = {
      {"no_target", [](DialXml* x) { x->to = ""; }, "to"},
      {"target_without_plus", [](DialXml* x) { x->to = "14155550142"; }, "to"},
      {"target_with_words", [](DialXml* x) { x->to = "+1415CALLME"; }, "to"},
      {"two_targets", [](DialXml* x) { x->to = "sip:a@h<sip:b@h"; }, "to"},
      {"sip_without_host", [](DialXml* x) { x->to = "sip:agent"; }, "to"},
      {"sip_with_space", [](DialXml* x) { x->to = "sip:a b@h"; }, "to"},
      {"caller_id", [](DialXml* x) { x->caller_id = "Support"; }, "caller_id"},
      {"short_timeout", [](DialXml* x) { x->timeout_seconds = 4; }, "timeout_seconds"},
      {"long_timeout", [](DialXml* x) { x->timeout_seconds = 121; }, "timeout_seconds"},
      {"time_limit", [](DialXml* x) { x->time_limit_seconds = 0; }, "time_limit_seconds"},
      {"no_action", [](DialXml* x) { x->action_url = ""; }, "action_url"},
      {"callback", [](DialXml* x) { x->callback_url = "ftp://h"; }, "callback_url"},
      {"redirect", [](DialXml* x) { x->redirect_url = "h"; }, "redirect_url"},
      {"confirm_sound", [](DialXml* x) { x->confirm_sound_url = "h"; }, "confirm_sound_url"},
      {"key_without_sound", [](DialXml* x) { x->confirm_key = "1"; }, "confirm_sound_url"},
      {"two_keys", [](DialXml* x) { x->confirm_sound_url = x->action_url, x->confirm_key = "12"; }, "confirm_key"},
      {"no_key", [](DialXml* x) { x->confirm_sound_url = x->action_url, x->confirm_key = "A"; }, "confirm_key"},
      {"confirm_timeout",
       [](DialXml* x) {
         x->confirm_sound_url = x->action_url, x->confirm_key = "1";
         x->confirm_timeout_seconds = 0;
       },
       "confirm_timeout_seconds"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    DialXml dial = Dial();
    row.spoil(&dial);
    const auto xml = FormatXml(dial);
    ASSERT_TRUE(absl::IsInvalidArgument(xml.status()));
    EXPECT_TRUE(absl::StartsWith(xml.status().message(), absl::StrCat(row.field, ":"))) << xml.status();
  }
}

TEST(XmlTest, WriterEscapesWhereverTextStands) {
  XmlWriter xml;
  const std::string odd = "a&b<c>d\"e'f\xC3\xA9 \xF0\x9F\x93\x9E ]]>";
  const auto document = xml.Open("A").Attribute("k", odd).Text(odd).Close().Finish();
  ASSERT_TRUE(document.ok());
  EXPECT_TRUE(absl::StrContains(*document, "a&amp;b&lt;c&gt;d&quot;e&apos;f\xC3\xA9"));
  EXPECT_EQ(Seen(*document), absl::StrCat("<A> k=", odd, "\n", odd, "</A>\n"));
}

TEST(XmlTest, WriterRefusesWhatXmlCannotHold) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    const bool fine = byte >= 0x20 && byte < 0x7F;
    XmlWriter in_text;
    EXPECT_EQ(in_text.Open("A").Text(text).Close().Finish().ok(), fine) << byte;
    XmlWriter in_attribute;
    const auto document = in_attribute.Open("A").Attribute("key", text).Close().Finish();
    EXPECT_EQ(document.ok(), fine) << byte;
    if (!fine) {
      EXPECT_TRUE(absl::StrContains(document.status().message(), "key"));
    }
  }
  for (const char* text : {"\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xED\xA0\x80"}) {
    XmlWriter xml;
    EXPECT_TRUE(absl::IsInvalidArgument(xml.Open("A").Text(text).Close().Finish().status()));
  }
}

TEST(XmlTest, WriterNoticesUnbalancedElements) {
  XmlWriter open;
  EXPECT_TRUE(absl::IsInternal(open.Open("A").Finish().status()));
  XmlWriter closed;
  EXPECT_TRUE(absl::IsInternal(closed.Open("A").Close().Close().Finish().status()));
  XmlWriter nothing;
  EXPECT_TRUE(absl::IsInternal(nothing.Finish().status()));
}

}  // namespace
}  // namespace callbridge::plivo
