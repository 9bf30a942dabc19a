#include "tests/fakes/memory_node_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "src/store/node_check.h"

namespace callbridge::store {
namespace {

constexpr absl::Duration kClaimsKept = absl::Hours(25);

}  // namespace

MemoryNodeTable::MemoryNodeTable(MemoryCallStore& calls) : calls_(calls) {
  calls_.SetClock([this] { return Now(); });
}

absl::Time MemoryNodeTable::Now() const {
  base::MutexLock lock(clock_mutex_);
  return now_;
}

void MemoryNodeTable::Advance(absl::Duration by) {
  base::MutexLock lock(clock_mutex_);
  now_ += by;
}

void MemoryNodeTable::SetFault(Fault fault) {
  base::MutexLock lock(mutex_);
  fault_ = std::move(fault);
}

absl::Status MemoryNodeTable::Fail(absl::string_view method) {
  Fault fault;
  {
    base::MutexLock lock(mutex_);
    fault = fault_;
  }
  return fault ? fault(method) : absl::OkStatus();
}

absl::Status MemoryNodeTable::Register(const NodeRecord& self, absl::Duration lease) {
  absl::Status status = Fail("Register");
  if (status.ok()) status = CheckNode(self);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  for (auto& [id, node] : nodes_) {
    if (id == self.node_id || node.record.address != self.address) continue;
    node.record.state = NodeState::kGone;
    node.found_dead = false;
    node.lease_until = std::min(node.lease_until, Now());
  }
  Node& node = nodes_[self.node_id];
  const absl::Time start_time = node.record.node_id.empty() ? Now() : node.record.start_time;
  node.record = self;
  node.record.start_time = start_time;
  node.record.renew_time = Now();
  node.lease_until = Now() + lease;
  node.found_dead = false;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<NodeRecord>> MemoryNodeTable::Renew(absl::string_view node_id, NodeState state,
                                                               int64_t live_calls, absl::Duration lease) {
  absl::Status status = Fail("Renew");
  if (status.ok()) status = CheckRenewal(state);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  const auto self = nodes_.find(std::string(node_id));
  if (self == nodes_.end()) return NoSuchNode(node_id);
  Node& node = self->second;
  if (node.record.state == NodeState::kGone && !node.found_dead) return NoSuchNode(node_id);
  node.record.state = state;
  node.record.live_calls = live_calls;
  node.record.renew_time = Now();
  node.lease_until = Now() + lease;
  node.found_dead = false;
  std::vector<NodeRecord> there;
  for (const auto& [id, each] : nodes_) {
    if (each.record.state == NodeState::kGone) continue;
    there.push_back(each.record);
    there.back().leased = each.lease_until >= Now();
  }
  std::sort(there.begin(), there.end(), [](const NodeRecord& a, const NodeRecord& b) {
    return std::tie(a.start_time, a.node_id) < std::tie(b.start_time, b.node_id);
  });
  return there;
}

absl::Status MemoryNodeTable::Leave(absl::string_view node_id) {
  if (absl::Status status = Fail("Leave"); !status.ok()) return status;
  base::MutexLock lock(mutex_);
  const auto self = nodes_.find(std::string(node_id));
  if (self == nodes_.end()) return absl::OkStatus();
  self->second.record.state = NodeState::kGone;
  self->second.found_dead = false;
  self->second.lease_until = std::min(self->second.lease_until, Now());
  return absl::OkStatus();
}

absl::StatusOr<absl::optional<NodeRecord>> MemoryNodeTable::FindNode(absl::string_view node_id) {
  if (absl::Status status = Fail("FindNode"); !status.ok()) return status;
  base::MutexLock lock(mutex_);
  const auto found = nodes_.find(std::string(node_id));
  if (found == nodes_.end()) return absl::optional<NodeRecord>();
  NodeRecord node = found->second.record;
  node.leased = found->second.lease_until >= Now();
  return absl::make_optional(std::move(node));
}

absl::optional<std::string> MemoryNodeTable::OwnerOf(absl::string_view carrier_call_id) {
  const auto call = calls_.FindCall(carrier_call_id, "");
  if (!call.ok() || call->owner.node_id.empty()) return absl::nullopt;
  return call->owner.node_id;
}

absl::StatusOr<std::string> MemoryNodeTable::ClaimCarrierCall(absl::string_view carrier_call_id,
                                                              absl::string_view node_id) {
  absl::Status status = Fail("ClaimCarrierCall");
  if (status.ok()) status = CheckClaim(carrier_call_id, node_id);
  if (!status.ok()) return status;
  const std::string claimant = OwnerOf(carrier_call_id).value_or(std::string(node_id));
  base::MutexLock lock(mutex_);
  return claims_.try_emplace(std::string(carrier_call_id), Claim{claimant, Now()}).first->second.node_id;
}

absl::StatusOr<absl::optional<std::string>> MemoryNodeTable::FindCarrierCall(absl::string_view carrier_call_id) {
  if (absl::Status status = Fail("FindCarrierCall"); !status.ok()) return status;
  {
    base::MutexLock lock(mutex_);
    const auto found = claims_.find(std::string(carrier_call_id));
    if (found != claims_.end()) return absl::make_optional(found->second.node_id);
  }
  return OwnerOf(carrier_call_id);
}

bool MemoryNodeTable::IsOrphan(const std::map<std::string, Node>& nodes, const CallRecord& call, absl::Time stored,
                               absl::Time now) {
  const bool settled = stored <= now - kSettleTime;
  const auto owner = nodes.find(call.owner.node_id);
  if (owner == nodes.end()) return settled;
  if (owner->second.record.state != NodeState::kGone) return false;
  return settled || !owner->second.found_dead;
}

absl::StatusOr<NodeTable::Reaped> MemoryNodeTable::Reap(absl::Duration grace, const call::Termination& termination,
                                                        absl::Time now, bool summaries_due, int limit) {
  absl::Status status = Fail("Reap");
  if (status.ok()) status = CheckNodeLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  for (auto& [id, node] : nodes_) {
    if (node.record.state == NodeState::kGone || node.lease_until >= Now() - grace) continue;
    node.record.state = NodeState::kGone;
    node.found_dead = true;
  }
  for (auto claim = claims_.begin(); claim != claims_.end();) {
    claim = claim->second.time < Now() - kClaimsKept ? claims_.erase(claim) : std::next(claim);
  }
  Reaped reaped;
  auto closed =
      calls_.CloseWhere([nodes = nodes_, at = Now()](const CallRecord& call,
                                                     absl::Time stored) { return IsOrphan(nodes, call, stored, at); },
                        termination, now, summaries_due, limit, /*raise_epoch=*/true);
  if (!closed.ok()) return closed.status();
  reaped.calls = *std::move(closed);
  reaped.more = reaped.calls.size() >= static_cast<size_t>(limit);
  for (const OpenCall& call : reaped.calls) {
    if (call.carrier_call_id.empty()) continue;
    hangups_.try_emplace(call.call_id, HangUp{{call.call_id, call.carrier_call_id, 0}, Now()});
  }
  return reaped;
}

absl::StatusOr<std::vector<HangUpJob>> MemoryNodeTable::TakeHangUps(absl::Duration patience, int limit) {
  absl::Status status = Fail("TakeHangUps");
  if (status.ok()) status = CheckNodeLimit(limit);
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  std::vector<HangUpJob> taken;
  for (auto& [call_id, hang_up] : hangups_) {
    if (hang_up.due > Now() || taken.size() >= static_cast<size_t>(limit)) continue;
    hang_up.due = Now() + patience;
    ++hang_up.job.attempts;
    taken.push_back(hang_up.job);
  }
  return taken;
}

absl::Status MemoryNodeTable::FinishHangUp(absl::string_view call_id) {
  if (absl::Status status = Fail("FinishHangUp"); !status.ok()) return status;
  base::MutexLock lock(mutex_);
  hangups_.erase(std::string(call_id));
  return absl::OkStatus();
}

}  // namespace callbridge::store
