#include "src/session/late_settlements.h"

#include <utility>
#include <vector>

#include "src/base/log.h"
#include "src/base/mutex.h"

namespace callbridge::session {
namespace {

using base::Log;
using base::LogKind;

constexpr absl::Duration kPause = absl::Seconds(10);
constexpr int kMostAttempts = 90;
constexpr size_t kMostWaiting = 1000;

struct Late {
  std::string carrier_call_id;
  std::string carrier_request_id;
  store::Settlement settlement;
  int attempts = 0;
};

}  // namespace

class LateSettlements::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(CallRecorder& recorder, net::Loop& loop, Find find) : recorder_(recorder), loop_(loop), find_(std::move(find)) {}

  void Try(Late late) {
    if (!find_) return;
    ++late.attempts;
    const std::string call_id = late.carrier_call_id;
    const std::string request_id = late.carrier_request_id;
    // Weak: the answer may come when all is gone.
    find_(call_id, request_id,
          [weak = weak_from_this(), late = std::move(late)](const absl::StatusOr<store::CallRecord>& found) {
            if (const auto core = weak.lock()) core->OnFound(late, found);
          });
  }

  // Nothing is begun any more. The timer goes here, with its loop still there.
  void Close() {
    base::MutexLock lock(mutex_);
    closed_ = true;
    if (!waiting_.empty()) {
      Log(LogKind::kTrouble, "", "stopping with calls that are not settled",
          {{"calls", std::to_string(waiting_.size())}});
    }
    waiting_.clear();
    timer_.reset();
  }

 private:
  void OnFound(const Late& late, const absl::StatusOr<store::CallRecord>& found) {
    base::MutexLock lock(mutex_);
    if (closed_) return;
    if (found.ok()) {
      store::CallWrite write;
      write.call_id = found->call_id;
      write.settlement = late.settlement;
      recorder_.Write(std::move(write));
      Log(LogKind::kDatabase, found->call_id, "settled late",
          {{"carrier_call_id", late.carrier_call_id}, {"cause", late.settlement.cause}});
    } else if (absl::IsNotFound(found.status())) {
      Log(LogKind::kTrouble, "", "a hang-up notice of a call that is not known",
          {{"carrier_call_id", late.carrier_call_id}});
    } else if (late.attempts >= kMostAttempts || waiting_.size() >= kMostWaiting) {
      Log(LogKind::kTrouble, "", "a call could not be settled",
          {{"carrier_call_id", late.carrier_call_id}, {"why", std::string(found.status().message())}});
    } else {
      waiting_.push_back(late);
      if (!std::exchange(armed_, true)) loop_.Post([self = shared_from_this()] { self->Arm(); });
    }
  }

  // On the loop.
  void Arm() {
    base::MutexLock lock(mutex_);
    if (closed_) return;
    if (timer_ == nullptr) timer_ = loop_.NewTimer([this] { TryAgain(); });
    timer_->Set(loop_.clock().Now() + kPause);
  }

  void TryAgain() {
    std::vector<Late> due;
    {
      base::MutexLock lock(mutex_);
      armed_ = false;
      due.swap(waiting_);
    }
    for (Late& late : due) Try(std::move(late));
  }

  CallRecorder& recorder_;
  net::Loop& loop_;
  const Find find_;
  base::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool armed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Late> waiting_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<net::Timer> timer_ ABSL_GUARDED_BY(mutex_);
};

LateSettlements::LateSettlements(CallRecorder& recorder, net::Loop& loop, Find find)
    : core_(std::make_shared<Core>(recorder, loop, std::move(find))) {}

LateSettlements::~LateSettlements() { core_->Close(); }

void LateSettlements::Settle(const std::string& carrier_call_id, const std::string& carrier_request_id,
                             const store::Settlement& settlement) {
  core_->Try({carrier_call_id, carrier_request_id, settlement, 0});
}

}  // namespace callbridge::session
