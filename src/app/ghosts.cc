#include "src/app/ghosts.h"

#include <set>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/call/termination.h"

namespace callbridge::app {
namespace {

// Calls of a dead process are hung up by the starts of so much time after they were closed: some of those starts may
// die as well.
constexpr absl::Duration kMemory = absl::Minutes(10);
constexpr absl::Duration kAge = absl::Hours(24);
constexpr int kLimit = 5000;

}  // namespace

absl::Status CloseGhosts(
    store::CallStore& store, bool summaries_due,
    const std::function<void(const std::string& call_id, const std::string& carrier_call_id)>& hang_up) {
  const absl::Time now = base::SystemClock().Now();
  call::EndFacts facts;
  facts.reason = call::EndReason::kProcessLost;
  facts.evidence = "found open when the server started";
  facts.conversation = true;
  const auto ghosts = store.CloseOpenCalls(call::MakeTermination(facts), now, summaries_due);
  if (!ghosts.ok()) return ghosts.status();
  std::set<std::string> closed;
  for (const store::OpenCall& ghost : *ghosts) {
    base::Log(base::LogKind::kTrouble, ghost.call_id, "call of a previous run closed",
              {{"state", std::string(Name(ghost.state))}});
    hang_up(ghost.call_id, ghost.carrier_call_id);
    closed.insert(ghost.call_id);
  }
  store::CallFilter filter;
  filter.states = {call::State::kCompleted, call::State::kFailed};
  filter.created_after = now - kAge;
  const auto calls = store.ListCalls(filter, absl::nullopt, kLimit);
  if (!calls.ok()) return calls.status();
  for (const store::CallRecord& call : *calls) {
    const bool lost = call.termination && call.termination->reason == call::EndReason::kProcessLost;
    if (lost && closed.count(call.call_id) == 0 && call.end_time >= now - kMemory)
      hang_up(call.call_id, call.carrier_call_id);
  }
  return absl::OkStatus();
}

}  // namespace callbridge::app
