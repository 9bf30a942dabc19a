#include "src/store/postgres/postgres_node_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/store/migrations/migration.h"
#include "src/store/node_check.h"
#include "src/store/postgres/call_rows.h"
#include "src/store/postgres/call_writes.h"
#include "src/store/postgres/schema.h"
#include "src/store/postgres/transaction.h"
#include "src/store/postgres/writer_lock.h"

namespace callbridge::store {
namespace {

constexpr int kOtherConnections = 2;
constexpr int kMostAtOnce = 1000;  // Calls in one transaction.
constexpr absl::Duration kPrunePause = absl::Hours(1);

Statement TryReaperLock() {
  return Statement("SELECT pg_try_advisory_xact_lock($1, $2)").Int(kLockSpace).Int(kReaperLock);
}

// Only under the reaper's lock, which who has it gets again.
Statement UpdateDead(absl::Duration grace) {
  return Statement(
             "UPDATE nodes SET state = 'gone', found_dead = true WHERE state <> 'gone' "
             "AND lease_until < clock_timestamp() - $1::interval AND (SELECT pg_try_advisory_xact_lock($2, $3))")
      .Interval(grace)
      .Int(kLockSpace)
      .Int(kReaperLock);
}

Statement InsertHangUps(const std::vector<OpenCall>& calls) {
  ArrayText ids;
  ArrayText carrier_ids;
  for (const OpenCall& call : calls) {
    if (call.carrier_call_id.empty()) continue;
    ids.Add(call.call_id);
    carrier_ids.Add(call.carrier_call_id);
  }
  return Statement(
             "INSERT INTO hangups (call_id, carrier_call_id, due_at) SELECT job.*, clock_timestamp() "
             "FROM unnest($1::text[], $2::text[]) AS job ON CONFLICT (call_id) DO NOTHING")
      .Array(ids)
      .Array(carrier_ids);
}

constexpr char kNodeColumns[] =
    "id, address, media_address, version, state, live_calls, max_calls, started_at, renewed_at, "
    "lease_until >= clock_timestamp()";

NodeRecord ReadNode(Rows& rows) {
  NodeRecord node;
  node.node_id = rows.GetText();
  node.address = rows.GetText();
  node.media_address = rows.GetText();
  node.version = rows.GetText();
  node.state = rows.GetEnum<NodeState>();
  node.live_calls = rows.GetInt();
  node.max_calls = rows.GetInt();
  node.start_time = rows.GetTime();
  node.renew_time = rows.GetTime();
  node.leased = rows.GetBool();
  return node;
}

HangUpJob ReadHangUp(Rows& rows) {
  HangUpJob job;
  job.call_id = rows.GetText();
  job.carrier_call_id = rows.GetText();
  job.attempts = rows.GetInt();
  return job;
}

}  // namespace

PostgresNodeTable::PostgresNodeTable(const Target& target, const Limits& limits)
    : leases_(target, limits, 1), others_(target, limits, kOtherConnections) {}

absl::StatusOr<std::unique_ptr<NodeTable>> PostgresNodeTable::Open(const std::string& uri, const Limits& limits) {
  const absl::StatusOr<Target> target = Target::Parse(uri);
  if (!target.ok()) return target.status();
  auto table = std::unique_ptr<PostgresNodeTable>(new PostgresNodeTable(*target, limits));
  const absl::Status status =
      table->leases_.Run([](Connection& connection) { return CheckCurrent(connection, PostgresMigrations()); });
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat("database ", target->name(), ": ", status.message()));
  }
  return std::unique_ptr<NodeTable>(std::move(table));
}

absl::Status PostgresNodeTable::Register(const NodeRecord& self, absl::Duration lease) {
  if (absl::Status status = CheckNode(self); !status.ok()) return status;
  // One after the other: of two on one address, the later must see the earlier.
  Statement lock("SELECT pg_advisory_xact_lock($1, $2)");
  lock.Int(kLockSpace).Int(kNodesLock);
  Statement replace(
      "UPDATE nodes SET state = 'gone', found_dead = false, lease_until = least(lease_until, clock_timestamp()) "
      "WHERE address = $1 AND id <> $2");
  replace.Text(self.address).Text(self.node_id);
  Statement add(
      "INSERT INTO nodes (id, address, media_address, version, state, live_calls, max_calls, started_at, renewed_at, "
      "lease_until) VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), clock_timestamp(), "
      "clock_timestamp() + $8::interval) ON CONFLICT (id) DO UPDATE SET address = excluded.address, "
      "media_address = excluded.media_address, version = excluded.version, state = excluded.state, "
      "found_dead = false, live_calls = excluded.live_calls, max_calls = excluded.max_calls, "
      "renewed_at = excluded.renewed_at, lease_until = excluded.lease_until");
  add.Text(self.node_id).Text(self.address).Text(self.media_address).Text(self.version).Text(Name(self.state));
  add.Int(self.live_calls).Int(self.max_calls).Interval(lease);
  return leases_.Run([&](Connection& connection) { return connection.Run({lock, replace, add}).status(); });
}

absl::StatusOr<std::vector<NodeRecord>> PostgresNodeTable::Renew(absl::string_view node_id, NodeState state,
                                                                 int64_t live_calls, absl::Duration lease) {
  if (absl::Status status = CheckRenewal(state); !status.ok()) return status;
  Statement renew(
      "UPDATE nodes SET state = $2, found_dead = false, live_calls = $3, renewed_at = clock_timestamp(), "
      "lease_until = clock_timestamp() + $4::interval WHERE id = $1 AND (state <> 'gone' OR found_dead)");
  renew.Text(node_id).Text(Name(state)).Int(live_calls).Interval(lease);
  const Statement list(
      absl::StrCat("SELECT ", kNodeColumns, " FROM nodes WHERE state <> 'gone' ORDER BY started_at, id"));
  return leases_.Run([&](Connection& connection) -> absl::StatusOr<std::vector<NodeRecord>> {
    auto rows = connection.Run({renew, list});
    if (!rows.ok()) return rows.status();
    if ((*rows)[0].affected() == 0) return NoSuchNode(node_id);
    return ReadRows((*rows)[1], &ReadNode);
  });
}

absl::Status PostgresNodeTable::Leave(absl::string_view node_id) {
  Statement statement(
      "UPDATE nodes SET state = 'gone', found_dead = false, lease_until = least(lease_until, clock_timestamp()) "
      "WHERE id = $1");
  statement.Text(node_id);
  return leases_.Run([&](Connection& connection) { return connection.Run({statement}).status(); });
}

absl::StatusOr<absl::optional<NodeRecord>> PostgresNodeTable::FindNode(absl::string_view node_id) {
  Statement statement(absl::StrCat("SELECT ", kNodeColumns, " FROM nodes WHERE id = $1"));
  statement.Text(node_id);
  return others_.Run([&](Connection& connection) -> absl::StatusOr<absl::optional<NodeRecord>> {
    auto rows = connection.Run({statement});
    if (!rows.ok()) return rows.status();
    return ReadRow((*rows)[0], &ReadNode);
  });
}

absl::StatusOr<std::string> PostgresNodeTable::ClaimCarrierCall(absl::string_view carrier_call_id,
                                                                absl::string_view node_id) {
  if (absl::Status status = CheckClaim(carrier_call_id, node_id); !status.ok()) return status;
  // The second condition is the index's. An update that changes nothing: only a row that was written is given back.
  Statement statement(
      "INSERT INTO carrier_claims (carrier_call_id, node_id, claimed_at) VALUES ($1, "
      "coalesce((SELECT owner_node FROM call_logs WHERE carrier_call_id = $1 AND carrier_call_id <> '' "
      "AND owner_node <> '' ORDER BY created_at DESC LIMIT 1), $2), clock_timestamp()) "
      "ON CONFLICT (carrier_call_id) DO UPDATE SET node_id = carrier_claims.node_id RETURNING node_id");
  statement.Text(carrier_call_id).Text(node_id);
  return others_.Run([&](Connection& connection) -> absl::StatusOr<std::string> {
    auto rows = connection.Run({statement});
    if (!rows.ok()) return rows.status();
    if (!(*rows)[0].Next()) return absl::InternalError("database: a claim gave no row");
    return (*rows)[0].GetText();
  });
}

absl::StatusOr<absl::optional<std::string>> PostgresNodeTable::FindCarrierCall(absl::string_view carrier_call_id) {
  Statement statement(
      "SELECT coalesce((SELECT node_id FROM carrier_claims WHERE carrier_call_id = $1), "
      "(SELECT owner_node FROM call_logs WHERE carrier_call_id = $1 AND carrier_call_id <> '' AND owner_node <> '' "
      "ORDER BY created_at DESC LIMIT 1))");
  statement.Text(carrier_call_id);
  return others_.Run([&](Connection& connection) -> absl::StatusOr<absl::optional<std::string>> {
    auto rows = connection.Run({statement});
    if (!rows.ok()) return rows.status();
    if (!(*rows)[0].Next() || (*rows)[0].NextIsNull()) return absl::optional<std::string>();
    return absl::make_optional((*rows)[0].GetText());
  });
}

absl::StatusOr<NodeTable::Reaped> PostgresNodeTable::Reap(absl::Duration grace, const call::Termination& termination,
                                                          absl::Time now, bool summaries_due, int limit) {
  if (absl::Status status = CheckNodeLimit(limit); !status.ok()) return status;
  Reaped reaped;
  const absl::StatusOr<Found> found = MarkDead(grace);
  if (!found.ok()) return found.status();
  reaped.busy = found->busy;
  if (found->busy) return reaped;
  PruneWhenDue();
  if (!found->orphans) return reaped;
  return others_.Run([&](Connection& connection) {
    return InTransaction(connection, {WriterLock::CheckNodes()}, [&](Connection& in_it) {
      return CloseOrphans(in_it, termination, now, summaries_due, std::min(limit, kMostAtOnce));
    });
  });
}

// In a transaction of its own: one that has written already has an id that is older than those of events which come
// until it gets to their calls.
absl::StatusOr<PostgresNodeTable::Found> PostgresNodeTable::MarkDead(absl::Duration grace) {
  return others_.Run([&](Connection& connection) -> absl::StatusOr<Found> {
    auto rows =
        connection.Run({WriterLock::CheckNodes(), TryReaperLock(), UpdateDead(grace), SelectHasOrphans(kSettleTime)});
    if (!rows.ok()) return rows.status();
    Found found;
    found.busy = !((*rows)[1].Next() && (*rows)[1].GetBool());
    found.orphans = (*rows)[3].Next() && (*rows)[3].GetBool();
    return found;
  });
}

absl::StatusOr<NodeTable::Reaped> PostgresNodeTable::CloseOrphans(Connection& connection,
                                                                  const call::Termination& termination, absl::Time now,
                                                                  bool summaries_due, int limit) {
  Reaped reaped;
  auto rows = connection.Run({TryReaperLock()});
  if (!rows.ok()) return rows.status();
  reaped.busy = !((*rows)[0].Next() && (*rows)[0].GetBool());
  if (reaped.busy) return reaped;
  rows = connection.Run({SelectOrphans(kSettleTime, limit)});
  if (!rows.ok()) return rows.status();
  absl::StatusOr<std::vector<CallRecord>> orphans = ReadRows((*rows)[0], &ReadCall);
  if (!orphans.ok()) return orphans.status();
  std::vector<std::string> ids;
  for (const CallRecord& call : *orphans) ids.push_back(call.call_id);
  reaped.more = ids.size() == static_cast<size_t>(limit);
  // The first row that was locked gave this transaction its id; who was quicker to write to one of the others since
  // then has a higher one, and its call has to wait for the next transaction.
  rows = connection.Run({SelectAppendable(ids)});
  if (!rows.ok()) return rows.status();
  std::set<std::string> appendable;
  while ((*rows)[0].Next()) appendable.insert((*rows)[0].GetText());
  const auto kept = std::remove_if(orphans->begin(), orphans->end(),
                                   [&](const CallRecord& call) { return appendable.count(call.call_id) == 0; });
  reaped.more |= kept != orphans->end();
  orphans->erase(kept, orphans->end());
  auto closed = CloseCalls(connection, *orphans, termination, now, summaries_due);
  if (!closed.ok()) return closed.status();
  reaped.calls = *std::move(closed);
  ids.clear();
  for (const OpenCall& call : reaped.calls) ids.push_back(call.call_id);
  const absl::Status status = connection.Run({RaiseEpochs(ids), InsertHangUps(reaped.calls)}).status();
  if (!status.ok()) return status;
  return reaped;
}

// What nobody asks for any more. A call lasts less than a day.
void PostgresNodeTable::PruneWhenDue() {
  {
    base::MutexLock lock(mutex_);
    if (absl::Now() < next_prune_) return;
    next_prune_ = absl::Now() + kPrunePause;
  }
  const std::vector<Statement> statements = {
      Statement("DELETE FROM carrier_claims WHERE claimed_at < clock_timestamp() - interval '25 hours'"),
      Statement("DELETE FROM nodes WHERE state = 'gone' AND renewed_at < clock_timestamp() - interval '25 hours' "
                "AND NOT EXISTS (SELECT 1 FROM call_logs WHERE owner_node = nodes.id "
                "AND call_logs.state NOT IN ('completed', 'failed'))")};
  others_.Run([&](Connection& connection) { return connection.Run(statements).status(); }).IgnoreError();
}

absl::StatusOr<std::vector<HangUpJob>> PostgresNodeTable::TakeHangUps(absl::Duration patience, int limit) {
  if (absl::Status status = CheckNodeLimit(limit); !status.ok()) return status;
  Statement statement(
      "UPDATE hangups SET attempts = attempts + 1, due_at = clock_timestamp() + $1::interval WHERE call_id IN "
      "(SELECT call_id FROM hangups WHERE due_at <= clock_timestamp() ORDER BY due_at, call_id LIMIT $2 "
      "FOR UPDATE SKIP LOCKED) RETURNING call_id, carrier_call_id, attempts");
  statement.Interval(patience).Int(limit);
  return others_.Run([&](Connection& connection) -> absl::StatusOr<std::vector<HangUpJob>> {
    auto rows = connection.Run({statement});
    if (!rows.ok()) return rows.status();
    return ReadRows((*rows)[0], &ReadHangUp);
  });
}

absl::Status PostgresNodeTable::FinishHangUp(absl::string_view call_id) {
  Statement statement("DELETE FROM hangups WHERE call_id = $1");
  statement.Text(call_id);
  return others_.Run([&](Connection& connection) { return connection.Run({statement}).status(); });
}

}  // namespace callbridge::store
