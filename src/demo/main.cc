// callbridge_demo: two whole sandbox calls, as a timeline.

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/time/time.h"
#include "src/demo/demo.h"

ABSL_FLAG(std::string, server, "", "the server's binary; empty: the one built beside this program");
ABSL_FLAG(std::string, sim, "", "the simulated world's binary; empty: the one built beside this program");
ABSL_FLAG(std::string, config, "deploy/sandbox.textproto", "the server's configuration");
ABSL_FLAG(absl::Duration, deadline, absl::Seconds(150), "when to give up");
ABSL_FLAG(bool, keep, false, "keep the database and the logs; they are kept on failure in any case");

namespace {

volatile sig_atomic_t interrupted = 0;

void OnSignal(int) { interrupted = 1; }

void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  for (const int each : {SIGINT, SIGTERM, SIGHUP}) sigaction(each, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// `value`, or the path of a binary that Bazel built in the same tree as this one.
std::string ProgramPath(const std::string& value, const char* target) {
  if (!value.empty()) return value;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path().parent_path() / target).string();
}

bool Colours() {
  const char* const refused = getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) && (refused == nullptr || *refused == '\0');
}

std::string TemporaryFolder() {
  std::error_code error;
  std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (error) parent = "/tmp";
  std::string folder = (parent / "callbridge-demo-XXXXXX").string();
  return mkdtemp(folder.data()) == nullptr ? "" : folder;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Two whole sandbox calls, printed as a timeline. Exits with 0 only if every step happened.");
  absl::ParseCommandLine(argc, argv);
  CatchSignals();
  callbridge::demo::Options options;
  options.server_path = ProgramPath(absl::GetFlag(FLAGS_server), "app/callbridge");
  options.sim_path = ProgramPath(absl::GetFlag(FLAGS_sim), "sim/callbridge_sim");
  options.config_path = absl::GetFlag(FLAGS_config);
  options.deadline = absl::GetFlag(FLAGS_deadline);
  options.folder = TemporaryFolder();
  options.colours = Colours();
  options.interrupted = [] { return interrupted != 0; };
  if (options.folder.empty()) {
    std::fprintf(stderr, "callbridge_demo: cannot make a temporary folder; set TMPDIR to one that can be written\n");
    return 1;
  }
  const bool done = callbridge::demo::RunDemo(options);
  if (!done || absl::GetFlag(FLAGS_keep)) {
    std::printf("Database and logs: %s\n", options.folder.c_str());
  } else {
    std::error_code ignored;
    std::filesystem::remove_all(options.folder, ignored);
  }
  return done ? 0 : 1;
}
