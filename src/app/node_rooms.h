#ifndef CALLBRIDGE_SRC_APP_NODE_ROOMS_H_
#define CALLBRIDGE_SRC_APP_NODE_ROOMS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/app/options.h"
#include "src/base/executor.h"
#include "src/carrier/carrier_api.h"
#include "src/nodes/hang_ups.h"
#include "src/nodes/membership.h"
#include "src/nodes/turn_thread.h"
#include "src/session/call_control.h"
#include "src/store/call_store.h"
#include "src/store/node_table.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace callbridge::control {
class Forwarder;
class PeerAuthorizer;
class SteeringService;
}  // namespace callbridge::control

namespace callbridge::events {
class SpeechElsewhere;
}  // namespace callbridge::events

namespace callbridge::nodes {
class Channels;
class NodeServer;
class RemoteSpeech;
}  // namespace callbridge::nodes

namespace callbridge::app {

// What a process has that is one of several nodes (--node_listen), and one that is alone has not. All methods from one
// thread, but where it says otherwise.
class NodeRooms {
 public:
  // Has a new id, the table and the ways to others, and is known to nobody yet. Errors are one line that names a flag.
  static absl::StatusOr<std::unique_ptr<NodeRooms>> Open(const Options& options);
  ~NodeRooms();

  const std::string& id() const { return self_.node_id; }
  store::NodeTable& table() { return *table_; }
  nodes::Channels& channels() { return *channels_; }
  nodes::Directory& directory() { return *membership_; }
  control::Forwarder& forwarder() { return *forwarder_; }
  // What is said in other nodes' calls. After MakeRooms().
  events::SpeechElsewhere& speech();
  // Whether another node takes calls. Any thread.
  bool HasOthers() const;
  // As Membership::known(). Any thread.
  std::vector<nodes::Membership::Known> Known() const { return membership_->known(); }
  // The way to another node. nullopt: this process has not heard of it; null: it is dead. Any thread, until Stop().
  absl::optional<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view node_id) const;

  // All outlive the object.
  struct Deps {
    session::CallControl* control = nullptr;
    store::CallStore* store = nullptr;
    base::Executor* read_executor = nullptr;
    carrier::CarrierApi* carrier = nullptr;
    std::function<int64_t()> live_calls;
    std::function<int64_t()> fenced_writes;
    std::function<void()> on_lost;  // Others have given the place of this node away: no new calls. On a thread of its.
    int64_t max_calls = 0;
    bool summaries_due = false;
  };
  // Connects it to the rest of the process. Before all below, once.
  void MakeRooms(Deps deps);

  // Opens the node-to-node port, with `further` services beside its own. They outlive StopServing().
  absl::Status Listen(std::vector<grpc::Service*> further);

  // Enters this process among the nodes: other nodes may ask it from here on. `media_port` is that of --http_listen.
  absl::Status Join(int media_port);

  // Reads the TLS files of the node-to-node port and of the ways to others again, for connections from now on. After
  // Listen(). kInvalidArgument: they cannot be used, and those that were read before stay.
  absl::Status LoadCertificates();

  // Others see that it takes no new calls. Nothing before Join(). Any thread.
  void Drain();

  // No more requests from other nodes.
  void StopServing();

  // No more renewals and no more requests to other nodes; those of clients must be over. `leave`: nothing of this node
  // is unwritten, so its place is given up; else whatever is missing has until the lease is over.
  void Stop(bool leave);

  // In Prometheus' text format. Any thread.
  std::string Metrics() const;

 private:
  NodeRooms(const Options& options, std::unique_ptr<store::NodeTable> table, std::unique_ptr<nodes::Channels> channels);

  void Leave();

  const Options& options_;
  const std::unique_ptr<store::NodeTable> table_;
  std::unique_ptr<nodes::Channels> channels_;
  store::NodeRecord self_;
  Deps deps_;
  std::unique_ptr<nodes::Membership> membership_;
  std::unique_ptr<nodes::HangUps> hang_ups_;
  std::unique_ptr<control::PeerAuthorizer> authorizer_;
  std::unique_ptr<control::Forwarder> forwarder_;
  std::unique_ptr<nodes::RemoteSpeech> speech_;
  std::unique_ptr<control::SteeringService> steering_;
  std::unique_ptr<nodes::NodeServer> server_;
  std::vector<std::unique_ptr<nodes::TurnThread>> hang_up_threads_;
  std::unique_ptr<nodes::TurnThread> thread_;
};

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_NODE_ROOMS_H_
