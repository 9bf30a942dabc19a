#include "src/plivo/stream_message.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <new>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace {
// Counted so that a test can see that the hot path allocates nothing. Tests run on one thread.
size_t allocations = 0;
}  // namespace

// All forms that our code and its libraries use, so that none of them meets another's counterpart.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new(size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return operator new(size, std::nothrow); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace callbridge::plivo {
namespace {

using Pairs = ExtraHeaders;

constexpr char kStart[] =
    R"({"event":"start","sequenceNumber":1,)"
    R"("start":{"callId":"6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10","streamId":"b77e037d-4119-44b5-902d-25826b654539",)"
    R"("accountId":"MAXXXXXXXXXXXXXXXXXX","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}},)"
    R"("extra_headers":"sid=abc123;lang=en"})";
constexpr char kMedia[] =
    R"({"event":"media","sequenceNumber":42,"streamId":"b77e037d-4119-44b5-902d-25826b654539",)"
    R"("media":{"track":"inbound","timestamp":"1763806530123","chunk":41,"payload":"/////w=="},"extra_headers":"sid=abc123"})";
constexpr char kDtmf[] =
    R"({"event":"dtmf","sequenceNumber":57,"streamId":"S1","dtmf":{"track":"inbound","digit":"5","timestamp":"1763806533123"}})";
constexpr char kPlayed[] = R"({"event":"playedStream","sequenceNumber":90,"streamId":"S1","name":"utt-7"})";
constexpr char kCleared[] = R"({"event":"clearedAudio","sequenceNumber":91,"streamId":"S1"})";
constexpr char kStop[] = R"({"event":"stop","reason":"call ended"})";
constexpr char kFailed[] = R"({"event":"playFailed","reason":"buffer_overflow"})";
constexpr char kError[] = R"({"event":"error","reason":"invalid_content_type"})";
const char* const kSamples[] = {kStart, kMedia, kDtmf, kPlayed, kCleared, kStop, kFailed, kError};

std::string Replaced(absl::string_view text, absl::string_view from, absl::string_view to) {
  EXPECT_TRUE(absl::StrContains(text, from)) << from;
  return absl::StrReplaceAll(text, {{from, to}});
}

// Parses `text` as a message of type T, which must succeed.
template <typename T>
T ParseAs(StreamParser* parser, absl::string_view text) {
  const auto message = parser->Parse(text);
  EXPECT_TRUE(message.ok()) << message.status() << "\n" << text;
  if (!message.ok() || !std::holds_alternative<T>(*message)) {
    ADD_FAILURE() << "another message: " << text;
    return T{};
  }
  return std::get<T>(*message);
}

TEST(StreamMessageTest, Start) {
  StreamParser parser;
  const auto start = ParseAs<Start>(&parser, kStart);
  EXPECT_EQ(start.sequence, 1);
  EXPECT_EQ(start.call_id, "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10");
  EXPECT_EQ(start.stream_id, "b77e037d-4119-44b5-902d-25826b654539");
  EXPECT_EQ(start.account_id, "MAXXXXXXXXXXXXXXXXXX");
  EXPECT_EQ(start.tracks, std::vector<std::string>{"inbound"});
  EXPECT_EQ(start.encoding, "audio/x-mulaw");
  EXPECT_EQ(start.sample_rate, 8000);
  EXPECT_EQ(start.extra_headers, (Pairs{{"sid", "abc123"}, {"lang", "en"}}));
}

TEST(StreamMessageTest, StartWithLittle) {
  StreamParser parser;
  const auto start =
      ParseAs<Start>(&parser, R"({"event":"start","start":{"callId":"C","streamId":"S","accountId":null}})");
  EXPECT_EQ(start.call_id, "C");
  EXPECT_EQ(start.stream_id, "S");
  EXPECT_EQ(start.sequence, -1);
  EXPECT_EQ(start.account_id, "");
  EXPECT_TRUE(start.tracks.empty());
  EXPECT_EQ(start.encoding, "");
  EXPECT_EQ(start.sample_rate, 0);
  EXPECT_TRUE(start.extra_headers.empty());
}

TEST(StreamMessageTest, StartInOtherForms) {
  StreamParser parser;
  const auto texts = ParseAs<Start>(
      &parser, R"({"sequenceNumber":"1","event":"start","start":{"tracks":"both","callId":"C","streamId":"S",
      "mediaFormat":{"encoding":"audio/X-L16;rate=8000","sampleRate":"8000"}}})");
  EXPECT_EQ(texts.sequence, 1);
  EXPECT_EQ(texts.tracks, std::vector<std::string>{"both"});
  EXPECT_EQ(texts.encoding, "audio/x-l16");
  EXPECT_EQ(texts.sample_rate, 8000);
  EXPECT_EQ(ParseAs<Start>(&parser, R"({"event":"start","streamId":"top","start":{"callId":"C"}})").stream_id, "top");
  EXPECT_EQ(
      ParseAs<Start>(&parser, R"({"event":"start","streamId":"top","start":{"callId":"C","streamId":"in"}})").stream_id,
      "in");
  EXPECT_EQ(ParseAs<Start>(&parser, R"({"event":"start","start":{"callId":"\u0043\"","streamId":"S"}})").call_id,
            "C\"");
}

TEST(StreamMessageTest, ExtraHeadersInAllForms) {
  const struct {
    const char* name;
    absl::string_view text;
    Pairs pairs;
  } rows[] = {
      {"empty", "", {}},
      {"semicolons", "sid=abc123;lang=en", {{"sid", "abc123"}, {"lang", "en"}}},
      {"commas", "sid=abc123,lang=en", {{"sid", "abc123"}, {"lang", "en"}}},
      {"spaces", " sid = abc123 ; lang = en ", {{"sid", "abc123"}, {"lang", "en"}}},
      {"second_equals_sign", "t=a==", {{"t", "a=="}}},
      {"no_value", "a=;b=1", {{"a", ""}, {"b", "1"}}},
      {"piece_without_equals_sign", "a;b=1", {{"b", "1"}}},
      {"piece_without_key", "=a;b=1", {{"b", "1"}}},
      {"prefix", "X-PH-sid=1;x-ph-lang=en", {{"sid", "1"}, {"lang", "en"}}},
      {"prefix_only", "X-PH-=1", {}},
      {"braces", "{X-PH-sid: abc, X-PH-lang: en}", {{"sid", "abc"}, {"lang", "en"}}},
      {"braces_colon_in_value", "{u: http://h}", {{"u", "http://h"}}},
      {"braces_unclosed", "{X-PH-sid: abc", {{"sid", "abc"}}},
      {"empty_braces", "{}", {}},
      {"json", R"({"X-PH-sid":"abc","n":5,"b":true,"o":{},"z":null})", {{"sid", "abc"}, {"b", "true"}, {"n", "5"}}},
      {"garbage", ";;,,{}", {}},
  };
  for (const auto& row : rows) {
    auto got = ParseExtraHeaders(row.text);
    // A JSON object's order is not ours to promise.
    std::sort(got.begin(), got.end());
    auto expected = row.pairs;
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(got, expected) << row.name;
  }
}

TEST(StreamMessageTest, ExtraHeadersOfAStart) {
  StreamParser parser;
  const auto headers = [&parser](absl::string_view json) {
    return ParseAs<Start>(&parser, Replaced(kStart, R"("sid=abc123;lang=en")", json)).extra_headers;
  };
  EXPECT_EQ(headers(R"("{X-PH-sid: abc}")"), (Pairs{{"sid", "abc"}}));
  EXPECT_EQ(headers(R"("{}")"), Pairs{});
  EXPECT_EQ(headers(R"({"X-PH-sid":"abc"})"), (Pairs{{"sid", "abc"}}));
  EXPECT_EQ(headers(R"("{\"sid\":\"abc\"}")"), (Pairs{{"sid", "abc"}}));
  EXPECT_EQ(headers("{}"), Pairs{});
  EXPECT_EQ(headers("null"), Pairs{});
  EXPECT_EQ(headers("[1,2]"), Pairs{});
  const auto inside =
      ParseAs<Start>(&parser, R"({"event":"start","start":{"callId":"C","streamId":"S","extra_headers":"a=1"}})");
  EXPECT_EQ(inside.extra_headers, (Pairs{{"a", "1"}}));
}

TEST(StreamMessageTest, ExtraHeadersAreLimited) {
  std::string text;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, "k", i, "=v;");
  EXPECT_EQ(ParseExtraHeaders(text).size(), 64u);
}

TEST(StreamMessageTest, Media) {
  StreamParser parser;
  const auto media = ParseAs<Media>(&parser, kMedia);
  EXPECT_EQ(media.stream_id, "b77e037d-4119-44b5-902d-25826b654539");
  EXPECT_EQ(media.track, "inbound");
  EXPECT_EQ(media.timestamp_ms, 1763806530123);
  EXPECT_EQ(media.chunk, 41);
  EXPECT_EQ(media.sequence, 42);
  EXPECT_EQ(media.payload, "/////w==");
  EXPECT_EQ(media.bytes, 4);
}

TEST(StreamMessageTest, MediaInOtherForms) {
  StreamParser parser;
  const auto texts =
      ParseAs<Media>(&parser, R"({ "media" : {"payload" : "AAAA" , "chunk":"3", "timestamp":20 , "track":"outbound"} ,
                    "future":{"a":[1,{"b":"}"}]}, "streamId":"S","sequenceNumber":"9" , "event" : "media" } )");
  EXPECT_EQ(texts.payload, "AAAA");
  EXPECT_EQ(texts.bytes, 3);
  EXPECT_EQ(texts.chunk, 3);
  EXPECT_EQ(texts.timestamp_ms, 20);
  EXPECT_EQ(texts.sequence, 9);
  EXPECT_EQ(texts.track, "outbound");
  EXPECT_EQ(texts.stream_id, "S");
  const auto least = ParseAs<Media>(&parser, R"({"event":"media","media":{"payload":"AAAA","chunk":null}})");
  EXPECT_EQ(least.chunk, -1);
  EXPECT_EQ(least.timestamp_ms, -1);
  EXPECT_EQ(least.sequence, -1);
  EXPECT_EQ(least.track, "");
  EXPECT_EQ(least.stream_id, "");
}

TEST(StreamMessageTest, RareMessages) {
  StreamParser parser;
  const auto dtmf = ParseAs<Dtmf>(&parser, kDtmf);
  EXPECT_EQ(dtmf.digit, '5');
  EXPECT_EQ(dtmf.stream_id, "S1");
  for (const char digit : std::string("0123456789*#ABCD")) {
    EXPECT_EQ(ParseAs<Dtmf>(&parser, Replaced(kDtmf, "\"5\"", absl::StrCat("\"", std::string(1, digit), "\""))).digit,
              digit);
  }
  EXPECT_EQ(ParseAs<Dtmf>(&parser, Replaced(kDtmf, "\"5\"", "\"d\"")).digit, 'D');
  EXPECT_EQ(ParseAs<Dtmf>(&parser, Replaced(kDtmf, "\"5\"", "7")).digit, '7');
  EXPECT_EQ(ParseAs<PlayedStream>(&parser, kPlayed).name, "utt-7");
  EXPECT_EQ(ParseAs<PlayedStream>(&parser, R"({"event":"playedStream","name":"u\u00e9\n"})").name, "u\xC3\xA9\n");
  EXPECT_EQ(ParseAs<PlayedStream>(&parser, R"({"event":"played","streamId":"S2","name":"x"})").stream_id, "S2");
  EXPECT_EQ(ParseAs<ClearedAudio>(&parser, kCleared).stream_id, "S1");
  EXPECT_EQ(ParseAs<Stop>(&parser, kStop).reason, "call ended");
  EXPECT_EQ(ParseAs<Stop>(&parser, R"({"event":"stop"})").reason, "");
  EXPECT_EQ(ParseAs<Stop>(&parser, R"({"event":"stop","stop":{"reason":"hangup","callId":"C"}})").reason, "hangup");
  EXPECT_EQ(ParseAs<Stop>(&parser, R"({"event":"stop","stop":"hangup"})").reason, "hangup");
  EXPECT_EQ(ParseAs<PlayFailed>(&parser, kFailed).reason, "buffer_overflow");
  EXPECT_EQ(ParseAs<Error>(&parser, kError).reason, "invalid_content_type");
  EXPECT_EQ(ParseAs<Unknown>(&parser, R"({"event":"mark","media":"odd","start":[]})").event, "mark");
  EXPECT_EQ(ParseAs<Unknown>(&parser, R"({"event":"Media"})").event, "Media");
}

TEST(StreamMessageTest, ErrorsNameTheKey) {
  const struct {
    std::string text;
    const char* key;
  } rows[] = {
      {"", "message: empty"},
      {" ", "message"},
      {"hello", "message"},
      {"[]", "message"},
      {"5", "message"},
      {"null", "message"},
      {"{", "message"},
      {"{}", "event: missing"},
      {std::string(kMedia) + "{}", "message"},
      {std::string(kMedia) + "x", "message"},
      {std::string(kCleared) + "]", "message"},
      {R"({"event":5})", "event"},
      {R"({"event":""})", "event"},
      {R"({"event":null})", "event"},
      {R"({"event":"\u006dedia","media":{"payload":"AAAA"}})", "event"},
      {R"({"event":"media"})", "media: missing"},
      {R"({"event":"media","media":null})", "media: missing"},
      {R"({"event":"media","media":"AAAA"})", "media: must be an object"},
      {R"({"event":"media","media":["AAAA"]})", "media: must be an object"},
      {R"({"event":"media","media":{}})", "media.payload: missing"},
      {R"({"event":"media","media":{"payload":null}})", "media.payload: missing"},
      {R"({"event":"media","media":{"payload":""}})", "media.payload: empty"},
      {R"({"event":"media","media":{"payload":7}})", "media.payload"},
      {R"({"event":"media","media":{"payload":{"a":"AAAA"}}})", "media.payload"},
      {R"({"event":"media","payload":"AAAA","media":{}})", "media.payload: missing"},
      {Replaced(kMedia, ":41",
                ":"
                "\"4x\""),
       "media.chunk"},
      {Replaced(kMedia, ":41",
                ":"
                "-1"),
       "media.chunk"},
      {Replaced(kMedia, ":41",
                ":"
                "4.5"),
       "media.chunk"},
      {Replaced(kMedia, ":41",
                ":"
                "\"\""),
       "media.chunk"},
      {Replaced(kMedia, ":41",
                ":"
                "[41]"),
       "media.chunk"},
      {Replaced(kMedia, ":41",
                ":"
                "99999999999999999999"),
       "media.chunk"},
      {Replaced(kMedia, "\"1763806530123\"", "true"), "media.timestamp"},
      {Replaced(kMedia, ":42", ":{}"), "sequenceNumber"},
      {Replaced(kMedia, "\"inbound\"", "5"), "media.track"},
      {Replaced(kMedia, "\"inbound\"", R"("in\nbound")"), "media.track"},
      {Replaced(kMedia, "b77e037d", R"(\")"), "streamId"},
      {Replaced(kMedia, "inbound", std::string(kMaxTextBytes + 1, 'x')), "media.track: too long"},
      {R"({"event":"start"})", "start: missing"},
      {R"({"event":"start","start":5})", "start: must be an object"},
      {R"({"event":"start","start":{"streamId":"S"}})", "start.callId"},
      {R"({"event":"start","start":{"callId":"","streamId":"S"}})", "start.callId"},
      {R"({"event":"start","start":{"callId":5,"streamId":"S"}})", "start.callId"},
      {R"({"event":"start","start":{"callId":"C"}})", "start.streamId"},
      {R"({"event":"start","start":{"callId":"C","streamId":["S"]}})", "start.streamId"},
      {Replaced(kStart, "[\"inbound\"]", "[5]"), "start.tracks"},
      {Replaced(kStart, "[\"inbound\"]", "{}"), "start.tracks"},
      {Replaced(kStart, "8000", "\"fast\""), "start.mediaFormat.sampleRate"},
      {Replaced(kStart, "8000", "[[[]]]"), "start.mediaFormat.sampleRate"},
      {Replaced(kStart, "\"audio/x-mulaw\"", "5"), "start.mediaFormat.encoding"},
      {R"({"event":"start","start":{"callId":"C","streamId":"S","mediaFormat":"x"}})", "start.mediaFormat"},
      {Replaced(kStart, "MAXX", std::string(kMaxTextBytes, 'x')), "start.accountId: too long"},
      {R"({"event":"dtmf"})", "dtmf: missing"},
      {R"({"event":"dtmf","dtmf":{}})", "dtmf.digit: missing"},
      {Replaced(kDtmf, "\"5\"", "\"\""), "dtmf.digit"},
      {Replaced(kDtmf, "\"5\"", "\"55\""), "dtmf.digit"},
      {Replaced(kDtmf, "\"5\"", "\"E\""), "dtmf.digit"},
      {Replaced(kDtmf, "\"5\"", "\"\\u0000\""), "dtmf.digit"},
      {Replaced(kDtmf, "\"5\"", "[5]"), "dtmf.digit"},
      {R"({"event":"playedStream"})", "name"},
      {R"({"event":"playedStream","name":""})", "name"},
      {R"({"event":"playedStream","name":7})", "name"},
      {R"({"event":"clearedAudio","streamId":7})", "streamId"},
      {R"({"event":"stop","reason":7})", "reason"},
      {R"({"event":"stop","stop":{"reason":7}})", "stop.reason"},
      {std::string(kMaxMessageBytes + 1, ' '), "message: longer"},
      {"{\"event\":\"stop\",\"reason\":\"\xFF\"}", "message"},
      {"{\"event\":\"stop\",\"reason\":\"a\nb\"}", "message"},
  };
  StreamParser parser;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text.substr(0, 200));
    const auto message = parser.Parse(row.text);
    ASSERT_TRUE(absl::IsInvalidArgument(message.status()));
    EXPECT_TRUE(absl::StrContains(message.status().message(), absl::StrCat("stream message: ", row.key)))
        << message.status();
  }
}

// Nothing but strict base64 reaches our own JSON, and what was refused is not repeated in the message.
TEST(StreamMessageTest, PayloadsThatAreNotStrictBase64) {
  const std::string payloads[] = {
      R"(SECRETAA\")",
      R"(SECRETA\n)",
      R"(SECRETA\/)",
      R"(SECRET\u0041)",
      R"(SECRETAA\\AA)",
      "SECRET A",
      "SECRETA",
      "SECRETAA=",
      "SECRET==AAAA",
      "SECRETA-",
      "SECRETA_",
      "SECRETAA\xC3\xA9"
      "AA",
      "SECRETAAA===",
      " SECRETAA",
      "SECRETAA ",
      "====",
      "SECRET=A",
  };
  StreamParser parser;
  for (const std::string& payload : payloads) {
    SCOPED_TRACE(payload);
    const auto message = parser.Parse(Replaced(kMedia, "/////w==", payload));
    ASSERT_TRUE(absl::IsInvalidArgument(message.status()));
    EXPECT_TRUE(absl::StrContains(message.status().message(), "media.payload")) << message.status();
    EXPECT_FALSE(absl::StrContains(message.status().message(), "SECRET")) << message.status();
  }
}

TEST(StreamMessageTest, PayloadSizeIsLimited) {
  StreamParser parser;
  // 64 KiB of audio is 21845 groups of three bytes and one byte.
  const std::string most = std::string(21845 * 4, 'A') + "AA==";
  EXPECT_EQ(ParseAs<Media>(&parser, Replaced(kMedia, "/////w==", most)).bytes, static_cast<int64_t>(kMaxPayloadBytes));
  const auto message = parser.Parse(Replaced(kMedia, "/////w==", std::string(21845 * 4, 'A') + "AAA="));
  ASSERT_TRUE(absl::IsInvalidArgument(message.status()));
  EXPECT_TRUE(absl::StrContains(message.status().message(), "media.payload: longer"));
}

TEST(StreamMessageTest, DeepNestingIsHarmless) {
  StreamParser parser;
  for (const char* event : {"media", "start", "dtmf", "stop", "other"}) {
    for (const char* key : {"media", "start", "dtmf", "extra_headers", "sequenceNumber", "x"}) {
      const std::string deep = std::string(60000, '[') + std::string(60000, ']');
      const auto ignored = parser.Parse(absl::StrCat("{\"event\":\"", event, "\",\"", key, "\":", deep, "}"));
      const auto unclosed =
          parser.Parse(absl::StrCat("{\"event\":\"", event, "\",\"", key, "\":", std::string(100000, '['), "}"));
      EXPECT_FALSE(unclosed.ok());
    }
  }
  EXPECT_TRUE(parser.Parse(kMedia).ok()) << "the parser still works";
}

TEST(StreamMessageTest, EveryPrefixIsRefused) {
  StreamParser parser;
  for (const absl::string_view sample : kSamples) {
    ASSERT_TRUE(parser.Parse(sample).ok());
    for (size_t size = 0; size < sample.size(); ++size) {
      // An allocation of exactly that size, so that a sanitizer sees a read past the end.
      const std::vector<char> exact(sample.begin(), sample.begin() + size);
      EXPECT_FALSE(parser.Parse(absl::string_view(exact.data(), size)).ok()) << sample.substr(0, size);
    }
  }
}

// Whatever byte is wrong: no crash, and what is still taken for audio is safe inside a JSON string.
TEST(StreamMessageTest, EverySingleByteCorruption) {
  StreamParser parser;
  for (const absl::string_view sample : kSamples) {
    for (size_t i = 0; i < sample.size(); ++i) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(sample);
        text[i] = static_cast<char>(byte);
        const auto message = parser.Parse(text);
        if (!message.ok()) {
          ASSERT_TRUE(absl::IsInvalidArgument(message.status())) << message.status();
        } else if (const Media* media = std::get_if<Media>(&*message)) {
          ASSERT_GT(media->bytes, 0);
          ASSERT_EQ(media->payload.find_first_of("\"\\ \n\t"), absl::string_view::npos) << text;
        }
      }
    }
  }
}

TEST(StreamMessageTest, DeletedAndDoubledBytes) {
  StreamParser parser;
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text = kSamples[random() % std::size(kSamples)];
    for (int edits = 1 + random() % 4; edits > 0; --edits) {
      const size_t at = random() % text.size();
      random() % 2 == 0 ? text.erase(at, 1) : text.insert(at, 1, text[random() % text.size()]);
    }
    const auto ignored = parser.Parse(text);
  }
  EXPECT_TRUE(parser.Parse(kMedia).ok());
}

TEST(StreamMessageTest, AMediaFrameAllocatesNothing) {
  StreamParser parser;
  const std::string frame = Replaced(kMedia, "/////w==", std::string(216, 'A'));
  ASSERT_TRUE(parser.Parse(frame).ok());
  const size_t before = allocations;
  for (int i = 0; i < 100; ++i) {
    if (!parser.Parse(frame).ok()) break;
  }
  EXPECT_EQ(allocations, before);
}

TEST(StreamMessageTest, ViewsPointIntoTheParserNotTheInput) {
  StreamParser parser;
  std::string text = kMedia;
  const auto message = parser.Parse(text);
  ASSERT_TRUE(message.ok());
  text.assign(text.size(), 'x');
  EXPECT_EQ(std::get<Media>(*message).payload, "/////w==");
}

}  // namespace
}  // namespace callbridge::plivo
