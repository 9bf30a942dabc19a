#include "src/store/merge_writes.h"

#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

bool CanMerge(const CallWrite& next, const CallWrite& into) {
  if (next.call_id != into.call_id || !(next.owner == into.owner)) return false;
  // The store judges what follows an end by what it finds: the first end wins, a final state stays.
  if (into.end || (into.state && call::IsFinal(*into.state))) return false;
  if (next.transfer && into.transfer && next.transfer->transfer_id != into.transfer->transfer_id) return false;
  return next.events.empty() || into.events.empty() || next.events.front().sequence == into.events.back().sequence + 1;
}

template <typename T>
void Take(const absl::optional<T>& next, absl::optional<T>* into) {
  if (next) *into = next;
}

}  // namespace

bool MergeWrites(const CallWrite& next, CallWrite* into) {
  if (!CanMerge(next, *into)) return false;
  into->events.insert(into->events.end(), next.events.begin(), next.events.end());
  into->transcript_items.insert(into->transcript_items.end(), next.transcript_items.begin(),
                                next.transcript_items.end());
  if (next.end) into->transcript.reset();  // The end's is the later one.
  if (next.transferred) into->transfer_reason = next.transfer_reason;
  Take(next.state, &into->state);
  Take(next.answer_time, &into->answer_time);
  Take(next.carrier_call_id, &into->carrier_call_id);
  Take(next.carrier_request_id, &into->carrier_request_id);
  Take(next.model_session_id, &into->model_session_id);
  Take(next.transfer, &into->transfer);
  Take(next.transferred, &into->transferred);
  Take(next.end, &into->end);
  Take(next.transcript, &into->transcript);
  Take(next.summary, &into->summary);
  Take(next.result, &into->result);
  if (next.settlement) {
    bool changed = false;
    into->settlement = Settled(into->settlement.value_or(Settlement()), *next.settlement, &changed);
  }
  into->summary_due |= next.summary_due;
  into->summary_settled |= next.summary_settled;
  into->answered_by_machine |= next.answered_by_machine;
  return true;
}

bool HasFields(const CallWrite& write) {
  return !write.transcript_items.empty() || write.state || write.answer_time || write.carrier_call_id ||
         write.carrier_request_id || write.model_session_id || write.transfer || write.transferred || write.end ||
         write.transcript || write.summary || write.result || write.summary_due || write.summary_settled ||
         write.answered_by_machine || write.settlement;
}

}  // namespace callbridge::store
