#ifndef CALLBRIDGE_SRC_DEMO_DEMO_H_
#define CALLBRIDGE_SRC_DEMO_DEMO_H_

#include <functional>
#include <string>

#include "absl/time/time.h"

namespace callbridge::demo {

struct Options {
  std::string server_path;  // The programs to start.
  std::string sim_path;
  std::string config_path;  // The server's configuration.
  std::string folder;       // Exists, empty: takes the database and the logs.
  absl::Duration deadline =
      absl::Seconds(150);  // For everything but the ending of both programs, which takes 10 s at most.
  bool colours = false;
  std::function<bool()> interrupted;  // Asked some times a second: whether to stop.
};

// Starts the simulated world and the server, lets one call come in and places one, and prints to stdout what happens,
// what is in the records, and which steps happened. Whether all did. Both programs have ended when it returns.
bool RunDemo(const Options& options);

}  // namespace callbridge::demo

#endif  // CALLBRIDGE_SRC_DEMO_DEMO_H_
