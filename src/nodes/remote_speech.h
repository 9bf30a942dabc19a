#ifndef CALLBRIDGE_SRC_NODES_REMOTE_SPEECH_H_
#define CALLBRIDGE_SRC_NODES_REMOTE_SPEECH_H_

#include <memory>
#include <string>
#include <utility>

#include "src/control/forwarder.h"
#include "src/events/speech_elsewhere.h"

namespace callbridge::nodes {

// What is said in calls of other nodes, from their SpeechService: one stream for each that reads along.
class RemoteSpeech final : public events::SpeechElsewhere {
 public:
  // What the function refers to outlives every stream that Follow() began.
  RemoteSpeech(std::string self_id, control::Forwarder::ChannelTo channel_to)
      : self_id_(std::move(self_id)), channel_to_(std::move(channel_to)) {}

  std::unique_ptr<Following> Follow(const std::string& node_id, const std::string& call_id,
                                    events::SpeechHub::Take take) override;

 private:
  const std::string self_id_;
  const control::Forwarder::ChannelTo channel_to_;
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_REMOTE_SPEECH_H_
