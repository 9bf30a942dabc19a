// CallEvents over a real connection.

#include "src/control/event_stream.h"

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "absl/time/clock.h"
#include "src/control/cursor.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

// One client's stream, read step by step.
class Stream {
 public:
  Stream(v1::CallService::Stub& stub, const v1::CallEventsRequest& request) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    reader_ = stub.CallEvents(&context_, request);
  }

  // The next message, empty at the end.
  v1::CallEventsResponse Next() {
    v1::CallEventsResponse message;
    if (!reader_->Read(&message)) message.Clear();
    return message;
  }
  // Event messages as "call's last character:sequence" until caught_up, its own mark included.
  std::vector<std::string> UntilCaughtUp() {
    std::vector<std::string> seen;
    while (true) {
      const auto message = Next();
      if (message.message_case() == v1::CallEventsResponse::MESSAGE_NOT_SET) return seen;
      if (message.has_event())
        seen.push_back(absl::StrCat(message.event().call().back() == '5' ? "" : "?", message.event().sequence()));
      if (message.has_caught_up()) {
        cursor_ = message.caught_up().cursor();
        return seen;
      }
    }
  }
  // The next event, heartbeats skipped.
  v1::CallEvent NextEvent() {
    while (true) {
      const auto message = Next();
      if (message.has_event()) return message.event();
      if (message.message_case() == v1::CallEventsResponse::MESSAGE_NOT_SET) return {};
    }
  }
  grpc::Status Finish() {
    v1::CallEventsResponse message;
    while (reader_->Read(&message)) {
    }
    return reader_->Finish();
  }
  std::string TrailingCursor() const {
    const auto it = context_.GetServerTrailingMetadata().find("cursor");
    return it == context_.GetServerTrailingMetadata().end() ? "" : std::string(it->second.data(), it->second.size());
  }
  void Cancel() { context_.TryCancel(); }
  const std::string& cursor() const { return cursor_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::CallEventsResponse>> reader_;
  std::string cursor_;
};

using Names = std::vector<std::string>;

v1::CallEventsRequest Of(const std::string& call) {
  v1::CallEventsRequest request;
  request.set_call(call);
  return request;
}
v1::CallEventsRequest FromBeginning(const std::string& call = "") {
  v1::CallEventsRequest request = Of(call);
  request.set_from_beginning(true);
  return request;
}

TEST(EventStreamTest, FirstMessageComesAtOnce) {
  ServerUnderTest under_test;
  Stream stream(under_test.stub(), {});
  const auto first = stream.Next();
  EXPECT_TRUE(first.has_heartbeat());
  EXPECT_TRUE(ParseCursor(first.heartbeat().cursor()).has_value());
  EXPECT_TRUE(stream.Next().has_caught_up());
}

TEST(EventStreamTest, ReplaysFromTheBeginningThenFollows) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  under_test.Add(kCall, 2);
  for (const auto& request : {FromBeginning(), FromBeginning(kCall), FromBeginning(absl::StrCat("calls/", kCall))}) {
    Stream stream(under_test.stub(), request);
    EXPECT_EQ(stream.UntilCaughtUp(), (Names{"1", "2"}));
  }
  Stream all(under_test.stub(), FromBeginning());
  Stream one(under_test.stub(), FromBeginning(kCall));
  all.UntilCaughtUp();
  one.UntilCaughtUp();
  under_test.Add(kCall, 3, call::BargeIn{"item", 1500, 2000, call::HeardBasis::kEstimated});
  for (Stream* stream : {&all, &one}) {
    const auto event = stream->NextEvent();
    EXPECT_EQ(event.sequence(), 3);
    EXPECT_EQ(event.type(), "barge_in");
    EXPECT_EQ(event.call(), absl::StrCat("calls/", kCall));
    EXPECT_EQ(event.barge_in().heard_duration().seconds(), 1);
    EXPECT_EQ(event.barge_in().heard_duration().nanos(), 500'000'000);
    EXPECT_EQ(event.event_time().seconds(), absl::ToUnixSeconds(kEpoch) + 3);
  }
}

TEST(EventStreamTest, WithoutAStartOnlyWhatComes) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  Stream all(under_test.stub(), {});
  Stream one(under_test.stub(), Of(kCall));
  EXPECT_EQ(all.UntilCaughtUp(), Names());
  EXPECT_EQ(one.UntilCaughtUp(), Names());
  under_test.Add(kCall, 2);
  EXPECT_EQ(all.NextEvent().sequence(), 2);
  EXPECT_EQ(one.NextEvent().sequence(), 2);
}

TEST(EventStreamTest, StreamOfOneCallLeavesOthersOut) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  under_test.Create(kOther);
  Stream stream(under_test.stub(), FromBeginning(kCall));
  EXPECT_EQ(stream.UntilCaughtUp(), (Names{"1"}));
  under_test.Add(kOther, 2);
  under_test.Add(kCall, 2);
  const auto event = stream.NextEvent();
  EXPECT_EQ(event.call(), absl::StrCat("calls/", kCall));
}

// More than the hub's ring holds, so that the store is read in several batches and the seam to the ring is crossed.
TEST(EventStreamTest, ResumesAfterEachCursorWithoutGapOrRepeat) {
  ServerUnderTest under_test;
  constexpr int kEvents = 200;
  under_test.Create(kCall);
  for (int i = 2; i <= kEvents; ++i) under_test.Add(kCall, i);
  for (const std::string& call : {std::string(), std::string(kCall)}) {
    SCOPED_TRACE(call);
    v1::CallEventsRequest request = FromBeginning(call);
    int64_t last = 0;
    for (int round = 0; last < kEvents; ++round) {
      ASSERT_LT(round, kEvents);
      Stream stream(under_test.stub(), request);
      for (int i = 0; i < 17 && last < kEvents; ++i) {
        const auto event = stream.NextEvent();
        ASSERT_EQ(event.sequence(), last + 1);
        last = event.sequence();
        request.set_after_cursor(event.cursor());
      }
      stream.Cancel();
    }
  }
}

TEST(EventStreamTest, CursorsOfOneCallAndOfAllAreExchangeable) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  under_test.Create(kOther);
  under_test.Add(kCall, 2);
  under_test.Add(kOther, 2);
  Stream all(under_test.stub(), FromBeginning());
  all.Next();
  all.Next();
  const std::string second = all.Next().event().cursor();  // kOther's first.
  auto request = Of(kCall);
  request.set_after_cursor(second);
  EXPECT_EQ(Stream(under_test.stub(), request).UntilCaughtUp(), (Names{"2"}));
  Stream one(under_test.stub(), FromBeginning(kCall));
  one.UntilCaughtUp();
  v1::CallEventsRequest of_all;
  of_all.set_after_cursor(one.cursor());
  EXPECT_EQ(Stream(under_test.stub(), of_all).UntilCaughtUp(), (Names{"2"})) << "kOther's second, behind kCall's";
}

TEST(EventStreamTest, StartsAfterASequence) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  under_test.Add(kCall, 2);
  under_test.Add(kCall, 3);
  auto request = Of(kCall);
  request.set_after_sequence(1);
  EXPECT_EQ(Stream(under_test.stub(), request).UntilCaughtUp(), (Names{"2", "3"}));
  request.set_after_sequence(3);
  EXPECT_EQ(Stream(under_test.stub(), request).UntilCaughtUp(), Names());
}

TEST(EventStreamTest, FiltersTypesAndStillMovesItsCursor) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  under_test.Add(kCall, 2, call::StreamLost{"x"});
  under_test.Add(kCall, 3);
  auto request = FromBeginning();
  request.add_event_types("stream_lost");
  Stream stream(under_test.stub(), request);
  EXPECT_EQ(stream.UntilCaughtUp(), (Names{"2"}));
  EXPECT_EQ(ParseCursor(stream.cursor())->position, 3);
}

TEST(EventStreamTest, HeartbeatsCarryTheCursor) {
  ServerUnderTest under_test;
  v1::CallEventsRequest request;
  request.mutable_heartbeat_interval()->set_seconds(1);
  Stream stream(under_test.stub(), request);
  stream.UntilCaughtUp();
  const auto beat = stream.Next();
  ASSERT_TRUE(beat.has_heartbeat());
  under_test.Create(kCall);
  v1::CallEventsRequest resumed;
  resumed.set_after_cursor(beat.heartbeat().cursor());
  EXPECT_EQ(Stream(under_test.stub(), resumed).UntilCaughtUp(), (Names{"1"}));
}

TEST(EventStreamTest, EndsAfterTheSummary) {
  struct Row {
    const char* name;
    call::EventBody last;
  };
  for (const Row& row : {Row{"ready", call::SummaryReady{"s"}}, Row{"failed", call::SummaryFailed{"r"}}}) {
    SCOPED_TRACE(row.name);
    ServerUnderTest under_test;
    under_test.Create(kCall);
    Stream live(under_test.stub(), FromBeginning(kCall));
    auto filtered_request = Of(kCall);
    filtered_request.add_event_types("barge_in");
    Stream filtered(under_test.stub(), filtered_request);
    EXPECT_EQ(live.UntilCaughtUp(), (Names{"1"}));
    filtered.UntilCaughtUp();
    // Ended now: only the summary can be what ends the stream.
    under_test.End(kCall, 2, absl::Now());
    under_test.Add(kCall, 3, row.last);
    EXPECT_EQ(live.NextEvent().sequence(), 2);
    EXPECT_EQ(live.NextEvent().sequence(), 3);
    EXPECT_TRUE(live.Finish().ok());
    EXPECT_TRUE(filtered.Finish().ok());
    Stream behind(under_test.stub(), Of(kCall));
    EXPECT_EQ(behind.UntilCaughtUp(), Names());
    EXPECT_TRUE(behind.Finish().ok());
  }
}

TEST(EventStreamTest, EndsWithoutASummaryWhenThatHasTakenTooLong) {
  ControlServerOptions options;
  options.summary_wait = absl::Milliseconds(300);
  ServerUnderTest under_test(options);
  under_test.Create(kCall);
  Stream stream(under_test.stub(), FromBeginning(kCall));
  stream.UntilCaughtUp();
  under_test.End(kCall, 2, absl::Now());
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(Stream(under_test.stub(), FromBeginning(kCall)).UntilCaughtUp(), (Names{"1", "2"}));
}

TEST(EventStreamTest, CancelledClientsLeaveNothing) {
  ControlServerOptions options;
  options.max_streams = 3;
  ServerUnderTest under_test(options);
  under_test.Create(kCall);
  // Each round would hit the limit if one of the earlier streams were still counted.
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(Eventually([&] {
      Stream stream(under_test.stub(), FromBeginning());
      const bool open = stream.Next().has_heartbeat();
      stream.Cancel();
      return open;
    }));
    under_test.Add(kCall, round + 2);
  }
}

TEST(EventStreamTest, RefusesMoreStreamsThanAllowed) {
  ControlServerOptions options;
  options.max_streams = 1;
  ServerUnderTest under_test(options);
  Stream first(under_test.stub(), {});
  first.UntilCaughtUp();
  Stream second(under_test.stub(), {});
  const grpc::Status status = second.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(DetailsOf(status).info.reason(), "STREAM_LIMIT");
  EXPECT_TRUE(DetailsOf(status).retry);
}

TEST(EventStreamTest, ShutdownEndsStreamsWithTheirCursor) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  Stream stream(under_test.stub(), FromBeginning());
  stream.UntilCaughtUp();
  std::thread stopping([&] { under_test.server().Shutdown(absl::Seconds(5)); });
  const grpc::Status status = stream.Finish();
  stopping.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).info.reason(), "SHUTTING_DOWN");
  EXPECT_EQ(ParseCursor(stream.TrailingCursor())->position, 1);
}

TEST(EventStreamTest, AServerIsThereUntilItsLastReadIsOver) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  std::promise<void> reading, go_on;
  std::atomic<bool> began{false}, gone{false}, gone_too_early{false};
  under_test.store().SetFault([&](absl::string_view method) {
    if (method != "ReadCallEvents" || began.exchange(true)) return absl::OkStatus();
    reading.set_value();
    go_on.get_future().wait();
    gone_too_early = gone.load();
    return absl::OkStatus();
  });
  Stream stream(under_test.stub(), FromBeginning(kCall));
  reading.get_future().wait();
  std::thread end([&] {
    under_test.Destroy();
    gone = true;
  });
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE) << "the client does not wait for the store";
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // For what must not happen.
  go_on.set_value();
  end.join();
  EXPECT_FALSE(gone_too_early);
}

TEST(EventStreamTest, ADispersalEndsThoseThatAreOpenWithTheirCursor) {
  ControlServerOptions options;
  options.dispersal = absl::ZeroDuration();
  ServerUnderTest under_test(options);
  under_test.Create(kCall);
  Stream leaves(under_test.stub(), FromBeginning());
  leaves.UntilCaughtUp();
  under_test.server().DisperseStreams();
  const grpc::Status status = leaves.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).info.reason(), "SHUTTING_DOWN");
  EXPECT_TRUE(DetailsOf(status).retry);
  EXPECT_EQ(ParseCursor(leaves.TrailingCursor())->position, 1);
  // Who comes back, because there is nobody else, sees the call end.
  Stream stays(under_test.stub(), FromBeginning());
  EXPECT_EQ(stays.UntilCaughtUp(), Names({"1"}));
  under_test.End(kCall, 2);
  EXPECT_EQ(stays.NextEvent().sequence(), 2);
  stays.Cancel();
}

// Within a day none of so few streams has its moment in the first second.
TEST(EventStreamTest, ADispersalTakesItsTime) {
  ControlServerOptions options;
  options.dispersal = absl::Hours(24);
  ServerUnderTest under_test(options);
  under_test.Create(kCall);
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(std::make_unique<Stream>(under_test.stub(), FromBeginning()));
    streams.back()->UntilCaughtUp();
  }
  EXPECT_FALSE(under_test.server().IsDispersing());
  under_test.server().DisperseStreams();
  EXPECT_TRUE(under_test.server().IsDispersing()) << "whoever stops the server waits for that";
  absl::SleepFor(3 * EventStreams::Options().tick);  // Long enough for one that ends them all.
  under_test.Add(kCall, 2);
  for (const auto& stream : streams) EXPECT_EQ(stream->NextEvent().sequence(), 2);
}

TEST(EventStreamTest, AFailingStoreEndsTheStreamForARetry) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  under_test.store().SetFault([](absl::string_view) { return absl::UnavailableError("disk /secret/path"); });
  Stream stream(under_test.stub(), FromBeginning(kCall));
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).info.reason(), "STORE_UNAVAILABLE");
  EXPECT_EQ(status.error_message().find("secret"), std::string::npos);
}

TEST(EventStreamTest, AThrowingStoreIsInternal) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  under_test.store().SetFault([](absl::string_view) -> absl::Status { throw std::runtime_error("secret"); });
  Stream stream(under_test.stub(), FromBeginning(kCall));
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("secret"), std::string::npos);
}

// A client that reads nothing, with a small window, while megabytes are due.
class SlowReaderTest : public testing::Test {
 protected:
  static constexpr int kEvents = 80;

  explicit SlowReaderTest(absl::Duration write_timeout = absl::Milliseconds(600))
      : under_test_(Options(write_timeout)) {
    under_test_.Create(kCall);
    for (int i = 2; i <= kEvents; ++i) under_test_.Add(kCall, i, call::SummaryFailed{std::string(4000, 'x')});
  }
  static ControlServerOptions Options(absl::Duration write_timeout) {
    ControlServerOptions options;
    options.stream_write_timeout = write_timeout;
    return options;
  }
  std::unique_ptr<v1::CallService::Stub> StubWithSmallWindow() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16384);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return under_test_.NewStub(arguments);
  }

  ServerUnderTest under_test_;
};

TEST_F(SlowReaderTest, IsEndedWithItsCursorAndResumes) {
  const auto stub = StubWithSmallWindow();
  Stream slow(*stub, FromBeginning());
  EXPECT_TRUE(slow.Next().has_heartbeat());
  // Another reader is not held up.
  EXPECT_EQ(Stream(under_test_.stub(), FromBeginning()).UntilCaughtUp().size(), kEvents);
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));  // What is under test is the passing of this time.
  int64_t seen = 0;
  for (auto event = slow.NextEvent(); event.sequence() != 0; event = slow.NextEvent()) seen = event.sequence();
  const grpc::Status status = slow.Finish();
  ASSERT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(DetailsOf(status).info.reason(), "SLOW_CONSUMER");
  EXPECT_LT(seen, kEvents);
  v1::CallEventsRequest request;
  request.set_after_cursor(slow.TrailingCursor());
  Stream resumed(under_test_.stub(), request);
  // The message in flight may come twice; none may be missing.
  EXPECT_LE(resumed.NextEvent().sequence(), seen + 1);
}

TEST_F(SlowReaderTest, IsCutOffWhenNotEvenTheStatusIsTaken) {
  const auto stub = StubWithSmallWindow();
  Stream slow(*stub, FromBeginning());
  EXPECT_TRUE(slow.Next().has_heartbeat());
  std::this_thread::sleep_for(std::chrono::milliseconds(2000));
  EXPECT_EQ(slow.Finish().error_code(), grpc::StatusCode::CANCELLED) << "not the status that nobody took";
}

TEST_F(SlowReaderTest, ACancelDuringAWriteEndsTheStream) {
  const auto stub = StubWithSmallWindow();
  Stream slow(*stub, FromBeginning());
  EXPECT_TRUE(slow.Next().has_heartbeat());
  slow.Cancel();
  EXPECT_EQ(slow.Finish().error_code(), grpc::StatusCode::CANCELLED);
  under_test_.server().Shutdown(absl::Seconds(5));  // Would wait for a stream that is left.
}

TEST_F(SlowReaderTest, ShutdownDoesNotWaitForIt) {
  const auto stub = StubWithSmallWindow();
  Stream slow(*stub, FromBeginning());
  EXPECT_TRUE(slow.Next().has_heartbeat());
  under_test_.server().Shutdown(absl::Milliseconds(200));
}

// --- Events that are not kept any more

// A call of which three events were purged, and one that lives.
class PurgedTest : public testing::Test {
 protected:
  PurgedTest() {
    under_test_.Create(kCall);
    under_test_.Add(kCall, 2);
    under_test_.End(kCall, 3);
    under_test_.Create(kOther);
    store::Retention keep;
    keep.events = absl::InfiniteFuture();
    EXPECT_EQ(under_test_.store().Purge(keep, 10)->events, 3);
  }
  std::string OldestOf(const v1::CallEventsRequest& request) {
    Stream stream(under_test_.stub(), request);
    const grpc::Status status = stream.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE) << status.error_message();
    EXPECT_EQ(DetailsOf(status).info.reason(), "CURSOR_EXPIRED");
    return DetailsOf(status).info.metadata().at("oldest_cursor");
  }

  ServerUnderTest under_test_;
};

TEST_F(PurgedTest, TheBeginningIsTheOldestThatIsKept) {
  Stream all(under_test_.stub(), FromBeginning());
  EXPECT_EQ(all.UntilCaughtUp(), Names{"1"}) << "of the call that lives";
  Stream one(under_test_.stub(), FromBeginning(kCall));
  EXPECT_EQ(one.UntilCaughtUp(), Names());
}

TEST_F(PurgedTest, AnExpiredPlaceIsRefusedWithTheOldestCursor) {
  v1::CallEventsRequest sequence = Of(kCall);
  sequence.set_after_sequence(1);
  v1::CallEventsRequest cursor = Of(kCall);
  cursor.set_after_cursor(FormatCursor({2, kCall, 2}));
  v1::CallEventsRequest from_all = Of(kCall);
  from_all.set_after_cursor(FormatCursor({2, "", 0}));
  for (v1::CallEventsRequest request : {sequence, cursor, from_all}) {
    request.set_after_cursor(OldestOf(request));
    Stream resumed(under_test_.stub(), request);
    EXPECT_EQ(resumed.UntilCaughtUp(), Names());
  }
  v1::CallEventsRequest seen = Of(kCall);
  seen.set_after_cursor(FormatCursor({3, "", 0}));
  EXPECT_EQ(Stream(under_test_.stub(), seen).UntilCaughtUp(), Names()) << "nothing was missed";
}

// The ring reaches back to the beginning of this server; the store decides for those before.
TEST(EventStreamTest, AnExpiredCursorOfAllCallsIsRefused) {
  ServerUnderTest under_test;
  for (int i = 0; i < 30; ++i) {
    const std::string name = absl::StrCat(i < 10 ? "0000000" : "000000", i, "-2222-4333-8444-555555555555");
    under_test.Create(name);
    under_test.Add(name, 2);
    under_test.End(name, 3);
  }
  store::Retention keep;
  keep.events = absl::InfiniteFuture();
  ASSERT_TRUE(under_test.store().Purge(keep, 10).ok());
  v1::CallEventsRequest request;
  request.set_after_cursor(FormatCursor({1, "", 0}));
  grpc::Status status = Stream(under_test.stub(), request).Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE) << status.error_message();
  ASSERT_EQ(DetailsOf(status).info.reason(), "CURSOR_EXPIRED");
  request.set_after_cursor(DetailsOf(status).info.metadata().at("oldest_cursor"));
  EXPECT_EQ(Stream(under_test.stub(), request).UntilCaughtUp().size(), 60);
}

// A client that has seen what a restore took away must not take later events for repeats of those.
TEST(EventStreamTest, APlaceThatARestoreTookAwayIsRefused) {
  ServerUnderTest under_test;
  under_test.Create(kCall);
  under_test.Add(kCall, 2);
  ASSERT_TRUE(under_test.store().NoteRestored(absl::Now()).ok());
  const int64_t head = *under_test.store().HeadPosition();
  under_test.Add(kCall, 3);
  struct Row {
    std::string call;
    Cursor seen;
    int shown;  // From the place that is offered instead.
  };
  for (const Row& row :
       {Row{"", {head + 1, "", 0}, 1}, Row{kCall, {head + 1, kCall, 3}, 3}, Row{kCall, {head + 1, "", 0}, 3}}) {
    v1::CallEventsRequest request = Of(row.call);
    request.set_after_cursor(FormatCursor(row.seen));
    const grpc::Status status = Stream(under_test.stub(), request).Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE) << status.error_message();
    ASSERT_EQ(DetailsOf(status).info.reason(), "CURSOR_LOST");
    request.set_after_cursor(DetailsOf(status).info.metadata().at("oldest_cursor"));
    EXPECT_EQ(Stream(under_test.stub(), request).UntilCaughtUp().size(), row.shown);
  }
  v1::CallEventsRequest kept = Of("");
  kept.set_after_cursor(FormatCursor({head, "", 0}));
  EXPECT_EQ(Stream(under_test.stub(), kept).UntilCaughtUp().size(), 1);
}

// Writers, readers that come back again and again, and clients that vanish: nothing is missing, nothing comes twice.
TEST(EventStreamTest, ManyReadersAndWriters) {
  ServerUnderTest under_test;
  constexpr int kWriters = 3;
  constexpr int kEvents = 150;
  constexpr int kReaders = 4;
  const auto name = [](int writer) { return absl::StrCat("0000000", writer, "-2222-4333-8444-555555555555"); };
  for (int w = 0; w < kWriters; ++w) under_test.Create(name(w));
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      for (int i = 2; i <= kEvents; ++i) under_test.Add(name(w), i);
    });
  }
  for (int r = 0; r < kReaders; ++r) {
    threads.emplace_back([&, r] {
      std::map<std::string, int64_t> heads;
      v1::CallEventsRequest request = FromBeginning();
      int seen = 0;
      while (seen < kWriters * kEvents) {
        Stream stream(under_test.stub(), request);
        for (int i = 0; i < 40 + 13 * r && seen < kWriters * kEvents; ++i) {
          const auto event = stream.NextEvent();
          if (event.sequence() != heads[event.call()] + 1) {
            ADD_FAILURE() << event.call() << ": " << event.sequence() << " after " << heads[event.call()];
            return;
          }
          heads[event.call()] = event.sequence();
          request.set_after_cursor(event.cursor());
          ++seen;
        }
        stream.Cancel();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace callbridge::control
