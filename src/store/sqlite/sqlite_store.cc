#include "src/store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/base/error.h"
#include "src/base/log.h"
#include "src/store/migrations/migration.h"
#include "src/store/refusals.h"
#include "src/store/sqlite/call_table.h"
#include "src/store/sqlite/erasure.h"
#include "src/store/sqlite/lead_table.h"
#include "src/store/sqlite/log_tables.h"
#include "src/store/sqlite/schema.h"
#include "src/store/text.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

absl::Status NoSuchCall() { return base::MakeError(absl::StatusCode::kNotFound, "CALL_NOT_FOUND", "no such call"); }

absl::Status CheckLimit(int limit) {
  return limit >= 1 ? absl::OkStatus() : base::FieldError("limit", "INVALID_LIMIT", "must be 1 or more");
}

absl::Status Prefixed(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("database ", path, ": ", status.message()));
}

absl::Status MakeFolder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("its folder cannot be made: ", error.message()));
}

absl::Status NoteRestoredIn(Database& database, absl::Time now) {
  Transaction transaction(database, "BEGIN IMMEDIATE");
  absl::Status status = transaction.status();
  if (status.ok()) status = NoteRestored(database, now);
  return status.ok() ? transaction.Commit() : status;
}

absl::Status NoticeRestore(Database& database, const std::string& path) {
  const absl::StatusOr<bool> restored = IsBackup(database);
  if (!restored.ok() || !*restored) return restored.status();
  absl::Status status = NoteRestoredIn(database, absl::Now());
  if (status.ok()) base::Log(base::LogKind::kDatabase, "", "the database was restored from a backup", {{"path", path}});
  return status;
}

// The connection that writes, with the schema up to date.
absl::StatusOr<Database> OpenWriter(const std::string& path, const SqliteStore::Options& options) {
  absl::StatusOr<Database> database = Database::Open(path, options.busy_timeout);
  if (!database.ok()) return database.status();
  if (database->read_only()) return absl::UnavailableError("the file is read-only");
  // What is deleted is overwritten: an erased person must not lie about in free pages.
  absl::Status status = database->Execute("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON");
  if (status.ok()) status = Migrate(*database, SqliteMigrations());
  // After Migrate(): nothing is written to a file that is not ours.
  if (status.ok()) status = database->Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (status.ok()) status = NoticeRestore(*database, path);
  if (!status.ok()) return status;
  return database;
}

absl::StatusOr<Database> OpenReader(const std::string& path, const SqliteStore::Options& options) {
  absl::StatusOr<Database> database = Database::Open(path, options.busy_timeout);
  if (!database.ok()) return database.status();
  const absl::Status status = database->Execute("PRAGMA query_only = ON");
  if (!status.ok()) return status;
  return database;
}

// Inserts the events that are not there yet and adds the positions of all.
absl::Status AppendEvents(Database& database, const CallRecord& call, const std::vector<call::Event>& events,
                          std::vector<int64_t>* positions) {
  if (events.empty()) return absl::OkStatus();
  const int64_t first = events[0].sequence;
  if (first > call.event_head + 1) {
    return absl::FailedPreconditionError(absl::StrCat("events begin at ", first, " and would leave a gap behind ",
                                                      call.event_head, ", the last of the call"));
  }
  const int64_t repeated = std::min<int64_t>(call.event_head - first + 1, events.size());
  if (repeated > 0) {
    auto stored = SelectCallEvents(database, call.call_id, first - 1, repeated);
    if (!stored.ok()) return stored.status();
    // Where some were purged, the rest of `limit` is filled with what lies behind.
    while (!stored->empty() && stored->back().event.sequence >= first + repeated) stored->pop_back();
    for (const events::StoredEvent& known : *stored) {
      const call::Event& event = known.event;
      if (event.body.index() != events[event.sequence - first].body.index()) {
        return absl::FailedPreconditionError(
            absl::StrCat("event ", event.sequence, " of the call is there and is another one"));
      }
    }
    // Of those that were purged nobody knows the positions any more.
    positions->resize(positions->size() + static_cast<size_t>(repeated) - stored->size());
    for (const events::StoredEvent& event : *stored) positions->push_back(event.position);
  }
  for (size_t i = repeated; i < events.size(); ++i) {
    const absl::StatusOr<int64_t> position = InsertEvent(database, events[i], IsStorableTime(call.erase_time));
    if (!position.ok()) return position.status();
    positions->push_back(*position);
  }
  return absl::OkStatus();
}

// When a write happened, as far as it says.
absl::Time TimeOf(const CallWrite& write) {
  if (write.end) return write.end->end_time;
  return write.events.empty() ? absl::InfinitePast() : write.events.back().time;
}

absl::Status ApplySummary(Database& database, const CallRecord& call, const CallWrite& write) {
  if (write.summary_settled) {
    absl::Status status = SettleSummary(database, call.call_id);
    return status.ok() ? DeleteSummaryJob(database, call.call_id) : status;
  }
  if (!write.summary_due) return absl::OkStatus();
  const absl::StatusOr<bool> settled = SummaryIsSettled(database, call.call_id);
  if (!settled.ok() || *settled) return settled.status();
  return InsertSummaryJob(database, call.call_id, TimeOf(write));
}

// Applies a checked write inside the caller's transaction.
absl::Status ApplyTo(Database& database, const CallRecord& call, const CallWrite& whole,
                     std::vector<int64_t>* positions) {
  const bool erased = IsStorableTime(call.erase_time);
  const CallWrite stripped = erased ? WithoutPerson(whole) : CallWrite();
  const CallWrite& write = erased ? stripped : whole;
  absl::Status status = AppendEvents(database, call, write.events, positions);
  if (!status.ok()) return status;
  const int64_t last = write.events.empty() ? call.event_head : write.events.back().sequence;
  if (!write.events.empty() && last <= call.event_head) return absl::OkStatus();  // A repeat.
  for (const call::TranscriptItem& item : write.transcript_items) {
    status = UpsertTranscriptItem(database, call.call_id, item);
    if (!status.ok()) return status;
  }
  if (write.transfer) status = UpsertTransfer(database, call.call_id, *write.transfer);
  if (!status.ok()) return status;
  status = UpdateCall(database, call, write, last, TimeOf(write));
  return status.ok() ? ApplySummary(database, call, write) : status;
}

// Ends a call that a previous process left open.
absl::Status Close(Database& database, CallRecord call, const call::Termination& termination, absl::Time now,
                   bool summaries_due) {
  const auto items = SelectTranscript(database, call.call_id);
  if (!items.ok()) return items.status();
  const auto transfers = SelectTransfers(database, call.call_id);
  if (!transfers.ok()) return transfers.status();
  for (const CallWrite& write : CloseWrites(call, *items, *transfers, termination, now, summaries_due)) {
    std::vector<int64_t> positions;
    absl::Status status = ApplyTo(database, call, write, &positions);
    if (!status.ok()) return status;
    call.event_head = write.events.back().sequence;
  }
  return absl::OkStatus();
}

}  // namespace

class SqliteStore::FileLock {
 public:
  static absl::StatusOr<std::unique_ptr<FileLock>> Take(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return absl::UnavailableError(absl::StrCat("cannot be written: ", std::strerror(errno)));
    auto lock = std::unique_ptr<FileLock>(new FileLock(descriptor));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
    return absl::FailedPreconditionError("another callbridge uses it: stop that one or use another path");
  }
  ~FileLock() { ::close(descriptor_); }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  const int descriptor_;
};

SqliteStore::SqliteStore(std::unique_ptr<FileLock> lock, Database writer, Database reader)
    : lock_(std::move(lock)), writer_(std::move(writer)), reader_(std::move(reader)) {}

SqliteStore::~SqliteStore() = default;

absl::StatusOr<std::unique_ptr<CallStore>> SqliteStore::OpenReadOnly(const std::string& path) {
  absl::StatusOr<Database> first = Database::OpenToRead(path);
  if (!first.ok()) return Prefixed(path, first.status());
  const absl::Status current = CheckCurrent(*first, SqliteMigrations());
  if (!current.ok()) return Prefixed(path, current);
  absl::StatusOr<Database> second = Database::OpenToRead(path);
  if (!second.ok()) return Prefixed(path, second.status());
  return std::unique_ptr<CallStore>(new SqliteStore(nullptr, *std::move(first), *std::move(second)));
}

absl::StatusOr<std::unique_ptr<CallStore>> SqliteStore::Open(const std::string& path, const Options& options) {
  if (options.read_only) return OpenReadOnly(path);
  if (path.empty() || path[0] == ':')
    return absl::InvalidArgumentError(absl::StrCat("database ", path, ": not the path of a file"));
  const absl::Status folder = MakeFolder(path);
  if (!folder.ok()) return Prefixed(path, folder);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return absl::InvalidArgumentError(absl::StrCat("database ", path, ": is a folder"));
  absl::StatusOr<std::unique_ptr<FileLock>> lock = FileLock::Take(path + ".lock");
  if (!lock.ok()) return Prefixed(path, lock.status());
  absl::StatusOr<Database> writer = OpenWriter(path, options);
  if (!writer.ok()) return Prefixed(path, writer.status());
  absl::StatusOr<Database> reader = OpenReader(path, options);
  if (!reader.ok()) return Prefixed(path, reader.status());
  return std::unique_ptr<CallStore>(new SqliteStore(*std::move(lock), *std::move(writer), *std::move(reader)));
}

absl::StatusOr<CallStore::Created> SqliteStore::CreateCall(const CallRecord& call,
                                                           const std::vector<call::Event>& events,
                                                           const absl::optional<RequestKey>& key) {
  absl::Status check = CheckCreate(call, events);
  if (!check.ok()) return check;
  base::MutexLock lock(write_mutex_);
  return CreateLocked(call, events, key);
}

absl::StatusOr<CallStore::Created> SqliteStore::CreateLocked(const CallRecord& call,
                                                             const std::vector<call::Event>& events,
                                                             const absl::optional<RequestKey>& key) {
  Transaction transaction(writer_, "BEGIN IMMEDIATE");
  if (!transaction.status().ok()) return transaction.status();
  std::string existing_id = call.call_id;
  if (key) {
    const auto request = SelectRequest(writer_, *key);
    if (!request.ok()) return request.status();
    if (request->has_value()) {
      if ((*request)->fingerprint != key->fingerprint) {
        return RequestIdReused();
      }
      existing_id = (*request)->call_id;
    }
  }
  Created created;
  absl::StatusOr<absl::optional<CallRecord>> existing = SelectCall(writer_, existing_id);
  if (!existing.ok()) return existing.status();
  if (existing->has_value()) {
    created.call = **std::move(existing);
    created.existed = true;
    return created;
  }
  created.call = call;
  created.call.event_head = static_cast<int64_t>(events.size());
  created.call.lead_id.clear();
  const std::string phone = LeadPhone(call);
  if (!phone.empty() && call.direction == call::Direction::kOutbound) {
    const auto lead = SelectLead(writer_, LeadKey::kPhone, phone);
    if (!lead.ok()) return lead.status();
    if (lead->has_value() && (*lead)->suppressed) return LeadSuppressed(**lead);
  }
  if (!phone.empty()) {
    absl::StatusOr<std::string> lead_id = TouchLead(writer_, phone, call.call_id, call.create_time);
    if (!lead_id.ok()) return lead_id.status();
    created.call.lead_id = *std::move(lead_id);
  }
  absl::Status status = InsertCall(writer_, created.call);
  if (status.ok() && key) status = InsertRequest(writer_, *key, call);
  if (!status.ok()) return status;
  for (const call::Event& event : events) {
    events::StoredEvent stored{0, event};
    if (auto* body = std::get_if<call::CallCreated>(&stored.event.body)) body->lead_id = created.call.lead_id;
    const absl::StatusOr<int64_t> position = InsertEvent(writer_, stored.event);
    if (!position.ok()) return position.status();
    stored.position = *position;
    created.events.push_back(std::move(stored));
  }
  status = transaction.Commit();
  if (!status.ok()) return status;
  return created;
}

absl::Status SqliteStore::Apply(const CallWrite& write, std::vector<int64_t>* positions) {
  absl::Status check = CheckWrite(write);
  if (!check.ok()) return check;
  std::vector<int64_t> written;
  base::MutexLock lock(write_mutex_);
  absl::Status status = ApplyLocked(write, &written);
  if (status.ok() && positions != nullptr) *positions = std::move(written);
  return status;
}

absl::Status SqliteStore::ApplyLocked(const CallWrite& write, std::vector<int64_t>* positions) {
  Transaction transaction(writer_, "BEGIN IMMEDIATE");
  if (!transaction.status().ok()) return transaction.status();
  const absl::StatusOr<absl::optional<CallRecord>> call = SelectCall(writer_, write.call_id);
  if (!call.ok()) return call.status();
  if (!call->has_value()) return NoSuchCall();
  if (write.owner && !(*write.owner == (*call)->owner)) return OwnerChanged(write.call_id);
  const absl::Status status = ApplyTo(writer_, **call, write, positions);
  return status.ok() ? transaction.Commit() : status;
}

absl::Status SqliteStore::CheckFloor(absl::string_view call_id, int64_t after_sequence) {
  Query query = reader_.Prepare("SELECT event_floor FROM call_logs WHERE id = ?");
  query.Text(call_id);
  const int64_t floor = query.Step() ? query.GetInt() : 0;
  if (!query.status().ok()) return query.status();
  return std::max<int64_t>(after_sequence, 0) < floor ? EventsPurged(floor) : absl::OkStatus();
}

absl::Status SqliteStore::RequireCall(absl::string_view call_id) {
  Query query = reader_.Prepare("SELECT 1 FROM call_logs WHERE id = ?");
  const bool found = query.Text(call_id).Step();
  if (!query.status().ok()) return query.status();
  return found ? absl::OkStatus() : NoSuchCall();
}

absl::StatusOr<CallRecord> SqliteStore::GetCall(absl::string_view call_id) {
  base::MutexLock lock(read_mutex_);
  absl::StatusOr<absl::optional<CallRecord>> call = SelectCall(reader_, call_id);
  if (!call.ok()) return call.status();
  if (!call->has_value()) return NoSuchCall();
  return **std::move(call);
}

absl::StatusOr<absl::optional<CallRecord>> SqliteStore::FindRequest(const RequestKey& key) {
  base::MutexLock lock(read_mutex_);
  const auto request = SelectRequest(reader_, key);
  if (!request.ok()) return request.status();
  if (!request->has_value()) return absl::optional<CallRecord>();
  if ((*request)->fingerprint != key.fingerprint) return RequestIdReused();
  return SelectCall(reader_, (*request)->call_id);
}

absl::StatusOr<CallRecord> SqliteStore::FindCall(absl::string_view carrier_call_id,
                                                 absl::string_view carrier_request_id) {
  base::MutexLock lock(read_mutex_);
  absl::StatusOr<absl::optional<CallRecord>> call = SelectCallOfCarrier(reader_, carrier_call_id, carrier_request_id);
  if (!call.ok()) return call.status();
  if (!call->has_value()) return NoSuchCall();
  return **std::move(call);
}

absl::StatusOr<std::vector<CallRecord>> SqliteStore::ListCalls(const CallFilter& filter,
                                                               const absl::optional<CallPageKey>& after, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  base::MutexLock lock(read_mutex_);
  return SelectCalls(reader_, filter, after, limit);
}

absl::StatusOr<std::vector<call::TranscriptItem>> SqliteStore::GetTranscript(absl::string_view call_id) {
  base::MutexLock lock(read_mutex_);
  const absl::Status status = RequireCall(call_id);
  if (!status.ok()) return status;
  return SelectTranscript(reader_, call_id);
}

absl::StatusOr<std::vector<call::Transfer>> SqliteStore::ListTransfers(absl::string_view call_id) {
  base::MutexLock lock(read_mutex_);
  const absl::Status status = RequireCall(call_id);
  if (!status.ok()) return status;
  return SelectTransfers(reader_, call_id);
}

absl::StatusOr<std::vector<events::StoredEvent>> SqliteStore::ReadCallEvents(absl::string_view call_id,
                                                                             int64_t after_sequence, int limit) {
  absl::Status status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(read_mutex_);
  status = RequireCall(call_id);
  if (!status.ok()) return status;
  auto events = SelectCallEvents(reader_, call_id, after_sequence, limit);
  // Afterwards: a purge in between may have taken some of them.
  if (status = CheckFloor(call_id, after_sequence); !status.ok()) return status;
  return events;
}

absl::StatusOr<std::vector<events::StoredEvent>> SqliteStore::ReadEvents(int64_t after_position, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  base::MutexLock lock(read_mutex_);
  auto events = SelectEvents(reader_, after_position, limit);
  // Afterwards: a purge in between may have taken some of them.
  const absl::StatusOr<int64_t> oldest = SelectOldestPosition(reader_);
  if (!oldest.ok()) return oldest.status();
  if (std::max<int64_t>(after_position, 0) < *oldest) return EventsPurged(*oldest);
  return events;
}

absl::StatusOr<int64_t> SqliteStore::HeadPosition() {
  base::MutexLock lock(read_mutex_);
  return SelectHeadPosition(reader_);
}

absl::StatusOr<int64_t> SqliteStore::OldestPosition() {
  base::MutexLock lock(read_mutex_);
  return SelectOldestPosition(reader_);
}

absl::Status SqliteStore::NoteRestored(absl::Time now) {
  base::MutexLock lock(write_mutex_);
  return NoteRestoredIn(writer_, now);
}

absl::StatusOr<std::vector<LostPositions>> SqliteStore::ListLostPositions() {
  base::MutexLock lock(read_mutex_);
  return SelectLostPositions(reader_);
}

absl::StatusOr<LeadRecord> SqliteStore::GetLead(absl::string_view lead_id) {
  base::MutexLock lock(read_mutex_);
  absl::StatusOr<absl::optional<LeadRecord>> lead = SelectLead(reader_, LeadKey::kId, lead_id);
  if (!lead.ok()) return lead.status();
  if (!lead->has_value()) return LeadNotFound();
  return **std::move(lead);
}

absl::StatusOr<LeadRecord> SqliteStore::FindLead(absl::string_view phone) {
  base::MutexLock lock(read_mutex_);
  absl::StatusOr<absl::optional<LeadRecord>> lead = SelectLead(reader_, LeadKey::kPhone, phone);
  if (!lead.ok()) return lead.status();
  if (!lead->has_value()) return LeadNotFound();
  return **std::move(lead);
}

absl::StatusOr<std::vector<OpenCall>> SqliteStore::CloseOpenCalls(const call::Termination& termination, absl::Time now,
                                                                  bool summaries_due) {
  base::MutexLock lock(write_mutex_);
  return CloseLocked(termination, now, summaries_due);
}

absl::StatusOr<std::vector<OpenCall>> SqliteStore::CloseLocked(const call::Termination& termination, absl::Time now,
                                                               bool summaries_due) {
  Transaction transaction(writer_, "BEGIN IMMEDIATE");
  if (!transaction.status().ok()) return transaction.status();
  const absl::StatusOr<std::vector<CallRecord>> open = SelectOpenCalls(writer_);
  if (!open.ok()) return open.status();
  std::vector<OpenCall> closed;
  for (const CallRecord& call : *open) {
    const absl::Status status = Close(writer_, call, termination, now, summaries_due);
    if (!status.ok()) return status;
    closed.push_back({call.call_id, call.carrier_call_id, call.state, call.owner});
  }
  const absl::Status status = transaction.Commit();
  if (!status.ok()) return status;
  return closed;
}

absl::StatusOr<std::vector<SummaryJob>> SqliteStore::ListSummaryJobs(absl::Time due_by, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  base::MutexLock lock(read_mutex_);
  return SelectSummaryJobs(reader_, due_by, limit);
}

absl::Status SqliteStore::SaveSummaryJob(const SummaryJob& job) {
  absl::Status check = CheckSummaryJob(job);
  if (!check.ok()) return check;
  base::MutexLock lock(write_mutex_);
  const absl::StatusOr<bool> found = UpdateSummaryJob(writer_, job);
  if (!found.ok()) return found.status();
  if (*found) return absl::OkStatus();
  return base::MakeError(absl::StatusCode::kNotFound, "SUMMARY_JOB_NOT_FOUND", "the call waits for no summary");
}

absl::StatusOr<bool> SqliteStore::ClaimSummaryJob(const SummaryJob& job, absl::Time until) {
  absl::Status check = CheckSummaryJob({job.call_id, job.attempts, until, ""});
  if (!check.ok()) return check;
  base::MutexLock lock(write_mutex_);
  return MoveSummaryJob(writer_, job, until);
}

template <typename Result, typename Work>
absl::StatusOr<Result> SqliteStore::WriteInTransaction(Work work) {
  base::MutexLock lock(write_mutex_);
  Transaction transaction(writer_, "BEGIN IMMEDIATE");
  if (!transaction.status().ok()) return transaction.status();
  absl::StatusOr<Result> result = work(writer_);
  if (!result.ok()) return result;
  const absl::Status status = transaction.Commit();
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<LeadRecord> SqliteStore::CreateLead(const LeadRecord& lead) {
  absl::Status check = CheckLead(lead);
  if (!check.ok()) return check;
  return WriteInTransaction<LeadRecord>([&](Database& database) { return AddLead(database, lead); });
}

absl::StatusOr<std::vector<LeadRecord>> SqliteStore::ListLeads(const LeadFilter& filter,
                                                               const absl::optional<LeadPageKey>& after, int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  base::MutexLock lock(read_mutex_);
  return SelectLeads(reader_, filter, after, limit);
}

absl::StatusOr<CallRecord> SqliteStore::UpdateCall(const CallUpdate& update) {
  return WriteInTransaction<CallRecord>([&](Database& database) -> absl::StatusOr<CallRecord> {
    auto call = SelectCall(database, update.call_id);
    if (!call.ok()) return call.status();
    if (!call->has_value()) return NoSuchCall();
    if ((*call)->erase_time != absl::InfinitePast()) return CallErased(update.call_id);
    const absl::Status status = WriteClientFields(database, update);
    if (!status.ok()) return status;
    call = SelectCall(database, update.call_id);
    if (!call.ok()) return call.status();
    return **std::move(call);
  });
}

absl::StatusOr<LeadRecord> SqliteStore::UpdateLead(const LeadUpdate& update, absl::Time now) {
  absl::Status check = CheckLeadUpdate(update, now);
  if (!check.ok()) return check;
  return WriteInTransaction<LeadRecord>([&](Database& database) { return ChangeLead(database, update, now); });
}

absl::Status SqliteStore::AddTranscriptRead(const TranscriptRead& read) {
  absl::Status check = CheckTranscriptRead(read);
  if (!check.ok()) return check;
  const auto added = WriteInTransaction<bool>([&](Database& database) -> absl::StatusOr<bool> {
    const auto call = SelectCall(database, read.call_id);
    if (!call.ok()) return call.status();
    if (!call->has_value()) return NoSuchCall();
    const absl::Status status = InsertTranscriptRead(database, read);
    if (!status.ok()) return status;
    return true;
  });
  return added.status();
}

absl::StatusOr<std::vector<TranscriptRead>> SqliteStore::ListTranscriptReads(absl::string_view call_id, int limit) {
  absl::Status status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(read_mutex_);
  status = RequireCall(call_id);
  if (!status.ok()) return status;
  return SelectTranscriptReads(reader_, call_id, limit);
}

absl::StatusOr<Erasure> SqliteStore::EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) {
  absl::Status check = CheckErasure(number, by, now);
  if (!check.ok()) return check;
  auto erasure =
      WriteInTransaction<Erasure>([&](Database& database) { return store::EraseNumber(database, number, by, now); });
  if (!erasure.ok()) return erasure;
  // The log that is written ahead still has what was there before. Where a reader is in the way it goes with the next
  // checkpoint.
  base::MutexLock lock(write_mutex_);
  writer_.Execute("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
  return erasure;
}

absl::StatusOr<std::vector<Erasure>> SqliteStore::ListErasures(int limit) {
  absl::Status check = CheckLimit(limit);
  if (!check.ok()) return check;
  base::MutexLock lock(read_mutex_);
  return SelectErasures(reader_, limit);
}

absl::StatusOr<Purged> SqliteStore::Purge(const Retention& keep, int max_calls) {
  absl::Status check = CheckLimit(max_calls);
  if (!check.ok()) return check;
  return WriteInTransaction<Purged>([&](Database& database) { return store::Purge(database, keep, max_calls); });
}

}  // namespace callbridge::store
