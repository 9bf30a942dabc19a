#ifndef CALLBRIDGE_SRC_APP_SERVICE_MANAGER_H_
#define CALLBRIDGE_SRC_APP_SERVICE_MANAGER_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace callbridge::app {

// systemd, if it started this process as Type=notify: it is told when the server is ready, that it lives, and that it
// stops. The protocol (sd_notify(3), which promises to keep it) is one datagram of NAME=value lines to the socket that
// $NOTIFY_SOCKET names. Without that variable nothing is ever sent. Not thread-safe.
class ServiceManager {
 public:
  // What the environment says, as systemd sets it: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID.
  static ServiceManager FromEnvironment();

  // `watchdog`: within which time it wants to hear Alive(); InfiniteDuration: never.
  ServiceManager(std::string socket, absl::Duration watchdog) : socket_(std::move(socket)), watchdog_(watchdog) {}

  void Ready(absl::string_view status) const;
  void Alive() const;
  void Stopping(absl::string_view status) const;
  // ... and needs so much longer for it, from now on.
  void StillStopping(absl::Duration longer) const;

  // How often to say that one is alive: three times as often as it is asked for. At most an hour.
  absl::Duration alive_period() const;
  bool wants_alive() const { return watchdog_ < absl::InfiniteDuration(); }

 private:
  void Send(const std::string& lines) const;

  std::string socket_;  // Empty: nobody listens. "@name": Linux' abstract namespace.
  absl::Duration watchdog_;
};

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_SERVICE_MANAGER_H_
