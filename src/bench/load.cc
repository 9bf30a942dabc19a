#include "src/bench/load.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "src/base/executor.h"
#include "src/bench/load_calls.h"
#include "src/bench/marker.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"

namespace callbridge::bench {
namespace {

constexpr int kFrameMs = 20;
constexpr size_t kBytesPerMs = 8;
constexpr absl::Duration kLastClear = absl::Milliseconds(500);
constexpr absl::Duration kTurn = absl::Milliseconds(1);
// A loop that was held up for longer does not make up for it: frames that were never sent show as not delivered.
constexpr uint64_t kMostTurnsAtOnce = 500;

absl::Duration OwnCpu() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  return absl::DurationFromTimeval(used.ru_utime) + absl::DurationFromTimeval(used.ru_stime);
}

// Ends that beat once in a round of so many milliseconds, each in the slot of its number.
template <typename End>
class Wheel {
 public:
  explicit Wheel(int round_ms)
      : slots_(static_cast<size_t>(round_ms)), payload_(SilentBase64(kBytesPerMs * round_ms)) {}

  End* Add(std::unique_ptr<End> end) {
    // Seven has no factor in common with either round: neighbours in number are far apart in time.
    slots_[static_cast<size_t>(count_++) * 7 % slots_.size()].push_back(std::move(end));
    return slots_[static_cast<size_t>(count_ - 1) * 7 % slots_.size()].back().get();
  }

  void Turn(uint64_t turn) {
    for (const auto& end : slots_[turn % slots_.size()]) end->Beat(payload_);
  }

  int count() const { return count_; }

 private:
  std::vector<std::vector<std::unique_ptr<End>>> slots_;
  std::string payload_;
  int count_ = 0;
};

class LoopLoad final : public Load, private net::ServerDelegate {
 public:
  explicit LoopLoad(const Options& options)
      : options_(options), loop_(net::EventLoop::Start("load")), carriers_(kFrameMs), models_(options.piece_ms) {
    meter_.ahead_pieces = options.ahead_ms / options.piece_ms;
  }

  ~LoopLoad() override {
    OnLoop([this] {
      meter_.stopping = true;
      timer_.reset();
    });
    if (server_ != nullptr) server_->Stop();
    loop_->Stop();
  }

  absl::Status Begin() {
    net::ServerOptions server;
    server.health = {absl::ZeroDuration(), absl::ZeroDuration()};
    auto started = net::Server::Start(server, {loop_.get()}, *this);
    if (!started.ok()) return started.status();
    server_ = *std::move(started);
    OnLoop([this] {
      began_ = SteadyNanos();
      timer_ = loop_->NewTimer([this] { OnTurn(); });
      timer_->Set(loop_->clock().Now());
    });
    return absl::OkStatus();
  }

  std::string model_url() const override { return absl::StrCat("ws://127.0.0.1:", server_->port(), "/v1/realtime"); }
  int talking() const override { return meter_.talking; }
  int lost() const override { return meter_.lost; }

  void AddCall(const std::string& stream_url, const std::string& carrier_call_id) override {
    OnLoop([&] {
      CarrierEnd* const end = carriers_.Add(std::make_unique<CarrierEnd>(meter_, carrier_call_id));
      net::WsClientOptions options;
      options.url = stream_url;
      end->Hold(loop_->connector().Connect(options, *end));
    });
  }

  void StartWindow() override {
    OnLoop([this] {
      meter_.to_model_us.clear();
      meter_.to_caller_us.clear();
      meter_.gaps = 0;
      meter_.measuring = true;
      window_began_ = SteadyNanos();
      window_cpu_ = OwnCpu();
    });
  }

  Window EndWindow() override {
    Window window;
    OnLoop([&] {
      meter_.measuring = false;
      window.cpu = OwnCpu() - window_cpu_;
      window.length = absl::Nanoseconds(static_cast<int64_t>(SteadyNanos() - window_began_));
      window.gaps = meter_.gaps;
      window.to_model_us = std::move(meter_.to_model_us);
      window.to_caller_us = std::move(meter_.to_caller_us);
    });
    const double ms = absl::ToDoubleMilliseconds(window.length);
    window.frames_due = static_cast<int64_t>(carriers_.count() * ms / kFrameMs);
    window.pieces_due = static_cast<int64_t>(carriers_.count() * ms / options_.piece_ms);
    return window;
  }

  Talk Interrupt(absl::Duration length) override {
    OnLoop([this] { interrupting_ = true; });
    absl::SleepFor(length);
    OnLoop([this] { interrupting_ = false; });
    absl::SleepFor(kLastClear);
    Talk talk;
    OnLoop([&] { talk = {meter_.first_us, meter_.stop_us, meter_.thrown_ms, meter_.interruptions}; });
    return talk;
  }

 private:
  int LoopFor(absl::string_view, absl::string_view) override { return 0; }
  void OnRequest(int, const base::HttpRequest&, Respond respond) override {
    base::HttpResponse response;
    response.status = 404;
    respond(std::move(response));
  }
  net::UpgradeDecision OnUpgrade(int, const base::HttpRequest&) override {
    net::UpgradeDecision decision;
    ModelEnd* const end = models_.Add(std::make_unique<ModelEnd>(meter_, models_.count()));
    // Prime to the second's milliseconds and near its golden section: few calls are spread over it as well as many.
    constexpr size_t kSpread = 619;
    interrupted_[static_cast<size_t>(models_.count()) * kSpread % interrupted_.size()].push_back(end);
    decision.listener = end;
    return decision;
  }

  void OnTurn() {
    const uint64_t due = (SteadyNanos() - began_) / static_cast<uint64_t>(absl::ToInt64Nanoseconds(kTurn));
    turn_ = std::max(turn_, due - std::min(due, kMostTurnsAtOnce));
    for (; turn_ < due; ++turn_) {
      carriers_.Turn(turn_);
      models_.Turn(turn_);
      if (!interrupting_) continue;
      for (ModelEnd* const end : interrupted_[turn_ % interrupted_.size()]) end->Interrupt();
    }
    timer_->Set(loop_->clock().Now() + kTurn);
  }

  // Runs on the loop and waits. Not on the loop.
  template <typename Body>
  void OnLoop(Body body) {
    absl::Notification done;
    loop_->Post([&] {
      body();
      done.Notify();
    });
    done.WaitForNotification();
  }

  const Options options_;
  Meter meter_;
  const std::unique_ptr<net::EventLoop> loop_;
  // Listeners of sockets: gone only after the loop has stopped.
  Wheel<CarrierEnd> carriers_;
  Wheel<ModelEnd> models_;
  std::vector<std::vector<ModelEnd*>> interrupted_{1000};  // By the millisecond of the second.
  bool interrupting_ = false;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Timer> timer_;
  uint64_t began_ = 0;
  uint64_t turn_ = 0;
  uint64_t window_began_ = 0;
  absl::Duration window_cpu_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Load>> Load::Start(const Options& options) {
  auto load = std::make_unique<LoopLoad>(options);
  if (absl::Status status = load->Begin(); !status.ok()) return status;
  return load;
}

}  // namespace callbridge::bench
