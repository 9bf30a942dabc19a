#ifndef CALLBRIDGE_SRC_NET_ASIO_LOOP_H_
#define CALLBRIDGE_SRC_NET_ASIO_LOOP_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "asio.hpp"
#include "src/base/clock.h"
#include "src/base/executor.h"
#include "src/base/mutex.h"
#include "src/net/event_loop.h"

namespace callbridge::net {

// The EventLoop that Start() makes, as the rest of this room sees it: with its io_context.
class AsioLoop final : public EventLoop {
 public:
  explicit AsioLoop(const std::string& name);
  ~AsioLoop() override;

  // Must be called once, before anything uses the loop. The connector is destroyed with the loop.
  void SetConnector(std::unique_ptr<WsConnector> connector) { connector_ = std::move(connector); }

  void Post(base::Task task) override;
  const base::Clock& clock() const override { return base::SystemClock(); }
  std::unique_ptr<Timer> NewTimer(base::Task task) override;
  bool InLoop() const override { return std::this_thread::get_id() == thread_.get_id(); }
  WsConnector& connector() override { return *connector_; }
  void Stop() override;

  asio::io_context& io() { return io_; }

  // Runs `task` on the loop and waits for it; on the caller's thread if the loop has stopped, for then no other is there. Not on
  // the loop.
  void RunAndWait(base::Task task);

  // `cut` runs on the loop when it stops: the owner's last chance to close its sockets there. Any thread.
  int AddStopHook(std::function<void()> cut);
  void RemoveStopHook(int id);

 private:
  enum class State { kRunning, kStopping, kStopped };
  void Run(const std::string& name);
  void RunStopHooks();

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::unique_ptr<WsConnector> connector_;
  std::atomic<bool> dropping_{false};  // Posted tasks are dropped from now on.
  base::Mutex mutex_;
  base::CondVar changed_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kRunning;
  int next_hook_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int, std::function<void()>> hooks_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_ASIO_LOOP_H_
