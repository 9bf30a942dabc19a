#include "src/store/postgres/postgres_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "src/base/error.h"
#include "src/base/log.h"
#include "src/store/migrations/migration.h"
#include "src/store/postgres/call_rows.h"
#include "src/store/postgres/call_writes.h"
#include "src/store/postgres/erasure.h"
#include "src/store/postgres/lead_rows.h"
#include "src/store/postgres/log_rows.h"
#include "src/store/postgres/schema.h"
#include "src/store/postgres/transaction.h"
#include "src/store/refusals.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

constexpr absl::Duration kPartitionsPause = absl::Hours(1);
constexpr size_t kMostInDoubt = 10'000;
constexpr int kHeadTries = 5;
constexpr int kLeadTries = 20;
constexpr int kOpenCallsAtOnce = 1000;

absl::Status NoSuchCall() { return base::MakeError(absl::StatusCode::kNotFound, "CALL_NOT_FOUND", "no such call"); }

absl::Status CheckLimit(int limit) {
  return limit >= 1 ? absl::OkStatus() : base::FieldError("limit", "INVALID_LIMIT", "must be 1 or more");
}

absl::Status CheckSize(const std::vector<call::Event>& events) {
  if (static_cast<int64_t>(events.size()) <= kMaxEventsOfTransaction) return absl::OkStatus();
  return base::FieldError("events", "INVALID_WRITE", "must be at most 65536");
}

absl::Status Prefixed(const Target& target, const absl::Status& status) {
  absl::string_view message = status.message();
  absl::ConsumePrefix(&message, "database: ");
  return absl::Status(status.code(), absl::StrCat("database ", target.name(), ": ", message));
}

// What is stored already of a write's events.
struct Stored {
  int64_t head = 0;
  bool erased = false;             // The call is.
  size_t repeated = 0;             // How many of the events.
  std::vector<int64_t> positions;  // Theirs; 0 of those that were purged since.
};

// kFailedPrecondition: the events would leave a gap, or repeat a sequence with another type. kAborted: the call has
// another owner.
absl::StatusOr<Stored> FindStored(Connection& connection, const CallWrite& write) {
  const std::vector<call::Event>& events = write.events;
  Statement head("SELECT event_head, erased_at IS NOT NULL, owner_node, owner_epoch FROM call_logs WHERE id = $1");
  head.Text(write.call_id);
  const int64_t first = events.empty() ? 1 : events.front().sequence;
  const int64_t last = events.empty() ? 0 : events.back().sequence;
  auto rows = connection.Run({head, SelectEventTypes(write.call_id, first, last)});
  if (!rows.ok()) return rows.status();
  if (!(*rows)[0].Next()) return NoSuchCall();
  Stored stored;
  stored.head = (*rows)[0].GetInt();
  stored.erased = (*rows)[0].GetBool();
  Owner owner;
  owner.node_id = (*rows)[0].GetText();
  owner.epoch = (*rows)[0].GetInt();
  if (write.owner && !(*write.owner == owner)) return OwnerChanged(write.call_id);
  if (!events.empty() && first > stored.head + 1) {
    return absl::FailedPreconditionError(absl::StrCat("events begin at ", first, " and would leave a gap behind ",
                                                      stored.head, ", the last of the call"));
  }
  stored.repeated = std::min<size_t>(std::max<int64_t>(stored.head - first + 1, 0), events.size());
  while ((*rows)[1].Next()) {
    const int64_t sequence = (*rows)[1].GetInt();
    const std::string type = (*rows)[1].GetText();
    if (sequence > stored.head) break;  // Written between the two statements.
    if (type != call::TypeName(events[sequence - first].body)) {
      return absl::FailedPreconditionError(
          absl::StrCat("event ", sequence, " of the call is there and is another one"));
    }
    stored.positions.push_back((*rows)[1].GetInt());
  }
  if (!(*rows)[1].status().ok()) return (*rows)[1].status();
  stored.positions.insert(stored.positions.begin(), stored.repeated - stored.positions.size(), 0);
  return stored;
}

std::vector<int64_t> ReadPositions(Rows& rows) {
  std::vector<int64_t> positions;
  while (rows.Next()) positions.push_back(rows.GetInt());
  // The server gives them as it wrote them, which is in order; but it does not promise that.
  std::sort(positions.begin(), positions.end());
  return positions;
}

// No reason to stop: events go to the default partition until then, and are moved afterwards.
void NotePartitions(const absl::Status& status) {
  if (status.ok()) return;
  base::Log(base::LogKind::kDatabase, "", "no partition was made for the coming days; in an hour again",
            {{"why", std::string(status.message())}});
}

// A server that was replaced by an older state of itself, or by one that had not everything yet, shows it to those who
// connect again.
absl::Status LookForRestore(Connection& connection) {
  absl::StatusOr<std::vector<Rows>> rows = connection.Run({NoticeRestore()});
  if (!rows.ok()) return rows.status();
  if ((*rows)[0].Next() && (*rows)[0].GetBool())
    base::Log(base::LogKind::kDatabase, "", "the database was restored from a backup, or failed over");
  return (*rows)[0].status();
}

Statement RequireCall(absl::string_view call_id) {
  return Statement("SELECT 1 FROM call_logs WHERE id = $1").Text(call_id);
}

}  // namespace

PostgresStore::PostgresStore(const Target& target, const Options& options, std::unique_ptr<WriterLock> lock)
    : lock_(std::move(lock)),
      shared_(options.sharing == Sharing::kNodes),
      writers_(target, options.limits, options.write_connections,
               lock_ == nullptr ? nullptr : Pool::Greet(LookForRestore)),
      readers_(target, options.limits, options.read_connections),
      next_partitions_(absl::Now() + kPartitionsPause) {}

PostgresStore::~PostgresStore() = default;

absl::StatusOr<std::unique_ptr<CallStore>> PostgresStore::Open(const std::string& uri, const Options& options) {
  const absl::StatusOr<Target> target = Target::Parse(uri);
  if (!target.ok()) return target.status();
  std::unique_ptr<WriterLock> lock;
  if (options.sharing != Sharing::kNone) {
    // Before the schema is touched: it may be the other's.
    const WriterLock::Kind kind =
        options.sharing == Sharing::kNodes ? WriterLock::Kind::kNodes : WriterLock::Kind::kAlone;
    auto locked = WriterLock::Take(*target, options.limits, kind, options.owner_patience);
    if (!locked.ok()) return Prefixed(*target, locked.status());
    lock = *std::move(locked);
  }
  auto connection = Connection::Open(*target, options.limits);
  absl::Status status = connection.status();
  if (status.ok() && !options.migrate) status = CheckCurrent(**connection, PostgresMigrations());
  if (status.ok() && options.migrate) {
    status = Migrate(**connection, PostgresMigrations());
    if (status.ok()) NotePartitions(AddPartitions(**connection));
  }
  if (status.ok() && lock != nullptr) status = lock->Claim();
  if (status.ok() && lock != nullptr) status = LookForRestore(**connection);
  if (!status.ok()) return Prefixed(*target, status);
  return std::unique_ptr<CallStore>(new PostgresStore(*target, options, std::move(lock)));
}

PostgresStore::Batch PostgresStore::NewBatch() const { return lock_ == nullptr ? Batch() : Batch{lock_->Check()}; }

template <typename Use>
auto PostgresStore::Write(Use use) -> decltype(use(std::declval<Connection&>())) {
  AddPartitionsWhenDue();
  auto result = writers_.Run(std::move(use));
  if (result.ok() && lock_ != nullptr) lock_->Keep();
  return result;
}

template <typename Use>
auto PostgresStore::Read(Use use) -> decltype(use(std::declval<Connection&>())) {
  auto result = readers_.Run(std::move(use));
  if (result.ok() && lock_ != nullptr) lock_->Keep();
  return result;
}

absl::StatusOr<std::vector<Rows>> PostgresStore::Read(const Batch& batch) {
  return Read([&batch](Connection& connection) { return connection.Run(batch); });
}

void PostgresStore::AddPartitionsWhenDue() {
  {
    base::MutexLock lock(mutex_);
    if (absl::Now() < next_partitions_) return;
    next_partitions_ = absl::Now() + kPartitionsPause;
  }
  NotePartitions(writers_.Run([](Connection& connection) { return AddPartitions(connection); }));
}

void PostgresStore::NoteDoubt(const std::string& call_id) {
  base::MutexLock lock(mutex_);
  if (in_doubt_.size() < kMostInDoubt) in_doubt_.insert(call_id);
}

bool PostgresStore::TakeDoubt(const std::string& call_id) {
  base::MutexLock lock(mutex_);
  return in_doubt_.erase(call_id) > 0;
}

absl::StatusOr<CallStore::Created> PostgresStore::CreateCall(const CallRecord& call,
                                                             const std::vector<call::Event>& events,
                                                             const absl::optional<RequestKey>& key) {
  absl::Status check = CheckCreate(call, events);
  if (check.ok()) check = CheckSize(events);
  if (!check.ok()) return check;
  return Write([&](Connection& connection) { return CreateOn(connection, call, events, key); });
}

// Without asking first: most calls are new, and whoever else makes the same one meets us at the unique keys.
absl::StatusOr<CallStore::Created> PostgresStore::CreateOn(Connection& connection, const CallRecord& call,
                                                           const std::vector<call::Event>& events,
                                                           const absl::optional<RequestKey>& key) {
  for (int tries = 0;; ++tries) {
    Created created;
    created.call = call;
    absl::StatusOr<Created> made = Insert(connection, std::move(created), events, key);
    if (made.ok()) {
      TakeDoubt(call.call_id);
      return made;
    }
    if (connection.in_doubt()) NoteDoubt(call.call_id);
    const bool suppressed = connection.sql_state() == kSuppressed;
    if ((connection.sql_state() != kUniqueViolation && !suppressed) || tries == kHeadTries) return made;
    absl::StatusOr<absl::optional<Created>> existing = FindExisting(connection, call, key);
    if (!existing.ok()) return existing.status();
    if (existing->has_value()) return **std::move(existing);
    if (!suppressed) continue;
    auto rows = connection.Run({SelectLead(LeadKey::kPhone, LeadPhone(call))});
    if (!rows.ok()) return rows.status();
    if ((*rows)[0].Next()) return LeadSuppressed(ReadLead((*rows)[0]));
  }
}

absl::StatusOr<CallStore::Created> PostgresStore::Insert(Connection& connection, Created created,
                                                         const std::vector<call::Event>& events,
                                                         const absl::optional<RequestKey>& key) {
  CallRecord& call = created.call;
  call.event_head = static_cast<int64_t>(events.size());
  call.lead_id.clear();
  const std::string phone = LeadPhone(call);
  Batch batch = NewBatch();
  const size_t lead_at = batch.size();
  if (!phone.empty()) batch.push_back(TouchLead(phone, call.call_id, call.create_time));
  if (!phone.empty() && call.direction == call::Direction::kOutbound) batch.push_back(RequireDiallable(phone));
  batch.push_back(InsertCall(call, phone));
  if (key) batch.push_back(InsertRequest(*key, call));
  if (!events.empty()) batch.push_back(InsertEvents(call.call_id, events, 0, Payload::kNameLead));
  absl::StatusOr<std::vector<Rows>> rows = connection.Run(batch);
  if (!rows.ok()) return rows.status();
  if (!phone.empty() && (*rows)[lead_at].Next()) call.lead_id = (*rows)[lead_at].GetText();
  if (events.empty()) return created;
  const std::vector<int64_t> positions = ReadPositions(rows->back());
  for (size_t i = 0; i < events.size(); ++i) {
    events::StoredEvent stored{positions.at(i), events[i]};
    if (auto* body = std::get_if<call::CallCreated>(&stored.event.body)) body->lead_id = call.lead_id;
    created.events.push_back(std::move(stored));
  }
  return created;
}

// What was made of this request, or of this id, before. nullopt: it was taken back meanwhile.
absl::StatusOr<absl::optional<CallStore::Created>> PostgresStore::FindExisting(Connection& connection,
                                                                               const CallRecord& call,
                                                                               const absl::optional<RequestKey>& key) {
  std::string existing_id = call.call_id;
  if (key) {
    auto request = connection.Run({SelectRequest(*key)});
    if (!request.ok()) return request.status();
    if ((*request)[0].Next()) {
      if ((*request)[0].GetText() != key->fingerprint) return RequestIdReused();
      existing_id = (*request)[0].GetText();
    }
  }
  auto rows = connection.Run({SelectCall(existing_id), SelectCallEvents(existing_id, 0, kMaxEventsOfTransaction)});
  if (!rows.ok()) return rows.status();
  absl::StatusOr<absl::optional<CallRecord>> found = ReadRow(rows->at(0), &ReadCall);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return absl::optional<Created>();
  Created created;
  created.call = **std::move(found);
  created.existed = existing_id != call.call_id || !TakeDoubt(call.call_id);
  if (created.existed) return absl::optional<Created>(std::move(created));
  // It was us, a moment ago: the answer was lost.
  absl::StatusOr<std::vector<events::StoredEvent>> events = store::ReadEvents(rows->at(1));
  if (!events.ok()) return events.status();
  created.events = *std::move(events);
  return absl::optional<Created>(std::move(created));
}

absl::Status PostgresStore::Apply(const CallWrite& write, std::vector<int64_t>* positions) {
  absl::Status status = CheckWrite(write);
  if (status.ok()) status = CheckSize(write.events);
  if (!status.ok()) return status;
  std::vector<int64_t> written;
  status = Write([&](Connection& connection) { return ApplyOn(connection, write, &written); });
  if (status.ok() && positions != nullptr) *positions = std::move(written);
  return status;
}

// As if nothing of it were there, which is so nearly always; only when the call's head is elsewhere, it looks why.
absl::Status PostgresStore::ApplyOn(Connection& connection, const CallWrite& write, std::vector<int64_t>* positions) {
  Stored stored;
  for (int tries = 0;; ++tries) {
    Batch batch = NewBatch();
    const size_t events_at = batch.size() + 1;
    AddWrite(stored.erased ? WithoutPerson(write) : write, absl::MakeConstSpan(write.events).subspan(stored.repeated),
             0, stored.erased, &batch);
    absl::StatusOr<std::vector<Rows>> rows = connection.Run(batch);
    if (rows.ok()) {
      *positions = stored.positions;
      if (stored.repeated == write.events.size()) return absl::OkStatus();
      for (const int64_t position : ReadPositions(rows->at(events_at))) positions->push_back(position);
      return absl::OkStatus();
    }
    if (connection.sql_state() != kHeadMoved || tries == kHeadTries) return rows.status();
    absl::StatusOr<Stored> found = FindStored(connection, write);
    if (!found.ok()) return found.status();
    stored = *std::move(found);
    if (!write.events.empty() && stored.repeated == write.events.size()) {  // A repeat.
      *positions = stored.positions;
      return absl::OkStatus();
    }
  }
}

absl::StatusOr<CallRecord> PostgresStore::GetCall(absl::string_view call_id) {
  auto rows = Read({SelectCall(call_id)});
  if (!rows.ok()) return rows.status();
  absl::StatusOr<absl::optional<CallRecord>> call = ReadRow((*rows)[0], &ReadCall);
  if (!call.ok()) return call.status();
  if (!call->has_value()) return NoSuchCall();
  return **std::move(call);
}

absl::StatusOr<absl::optional<CallRecord>> PostgresStore::FindRequest(const RequestKey& key) {
  auto request = Read({SelectRequest(key)});
  if (!request.ok()) return request.status();
  if (!(*request)[0].Next()) return absl::optional<CallRecord>();
  if ((*request)[0].GetText() != key.fingerprint) return RequestIdReused();
  auto rows = Read({SelectCall((*request)[0].GetText())});
  if (!rows.ok()) return rows.status();
  return ReadRow(rows->at(0), &ReadCall);
}

absl::StatusOr<CallRecord> PostgresStore::FindCall(absl::string_view carrier_call_id,
                                                   absl::string_view carrier_request_id) {
  auto rows = Read({SelectCallOfCarrier(carrier_call_id), SelectCallOfRequest(carrier_request_id)});
  if (!rows.ok()) return rows.status();
  for (Rows& found : *rows) {
    absl::StatusOr<absl::optional<CallRecord>> call = ReadRow(found, &ReadCall);
    if (!call.ok()) return call.status();
    if (call->has_value()) return **std::move(call);
  }
  return NoSuchCall();
}

absl::StatusOr<std::vector<CallRecord>> PostgresStore::ListCalls(const CallFilter& filter,
                                                                 const absl::optional<CallPageKey>& after, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  auto rows = Read({SelectCalls(filter, after, limit)});
  if (!rows.ok()) return rows.status();
  return ReadRows((*rows)[0], &ReadCall);
}

absl::StatusOr<std::vector<call::TranscriptItem>> PostgresStore::GetTranscript(absl::string_view call_id) {
  auto rows = Read({RequireCall(call_id), SelectTranscripts({std::string(call_id)})});
  if (!rows.ok()) return rows.status();
  if (!(*rows)[0].Next()) return NoSuchCall();
  auto items = ReadByCall((*rows)[1], &ReadItem);
  if (!(*rows)[1].status().ok()) return (*rows)[1].status();
  return std::move(items[std::string(call_id)]);
}

absl::StatusOr<std::vector<call::Transfer>> PostgresStore::ListTransfers(absl::string_view call_id) {
  auto rows = Read({RequireCall(call_id), SelectTransfers({std::string(call_id)})});
  if (!rows.ok()) return rows.status();
  if (!(*rows)[0].Next()) return NoSuchCall();
  auto transfers = ReadByCall((*rows)[1], &ReadTransfer);
  if (!(*rows)[1].status().ok()) return (*rows)[1].status();
  return std::move(transfers[std::string(call_id)]);
}

absl::StatusOr<std::vector<events::StoredEvent>> PostgresStore::ReadCallEvents(absl::string_view call_id,
                                                                               int64_t after_sequence, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  // The floor afterwards: a purge in between may have taken some of the events.
  Statement floor("SELECT event_floor FROM call_logs WHERE id = $1");
  auto rows = Read({SelectCallEvents(call_id, after_sequence, limit), floor.Text(call_id)});
  if (!rows.ok()) return rows.status();
  if (!(*rows)[1].Next()) return NoSuchCall();
  const int64_t oldest = (*rows)[1].GetInt();
  if (std::max<int64_t>(after_sequence, 0) < oldest) return EventsPurged(oldest);
  return store::ReadEvents((*rows)[0]);
}

absl::StatusOr<std::vector<events::StoredEvent>> PostgresStore::ReadEvents(int64_t after_position, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  // Afterwards, here too.
  auto rows = Read({SelectEvents(after_position, limit), SelectOldestPosition()});
  if (!rows.ok()) return rows.status();
  const int64_t oldest = (*rows)[1].Next() ? (*rows)[1].GetInt() : 0;
  if (std::max<int64_t>(after_position, 0) < oldest) return EventsPurged(oldest);
  return store::ReadEvents((*rows)[0]);
}

absl::StatusOr<int64_t> PostgresStore::ReadNumber(const Statement& statement) {
  auto rows = Read({statement});
  if (!rows.ok()) return rows.status();
  const int64_t number = (*rows)[0].Next() ? (*rows)[0].GetInt() : 0;
  if (!(*rows)[0].status().ok()) return (*rows)[0].status();
  return number;
}

absl::StatusOr<int64_t> PostgresStore::HeadPosition() { return ReadNumber(SelectHeadPosition()); }

absl::StatusOr<int64_t> PostgresStore::OldestPosition() { return ReadNumber(SelectOldestPosition()); }

absl::Status PostgresStore::NoteRestored(absl::Time) {
  return Write([&](Connection& connection) { return connection.Run({NoteRestore()}).status(); });
}

absl::StatusOr<std::vector<LostPositions>> PostgresStore::ListLostPositions() {
  auto rows = Read({SelectLostPositions()});
  if (!rows.ok()) return rows.status();
  return ReadRows((*rows)[0], &ReadLostPositions);
}

absl::StatusOr<LeadRecord> PostgresStore::ReadOneLead(const Statement& statement) {
  auto rows = Read({statement});
  if (!rows.ok()) return rows.status();
  absl::StatusOr<absl::optional<LeadRecord>> lead = ReadRow((*rows)[0], &ReadLead);
  if (!lead.ok()) return lead.status();
  if (!lead->has_value()) return LeadNotFound();
  return **std::move(lead);
}

absl::StatusOr<LeadRecord> PostgresStore::GetLead(absl::string_view lead_id) {
  return ReadOneLead(SelectLead(LeadKey::kId, lead_id));
}

absl::StatusOr<LeadRecord> PostgresStore::FindLead(absl::string_view phone) {
  return ReadOneLead(SelectLead(LeadKey::kPhone, phone));
}

absl::StatusOr<LeadRecord> PostgresStore::CreateLead(const LeadRecord& lead) {
  absl::Status check = CheckLead(lead);
  if (!check.ok()) return check;
  return Write([&](Connection& connection) -> absl::StatusOr<LeadRecord> {
    Batch batch = NewBatch();
    for (const Statement& statement : {InsertLead(lead), SelectLead(LeadKey::kId, lead.lead_id),
                                       SelectFingerprint(lead.lead_id), SelectLead(LeadKey::kPhone, lead.phone)}) {
      batch.push_back(statement);
    }
    auto rows = connection.Run(batch);
    if (!rows.ok()) return rows.status();
    Rows* const found = &rows->back() - 3;  // What there was to say of InsertLead().
    const absl::StatusOr<absl::optional<LeadRecord>> same_id = ReadRow(found[1], &ReadLead);
    const absl::StatusOr<absl::optional<LeadRecord>> same_phone = ReadRow(found[3], &ReadLead);
    if (!same_id.ok()) return same_id.status();
    if (!same_phone.ok()) return same_phone.status();
    if (same_id->has_value()) {
      if (!found[2].Next() || found[2].GetText() != LeadFingerprint(lead)) return LeadIdReused(lead.lead_id);
      return **same_id;
    }
    if (same_phone->has_value()) return LeadExists((*same_phone)->lead_id);
    return absl::UnavailableError("database: the lead was there and has gone");
  });
}

absl::StatusOr<std::vector<LeadRecord>> PostgresStore::ListLeads(const LeadFilter& filter,
                                                                 const absl::optional<LeadPageKey>& after, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  auto rows = Read({SelectLeads(filter, after, limit)});
  if (!rows.ok()) return rows.status();
  return ReadRows((*rows)[0], &ReadLead);
}

absl::StatusOr<CallRecord> PostgresStore::UpdateCall(const CallUpdate& update) {
  return Write([&](Connection& connection) -> absl::StatusOr<CallRecord> {
    Batch batch = NewBatch();
    batch.push_back(UpdateClientFields(update));
    batch.push_back(SelectCall(update.call_id));
    auto rows = connection.Run(batch);
    if (!rows.ok()) return rows.status();
    for (const size_t from_end : {2, 1}) {
      absl::StatusOr<absl::optional<CallRecord>> call = ReadRow((*rows)[rows->size() - from_end], &ReadCall);
      if (!call.ok()) return call.status();
      if (!call->has_value()) continue;
      if (from_end == 1) return CallErased(update.call_id);
      return **std::move(call);
    }
    return NoSuchCall();
  });
}

absl::StatusOr<LeadRecord> PostgresStore::UpdateLead(const LeadUpdate& update, absl::Time now) {
  absl::Status check = CheckLeadUpdate(update, now);
  if (!check.ok()) return check;
  return Write([&](Connection& connection) { return UpdateLeadOn(connection, update, now); });
}

// Reads, changes, and writes if nobody else did meanwhile.
absl::StatusOr<LeadRecord> PostgresStore::UpdateLeadOn(Connection& connection, const LeadUpdate& update,
                                                       absl::Time now) {
  for (int tries = 0; tries < kLeadTries; ++tries) {
    Batch batch = NewBatch();
    batch.push_back(SelectLead(LeadKey::kId, update.lead_id));
    auto rows = connection.Run(batch);
    if (!rows.ok()) return rows.status();
    absl::StatusOr<absl::optional<LeadRecord>> lead = ReadRow(rows->back(), &ReadLead);
    if (!lead.ok()) return lead.status();
    if (!lead->has_value()) return LeadNotFound();
    if (update.revision && *update.revision != (*lead)->revision) return LeadChanged(**lead);
    if (!ApplyUpdate(update, now, &**lead)) return **std::move(lead);
    batch = NewBatch();
    batch.push_back(UpdateClientFields(**lead));
    rows = connection.Run(batch);
    if (!rows.ok()) return rows.status();
    lead = ReadRow(rows->back(), &ReadLead);
    if (!lead.ok()) return lead.status();
    if (lead->has_value()) return **std::move(lead);
  }
  return absl::UnavailableError("database: the lead is changed by others all the time");
}

absl::StatusOr<std::vector<OpenCall>> PostgresStore::CloseOpenCalls(const call::Termination& termination,
                                                                    absl::Time now, bool summaries_due) {
  if (shared_) return absl::FailedPreconditionError("database: open calls may be other nodes' here");
  std::vector<OpenCall> closed;
  for (;;) {
    auto some = Write([&](Connection& connection) {
      return InTransaction(connection, NewBatch(),
                           [&](Connection& in_it) { return CloseSome(in_it, termination, now, summaries_due); });
    });
    if (!some.ok()) return some.status();
    closed.insert(closed.end(), some->begin(), some->end());
    if (some->size() < kOpenCallsAtOnce) return closed;
  }
}

// In one transaction: what is read of the calls, and what is written for it, belong together.
absl::StatusOr<std::vector<OpenCall>> PostgresStore::CloseSome(Connection& connection,
                                                               const call::Termination& termination, absl::Time now,
                                                               bool summaries_due) {
  auto rows = connection.Run({SelectOpenCalls(kOpenCallsAtOnce)});
  if (!rows.ok()) return rows.status();
  const absl::StatusOr<std::vector<CallRecord>> open = ReadRows(rows->back(), &ReadCall);
  if (!open.ok()) return open.status();
  return CloseCalls(connection, *open, termination, now, summaries_due);
}

absl::StatusOr<std::vector<SummaryJob>> PostgresStore::ListSummaryJobs(absl::Time due_by, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  auto rows = Read({SelectSummaryJobs(due_by, limit)});
  if (!rows.ok()) return rows.status();
  return ReadRows((*rows)[0], &ReadSummaryJob);
}

absl::Status PostgresStore::SaveSummaryJob(const SummaryJob& job) {
  absl::Status check = CheckSummaryJob(job);
  if (!check.ok()) return check;
  return Write([&](Connection& connection) -> absl::Status {
    Batch batch = NewBatch();
    batch.push_back(UpdateSummaryJob(job));
    auto rows = connection.Run(batch);
    if (!rows.ok()) return rows.status();
    if (rows->back().affected() > 0) return absl::OkStatus();
    return base::MakeError(absl::StatusCode::kNotFound, "SUMMARY_JOB_NOT_FOUND", "the call waits for no summary");
  });
}

absl::StatusOr<bool> PostgresStore::ClaimSummaryJob(const SummaryJob& job, absl::Time until) {
  absl::Status check = CheckSummaryJob({job.call_id, job.attempts, until, ""});
  if (!check.ok()) return check;
  return Write([&](Connection& connection) -> absl::StatusOr<bool> {
    Batch batch = NewBatch();
    batch.push_back(MoveSummaryJob(job, until));
    auto rows = connection.Run(batch);
    if (!rows.ok()) return rows.status();
    return rows->back().affected() > 0;
  });
}

absl::Status PostgresStore::AddTranscriptRead(const TranscriptRead& read) {
  absl::Status check = CheckTranscriptRead(read);
  if (!check.ok()) return check;
  return Write([&](Connection& connection) -> absl::Status {
    Batch batch = NewBatch();
    batch.push_back(InsertTranscriptRead(read));
    auto rows = connection.Run(batch);
    if (!rows.ok()) return rows.status();
    return rows->back().affected() > 0 ? absl::OkStatus() : NoSuchCall();
  });
}

absl::StatusOr<std::vector<TranscriptRead>> PostgresStore::ListTranscriptReads(absl::string_view call_id, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  auto rows = Read({RequireCall(call_id), SelectTranscriptReads(call_id, limit)});
  if (!rows.ok()) return rows.status();
  if (!(*rows)[0].Next()) return NoSuchCall();
  return ReadRows((*rows)[1], &ReadTranscriptRead);
}

absl::StatusOr<Erasure> PostgresStore::EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) {
  absl::Status check = CheckErasure(number, by, now);
  if (!check.ok()) return check;
  return Write([&](Connection& connection) {
    return InTransaction(connection, NewBatch(),
                         [&](Connection& in_it) { return store::EraseNumber(in_it, number, by, now); });
  });
}

absl::StatusOr<std::vector<Erasure>> PostgresStore::ListErasures(int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  auto rows = Read({SelectErasures(limit)});
  if (!rows.ok()) return rows.status();
  return ReadRows((*rows)[0], &ReadErasure);
}

absl::StatusOr<Purged> PostgresStore::Purge(const Retention& keep, int max_calls) {
  absl::Status check = CheckLimit(max_calls);
  if (!check.ok()) return check;
  return Write([&](Connection& connection) {
    return InTransaction(connection, NewBatch(),
                         [&](Connection& in_it) { return store::Purge(in_it, keep, max_calls); });
  });
}

}  // namespace callbridge::store
