#include "src/control/event_pages.h"

#include <string>
#include <utility>
#include <vector>

#include "src/call/event.h"
#include "src/control/convert.h"
#include "src/control/cursor.h"
#include "src/control/event_start.h"
#include "src/control/fields.h"
#include "src/control/page_bytes.h"

namespace callbridge::control {
namespace {

constexpr int kReadAtOnce = 500;
constexpr int kMostLookedAt = 10'000;

bool IsShown(const EventQuery& query, const events::StoredEvent& stored) {
  return query.types.empty() || query.types.count(std::string(call::TypeName(stored.event.body))) > 0;
}

// Goes through the events behind a place, as far as a page goes.
class PageReader {
 public:
  PageReader(store::CallStore& store, const EventListRequest& request, EventStart start)
      : store_(store), request_(request), at_(std::move(start.at)), skip_to_(start.skip_to_position) {}

  absl::StatusOr<v1::ListCallEventsResponse> Read() {
    bool more = true;
    for (int looked_at = 0; more && !full_ && looked_at < kMostLookedAt; looked_at += kReadAtOnce) {
      const std::string& call_id = request_.query.call_id;
      const auto events = call_id.empty() ? store_.ReadEvents(at_.position, kReadAtOnce)
                                          : store_.ReadCallEvents(call_id, at_.sequence, kReadAtOnce);
      if (!events.ok()) return FromEventStore(events.status(), call_id);
      more = static_cast<int>(events->size()) == kReadAtOnce;
      for (const events::StoredEvent& stored : *events) Take(stored);
    }
    response_.set_cursor(FormatCursor(at_));
    if (more || full_) response_.set_next_page_token(response_.cursor());
    return std::move(response_);
  }

 private:
  void Take(const events::StoredEvent& stored) {
    if (full_) return;
    const bool shown = stored.position > skip_to_ && IsShown(request_.query, stored);
    if (shown && (response_.events_size() == request_.page_size ||
                  !bytes_.TryAdd(ToProto(stored), response_.mutable_events()))) {
      full_ = true;
      return;
    }
    at_ = {stored.position, stored.event.call_id, stored.event.sequence};
  }

  store::CallStore& store_;
  const EventListRequest& request_;
  Cursor at_;
  const int64_t skip_to_;
  v1::ListCallEventsResponse response_;
  PageBytes bytes_;
  bool full_ = false;
};

}  // namespace

absl::StatusOr<v1::ListCallEventsResponse> ReadEventsPage(store::CallStore& store, const EventListRequest& request) {
  auto start = FindEventStart(store, request.query, /*head=*/0);
  if (absl::IsInvalidArgument(start.status())) return PageTokenError();
  if (!start.ok()) return FromEventStore(start.status(), request.query.call_id);
  return PageReader(store, request, *std::move(start)).Read();
}

}  // namespace callbridge::control
