// Clients that take nothing cost a little memory, and nobody else anything.

#include <malloc.h>

#include <atomic>
#include <cstdio>

#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

constexpr int kStreams = 200;
constexpr int kStalled = 20;
constexpr int kHistory = 3000;
constexpr int kLive = 50;  // Less than the hub's ring has room for.
constexpr size_t kEventBytes = 2000;
// Of heap, of both ends: a batch of 64 events with what they are made of, a write, a connection with its buffers. The
// history would be 6 MB.
constexpr size_t kMostPerStalled = 1'000'000;
// The batch that it holds, and the one before, which its connection's buffers may have taken.
constexpr int kMostReads = 2;

struct Reader {
  std::unique_ptr<v1::CallService::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::CallEventsResponse>> stream;

  // 0: the stream is over.
  int64_t NextSequence() {
    v1::CallEventsResponse message;
    while (stream->Read(&message)) {
      if (message.has_event()) return message.event().sequence();
    }
    return 0;
  }
};

size_t Heap() { return mallinfo2().uordblks; }

class StalledStreamsTest : public testing::Test {
 protected:
  StalledStreamsTest() {
    under_test_.Create(kCall);
    for (int i = 2; i <= kHistory; ++i) Add(i);
    under_test_.store().SetFault([this](absl::string_view method) {
      if (method == "ReadEvents") ++reads_;
      return absl::OkStatus();
    });
  }
  ~StalledStreamsTest() override {
    for (const auto& reader : readers_) {
      reader->context.TryCancel();
      reader->stream->Finish();
    }
  }

  void Add(int sequence) { under_test_.Add(kCall, sequence, call::SummaryFailed{std::string(kEventBytes, 'x')}); }

  // So many events, that all of `live_` are shown.
  void Happen(int events) {
    const int before = head_;
    while (head_ < before + events) Add(++head_);
    for (Reader* const reader : live_) {
      for (int i = before + 1; i <= head_; ++i) ASSERT_EQ(reader->NextSequence(), i);
    }
  }

  // Opened, and its first message read.
  Reader& Open(const v1::CallEventsRequest& request, bool small_window) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    if (small_window) {
      // Else most of the history fits into the connection.
      arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16384);
      arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    }
    readers_.push_back(std::make_unique<Reader>());
    Reader& reader = *readers_.back();
    reader.context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
    reader.stub = under_test_.NewStub(arguments);
    reader.stream = reader.stub->CallEvents(&reader.context, request);
    v1::CallEventsResponse hello;
    EXPECT_TRUE(reader.stream->Read(&hello));
    return reader;
  }

  std::atomic<int> reads_{0};
  ServerUnderTest under_test_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<Reader*> live_;
  int head_ = kHistory;
};

TEST_F(StalledStreamsTest, CostABatchEachAndHoldUpNobody) {
  for (int i = 0; i < kStreams - kStalled; ++i) live_.push_back(&Open({}, /*small_window=*/false));
  Happen(kLive);  // So that their connections have what they need.
  const int reads_before = reads_;
  const size_t heap_before = Heap();

  v1::CallEventsRequest from_beginning;
  from_beginning.set_from_beginning(true);
  std::vector<Reader*> stalled;
  for (int i = 0; i < kStalled; ++i) stalled.push_back(&Open(from_beginning, /*small_window=*/true));
  Happen(kLive);
  // One that reads everything, now: those that stall had as long as that to be given more.
  Reader& late = Open(from_beginning, /*small_window=*/false);
  for (int i = 1; i <= head_; ++i) ASSERT_EQ(late.NextSequence(), i);

  const int reads_of_late = head_ / 64 + 2;
  EXPECT_LE(reads_ - reads_before, kStalled * kMostReads + reads_of_late);
  EXPECT_LE(Heap(), heap_before + (kStalled + 1) * kMostPerStalled);
  std::printf(
      "heap: %zd bytes per stalled stream; reads of the store: %d, of which %d may be the one's that reads all\n",
      static_cast<ssize_t>(Heap() - heap_before) / kStalled, reads_ - reads_before, reads_of_late);

  // They were only late.
  Reader& resumed = *stalled.front();
  for (int i = 1; i <= head_; ++i) ASSERT_EQ(resumed.NextSequence(), i);
}

}  // namespace
}  // namespace callbridge::control
