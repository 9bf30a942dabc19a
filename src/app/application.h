#ifndef CALLBRIDGE_SRC_APP_APPLICATION_H_
#define CALLBRIDGE_SRC_APP_APPLICATION_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/app/options.h"
#include "src/control/access.h"
#include "src/session/settings.h"
#include "src/store/call_store.h"

namespace callbridge::app {

// The whole server: makes every part, in order, and takes them apart in the reverse order. One per process.
class Application {
 public:
  // What is put around the store, below the spool. For tests that give the database trouble.
  using WrapStore = std::function<std::unique_ptr<store::CallStore>(std::unique_ptr<store::CallStore>)>;

  // Opens the store, replays the spool and closes the ghosts of a previous run, listens. The message of an error is one
  // line that says what to do.
  static absl::StatusOr<std::unique_ptr<Application>> Start(const Options& options, session::Settings settings,
                                                            const WrapStore& wrap = nullptr);
  virtual ~Application() = default;

  // In place of who could use the gRPC port by the configuration so far. Any thread.
  virtual void SetAccess(control::AccessList access) = 0;

  // Reads the TLS files of the gRPC port and then of the node-to-node port again, for connections from now on.
  // kInvalidArgument: a port's cannot be used, which the message says with the flag, and its old ones stay. Nothing
  // without TLS. From one thread; blocks on the disk.
  virtual absl::Status LoadCertificates() = 0;

  // No new calls from now on: readiness and health fall, webhooks refuse.
  virtual void BeginDrain() = 0;
  virtual int live_calls() const = 0;
  // Whether streams are still leaving for other nodes, one after another.
  virtual bool IsDispersing() const = 0;

  // Whether each event loop takes its turn within `limit`: none is stuck. Blocks for at most so long; not on a loop.
  virtual bool LoopsTurn(absl::Duration limit) = 0;

  // Ends what is left, closes every socket, writes every record. Returns when all threads are joined.
  virtual void Stop() = 0;
};

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_APPLICATION_H_
