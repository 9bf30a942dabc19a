#ifndef CALLBRIDGE_SRC_NODES_WEBHOOK_ROUTER_H_
#define CALLBRIDGE_SRC_NODES_WEBHOOK_ROUTER_H_

#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/base/executor.h"
#include "src/base/http_message.h"
#include "src/base/mutex.h"
#include "src/http/webhooks.h"
#include "src/nodes/channels.h"
#include "src/nodes/directory.h"
#include "src/store/node_table.h"

namespace callbridge::nodes {

// Answers the carrier's webhooks wherever they arrive: here, or by asking the node whose call they are about, once.
//
//   a token that names a node       that node; one that nobody knows, after a wait for news, is dead
//   an id of a call known here      here
//   any other id of a call          who has claimed it, as the table says: with /answer this node if nobody has
//   none of these                   here
//
// The database may be away: what it does not say in Options::table_limit is answered here. An owner that cannot be
// reached makes a 503 with Retry-After, so that a proxy asks another node. If it has no lease either it is dead, and
// its calls are over: the carrier is told to hang up, and a hang-up notice is settled here. A node that takes no new
// calls leaves them to another.
//
// Nothing is asked or passed on for a request that the carrier has not signed. Thread-safe.
class WebhookRouter {
 public:
  struct Options {
    absl::Duration table_limit = absl::Milliseconds(500);
    absl::Duration owner_limit = absl::Seconds(3);
    // For a node that is not known: it may have joined after others have been asked about last.
    absl::Duration stranger_limit = absl::Milliseconds(2500);
  };
  struct Deps {
    const Directory* directory = nullptr;
    Channels* channels = nullptr;
    store::NodeTable* table = nullptr;
    base::Executor* executor = nullptr;  // For the table.
    http::Webhooks* webhooks = nullptr;
    std::function<bool(absl::string_view carrier_call_id)> is_here;  // Any thread.
    std::function<bool()> accepting;                                 // Whether new calls are taken. Any thread.
  };
  // What `deps` refers to outlives this.
  WebhookRouter(const Options& options, Deps deps);

  // Waits for the requests under way, and so for the executor's turn. Not on a thread of gRPC's.
  ~WebhookRouter();

  // `done` is called exactly once, inside this call or later, on any thread.
  using Done = std::function<void(base::HttpResponse)>;
  void Handle(const base::HttpRequest& request, Done done);

 private:
  struct Pending;
  using PendingPtr = std::shared_ptr<Pending>;

  void AskTable(const PendingPtr& pending);
  absl::StatusOr<absl::optional<std::string>> FindOwner(const http::Webhooks::Subject& subject);
  absl::optional<std::string> Taker();
  void Route(const PendingPtr& pending, const absl::StatusOr<absl::optional<std::string>>& owner);
  void Forward(const PendingPtr& pending, const std::string& node_id);
  void AwaitStranger(const PendingPtr& pending, const std::string& node_id);
  void OnForwarded(Pending& pending, const std::string& node_id, const grpc::Status& status);

  const Options options_;
  const Deps deps_;
  base::Mutex mutex_;
  base::CondVar ended_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t next_node_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_WEBHOOK_ROUTER_H_
