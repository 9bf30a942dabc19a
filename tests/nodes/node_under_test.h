#ifndef CALLBRIDGE_TESTS_NODES_NODE_UNDER_TEST_H_
#define CALLBRIDGE_TESTS_NODES_NODE_UNDER_TEST_H_

#include <grpcpp/grpcpp.h>

#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "src/base/executor.h"
#include "src/base/mutex.h"
#include "src/control/control_server.h"
#include "src/control/forwarder.h"
#include "src/control/peer_authorizer.h"
#include "src/control/steering_service.h"
#include "src/events/event_hub.h"
#include "src/nodes/channels.h"
#include "src/nodes/node_server.h"
#include "src/nodes/remote_speech.h"
#include "src/nodes/speech_service.h"
#include "tests/control/server_under_test.h"
#include "tests/fakes/certificates.h"
#include "tests/fakes/fake_call_control.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::nodes {

// Files of a node's certificate of that authority, in the test's folder.
inline control::TlsFiles NodeFiles(const std::string& name, const testing::Certificate& ca) {
  const auto write = [&](const std::string& what, const std::string& text) {
    const std::string path = absl::StrCat(::testing::TempDir(), "/", name, "-", what, ".pem");
    std::ofstream(path) << text;
    return path;
  };
  // Pods' addresses are in no certificate: only the authority counts.
  const testing::Certificate own = testing::Issue(name, "DNS:" + name + ".nodes.test", &ca);
  return {write("cert", own.CertPem()), write("key", own.KeyPem()), write("ca", ca.CertPem())};
}

// Which nodes there are, as the tests want it.
class Addresses {
 public:
  void Set(const std::string& node_id, const std::string& address) {
    base::MutexLock lock(mutex_);
    by_id_[node_id] = address;
  }
  // The node is dead.
  void Remove(const std::string& node_id) { Set(node_id, ""); }
  // Nobody has heard of the node.
  void Forget(const std::string& node_id) {
    base::MutexLock lock(mutex_);
    by_id_.erase(node_id);
  }
  // Empty: it is dead. nullopt: there is none.
  absl::optional<std::string> Of(absl::string_view node_id) const {
    base::MutexLock lock(mutex_);
    const auto found = by_id_.find(std::string(node_id));
    if (found == by_id_.end()) return absl::nullopt;
    return found->second;
  }

 private:
  mutable base::Mutex mutex_;
  std::map<std::string, std::string> by_id_ ABSL_GUARDED_BY(mutex_);
};

// A node on loopback ports, over a store that it shares with others.
class NodeUnderTest {
 public:
  // `instead`: served on the node-to-node port in place of what a node has there.
  NodeUnderTest(const std::string& id, const control::TlsFiles& tls, store::MemoryCallStore& store,
                Addresses& addresses, control::ControlServerOptions options = {}, grpc::Service* instead = nullptr)
      : executor_("test-store"),
        channels_(*Channels::Open(tls)),
        forwarder_(id, store, [this, &addresses](absl::string_view node_id) { return ChannelTo(addresses, node_id); }),
        remote_speech_(id, [this, &addresses](absl::string_view node_id) { return ChannelTo(addresses, node_id); }),
        speech_service_(authorizer_, speech_),
        steering_(control_, store, executor_, authorizer_, &forwarder_, std::chrono::seconds(30),
                  control::SteeringService::Clients::kPeers) {
    base::SetLogEnabled(false);
    auto nodes = NodeServer::Start({"127.0.0.1:0", tls}, {instead != nullptr ? instead : &steering_, &speech_service_});
    EXPECT_TRUE(nodes.ok()) << nodes.status();
    node_server_ = *std::move(nodes);
    addresses.Set(id, node_server_->address());
    options.listen = "127.0.0.1:0";
    options.reflection = false;
    auto control = control::ControlServer::Start(
        options, {control_, store, executor_, hub_, &forwarder_, nullptr, {&speech_, &remote_speech_}});
    EXPECT_TRUE(control.ok()) << control.status();
    control_server_ = *std::move(control);
    stub_ =
        v1::CallService::NewStub(grpc::CreateChannel(control_server_->address(), grpc::InsecureChannelCredentials()));
  }

  v1::CallService::Stub& stub() { return *stub_; }
  session::FakeCallControl& control() { return control_; }
  events::EventHub& hub() { return hub_; }
  events::SpeechHub& speech() { return speech_; }
  NodeServer& node_server() { return *node_server_; }
  Channels& channels() { return *channels_; }
  int64_t count(control::ForwardOutcome outcome) const { return forwarder_.count(outcome); }

 private:
  absl::optional<std::shared_ptr<grpc::Channel>> ChannelTo(const Addresses& addresses, absl::string_view node_id) {
    const auto address = addresses.Of(node_id);
    if (!address.has_value()) return absl::nullopt;
    return address->empty() ? nullptr : channels_->To(*address);
  }

  session::FakeCallControl control_;
  events::EventHub hub_{0, 64};
  events::SpeechHub speech_;
  base::ThreadExecutor executor_;
  control::PeerAuthorizer authorizer_;
  std::unique_ptr<Channels> channels_;
  control::Forwarder forwarder_;
  RemoteSpeech remote_speech_;
  SpeechService speech_service_;
  control::SteeringService steering_;
  std::unique_ptr<NodeServer> node_server_;
  std::unique_ptr<control::ControlServer> control_server_;
  std::unique_ptr<v1::CallService::Stub> stub_;

 public:
  ~NodeUnderTest() {
    control_server_.reset();
    node_server_.reset();
    channels_.reset();
  }
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_TESTS_NODES_NODE_UNDER_TEST_H_
