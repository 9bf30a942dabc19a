#include "src/nodes/remote_speech.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <atomic>

#include "callbridge/node/v1/node_service.grpc.pb.h"
#include "src/base/mutex.h"
#include "src/control/peer_authorizer.h"

namespace callbridge::nodes {
namespace {

// Keeps itself alive from Start() until OnDone().
class Reader final : public grpc::ClientReadReactor<node::v1::FollowSpeechResponse>,
                     public std::enable_shared_from_this<Reader> {
 public:
  Reader(std::shared_ptr<grpc::Channel> channel, const std::string& call_id, events::SpeechHub::Take take)
      : channel_(std::move(channel)), stub_(node::v1::SpeechService::NewStub(channel_)), take_(std::move(take)) {
    request_.set_call_id(call_id);
    words_.call_id = call_id;
  }

  void Start() {
    self_ = shared_from_this();
    control::AddPeerMetadata("node", context_);
    stub_->async()->FollowSpeech(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }

  void End() ABSL_LOCKS_EXCLUDED(mutex_) {
    context_.TryCancel();
    base::MutexLock lock(mutex_);
    take_ = nullptr;
  }

  bool ended() const { return ended_; }

 private:
  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_) {
    if (!ok) return;
    words_.item_id = message_.item_id();
    words_.role = message_.by_caller() ? call::Role::kCaller : call::Role::kAssistant;
    words_.offset = static_cast<size_t>(message_.offset());
    words_.text = message_.text();
    {
      base::MutexLock lock(mutex_);
      if (take_) take_(words_);
    }
    StartRead(&message_);
  }

  void OnDone(const grpc::Status&) override {
    ended_ = true;
    const std::shared_ptr<Reader> last = std::move(self_);
  }

  // The channels' owner holds it too, and longer: this is never the last to let it go.
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<node::v1::SpeechService::Stub> stub_;
  grpc::ClientContext context_;
  node::v1::FollowSpeechRequest request_;
  node::v1::FollowSpeechResponse message_;
  events::SpokenWords words_;
  std::atomic<bool> ended_{false};
  std::shared_ptr<Reader> self_;
  base::Mutex mutex_;
  events::SpeechHub::Take take_ ABSL_GUARDED_BY(mutex_);
};

class Handle final : public events::SpeechElsewhere::Following {
 public:
  explicit Handle(std::shared_ptr<Reader> reader) : reader_(std::move(reader)) {}
  ~Handle() override { reader_->End(); }
  bool ended() const override { return reader_->ended(); }

 private:
  const std::shared_ptr<Reader> reader_;
};

}  // namespace

std::unique_ptr<events::SpeechElsewhere::Following> RemoteSpeech::Follow(const std::string& node_id,
                                                                         const std::string& call_id,
                                                                         events::SpeechHub::Take take) {
  if (node_id.empty() || node_id == self_id_) return nullptr;
  auto channel = channel_to_(node_id);
  if (!channel || *channel == nullptr) return nullptr;
  const auto reader = std::make_shared<Reader>(*std::move(channel), call_id, std::move(take));
  reader->Start();
  return std::make_unique<Handle>(reader);
}

}  // namespace callbridge::nodes
