#include "src/nodes/membership.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "src/call/termination.h"

namespace callbridge::nodes {
namespace {

using base::Log;
using base::LogKind;

Peer PeerOf(const store::NodeRecord& record, bool alive) {
  return {record.node_id, record.address, record.media_address, alive, record.state == store::NodeState::kDraining};
}

call::Termination LostNode() {
  call::EndFacts facts;
  facts.reason = call::EndReason::kProcessLost;
  facts.evidence = "the node of the call died";
  facts.conversation = true;
  return call::MakeTermination(facts);
}

}  // namespace

Membership::Membership(Options options, Deps deps)
    : options_(std::move(options)), deps_(std::move(deps)), due_(deps_.clock->Now()) {}

void Membership::SetAddresses(const std::string& address, const std::string& media_address) {
  options_.self.address = address;
  options_.self.media_address = media_address;
}

absl::Status Membership::Join() {
  const absl::Time now = deps_.clock->Now();
  if (absl::Status status = deps_.table->Register(options_.self, options_.lease); !status.ok()) return status;
  auto records = deps_.table->Renew(options_.self.node_id, store::NodeState::kUp, 0, options_.lease);
  if (!records.ok()) return records.status();
  OnRenewed(*records, now);
  return absl::OkStatus();
}

absl::Duration Membership::Turn() {
  const absl::Time now = deps_.clock->Now();
  if (now >= due_ || draining_ != was_draining_) {
    const bool renewed = Renew(now);
    due_ = now + (renewed ? options_.renew : options_.retry);
    reap_due_ = renewed;
  }
  if (reap_due_ && IsSteady(now)) reap_due_ = Reap(now);
  if (reap_due_ && IsSteady(now)) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), due_ - deps_.clock->Now());
}

bool Membership::Renew(absl::Time now) {
  was_draining_ = draining_;
  const auto state = was_draining_ ? store::NodeState::kDraining : store::NodeState::kUp;
  const int64_t calls = deps_.live_calls ? deps_.live_calls() : 0;
  auto records = deps_.table->Renew(options_.self.node_id, state, calls, options_.lease);
  if (records.ok()) {
    OnRenewed(*records, now);
  } else {
    OnFailed(records.status());
  }
  return records.ok();
}

void Membership::OnRenewed(const std::vector<store::NodeRecord>& records, absl::Time asked) {
  if (std::exchange(failing_, false)) Log(LogKind::kDatabase, "", "the node's lease is renewed again", {});
  bool changed = false;
  {
    base::MutexLock lock(mutex_);
    // This process may have been frozen: what happened meanwhile it has not seen.
    const absl::Duration age = asked - renewed_;
    if (age >= options_.lease) steady_since_ = asked;
    if (age >= options_.lease && renewed_ != absl::InfinitePast()) {
      Log(LogKind::kTrouble, "", "the node's lease had run out; others may have closed its calls",
          {{"last_renewed", absl::FormatTime(absl::RFC3339_sec, renewed_, absl::UTCTimeZone())}});
    }
    steady_since_ = std::min(steady_since_, asked);
    renewed_ = asked;
    std::vector<Known> now_known;
    for (const store::NodeRecord& record : records) {
      const auto before = std::find_if(known_.begin(), known_.end(),
                                       [&](const Known& known) { return known.record.node_id == record.node_id; });
      const bool was_alive = before != known_.end() && before->alive;
      const bool alive = record.leased || record.node_id == options_.self.node_id || (was_alive && !IsSteady(asked));
      changed = changed || before == known_.end() || alive != was_alive;
      now_known.push_back({record, alive});
    }
    changed = changed || now_known.size() != known_.size();
    known_ = std::move(now_known);
  }
  if (changed && deps_.on_peers) deps_.on_peers();
}

void Membership::OnFailed(const absl::Status& status) {
  steady_since_ = absl::InfiniteFuture();
  if (absl::IsNotFound(status)) {
    if (std::exchange(lost_, true)) return;
    Log(LogKind::kTrouble, "",
        "another process has taken the place of this node (the same --node_address?), or the database was restored; "
        "it takes no new calls any more: start it again",
        {{"address", options_.self.address}});
    if (deps_.on_lost) deps_.on_lost();
    return;
  }
  if (std::exchange(failing_, true)) return;
  Log(LogKind::kTrouble, "", "the node's lease cannot be renewed; its calls go on",
      {{"error", std::string(status.message())}});
}

bool Membership::IsSteady(absl::Time now) const { return now - steady_since_ >= options_.lease; }

bool Membership::Reap(absl::Time now) {
  const auto reaped =
      deps_.table->Reap(options_.grace, LostNode(), now, options_.summaries_due, std::max(options_.reap_batch, 1));
  if (!reaped.ok()) {
    if (!std::exchange(reap_failing_, true)) {
      Log(LogKind::kTrouble, "", "calls of dead nodes cannot be closed",
          {{"error", std::string(reaped.status().message())}});
    }
    return false;
  }
  reap_failing_ = false;
  for (const store::OpenCall& call : reaped->calls) {
    Log(LogKind::kTrouble, call.call_id, "call of a dead node closed", {{"state", std::string(Name(call.state))}});
  }
  reaped_ += static_cast<int64_t>(reaped->calls.size());
  if (!reaped->calls.empty() && deps_.on_reaped) deps_.on_reaped();
  return reaped->more && !reaped->busy;
}

absl::Status Membership::Leave() { return deps_.table->Leave(options_.self.node_id); }

absl::optional<Peer> Membership::Find(absl::string_view node_id) const {
  base::MutexLock lock(mutex_);
  for (const Known& known : known_) {
    if (known.record.node_id == node_id) return PeerOf(known.record, known.alive);
  }
  return absl::nullopt;
}

std::vector<Membership::Known> Membership::known() const {
  base::MutexLock lock(mutex_);
  return known_;
}

std::vector<Peer> Membership::All() const {
  base::MutexLock lock(mutex_);
  std::vector<Peer> peers;
  for (const Known& known : known_) peers.push_back(PeerOf(known.record, known.alive));
  return peers;
}

Membership::Stats Membership::stats() const {
  Stats stats;
  stats.reaped = reaped_;
  base::MutexLock lock(mutex_);
  stats.lease_age = deps_.clock->Now() - renewed_;
  for (const Known& known : known_) {
    int64_t& count = !known.alive                                        ? stats.dead
                     : known.record.state == store::NodeState::kDraining ? stats.draining
                                                                         : stats.up;
    ++count;
  }
  return stats;
}

}  // namespace callbridge::nodes
