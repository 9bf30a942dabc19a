// StreamTranscript over a real connection.

#include "src/control/transcript_stream.h"

#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;
using Items = std::vector<std::string>;

// One client's stream, read step by step.
class Stream {
 public:
  explicit Stream(ServerUnderTest& server, v1::TranscriptView view = v1::TRANSCRIPT_VIEW_UNSPECIFIED,
                  const std::string& call = absl::StrCat("calls/", kCall)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::StreamTranscriptRequest request;
    request.set_call(call);
    request.set_view(view);
    reader_ = server.stub().StreamTranscript(&context_, request);
  }

  // Empty at the end.
  v1::StreamTranscriptResponse Next() {
    v1::StreamTranscriptResponse message;
    if (!reader_->Read(&message)) message.Clear();
    return message;
  }
  // The next `count` items as "id:heard|generated", heartbeats skipped; fewer at the end.
  Items NextItems(int count) {
    Items items;
    while (static_cast<int>(items.size()) < count) {
      const auto message = Next();
      if (message.message_case() == v1::StreamTranscriptResponse::MESSAGE_NOT_SET) break;
      if (!message.has_item()) continue;
      const v1::TranscriptItem& item = message.item();
      items.push_back(absl::StrCat(item.item_id(), ":", item.text_heard(), "|", item.text_generated()));
    }
    return items;
  }
  grpc::Status Finish() { return reader_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::StreamTranscriptResponse>> reader_;
};

class TranscriptStreamTest : public ::testing::Test {
 protected:
  ServerUnderTest& Server(ControlServerOptions options = {}) {
    server_ = std::make_unique<ServerUnderTest>(std::move(options));
    server_->Create(kCall);
    return *server_;
  }
  // As a call records an item: with its event.
  void Say(const std::string& id, call::Role role, const std::string& heard, const std::string& generated) {
    call::TranscriptItem item;
    item.item_id = id;
    item.position = 1;
    item.role = role;
    item.status = call::ItemStatus::kComplete;
    item.text_heard = heard;
    item.text_generated = generated;
    store::CallWrite write;
    write.call_id = kCall;
    write.events = {{kCall, ++sequence_, kEpoch, call::TranscriptItemFinal{item}}};
    write.transcript_items = {item};
    server_->Apply(write);
  }
  void ExpectError(Stream& stream, StatusCode code, const std::string& reason) {
    EXPECT_EQ(stream.Next().message_case(), v1::StreamTranscriptResponse::MESSAGE_NOT_SET);
    const grpc::Status status = stream.Finish();
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_EQ(DetailsOf(status).info.reason(), reason);
  }

  std::unique_ptr<ServerUnderTest> server_;
  int64_t sequence_ = 1;  // The call's own first event.
};

TEST_F(TranscriptStreamTest, ShowsWhatWasSaidThenWhatIsSaid) {
  Server();
  Say("a", call::Role::kCaller, "hello", "hello");
  Stream stream(*server_, v1::TRANSCRIPT_VIEW_BOTH);
  EXPECT_TRUE(stream.Next().has_heartbeat()) << "at once, so that the client knows that it is connected";
  EXPECT_EQ(stream.NextItems(1), Items{"a:hello|hello"});
  Say("b", call::Role::kAssistant, "good", "good day");
  EXPECT_EQ(stream.NextItems(1), Items{"b:good|good day"});
  // Only what has changed.
  Say("a", call::Role::kCaller, "hello there", "hello there");
  Say("b", call::Role::kAssistant, "good", "good day");
  Say("c", call::Role::kCaller, "yes", "yes");
  EXPECT_EQ(stream.NextItems(2), (Items{"a:hello there|hello there", "c:yes|yes"}));
}

TEST_F(TranscriptStreamTest, ShowsTheViewThatWasAskedFor) {
  Server();
  Say("a", call::Role::kAssistant, "good", "good day");
  Say("b", call::Role::kAssistant, "", "never heard");
  Say("c", call::Role::kCaller, "yes", "yes");
  Stream heard(*server_), generated(*server_, v1::TRANSCRIPT_VIEW_GENERATED);
  EXPECT_EQ(heard.NextItems(2), (Items{"a:good|", "c:yes|"}));
  EXPECT_EQ(generated.NextItems(3), (Items{"a:|good day", "b:|never heard", "c:|yes"}));
}

TEST_F(TranscriptStreamTest, EndsWithTheSummary) {
  Server();
  Stream stream(*server_);
  stream.Next();
  server_->End(kCall, ++sequence_, absl::Now());
  Say("late", call::Role::kCaller, "bye", "bye");
  EXPECT_EQ(stream.NextItems(1), Items{"late:bye|"}) << "the call is over, but not all of its text is there";
  server_->Add(kCall, ++sequence_, call::SummaryReady{});
  EXPECT_EQ(stream.NextItems(1), Items{});
  EXPECT_TRUE(stream.Finish().ok());
  Stream after(*server_);
  EXPECT_EQ(after.NextItems(9), Items{"late:bye|"});
  EXPECT_TRUE(after.Finish().ok());
}

TEST_F(TranscriptStreamTest, DoesNotWaitForASummaryForEver) {
  ControlServerOptions options;
  options.summary_wait = absl::Milliseconds(300);
  Server(options);
  Stream stream(*server_);
  stream.Next();
  server_->End(kCall, ++sequence_, absl::Now());
  EXPECT_EQ(stream.NextItems(1), Items{});
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(TranscriptStreamTest, IsNotedOnce) {
  Server();
  Stream stream(*server_);
  stream.Next();
  Say("a", call::Role::kCaller, "hello", "hello");
  stream.NextItems(1);
  const auto reads = server_->store().ListTranscriptReads(kCall, 10);
  ASSERT_TRUE(reads.ok()) << reads.status();
  EXPECT_EQ(reads->size(), 1u);
}

TEST_F(TranscriptStreamTest, WhoCannotBeNotedIsShownNothing) {
  Server();
  Say("a", call::Role::kCaller, "hello", "hello");
  server_->store().SetFault([](absl::string_view method) {
    return method == "AddTranscriptRead" ? absl::UnavailableError("away") : absl::OkStatus();
  });
  Stream stream(*server_);
  ExpectError(stream, StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE");
}

TEST_F(TranscriptStreamTest, SharesTheLimitOfStreams) {
  ControlServerOptions options;
  options.max_streams = 1;
  Server(options);
  Stream first(*server_);
  first.Next();
  Stream second(*server_);
  ExpectError(second, StatusCode::RESOURCE_EXHAUSTED, "STREAM_LIMIT");
}

TEST_F(TranscriptStreamTest, EndsWithTheServer) {
  Server();
  Stream stream(*server_);
  stream.Next();
  server_->server().Shutdown(absl::Seconds(5));
  ExpectError(stream, StatusCode::UNAVAILABLE, "SHUTTING_DOWN");
}

TEST_F(TranscriptStreamTest, RefusesAViewThatIsNone) {
  Server();
  Stream stream(*server_, static_cast<v1::TranscriptView>(77));
  ExpectError(stream, StatusCode::INVALID_ARGUMENT, "INVALID_VIEW");
}

// --- Words before they are items

// Deltas and items as they come, "id+words" and "id:generated".
class WordsTest : public TranscriptStreamTest {
 protected:
  WordsTest() {
    Server();
    Say("first", call::Role::kCaller, "hello", "hello");
  }
  // Begun: the words that are said from now on are for it.
  std::unique_ptr<Stream> Begin(v1::TranscriptView view) {
    auto stream = std::make_unique<Stream>(*server_, view);
    EXPECT_EQ(stream->NextItems(1).size(), 1u);
    return stream;
  }
  void Publish(const std::string& id, size_t offset, const std::string& text,
               call::Role role = call::Role::kAssistant) {
    server_->speech().Publish(kCall, id, role, offset, text);
  }
  // The next message that is no heartbeat.
  static std::string Next(Stream& stream) {
    while (true) {
      const auto message = stream.Next();
      if (message.has_delta()) {
        const bool callers = message.delta().item_id().rfind("caller", 0) == 0;
        EXPECT_EQ(message.delta().role(), callers ? v1::SPEAKER_ROLE_CALLER : v1::SPEAKER_ROLE_ASSISTANT);
        return absl::StrCat(message.delta().item_id(), "+", message.delta().text());
      }
      if (message.has_item()) return absl::StrCat(message.item().item_id(), ":", message.item().text_generated());
      if (!message.has_heartbeat()) return "end";
    }
  }
  // The words of the next deltas, until there are so many bytes.
  static std::string NextWords(Stream& stream, const std::string& id, size_t bytes) {
    std::string words;
    while (words.size() < bytes) {
      const std::string next = Next(stream);
      if (next.rfind(id + "+", 0) != 0) return absl::StrCat(words, "|", next);
      words += next.substr(id.size() + 1);
    }
    return words;
  }
};

TEST_F(WordsTest, ComeAsTheyAreSaidAndTheItemTakesTheirPlace) {
  for (const auto view : {v1::TRANSCRIPT_VIEW_BOTH, v1::TRANSCRIPT_VIEW_GENERATED}) {
    const std::string id = absl::StrCat("b", view);
    const auto stream = Begin(view);
    // The item of the round before.
    if (view == v1::TRANSCRIPT_VIEW_GENERATED) {
      EXPECT_EQ(stream->NextItems(1).size(), 1u);
    }
    Publish(id, 0, "Good ");
    EXPECT_EQ(Next(*stream), id + "+Good ");
    Publish(id, 5, "day");
    EXPECT_EQ(Next(*stream), id + "+day");
    Say(id, call::Role::kAssistant, "Good", "Good day, Ann");
    EXPECT_EQ(Next(*stream), id + ":Good day, Ann");
    Publish(id, 8, ", Ann");  // It was long under way.
    Publish("next", 0, "Next");
    EXPECT_EQ(Next(*stream), "next+Next") << "the item has had all";
  }
}

TEST_F(WordsTest, AreNotShownToWhoWantsWhatWasHeard) {
  const auto heard = Begin(v1::TRANSCRIPT_VIEW_HEARD);
  const auto generated = Begin(v1::TRANSCRIPT_VIEW_GENERATED);
  Publish("b", 0, "Good day");
  EXPECT_EQ(Next(*generated), "b+Good day");
  Say("b", call::Role::kAssistant, "Good", "Good day");
  EXPECT_EQ(Next(*heard), "b:") << "an item, and no word before it";
}

TEST_F(WordsTest, OfTheCallerAreShownInEveryView) {
  int round = 0;
  for (const auto view : {v1::TRANSCRIPT_VIEW_HEARD, v1::TRANSCRIPT_VIEW_GENERATED, v1::TRANSCRIPT_VIEW_BOTH}) {
    const auto stream = Begin(view);
    const std::string id = absl::StrCat("caller", round++);
    Publish(id, 0, "What", call::Role::kCaller);
    EXPECT_EQ(Next(*stream), id + "+What");
    Publish(id, 4, " time", call::Role::kCaller);
    EXPECT_EQ(Next(*stream), id + "+ time");
  }
}

TEST_F(WordsTest, AreNotShownWithAHole) {
  const auto stream = Begin(v1::TRANSCRIPT_VIEW_BOTH);
  Publish("began before", 7, "the rest");
  Publish("b", 0, "one");
  Publish("b", 9, "three");
  Publish("b", 3, "two, late");
  Publish("c", 0, "other");
  EXPECT_EQ(Next(*stream), "b+one");
  EXPECT_EQ(Next(*stream), "c+other");
  Say("b", call::Role::kAssistant, "one", "one twothree");
  EXPECT_EQ(Next(*stream), "b:one twothree") << "the item is whole";
}

TEST_F(WordsTest, CarryAnyBytesAsText) {
  const auto stream = Begin(v1::TRANSCRIPT_VIEW_BOTH);
  Publish("b", 0, "a\xff");
  EXPECT_EQ(NextWords(*stream, "b", 4), "a\xEF\xBF\xBD");
  Publish("b", 2, "b");
  EXPECT_EQ(Next(*stream), "b+b") << "offsets are the call's";
}

TEST_F(WordsTest, AReaderThatIsAwayHasSomeOfThemAndTheItem) {
  constexpr size_t kPiece = 1000;
  constexpr size_t kPieces = 4000;  // Fewer than the hub lets wait, and far more than the connection takes.
  const auto stream = Begin(v1::TRANSCRIPT_VIEW_GENERATED);
  const std::string piece(kPiece, 'x');
  for (size_t i = 0; i < kPieces; ++i) Publish("b", i * kPiece, piece);
  Publish("c", 0, "after");
  size_t bytes = 0;
  std::string next = Next(*stream);
  for (; next.rfind("b+", 0) == 0; next = Next(*stream)) bytes += next.size() - 2;
  EXPECT_EQ(next, "c+after");
  EXPECT_GT(bytes, 0u);
  EXPECT_LT(bytes, kPiece * kPieces / 2) << "what does not fit is not kept";
}

}  // namespace
}  // namespace callbridge::control
