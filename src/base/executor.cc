#include "src/base/executor.h"

#include <pthread.h>

#include <utility>

namespace callbridge::base {

ThreadExecutor::ThreadExecutor(const std::string& name) : thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

ThreadExecutor::~ThreadExecutor() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void ThreadExecutor::Post(Task task) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    tasks_.push_back(std::move(task));
  }
  wake_.NotifyOne();
}

size_t ThreadExecutor::queued() const {
  MutexLock lock(mutex_);
  return tasks_.size();
}

void ThreadExecutor::Run() {
  for (;;) {
    Task task;
    {
      MutexLock lock(mutex_);
      while (tasks_.empty() && !stopping_) wake_.Wait(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

int ManualExecutor::RunAll() {
  int ran = 0;
  for (; !tasks_.empty(); ++ran) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
  return ran;
}

}  // namespace callbridge::base
