#include "src/bench/child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

extern char** environ;

namespace callbridge::bench {
namespace {

constexpr int kFetchSeconds = 5;
constexpr size_t kMaxAnswer = 64 << 10;

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

absl::Status Errno(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Start(const std::vector<std::string>& arguments,
                                                    const std::vector<std::string>& environment,
                                                    const std::string& log) {
  std::vector<std::string> variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(variables);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0) return Errno(log);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    // Threads of ours hold locks that nobody in the child will release: system calls only.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(out);
  if (pid < 0) return Errno("fork");
  return std::unique_ptr<Child>(new Child(pid));
}

Child::~Child() {
  if (Ended()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool Child::Ended() {
  // Once waited for, the number may be another process's.
  if (!ended_) ended_ = waitpid(pid_, nullptr, WNOHANG) == pid_;
  return ended_;
}

absl::Status Child::WaitReady(int port, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (absl::Now() < deadline) {
    if (Ended()) return absl::UnavailableError("the program ended instead of listening");
    if (Fetch(port, "/").ok()) return absl::OkStatus();
    absl::SleepFor(absl::Milliseconds(20));
  }
  return absl::DeadlineExceededError("the program did not begin to listen in time");
}

absl::StatusOr<absl::Duration> Child::CpuTime() const {
  clockid_t clock;
  timespec used;
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0)
    return Errno("the program's CPU time");
  return absl::DurationFromTimespec(used);
}

absl::StatusOr<double> Child::PrivateKb() const {
  std::ifstream status(absl::StrCat("/proc/", pid_, "/status"));
  for (std::string line; std::getline(status, line);) {
    absl::string_view value = line;
    double kb = 0;
    if (!absl::ConsumePrefix(&value, "RssAnon:") || !absl::ConsumeSuffix(&value, "kB")) continue;
    if (absl::SimpleAtod(value, &kb)) return kb;
  }
  return absl::UnavailableError("the program's memory: no RssAnon in /proc");
}

absl::StatusOr<std::string> Fetch(int port, absl::string_view target) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Errno("socket");
  const auto closed = absl::MakeCleanup([fd] { close(fd); });
  const timeval limit = {kFetchSeconds, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return Errno("connect");
  const std::string request =
      absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: 127.0.0.1:", port, "\r\nConnection: close\r\n\r\n");
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return Errno("send");
  std::string answer;
  char part[4096];
  ssize_t got = 0;
  while (answer.size() < kMaxAnswer && (got = recv(fd, part, sizeof(part), 0)) > 0)
    answer.append(part, static_cast<size_t>(got));
  if (got < 0) return Errno("recv");
  const size_t head = answer.find("\r\n\r\n");
  if (head == std::string::npos || !absl::StartsWith(answer, "HTTP/1.1 200")) {
    return absl::UnavailableError(
        absl::StrCat("GET of port ", port, " was answered: ", answer.substr(0, answer.find('\r'))));
  }
  return answer.substr(head + 4);
}

absl::StatusOr<int> FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Errno("socket");
  const auto closed = absl::MakeCleanup([fd] { close(fd); });
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) return Errno("bind");
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return Errno("getsockname");
  return ntohs(address.sin_port);
}

}  // namespace callbridge::bench
