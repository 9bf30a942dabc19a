// Writers, readers that come and go, and one that stalls until it is put out: every reader has every event of every
// call, once, in order.
//
// CALLBRIDGE_CHECKER_EVENTS: how many events; 50,000 unless set.

#include <stdlib.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "src/client/client.h"
#include "tests/control/server_under_test.h"

namespace callbridge::client {
namespace {

constexpr int kWriters = 5;
constexpr int kCallsPerWriter = 20;
constexpr int kReaders = 10;
constexpr int kEventsPerWrite = 5;
constexpr uint32_t kSeed = 20261123;

// How long a client may leave a message; the one that stalls does so for longer, and looks before it is cut off, which
// is after twice the time.
constexpr absl::Duration kWriteTimeout = absl::Seconds(2);
constexpr absl::Duration kStall = absl::Seconds(3);
constexpr int kStalls = 3;

using Heads = std::map<std::string, int64_t>;

int64_t Events() {
  int64_t events = 0;
  const char* const text = getenv("CALLBRIDGE_CHECKER_EVENTS");
  return text != nullptr && absl::SimpleAtoi(text, &events) && events > 0 ? events : 50'000;
}

std::string CallId(int writer, int call) { return absl::StrFormat("00000000-0000-4000-8000-%04d%08d", writer, call); }

// Appends to calls of its own, in random turn, until it has written `events`.
Heads Write(control::ServerUnderTest& server, int writer, int64_t events) {
  std::mt19937 random(kSeed + writer);
  Heads heads;
  for (int call = 0; call < kCallsPerWriter; ++call) {
    server.Create(CallId(writer, call));
    heads["calls/" + CallId(writer, call)] = 1;
  }
  while (events > 0) {
    const std::string id = CallId(writer, static_cast<int>(random() % kCallsPerWriter));
    int64_t& head = heads["calls/" + id];
    store::CallWrite write;
    write.call_id = id;
    for (int i = 0; i < kEventsPerWrite && events > 0; ++i, --events) {
      write.events.push_back({id, ++head, control::kEpoch, call::DtmfReceived{"5"}});
    }
    server.Apply(write);
  }
  return heads;
}

// What a reader has of each call, and what is wrong with it.
struct Checked {
  Heads heads;
  int64_t events = 0;
  std::string fault;

  void Take(const v1::CallEvent& event) {
    int64_t& head = heads[event.call()];
    if (event.sequence() != head + 1 && fault.empty()) {
      fault = absl::StrCat(event.call(), ": ", event.sequence(), " behind ", head);
    }
    head = event.sequence();
    ++events;
  }
};

// Reads `events` with one reader after the other, each from where the one before was given up.
Checked Read(Client& client, int reader, int64_t events, std::atomic<int>& readers) {
  std::mt19937 random(kSeed + 1000 + reader);
  Checked checked;
  EventReaderOptions options;
  options.from_beginning = true;
  options.ahead = 64;
  while (checked.events < events && checked.fault.empty()) {
    const auto stream = client.ReadEvents(options);
    ++readers;
    for (auto left = static_cast<int64_t>(random() % (events / 4 + 1)); left >= 0 && checked.events < events; --left) {
      const auto reading = stream->Next(absl::Seconds(60));
      if (!reading.ok() || reading->kind == Reading::Kind::kNothing) {
        checked.fault = reading.ok() ? "nothing came for a minute" : reading.status().ToString();
        break;
      }
      if (reading->kind == Reading::Kind::kEvent) checked.Take(reading->event);
    }
    options.after_cursor = stream->cursor();
  }
  return checked;
}

// Reads in streams of which each is left alone while much is due; the last one reads to the end.
class StallingReader {
 public:
  explicit StallingReader(control::ServerUnderTest& server) {
    // Little fits into the connection, so that its writes wait; and nobody else is held up with it.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16384);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = server.NewStub(arguments);
    request_.set_from_beginning(true);
  }

  // Until `events` are there.
  void Read(int64_t events) {
    for (int stream = 0; checked_.events < events && checked_.fault.empty(); ++stream) {
      const int64_t before = checked_.events;
      ReadStream(events, stream < kStalls);
      if (checked_.events == before && checked_.fault.empty()) checked_.fault = "a stream brought nothing new";
    }
  }

  const Checked& checked() const { return checked_; }
  // Streams that were ended for not being read.
  int ended() const { return ended_; }
  // Events that came again behind such an end.
  int repeats() const { return repeats_; }

 private:
  void Take(const v1::CallEvent& event) {
    if (event.sequence() <= checked_.heads[event.call()]) {
      ++repeats_;
    } else {
      checked_.Take(event);
    }
  }
  void ReadStream(int64_t events, bool stall) {
    grpc::ClientContext context;
    const auto stream = stub_->CallEvents(&context, request_);
    v1::CallEventsResponse message;
    while (checked_.events < events && stream->Read(&message)) {
      if (!message.has_event()) continue;
      Take(message.event());
      request_.set_after_cursor(message.event().cursor());
      // What is under test is the passing of this time.
      if (std::exchange(stall, false)) absl::SleepFor(kStall);
    }
    if (checked_.events >= events) context.TryCancel();
    const grpc::Status status = stream->Finish();
    if (!request_.after_cursor().empty()) request_.clear_from_beginning();
    if (status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) return;
    EXPECT_EQ(control::DetailsOf(status).info.reason(), "SLOW_CONSUMER");
    const auto cursor = context.GetServerTrailingMetadata().find("cursor");
    ASSERT_NE(cursor, context.GetServerTrailingMetadata().end());
    // The server's word for it, which is what is promised: the next stream shows whether it holds.
    request_.set_after_cursor(std::string(cursor->second.data(), cursor->second.size()));
    ++ended_;
  }

  std::unique_ptr<v1::CallService::Stub> stub_;
  v1::CallEventsRequest request_;
  Checked checked_;
  int ended_ = 0;
  int repeats_ = 0;
};

control::ControlServerOptions ServerOptions() {
  control::ControlServerOptions options;
  options.stream_write_timeout = kWriteTimeout;
  return options;
}

TEST(StreamChecker, EveryReaderHasEveryEventOnceInOrder) {
  control::ServerUnderTest server(ServerOptions());
  ClientOptions options;
  options.address = server.server().address();
  options.plaintext = true;
  const int64_t each = Events() / kWriters;
  const int64_t all = each * kWriters + kWriters * kCallsPerWriter;

  const absl::Time began = absl::Now();
  std::vector<Heads> written(kWriters);
  std::vector<Checked> read(kReaders);
  StallingReader stalling(server);
  std::atomic<int> readers{0};
  std::vector<std::thread> threads;
  threads.reserve(kWriters + kReaders + 1);
  for (int i = 0; i < kWriters; ++i) threads.emplace_back([&, i] { written[i] = Write(server, i, each); });
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i] {
      Client client(options);
      read[i] = Read(client, i, all, readers);
    });
  }
  threads.emplace_back([&] {
    // Whatever it leaves, much is due.
    while (*server.store().HeadPosition() < all / 2) absl::SleepFor(absl::Milliseconds(1));
    stalling.Read(all);
  });
  for (std::thread& thread : threads) thread.join();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  RecordProperty("seconds", absl::StrCat(seconds));
  RecordProperty("readers", readers.load());
  RecordProperty("ended", stalling.ended());
  absl::PrintF("%d events, %d streams of %d readers, %d streams ended as too slow, %.1f s\n", all, readers.load(),
               kReaders, stalling.ended(), seconds);

  Heads expected;
  for (const Heads& heads : written) expected.insert(heads.begin(), heads.end());
  for (const Checked& checked : read) {
    EXPECT_EQ(checked.fault, "");
    EXPECT_EQ(checked.events, all);
    EXPECT_EQ(checked.heads, expected);
  }
  EXPECT_GT(readers, kReaders);
  EXPECT_EQ(stalling.checked().fault, "");
  EXPECT_EQ(stalling.checked().heads, expected);
  // One may have been too late even for the status, on a machine that is busy: that is a break like any other.
  EXPECT_GE(stalling.ended(), 1);
  EXPECT_LE(stalling.repeats(), stalling.ended()) << "only the message that was under way may come twice";
}

}  // namespace
}  // namespace callbridge::client
