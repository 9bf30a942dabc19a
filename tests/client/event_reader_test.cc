// The reader against a server that breaks.

#include "src/client/event_reader.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "src/client/client.h"
#include "src/client/errors.h"
#include "src/client/seen.h"
#include "tests/client/fake_server.h"

namespace callbridge::client {
namespace {

using ::testing::ElementsAre;
using Kind = Reading::Kind;

constexpr absl::Duration kLong = absl::Seconds(20);

// "a:1" for an event, and words for the rest; breaks are left out.
std::string NextWord(EventReader& reader) {
  for (;;) {
    const auto reading = reader.Next(kLong);
    if (!reading.ok()) return Explain(reading.status()).reason;
    switch (reading->kind) {
      case Kind::kNothing: return "nothing";
      case Kind::kEvent: return absl::StrCat(reading->event.call(), ":", reading->event.sequence());
      case Kind::kCaughtUp: return "caught up";
      case Kind::kBreak: continue;
      case Kind::kEnd: return "end";
    }
  }
}
std::vector<std::string> Words(EventReader& reader, size_t count) {
  std::vector<std::string> words;
  while (words.size() < count) words.push_back(NextWord(reader));
  return words;
}

void Hold(const grpc::ServerContext& context) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!context.IsCancelled() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::unique_ptr<EventReader> Read(const FakeServer& server, EventReaderOptions options = {}) {
  return Client(server.Options()).ReadEvents(options);
}

TEST(EventReader, GoesOnBehindWhatItReadAndDropsRepeats) {
  FakeServer server([](size_t nth, grpc::ServerContext& context, Writer& writer) {
    if (nth == 0) {
      writer.Write(Beat("c0"));
      writer.Write(Event("a", 1, "c1"));
      writer.Write(Event("b", 1, "c2"));
      return Failing(grpc::StatusCode::UNAVAILABLE, "SHUTTING_DOWN");
    }
    if (nth == 1) {  // Delivered at least once: some of it again.
      writer.Write(Event("b", 1, "c2"));
      writer.Write(Event("a", 2, "c3"));
      return Failing(grpc::StatusCode::RESOURCE_EXHAUSTED, "SLOW_CONSUMER");
    }
    writer.Write(Event("a", 2, "c3"));
    writer.Write(CaughtUpAt("c3"));
    writer.Write(Event("a", 3, "c4"));
    Hold(context);
    return grpc::Status::OK;
  });
  EventReaderOptions options;
  options.from_beginning = true;
  options.event_types = {"call_created"};
  const auto reader = Read(server, options);
  EXPECT_THAT(Words(*reader, 5), ElementsAre("a:1", "b:1", "a:2", "caught up", "a:3"));
  const auto asked = server.subscriptions();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_TRUE(asked[0].from_beginning());
  EXPECT_EQ(asked[1].after_cursor(), "c2");
  EXPECT_EQ(asked[2].after_cursor(), "c3");
  EXPECT_THAT(asked[2].event_types(), ElementsAre("call_created"));
  EXPECT_EQ(server.authorization(), "Bearer let-me-in");
}

TEST(EventReader, SaysThatItBrokeAndWhy) {
  FakeServer server([](size_t nth, grpc::ServerContext& context, Writer& writer) {
    writer.Write(Event("a", static_cast<int64_t>(nth) + 1, absl::StrCat("c", nth)));
    if (nth > 0) Hold(context);
    return Failing(grpc::StatusCode::UNAVAILABLE, "SHUTTING_DOWN");
  });
  const auto reader = Read(server);
  EXPECT_EQ(reader->Next(kLong)->kind, Kind::kEvent);
  const auto broken = reader->Next(kLong);
  ASSERT_EQ(broken->kind, Kind::kBreak);
  EXPECT_EQ(Explain(broken->why).reason, "SHUTTING_DOWN");
  EXPECT_EQ(reader->Next(kLong)->event.sequence(), 2);
}

TEST(EventReader, SurvivesTheServersRestarts) {
  std::atomic<int> sent{0};
  FakeServer server([&](size_t, grpc::ServerContext& context, Writer& writer) {
    const int now = ++sent;
    writer.Write(Event("a", now, absl::StrCat("c", now)));
    Hold(context);
    return grpc::Status::CANCELLED;
  });
  const auto reader = Read(server);
  for (int round = 1; round <= 4; ++round) {
    EXPECT_EQ(NextWord(*reader), absl::StrCat("a:", round));
    server.Stop();
    if (round % 2 == 0) absl::SleepFor(absl::Milliseconds(50));  // Long enough for attempts in vain.
    server.Start();
  }
  EXPECT_EQ(server.subscriptions().back().after_cursor(), "c4");
}

TEST(EventReader, BeginsWhereAnotherStopped) {
  FakeServer server([](size_t, grpc::ServerContext& context, Writer& writer) {
    writer.Write(Event("a", 1, "c1"));
    writer.Write(Event("a", 2, "c2"));
    writer.Write(Beat("c9"));
    Hold(context);
    return grpc::Status::OK;
  });
  EventReaderOptions options;
  options.after_cursor = "stored";
  options.from_beginning = true;
  {
    const auto reader = Read(server, options);
    EXPECT_EQ(reader->cursor(), "stored");
    EXPECT_EQ(NextWord(*reader), "a:1");
    EXPECT_EQ(reader->cursor(), "c1") << "not behind what was only read";
  }
  EXPECT_EQ(server.subscriptions()[0].after_cursor(), "stored");
}

TEST(EventReader, MovesItsCursorWithHeartbeats) {
  FakeServer server([](size_t, grpc::ServerContext& context, Writer& writer) {
    writer.Write(Beat("c7"));
    Hold(context);
    return grpc::Status::OK;
  });
  const auto reader = Read(server);
  const absl::Time limit = absl::Now() + kLong;
  while (reader->cursor().empty() && absl::Now() < limit) {
    EXPECT_EQ(reader->Next(absl::Milliseconds(5))->kind, Kind::kNothing);
  }
  EXPECT_EQ(reader->cursor(), "c7");
}

TEST(EventReader, EndsWithItsCall) {
  FakeServer server([](size_t, grpc::ServerContext&, Writer& writer) {
    writer.Write(Event("a", 1, "c1"));
    return grpc::Status::OK;
  });
  EventReaderOptions options;
  options.call = "a";
  const auto reader = Read(server, options);
  EXPECT_THAT(Words(*reader, 3), ElementsAre("a:1", "end", "end"));
  EXPECT_EQ(server.subscriptions().size(), 1u);
}

TEST(EventReader, AllCallsHaveNoEnd) {
  FakeServer server([](size_t nth, grpc::ServerContext& context, Writer& writer) {
    writer.Write(Event("a", static_cast<int64_t>(nth) + 1, absl::StrCat("c", nth)));
    if (nth > 0) Hold(context);
    return grpc::Status::OK;
  });
  EXPECT_THAT(Words(*Read(server), 2), ElementsAre("a:1", "a:2"));
}

struct Final {
  const char* name;
  grpc::StatusCode code;
  const char* reason;
};
class WhatGoingOnCannotMend : public ::testing::TestWithParam<Final> {};

TEST_P(WhatGoingOnCannotMend, IsToldEveryTime) {
  FakeServer server([](size_t, grpc::ServerContext&, Writer& writer) {
    writer.Write(Event("a", 1, "c1"));
    return Failing(GetParam().code, GetParam().reason, {{"oldest_cursor", "c8"}});
  });
  const auto reader = Read(server);
  EXPECT_EQ(NextWord(*reader), "a:1") << "what came before is handed out first";
  for (int i = 0; i < 2; ++i) {
    const auto reading = reader->Next(kLong);
    EXPECT_EQ(reading.status().code(), static_cast<absl::StatusCode>(GetParam().code));
    const Failure failure = Explain(reading.status());
    EXPECT_EQ(failure.reason, GetParam().reason);
    EXPECT_EQ(failure.metadata.at("oldest_cursor"), "c8");
  }
  EXPECT_EQ(server.subscriptions().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Codes, WhatGoingOnCannotMend,
                         ::testing::Values(Final{"expired", grpc::StatusCode::OUT_OF_RANGE, "CURSOR_EXPIRED"},
                                           Final{"lost", grpc::StatusCode::OUT_OF_RANGE, "CURSOR_LOST"},
                                           Final{"token", grpc::StatusCode::UNAUTHENTICATED, "TOKEN_INVALID"},
                                           Final{"scope", grpc::StatusCode::PERMISSION_DENIED, "SCOPE_REQUIRED"},
                                           Final{"argument", grpc::StatusCode::INVALID_ARGUMENT, "CURSOR_INVALID"},
                                           Final{"call", grpc::StatusCode::NOT_FOUND, "CALL_NOT_FOUND"}),
                         [](const auto& info) { return info.param.name; });

TEST(EventReader, GivesUpAStreamThatFellSilent) {
  FakeServer server([](size_t nth, grpc::ServerContext& context, Writer& writer) {
    if (nth > 0) writer.Write(Event("a", 1, "c1"));
    Hold(context);
    return grpc::Status::OK;
  });
  EventReaderOptions options;
  options.heartbeat = absl::Milliseconds(30);
  const auto reader = Read(server, options);
  const auto broken = reader->Next(kLong);
  ASSERT_EQ(broken->kind, Kind::kBreak);
  EXPECT_EQ(broken->why.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(NextWord(*reader), "a:1");
}

TEST(EventReader, WaitsAsLongAsTheServerAsks) {
  std::atomic<int64_t> first{0}, second{0};
  FakeServer server([&](size_t nth, grpc::ServerContext& context, Writer& writer) {
    (nth == 0 ? first : second) = absl::ToUnixMillis(absl::Now());
    if (nth == 0) return Failing(grpc::StatusCode::RESOURCE_EXHAUSTED, "STREAM_LIMIT", {}, 300);
    writer.Write(Event("a", 1, "c1"));
    Hold(context);
    return grpc::Status::OK;
  });
  EXPECT_EQ(NextWord(*Read(server)), "a:1");
  EXPECT_GE(second - first, 290);
}

TEST(EventReader, ReadsNoFurtherAheadThanItMay) {
  std::atomic<int> written{0};
  FakeServer server([&](size_t, grpc::ServerContext& context, Writer& writer) {
    v1::CallEventsResponse big = Event("a", 0, "c");
    big.mutable_event()->set_type(std::string(100'000, 'x'));
    for (int i = 1; i <= 400 && !context.IsCancelled(); ++i) {
      big.mutable_event()->set_sequence(i);
      if (!writer.Write(big)) break;
      ++written;
    }
    Hold(context);
    return grpc::Status::OK;
  });
  EventReaderOptions options;
  options.ahead = 4;
  const auto reader = Read(server, options);
  EXPECT_EQ(NextWord(*reader), "a:1");
  // Until nothing moves: what is between is gRPC's and the kernel's, and far less than all.
  for (int before = -1; before != written; absl::SleepFor(absl::Milliseconds(200))) before = written;
  EXPECT_LT(written, 300);
  for (int i = 2; i <= 400; ++i) ASSERT_EQ(NextWord(*reader), absl::StrCat("a:", i));
}

TEST(EventReader, IsDestroyedAtOnceWhateverItDoes) {
  for (const char* const state : {"reading", "pausing", "full", "connecting"}) {
    SCOPED_TRACE(state);
    const std::string what = state;
    FakeServer server([&](size_t, grpc::ServerContext& context, Writer& writer) {
      for (int i = 1; i < 10; ++i) writer.Write(Event("a", i, "c"));
      if (what == "pausing") return Failing(grpc::StatusCode::UNAVAILABLE, "SHUTTING_DOWN");
      Hold(context);
      return grpc::Status::OK;
    });
    if (what == "connecting") server.Stop();
    ClientOptions client = server.Options();
    client.first_pause = client.longest_pause = absl::Minutes(10);
    EventReaderOptions options;
    options.ahead = what == "full" ? 2 : 100;
    auto reader = Client(client).ReadEvents(options);
    if (what != "connecting") {
      EXPECT_EQ(NextWord(*reader), "a:1");
    }
    const absl::Time began = absl::Now();
    reader.reset();
    EXPECT_LT(absl::Now() - began, absl::Seconds(10));
  }
}

TEST(Seen, KnowsTheLatestOfEachCallForAWhile) {
  Seen seen(2);
  EXPECT_TRUE(seen.Add("a", 1));
  EXPECT_FALSE(seen.Add("a", 1));
  EXPECT_TRUE(seen.Add("a", 3));
  EXPECT_FALSE(seen.Add("a", 2));
  EXPECT_TRUE(seen.Add("b", 1));
  EXPECT_TRUE(seen.Add("c", 1));
  EXPECT_FALSE(seen.Add("a", 3)) << "one of the last two, and of the two before";
  EXPECT_TRUE(seen.Add("d", 1));
  EXPECT_TRUE(seen.Add("e", 1));
  EXPECT_TRUE(seen.Add("a", 3)) << "forgotten";
}

}  // namespace
}  // namespace callbridge::client
