#include "tests/fakes/memory_call_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/store/event_json.h"
#include "src/store/text.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

absl::Status NotFound(absl::string_view what) { return absl::NotFoundError(absl::StrCat("no ", what)); }

absl::Status CheckLimit(int limit) {
  return limit >= 1 ? absl::OkStatus() : absl::InvalidArgumentError("limit must be 1 or more");
}

call::EventBody Cleaned(const call::EventBody& body) {
  auto clean = DecodeEventBody(call::TypeName(body), EncodeEventBody(body));
  return clean.ok() ? *clean : body;
}

call::TranscriptItem Cleaned(call::TranscriptItem item) {
  item.text_generated = CleanText(item.text_generated);
  item.text_heard = CleanText(item.text_heard);
  return item;
}

bool Matches(const CallRecord& call, const CallFilter& filter) {
  const auto& states = filter.states;
  if (!states.empty() && std::find(states.begin(), states.end(), call.state) == states.end()) return false;
  if (filter.direction && call.direction != *filter.direction) return false;
  if (!filter.number.empty() && call.from != filter.number && call.to != filter.number) return false;
  if (!filter.lead_id.empty() && call.lead_id != filter.lead_id) return false;
  return call.create_time >= filter.created_after && call.create_time < filter.created_before;
}

absl::Time TimeOf(const CallWrite& write) {
  if (write.end) return write.end->end_time;
  return write.events.empty() ? absl::InfinitePast() : write.events.back().time;
}

std::vector<events::StoredEvent> Slice(const std::vector<events::StoredEvent>& all, size_t from, int limit) {
  const size_t begin = std::min(from, all.size());
  const size_t end = std::min(all.size(), begin + static_cast<size_t>(limit));
  return {all.begin() + begin, all.begin() + end};
}

}  // namespace

void MemoryCallStore::SetFault(Fault fault) {
  base::MutexLock lock(mutex_);
  fault_ = std::move(fault);
}

void MemoryCallStore::SetOnCommit(std::function<void(std::vector<events::StoredEvent>)> on_commit) {
  base::MutexLock lock(mutex_);
  on_commit_ = std::move(on_commit);
}

absl::Status MemoryCallStore::Fail(absl::string_view method) {
  Fault fault;
  {
    base::MutexLock lock(mutex_);
    fault = fault_;
  }
  return fault ? fault(method) : absl::OkStatus();
}

MemoryCallStore::Entry* MemoryCallStore::Find(absl::string_view call_id) {
  const auto it = calls_.find(std::string(call_id));
  return it == calls_.end() ? nullptr : &it->second;
}

LeadRecord* MemoryCallStore::LeadOf(const CallRecord& call) {
  for (auto& [phone, lead] : leads_by_phone_) {
    if (!call.lead_id.empty() && lead.lead_id == call.lead_id) return &lead;
  }
  return nullptr;
}

void MemoryCallStore::JoinLead(CallRecord& call) {
  const std::string phone = LeadPhone(call);
  call.lead_id.clear();
  if (phone.empty()) return;
  LeadRecord& lead = leads_by_phone_[phone];
  if (lead.lead_id.empty()) {
    lead.lead_id = base::NewUuid();
    lead.phone = phone;
    lead.call_status = "new";
    lead.create_time = call.create_time;
  }
  lead.last_call_id = call.call_id;
  lead.update_time = call.create_time;
  call.lead_id = lead.lead_id;
}

absl::StatusOr<CallStore::Created> MemoryCallStore::CreateCall(const CallRecord& call,
                                                               const std::vector<call::Event>& events,
                                                               const absl::optional<RequestKey>& key) {
  absl::Status status = Fail("CreateCall");
  if (status.ok()) status = CheckCreate(call, events);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  if (key) {
    const auto known = requests_.find({key->principal, key->request_id});
    if (known != requests_.end()) {
      if (known->second.fingerprint != key->fingerprint) {
        return base::FieldError("request_id", "REQUEST_ID_REUSED", "was used with other content");
      }
      return Created{Find(known->second.call_id)->record, true, {}};
    }
  }
  if (const Entry* entry = Find(call.call_id)) return Created{entry->record, true, {}};
  Entry entry;
  entry.record = call;
  entry.record.from = CleanText(call.from);
  entry.record.agent = CleanText(call.agent);
  entry.record.end_time = absl::InfinitePast();
  entry.record.duration_seconds = 0;
  entry.record.termination.reset();
  entry.record.event_head = 0;
  JoinLead(entry.record);
  std::vector<call::Event> first = events;
  for (call::Event& event : first) {
    if (auto* created = std::get_if<call::CallCreated>(&event.body)) created->lead_id = entry.record.lead_id;
  }
  auto stored = Append(entry, first, 0);
  if (key) requests_[{key->principal, key->request_id}] = {key->fingerprint, call.call_id};
  const CallRecord record = entry.record;
  calls_[call.call_id] = std::move(entry);
  if (on_commit_ && !stored.empty()) on_commit_(stored);
  return Created{record, false, std::move(stored)};
}

std::vector<events::StoredEvent> MemoryCallStore::Append(Entry& entry, const std::vector<call::Event>& events,
                                                         size_t from) {
  std::vector<events::StoredEvent> stored;
  for (size_t i = from; i < events.size(); ++i) {
    events::StoredEvent event{static_cast<int64_t>(log_.size()) + 1, events[i]};
    event.event.body = Cleaned(event.event.body);
    log_.push_back(event);
    entry.events.push_back(event);
    entry.record.event_head = event.event.sequence;
    stored.push_back(std::move(event));
  }
  return stored;
}

absl::Status MemoryCallStore::Apply(const CallWrite& write, std::vector<int64_t>* positions) {
  absl::Status status = Fail("Apply");
  if (status.ok()) status = CheckWrite(write);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  return ApplyLocked(write, positions);
}

absl::StatusOr<size_t> MemoryCallStore::CountRepeated(const Entry& entry, const std::vector<call::Event>& events) {
  if (events.empty()) return 0;
  const int64_t head = entry.record.event_head;
  if (events[0].sequence > head + 1) return absl::FailedPreconditionError("events leave a gap");
  size_t repeated = 0;
  for (const call::Event& event : events) {
    if (event.sequence > head) break;
    if (entry.events[event.sequence - 1].event.body.index() != event.body.index()) {
      return absl::FailedPreconditionError("another event has that sequence");
    }
    ++repeated;
  }
  return repeated;
}

absl::Status MemoryCallStore::ApplyLocked(const CallWrite& write, std::vector<int64_t>* positions) {
  Entry* const entry = Find(write.call_id);
  if (entry == nullptr) return NotFound("call");
  const auto repeated = CountRepeated(*entry, write.events);
  if (!repeated.ok()) return repeated.status();
  const auto stored = Append(*entry, write.events, *repeated);
  if (positions != nullptr) {
    positions->clear();
    for (const call::Event& event : write.events) positions->push_back(entry->events[event.sequence - 1].position);
  }
  if (write.events.empty() || !stored.empty()) ApplyFields(*entry, write);
  if (on_commit_ && !stored.empty()) on_commit_(stored);
  return absl::OkStatus();
}

void MemoryCallStore::ApplyFields(Entry& entry, const CallWrite& write) {
  CallRecord& record = entry.record;
  if (write.state && !call::IsFinal(record.state) && !write.end) record.state = *write.state;
  if (write.answer_time) record.answer_time = *write.answer_time;
  if (write.carrier_call_id) record.carrier_call_id = *write.carrier_call_id;
  if (write.carrier_request_id) record.carrier_request_id = *write.carrier_request_id;
  if (write.model_session_id) record.model_session_id = *write.model_session_id;
  for (const call::TranscriptItem& item : write.transcript_items) {
    const auto same = [&](const call::TranscriptItem& other) { return other.item_id == item.item_id; };
    const auto it = std::find_if(entry.items.begin(), entry.items.end(), same);
    if (it == entry.items.end())
      entry.items.push_back(Cleaned(item));
    else
      *it = Cleaned(item);
  }
  if (write.transfer) {
    const auto same = [&](const call::Transfer& other) { return other.transfer_id == write.transfer->transfer_id; };
    const auto it = std::find_if(entry.transfers.begin(), entry.transfers.end(), same);
    if (it == entry.transfers.end())
      entry.transfers.push_back(*write.transfer);
    else
      *it = *write.transfer;
  }
  if (write.transferred) ApplyTransferred(entry, write);
  if (write.end && !record.termination) ApplyEnd(entry, *write.end);
  if (write.transcript) record.transcript = CleanText(*write.transcript);
  if (write.summary) record.summary = CleanText(*write.summary);
  if (write.answered_by_machine) record.answered_by_machine = true;
  if (write.result) ApplyResult(entry, write);
  if (write.summary_settled) {
    entry.summary_settled = true;
    entry.summary_job.reset();
  }
  if (write.summary_due && !entry.summary_settled && !entry.summary_job) {
    entry.summary_job = SummaryJob{record.call_id, 0, TimeOf(write), ""};
  }
}

void MemoryCallStore::ApplyResult(Entry& entry, const CallWrite& write) {
  CallRecord& record = entry.record;
  record.result = *write.result;
  record.result.disposition = CleanText(record.result.disposition);
  record.result.fields_json = CleanText(record.result.fields_json);
  LeadRecord* const lead = LeadOf(record);
  if (lead == nullptr) return;
  const Entry* const other = Find(lead->result_call_id);
  if (other != nullptr && other->record.create_time > record.create_time) return;
  lead->result = record.result;
  lead->result.fields_json.clear();
  lead->result_call_id = record.call_id;
  lead->update_time = std::max(lead->update_time, TimeOf(write));
}

void MemoryCallStore::ApplyTransferred(Entry& entry, const CallWrite& write) {
  entry.record.transferred = *write.transferred;
  entry.record.transfer_reason = write.transfer_reason;
  LeadRecord* const lead = LeadOf(entry.record);
  if (lead == nullptr) return;
  lead->call_status = *write.transferred ? "transferred" : "called";
  lead->transferred_to_human = std::any_of(calls_.begin(), calls_.end(), [lead](const auto& other) {
    return other.second.record.lead_id == lead->lead_id && other.second.record.transferred;
  });
}

void MemoryCallStore::ApplyEnd(Entry& entry, const CallWrite::End& end) {
  CallRecord& record = entry.record;
  record.termination = end.termination;
  record.state = end.termination.failed ? call::State::kFailed : call::State::kCompleted;
  record.end_time = end.end_time;
  record.duration_seconds = end.duration_seconds;
  record.transcript = CleanText(end.transcript);
  LeadRecord* const lead = LeadOf(record);
  if (lead == nullptr) return;
  lead->update_time = end.end_time;
  const Entry* const last = Find(lead->last_call_id);
  if (!record.transferred && !(last != nullptr && last->record.transferred)) lead->call_status = "called";
}

absl::StatusOr<CallRecord> MemoryCallStore::GetCall(absl::string_view call_id) {
  const absl::Status status = Fail("GetCall");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const Entry* const entry = Find(call_id);
  if (entry == nullptr) return NotFound("call");
  return entry->record;
}

absl::StatusOr<std::vector<CallRecord>> MemoryCallStore::ListCalls(const CallFilter& filter,
                                                                   const absl::optional<CallPageKey>& after,
                                                                   int limit) {
  absl::Status status = Fail("ListCalls");
  if (status.ok()) status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  std::vector<CallRecord> found;
  for (const auto& [id, entry] : calls_) {
    const CallRecord& call = entry.record;
    if (after && std::tie(call.create_time, call.call_id) >= std::tie(after->create_time, after->call_id)) continue;
    if (Matches(call, filter)) found.push_back(call);
  }
  std::sort(found.begin(), found.end(), [](const CallRecord& a, const CallRecord& b) {
    return std::tie(a.create_time, a.call_id) > std::tie(b.create_time, b.call_id);
  });
  if (found.size() > static_cast<size_t>(limit)) found.resize(limit);
  return found;
}

absl::StatusOr<std::vector<call::TranscriptItem>> MemoryCallStore::GetTranscript(absl::string_view call_id) {
  const absl::Status status = Fail("GetTranscript");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const Entry* const entry = Find(call_id);
  if (entry == nullptr) return NotFound("call");
  auto items = entry->items;
  std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.position < b.position; });
  return items;
}

absl::StatusOr<std::vector<call::Transfer>> MemoryCallStore::ListTransfers(absl::string_view call_id) {
  const absl::Status status = Fail("ListTransfers");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const Entry* const entry = Find(call_id);
  if (entry == nullptr) return NotFound("call");
  auto transfers = entry->transfers;
  std::stable_sort(transfers.begin(), transfers.end(),
                   [](const auto& a, const auto& b) { return a.request_time < b.request_time; });
  return transfers;
}

absl::StatusOr<std::vector<events::StoredEvent>> MemoryCallStore::ReadCallEvents(absl::string_view call_id,
                                                                                 int64_t after_sequence, int limit) {
  absl::Status status = Fail("ReadCallEvents");
  if (status.ok()) status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const Entry* const entry = Find(call_id);
  if (entry == nullptr) return NotFound("call");
  return Slice(entry->events, static_cast<size_t>(std::max<int64_t>(after_sequence, 0)), limit);
}

absl::StatusOr<std::vector<events::StoredEvent>> MemoryCallStore::ReadEvents(int64_t after_position, int limit) {
  absl::Status status = Fail("ReadEvents");
  if (status.ok()) status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  return Slice(log_, static_cast<size_t>(std::max<int64_t>(after_position, 0)), limit);
}

absl::StatusOr<int64_t> MemoryCallStore::HeadPosition() {
  const absl::Status status = Fail("HeadPosition");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  return static_cast<int64_t>(log_.size());
}

absl::StatusOr<LeadRecord> MemoryCallStore::GetLead(absl::string_view lead_id) {
  const absl::Status status = Fail("GetLead");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  for (const auto& [phone, lead] : leads_by_phone_) {
    if (lead.lead_id == lead_id) return lead;
  }
  return NotFound("lead");
}

absl::StatusOr<LeadRecord> MemoryCallStore::FindLead(absl::string_view phone) {
  const absl::Status status = Fail("FindLead");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const auto it = leads_by_phone_.find(std::string(phone));
  if (it == leads_by_phone_.end()) return NotFound("lead");
  return it->second;
}

absl::StatusOr<std::vector<OpenCall>> MemoryCallStore::CloseOpenCalls(const call::Termination& termination,
                                                                      absl::Time now, bool summaries_due) {
  const absl::Status status = Fail("CloseOpenCalls");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  std::vector<OpenCall> closed;
  for (auto& [id, entry] : calls_) {
    if (call::IsFinal(entry.record.state)) continue;
    closed.push_back({id, entry.record.carrier_call_id, entry.record.state});
    auto items = entry.items;
    std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.position < b.position; });
    for (const CallWrite& write : CloseWrites(entry.record, items, entry.transfers, termination, now, summaries_due)) {
      const absl::Status applied = ApplyLocked(write, nullptr);
      if (!applied.ok()) return applied;
    }
  }
  return closed;
}

absl::StatusOr<std::vector<SummaryJob>> MemoryCallStore::ListSummaryJobs(absl::Time due_by, int limit) {
  absl::Status status = Fail("ListSummaryJobs");
  if (status.ok()) status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  std::vector<SummaryJob> jobs;
  for (const auto& [id, entry] : calls_) {
    if (entry.summary_job && entry.summary_job->due <= due_by) jobs.push_back(*entry.summary_job);
  }
  std::sort(jobs.begin(), jobs.end(), [](const SummaryJob& a, const SummaryJob& b) {
    return std::tie(a.due, a.call_id) < std::tie(b.due, b.call_id);
  });
  if (jobs.size() > static_cast<size_t>(limit)) jobs.resize(limit);
  return jobs;
}

absl::Status MemoryCallStore::SaveSummaryJob(const SummaryJob& job) {
  absl::Status status = Fail("SaveSummaryJob");
  if (status.ok()) status = CheckSummaryJob(job);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  Entry* const entry = Find(job.call_id);
  if (entry == nullptr || !entry->summary_job) return NotFound("summary job");
  entry->summary_job = job;
  entry->summary_job->last_error = CleanText(job.last_error);
  return absl::OkStatus();
}

}  // namespace callbridge::store
