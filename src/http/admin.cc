#include "src/http/admin.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace callbridge::http {
namespace {

base::HttpResponse Plain(int status, const std::string& text) {
  base::HttpResponse response;
  response.status = status;
  response.body = text + "\n";
  return response;
}

// Everything here is a reading of the moment: the registry lives for one answer.
std::string Metrics(const ServerStats& stats) {
  prometheus::Registry registry;
  const auto gauge = [&registry](const char* name, const char* help, double value) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({}).Set(value);
  };
  gauge("callbridge_calls_active", "Calls that are not over, those that are being dialled included.", stats.live_calls);
  gauge("callbridge_ready", "1 while new calls are taken.", stats.ready ? 1 : 0);
  gauge("callbridge_writes_pending", "Records on their way to the store.", static_cast<double>(stats.writes_pending));
  gauge("callbridge_spool_records", "Records on the local disk that the store has not taken yet.",
        static_cast<double>(stats.spool_records));
  gauge("callbridge_spool_bytes", "Bytes of the spool on the local disk.", static_cast<double>(stats.spool_bytes));
  const auto counter = [&registry](const char* name, const char* help, int64_t value) {
    prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({}).Increment(static_cast<double>(value));
  };
  counter("callbridge_events_lost_total", "Events dropped because the store was away for too long.", stats.events_lost);
  counter("callbridge_spool_refused_total", "Spooled records that the store refused; they are kept in spool.refused.",
          stats.spool_refused);
  return prometheus::TextSerializer().Serialize(registry.Collect());
}

}  // namespace

base::HttpResponse Admin::Handle(const base::HttpRequest& request) const {
  if (request.method != "GET") {
    base::HttpResponse response = Plain(405, "use GET");
    response.headers = {{"Allow", "GET"}};
    return response;
  }
  const absl::string_view path = request.Path();
  if (path == "/healthz") return Plain(200, "ok");
  const ServerStats stats = stats_();
  if (path == "/readyz") return stats.ready ? Plain(200, "ready") : Plain(503, "draining");
  if (path != "/metrics") return Plain(404, "no such path; there are /healthz, /readyz and /metrics");
  base::HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = Metrics(stats);
  if (more_) response.body += more_();
  return response;
}

}  // namespace callbridge::http
