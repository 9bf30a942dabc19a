#include "tests/store/postgres/postgres_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "src/store/migrations/migration.h"
#include "src/store/postgres/schema.h"

namespace callbridge::store {
namespace {

constexpr char kUser[] = "callbridge";
constexpr char kTemplate[] = "store_template";
constexpr absl::Duration kReadyLimit = absl::Seconds(60);

// Where Debian keeps the server's programs, which are not on the path; the newest first.
std::string FindPrograms() {
  if (const char* named = std::getenv("CALLBRIDGE_POSTGRES_BIN")) return named;
  std::set<int, std::greater<int>> versions;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", error)) {
    int version = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &version)) versions.insert(version);
  }
  for (const int version : versions) {
    const std::string folder = absl::StrCat("/usr/lib/postgresql/", version, "/bin");
    if (std::filesystem::exists(folder + "/initdb", error)) return folder;
  }
  return "";
}

const std::string& Programs() {
  static const std::string* const folder = new std::string(FindPrograms());
  return *folder;
}

// The server refuses to be root's: then it is that user's whom its package made.
const passwd* ServerUser() { return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr; }

// Starts a program as the server's user, its output in `log`; it ends with this process.
pid_t Spawn(const std::string& log, const std::vector<std::string>& command) {
  const passwd* const user = ServerUser();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::dup2(out, 1);
  ::dup2(out, 2);
  if (user != nullptr && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (::getppid() != parent) ::_exit(125);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  ::_exit(127);
}

int WaitFor(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string Show(Rows& rows) {
  std::string shown;
  while (rows.Next()) {
    for (int i = 0; i < rows.columns(); ++i) absl::StrAppend(&shown, i == 0 ? "" : ",", rows.GetText());
    shown += ';';
  }
  return shown;
}

}  // namespace

const std::string& PostgresServer::WhyMissing() {
  static const std::string* const why = new std::string([] {
    if (Programs().empty() || ::access((Programs() + "/initdb").c_str(), X_OK) != 0)
      return "the programs of the PostgreSQL server are not on this machine (Debian: postgresql)";
    if (::geteuid() == 0 && ServerUser() == nullptr) return "there is no user postgres to run the server as";
    return "";
  }());
  return *why;
}

PostgresServer& PostgresServer::Shared() {
  static PostgresServer server;
  return server;
}

PostgresServer::PostgresServer() {
  // Not in the test's own folder: the path of a socket has at most 107 characters, and the server's user must get
  // there.
  std::string pattern = "/tmp/callbridge_pg_XXXXXX";
  folder_ = ::mkdtemp(pattern.data());
  if (const passwd* user = ServerUser()) {
    EXPECT_EQ(::chown(folder_.c_str(), user->pw_uid, user->pw_gid), 0);
  }
  const std::string log = folder_ + "/initdb.log";
  const int status = WaitFor(Spawn(log, {Programs() + "/initdb", "-D", folder_ + "/data", "-U", kUser, "-A", "trust",
                                         "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"}));
  EXPECT_EQ(status, 0) << ReadFile(log);
  Start();
}

PostgresServer::~PostgresServer() {
  if (server_ != 0) {
    Thaw();
    ::kill(server_, SIGQUIT);  // At once: nobody needs what is there any more.
    WaitFor(server_);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string PostgresServer::Restore(const std::string& uri) {
  const std::string dump = folder_ + "/dump";
  const std::string log = folder_ + "/restore.log";
  const std::string restored = NewDatabase();
  EXPECT_EQ(WaitFor(Spawn(log, {Programs() + "/pg_dump", "--format=custom", "--file=" + dump, uri})), 0)
      << ReadFile(log);
  EXPECT_EQ(WaitFor(Spawn(log, {Programs() + "/pg_restore", "--exit-on-error", "--dbname=" + restored, dump})), 0)
      << ReadFile(log);
  return restored;
}

void PostgresServer::Start() {
  server_ = Spawn(folder_ + "/server.log", {Programs() + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-c",
                                            "listen_addresses=", "-c", "shared_buffers=16MB", "-c",
                                            "max_connections=30", "-c", "autovacuum=off", "-c", "max_wal_size=256MB"});
  WaitUntilReady();
}

void PostgresServer::WaitUntilReady() {
  const auto target = Target::Parse(Uri("postgres"));
  const absl::Time deadline = absl::Now() + kReadyLimit;
  absl::Status status;
  while (absl::Now() < deadline) {
    status = Connection::Open(*target, Limits()).status();
    if (status.ok()) return;
    absl::SleepFor(absl::Milliseconds(20));
  }
  FAIL() << "the PostgreSQL server did not start: " << status << "\n" << ReadFile(folder_ + "/server.log");
}

void PostgresServer::Stop() {
  if (server_ == 0) return;
  Thaw();
  ::kill(server_, SIGINT);  // Ends all connections.
  WaitFor(server_);
  server_ = 0;
}

void PostgresServer::SignalAll(int signal) {
  // Its processes are its children; each has a session of its own.
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    int process = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &process)) continue;
    const std::string stat = ReadFile(entry.path().string() + "/stat");
    const std::vector<std::string> fields =
        absl::StrSplit(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)), ' ');
    int parent = 0;
    if (fields.size() > 2 && absl::SimpleAtoi(fields[2], &parent) && parent == server_) ::kill(process, signal);
  }
}

void PostgresServer::Freeze() {
  ::kill(server_, SIGSTOP);  // First: it makes no more children.
  SignalAll(SIGSTOP);
}

void PostgresServer::Thaw() {
  SignalAll(SIGCONT);
  ::kill(server_, SIGCONT);
}

std::string PostgresServer::Uri(const std::string& database) const {
  return absl::StrCat("postgresql://", kUser, "@", absl::StrReplaceAll(folder_, {{"/", "%2F"}}), "/", database);
}

std::string PostgresServer::NewDatabase() {
  const std::string name = absl::StrCat("d", ++databases_);
  Query(Uri("postgres"), absl::StrCat("CREATE DATABASE ", name));
  return Uri(name);
}

std::string PostgresServer::NewStoreDatabase() {
  if (!has_template_) {
    Query(Uri("postgres"), absl::StrCat("CREATE DATABASE ", kTemplate));
    const auto target = Target::Parse(Uri(kTemplate));
    auto connection = Connection::Open(*target, Limits());
    EXPECT_TRUE(connection.ok()) << connection.status();
    EXPECT_TRUE(Migrate(**connection, PostgresMigrations()).ok());
    EXPECT_TRUE(AddPartitions(**connection).ok());
    connection->reset();
    has_template_ = true;
  }
  const std::string name = absl::StrCat("d", ++databases_);
  Query(Uri("postgres"), absl::StrCat("CREATE DATABASE ", name, " TEMPLATE ", kTemplate));
  return Uri(name);
}

std::string PostgresServer::Query(const std::string& uri, const std::string& sql) {
  const auto target = Target::Parse(uri);
  auto connection = Connection::Open(*target, {absl::Seconds(10), absl::Seconds(30), absl::Seconds(10)});
  EXPECT_TRUE(connection.ok()) << connection.status();
  if (!connection.ok()) return "";
  const std::vector<std::string> statements = absl::StrSplit(sql, ';', absl::SkipWhitespace());
  std::string shown;
  for (const std::string& statement : statements) {
    shown.clear();
    if (!absl::StartsWith(statement, "SELECT")) {
      const absl::Status status = (*connection)->Execute(statement, absl::Seconds(30));
      EXPECT_TRUE(status.ok()) << status << ": " << statement;
      continue;
    }
    auto rows = (*connection)->Run({Statement(statement)});
    EXPECT_TRUE(rows.ok()) << rows.status() << ": " << statement;
    if (rows.ok()) shown = Show((*rows)[0]);
  }
  return shown;
}

}  // namespace callbridge::store
