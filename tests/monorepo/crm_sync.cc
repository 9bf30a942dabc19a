#include "crm_sync.h"

#include <memory>

#ifndef MONOREPO_ABSEIL
#error "built with callbridge's Abseil, not with this workspace's"
#endif

namespace {

using callbridge::client::Calls;
using callbridge::client::Reading;

}  // namespace

absl::StatusOr<std::map<std::string, Outcome>> CallEverybody(callbridge::client::Client& client,
                                                             const std::vector<std::string>& numbers) {
  std::map<std::string, Outcome> outcomes;
  for (const std::string& number : numbers) {
    callbridge::v1::StartCallRequest request;
    request.mutable_call()->set_to(number);
    const auto started = client.Ask(&Calls::StartCall, request);
    if (!started.ok()) return started.status();
    callbridge::client::EventReaderOptions options;
    options.call = started->call().name();
    options.from_beginning = true;
    const auto events = client.ReadEvents(options);
    for (;;) {
      const auto reading = events->Next(absl::Minutes(5));
      if (!reading.ok()) return reading.status();
      if (reading->kind == Reading::Kind::kEnd || reading->kind == Reading::Kind::kNothing) break;
      if (reading->event.has_call_ended())
        outcomes[number].end_reason = callbridge::v1::EndReason_Name(reading->event.call_ended().end().reason());
      if (reading->event.has_summary_ready()) outcomes[number].summary = reading->event.summary_ready().summary();
    }
  }
  return outcomes;
}
