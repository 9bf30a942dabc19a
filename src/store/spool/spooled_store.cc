#include "src/store/spool/spooled_store.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/base/error.h"
#include "src/base/log.h"
#include "src/store/merge_writes.h"
#include "src/store/refusals.h"
#include "src/store/spool/record_json.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

using base::Log;
using base::LogKind;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

absl::Status Away(absl::string_view message) {
  return base::MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SpooledStore>> SpooledStore::Open(std::unique_ptr<CallStore> inside,
                                                                 const Options& options) {
  auto log = SpoolLog::Open(options.log);
  if (!log.ok()) return log.status();
  return std::unique_ptr<SpooledStore>(new SpooledStore(std::move(inside), options, *std::move(log)));
}

SpooledStore::SpooledStore(std::unique_ptr<CallStore> inside, const Options& options, std::unique_ptr<SpoolLog> log)
    : inside_(std::move(inside)), options_(options), log_(std::move(log)) {
  base::MutexLock lock(mutex_);
  spooling_ = log_->records() > 0;
  if (spooling_) {
    away_because_ = "records of an earlier run are not replayed yet";
    Log(LogKind::kDatabase, "", "records of an earlier run wait in the spool",
        {{"records", absl::StrCat(log_->records())}, {"folder", options_.log.folder}});
  }
  if (log_->quarantined() > 0) {
    Log(LogKind::kTrouble, "", "the spool's folder has quarantined files: their records are not in the database",
        {{"files", absl::StrCat(log_->quarantined())}, {"folder", options_.log.folder}});
  }
}

SpooledStore::~SpooledStore() { Stop(); }

void SpooledStore::Start(std::function<void(int64_t position)> on_replayed) {
  on_replayed_ = std::move(on_replayed);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "cb-spool");
}

void SpooledStore::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  base::MutexLock lock(mutex_);
  if (log_->records() > 0) {
    Log(LogKind::kTrouble, "", "records stay in the spool for the next start",
        {{"records", absl::StrCat(log_->records())}, {"folder", options_.log.folder}});
  }
}

bool SpooledStore::Drain(absl::Duration at_most) {
  const absl::Time deadline = absl::Now() + at_most;
  base::MutexLock lock(mutex_);
  while (spooling_) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    changed_.WaitFor(mutex_, absl::ToChronoMilliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
  }
  return true;
}

SpooledStore::Stats SpooledStore::stats() const {
  base::MutexLock lock(mutex_);
  return {log_->records(), log_->bytes(), refused_};
}

// ---- Writes ----

absl::StatusOr<CallStore::Created> SpooledStore::CreateCall(const CallRecord& call,
                                                            const std::vector<call::Event>& events,
                                                            const absl::optional<RequestKey>& key) {
  // What would be refused later is refused now.
  if (absl::Status status = CheckCreate(call, events); !status.ok()) return status;
  absl::Status why;
  {
    base::MutexLock lock(mutex_);
    why = spooling_ ? Away(away_because_) : absl::OkStatus();
  }
  if (why.ok()) {
    auto created = inside_->CreateCall(call, events, key);
    if (!absl::IsUnavailable(created.status())) return created;
    why = created.status();
  }
  const bool spoolable = call.direction == call::Direction::kInbound && !key;
  const std::string line = spoolable ? EncodeCreation(call, events) : "";
  base::MutexLock lock(mutex_);
  if (!spoolable) {
    BeginSpooling(why);
    return NoNewCall(why);
  }
  if (absl::Status status = Spool(line, why); !status.ok()) return status;
  Created created;
  created.call = call;
  created.call.event_head = events.empty() ? 0 : events.back().sequence;
  return created;
}

absl::StatusOr<absl::optional<CallRecord>> SpooledStore::FindRequest(const RequestKey& key) {
  return inside_->FindRequest(key);
}

absl::Status SpooledStore::Apply(const CallWrite& write, std::vector<int64_t>* positions) {
  if (absl::Status status = CheckWrite(write); !status.ok()) return status;
  absl::Status why;
  {
    base::MutexLock lock(mutex_);
    why = spooling_ ? Away(away_because_) : absl::OkStatus();
  }
  if (why.ok()) {
    absl::Status status = inside_->Apply(write, positions);
    if (!absl::IsUnavailable(status)) return status;
    why = std::move(status);
  }
  if (positions != nullptr) positions->clear();
  const std::string line = EncodeWrite(write);
  base::MutexLock lock(mutex_);
  return Spool(line, why);
}

absl::Status SpooledStore::Spool(const std::string& line, const absl::Status& why) {
  if (absl::Status status = log_->Append(line); !status.ok()) {
    return Away(absl::StrCat(Text(why), "; ", Text(status)));
  }
  BeginSpooling(why);
  return absl::OkStatus();
}

void SpooledStore::BeginSpooling(const absl::Status& why) {
  if (std::exchange(spooling_, true)) return;
  away_because_ = Text(why);
  replayed_ = 0;
  Log(LogKind::kTrouble, "", "the database is away; records go to the spool",
      {{"error", Text(why)}, {"folder", options_.log.folder}});
  changed_.NotifyAll();
}

absl::Status SpooledStore::NoNewCall(const absl::Status& why) const {
  return Away(absl::StrCat("the database is away, so no new call can be dialled: ", Text(why)));
}

// ---- Replay ----

void SpooledStore::Run() {
  int failures = 0;
  for (;;) {
    {
      base::MutexLock lock(mutex_);
      // What has just failed is not tried again at once.
      while (!stopping_ && !spooling_) changed_.Wait(mutex_);
      const absl::Duration pause =
          std::min(options_.first_pause * (int64_t{1} << std::min(failures, 20)), options_.longest_pause);
      const absl::Time due = absl::Now() + pause;
      while (!stopping_ && absl::Now() < due) {
        changed_.WaitFor(mutex_, absl::ToChronoMilliseconds(due - absl::Now() + absl::Milliseconds(1)));
      }
      if (stopping_) return;
    }
    base::MutexLock replay(replay_mutex_);
    failures = ReplayAll().ok() ? 0 : failures + 1;
  }
}

absl::Status SpooledStore::ReplayAll() {
  for (;;) {
    std::string line;
    const absl::StatusOr<bool> found = NextRecord(&line);
    if (!found.ok()) return found.status();
    if (!*found) return absl::OkStatus();
    if (absl::Status status = ReplayRecord(line); !status.ok()) {
      base::MutexLock lock(mutex_);
      away_because_ = Text(status);
      return status;
    }
    base::MutexLock lock(mutex_);
    log_->Pop();
    ++replayed_;
    if (stopping_) return absl::CancelledError("stopping");
  }
}

absl::StatusOr<bool> SpooledStore::NextRecord(std::string* line) {
  {
    base::MutexLock lock(mutex_);
    if (!spooling_) return false;
    auto front = log_->Front();
    if (!front.ok()) return front.status();
    if (*front) {
      *line = **std::move(front);
      return true;
    }
    if (replayed_ > 0) {
      // Before anything goes around the spool: what it had must not come again over something newer.
      if (absl::Status status = log_->Clear(); !status.ok()) return status;
      spooling_ = false;
      Log(LogKind::kDatabase, "", "the database is back; the spool is replayed",
          {{"records", absl::StrCat(replayed_)}});
      changed_.NotifyAll();
      return false;
    }
  }
  // Nothing was spooled: only calls were refused. Whether it is back is seen by asking.
  const auto head = inside_->HeadPosition();
  if (!head.ok()) return head.status();
  base::MutexLock lock(mutex_);
  if (log_->records() > 0) return absl::UnavailableError("a record came meanwhile");
  spooling_ = false;
  Log(LogKind::kDatabase, "", "the database is back");
  changed_.NotifyAll();
  return false;
}

absl::Status SpooledStore::ReplayRecord(const std::string& line) {
  absl::Status refused;
  auto decoded = DecodeWrite(line);
  if (!decoded.ok()) {
    refused = decoded.status();
  } else if (auto* const write = std::get_if<CallWrite>(&*decoded)) {
    if (absl::Status status = ReplayWrite(std::move(*write), &refused); !status.ok()) return status;
  } else if (absl::Status status = ReplayCreation(std::get<CallCreation>(*decoded), &refused); !status.ok()) {
    return status;
  }
  if (refused.ok()) return absl::OkStatus();
  Log(LogKind::kTrouble, "", "the database refuses a spooled record; it is kept in spool.refused",
      {{"error", Text(refused)}, {"folder", options_.log.folder}});
  base::MutexLock lock(mutex_);
  if (absl::Status status = log_->Refuse(line, Text(refused)); !status.ok()) return status;
  ++refused_;
  return absl::OkStatus();
}

absl::Status SpooledStore::ReplayWrite(CallWrite write, absl::Status* refused) {
  std::vector<int64_t> positions;
  absl::Status status = inside_->Apply(write, &positions);
  if (absl::IsUnavailable(status)) return status;
  if (status.ok()) {
    if (!write.events.empty() && on_replayed_) on_replayed_(positions.empty() ? 0 : positions.back());
    return status;
  }
  *refused = status;
  if (IsOwnerChanged(status)) {
    const CallWrite words = OnlyWords(write);
    if (!HasFields(words)) return absl::OkStatus();
    status = inside_->Apply(words, nullptr);
    return absl::IsUnavailable(status) ? status : absl::OkStatus();
  }
  if (write.events.empty() || !HasFields(write) || absl::IsNotFound(status)) return absl::OkStatus();
  write.events.clear();
  status = inside_->Apply(write, nullptr);
  return absl::IsUnavailable(status) ? status : absl::OkStatus();
}

absl::Status SpooledStore::ReplayCreation(const CallCreation& creation, absl::Status* refused) {
  const auto created = inside_->CreateCall(creation.call, creation.events, absl::nullopt);
  if (absl::IsUnavailable(created.status())) return created.status();
  *refused = created.status();
  if (created.ok() && on_replayed_) on_replayed_(created->events.empty() ? 0 : created->events.back().position);
  return absl::OkStatus();
}

absl::Status SpooledStore::ReplayFirst() {
  absl::Status status = ReplayAll();
  if (status.ok()) return status;
  return Away(
      absl::StrCat("records wait in the spool in ", options_.log.folder, " and cannot be replayed: ", Text(status)));
}

absl::StatusOr<std::vector<OpenCall>> SpooledStore::CloseOpenCalls(const call::Termination& termination, absl::Time now,
                                                                   bool summaries_due) {
  base::MutexLock replay(replay_mutex_);
  if (absl::Status status = ReplayFirst(); !status.ok()) return status;
  return inside_->CloseOpenCalls(termination, now, summaries_due);
}

absl::StatusOr<Erasure> SpooledStore::EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) {
  base::MutexLock replay(replay_mutex_);
  if (absl::Status status = ReplayFirst(); !status.ok()) return status;
  return inside_->EraseNumber(number, by, now);
}

// ---- All others ----

absl::StatusOr<CallRecord> SpooledStore::GetCall(absl::string_view call_id) { return inside_->GetCall(call_id); }

absl::StatusOr<std::vector<CallRecord>> SpooledStore::ListCalls(const CallFilter& filter,
                                                                const absl::optional<CallPageKey>& after, int limit) {
  return inside_->ListCalls(filter, after, limit);
}

absl::StatusOr<std::vector<call::TranscriptItem>> SpooledStore::GetTranscript(absl::string_view call_id) {
  return inside_->GetTranscript(call_id);
}

absl::StatusOr<std::vector<call::Transfer>> SpooledStore::ListTransfers(absl::string_view call_id) {
  return inside_->ListTransfers(call_id);
}

absl::StatusOr<std::vector<events::StoredEvent>> SpooledStore::ReadCallEvents(absl::string_view call_id,
                                                                              int64_t after_sequence, int limit) {
  return inside_->ReadCallEvents(call_id, after_sequence, limit);
}

absl::StatusOr<std::vector<events::StoredEvent>> SpooledStore::ReadEvents(int64_t after_position, int limit) {
  return inside_->ReadEvents(after_position, limit);
}

absl::StatusOr<int64_t> SpooledStore::HeadPosition() { return inside_->HeadPosition(); }

absl::StatusOr<LeadRecord> SpooledStore::GetLead(absl::string_view lead_id) { return inside_->GetLead(lead_id); }

absl::StatusOr<LeadRecord> SpooledStore::FindLead(absl::string_view phone) { return inside_->FindLead(phone); }

absl::StatusOr<std::vector<SummaryJob>> SpooledStore::ListSummaryJobs(absl::Time due_by, int limit) {
  return inside_->ListSummaryJobs(due_by, limit);
}

absl::Status SpooledStore::SaveSummaryJob(const SummaryJob& job) { return inside_->SaveSummaryJob(job); }

absl::StatusOr<bool> SpooledStore::ClaimSummaryJob(const SummaryJob& job, absl::Time until) {
  return inside_->ClaimSummaryJob(job, until);
}

absl::StatusOr<CallRecord> SpooledStore::FindCall(absl::string_view carrier_call_id,
                                                  absl::string_view carrier_request_id) {
  return inside_->FindCall(carrier_call_id, carrier_request_id);
}

absl::StatusOr<int64_t> SpooledStore::OldestPosition() { return inside_->OldestPosition(); }

absl::Status SpooledStore::NoteRestored(absl::Time now) { return inside_->NoteRestored(now); }

absl::StatusOr<std::vector<LostPositions>> SpooledStore::ListLostPositions() { return inside_->ListLostPositions(); }

absl::StatusOr<LeadRecord> SpooledStore::CreateLead(const LeadRecord& lead) { return inside_->CreateLead(lead); }

absl::StatusOr<std::vector<LeadRecord>> SpooledStore::ListLeads(const LeadFilter& filter,
                                                                const absl::optional<LeadPageKey>& after, int limit) {
  return inside_->ListLeads(filter, after, limit);
}

absl::StatusOr<CallRecord> SpooledStore::UpdateCall(const CallUpdate& update) { return inside_->UpdateCall(update); }

absl::StatusOr<LeadRecord> SpooledStore::UpdateLead(const LeadUpdate& update, absl::Time now) {
  return inside_->UpdateLead(update, now);
}

absl::Status SpooledStore::AddTranscriptRead(const TranscriptRead& read) { return inside_->AddTranscriptRead(read); }

absl::StatusOr<std::vector<TranscriptRead>> SpooledStore::ListTranscriptReads(absl::string_view call_id, int limit) {
  return inside_->ListTranscriptReads(call_id, limit);
}

absl::StatusOr<std::vector<Erasure>> SpooledStore::ListErasures(int limit) { return inside_->ListErasures(limit); }

absl::StatusOr<Purged> SpooledStore::Purge(const Retention& keep, int max_calls) {
  return inside_->Purge(keep, max_calls);
}

}  // namespace callbridge::store
