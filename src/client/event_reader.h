#ifndef CALLBRIDGE_SRC_CLIENT_EVENT_READER_H_
#define CALLBRIDGE_SRC_CLIENT_EVENT_READER_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "callbridge/v1/event.pb.h"
#include "src/client/channel.h"

namespace callbridge::client {

// Which events, and from where.
struct EventReaderOptions {
  std::string call;                      // `calls/{uuid}`; empty: all calls.
  std::string after_cursor;              // What cursor() said before, in this process or another. Empty: as below.
  bool from_beginning = false;           // With the first event that is kept; else with what happens from now on.
  std::vector<std::string> event_types;  // Empty: all.
  absl::Duration heartbeat = absl::Seconds(
      15);  // 1 s to 5 min. A stream on which nothing comes for three times as long is given up and begun again.
  size_t ahead = 256;  // How many events are read before Next asks for them, 1 or more.
};

// What Next hands out.
struct Reading {
  enum class Kind {
    kNothing,   // Nothing came in the time given.
    kEvent,     // `event`.
    kCaughtUp,  // What had happened before is handed out. Once.
    kBreak,     // The stream broke, as `why` says; it is resumed. For logs: nothing need be done.
    kEnd,       // The call's last event was handed out: there will be nothing more.
  };
  Kind kind = Kind::kNothing;
  v1::CallEvent event;
  absl::Status why;
};

// CallEvents that goes on by itself after whatever breaks it, from where it was, and hands out each event once, in
// order within its call. Reads on a thread of its own; one thread uses it.
class EventReader {
 public:
  static std::unique_ptr<EventReader> Start(const std::shared_ptr<grpc::Channel>& channel, const ClientOptions& client,
                                            const EventReaderOptions& options);
  // Ends the stream, at once.
  virtual ~EventReader() = default;

  // The next thing, waited for at most so long. An error is one that going on cannot mend, and comes again when asked
  // again: a wrong argument or token, and
  //   kOutOfRange, CURSOR_EXPIRED {oldest_cursor}: events behind the cursor are not kept any more. Read what the calls
  //   are now, and begin at `oldest_cursor`. kOutOfRange, CURSOR_LOST {oldest_cursor}: the server's database was
  //   restored from a backup. Forget the events behind `oldest_cursor`, and begin there.
  virtual absl::StatusOr<Reading> Next(absl::Duration at_most) = 0;

  // Behind what Next has handed out: store it when that is dealt with, and begin there another time. Empty until the
  // server has said where it begins.
  virtual std::string cursor() const = 0;
};

}  // namespace callbridge::client

#endif  // CALLBRIDGE_SRC_CLIENT_EVENT_READER_H_
