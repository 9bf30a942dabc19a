#include "src/app/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace callbridge::app {
namespace {

// What systemd would hold.
class Listener {
 public:
  explicit Listener(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  ~Listener() { close(fd_); }

  std::string Next() {
    char text[512];
    const ssize_t got = recv(fd_, text, sizeof text, MSG_DONTWAIT);
    return got < 0 ? "nothing" : std::string(text, static_cast<size_t>(got));
  }

 private:
  const int fd_;
};

TEST(ServiceManagerTest, SaysWhatSystemdExpects) {
  const std::string abstract = absl::StrCat("@callbridge-test-", getpid());
  // Not in TempDir(): a socket's path is at most 107 characters long.
  char folder[] = "/tmp/callbridge-notify-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string file = absl::StrCat(folder, "/socket");
  for (const std::string& name : {abstract, file}) {
    Listener listener(name);
    const ServiceManager manager(name, absl::Seconds(30));
    manager.Ready("port 1\nport 2");
    EXPECT_EQ(listener.Next(), "READY=1\nSTATUS=port 1 port 2\n");
    manager.Alive();
    EXPECT_EQ(listener.Next(), "WATCHDOG=1\n");
    manager.Stopping("3 calls");
    EXPECT_EQ(listener.Next(), "STOPPING=1\nSTATUS=3 calls\n");
    manager.StillStopping(absl::Seconds(30));
    EXPECT_EQ(listener.Next(), "EXTEND_TIMEOUT_USEC=30000000\n");
    EXPECT_EQ(listener.Next(), "nothing");
  }
  unlink(file.c_str());
  rmdir(folder);
}

TEST(ServiceManagerTest, WithNobodyListeningNothingHappens) {
  ServiceManager("", absl::InfiniteDuration()).Ready("");
  ServiceManager("/nowhere/at/all", absl::InfiniteDuration()).Alive();
  ServiceManager(std::string(300, 'x'), absl::InfiniteDuration()).Alive();
}

TEST(ServiceManagerTest, TheWatchdogIsTheEnvironments) {
  const std::string own = absl::StrCat(getpid());
  const struct {
    const char* name;
    const char* micros;
    const char* pid;
    bool wants;
    absl::Duration period;
  } rows[] = {
      {"none", nullptr, nullptr, false, absl::Hours(1)},
      {"ours", "30000000", own.c_str(), true, absl::Seconds(10)},
      {"everybody's", "30000000", nullptr, true, absl::Seconds(10)},
      {"another process's", "30000000", "1", false, absl::Hours(1)},
      {"rarely", "36000000000", nullptr, true, absl::Hours(1)},
      {"nonsense", "soon", nullptr, false, absl::Hours(1)},
      {"zero", "0", nullptr, false, absl::Hours(1)},
  };
  for (const auto& row : rows) {
    row.micros == nullptr ? unsetenv("WATCHDOG_USEC") : setenv("WATCHDOG_USEC", row.micros, 1);
    row.pid == nullptr ? unsetenv("WATCHDOG_PID") : setenv("WATCHDOG_PID", row.pid, 1);
    const ServiceManager manager = ServiceManager::FromEnvironment();
    EXPECT_EQ(manager.wants_alive(), row.wants) << row.name;
    EXPECT_EQ(manager.alive_period(), row.period) << row.name;
  }
}

}  // namespace
}  // namespace callbridge::app
