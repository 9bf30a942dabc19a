#include "src/session/late_settlements.h"

#include <utility>

#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/session/retry_queue.h"

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
  Core(CallRecorder& recorder, net::Loop& loop, Find find)
      : recorder_(recorder), find_(std::move(find)), queue_(std::make_shared<RetryQueue>(loop, kPause, kMostWaiting)) {}

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

  // Nothing is begun any more.
  void Close() {
    {
      base::MutexLock lock(mutex_);
      closed_ = true;
    }
    const size_t waiting = queue_->Close();
    if (waiting == 0) return;
    Log(LogKind::kTrouble, "", "stopping with calls that are not settled", {{"calls", std::to_string(waiting)}});
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
    } else if (late.attempts >= kMostAttempts || !TryLater(late)) {
      Log(LogKind::kTrouble, "", "a call could not be settled",
          {{"carrier_call_id", late.carrier_call_id}, {"why", std::string(found.status().message())}});
    }
  }

  bool TryLater(const Late& late) {
    return queue_->Add([weak = weak_from_this(), late] {
      if (const auto core = weak.lock()) core->Try(late);
    });
  }

  CallRecorder& recorder_;
  const Find find_;
  const std::shared_ptr<RetryQueue> queue_;
  base::Mutex mutex_;  // Before the queue's.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

LateSettlements::LateSettlements(CallRecorder& recorder, net::Loop& loop, Find find)
    : core_(std::make_shared<Core>(recorder, loop, std::move(find))) {}

LateSettlements::~LateSettlements() { core_->Close(); }

void LateSettlements::Settle(const std::string& carrier_call_id, const std::string& carrier_request_id,
                             const store::Settlement& settlement) {
  core_->Try({carrier_call_id, carrier_request_id, settlement, 0});
}

}  // namespace callbridge::session
