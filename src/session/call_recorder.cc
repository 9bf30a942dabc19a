#include "src/session/call_recorder.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/store/merge_writes.h"
#include "src/store/refusals.h"

namespace callbridge::session {
namespace {

using base::Log;
using base::LogKind;

// Of the calls that were lost to another owner. Their sessions end within moments.
constexpr size_t kFencedRemembered = 10'000;

// Something that one call wants from the store.
struct Item {
  struct Create {
    store::CallRecord call;
    std::vector<call::Event> events;
    absl::optional<store::RequestKey> key;
    CallRecorder::CreateDone done;
    CallRecorder::CreateCheck check;
    absl::Time deadline;
    bool given_up = false;  // `done` was told that the store is away: it must not be made any more.
  };
  std::unique_ptr<Create> create;  // Null: a write.
  store::CallWrite write;
};

// Everything that is asked of one call and not done.
struct Lane {
  std::deque<Item> waiting;
  std::vector<Item> taken;  // Being written; only the runner touches it.
  bool one_by_one = false;  // They failed together: which one is it?
};

}  // namespace

// Waits out one pause at a time.
class CallRecorder::PauseThread {
 public:
  PauseThread() : thread_([this] { Run(); }) {}

  void RunAfter(absl::Duration pause, base::Task task) {
    base::MutexLock lock(mutex_);
    if (stopping_) return;
    when_ = absl::Now() + pause;
    task_ = std::move(task);
    wake_.NotifyAll();
  }

  // Drops what waits. Nothing runs afterwards.
  void Stop() {
    {
      base::MutexLock lock(mutex_);
      stopping_ = true;
      wake_.NotifyAll();
    }
    thread_.join();
    // It may hold what holds this thread: dropped here, or neither would ever go.
    base::Task dropped;
    base::MutexLock lock(mutex_);
    dropped = std::exchange(task_, nullptr);
  }

 private:
  void Run() {
    for (;;) {
      base::Task due;
      {
        base::MutexLock lock(mutex_);
        while (!stopping_ && (task_ == nullptr || absl::Now() < when_)) {
          task_ == nullptr
              ? wake_.Wait(mutex_)
              : wake_.WaitFor(mutex_, absl::ToChronoMilliseconds(when_ - absl::Now() + absl::Milliseconds(1)));
        }
        if (stopping_) return;
        due = std::exchange(task_, nullptr);
      }
      due();
    }
  }

  base::Mutex mutex_;
  base::CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time when_ ABSL_GUARDED_BY(mutex_);
  base::Task task_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

// The lanes, and the runner that serves them: at most one task at a time on the executor, which does one transaction
// and posts itself again, so that others' work on the executor comes in between.
class CallRecorder::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(store::CallStore& store, base::Executor& executor, Options options)
      : store_(store), executor_(executor), options_(std::move(options)) {}

  void Add(const std::string& call_id, Item item) {
    base::MutexLock lock(mutex_);
    if (closed_ || (!item.create && DropIfFenced(item.write))) return;
    if ((pending_ >= options_.max_pending && !item.create && Shed(call_id, item.write))) return;
    const auto [lane, made] = lanes_.try_emplace(call_id);
    lane->second.waiting.push_back(std::move(item));
    ++pending_;
    if (made) ready_.push_back(call_id);
    if (std::exchange(running_, true)) return;
    PostRun();
  }

  size_t pending() const {
    base::MutexLock lock(mutex_);
    return pending_;
  }

  int64_t lost_events() const {
    base::MutexLock lock(mutex_);
    return lost_events_;
  }

  int64_t fenced_writes() const {
    base::MutexLock lock(mutex_);
    return fenced_writes_;
  }

  absl::Time PatienceEnd() const { return options_.clock->Now() + options_.create_patience; }

  bool Flush(absl::Duration at_most) {
    const absl::Time deadline = absl::Now() + at_most;
    base::MutexLock lock(mutex_);
    while (pending_ > 0) {
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) return false;
      flushed_.WaitFor(mutex_, absl::ToChronoMilliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
    }
    return true;
  }

  void Close() {
    base::MutexLock lock(mutex_);
    closed_ = true;
    if (pending_ > 0)
      Log(LogKind::kTrouble, "", "stopping with records that are not written", {{"pending", absl::StrCat(pending_)}});
  }

 private:
  // kAgain: the same lane has another try now. kSkipped: the store was not asked.
  enum class Outcome { kDone, kAgain, kAway, kSkipped };

  void PostRun() {
    executor_.Post([self = shared_from_this()] { self->Run(); });
  }

  // One transaction of the lane whose turn it is.
  void Run() {
    std::string call_id;
    Lane* lane = Next(&call_id);
    if (lane == nullptr) return;
    const size_t before = lane->taken.size();
    Outcome outcome = Outcome::kAgain;
    while (outcome == Outcome::kAgain)
      outcome = lane->taken.front().create ? RunCreate(*lane) : RunWrites(call_id, *lane);
    if (outcome == Outcome::kAway) {
      FailImpatientCreates();
    } else if (outcome == Outcome::kDone) {
      OnStoreAnswered();
    }
    Finish(call_id, before, outcome);
  }

  // The lane at the front of the queue, with at least one item taken. Null: nothing is left, or the recorder is closed.
  Lane* Next(std::string* call_id) {
    base::MutexLock lock(mutex_);
    if (closed_ || ready_.empty()) {
      running_ = false;
      return nullptr;
    }
    *call_id = std::move(ready_.front());
    ready_.pop_front();
    Lane& lane = lanes_[*call_id];  // Nodes of the map stay where they are.
    if (!lane.taken.empty()) return &lane;
    do {
      lane.taken.push_back(std::move(lane.waiting.front()));
      lane.waiting.pop_front();
    } while (!lane.taken.back().create && !lane.waiting.empty() && !lane.waiting.front().create &&
             lane.taken.size() < options_.max_merged);
    return &lane;
  }

  absl::StatusOr<store::CallStore::Created> TryCreate(const Item::Create& create) {
    if (create.check) {
      if (create.key) {
        auto known = store_.FindRequest(*create.key);
        if (!known.ok()) return known.status();
        if (known->has_value()) return store::CallStore::Created{**std::move(known), /*existed=*/true, {}};
      }
      if (absl::Status refusal = create.check(store_); !refusal.ok()) return refusal;
    }
    return store_.CreateCall(create.call, create.events, create.key);
  }

  Outcome RunCreate(Lane& lane) {
    Item::Create& create = *lane.taken.front().create;
    if (create.given_up) {
      lane.taken.clear();
      return Outcome::kSkipped;
    }
    auto created = TryCreate(create);
    if (absl::IsUnavailable(created.status())) {
      OnStoreAway(created.status());
      if (options_.clock->Now() < create.deadline) return Outcome::kAway;
    }
    const bool away = absl::IsUnavailable(created.status());
    if (created.ok() && !created->existed) {
      Announce(create.events, created->events.empty() ? 0 : created->events.back().position);
    }
    const CreateDone done = std::move(create.done);
    lane.taken.clear();
    if (done) done(std::move(created));
    return away ? Outcome::kAway : Outcome::kDone;
  }

  Outcome RunWrites(const std::string& call_id, Lane& lane) {
    size_t count = 1;
    store::CallWrite merged;
    const store::CallWrite* write = &lane.taken.front().write;
    if (!lane.one_by_one && lane.taken.size() > 1) {
      merged = *write;
      while (count < lane.taken.size() && store::MergeWrites(lane.taken[count].write, &merged)) ++count;
      write = &merged;
    }
    std::vector<int64_t> positions;
    const absl::Status status = store_.Apply(*write, &positions);
    if (absl::IsUnavailable(status)) {
      OnStoreAway(status);
      return Outcome::kAway;
    }
    if (store::IsOwnerChanged(status)) {
      const store::Owner former = *lane.taken.front().write.owner;  // A copy: the write goes.
      OnFenced(call_id, former, lane);
      return Outcome::kDone;
    }
    if (status.ok()) {
      Announce(write->events, positions.empty() ? 0 : positions.back());
    } else if (count > 1) {
      lane.one_by_one = true;
      return Outcome::kAgain;
    } else if (OnRefused(call_id, status, lane.taken.front().write)) {
      return Outcome::kAgain;
    }
    lane.taken.erase(lane.taken.begin(), lane.taken.begin() + static_cast<std::ptrdiff_t>(count));
    if (lane.taken.empty()) lane.one_by_one = false;
    return Outcome::kDone;
  }

  void Announce(const std::vector<call::Event>& events, int64_t position) {
    if (events.empty()) return;
    if (options_.on_commit) {
      for (const call::Event& event : events) options_.on_commit(event);
    }
    if (options_.hint) options_.hint(position);
  }

  // The store will never take this write. True: it is worth another try with what is left of it.
  bool OnRefused(const std::string& call_id, const absl::Status& status, store::CallWrite& write) {
    const int64_t events = static_cast<int64_t>(write.events.size());
    const bool again = events > 0 && store::HasFields(write) && !absl::IsNotFound(status);
    Log(LogKind::kTrouble, call_id, again ? "events of the call are lost" : "a record of the call is lost",
        {{"events", absl::StrCat(events)}, {"error", std::string(status.message())}});
    write.events.clear();
    base::MutexLock lock(mutex_);
    lost_events_ += events;
    return again;
  }

  // Of the lane, what its former owner wrote goes; what anybody may write stays.
  void OnFenced(const std::string& call_id, const store::Owner& owner, Lane& lane) {
    const int64_t taken = RemoveOwned(owner, &lane.taken);
    int64_t dropped = 0;
    bool is_news = false;
    {
      base::MutexLock lock(mutex_);
      const int64_t waiting = RemoveOwned(owner, &lane.waiting);
      pending_ -= static_cast<size_t>(waiting);  // Finish() counts those that were taken.
      dropped = taken + waiting;
      fenced_writes_ += dropped;
      is_news = fenced_.emplace(call_id, owner).second;
      if (is_news) fenced_order_.push_back(call_id);
      if (fenced_order_.size() > kFencedRemembered) {
        fenced_.erase(fenced_order_.front());
        fenced_order_.pop_front();
      }
    }
    if (lane.taken.empty()) lane.one_by_one = false;
    Log(LogKind::kTrouble, call_id, "the call has another owner now; nothing more is written for it",
        {{"dropped", absl::StrCat(dropped)}});
    if (is_news && options_.on_fenced) options_.on_fenced(call_id);
  }

  template <typename Items>
  static int64_t RemoveOwned(const store::Owner& owner, Items* items) {
    const auto owned = [&owner](const Item& item) { return !item.create && item.write.owner == owner; };
    const auto kept = std::remove_if(items->begin(), items->end(), owned);
    const int64_t removed = items->end() - kept;
    items->erase(kept, items->end());
    return removed;
  }

  // The session may not know yet that it was fenced.
  bool DropIfFenced(const store::CallWrite& write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto fenced = fenced_.find(write.call_id);
    if (fenced == fenced_.end() || !(write.owner == fenced->second)) return false;
    ++fenced_writes_;
    return true;
  }

  void OnStoreAway(const absl::Status& status) {
    if (failures_++ == 0)
      Log(LogKind::kTrouble, "", "the database is away; records wait", {{"error", std::string(status.message())}});
  }

  void OnStoreAnswered() {
    if (std::exchange(failures_, 0) > 0) Log(LogKind::kDatabase, "", "the database is back");
  }

  // Creations whose patience is over do not wait for their turn.
  void FailImpatientCreates() {
    std::vector<CreateDone> impatient;
    {
      base::MutexLock lock(mutex_);
      for (auto& [call_id, lane] : lanes_) {
        Item* item = !lane.taken.empty() ? &lane.taken.front() : lane.waiting.empty() ? nullptr : &lane.waiting.front();
        if (item == nullptr || !item->create || item->create->given_up ||
            options_.clock->Now() < item->create->deadline)
          continue;
        item->create->given_up = true;
        impatient.push_back(std::move(item->create->done));
      }
    }
    for (const CreateDone& done : impatient) {
      if (done) done(absl::UnavailableError("the database is away"));
    }
  }

  // Counts what was done of the lane and gives the turn to the next one, after a pause if the store is away.
  void Finish(const std::string& call_id, size_t before, Outcome outcome) {
    base::MutexLock lock(mutex_);
    const auto lane = lanes_.find(call_id);
    pending_ -= before - lane->second.taken.size();
    if (pending_ < options_.max_pending / 2) shedding_ = false;
    if (pending_ == 0) flushed_.NotifyAll();
    if (lane->second.taken.empty() && lane->second.waiting.empty()) {
      lanes_.erase(lane);
    } else {
      ready_.push_back(call_id);  // Behind the others, so that none waits for ever for one that fails.
    }
    if (ready_.empty() || closed_) {
      running_ = false;
    } else if (outcome == Outcome::kAway) {
      options_.delay(Pause(), [self = shared_from_this()] { self->PostRun(); });
    } else {
      PostRun();
    }
  }

  absl::Duration Pause() const {
    return std::min(options_.first_pause * (int64_t{1} << std::min(failures_ - 1, 20)), options_.longest_pause);
  }

  // True: nothing is left of the write that is worth keeping in these times.
  bool Shed(const std::string& call_id, store::CallWrite& write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!std::exchange(shedding_, true)) {
      Log(LogKind::kTrouble, call_id, "too many records wait: events are lost from here on",
          {{"pending", absl::StrCat(pending_)}});
    }
    lost_events_ += static_cast<int64_t>(write.events.size());
    write.events.clear();
    write.transcript_items.clear();
    return !store::HasFields(write);
  }

  store::CallStore& store_;
  base::Executor& executor_;
  const Options options_;

  mutable base::Mutex mutex_;
  base::CondVar flushed_;
  std::map<std::string, Lane> lanes_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> ready_
      ABSL_GUARDED_BY(mutex_);  // Calls with something to do, each once, but for the one in turn.
  size_t pending_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t lost_events_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t fenced_writes_ ABSL_GUARDED_BY(mutex_) = 0;
  // The last calls that were lost to another owner, and which one had them here.
  std::map<std::string, store::Owner> fenced_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> fenced_order_ ABSL_GUARDED_BY(mutex_);
  bool shedding_ ABSL_GUARDED_BY(mutex_) = false;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;  // A run is posted, is going on, or waits out a pause.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int failures_ = 0;  // kUnavailable in a row. The runner's.
};

CallRecorder::CallRecorder(store::CallStore& store, base::Executor& executor, Options options) {
  if (!options.delay) {
    pause_thread_ = std::make_shared<PauseThread>();
    options.delay = [pauses = pause_thread_](absl::Duration pause, base::Task task) {
      pauses->RunAfter(pause, std::move(task));
    };
  }
  options.max_merged = std::max<size_t>(options.max_merged, 1);
  core_ = std::make_shared<Core>(store, executor, std::move(options));
}

CallRecorder::~CallRecorder() {
  core_->Close();
  if (pause_thread_ != nullptr) pause_thread_->Stop();
}

void CallRecorder::Create(store::CallRecord call, std::vector<call::Event> events,
                          absl::optional<store::RequestKey> key, CreateDone done, CreateCheck check) {
  const std::string call_id = call.call_id;
  Item item;
  item.create = std::make_unique<Item::Create>();
  *item.create = {std::move(call), std::move(events), std::move(key),
                  std::move(done), std::move(check),  core_->PatienceEnd()};
  core_->Add(call_id, std::move(item));
}

void CallRecorder::Write(store::CallWrite write) {
  const std::string call_id = write.call_id;
  Item item;
  item.write = std::move(write);
  core_->Add(call_id, std::move(item));
}

size_t CallRecorder::pending() const { return core_->pending(); }

int64_t CallRecorder::lost_events() const { return core_->lost_events(); }

int64_t CallRecorder::fenced_writes() const { return core_->fenced_writes(); }

bool CallRecorder::Flush(absl::Duration at_most) { return core_->Flush(at_most); }

}  // namespace callbridge::session
