#include "src/net/relay.h"

#include <array>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "asio.hpp"
#include "src/base/log.h"

namespace callbridge::net {
namespace {

using asio::ip::tcp;

constexpr size_t kBufferBytes = 16 << 10;
constexpr auto kLinger = std::chrono::seconds(1);
constexpr size_t kMaxLingerBytes = 4 << 20;
constexpr int kIdleLooks = 2;  // In an idle limit.
constexpr absl::string_view kUnreachable =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 34\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "\r\n"
    "the call's node cannot be reached\n";

// One accepted socket and its counterpart.
//
//   look-up -> connect -> both directions flow -> gone
//                     \-> 503, linger -> gone
//
// To linger is to read and drop what the peer has sent, which closing would answer with a reset that destroys the 503.
class Pair final : public std::enable_shared_from_this<Pair> {
 public:
  Pair(AsioLoop& loop, const RelayOptions& options, std::shared_ptr<void> slot, base::Task gone)
      : options_(options),
        slot_(std::move(slot)),
        gone_(std::move(gone)),
        resolver_(loop.io()),
        timer_(loop.io()),
        near_(loop.io()),
        far_(loop.io()) {}

  void Start(AcceptedSocket& accepted, const std::string& to);
  void Cut();

 private:
  // What comes from `from` and goes to `to`.
  struct Direction {
    tcp::socket& from;
    tcp::socket& to;
    size_t begin = 0;  // Of what is still to be written.
    size_t end = 0;
    bool over = false;
    std::array<char, kBufferBytes> buffer;
  };

  void Find(const std::string& to);
  void Connect(const tcp::resolver::results_type& endpoints);
  void OnConnected(const asio::error_code& error);
  void Read(Direction& direction);
  void Write(Direction& direction);
  void AwaitWritable(Direction& direction);
  void End(Direction& direction);
  void Refuse(absl::string_view why);
  void Drop();
  void WatchIdle();

  // `then` runs unless the pair is gone meanwhile.
  template <typename Then>
  auto IfHere(Then then) {
    return [self = shared_from_this(), then](const asio::error_code& error, auto&&... result) {
      if (self->gone_) then(*self, error, result...);
    };
  }
  template <typename Then>
  void After(std::chrono::nanoseconds wait, Then then) {
    timer_.expires_after(wait);
    timer_.async_wait(IfHere([then](Pair& self, const asio::error_code& error) {
      if (!error) then(self);
    }));
  }

  const RelayOptions options_;
  std::shared_ptr<void> slot_;
  base::Task gone_;  // Empty: all is over.
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  tcp::socket near_;
  tcp::socket far_;
  Direction there_{near_, far_, 0, 0, false, {}};
  Direction back_{far_, near_, 0, 0, false, {}};
  std::string to_;
  bool connecting_ = true;
  int idle_looks_ = 0;  // In a row.
  size_t dropped_ = 0;
};

void Pair::Start(AcceptedSocket& accepted, const std::string& to) {
  asio::error_code error;
  const int fd = accepted.fd.Release();
  near_.assign(accepted.ipv6 ? tcp::v6() : tcp::v4(), fd, error);
  if (error) {
    OwnedFd closes(fd);
    return Cut();
  }
  near_.non_blocking(true, error);
  near_.set_option(tcp::no_delay(true), error);
  to_ = to;
  After(absl::ToChronoNanoseconds(options_.connect_timeout), [](Pair& self) { self.Refuse("no answer in time"); });
  Find(to);
}

void Pair::Find(const std::string& to) {
  const size_t colon = to.rfind(':');
  absl::string_view host = absl::string_view(to).substr(0, colon);
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(to.substr(colon + 1), &port) || port < 1 || port > 65535)
    return Refuse("not host:port");
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  asio::error_code error;
  const auto address = asio::ip::make_address(std::string(host), error);
  if (!error) {
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(port));
    return Connect(tcp::resolver::results_type::create(endpoint, std::string(host), ""));
  }
  resolver_.async_resolve(std::string(host), std::to_string(port),
                          IfHere([](Pair& self, const asio::error_code& failed, const auto& endpoints) {
                            if (!self.connecting_) return;
                            if (failed) return self.Refuse(failed.message());
                            self.Connect(endpoints);
                          }));
}

void Pair::Connect(const tcp::resolver::results_type& endpoints) {
  asio::async_connect(far_, endpoints, IfHere([](Pair& self, const asio::error_code& error, const auto&) {
                        if (self.connecting_) self.OnConnected(error);
                      }));
}

void Pair::OnConnected(const asio::error_code& error) {
  if (error) return Refuse(error.message());
  connecting_ = false;
  timer_.cancel();
  asio::error_code ignored;
  far_.non_blocking(true, ignored);
  far_.set_option(tcp::no_delay(true), ignored);
  WatchIdle();
  Read(there_);
  Read(back_);
}

void Pair::Read(Direction& direction) {
  direction.from.async_read_some(asio::buffer(direction.buffer),
                                 IfHere([&direction](Pair& self, const asio::error_code& error, size_t bytes) {
                                   if (error == asio::error::eof) return self.End(direction);
                                   if (error) return self.Cut();
                                   self.idle_looks_ = 0;
                                   direction.begin = 0;
                                   direction.end = bytes;
                                   self.Write(direction);
                                 }));
}

void Pair::Write(Direction& direction) {
  while (direction.begin < direction.end) {
    asio::error_code error;
    const auto rest = asio::buffer(direction.buffer.data() + direction.begin, direction.end - direction.begin);
    direction.begin += direction.to.write_some(rest, error);
    if (error == asio::error::would_block) return AwaitWritable(direction);
    if (error) return Cut();
  }
  Read(direction);
}

void Pair::AwaitWritable(Direction& direction) {
  direction.to.async_wait(tcp::socket::wait_write, IfHere([&direction](Pair& self, const asio::error_code& error) {
                            if (error) return self.Cut();
                            self.Write(direction);
                          }));
}

void Pair::End(Direction& direction) {
  direction.over = true;
  if (there_.over && back_.over) return Cut();
  asio::error_code error;
  direction.to.shutdown(tcp::socket::shutdown_send, error);
  if (error) Cut();
}

void Pair::Refuse(absl::string_view why) {
  connecting_ = false;
  base::Log(base::LogKind::kTrouble, "", "a stream could not be passed on to its call's node",
            {{"to", to_}, {"why", std::string(why)}});
  resolver_.cancel();
  asio::error_code error;
  far_.close(error);
  // A socket that has sent nothing yet takes so little at once.
  near_.write_some(asio::buffer(kUnreachable.data(), kUnreachable.size()), error);
  near_.shutdown(tcp::socket::shutdown_send, error);
  After(kLinger, [](Pair& self) { self.Cut(); });
  Drop();
}

void Pair::Drop() {
  near_.async_read_some(asio::buffer(there_.buffer),
                        IfHere([](Pair& self, const asio::error_code& error, size_t bytes) {
                          self.dropped_ += bytes;
                          if (error || self.dropped_ > kMaxLingerBytes) return self.Cut();
                          self.Drop();
                        }));
}

// Counts looks, not time: after a long sleep of this process one look comes at once, and what has arrived is read
// before the next.
void Pair::WatchIdle() {
  if (options_.idle_limit <= absl::ZeroDuration()) return;
  After(absl::ToChronoNanoseconds(options_.idle_limit / kIdleLooks), [](Pair& self) {
    if (++self.idle_looks_ > kIdleLooks) return self.Cut();
    self.WatchIdle();
  });
}

void Pair::Cut() {
  if (!gone_) return;
  base::Task gone = std::exchange(gone_, nullptr);
  timer_.cancel();
  resolver_.cancel();
  asio::error_code ignored;
  near_.close(ignored);
  far_.close(ignored);
  slot_ = nullptr;
  gone();
}

class LoopRelay final : public Relay {
 public:
  LoopRelay(AsioLoop& loop, const RelayOptions& options) : loop_(loop), options_(options) {
    stop_hook_ = loop.AddStopHook([this] { CutAll(); });
  }
  ~LoopRelay() override { loop_.RemoveStopHook(stop_hook_); }

  void Adopt(AcceptedSocket accepted, const std::string& to) override {
    if (cut_) return;
    const int id = next_id_++;
    auto pair = std::make_shared<Pair>(loop_, options_, std::move(accepted.slot), [this, id] { pairs_.erase(id); });
    pairs_.emplace(id, pair);
    pair->Start(accepted, to);
  }

  void CutAll() override {
    cut_ = true;
    const auto pairs = std::move(pairs_);
    pairs_.clear();
    for (const auto& [id, pair] : pairs) pair->Cut();
  }

 private:
  AsioLoop& loop_;
  const RelayOptions options_;
  int stop_hook_ = 0;
  int next_id_ = 0;
  bool cut_ = false;
  std::unordered_map<int, std::shared_ptr<Pair>> pairs_;
};

}  // namespace

std::shared_ptr<Relay> Relay::New(AsioLoop& loop, const RelayOptions& options) {
  return std::make_shared<LoopRelay>(loop, options);
}

}  // namespace callbridge::net
