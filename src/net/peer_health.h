#ifndef CALLBRIDGE_SRC_NET_PEER_HEALTH_H_
#define CALLBRIDGE_SRC_NET_PEER_HEALTH_H_

#include "absl/time/time.h"
#include "src/net/ws_connection.h"

namespace callbridge::net {

// Whether the peer of an open connection still lives, as WsHealth says. Time is an argument; not thread-safe.
class PeerHealth {
 public:
  PeerHealth(const WsHealth& limits, absl::Time now) : limits_(limits), last_heard_(now) {}

  // Something came from the peer.
  void Heard(absl::Time now) { last_heard_ = now; }
  absl::Time last_heard() const { return last_heard_; }

  struct Verdict {
    bool dead = false;
    bool ping = false;                               // Send one now.
    absl::Time look_again = absl::InfiniteFuture();  // After `now`, unless the peer is dead.
  };
  // Call it when the connection opens and then whenever look_again has come.
  Verdict Look(absl::Time now);

 private:
  absl::Time GiveUpTime() const;

  const WsHealth limits_;
  absl::Time last_heard_;
  absl::Time last_ping_ = absl::InfinitePast();
  absl::Time asked_at_ = absl::InfinitePast();  // The first ping that nothing was heard since.
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_PEER_HEALTH_H_
