// Writers, readers that come and go, and one that stalls: every reader has every event of every call, once, in order.
//
// CALLBRIDGE_CHECKER_EVENTS: how many events; 50,000 unless set.

#include <stdlib.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
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

TEST(StreamChecker, EveryReaderHasEveryEventOnceInOrder) {
  control::ServerUnderTest server;
  ClientOptions options;
  options.address = server.server().address();
  options.plaintext = true;
  const int64_t each = Events() / kWriters;
  const int64_t all = each * kWriters + kWriters * kCallsPerWriter;

  // Takes nothing until all others are done.
  grpc::ClientContext stalled_context;
  v1::CallEventsRequest from_beginning;
  from_beginning.set_from_beginning(true);
  const auto stalled = server.NewStub()->CallEvents(&stalled_context, from_beginning);

  const absl::Time began = absl::Now();
  std::vector<Heads> written(kWriters);
  std::vector<Checked> read(kReaders);
  std::atomic<int> readers{0};
  std::vector<std::thread> threads;
  threads.reserve(kWriters + kReaders);
  for (int i = 0; i < kWriters; ++i) threads.emplace_back([&, i] { written[i] = Write(server, i, each); });
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i] {
      Client client(options);
      read[i] = Read(client, i, all, readers);
    });
  }
  for (std::thread& thread : threads) thread.join();
  RecordProperty("seconds", absl::StrCat(absl::ToDoubleSeconds(absl::Now() - began)));
  RecordProperty("readers", readers.load());

  Heads expected;
  for (const Heads& heads : written) expected.insert(heads.begin(), heads.end());
  for (const Checked& checked : read) {
    EXPECT_EQ(checked.fault, "");
    EXPECT_EQ(checked.events, all);
    EXPECT_EQ(checked.heads, expected);
  }
  EXPECT_GT(readers, kReaders);

  Checked late;
  v1::CallEventsResponse message;
  while (late.events < all && stalled->Read(&message)) {
    if (message.has_event()) late.Take(message.event());
  }
  stalled_context.TryCancel();
  stalled->Finish();
  EXPECT_EQ(late.fault, "");
  EXPECT_EQ(late.heads, expected) << "it was only late";
}

}  // namespace
}  // namespace callbridge::client
