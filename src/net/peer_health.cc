#include "src/net/peer_health.h"

#include <algorithm>

namespace callbridge::net {

PeerHealth::Verdict PeerHealth::Look(absl::Time now) {
  const bool pings = limits_.ping_after > absl::ZeroDuration();
  Verdict verdict;
  if (pings && now - std::max(last_heard_, last_ping_) >= limits_.ping_after) {
    if (last_ping_ <= last_heard_) asked_at_ = now;
    last_ping_ = now;
    verdict.ping = true;
  }
  const absl::Time give_up = GiveUpTime();
  verdict.dead = now >= give_up;
  verdict.look_again = give_up;
  if (pings) verdict.look_again = std::min(give_up, std::max(last_heard_, last_ping_) + limits_.ping_after);
  return verdict;
}

// Counted from a ping where there are any: a loop that was held up for long must not take its own sleep for the peer's.
absl::Time PeerHealth::GiveUpTime() const {
  if (limits_.dead_after <= absl::ZeroDuration()) return absl::InfiniteFuture();
  if (limits_.ping_after <= absl::ZeroDuration()) return last_heard_ + limits_.dead_after;
  if (asked_at_ <= last_heard_) return absl::InfiniteFuture();
  return asked_at_ + std::max(limits_.dead_after - limits_.ping_after, absl::ZeroDuration());
}

}  // namespace callbridge::net
