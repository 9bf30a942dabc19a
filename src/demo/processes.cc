#include "src/demo/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace callbridge::demo {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec: only what is safe there. Returns if the program cannot be started, with errno.
void BecomeProgram(const char* path, char* const* arguments, char* const* environment, int log, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) return;
  execve(path, arguments, environment);
}

std::string HowItEnded(int wait_status) {
  if (WIFSIGNALED(wait_status)) return absl::StrCat("was ended by signal ", WTERMSIG(wait_status));
  return absl::StrCat("ended with status ", WEXITSTATUS(wait_status));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const Command& command) {
  std::vector<std::string> arguments = command.arguments;
  arguments.insert(arguments.begin(), command.path);
  std::vector<std::string> environment = command.environment;
  for (char** each = environ; *each != nullptr; ++each) environment.push_back(*each);
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);

  const int log = open(command.log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log < 0) return absl::UnavailableError(absl::StrCat("cannot write ", command.log_path, ": ", strerror(errno)));
  const auto close_log = absl::MakeCleanup([log] { close(log); });
  // Closed by a successful exec; else it tells why there was none.
  int failure[2];
  if (pipe2(failure, O_CLOEXEC) != 0) return absl::UnavailableError(absl::StrCat("no pipe: ", strerror(errno)));
  const auto close_reader = absl::MakeCleanup([&failure] { close(failure[0]); });

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeProgram(command.path.c_str(), argument_pointers.data(), environment_pointers.data(), log, parent);
    const int why = errno;
    const ssize_t told = write(failure[1], &why, sizeof(why));
    _exit(told == sizeof(why) ? 127 : 126);
  }
  const int fork_error = errno;
  close(failure[1]);
  if (pid < 0) return absl::UnavailableError(absl::StrCat("cannot fork: ", strerror(fork_error)));
  int why = 0;
  if (read(failure[0], &why, sizeof(why)) == sizeof(why)) {
    waitpid(pid, nullptr, 0);
    return absl::NotFoundError(absl::StrCat("cannot start ", command.path, ": ", strerror(why)));
  }
  return std::unique_ptr<Process>(new Process(command, pid));
}

Process::~Process() { (void)Stop(absl::ZeroDuration()); }

bool Process::Running() {
  if (running_ && waitpid(pid_, &wait_status_, WNOHANG) == pid_) running_ = false;
  return running_;
}

bool Process::RunningUntil(absl::Time deadline) {
  while (Running() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(10));
  return running_;
}

absl::Status Process::Stop(absl::Duration grace) {
  if (Running()) {
    kill(pid_, SIGTERM);
    if (RunningUntil(absl::Now() + grace)) {
      kill(pid_, SIGKILL);
      waitpid(pid_, &wait_status_, 0);
      running_ = false;
    }
  }
  if (WIFEXITED(wait_status_) && WEXITSTATUS(wait_status_) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(path_, " ", HowItEnded(wait_status_)));
}

absl::StatusOr<std::vector<int>> FreePorts(int count) {
  std::vector<int> sockets;
  const auto close_all = absl::MakeCleanup([&sockets] {
    for (const int each : sockets) close(each);
  });
  std::vector<int> ports;
  // All are held until the last is known, so that none is given twice.
  for (int i = 0; i < count; ++i) {
    const int each = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (each < 0) return absl::UnavailableError(absl::StrCat("no socket: ", strerror(errno)));
    sockets.push_back(each);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(each, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(each, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return absl::UnavailableError(absl::StrCat("no free port: ", strerror(errno)));
    }
    ports.push_back(ntohs(address.sin_port));
  }
  return ports;
}

std::string LastLines(const std::string& path, int lines) {
  std::ifstream file(path);
  std::deque<std::string> last;
  for (std::string line; std::getline(file, line);) {
    last.push_back(line);
    if (static_cast<int>(last.size()) > lines) last.pop_front();
  }
  return absl::StrJoin(last, "\n");
}

}  // namespace callbridge::demo
