#ifndef CALLBRIDGE_SRC_NODES_SPEECH_SERVICE_H_
#define CALLBRIDGE_SRC_NODES_SPEECH_SERVICE_H_

#include "callbridge/node/v1/node_service.grpc.pb.h"
#include "src/control/authorize.h"
#include "src/events/speech_hub.h"

namespace callbridge::nodes {

// The owner's side of a transcript that is read at another node: what is said here, as the hub has it.
class SpeechService final : public node::v1::SpeechService::CallbackService {
 public:
  // Both outlive the server that this is registered with.
  SpeechService(const control::Authorizer& authorizer, events::SpeechHub& hub) : authorizer_(authorizer), hub_(hub) {}

  grpc::ServerWriteReactor<node::v1::FollowSpeechResponse>* FollowSpeech(
      grpc::CallbackServerContext* context, const node::v1::FollowSpeechRequest* request) override;

 private:
  const control::Authorizer& authorizer_;
  events::SpeechHub& hub_;
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_SPEECH_SERVICE_H_
