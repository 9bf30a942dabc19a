#include "tests/fakes/troubled_store.h"

#include "absl/time/clock.h"

namespace callbridge::store {

absl::Status StoreTrouble::Begin(bool write) {
  if (write) ++writes_;
  base::MutexLock lock(mutex_);
  if (kind_ == Kind::kRefused) return absl::UnavailableError("connection refused");
  if (kind_ == Kind::kReadOnly && write) return absl::UnavailableError("the database is read-only");
  const absl::Time deadline = absl::Now() + limit_;
  while (kind_ == Kind::kHanging) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return absl::UnavailableError("the database did not answer in time");
    changed_.WaitFor(mutex_, absl::ToChronoMilliseconds(left + absl::Milliseconds(1)));
  }
  return absl::OkStatus();
}

absl::Status StoreTrouble::End(absl::Status done) {
  base::MutexLock lock(mutex_);
  return kind_ == Kind::kLostReply ? absl::UnavailableError("the connection broke") : done;
}

absl::StatusOr<CallStore::Created> TroubledStore::CreateCall(const CallRecord& call,
                                                             const std::vector<call::Event>& events,
                                                             const absl::optional<RequestKey>& key) {
  if (absl::Status status = trouble_->Begin(/*write=*/true); !status.ok()) return status;
  auto created = inside_->CreateCall(call, events, key);
  const absl::Status status = trouble_->End(created.status());
  if (!status.ok()) return status;
  return created;
}

absl::Status TroubledStore::Apply(const CallWrite& write, std::vector<int64_t>* positions) {
  if (absl::Status status = trouble_->Begin(/*write=*/true); !status.ok()) return status;
  return trouble_->End(inside_->Apply(write, positions));
}

absl::StatusOr<CallRecord> TroubledStore::GetCall(absl::string_view call_id) {
  return Read([&] { return inside_->GetCall(call_id); });
}

absl::StatusOr<std::vector<CallRecord>> TroubledStore::ListCalls(const CallFilter& filter,
                                                                 const absl::optional<CallPageKey>& after, int limit) {
  return Read([&] { return inside_->ListCalls(filter, after, limit); });
}

absl::StatusOr<std::vector<call::TranscriptItem>> TroubledStore::GetTranscript(absl::string_view call_id) {
  return Read([&] { return inside_->GetTranscript(call_id); });
}

absl::StatusOr<std::vector<call::Transfer>> TroubledStore::ListTransfers(absl::string_view call_id) {
  return Read([&] { return inside_->ListTransfers(call_id); });
}

absl::StatusOr<std::vector<events::StoredEvent>> TroubledStore::ReadCallEvents(absl::string_view call_id,
                                                                               int64_t after_sequence, int limit) {
  return Read([&] { return inside_->ReadCallEvents(call_id, after_sequence, limit); });
}

absl::StatusOr<std::vector<events::StoredEvent>> TroubledStore::ReadEvents(int64_t after_position, int limit) {
  return Read([&] { return inside_->ReadEvents(after_position, limit); });
}

absl::StatusOr<int64_t> TroubledStore::HeadPosition() {
  return Read([&] { return inside_->HeadPosition(); });
}

absl::StatusOr<LeadRecord> TroubledStore::GetLead(absl::string_view lead_id) {
  return Read([&] { return inside_->GetLead(lead_id); });
}

absl::StatusOr<absl::optional<CallRecord>> TroubledStore::FindRequest(const RequestKey& key) {
  return Read([&] { return inside_->FindRequest(key); });
}

absl::StatusOr<LeadRecord> TroubledStore::FindLead(absl::string_view phone) {
  return Read([&] { return inside_->FindLead(phone); });
}

absl::StatusOr<std::vector<OpenCall>> TroubledStore::CloseOpenCalls(const call::Termination& termination,
                                                                    absl::Time now, bool summaries_due) {
  return Read([&] { return inside_->CloseOpenCalls(termination, now, summaries_due); });
}

absl::StatusOr<std::vector<SummaryJob>> TroubledStore::ListSummaryJobs(absl::Time due_by, int limit) {
  return Read([&] { return inside_->ListSummaryJobs(due_by, limit); });
}

absl::Status TroubledStore::SaveSummaryJob(const SummaryJob& job) {
  if (absl::Status status = trouble_->Begin(/*write=*/true); !status.ok()) return status;
  return trouble_->End(inside_->SaveSummaryJob(job));
}

absl::StatusOr<bool> TroubledStore::ClaimSummaryJob(const SummaryJob& job, absl::Time until) {
  return Write([&] { return inside_->ClaimSummaryJob(job, until); });
}

absl::StatusOr<CallRecord> TroubledStore::FindCall(absl::string_view carrier_call_id,
                                                   absl::string_view carrier_request_id) {
  return Read([&] { return inside_->FindCall(carrier_call_id, carrier_request_id); });
}

absl::StatusOr<int64_t> TroubledStore::OldestPosition() {
  return Read([&] { return inside_->OldestPosition(); });
}

absl::Status TroubledStore::NoteRestored(absl::Time now) {
  return Write([&] { return inside_->NoteRestored(now); });
}

absl::StatusOr<std::vector<LostPositions>> TroubledStore::ListLostPositions() {
  return Read([&] { return inside_->ListLostPositions(); });
}

absl::StatusOr<LeadRecord> TroubledStore::CreateLead(const LeadRecord& lead) {
  return Write([&] { return inside_->CreateLead(lead); });
}

absl::StatusOr<std::vector<LeadRecord>> TroubledStore::ListLeads(const LeadFilter& filter,
                                                                 const absl::optional<LeadPageKey>& after, int limit) {
  return Read([&] { return inside_->ListLeads(filter, after, limit); });
}

absl::StatusOr<CallRecord> TroubledStore::UpdateCall(const CallUpdate& update) {
  return Write([&] { return inside_->UpdateCall(update); });
}
absl::StatusOr<LeadRecord> TroubledStore::UpdateLead(const LeadUpdate& update, absl::Time now) {
  return Write([&] { return inside_->UpdateLead(update, now); });
}

absl::Status TroubledStore::AddTranscriptRead(const TranscriptRead& read) {
  return Write([&] { return inside_->AddTranscriptRead(read); });
}

absl::StatusOr<std::vector<TranscriptRead>> TroubledStore::ListTranscriptReads(absl::string_view call_id, int limit) {
  return Read([&] { return inside_->ListTranscriptReads(call_id, limit); });
}

absl::StatusOr<Erasure> TroubledStore::EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) {
  return Write([&] { return inside_->EraseNumber(number, by, now); });
}

absl::StatusOr<std::vector<Erasure>> TroubledStore::ListErasures(int limit) {
  return Read([&] { return inside_->ListErasures(limit); });
}

absl::StatusOr<Purged> TroubledStore::Purge(const Retention& keep, int max_calls) {
  return Write([&] { return inside_->Purge(keep, max_calls); });
}

}  // namespace callbridge::store
