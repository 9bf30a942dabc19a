#include "src/store/postgres/call_writes.h"

#include "src/store/postgres/call_rows.h"
#include "src/store/postgres/log_rows.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

constexpr absl::Duration kCloseLimit = absl::Minutes(1);

// When a write happened, as far as it says.
absl::Time TimeOf(const CallWrite& write) {
  if (write.end) return write.end->end_time;
  return write.events.empty() ? absl::InfinitePast() : write.events.back().time;
}

}  // namespace

void AddWrite(const CallWrite& write, absl::Span<const call::Event> events, int64_t ordinal, bool erased,
              std::vector<Statement>* batch) {
  const absl::Time now = TimeOf(write);
  const absl::optional<int64_t> head =
      events.empty() ? absl::nullopt : absl::optional<int64_t>(events.front().sequence - 1);
  batch->push_back(UpdateCall(write, head, events.empty() ? 0 : events.back().sequence, erased));
  if (!events.empty()) {
    const Payload payload = erased ? Payload::kTombstones : Payload::kAsIs;
    batch->push_back(InsertEvents(write.call_id, events, ordinal, payload));
  }
  if (!write.transcript_items.empty()) batch->push_back(UpsertTranscriptItems(write.call_id, write.transcript_items));
  if (write.transfer) batch->push_back(UpsertTransfer(write.call_id, *write.transfer));
  if (write.transferred) batch->push_back(UpdateTransferred(write, now));
  if (write.end) batch->push_back(UpdateEnd(write));
  if (write.result) batch->push_back(UpdateResult(write, now));
  if (write.settlement) batch->push_back(UpdateSettlement(write));
  if (write.summary_settled) {
    batch->push_back(SettleSummary(write.call_id));
  } else if (write.summary_due) {
    batch->push_back(InsertSummaryJob(write.call_id, now));
  }
}

absl::StatusOr<std::vector<OpenCall>> CloseCalls(Connection& connection, const std::vector<CallRecord>& open,
                                                 const call::Termination& termination, absl::Time now,
                                                 bool summaries_due) {
  std::vector<std::string> ids;
  ids.reserve(open.size());
  for (const CallRecord& call : open) ids.push_back(call.call_id);
  auto rows = connection.Run({SelectTranscripts(ids), SelectTransfers(ids)}, kCloseLimit);
  if (!rows.ok()) return rows.status();
  auto items = ReadByCall((*rows)[0], &ReadItem);
  auto transfers = ReadByCall((*rows)[1], &ReadTransfer);
  for (const Rows& read : *rows) {
    if (!read.status().ok()) return read.status();
  }
  std::vector<OpenCall> closed;
  int64_t ordinal = 0;
  std::vector<Statement> batch;
  for (const CallRecord& call : open) {
    const std::string& id = call.call_id;
    for (const CallWrite& write : CloseWrites(call, items[id], transfers[id], termination, now, summaries_due)) {
      AddWrite(write, write.events, ordinal, /*erased=*/false, &batch);
      ordinal += static_cast<int64_t>(write.events.size());
    }
    closed.push_back({id, call.carrier_call_id, call.state, call.owner});
  }
  if (ordinal > kMaxEventsOfTransaction)
    return absl::InternalError("database: the calls to be closed have too many transfers");
  rows = connection.Run(batch, kCloseLimit);
  if (!rows.ok()) return rows.status();
  return closed;
}

}  // namespace callbridge::store
