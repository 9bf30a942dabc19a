#include "src/nodes/channels.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace callbridge::nodes {
namespace {

constexpr int kKeepaliveTimeMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
constexpr int kFirstBackoffMs = 200;
constexpr int kLongestBackoffMs = 2'000;
constexpr int kConnectLimitMs = 2'000;
constexpr absl::Duration kLastHolder = absl::Seconds(5);

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstBackoffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestBackoffMs);
  // Despite its name, how long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectLimitMs);
  // A proxy from the environment is for the world outside.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Channels>> Channels::Open(const control::TlsFiles& files) {
  std::unique_ptr<Channels> channels(new Channels(files));
  if (absl::Status status = channels->LoadCertificates(); !status.ok()) return status;
  return channels;
}

absl::Status Channels::LoadCertificates() {
  auto credentials = control::MakePeerCredentials(files_, control::kNodeTlsFlags);
  if (!credentials.ok()) return credentials.status();
  base::MutexLock lock(mutex_);
  credentials_ = *std::move(credentials);
  for (auto& [address, channel] : by_address_) retired_.push_back(std::move(channel));
  by_address_.clear();
  DropRetired();
  return absl::OkStatus();
}

void Channels::DropRetired() {
  const auto unheld = [](const std::shared_ptr<grpc::Channel>& channel) { return channel.use_count() == 1; };
  retired_.erase(std::remove_if(retired_.begin(), retired_.end(), unheld), retired_.end());
}

Channels::~Channels() {
  const absl::Time deadline = absl::Now() + kLastHolder;
  for (;;) {
    KeepOnly({});
    if (size() == 0 || absl::Now() > deadline) return;
    absl::SleepFor(absl::Milliseconds(5));
  }
}

std::shared_ptr<grpc::Channel> Channels::To(const std::string& address) {
  base::MutexLock lock(mutex_);
  auto& channel = by_address_[address];
  if (channel == nullptr) channel = grpc::CreateCustomChannel(address, credentials_, Arguments());
  return channel;
}

void Channels::KeepOnly(const std::set<std::string>& addresses) {
  base::MutexLock lock(mutex_);
  for (auto it = by_address_.begin(); it != by_address_.end();) {
    // Nobody gets hold of it while the mutex is held.
    const bool drop = addresses.count(it->first) == 0 && it->second.use_count() == 1;
    it = drop ? by_address_.erase(it) : std::next(it);
  }
  DropRetired();
}

size_t Channels::size() const {
  base::MutexLock lock(mutex_);
  return by_address_.size() + retired_.size();
}

}  // namespace callbridge::nodes
