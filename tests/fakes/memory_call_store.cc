#include "tests/fakes/memory_call_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/store/event_json.h"
#include "src/store/refusals.h"
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
  for (const auto& [key, value] : filter.labels) {
    const auto found = call.labels.find(key);
    if (found == call.labels.end() || found->second != value) return false;
  }
  const auto& reasons = filter.end_reasons;
  if (!reasons.empty() &&
      (!call.termination || std::find(reasons.begin(), reasons.end(), call.termination->reason) == reasons.end())) {
    return false;
  }
  const auto& dispositions = filter.dispositions;
  if (!dispositions.empty() &&
      std::find(dispositions.begin(), dispositions.end(), call.result.disposition) == dispositions.end()) {
    return false;
  }
  return call.create_time >= filter.created_after && call.create_time < filter.created_before;
}

absl::Time TimeOf(const CallWrite& write) {
  if (write.end) return write.end->end_time;
  return write.events.empty() ? absl::InfinitePast() : write.events.back().time;
}

// At most `limit` of `all` with a number above `after`; `number` grows along `all`.
template <typename Number>
std::vector<events::StoredEvent> Slice(const std::vector<events::StoredEvent>& all, int64_t after, int limit,
                                       Number number) {
  const auto first =
      std::partition_point(all.begin(), all.end(), [&](const auto& event) { return number(event) <= after; });
  return {first, first + std::min<std::ptrdiff_t>(limit, all.end() - first)};
}
int64_t PositionOf(const events::StoredEvent& event) { return event.position; }
int64_t SequenceOf(const events::StoredEvent& event) { return event.event.sequence; }

bool IsErased(const CallRecord& call) { return IsStorableTime(call.erase_time); }

// The body's type with nothing in it.
call::EventBody Tombstone(const call::EventBody& body) { return *DecodeEventBody(call::TypeName(body), "{}"); }

auto RowOf(const LeadRecord& lead) {
  return std::tie(lead.name, lead.call_status, lead.transferred_to_human, lead.last_call_id, lead.update_time,
                  lead.result.disposition, lead.result.interest, lead.result.follow_up_time, lead.result_call_id,
                  lead.status_call_id, lead.metadata, lead.suppressed, lead.suppressed_reason, lead.suppressed_time);
}

// Raises a lead's revision when it goes, if the lead was changed meanwhile.
class Revision {
 public:
  explicit Revision(LeadRecord* lead) : lead_(lead), before_(lead == nullptr ? LeadRecord() : *lead) {}
  ~Revision() {
    if (lead_ != nullptr && RowOf(*lead_) != RowOf(before_)) ++lead_->revision;
  }
  Revision(const Revision&) = delete;
  Revision& operator=(const Revision&) = delete;

 private:
  LeadRecord* const lead_;
  const LeadRecord before_;
};

}  // namespace

void MemoryCallStore::SetFault(Fault fault) {
  base::MutexLock lock(mutex_);
  fault_ = std::move(fault);
}

void MemoryCallStore::SetOnCommit(std::function<void(std::vector<events::StoredEvent>)> on_commit) {
  base::MutexLock lock(mutex_);
  on_commit_ = std::move(on_commit);
}

void MemoryCallStore::SetClock(std::function<absl::Time()> clock) {
  base::MutexLock lock(mutex_);
  clock_ = std::move(clock);
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

MemoryCallStore::Lead* MemoryCallStore::FindLeadById(absl::string_view lead_id) {
  for (auto& [phone, lead] : leads_by_phone_) {
    if (!lead_id.empty() && lead.record.lead_id == lead_id) return &lead;
  }
  return nullptr;
}

LeadRecord* MemoryCallStore::LeadOf(const CallRecord& call) {
  Lead* const lead = FindLeadById(call.lead_id);
  return lead == nullptr ? nullptr : &lead->record;
}

void MemoryCallStore::JoinLead(CallRecord& call) {
  const std::string phone = LeadPhone(call);
  call.lead_id.clear();
  if (phone.empty()) return;
  LeadRecord& lead = leads_by_phone_[phone].record;
  if (lead.lead_id.empty()) {
    lead.lead_id = base::NewUuid();
    lead.phone = phone;
    lead.call_status = "new";
    lead.create_time = call.create_time;
    lead.update_time = call.create_time;
    lead.last_call_id = call.call_id;
  }
  const Revision revision(&lead);
  lead.last_call_id = call.call_id;
  lead.update_time = std::max(lead.update_time, call.create_time);
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
  const auto lead = leads_by_phone_.find(LeadPhone(call));
  if (call.direction == call::Direction::kOutbound && lead != leads_by_phone_.end() && lead->second.record.suppressed) {
    return LeadSuppressed(lead->second.record);
  }
  Entry entry;
  entry.record = call;
  entry.record.from = CleanText(call.from);
  entry.record.agent = CleanText(call.agent);
  entry.record.end_time = absl::InfinitePast();
  entry.record.duration_seconds = 0;
  entry.record.termination.reset();
  entry.record.event_head = 0;
  entry.stored = clock_ ? clock_() : absl::InfinitePast();
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
    events::StoredEvent event{++head_, events[i], IsErased(entry.record)};
    event.event.body = event.erased ? Tombstone(event.event.body) : Cleaned(event.event.body);
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
    const auto known = Slice(entry.events, event.sequence - 1, 1, SequenceOf);
    if (event.sequence > entry.record.event_floor && known[0].event.body.index() != event.body.index()) {
      return absl::FailedPreconditionError("another event has that sequence");
    }
    ++repeated;
  }
  return repeated;
}

absl::Status MemoryCallStore::ApplyLocked(const CallWrite& write, std::vector<int64_t>* positions) {
  Entry* const entry = Find(write.call_id);
  if (entry == nullptr) return NotFound("call");
  if (write.owner && !(*write.owner == entry->record.owner)) return OwnerChanged(write.call_id);
  const auto repeated = CountRepeated(*entry, write.events);
  if (!repeated.ok()) return repeated.status();
  const auto stored = Append(*entry, write.events, *repeated);
  if (positions != nullptr) {
    positions->clear();
    for (const call::Event& event : write.events) {
      const auto known = Slice(entry->events, event.sequence - 1, 1, SequenceOf);
      positions->push_back(event.sequence <= entry->record.event_floor ? 0 : known[0].position);
    }
  }
  if (write.events.empty() || !stored.empty())
    ApplyFields(*entry, IsErased(entry->record) ? WithoutPerson(write) : write);
  if (on_commit_ && !stored.empty()) on_commit_(stored);
  return absl::OkStatus();
}

void MemoryCallStore::ApplyFields(Entry& entry, const CallWrite& write) {
  CallRecord& record = entry.record;
  const Revision revision(LeadOf(record));
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
  if (write.settlement) {
    bool changed = false;
    record.settlement = Settled(record.settlement, *write.settlement, &changed);
  }
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
  if (*write.transferred || lead->last_call_id == entry.record.call_id) {
    lead->call_status = *write.transferred ? "transferred" : "called";
    lead->status_call_id = entry.record.call_id;
  }
  lead->update_time = std::max(lead->update_time, TimeOf(write));
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
  // An older call that ends late does not take 'transferred' from a newer one.
  if (record.transferred || (lead->last_call_id != record.call_id && lead->call_status == "transferred")) return;
  lead->update_time = std::max(lead->update_time, end.end_time);
  lead->call_status = "called";
  lead->status_call_id = record.call_id;
}

absl::StatusOr<CallRecord> MemoryCallStore::GetCall(absl::string_view call_id) {
  const absl::Status status = Fail("GetCall");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const Entry* const entry = Find(call_id);
  if (entry == nullptr) return NotFound("call");
  return entry->record;
}

absl::StatusOr<CallRecord> MemoryCallStore::FindCall(absl::string_view carrier_call_id,
                                                     absl::string_view carrier_request_id) {
  const absl::Status status = Fail("FindCall");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const CallRecord* newest = nullptr;
  const auto look = [&](absl::string_view id, const std::string CallRecord::*field) {
    for (const auto& [call_id, entry] : calls_) {
      const CallRecord& call = entry.record;
      if (id.empty() || call.*field != id) continue;
      if (newest == nullptr ||
          std::tie(newest->create_time, newest->call_id) < std::tie(call.create_time, call.call_id))
        newest = &call;
    }
  };
  look(carrier_call_id, &CallRecord::carrier_call_id);
  if (newest == nullptr) look(carrier_request_id, &CallRecord::carrier_request_id);
  if (newest == nullptr) return NotFound("call");
  return *newest;
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
  const int64_t floor = entry->record.event_floor;
  if (std::max<int64_t>(after_sequence, 0) < floor) return EventsPurged(floor);
  return Slice(entry->events, after_sequence, limit, SequenceOf);
}

absl::StatusOr<std::vector<events::StoredEvent>> MemoryCallStore::ReadEvents(int64_t after_position, int limit) {
  absl::Status status = Fail("ReadEvents");
  if (status.ok()) status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  if (std::max<int64_t>(after_position, 0) < purged_through_) return EventsPurged(purged_through_);
  return Slice(log_, after_position, limit, PositionOf);
}

absl::StatusOr<int64_t> MemoryCallStore::HeadPosition() {
  const absl::Status status = Fail("HeadPosition");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  return LastPosition();
}

absl::StatusOr<int64_t> MemoryCallStore::OldestPosition() {
  const absl::Status status = Fail("OldestPosition");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  return purged_through_;
}

int64_t MemoryCallStore::LastPosition() {
  return log_.empty() ? purged_through_ : std::max(purged_through_, log_.back().position);
}

absl::Status MemoryCallStore::NoteRestored(absl::Time) {
  const absl::Status status = Fail("NoteRestored");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const int64_t last = LastPosition();
  if (!lost_.empty() && lost_.back().after == last) lost_.pop_back();
  head_ += int64_t{1} << 40;
  lost_.push_back({last, head_ + 1});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LostPositions>> MemoryCallStore::ListLostPositions() {
  const absl::Status status = Fail("ListLostPositions");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  return lost_;
}

absl::StatusOr<LeadRecord> MemoryCallStore::GetLead(absl::string_view lead_id) {
  const absl::Status status = Fail("GetLead");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  if (const Lead* lead = FindLeadById(lead_id)) return lead->record;
  return LeadNotFound();
}

absl::StatusOr<LeadRecord> MemoryCallStore::FindLead(absl::string_view phone) {
  const absl::Status status = Fail("FindLead");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const auto it = leads_by_phone_.find(std::string(phone));
  if (it == leads_by_phone_.end()) return LeadNotFound();
  return it->second.record;
}

absl::StatusOr<LeadRecord> MemoryCallStore::CreateLead(const LeadRecord& lead) {
  absl::Status status = Fail("CreateLead");
  if (status.ok()) status = CheckLead(lead);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const std::string fingerprint = LeadFingerprint(lead);
  if (const Lead* known = FindLeadById(lead.lead_id)) {
    return known->fingerprint == fingerprint ? absl::StatusOr<LeadRecord>(known->record) : LeadIdReused(lead.lead_id);
  }
  const auto same_phone = leads_by_phone_.find(lead.phone);
  if (same_phone != leads_by_phone_.end()) return LeadExists(same_phone->second.record.lead_id);
  Lead made;
  made.fingerprint = fingerprint;
  made.record.lead_id = lead.lead_id;
  made.record.phone = lead.phone;
  made.record.call_status = "new";
  made.record.create_time = lead.create_time;
  LeadUpdate content;
  content.name = lead.name;
  content.metadata = lead.metadata;
  content.suppressed = lead.suppressed;
  content.suppressed_reason = lead.suppressed_reason;
  ApplyUpdate(content, lead.create_time, &made.record);
  made.record.update_time = lead.create_time;
  leads_by_phone_[lead.phone] = made;
  return made.record;
}

absl::StatusOr<std::vector<LeadRecord>> MemoryCallStore::ListLeads(const LeadFilter& filter,
                                                                   const absl::optional<LeadPageKey>& after,
                                                                   int limit) {
  absl::Status status = Fail("ListLeads");
  if (status.ok()) status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  std::vector<LeadRecord> found;
  for (const auto& [phone, held] : leads_by_phone_) {
    const LeadRecord& lead = held.record;
    if (!filter.call_status.empty() && lead.call_status != filter.call_status) continue;
    if (filter.suppressed && lead.suppressed != *filter.suppressed) continue;
    if (lead.update_time < filter.updated_after) continue;
    if (after && std::tie(lead.create_time, lead.lead_id) >= std::tie(after->create_time, after->lead_id)) continue;
    found.push_back(lead);
  }
  std::sort(found.begin(), found.end(), [](const LeadRecord& a, const LeadRecord& b) {
    return std::tie(a.create_time, a.lead_id) > std::tie(b.create_time, b.lead_id);
  });
  if (found.size() > static_cast<size_t>(limit)) found.resize(limit);
  return found;
}

absl::StatusOr<CallRecord> MemoryCallStore::UpdateCall(const CallUpdate& update) {
  const absl::Status status = Fail("UpdateCall");
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  Entry* const entry = Find(update.call_id);
  if (entry == nullptr) return NotFound("call");
  if (entry->record.erase_time != absl::InfinitePast()) return CallErased(update.call_id);
  const auto write = [](const auto& from, auto& to) {
    if (!from) return;
    to.clear();
    for (const auto& [key, value] : *from) to[CleanText(key)] = CleanText(value);
  };
  write(update.metadata, entry->record.metadata);
  write(update.labels, entry->record.labels);
  return entry->record;
}

absl::StatusOr<LeadRecord> MemoryCallStore::UpdateLead(const LeadUpdate& update, absl::Time now) {
  absl::Status status = Fail("UpdateLead");
  if (status.ok()) status = CheckLeadUpdate(update, now);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  Lead* const lead = FindLeadById(update.lead_id);
  if (lead == nullptr) return LeadNotFound();
  if (update.revision && *update.revision != lead->record.revision) return LeadChanged(lead->record);
  {
    const Revision revision(&lead->record);
    ApplyUpdate(update, now, &lead->record);
  }
  return lead->record;
}

absl::StatusOr<std::vector<OpenCall>> MemoryCallStore::CloseOpenCalls(const call::Termination& termination,
                                                                      absl::Time now, bool summaries_due) {
  const absl::Status status = Fail("CloseOpenCalls");
  if (!status.ok()) return status;
  return CloseWhere([](const CallRecord&, absl::Time) { return true; }, termination, now, summaries_due,
                    std::numeric_limits<int>::max(), /*raise_epoch=*/false);
}

absl::StatusOr<std::vector<OpenCall>> MemoryCallStore::CloseWhere(const Which& which,
                                                                  const call::Termination& termination, absl::Time now,
                                                                  bool summaries_due, int limit, bool raise_epoch) {
  base::MutexLock lock(mutex_);
  std::vector<OpenCall> closed;
  for (auto& [id, entry] : calls_) {
    if (closed.size() >= static_cast<size_t>(limit)) break;
    if (call::IsFinal(entry.record.state) || !which(entry.record, entry.stored)) continue;
    closed.push_back({id, entry.record.carrier_call_id, entry.record.state, entry.record.owner});
    if (raise_epoch) ++entry.record.owner.epoch;
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

absl::StatusOr<bool> MemoryCallStore::ClaimSummaryJob(const SummaryJob& job, absl::Time until) {
  absl::Status status = Fail("ClaimSummaryJob");
  if (status.ok()) status = CheckSummaryJob({job.call_id, job.attempts, until, ""});
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  Entry* const entry = Find(job.call_id);
  if (entry == nullptr || !entry->summary_job) return false;
  SummaryJob& there = *entry->summary_job;
  if (there.due != job.due || there.attempts != job.attempts) return false;
  there.due = until;
  return true;
}

absl::Status MemoryCallStore::AddTranscriptRead(const TranscriptRead& read) {
  absl::Status status = Fail("AddTranscriptRead");
  if (status.ok()) status = CheckTranscriptRead(read);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  Entry* const entry = Find(read.call_id);
  if (entry == nullptr) return NotFound("call");
  entry->reads.push_back(read);
  entry->reads.back().principal = CleanText(read.principal);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TranscriptRead>> MemoryCallStore::ListTranscriptReads(absl::string_view call_id, int limit) {
  absl::Status status = Fail("ListTranscriptReads");
  if (status.ok()) status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const Entry* const entry = Find(call_id);
  if (entry == nullptr) return NotFound("call");
  auto reads = entry->reads;
  if (reads.size() > static_cast<size_t>(limit)) reads.resize(limit);
  return reads;
}

int64_t MemoryCallStore::Erase(Entry& entry, const std::function<bool(const call::EventBody&)>& which) {
  int64_t erased = 0;
  for (events::StoredEvent& event : entry.events) {
    if (event.erased || !which(event.event.body)) continue;
    ++erased;
    event.erased = true;
    event.event.body = Tombstone(event.event.body);
    for (events::StoredEvent& logged : log_) {
      if (logged.position == event.position) logged = event;
    }
  }
  return erased;
}

absl::StatusOr<Erasure> MemoryCallStore::EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) {
  absl::Status status = Fail("EraseNumber");
  if (status.ok()) status = CheckErasure(number, by, now);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  std::vector<Entry*> with_number;
  std::vector<std::string> not_over;
  for (auto& [call_id, entry] : calls_) {
    if (LeadPhone(entry.record) != number) continue;
    with_number.push_back(&entry);
    if (!call::IsFinal(entry.record.state)) not_over.push_back(call_id);
  }
  if (!not_over.empty()) return CallsNotOver(not_over);
  Erasure erasure{base::NewUuid(), CleanText(by), now, NumberHash(number), {}};
  for (Entry* entry : with_number) {
    CallRecord& call = entry->record;
    ++erasure.counts.calls;
    erasure.counts.transcript_items += static_cast<int64_t>(entry->items.size());
    erasure.counts.transfers += static_cast<int64_t>(entry->transfers.size());
    erasure.counts.summary_jobs += entry->summary_job ? 1 : 0;
    erasure.counts.events += Erase(*entry, [](const call::EventBody&) { return true; });
    entry->items.clear();
    for (call::Transfer& transfer : entry->transfers) {
      transfer.number.clear();
      transfer.reason.clear();
      transfer.detail.clear();
      transfer.attempts.clear();
    }
    entry->summary_job.reset();
    entry->summary_settled = true;
    (call.direction == call::Direction::kInbound ? call.from : call.to).clear();
    call.lead_id.clear();
    call.transcript.clear();
    call.summary.clear();
    call.result = {};
    call.metadata.clear();
    call.labels.clear();
    call.transfer_reason.clear();
    if (call.termination) call.termination->evidence.clear();
    call.erase_time = now;
    for (auto& [key, request] : requests_) {
      if (request.call_id == call.call_id) request.fingerprint = "erased";
    }
  }
  erasure.counts.leads = static_cast<int64_t>(leads_by_phone_.erase(std::string(number)));
  erasures_.push_back(erasure);
  return erasure;
}

absl::StatusOr<std::vector<Erasure>> MemoryCallStore::ListErasures(int limit) {
  absl::Status status = Fail("ListErasures");
  if (status.ok()) status = CheckLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  std::vector<Erasure> newest(erasures_.rbegin(), erasures_.rend());
  std::stable_sort(newest.begin(), newest.end(), [](const Erasure& a, const Erasure& b) { return a.time > b.time; });
  if (newest.size() > static_cast<size_t>(limit)) newest.resize(limit);
  return newest;
}

std::vector<MemoryCallStore::Entry*> MemoryCallStore::Finished(absl::Time before) {
  std::vector<Entry*> finished;
  for (auto& [call_id, entry] : calls_) {
    if (call::IsFinal(entry.record.state) && !entry.summary_job && IsStorableTime(entry.record.end_time) &&
        entry.record.end_time < before)
      finished.push_back(&entry);
  }
  std::sort(finished.begin(), finished.end(), [](const Entry* a, const Entry* b) {
    return std::tie(a->record.end_time, a->record.call_id) < std::tie(b->record.end_time, b->record.call_id);
  });
  return finished;
}

int64_t MemoryCallStore::PurgeEvents(Entry& entry) {
  const auto count = static_cast<int64_t>(entry.events.size());
  if (count > 0) purged_through_ = std::max(purged_through_, entry.events.back().position);
  entry.events.clear();
  entry.record.event_floor = entry.record.event_head;
  const auto of_call = [&](const events::StoredEvent& event) { return event.event.call_id == entry.record.call_id; };
  log_.erase(std::remove_if(log_.begin(), log_.end(), of_call), log_.end());
  return count;
}

void MemoryCallStore::PurgeTranscript(Entry& entry) {
  entry.items.clear();
  entry.reads.clear();
  Erase(entry, [](const call::EventBody& body) { return std::holds_alternative<call::TranscriptItemFinal>(body); });
  entry.record.transcript.clear();
  entry.transcript_purged = true;
}

absl::StatusOr<Purged> MemoryCallStore::Purge(const Retention& keep, int max_calls) {
  absl::Status status = Fail("Purge");
  if (status.ok()) status = CheckLimit(max_calls);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  Purged purged;
  const auto each = [&](const std::vector<Entry*>& finished, auto has_some, auto purge_one) {
    int done = 0;
    for (Entry* entry : finished) {
      if (!has_some(*entry)) continue;
      if (++done > max_calls) {
        purged.more = true;
        return;
      }
      purge_one(*entry);
    }
  };
  each(
      Finished(keep.calls), [](const Entry&) { return true; },
      [&](Entry& entry) {
        ++purged.calls;
        purged.events += PurgeEvents(entry);
        const std::string call_id = entry.record.call_id;
        for (auto it = requests_.begin(); it != requests_.end();) {
          it = it->second.call_id == call_id ? requests_.erase(it) : std::next(it);
        }
        calls_.erase(call_id);
      });
  each(
      Finished(keep.events), [](const Entry& entry) { return entry.record.event_floor < entry.record.event_head; },
      [&](Entry& entry) { purged.events += PurgeEvents(entry); });
  each(
      Finished(keep.transcripts), [](const Entry& entry) { return !entry.transcript_purged; },
      [&](Entry& entry) {
        ++purged.transcripts;
        PurgeTranscript(entry);
      });
  return purged;
}

}  // namespace callbridge::store
