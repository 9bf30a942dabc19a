#ifndef CALLBRIDGE_SRC_NODES_CHANNELS_H_
#define CALLBRIDGE_SRC_NODES_CHANNELS_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/base/mutex.h"
#include "src/control/credentials.h"

namespace callbridge::nodes {

// Ways to other nodes' node-to-node ports: one channel for each address, kept. A peer that has fallen silent (frozen,
// or cut off) is noticed within 15 s, one that is back is reached again within 2 s. Thread-safe.
class Channels {
 public:
  // Without a certificate: plaintext. kInvalidArgument: a file cannot be used; the message names its flag.
  static absl::StatusOr<std::unique_ptr<Channels>> Open(const control::TlsFiles& files);

  // Waits until nobody else holds a channel, for 5 s at most: gRPC must not see its last channel go from one of its own
  // threads. So not on one of those, and when the servers whose requests were passed on have been shut down.
  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  // Never null; connects when it is first used. Never blocks. Hold it as long as an RPC runs, not longer.
  std::shared_ptr<grpc::Channel> To(const std::string& address);

  // Reads the files again, for channels from now on; those that somebody holds go on until they are let go. With an
  // error as Open() nothing changes. Blocks on the disk. Not on a thread of gRPC's.
  absl::Status LoadCertificates() ABSL_LOCKS_EXCLUDED(mutex_);

  // Drops the channels to other addresses that nobody holds. Not on a thread of gRPC's.
  void KeepOnly(const std::set<std::string>& addresses);

  size_t size() const;

 private:
  explicit Channels(control::TlsFiles files) : files_(std::move(files)) {}
  void DropRetired() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const control::TlsFiles files_;
  mutable base::Mutex mutex_;
  std::shared_ptr<grpc::ChannelCredentials> credentials_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<grpc::Channel>> by_address_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<grpc::Channel>> retired_ ABSL_GUARDED_BY(mutex_);  // With old credentials, and held.
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_CHANNELS_H_
