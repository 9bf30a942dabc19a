#include "src/store/postgres/connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/store/postgres/sql_state.h"

namespace callbridge::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kOldestServer = 140000;

Clock::time_point After(absl::Duration limit) { return Clock::now() + absl::ToChronoNanoseconds(limit); }

int64_t Milliseconds(absl::Duration duration) { return std::max<int64_t>(absl::ToInt64Milliseconds(duration), 1); }

// What a session of ours is like, whatever the server's or the role's settings are.
Statement Settings(const Limits& limits) {
  Statement statement(
      "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false), "
      "set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false), "
      "set_config('idle_in_transaction_session_timeout', $3, false), set_config('idle_session_timeout', '0', false), "
      "set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), "
      "set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '15000', false), "
      "set_config('client_min_messages', 'error', false), set_config('jit', 'off', false), "
      "set_config('default_transaction_isolation', 'read committed', false)");
  statement.Text(absl::StrCat(Milliseconds(limits.exchange)));
  statement.Text(absl::StrCat(Milliseconds(limits.lock)));
  return statement.Text(absl::StrCat(Milliseconds(2 * limits.exchange)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Target& target, const Limits& limits) {
  const Clock::time_point deadline = After(limits.connect);
  absl::Status status;
  const size_t hosts = target.hosts().size();
  for (size_t i = 0; i < hosts; ++i) {
    // A host that hangs leaves the others their share of the time.
    const absl::Duration left = absl::FromChrono(deadline - Clock::now()) / static_cast<int64_t>(hosts - i);
    auto connection = OpenHost(target, i, limits, std::max(left, absl::Milliseconds(1)));
    if (connection.ok()) return connection;
    status = connection.status();
  }
  return status;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::OpenHost(const Target& target, size_t host,
                                                                 const Limits& limits, absl::Duration at_most) {
  auto connection = std::unique_ptr<Connection>(new Connection(target, limits));
  const Clock::time_point deadline = After(at_most);
  absl::Status status = connection->Connect(host, deadline);
  if (status.ok()) status = connection->SetUp(deadline);
  if (!status.ok()) return status;
  return connection;
}

Connection::~Connection() = default;

absl::Status Connection::Connect(size_t host, Deadline deadline) {
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : target_.hosts()[host]) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keys.data(), values.data(), /*expand_dbname=*/0));
  if (connection_ == nullptr) return Fail(absl::UnavailableError("database: out of memory"));
  PostgresPollingStatusType polling = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD) {
    if (polling == PGRES_POLLING_OK) return absl::OkStatus();
    if (polling == PGRES_POLLING_FAILED) break;
    absl::Status waited = Wait(polling == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
    if (!waited.ok()) return waited;
    polling = PQconnectPoll(connection_.get());
  }
  return Lost();
}

absl::Status Connection::SetUp(Deadline deadline) {
  PGconn* const connection = connection_.get();
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
  if (PQserverVersion(connection) < kOldestServer)
    return Fail(absl::FailedPreconditionError("database: the server is older than PostgreSQL 14"));
  const char* encoding = PQparameterStatus(connection, "server_encoding");
  if (encoding == nullptr || absl::string_view(encoding) != "UTF8")
    return Fail(absl::FailedPreconditionError("database: its encoding is not UTF8: make it with ENCODING 'UTF8'"));
  if (PQsetnonblocking(connection, 1) != 0) return Lost();
  return Run({Settings(limits_)}, absl::FromChrono(deadline - Clock::now())).status();
}

absl::StatusOr<std::vector<Rows>> Connection::Run(absl::Span<const Statement> statements, absl::Duration limit) {
  absl::Status status = Begin();
  if (!status.ok()) return status;
  const Deadline deadline = After(limit);
  if (PQenterPipelineMode(connection_.get()) != 1) return Lost();
  std::vector<Message> messages;
  status = Send(statements, &messages);
  if (!status.ok()) return status;
  in_doubt_ = true;  // From the first byte to the last answer.
  absl::StatusOr<std::vector<Rows>> rows = Receive(messages, deadline);
  if (broken_) return rows;
  in_doubt_ = false;
  if (PQexitPipelineMode(connection_.get()) != 1) return Lost();
  if (!rows.ok() && (!IsExpected(sql_state_) || in_transaction())) broken_ = true;
  return rows;
}

absl::Status Connection::Begin() {
  if (broken_) return absl::InternalError("database: a broken connection was used again");
  lost_ = false;
  in_doubt_ = false;
  sql_state_.clear();
  return absl::OkStatus();
}

// A statement that is met for the first time is two messages: one that prepares it, one that runs it.
absl::Status Connection::Send(absl::Span<const Statement> statements, std::vector<Message>* messages) {
  PGconn* const connection = connection_.get();
  std::map<std::string, std::string> names = prepared_;
  for (const Statement& statement : statements) {
    const auto [known, is_new] = names.try_emplace(statement.sql(), absl::StrCat("s", names.size()));
    const char* const name = known->second.c_str();
    if (is_new) {
      if (PQsendPrepare(connection, name, statement.sql().c_str(), 0, nullptr) != 1) return Lost();
      messages->push_back({statement.sql(), known->second});
    }
    std::vector<const char*> values;
    for (const auto& parameter : statement.parameters()) values.push_back(parameter ? parameter->c_str() : nullptr);
    if (PQsendQueryPrepared(connection, name, static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0) != 1)
      return Lost();
    messages->push_back({});
  }
  return PQpipelineSync(connection) == 1 ? absl::OkStatus() : Lost();
}

// Each message is answered by its results and a null, the whole by a Sync: only that says that all is committed.
absl::StatusOr<std::vector<Rows>> Connection::Receive(const std::vector<Message>& messages, Deadline deadline) {
  std::vector<Rows> rows;
  absl::Status failure;
  size_t answered = 0;
  for (bool synced = false; !synced;) {
    absl::StatusOr<Result> result = Next(deadline);
    if (!result.ok()) return failure.ok() ? result.status() : failure;
    if (*result == nullptr) {
      if (++answered > messages.size() + 1) return failure.ok() ? Lost() : Fail(failure);
      continue;
    }
    switch (PQresultStatus(result->get())) {
      case PGRES_PIPELINE_SYNC: synced = true; break;
      case PGRES_PIPELINE_ABORTED: break;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        if (answered >= messages.size()) break;
        if (messages[answered].name.empty()) {
          rows.emplace_back(result->release());
        } else {
          prepared_[messages[answered].sql] = messages[answered].name;
        }
        break;
      default:
        if (failure.ok()) failure = FromServer(result->get());
        if (broken_) return failure;
    }
  }
  if (!failure.ok()) return failure;
  return rows;
}

absl::Status Connection::Execute(const std::string& sql, absl::Duration limit) {
  absl::Status status = Begin();
  if (!status.ok()) return status;
  const Deadline deadline = After(limit);
  if (PQsendQuery(connection_.get(), sql.c_str()) != 1) return Lost();
  in_doubt_ = true;
  for (;;) {
    absl::StatusOr<Result> result = Next(deadline);
    if (!result.ok()) return result.status();
    if (*result == nullptr) break;
    const ExecStatusType code = PQresultStatus(result->get());
    if (code == PGRES_COMMAND_OK || code == PGRES_TUPLES_OK || code == PGRES_EMPTY_QUERY) continue;
    if (status.ok()) status = FromServer(result->get());
    if (broken_) return status;
  }
  in_doubt_ = false;
  if (!status.ok()) broken_ = true;
  return status;
}

absl::StatusOr<Connection::Result> Connection::Next(Deadline deadline) {
  PGconn* const connection = connection_.get();
  for (;;) {
    const int unsent = PQflush(connection);
    if (unsent < 0) return Lost();
    if (PQisBusy(connection) == 0) break;
    absl::Status waited = Wait(unsent == 1 ? POLLIN | POLLOUT : POLLIN, deadline);
    if (!waited.ok()) return waited;
    if (PQconsumeInput(connection) != 1) return Lost();
  }
  return Result(PQgetResult(connection));
}

absl::Status Connection::Wait(short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Slow();
    pollfd descriptor{PQsocket(connection_.get()), events, 0};
    if (descriptor.fd < 0) return Lost();
    const int ready = ::poll(&descriptor, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Lost();
  }
}

bool Connection::IsAlive() {
  if (broken_) return false;
  // Nothing was asked: what is there is the end of the connection, why it ends, or word of a changed setting.
  constexpr int kMessages = 10;
  for (int i = 0; i < kMessages; ++i) {
    pollfd descriptor{PQsocket(connection_.get()), POLLIN, 0};
    if (::poll(&descriptor, 1, 0) == 0) return true;
    if (PQconsumeInput(connection_.get()) != 1 || PQstatus(connection_.get()) != CONNECTION_OK) break;
  }
  broken_ = true;
  return false;
}

bool Connection::in_transaction() const { return PQtransactionStatus(connection_.get()) != PQTRANS_IDLE; }

absl::Status Connection::Fail(absl::Status status) {
  broken_ = true;
  return status;
}

absl::Status Connection::Lost() {
  lost_ = true;
  const std::string why = connection_ == nullptr ? "" : target_.Redact(PQerrorMessage(connection_.get()));
  return Fail(absl::UnavailableError(absl::StrCat("database: ", why.empty() ? "the connection failed" : why)));
}

absl::Status Connection::Slow() {
  return Fail(absl::UnavailableError(absl::StrCat("database: ", target_.name(), " does not answer in time")));
}

absl::Status Connection::FromServer(const PGresult* result) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr || PQstatus(connection_.get()) == CONNECTION_BAD) {
    if (state != nullptr) sql_state_ = state;
    return Lost();
  }
  sql_state_ = state;
  return SqlError(sql_state_);
}

}  // namespace callbridge::store
