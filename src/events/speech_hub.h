#ifndef CALLBRIDGE_SRC_EVENTS_SPEECH_HUB_H_
#define CALLBRIDGE_SRC_EVENTS_SPEECH_HUB_H_

#include <semaphore.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "src/base/mutex.h"
#include "src/call/types.h"

namespace callbridge::events {

// A piece of what the assistant says, as the model produces it, or of what the caller said, as it is transcribed.
struct SpokenWords {
  std::string call_id;
  std::string item_id;
  call::Role role = call::Role::kAssistant;
  size_t offset = 0;  // How many bytes of the item's text came before it.
  std::string text;
};

// Brings the words of this process's live calls to who reads along, before they are an event or in the store. A
// courtesy: nothing is kept, and with more than kMostWaiting pieces under way new ones are dropped, which their offsets
// show. Thread-safe.
class SpeechHub {
 public:
  static constexpr int kMostWaiting = 4096;

  SpeechHub();
  ~SpeechHub();
  SpeechHub(const SpeechHub&) = delete;
  SpeechHub& operator=(const SpeechHub&) = delete;

  // For the calls' loops: takes no lock and never waits. While nobody reads any call along, it is one look at a
  // counter.
  void Publish(absl::string_view call_id, absl::string_view item_id, call::Role role, size_t offset,
               absl::string_view text);

  using Take = std::function<void(const SpokenWords&)>;

  // A subscription, for as long as it lives. Movable. Once its destructor has returned, `take` does not run and will
  // not; the destructor waits for one that runs on another thread. The hub outlives it.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();

   private:
    friend class SpeechHub;
    Subscription(SpeechHub* hub, int64_t id) : hub_(hub), id_(id) {}
    void End();

    SpeechHub* hub_ = nullptr;
    int64_t id_ = 0;
  };

  // How many subscriptions there are. Never blocks.
  int listeners() const { return listening_; }

  // Calls `take` with the words of this call from now on, in their order, on the hub's thread. It must not block, and
  // must neither subscribe nor destroy a Subscription.
  Subscription Subscribe(const std::string& call_id, Take take);

 private:
  struct Node {
    std::atomic<Node*> next{nullptr};
    SpokenWords words;
  };
  struct Listener {
    std::string call_id;
    Take take;
  };

  void Push(std::unique_ptr<Node> node);
  std::unique_ptr<Node> Pop();
  void Run();
  void HandOn(const SpokenWords& words);

  std::atomic<int> listening_{0};  // How many listeners there are.
  // A queue of many writers and one reader: a writer takes the last place with one exchange and then makes the one
  // before it point here, so that none waits for another.
  std::atomic<int> waiting_{0};
  std::atomic<Node*> last_;
  Node* first_;  // The hub's thread's: already handed on, its next is the first that waits.
  std::atomic<bool> woken_{false};
  std::atomic<bool> stopping_{false};
  sem_t wake_;

  base::Mutex mutex_;
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<int64_t, Listener> listeners_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace callbridge::events

#endif  // CALLBRIDGE_SRC_EVENTS_SPEECH_HUB_H_
