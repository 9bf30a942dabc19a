#ifndef CALLBRIDGE_SRC_BENCH_CHILD_H_
#define CALLBRIDGE_SRC_BENCH_CHILD_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace callbridge::bench {

// A program that is measured, as a process of its own. Ends with this object, by force: there is nothing that it must
// save.
class Child {
 public:
  // Starts `arguments` (the first is the program's path) with `environment` ("NAME=value") added to ours; what it
  // prints goes to the end of the file `log`. A program that cannot be started shows as one that has ended.
  static absl::StatusOr<std::unique_ptr<Child>> Start(const std::vector<std::string>& arguments,
                                                      const std::vector<std::string>& environment,
                                                      const std::string& log);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits until it answers HTTP on this port of the loopback. kUnavailable: it has ended; kDeadlineExceeded.
  absl::Status WaitReady(int port, absl::Duration limit);

  // User and system time so far.
  absl::StatusOr<absl::Duration> CpuTime() const;

  // Resident memory that is its own: not files, such as its code.
  absl::StatusOr<double> PrivateKb() const;

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  bool Ended();

  const pid_t pid_;
  bool ended_ = false;
};

// GET of http://127.0.0.1:port/target. The body of a 200; blocks for five seconds at most.
absl::StatusOr<std::string> Fetch(int port, absl::string_view target);

// A port of the loopback that nobody listened on a moment ago.
absl::StatusOr<int> FreePort();

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_CHILD_H_
