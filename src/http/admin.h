#ifndef CALLBRIDGE_SRC_HTTP_ADMIN_H_
#define CALLBRIDGE_SRC_HTTP_ADMIN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "src/base/http_message.h"

namespace callbridge::http {

// What the operator's port shows, read when it is asked for.
struct ServerStats {
  bool ready = false;  // Serves calls; false while it drains.
  int live_calls = 0;
  int64_t writes_pending = 0;  // Records on their way to the store.
  int64_t events_lost = 0;     // Dropped because the store was away too long.
  int64_t spool_records = 0;   // On the local disk until the store takes them.
  int64_t spool_bytes = 0;
  int64_t spool_refused = 0;  // Of those the store has refused, since the start.
};

// The operator's port. Thread-safe if `stats` and `more` are. `more`: further metrics in Prometheus' text format, of
// other names than those of ServerStats; empty: none.
//   GET /healthz   200 while the process lives
//   GET /readyz    200 while it takes calls, else 503
//   GET /metrics   Prometheus text
class Admin {
 public:
  explicit Admin(std::function<ServerStats()> stats, std::function<std::string()> more = nullptr)
      : stats_(std::move(stats)), more_(std::move(more)) {}
  base::HttpResponse Handle(const base::HttpRequest& request) const;

 private:
  std::function<ServerStats()> stats_;
  std::function<std::string()> more_;
};

}  // namespace callbridge::http

#endif  // CALLBRIDGE_SRC_HTTP_ADMIN_H_
