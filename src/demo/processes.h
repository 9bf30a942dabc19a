#ifndef CALLBRIDGE_SRC_DEMO_PROCESSES_H_
#define CALLBRIDGE_SRC_DEMO_PROCESSES_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace callbridge::demo {

// A program to start.
struct Command {
  std::string path;
  std::vector<std::string> arguments;    // Without the program's name.
  std::vector<std::string> environment;  // "NAME=value", before what this process has.
  std::string log_path;                  // Takes its output and errors; an older file is replaced.
};

// A running program. It is in a process group of its own, so that Ctrl-C on the terminal reaches only its parent, and
// it is told to end (SIGTERM) when the thread that started it is gone, however that came about. Not thread-safe.
class Process {
 public:
  // Errors name the path and why it cannot be started: no such file, not a program.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const Command& command);

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  // Ends it at once, if it runs.

  bool Running();

  // Asks it to end (SIGTERM), insists after `grace` (SIGKILL), and waits until it is gone. OK if it ended by itself
  // with status 0; else the error says how it ended. A repeat answers the same.
  absl::Status Stop(absl::Duration grace);

  pid_t pid() const { return pid_; }
  const std::string& path() const { return path_; }
  const std::string& log_path() const { return log_path_; }

 private:
  Process(const Command& command, pid_t pid) : path_(command.path), log_path_(command.log_path), pid_(pid) {}

  bool RunningUntil(absl::Time deadline);

  const std::string path_;
  const std::string log_path_;
  const pid_t pid_;
  bool running_ = true;
  int wait_status_ = 0;
};

// Loopback TCP ports on which nothing listens now, all different.
absl::StatusOr<std::vector<int>> FreePorts(int count);

// The last lines of a text file, at most `lines` of them; empty if it cannot be read.
std::string LastLines(const std::string& path, int lines);

}  // namespace callbridge::demo

#endif  // CALLBRIDGE_SRC_DEMO_PROCESSES_H_
