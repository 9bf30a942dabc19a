#include "src/bench/store_load.h"

#include <sys/resource.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "src/base/executor.h"
#include "src/base/ids.h"
#include "src/base/mutex.h"
#include "src/bench/marker.h"
#include "src/bench/statistics.h"
#include "src/session/call_recorder.h"

namespace callbridge::bench {
namespace {

constexpr absl::Duration kCommitLimit = absl::Seconds(30);
// How far the fast calls may be ahead of the store: enough for whole batches, little enough to be written soon.
constexpr size_t kMostPending = 2000;

absl::Duration OwnCpu() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  return absl::DurationFromTimeval(used.ru_utime) + absl::DurationFromTimeval(used.ru_stime);
}

// When each event was handed over, and how long it took from there. Written on the load's thread before the event is
// handed over, read on the recorder's.
class CommitTimes {
 public:
  void OnHandedOver(size_t call) { handed_over_[call].push_back(SteadyNanos()); }
  // Sequence 1 is the creation, which is not measured.
  void OnCommit(const call::Event& event, size_t call) {
    base::MutexLock lock(mutex_);
    ++committed_;
    if (event.sequence < 2 || !measuring_) return;
    const uint64_t since = handed_over_[call][static_cast<size_t>(event.sequence) - 2];
    micros_.push_back(static_cast<double>(SteadyNanos() - since) / 1000);
  }
  void StopMeasuring() {
    base::MutexLock lock(mutex_);
    measuring_ = false;
  }
  int64_t committed() const {
    base::MutexLock lock(mutex_);
    return committed_;
  }
  std::vector<double> micros() const {
    base::MutexLock lock(mutex_);
    return micros_;
  }

  // Reserved in whole, so that no commit sees them move.
  void Reserve(size_t events) {
    for (auto& times : handed_over_) times.reserve(events);
  }

 private:
  std::vector<std::vector<uint64_t>> handed_over_{kTalkingCalls};
  mutable base::Mutex mutex_;
  bool measuring_ ABSL_GUARDED_BY(mutex_) = true;
  int64_t committed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<double> micros_ ABSL_GUARDED_BY(mutex_);
};

// The calls, and what takes their writes.
class Writers {
 public:
  explicit Writers(store::CallStore* store) {
    for (int i = 0; i < kTalkingCalls; ++i) ids_.push_back(absl::StrCat(base::NewUuid().substr(0, 33), Digits(i)));
    next_sequence_.assign(kTalkingCalls, 2);
    if (store == nullptr) return;
    session::CallRecorder::Options options;
    options.on_commit = [this](const call::Event& event) { OnCommit(event); };
    executor_ = std::make_unique<base::ThreadExecutor>("bench-store");
    recorder_ = std::make_unique<session::CallRecorder>(*store, *executor_, std::move(options));
  }
  ~Writers() {
    recorder_.reset();
    executor_.reset();
  }

  void Create() {
    for (const std::string& id : ids_) {
      store::CallRecord call;
      call.call_id = id;
      call.from = "+14155550123";
      call.to = "+14155550100";
      call.agent = "bench";
      call.state = call::State::kRinging;
      call.create_time = absl::Now();
      call::CallCreated created;
      created.from = call.from;
      created.to = call.to;
      created.agent = call.agent;
      ++handed_over_;
      if (recorder_ != nullptr) recorder_->Create(call, {{id, 1, absl::Now(), created}}, absl::nullopt, nullptr);
    }
    if (recorder_ == nullptr) dropped_ += kTalkingCalls;
  }

  // One event of this call, with an item of the transcript now and then.
  void Write(size_t call) {
    store::CallWrite write;
    write.call_id = ids_[call];
    const int64_t sequence = next_sequence_[call]++;
    write.events.push_back({ids_[call], sequence, absl::Now(), call::DtmfReceived{"5"}});
    if (sequence % kEventsPerSecond == 0) write.transcript_items.push_back(Item(sequence));
    times_.OnHandedOver(call);
    ++handed_over_;
    if (recorder_ != nullptr) {
      recorder_->Write(std::move(write));
    } else {
      ++dropped_;
    }
  }

  size_t pending() const { return recorder_ == nullptr ? 0 : recorder_->pending(); }
  int64_t committed() const { return recorder_ == nullptr ? dropped_ : times_.committed(); }
  int64_t handed_over() const { return handed_over_; }
  CommitTimes& times() { return times_; }

  absl::Status Finish() {
    if (recorder_ != nullptr && !recorder_->Flush(kCommitLimit))
      return absl::DeadlineExceededError("the store does not keep up");
    if (committed() == handed_over()) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("of ", handed_over(), " events ", committed(), " were committed"));
  }

 private:
  static std::string Digits(int number) { return absl::StrFormat("%03d", number); }
  static call::TranscriptItem Item(int64_t sequence) {
    call::TranscriptItem item;
    item.item_id = absl::StrCat("item_", sequence);
    item.position = sequence;
    item.text_generated = item.text_heard = "A sentence of about the length that people say before they breathe.";
    return item;
  }
  void OnCommit(const call::Event& event) {
    // The id's end is the number.
    size_t call = 0;
    for (const char digit : event.call_id.substr(33)) call = call * 10 + static_cast<size_t>(digit - '0');
    times_.OnCommit(event, call);
  }

  std::vector<std::string> ids_;
  std::vector<int64_t> next_sequence_;
  int64_t handed_over_ = 0;
  int64_t dropped_ = 0;
  CommitTimes times_;
  std::unique_ptr<base::ThreadExecutor> executor_;
  std::unique_ptr<session::CallRecorder> recorder_;
};

// As live calls do: evenly spread. Returns the CPU time.
absl::Duration Talk(Writers& writers, absl::Duration window) {
  const absl::Duration cpu_before = OwnCpu();
  const absl::Duration between = absl::Seconds(1) / (kTalkingCalls * kEventsPerSecond);
  const absl::Time begin = absl::Now();
  const int64_t total = window / between;
  for (int64_t i = 0; i < total; ++i) {
    absl::SleepFor(begin + i * between - absl::Now());
    writers.Write(static_cast<size_t>(i % kTalkingCalls));
  }
  return OwnCpu() - cpu_before;
}

// As fast as the store takes them. Returns events per second.
double Rush(Writers& writers, absl::Duration window) {
  writers.times().StopMeasuring();
  const int64_t before = writers.committed();
  const absl::Time begin = absl::Now();
  for (size_t i = 0; absl::Now() < begin + window; ++i) {
    while (writers.pending() > kMostPending) absl::SleepFor(absl::Microseconds(200));
    writers.Write(i % kTalkingCalls);
  }
  return static_cast<double>(writers.committed() - before) / absl::ToDoubleSeconds(absl::Now() - begin);
}

}  // namespace

absl::StatusOr<StoreFigures> MeasureStore(const std::string& name, store::CallStore* store, absl::Duration window) {
  Writers writers(store);
  // More than the fastest store takes.
  writers.times().Reserve(static_cast<size_t>(absl::ToDoubleSeconds(window) * 50'000) / kTalkingCalls + 1000);
  writers.Create();
  if (absl::Status status = writers.Finish(); !status.ok()) return status;
  StoreFigures figures;
  figures.store = name;
  const absl::Duration cpu = Talk(writers, window);
  if (absl::Status status = writers.Finish(); !status.ok()) return status;
  figures.cpu_us_per_call_second = absl::ToDoubleMicroseconds(cpu) / (kTalkingCalls * absl::ToDoubleSeconds(window));
  std::vector<double> micros = writers.times().micros();
  figures.commit_p50_us = Percentile(micros, 50);
  figures.commit_p99_us = Percentile(micros, 99);
  if (store == nullptr) return figures;
  figures.events_per_second = Rush(writers, window);
  if (absl::Status status = writers.Finish(); !status.ok()) return status;
  return figures;
}

std::string FormatStores(const std::vector<StoreFigures>& figures) {
  std::string out = absl::StrFormat("%-12s %16s %16s %18s %18s %14s\n", "store", "to commit p50us", "to commit p99us",
                                    "cpuus/call second", "beyond the null's", "events/s");
  const StoreFigures* floor = nullptr;
  for (const StoreFigures& row : figures) floor = row.store == "null" ? &row : floor;
  for (const StoreFigures& row : figures) {
    absl::StrAppendFormat(&out, "%-12s %16.0f %16.0f %18.1f %18.1f %14.0f\n", row.store, row.commit_p50_us,
                          row.commit_p99_us, row.cpu_us_per_call_second,
                          floor == nullptr ? 0 : row.cpu_us_per_call_second - floor->cpu_us_per_call_second,
                          row.events_per_second);
  }
  absl::StrAppendFormat(&out, "%d calls with %d events a second each; events/s: the same calls as fast as they can\n",
                        kTalkingCalls, kEventsPerSecond);
  return out;
}

}  // namespace callbridge::bench
