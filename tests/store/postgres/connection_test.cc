#include "src/store/postgres/connection.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "src/store/postgres/sql_state.h"
#include "tests/store/postgres/postgres_server.h"

namespace callbridge::store {
namespace {

// --- URIs

TEST(PostgresTargetTest, NamesHostsAndDatabase) {
  struct Row {
    const char* name;
    const char* uri;
    const char* shown;
  };
  const Row rows[] = {
      {"plain", "postgresql://me:secret@db.example.com:6432/calls", "db.example.com:6432/calls"},
      {"short scheme", "postgres://db/calls", "db:5432/calls"},
      {"address", "postgresql://10.1.2.3/calls", "10.1.2.3:5432/calls"},
      {"socket", "postgresql://%2Frun%2Fpg/calls", "/run/pg:5432/calls"},
      {"several", "postgresql://a:1,b:2/calls?sslmode=verify-full", "a:1,b:2/calls"},
      {"one port for all", "postgresql://a,b/calls?port=7", "a:7,b:7/calls"},
      {"nothing", "postgresql://", "local:5432/"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto target = Target::Parse(row.uri);
    ASSERT_TRUE(target.ok()) << target.status();
    EXPECT_EQ(target->name(), row.shown);
  }
}

TEST(PostgresTargetTest, SeveralHostsAreLookedThroughForTheOneThatTakesWrites) {
  const auto target = Target::Parse("postgresql://a:1,b:2/calls");
  ASSERT_EQ(target->hosts().size(), 2);
  EXPECT_EQ(target->hosts()[0].at("host"), "a");
  EXPECT_EQ(target->hosts()[1].at("port"), "2");
  for (const auto& host : target->hosts()) EXPECT_EQ(host.at("target_session_attrs"), "read-write");
  const auto own = Target::Parse("postgresql://a,b/calls?target_session_attrs=any");
  EXPECT_EQ(own->hosts()[0].at("target_session_attrs"), "any");
  EXPECT_EQ(Target::Parse("postgresql://a/calls")->hosts()[0].count("target_session_attrs"), 0);
}

TEST(PostgresTargetTest, BadUrisAreRefusedWithoutQuotingThem) {
  for (const char* uri : {"", "host=a password=secret", "postgresql://u:secret@h:port%zz/d", "http://u:secret@h/d",
                          "postgresql://u:secret@h/d?nonsense=1", "postgresql://u:secret@[::1/d",
                          "postgresql://u:secret@a:1,b:2,c:3/d?hostaddr=1.1.1.1,2.2.2.2"}) {
    SCOPED_TRACE(uri);
    const absl::Status status = Target::Parse(uri).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(absl::StrContains(status.message(), "secret")) << status;
  }
}

TEST(PostgresTargetTest, WhatIsSaidIsOneLineWithoutThePassword) {
  const auto target = Target::Parse("postgresql://u:se%20cret@h/d");
  EXPECT_EQ(target->Redact(" password \"se cret\" is wrong\nmore\n"), "password \"***\" is wrong");
}

// --- Errors of the server

TEST(SqlErrorTest, EveryStateHasItsCode) {
  struct Row {
    const char* state;
    absl::StatusCode code;
  };
  constexpr auto kAway = absl::StatusCode::kUnavailable;
  constexpr auto kWrong = absl::StatusCode::kInternal;
  const Row rows[] = {
      {"08006", kAway},
      {"08P01", kAway},
      {"57P01", kAway},
      {"57P02", kAway},
      {"57P03", kAway},
      {"57014", kAway},
      {"53100", kAway},
      {"53200", kAway},
      {"53300", kAway},
      {"53400", kAway},
      {"58030", kAway},
      {"25006", kAway},
      {"25P03", kAway},
      {"40001", kAway},
      {"40P01", kAway},
      {"55P03", kAway},
      {"0A000", kAway},
      {"26000", kAway},
      {"22021", kWrong},
      {"22P02", kWrong},
      {"23502", kWrong},
      {"23505", kWrong},
      {"25P02", kWrong},
      {"42501", kWrong},
      {"42P01", kWrong},
      {"54000", kWrong},
      {"XX000", kWrong},
      {"P0001", kWrong},
      {"UB002", absl::StatusCode::kFailedPrecondition},
  };
  for (const Row& row : rows) EXPECT_EQ(SqlError(row.state).code(), row.code) << row.state;
}

// --- Connections

// Listens, and answers nothing: the kernel takes connections, nobody reads them.
class DeafServer {
 public:
  DeafServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~DeafServer() { ::close(socket_); }
  std::string host() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  const int socket_;
  int port_ = 0;
};

constexpr Limits kShort{absl::Milliseconds(400), absl::Milliseconds(400), absl::Milliseconds(200)};

absl::Status OpenStatus(const std::string& uri, const Limits& limits = kShort) {
  return Connection::Open(*Target::Parse(uri), limits).status();
}

TEST(PostgresConnectionTest, ARefusedConnectionIsUnavailable) {
  std::string host;
  { host = DeafServer().host(); }  // Nobody listens there any more.
  const absl::Status status = OpenStatus("postgresql://me:secret@" + host + "/calls");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "refused")) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "secret")) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
}

TEST(PostgresConnectionTest, AServerThatNeverAnswersHoldsNobody) {
  const DeafServer deaf;
  const absl::Time begin = absl::Now();
  const absl::Status status = OpenStatus("postgresql://me:secret@" + deaf.host() + "/calls");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), deaf.host())) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "secret")) << status;
  EXPECT_GE(absl::Now() - begin, kShort.connect / 2);
}

class PostgresServerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresServer::WhyMissing().empty()) GTEST_SKIP() << PostgresServer::WhyMissing();
    uri_ = server().NewDatabase();
  }
  static PostgresServer& server() { return PostgresServer::Shared(); }
  std::unique_ptr<Connection> Connect(const Limits& limits = Limits()) {
    auto connection = Connection::Open(*Target::Parse(uri_), limits);
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *std::move(connection);
  }

  std::string uri_;
};

TEST_F(PostgresServerTest, APipelineIsOneTransaction) {
  auto connection = Connect();
  ASSERT_TRUE(connection->Execute("CREATE TABLE t (x int PRIMARY KEY)").ok());
  const Statement insert = Statement("INSERT INTO t VALUES ($1)");
  const auto rows = connection->Run({Statement(insert).Int(1), Statement(insert).Int(2), Statement("SELECT 7")});
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->size(), 3);
  EXPECT_EQ(rows->at(0).affected(), 1);
  EXPECT_FALSE(connection->in_doubt());
  // The second one fails: the first is taken back, the third is not run.
  const auto failed = connection->Run({Statement(insert).Int(3), Statement(insert).Int(1), Statement(insert).Int(4)});
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(connection->sql_state(), kUniqueViolation);
  EXPECT_FALSE(connection->in_doubt()) << "the server said no";
  EXPECT_FALSE(connection->broken()) << "this one is expected";
  auto left = connection->Run({Statement("SELECT x FROM t ORDER BY x")});
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_EQ(left->at(0).size(), 2);
}

TEST_F(PostgresServerTest, StatementsArePreparedOnce) {
  auto connection = Connect();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(connection->Run({Statement("SELECT $1::int").Int(i), Statement("SELECT $1::int").Int(i)}).ok());
  }
  auto rows = connection->Run(
      {Statement("SELECT count(*) FROM pg_prepared_statements WHERE statement = $1").Text("SELECT $1::int")});
  ASSERT_TRUE(rows->at(0).Next());
  EXPECT_EQ(rows->at(0).GetInt(), 1);
}

TEST_F(PostgresServerTest, AStatementBehindAFailedOneIsPreparedTheNextTime) {
  auto connection = Connect();
  ASSERT_TRUE(connection->Execute("CREATE TABLE t (x int PRIMARY KEY); INSERT INTO t VALUES (1)").ok());
  const Statement clash("INSERT INTO t VALUES (1)");
  const Statement second("SELECT 2");
  EXPECT_FALSE(connection->Run({clash, second}).ok());
  EXPECT_TRUE(connection->Run({second, Statement("SELECT 3")}).ok());
  EXPECT_FALSE(connection->Run({clash, second}).ok());
  EXPECT_TRUE(connection->Run({second}).ok());
}

TEST_F(PostgresServerTest, ErrorsDoNotQuoteWhatWasWritten) {
  auto connection = Connect();
  const absl::Status status = connection->Run({Statement("SELECT $1::int").Text("secret")}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(status.message(), "22P02")) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "secret")) << status;
  EXPECT_TRUE(connection->broken()) << "thrown away";
}

TEST_F(PostgresServerTest, SessionsAreOursWhateverTheRolesSettings) {
  server().Query(uri_, absl::StrCat("ALTER ROLE callbridge SET TimeZone = 'Asia/Tokyo'; ALTER ROLE callbridge SET "
                                    "DateStyle = 'German'; ALTER ROLE callbridge SET "
                                    "default_transaction_isolation = 'serializable'"));
  auto connection = Connect();
  server().Query(uri_, "ALTER ROLE callbridge RESET ALL");
  auto rows = connection->Run(
      {Statement("SELECT current_setting('TimeZone'), current_setting('transaction_isolation'), "
                 "current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'), "
                 "current_setting('application_name'), '2023-11-14T22:13:20.5Z'::timestamptz")});
  ASSERT_TRUE(rows.ok() && rows->at(0).Next()) << rows.status();
  EXPECT_EQ(rows->at(0).GetText(), "UTC");
  EXPECT_EQ(rows->at(0).GetText(), "read committed");
  EXPECT_EQ(rows->at(0).GetText(), "3s");
  EXPECT_EQ(rows->at(0).GetText(), "6s");
  EXPECT_EQ(rows->at(0).GetText(), "callbridge");
  EXPECT_EQ(rows->at(0).GetTime(), absl::FromUnixMillis(1'700'000'000'500));
}

TEST_F(PostgresServerTest, AStatementThatTakesTooLongIsUnavailable) {
  auto connection = Connect(kShort);
  const absl::Status status = connection->Run({Statement("SELECT pg_sleep(30)")}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(connection->broken());
}

TEST_F(PostgresServerTest, ALockOfAnotherIsUnavailable) {
  auto other = Connect();
  ASSERT_TRUE(other->Execute("CREATE TABLE t (x int)").ok());
  ASSERT_TRUE(other->Execute("BEGIN; LOCK TABLE t").ok());
  auto connection = Connect(kShort);
  const absl::Status status = connection->Run({Statement("SELECT * FROM t")}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "55P03")) << status;
}

TEST_F(PostgresServerTest, AnEndedSessionIsNoticed) {
  auto connection = Connect();
  ASSERT_TRUE(connection->IsAlive());
  auto rows = connection->Run({Statement("SELECT pg_backend_pid()")});
  ASSERT_TRUE(rows->at(0).Next());
  server().Query(uri_, absl::StrCat("SELECT pg_terminate_backend(", rows->at(0).GetInt(), ", 5000)"));
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (connection->IsAlive() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_FALSE(connection->IsAlive());
}

TEST_F(PostgresServerTest, AMegabyteGoesThroughBothWays) {
  auto connection = Connect();
  const std::string text(4 << 20, 'x');
  auto rows = connection->Run({Statement("SELECT $1::text").Text(text), Statement("SELECT $1::text").Text(text)});
  ASSERT_TRUE(rows.ok() && rows->at(1).Next()) << rows.status();
  EXPECT_EQ(rows->at(1).GetText(), text);
}

TEST_F(PostgresServerTest, AHostThatHangsLeavesTimeForTheNext) {
  const DeafServer deaf;
  auto parameters = Target::Parse(uri_)->hosts()[0];
  std::string folder;
  for (const char c : parameters.at("host")) absl::StrAppend(&folder, c == '/' ? "%2F" : std::string(1, c));
  const std::string port = deaf.host().substr(deaf.host().find(':') + 1);
  const absl::Status status =
      OpenStatus(absl::StrCat("postgresql://callbridge@127.0.0.1:", port, ",", folder, ":5432/postgres"),
                 {absl::Seconds(4), absl::Seconds(3), absl::Seconds(1)});
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(PostgresServerTest, ADatabaseThatIsNotThereIsNamed) {
  const absl::Status status = OpenStatus(uri_ + "_not_there", Limits());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "does not exist")) << status;
}

TEST_F(PostgresServerTest, ADatabaseOfAnotherEncodingIsRefused) {
  server().Query(uri_, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const absl::Status status = OpenStatus(uri_.substr(0, uri_.rfind('/')) + "/latin", Limits());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "UTF8")) << status;
}

}  // namespace
}  // namespace callbridge::store
