#ifndef CALLBRIDGE_TESTS_FAKES_FAKE_WS_CONNECTION_H_
#define CALLBRIDGE_TESTS_FAKES_FAKE_WS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "src/net/loop.h"
#include "src/net/ws_connection.h"

namespace callbridge::testing {

// A WebSocket without a socket: records what is sent, and the test plays the peer. It keeps the promises of net::WsConnection:
// the listener hears nothing inside a method of the connection (OnClosed after Close() or Abort() is posted to the loop),
// OnClosed is the last call and comes once. What the peer does reaches the listener at once.
class FakeWsConnection final : public net::WsConnection {
 public:
  // `loop` gives the time and outlives the connection; `listener` as net::WsConnection::Listener says.
  FakeWsConnection(net::Loop& loop, Listener& listener);

  // The peer's side. Each does nothing once the connection has closed; messages do nothing before Open() either.
  void Open();
  void Receive(absl::string_view text);
  void ReceiveBinary(size_t bytes);
  void Hear();  // A pong.
  void PeerClose(int code, absl::string_view reason = "");
  void PeerVanish() { PeerClose(1006); }
  void FailToOpen(absl::string_view error, int http_status = 0);

  // While true Send() refuses, as it does when the peer reads too slowly.
  void set_refuse_sends(bool refuse) { refuse_sends_ = refuse; }
  void set_unsent_bytes(size_t bytes) { unsent_bytes_ = bytes; }
  // While false the peer does not answer Close(); the test plays the end of the wait with PeerVanish().
  void set_answers_close(bool answers) { answers_close_ = answers; }

  // Whole messages in the order sent.
  const std::vector<std::string>& sent() const { return sent_; }
  // The same, and forgets them.
  std::vector<std::string> TakeSent();
  bool is_open() const { return state_ == State::kOpen; }
  bool closed() const { return state_ == State::kClosed; }
  // What Close() was called with first; 0 if it was not.
  int close_code() const { return close_code_; }
  const std::string& close_reason() const { return close_reason_; }
  bool aborted() const { return aborted_; }
  // Whether Detach() was called (or OnClosed was delivered).
  bool detached() const { return listener_ == nullptr; }

  bool Send(absl::Span<const absl::string_view> parts) override;
  using net::WsConnection::Send;
  size_t unsent_bytes() const override { return unsent_bytes_; }
  absl::Time last_heard() const override { return last_heard_; }
  void Close(uint16_t code, absl::string_view reason) override;
  void Abort() override;
  void Detach() override { listener_ = nullptr; }

 private:
  enum class State { kConnecting, kOpen, kClosing, kClosed };

  bool Hears() const { return state_ == State::kOpen || state_ == State::kClosing; }
  void PostFinish(int code_if_opened);
  void Finish(net::WsClose close);

  net::Loop& loop_;
  Listener* listener_;
  State state_ = State::kConnecting;
  bool opened_ = false;
  bool refuse_sends_ = false;
  bool answers_close_ = true;
  bool aborted_ = false;
  bool by_us_ = false;
  int close_code_ = 0;
  std::string close_reason_;
  size_t unsent_bytes_ = 0;
  absl::Time last_heard_;
  std::vector<std::string> sent_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // What was posted looks at it first.
};

// Makes FakeWsConnections and keeps them; the test opens or fails each.
class FakeWsConnector final : public net::WsConnector {
 public:
  explicit FakeWsConnector(net::Loop& loop) : loop_(loop) {}

  std::shared_ptr<net::WsConnection> Connect(const net::WsClientOptions& options,
                                             net::WsConnection::Listener& listener) override;

  // In the order of Connect().
  const std::vector<std::shared_ptr<FakeWsConnection>>& connections() const { return connections_; }
  const std::vector<net::WsClientOptions>& options() const { return options_; }
  // The newest; at least one must have been made.
  FakeWsConnection& last() { return *connections_.back(); }

 private:
  net::Loop& loop_;
  std::vector<std::shared_ptr<FakeWsConnection>> connections_;
  std::vector<net::WsClientOptions> options_;
};

}  // namespace callbridge::testing

#endif  // CALLBRIDGE_TESTS_FAKES_FAKE_WS_CONNECTION_H_
