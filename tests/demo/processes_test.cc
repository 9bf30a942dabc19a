#include "src/demo/processes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::demo {
namespace {

using testing::HasSubstr;

constexpr absl::Duration kLimit = absl::Seconds(20);

class ProcessTest : public testing::Test {
 protected:
  std::unique_ptr<Process> Shell(const std::string& script) {
    auto started = Process::Start({"/bin/sh", {"-c", script}, {"GREETING=hello"}, log_});
    EXPECT_TRUE(started.ok()) << started.status();
    return started.ok() ? *std::move(started) : nullptr;
  }

  static bool Eventually(const std::function<bool()>& happened) {
    const absl::Time deadline = absl::Now() + kLimit;
    while (!happened() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
    return happened();
  }

  const std::string log_ = testing::TempDir() + "/processes_test.log";
};

TEST_F(ProcessTest, EndsByItselfAndLeavesItsOutput) {
  const auto process = Shell("echo $GREETING; echo trouble >&2");
  EXPECT_TRUE(Eventually([&] { return !process->Running(); }));
  EXPECT_TRUE(process->Stop(kLimit).ok());
  EXPECT_EQ(LastLines(log_, 5), "hello\ntrouble");
  EXPECT_EQ(LastLines(log_, 1), "trouble");
}

TEST_F(ProcessTest, AStatusOtherThanZeroIsAnError) {
  const auto process = Shell("exit 3");
  EXPECT_TRUE(Eventually([&] { return !process->Running(); }));
  EXPECT_EQ(process->Stop(kLimit).message(), "/bin/sh ended with status 3");
  EXPECT_EQ(process->Stop(kLimit).message(), "/bin/sh ended with status 3");
}

TEST_F(ProcessTest, IsAskedToEndFirst) {
  const auto process = Shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(Eventually([&] { return LastLines(log_, 1) == "ready"; }));
  EXPECT_TRUE(process->Running());
  EXPECT_TRUE(process->Stop(kLimit).ok());
  EXPECT_FALSE(process->Running());
  EXPECT_EQ(LastLines(log_, 1), "bye");
}

TEST_F(ProcessTest, IsKilledWhenItDoesNotListen) {
  const auto process = Shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(Eventually([&] { return LastLines(log_, 1) == "ready"; }));
  EXPECT_EQ(process->Stop(absl::Milliseconds(50)).message(), "/bin/sh was ended by signal 9");
  EXPECT_NE(kill(process->pid(), 0), 0);
}

TEST_F(ProcessTest, ForgettingItEndsIt) {
  auto process = Shell("echo ready; while :; do sleep 0.01; done");
  const pid_t pid = process->pid();
  EXPECT_EQ(getpgid(pid), pid) << "Ctrl-C would reach it";
  process.reset();
  EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(ProcessTest, AMissingProgramIsNamed) {
  const auto started = Process::Start({"/nowhere/callbridge", {}, {}, log_});
  EXPECT_EQ(started.status().message(), "cannot start /nowhere/callbridge: No such file or directory");
}

TEST_F(ProcessTest, ALogThatCannotBeWrittenIsNamed) {
  const auto started = Process::Start({"/bin/sh", {}, {}, "/nowhere/log"});
  EXPECT_THAT(std::string(started.status().message()), HasSubstr("cannot write /nowhere/log"));
}

TEST(FreePortsTest, AreDifferentAndFree) {
  const auto ports = FreePorts(5);
  ASSERT_TRUE(ports.ok()) << ports.status();
  EXPECT_EQ(std::set<int>(ports->begin(), ports->end()).size(), 5u);
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((*ports)[0]);
  EXPECT_EQ(bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  close(probe);
}

TEST(LastLinesTest, AFileThatIsNotThereHasNone) { EXPECT_EQ(LastLines("/nowhere/log", 3), ""); }

}  // namespace
}  // namespace callbridge::demo
