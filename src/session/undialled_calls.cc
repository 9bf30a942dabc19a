#include "src/session/undialled_calls.h"

#include <utility>

#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/call/termination.h"
#include "src/session/retry_queue.h"
#include "src/store/write_check.h"

namespace callbridge::session {
namespace {

constexpr absl::Duration kPause = absl::Seconds(10);
constexpr int kMostLooks = 360;
constexpr size_t kMostWatched = 1000;

// What the next start of the process would find.
call::Termination NotDialled() {
  call::EndFacts facts;
  facts.reason = call::EndReason::kProcessLost;
  facts.evidence = "not dialled: the database did not confirm the record in time";
  return call::MakeTermination(facts);
}

}  // namespace

class UndialledCalls::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(CallRecorder& recorder, net::Loop& loop, Find find)
      : recorder_(recorder),
        loop_(loop),
        find_(std::move(find)),
        queue_(std::make_shared<RetryQueue>(loop, kPause, kMostWatched)) {}

  void LookLater(const std::string& call_id, int looks, int misses) {
    queue_->Add([weak = weak_from_this(), call_id, looks, misses] {
      if (const auto core = weak.lock()) core->Look(call_id, looks, misses);
    });
  }

  void Close() {
    {
      base::MutexLock lock(mutex_);
      closed_ = true;
    }
    queue_->Close();
  }

 private:
  // On the loop.
  void Look(const std::string& call_id, int looks, int misses) {
    find_(call_id, [weak = weak_from_this(), call_id, looks, misses](const absl::StatusOr<store::CallRecord>& found) {
      if (const auto core = weak.lock()) core->OnFound(call_id, looks + 1, misses, found);
    });
  }

  void OnFound(const std::string& call_id, int looks, int misses, const absl::StatusOr<store::CallRecord>& found) {
    base::MutexLock lock(mutex_);
    if (closed_) return;
    if (found.ok()) return End(*found);
    const bool missing = absl::IsNotFound(found.status());
    if (missing && misses > 0) return;
    if (looks < kMostLooks) LookLater(call_id, looks, misses + (missing ? 1 : 0));
  }

  void End(const store::CallRecord& call) {
    if (call::IsFinal(call.state)) return;
    base::Log(base::LogKind::kDatabase, call.call_id, "was recorded after all, and never dialled: closed");
    for (store::CallWrite& write : store::CloseWrites(call, {}, {}, NotDialled(), loop_.clock().Now(), false)) {
      if (!call.owner.node_id.empty()) write.owner = call.owner;
      recorder_.Write(std::move(write));
    }
  }

  CallRecorder& recorder_;
  net::Loop& loop_;
  const Find find_;
  const std::shared_ptr<RetryQueue> queue_;
  base::Mutex mutex_;  // Before the queue's.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

UndialledCalls::UndialledCalls(CallRecorder& recorder, net::Loop& loop, Find find)
    : core_(std::make_shared<Core>(recorder, loop, std::move(find))) {}

UndialledCalls::~UndialledCalls() { core_->Close(); }

void UndialledCalls::Watch(const std::string& call_id) { core_->LookLater(call_id, 0, 0); }

}  // namespace callbridge::session
