#include "src/sim/carrier_server.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/base/clock.h"
#include "src/base/ids.h"
#include "src/base/mutex.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "src/sim/carrier_call.h"
#include "src/sim/carrier_rest.h"
#include "src/sim/carrier_ticker.h"
#include "src/sim/carrier_webhooks.h"

namespace callbridge::sim {
namespace {

std::string DigitsOf(absl::string_view number) {
  std::string digits;
  for (const char c : number) {
    if (absl::ascii_isdigit(c)) digits += c;
  }
  return digits;
}

// A loop with the calls that live on it. All but `loop` is the loop's own.
struct Lane {
  std::unique_ptr<net::EventLoop> loop;
  std::unique_ptr<CarrierTicker> ticker;
  std::map<std::string, std::unique_ptr<CarrierCall>> calls;
};

class Carrier final : public CarrierServer, private net::ServerDelegate, private CarrierRest::Backend {
 public:
  Carrier(const Options& options, std::shared_ptr<const SpeechLibrary> speech)
      : options_(options),
        webhooks_(Webhooks::Start()),
        rest_(options.auth_id, options.auth_token, *this, base::SystemClock()) {
    shared_ = {options.auth_id,   options.auth_token, options.public_base,
               options.dial_base, webhooks_.get(),    std::move(speech)};
    for (int i = 0; i < std::max(1, options.threads); ++i) {
      auto lane = std::make_unique<Lane>();
      lane->loop = net::EventLoop::Start(absl::StrCat("carrier-", i));
      lanes_.push_back(std::move(lane));
    }
  }

  ~Carrier() override { Stop(); }

  absl::Status Listen() {
    std::vector<net::EventLoop*> loops;
    for (const auto& lane : lanes_) loops.push_back(lane->loop.get());
    net::ServerOptions server_options;
    server_options.listen = options_.listen;
    absl::StatusOr<std::unique_ptr<net::Server>> server = net::Server::Start(server_options, loops, *this);
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  int port() const override { return server_->port(); }

  absl::StatusOr<std::string> CallIn(const Scenario& scenario) override {
    if (options_.answer_url.empty()) return absl::FailedPreconditionError("the application has no answer_url");
    CallOrder order;
    order.uuid = base::NewUuid();
    order.from = scenario.from;
    order.to = scenario.to;
    order.answer = {options_.answer_url, options_.answer_method};
    order.fallback = {options_.fallback_url, options_.answer_method};
    order.hangup = options_.hangup_url.empty() ? order.answer : Webhook{options_.hangup_url, "POST"};
    order.scenario = scenario;
    const std::string uuid = order.uuid;
    Begin(std::move(order));
    return uuid;
  }

  void RegisterPhone(const Scenario& scenario) override {
    base::MutexLock lock(mutex_);
    phones_[scenario.to == "*" ? "*" : DigitsOf(scenario.to)] = scenario;
  }

  void OnCallStarts(std::function<void(const Scenario&)> hook) override {
    base::MutexLock lock(mutex_);
    hook_ = std::move(hook);
  }

  void OnOtherRequest(std::function<base::HttpResponse(const base::HttpRequest&)> handler) override {
    base::MutexLock lock(mutex_);
    other_ = std::move(handler);
  }

  std::vector<CarrierCallReport> Calls() const override {
    std::vector<CarrierCallReport> reports;
    for (const auto& log : Logs()) reports.push_back(log->Copy());
    return reports;
  }

  absl::StatusOr<CarrierCallReport> Call(const std::string& call_uuid) const override {
    base::MutexLock lock(mutex_);
    const auto found = entries_.find(call_uuid);
    if (found == entries_.end()) return absl::NotFoundError(absl::StrCat("no call ", call_uuid));
    return found->second.log->Copy();
  }

  std::vector<std::string> Violations() const override {
    base::MutexLock lock(mutex_);
    return violations_;
  }

  void Stop() override {
    if (stopped_.exchange(true)) return;
    if (server_ != nullptr) server_->Stop();
    // What belongs to a loop is destroyed on it, before the client whose answers would be posted to it.
    for (const auto& lane : lanes_) {
      std::promise<void> done;
      lane->loop->Post([&lane, &done] {
        lane->calls.clear();
        lane->ticker.reset();
        done.set_value();
      });
      done.get_future().wait();
    }
    webhooks_.reset();
    for (const auto& lane : lanes_) lane->loop->Stop();
  }

 private:
  struct Entry {
    std::shared_ptr<CallLog> log;
    size_t lane = 0;
    std::vector<int> faults;  // Of REST requests about an inbound call.
  };

  int LoopFor(absl::string_view method, absl::string_view target) override { return -1; }

  void OnRequest(int loop, const base::HttpRequest& request, Respond respond) override {
    if (absl::StartsWith(request.Path(), "/v1/")) {
      absl::optional<base::HttpResponse> response = rest_.Handle(request);
      if (response.has_value()) respond(*std::move(response));
      return;
    }
    std::function<base::HttpResponse(const base::HttpRequest&)> other;
    {
      base::MutexLock lock(mutex_);
      other = other_;
    }
    base::HttpResponse response;
    response.status = 404;
    response.body = absl::StrCat("nothing is at ", request.Path(), "\n");
    respond(other == nullptr ? response : other(request));
  }

  net::UpgradeDecision OnUpgrade(int loop, const base::HttpRequest& request) override {
    net::UpgradeDecision decision;
    decision.refusal.status = 404;
    decision.refusal.body = "the carrier opens streams, it takes none\n";
    return decision;
  }

  absl::optional<Scenario> FindPhone(const std::string& number) override {
    base::MutexLock lock(mutex_);
    auto found = phones_.find(DigitsOf(number));
    if (found == phones_.end()) found = phones_.find("*");
    return found == phones_.end() ? absl::nullopt : absl::optional<Scenario>(found->second);
  }

  bool Place(CallOrder order) override {
    {
      base::MutexLock lock(mutex_);
      const absl::Time now = base::SystemClock().Now();
      next_dial_ = std::max(next_dial_, now);
      order.wait = next_dial_ - now;
      next_dial_ += absl::Seconds(1) / std::max(1, options_.dials_per_second);
    }
    const bool at_once = order.wait == absl::ZeroDuration();
    Begin(std::move(order));
    return at_once;
  }

  std::shared_ptr<CallLog> FindCall(const std::string& uuid) override {
    base::MutexLock lock(mutex_);
    const auto found = entries_.find(uuid);
    return found == entries_.end() ? nullptr : found->second.log;
  }

  std::vector<CarrierCallReport> Live() override {
    std::vector<CarrierCallReport> live;
    for (const auto& log : Logs()) {
      if (!log->over()) live.push_back(log->Copy());
    }
    return live;
  }

  std::vector<int> FaultsOf(const std::string& uuid) override {
    base::MutexLock lock(mutex_);
    const auto found = entries_.find(uuid);
    return found == entries_.end() ? std::vector<int>() : found->second.faults;
  }

  void OnCall(const std::string& uuid, std::function<void(CarrierCall&)> action) override {
    size_t index;
    {
      base::MutexLock lock(mutex_);
      const auto found = entries_.find(uuid);
      if (found == entries_.end()) return;
      index = found->second.lane;
    }
    Lane& lane = *lanes_[index];
    lane.loop->Post([&lane, uuid, action = std::move(action)] {
      const auto call = lane.calls.find(uuid);
      if (call != lane.calls.end()) action(*call->second);
    });
  }

  void Violation(const std::string& what) override {
    base::MutexLock lock(mutex_);
    violations_.push_back(what);
  }

  std::vector<std::shared_ptr<CallLog>> Logs() const {
    base::MutexLock lock(mutex_);
    std::vector<std::shared_ptr<CallLog>> logs;
    for (const std::string& uuid : order_) logs.push_back(entries_.at(uuid).log);
    return logs;
  }

  void Begin(CallOrder order) {
    CarrierCallReport report;
    report.call_uuid = order.uuid;
    report.scenario = order.scenario.name;
    report.from = order.from;
    report.to = order.to;
    report.outbound = order.outbound;
    report.started = base::SystemClock().Now();
    auto log = std::make_shared<CallLog>(report, base::SystemClock());
    std::function<void(const Scenario&)> hook;
    size_t index;
    {
      base::MutexLock lock(mutex_);
      index = order_.size() % lanes_.size();
      entries_[order.uuid] = {log, index, order.outbound ? std::vector<int>() : order.scenario.carrier.rest_errors};
      order_.push_back(order.uuid);
      hook = hook_;
    }
    if (hook != nullptr) hook(order.scenario);
    Lane& lane = *lanes_[index];
    lane.loop->Post([this, &lane, log, order = std::move(order)]() mutable {
      if (stopped_) return;
      if (lane.ticker == nullptr) lane.ticker = std::make_unique<CarrierTicker>(*lane.loop);
      const std::string uuid = order.uuid;
      // Destroyed in a later turn: a call cannot be inside its own tick.
      auto quiet = [&lane, uuid] { lane.loop->Post([&lane, uuid] { lane.calls.erase(uuid); }); };
      auto call =
          std::make_unique<CarrierCall>(std::move(order), shared_, std::move(log), *lane.loop, *lane.ticker, quiet);
      CarrierCall& started = *call;
      lane.calls[uuid] = std::move(call);
      started.Start();
    });
  }

  const Options options_;
  std::unique_ptr<Webhooks> webhooks_;
  CarrierRest rest_;
  CallShared shared_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<net::Server> server_;
  std::atomic<bool> stopped_{false};

  mutable base::Mutex mutex_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> order_ ABSL_GUARDED_BY(mutex_);  // Calls as begun.
  std::map<std::string, Scenario> phones_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const Scenario&)> hook_ ABSL_GUARDED_BY(mutex_);
  std::function<base::HttpResponse(const base::HttpRequest&)> other_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> violations_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_dial_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace

absl::StatusOr<std::unique_ptr<CarrierServer>> CarrierServer::Start(const Options& options,
                                                                    std::shared_ptr<const SpeechLibrary> speech) {
  auto carrier = std::make_unique<Carrier>(options, std::move(speech));
  const absl::Status listening = carrier->Listen();
  if (!listening.ok()) return listening;
  return carrier;
}

}  // namespace callbridge::sim
