#ifndef CALLBRIDGE_SRC_CONTROL_FORWARDER_H_
#define CALLBRIDGE_SRC_CONTROL_FORWARDER_H_

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/store/call_store.h"

namespace callbridge::control {

// What came of a request that was passed on.
enum class ForwardOutcome {
  kAnswered,     // The owner's answer, be it yes or no.
  kMoved,        // The node that was asked did not have the call.
  kUnreachable,  // The owner is dead or does not answer.
  kGivenUp,      // The client's deadline passed, or it went away.
};
inline constexpr std::array<ForwardOutcome, 4> kForwardOutcomes = {
    ForwardOutcome::kAnswered, ForwardOutcome::kMoved, ForwardOutcome::kUnreachable, ForwardOutcome::kGivenUp};
absl::string_view Name(ForwardOutcome outcome);  // "answered", "moved", "unreachable", "given_up".

// Which node of several has a call, and the way to it. Thread-safe.
class Forwarder {
 public:
  // The way to a node. nullopt: this process has not heard of it (yet); null: it is dead, as far as this process knows.
  // Never blocks.
  using ChannelTo = std::function<absl::optional<std::shared_ptr<grpc::Channel>>(absl::string_view node_id)>;

  // The store and what the function refers to outlive this.
  Forwarder(std::string self_id, store::CallStore& store, ChannelTo channel_to)
      : self_id_(std::move(self_id)), store_(store), channel_to_(std::move(channel_to)) {}

  struct Owner {
    std::string node_id;
    std::shared_ptr<grpc::Channel> channel;  // Null: a stranger, who may have joined a moment ago. Look again soon.
  };
  // The other node that has the call now. nullopt: none; it is over, or this process is to answer for it. Errors:
  // kUnavailable OWNER_UNREACHABLE when the owner is dead, else the store's. Blocks on the store.
  absl::StatusOr<absl::optional<Owner>> Find(const std::string& call_id) const;

  // For a request that another node passed on, about a call that is not live here. OK: the call is over, answer it.
  // kAborted OWNER_CHANGED: it goes on, but not here. Blocks on the store.
  absl::Status CheckOver(const std::string& call_id) const;

  // What another node's answer means.
  static ForwardOutcome OutcomeOf(const grpc::Status& answer);

  // kUnavailable, with the node in the metadata. Logs why, which is not the client's business.
  static absl::Status Unreachable(absl::string_view call_id, absl::string_view node_id, const std::string& why);

  void Count(ForwardOutcome outcome) { counts_[static_cast<size_t>(outcome)].fetch_add(1); }
  int64_t count(ForwardOutcome outcome) const { return counts_[static_cast<size_t>(outcome)].load(); }

 private:
  const std::string self_id_;
  store::CallStore& store_;
  const ChannelTo channel_to_;
  std::array<std::atomic<int64_t>, kForwardOutcomes.size()> counts_ = {};
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_FORWARDER_H_
