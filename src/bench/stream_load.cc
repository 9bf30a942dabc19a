#include "src/bench/stream_load.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "callbridge/v1/call_service.grpc.pb.h"
#include "src/base/ids.h"
#include "src/base/mutex.h"
#include "src/bench/bridge.h"
#include "src/bench/load.h"
#include "src/bench/statistics.h"

namespace callbridge::bench {
namespace {

constexpr absl::Duration kOpenLimit = absl::Seconds(20);
// So much happens before anybody reads, which is what is due to those that stall.
constexpr absl::Duration kHistory = absl::Seconds(8);
constexpr absl::Duration kSettle = absl::Seconds(2);

// The events whose times are in it count.
struct Span {
  absl::Time begin;
  absl::Time end;
};

absl::Time TimeOf(const v1::CallEvent& event) {
  return absl::FromUnixSeconds(event.event_time().seconds()) + absl::Nanoseconds(event.event_time().nanos());
}

// One stream on a connection of its own. gRPC's threads call it; nothing of it may be asked before Stop().
class StreamReader final : private grpc::ClientReadReactor<v1::CallEventsResponse> {
 public:
  StreamReader(const std::string& address, bool stalls) : stalls_(stalls) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::CallService::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    request_.set_from_beginning(stalls);
    stub_->async()->CallEvents(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  ~StreamReader() override { Stop(); }

  // The first message came.
  bool open() const {
    base::MutexLock lock(mutex_);
    return open_;
  }

  void Stop() {
    context_.TryCancel();
    base::MutexLock lock(mutex_);
    while (!done_) changed_.Wait(mutex_);
  }

  // After Stop(): of each event, when it happened and when it came; and whether one was missing.
  struct Seen {
    absl::Time happened;
    absl::Time came;
  };
  const std::vector<Seen>& seen() const { return seen_; }
  bool gap() const { return gap_; }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (message_.has_event()) Take(message_.event());
    {
      base::MutexLock lock(mutex_);
      open_ = true;
    }
    if (!stalls_) StartRead(&message_);
  }
  void OnDone(const grpc::Status&) override {
    base::MutexLock lock(mutex_);
    done_ = true;
    changed_.NotifyAll();
  }
  void Take(const v1::CallEvent& event) {
    seen_.push_back({TimeOf(event), absl::Now()});
    int64_t& head = heads_[event.call()];
    gap_ = gap_ || (head != 0 && event.sequence() != head + 1);
    head = event.sequence();
  }

  const bool stalls_;
  std::unique_ptr<v1::CallService::Stub> stub_;
  grpc::ClientContext context_;
  v1::CallEventsRequest request_;
  v1::CallEventsResponse message_;
  std::vector<Seen> seen_;
  std::map<std::string, int64_t> heads_;
  bool gap_ = false;
  mutable base::Mutex mutex_;
  base::CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
};

using Readers = std::vector<std::unique_ptr<StreamReader>>;

// Adds `count` streams, and waits until they are open.
absl::Status Open(Readers& readers, int count, int grpc_port, bool stalls) {
  const std::string address = absl::StrCat("127.0.0.1:", grpc_port);
  for (int i = 0; i < count; ++i) readers.push_back(std::make_unique<StreamReader>(address, stalls));
  const absl::Time deadline = absl::Now() + kOpenLimit;
  for (const auto& reader : readers) {
    while (!reader->open()) {
      if (absl::Now() > deadline) return absl::DeadlineExceededError("the streams do not open");
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  absl::SleepFor(kSettle);
  return absl::OkStatus();
}

// Puts what the readers saw in the span into `figures`.
absl::Status Sum(const Readers& readers, const Span& span, StreamFigures& figures) {
  std::vector<double> micros;
  size_t events = 0;
  for (const auto& reader : readers) {
    if (reader->gap()) return absl::DataLossError("a stream missed an event");
    const size_t before = micros.size();
    for (const StreamReader::Seen& seen : reader->seen()) {
      if (seen.happened < span.begin || seen.happened >= span.end) continue;
      micros.push_back(absl::ToDoubleMicroseconds(seen.came - seen.happened));
    }
    if (reader == readers.front()) events = micros.size();
    if (micros.size() - before != events) {
      return absl::DataLossError(absl::StrCat("of ", events, " events a stream had ", micros.size() - before));
    }
  }
  if (events == 0) return absl::UnavailableError("no event came");
  figures.events_per_second = static_cast<double>(events) / absl::ToDoubleSeconds(span.end - span.begin);
  figures.p50_us = Percentile(micros, 50);
  figures.p99_us = Percentile(micros, 99);
  return absl::OkStatus();
}

absl::Status AddCalls(Load& load, const Bridge& bridge) {
  for (int i = 0; i < kStreamCalls; ++i) {
    const std::string call_id = base::NewUuid();
    const auto url = AnswerCall(bridge.http_port, call_id);
    if (!url.ok()) return url.status();
    load.AddCall(*url, call_id);
  }
  return WaitUntilTalking(load, kStreamCalls);
}

}  // namespace

absl::StatusOr<StreamFigures> MeasureStreams(const StreamOptions& options, const StreamCase& load_case) {
  StreamFigures figures;
  figures.load = load_case;
  const auto load = Load::Start({});
  if (!load.ok()) return load.status();
  BridgeOptions start;
  start.server = options.server;
  start.folder = options.folder;
  start.threads = options.threads;
  start.model_url = (*load)->model_url();
  start.grpc = true;
  const auto bridge = StartBridge(start);
  if (!bridge.ok()) return bridge.status();
  if (absl::Status status = AddCalls(**load, *bridge); !status.ok()) return status;
  (*load)->Interrupt(kHistory);

  const Child& child = *bridge->child;
  const auto memory_first = child.PrivateKb();
  if (!memory_first.ok()) return memory_first.status();
  const int reading = load_case.streams - load_case.stalled;
  Readers readers;
  Readers stalled;
  if (absl::Status status = Open(readers, reading, bridge->grpc_port, false); !status.ok()) return status;
  const auto memory_reading = child.PrivateKb();
  if (!memory_reading.ok()) return memory_reading.status();
  if (absl::Status status = Open(stalled, load_case.stalled, bridge->grpc_port, true); !status.ok()) return status;
  const auto memory_all = child.PrivateKb();
  if (!memory_all.ok()) return memory_all.status();
  figures.kb_per_stream = (*memory_reading - *memory_first) / std::max(reading, 1);
  if (load_case.stalled > 0) figures.kb_per_stalled = (*memory_all - *memory_reading) / load_case.stalled;

  const auto cpu_before = child.CpuTime();
  if (!cpu_before.ok()) return cpu_before.status();
  Span span;
  span.begin = absl::Now();
  (*load)->Interrupt(options.window);
  span.end = absl::Now();
  const auto cpu_after = child.CpuTime();
  if (!cpu_after.ok()) return cpu_after.status();
  figures.core_percent = 100 * absl::FDivDuration(*cpu_after - *cpu_before, span.end - span.begin);
  absl::SleepFor(kSettle);  // For what is under way.
  for (const auto& reader : readers) reader->Stop();
  if (absl::Status status = Sum(readers, span, figures); !status.ok()) return status;
  if ((*load)->lost() > 0) return absl::InternalError(absl::StrCat((*load)->lost(), " sockets closed during the run"));
  return figures;
}

}  // namespace callbridge::bench
