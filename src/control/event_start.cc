#include "src/control/event_start.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/control/status_map.h"
#include "src/store/refusals.h"

namespace callbridge::control {
namespace {

absl::Status CursorAhead() {
  return base::FieldError("after_cursor", "CURSOR_INVALID",
                          "lies beyond the latest event; it is from another server's log");
}

// What lies before `oldest` is not kept any more.
absl::Status CursorLost(const Cursor& oldest) {
  return base::MakeError(absl::StatusCode::kOutOfRange, "CURSOR_LOST",
                         "the database was restored from a backup and does not have the events before this place any "
                         "more; forget what came behind oldest_cursor, and go on with after_cursor of it",
                         {{"oldest_cursor", FormatCursor(oldest)}});
}

absl::Status CursorExpired(const Cursor& oldest) {
  return base::MakeError(absl::StatusCode::kOutOfRange, "CURSOR_EXPIRED",
                         "events behind this place are not kept any more; go on with after_cursor of oldest_cursor, or "
                         "from_beginning",
                         {{"oldest_cursor", FormatCursor(oldest)}});
}

// Whether the client has seen events that a restore has taken away: their numbers mean other events now.
absl::Status CheckKept(store::CallStore& store, const EventQuery& query) {
  const auto restores = store.ListLostPositions();
  if (!restores.ok()) return restores.status();
  for (const store::LostPositions& lost : *restores) {
    if (query.cursor.position <= lost.after || query.cursor.position >= lost.before) continue;
    return CursorLost(query.call_id.empty() ? Cursor{lost.after, "", 0} : Cursor{0, query.call_id, 0});
  }
  return absl::OkStatus();
}

absl::StatusOr<EventStart> StartOfAll(store::CallStore& store, const EventQuery& query, int64_t head) {
  EventStart start;
  if (query.start == EventQuery::Start::kNow) start.at.position = head;
  if (query.start == EventQuery::Start::kBeginning) {
    const auto oldest = store.OldestPosition();
    if (!oldest.ok()) return oldest.status();
    start.at.position = *oldest;
  }
  if (query.start == EventQuery::Start::kCursor) {
    start.at.position = query.cursor.position;
    const auto latest = store.HeadPosition();
    if (!latest.ok()) return latest.status();
    if (start.at.position > *latest) return CursorAhead();
  }
  return start;
}

absl::Status CheckSeen(store::CallStore& store, const store::CallRecord& call, int64_t position) {
  if (call.event_floor == 0) return absl::OkStatus();
  const auto oldest = store.OldestPosition();
  if (!oldest.ok()) return oldest.status();
  return position < *oldest ? store::EventsPurged(call.event_floor) : absl::OkStatus();
}

absl::StatusOr<Cursor> CursorAt(store::CallStore& store, const std::string& call_id, int64_t sequence) {
  const auto events = store.ReadCallEvents(call_id, sequence - 1, 1);
  if (!events.ok()) return events.status();
  if (events->empty()) return absl::InternalError(absl::StrCat("event ", sequence, " of the call is missing"));
  return Cursor{events->front().position, call_id, sequence};
}

// The sequence behind which a reader of the call goes on.
absl::StatusOr<int64_t> FindSequence(store::CallStore& store, const EventQuery& query, const store::CallRecord& call,
                                     int64_t* skip_to_position) {
  switch (query.start) {
    case EventQuery::Start::kNow: return call.event_head;
    case EventQuery::Start::kBeginning: return call.event_floor;
    case EventQuery::Start::kSequence: return query.sequence;
    case EventQuery::Start::kCursor: break;
  }
  if (query.cursor.call_id == query.call_id) return query.cursor.sequence;
  // Another call's cursor, or one of all calls, says nothing about sequences here.
  *skip_to_position = query.cursor.position;
  if (absl::Status status = CheckSeen(store, call, *skip_to_position); !status.ok()) return status;
  return call.event_floor;
}

absl::StatusOr<EventStart> StartOfCall(store::CallStore& store, const EventQuery& query) {
  const auto call = store.GetCall(query.call_id);
  if (!call.ok()) return call.status();
  EventStart start;
  const auto sequence = FindSequence(store, query, *call, &start.skip_to_position);
  if (!sequence.ok()) return sequence.status();
  if (*sequence > call->event_head) {
    if (query.start == EventQuery::Start::kCursor) return CursorAhead();
    return base::FieldError("after_sequence", "INVALID_SEQUENCE",
                            absl::StrCat("is beyond the call's latest event, ", call->event_head));
  }
  // Where an event was is not known any more when it was purged; its sequence says enough.
  const auto cursor = *sequence == call->event_floor ? absl::StatusOr<Cursor>(Cursor{0, query.call_id, *sequence})
                                                     : CursorAt(store, query.call_id, *sequence);
  if (!cursor.ok()) return cursor.status();
  start.at = *cursor;
  start.call = *call;
  return start;
}

}  // namespace

absl::StatusOr<EventStart> FindEventStart(store::CallStore& store, const EventQuery& query, int64_t head) {
  if (query.start == EventQuery::Start::kCursor) {
    if (absl::Status status = CheckKept(store, query); !status.ok()) return status;
  }
  return query.call_id.empty() ? StartOfAll(store, query, head) : StartOfCall(store, query);
}

absl::Status FromEventStore(const absl::Status& status, const std::string& call_id) {
  const int64_t oldest = store::OldestOf(status);
  if (oldest < 0) return FromStore(status, call_id);
  return CursorExpired(call_id.empty() ? Cursor{oldest, "", 0} : Cursor{0, call_id, oldest});
}

}  // namespace callbridge::control
