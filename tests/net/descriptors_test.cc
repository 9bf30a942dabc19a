#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/net/server.h"
#include "tests/net/peers.h"

namespace callbridge::net {
namespace {

using ::callbridge::testing::Eventually;
using ::callbridge::testing::FunctionDelegate;
using ::callbridge::testing::RawPeer;
using ::testing::HasSubstr;

double CpuSeconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// The library's own accept loop retries at once when there are no descriptors, and burns a core until there are.
TEST(DescriptorsTest, WithoutDescriptorsTheServerRestsAndThenRecovers) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan opens a pipe to see whether an object is readable, and takes having no descriptors for a no";
#endif
  auto loop = EventLoop::Start("loop");
  FunctionDelegate delegate;
  ServerOptions options;
  options.max_connections = 10000;  // So that the count does not stop it first.
  auto server = Server::Start(options, {loop.get()}, delegate);
  ASSERT_TRUE(server.ok());

  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  RawPeer waiting((*server)->port());
  std::vector<int> taken;
  // Two are kept for the peers below.
  RawPeer second((*server)->port());
  rlimit low = before;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const int last_peer = socket(AF_INET, SOCK_STREAM, 0);
  int fd;
  while ((fd = open("/dev/null", O_RDONLY)) >= 0) taken.push_back(fd);
  close(last_peer);
  RawPeer queued((*server)->port());  // Takes the last descriptor; the server has none for its end.
  ASSERT_GE(queued.fd(), 0);
  queued.Send("GET /queued HTTP/1.1\r\nHost: t\r\n\r\n");

  const double cpu_before = CpuSeconds();
  absl::SleepFor(absl::Milliseconds(500));
  const double cpu = CpuSeconds() - cpu_before;
  // Five tries in this time; a loop that spins would have used all of it. The bound is wide for slow machines.
  EXPECT_LT(cpu, 0.25);
  char byte;
  EXPECT_EQ(recv(queued.fd(), &byte, 1, MSG_DONTWAIT), -1);

  for (const int each : taken) close(each);
  EXPECT_THAT(queued.ReceiveAll(), HasSubstr("/queued"));
  setrlimit(RLIMIT_NOFILE, &before);
  (*server)->Stop();
  loop->Stop();
}

// Accepts, drops and cuts of every kind give their descriptor back.
TEST(DescriptorsTest, EveryEndGivesTheDescriptorBack) {
  auto loop = EventLoop::Start("loop");
  FunctionDelegate delegate;
  callbridge::testing::RecordingListener listeners[20];
  int next = 0;
  delegate.on_upgrade = [&](int, const base::HttpRequest& request) {
    UpgradeDecision decision;
    if (request.target == "/yes") decision.listener = &listeners[next++];
    return decision;
  };
  ServerOptions options;
  options.header_timeout = absl::Milliseconds(200);
  auto server = Server::Start(options, {loop.get()}, delegate);
  ASSERT_TRUE(server.ok());
  const auto open_descriptors = [] {
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
    return count;
  };
  const int before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    const int port = (*server)->port();
    RawPeer(port).Close();
    RawPeer(port).Reset();
    RawPeer(port).Send("GET");
    RawPeer(port).Send("GET / HTTP/1.1\r\n");
    RawPeer answered(port);
    answered.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    answered.ReceiveAll();
    RawPeer refused(port);
    refused.Upgrade("/no");
    RawPeer opened(port);
    opened.Upgrade("/yes");
  }
  EXPECT_TRUE(Eventually([&] { return open_descriptors() == before; }));
  for (auto& listener : listeners) EXPECT_TRUE(listener.WaitForClosed());
  (*server)->Stop();
  loop->Stop();
}

}  // namespace
}  // namespace callbridge::net
