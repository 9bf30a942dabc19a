#include "src/app/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace callbridge::app {
namespace {

absl::string_view Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A line of the protocol ends at a line break.
std::string OneLine(absl::string_view text) { return absl::StrReplaceAll(text, {{"\n", " "}}); }

}  // namespace

ServiceManager ServiceManager::FromEnvironment() {
  int64_t micros = 0, pid = 0;
  const bool wanted = absl::SimpleAtoi(Variable("WATCHDOG_USEC"), &micros) && micros > 0;
  // Set for another process that handed its environment on.
  const bool not_ours = absl::SimpleAtoi(Variable("WATCHDOG_PID"), &pid) && pid != getpid();
  return ServiceManager(std::string(Variable("NOTIFY_SOCKET")),
                        wanted && !not_ours ? absl::Microseconds(micros) : absl::InfiniteDuration());
}

absl::Duration ServiceManager::alive_period() const { return std::min(watchdog_ / 3, absl::Hours(1)); }

void ServiceManager::Ready(absl::string_view status) const {
  Send(absl::StrCat("READY=1\nSTATUS=", OneLine(status), "\n"));
}

void ServiceManager::Alive() const { Send("WATCHDOG=1\n"); }

void ServiceManager::Stopping(absl::string_view status) const {
  Send(absl::StrCat("STOPPING=1\nSTATUS=", OneLine(status), "\n"));
}

void ServiceManager::StillStopping(absl::Duration longer) const {
  Send(absl::StrCat("EXTEND_TIMEOUT_USEC=", absl::ToInt64Microseconds(longer), "\n"));
}

void ServiceManager::Send(const std::string& lines) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // Nobody there any more: the service is no worse for it.
  [[maybe_unused]] const ssize_t sent = sendto(fd, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                               reinterpret_cast<const sockaddr*>(&address), length);
  close(fd);
}

}  // namespace callbridge::app
