#ifndef CALLBRIDGE_SRC_NET_WS_SOCKET_H_
#define CALLBRIDGE_SRC_NET_WS_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "asio.hpp"
#include "src/base/executor.h"
#include "src/base/log.h"
#include "src/net/asio_loop.h"
#include "src/net/peer_health.h"
#include "src/net/ws_config.h"
#include "src/net/ws_connection.h"
#include "src/net/ws_frame.h"

namespace callbridge::net {

// What a socket needs to know of the side that made it.
struct WsSocketOptions {
  bool is_client = false;
  size_t max_unsent_bytes = 0;
  WsHealth health;
};

// WsConnection over one websocketpp connection of either side. All on the loop's thread.
//
//   kConnecting --OnOpen--> kOpen --Close()--> kClosing
//        |                    |                    |
//        +--------------------+---- Finish() ------+--> kClosed (OnClosed was delivered)
//
// The library calls us through weak pointers; whoever made the socket owns it until `gone` was called, which is the
// last thing that happens.
template <typename Endpoint>
class WsSocket final : public WsConnection, public std::enable_shared_from_this<WsSocket<Endpoint>> {
 public:
  using ConnectionPtr = typename Endpoint::connection_ptr;
  using Message = typename Endpoint::connection_type::message_type;

  WsSocket(AsioLoop& loop, const WsSocketOptions& options, Listener& listener, base::Task gone)
      : loop_(loop), options_(options), listener_(&listener), gone_(std::move(gone)), timer_(loop.io()) {}

  // Takes the handlers of `connection`, which has not opened yet.
  void Bind(ConnectionPtr connection);

  // The connection fails with "timed out: `what`" unless it opens or the deadline is set anew before `wait` has passed.
  void SetConnectDeadline(absl::Duration wait, std::string what);

  // Later, on the loop: OnClosed with this error, unless it has closed before.
  void PostFailure(std::string error);

  // Never opened, or lost: OnClosed at once, and the socket is cut.
  void FailNow(std::string error);

  // As after Abort(), but at once.
  void CutNow();

  // Where a TLS handshake writes why we refuse the peer's certificate.
  std::shared_ptr<std::string> tls_error() const { return tls_error_; }
  bool finished() const { return state_ == State::kClosed; }

  bool Send(absl::Span<const absl::string_view> parts) override {
    return state_ == State::kOpen && !aborting_ && SendFrame(WsOpcode::kText, parts);
  }
  size_t unsent_bytes() const override { return *unsent_; }
  absl::Time last_heard() const override { return health_.last_heard(); }
  void Close(uint16_t code, absl::string_view reason) override;
  void Abort() override;
  void Detach() override { listener_ = nullptr; }

 private:
  enum class State { kConnecting, kOpen, kClosing, kClosed };

  // Counts its bytes from when it is made until the library lets go of it: when the socket has taken the batch that it
  // was written with, or the connection is gone. The library's own count ends when the write begins.
  class CountedMessage : public Message {
   public:
    CountedMessage(std::shared_ptr<size_t> count, WsOpcode opcode, size_t payload, std::string header)
        : Message(nullptr, static_cast<websocketpp::frame::opcode::value>(opcode), payload),
          count_(std::move(count)),
          bytes_(payload + header.size()) {
      *count_ += bytes_;
      this->set_header(header);
      this->set_prepared(true);
    }
    ~CountedMessage() { *count_ -= bytes_; }

   private:
    const std::shared_ptr<size_t> count_;
    const size_t bytes_;
  };

  template <typename Body>
  void Guarded(Body body);
  bool SendFrame(WsOpcode opcode, absl::Span<const absl::string_view> parts);
  void Watch();
  void OnOpen();
  void OnMessage(const Message& message);
  void OnLibraryClosed();
  void OnLibraryFailed();
  void Finish(WsClose close);

  AsioLoop& loop_;
  const WsSocketOptions options_;
  Listener* listener_;
  base::Task gone_;
  ConnectionPtr connection_;  // Null: there was never one (a malformed URL).
  asio::steady_timer timer_;  // Connecting: the deadline. Open: the next look at the peer's health.
  State state_ = State::kConnecting;
  bool opened_ = false;
  bool by_us_ = false;
  bool aborting_ = false;
  uint16_t close_code_ = 0;
  std::string close_reason_;
  PeerHealth health_{options_.health, loop_.clock().Now()};
  std::shared_ptr<size_t> unsent_ = std::make_shared<size_t>(0);
  std::shared_ptr<std::string> tls_error_ = std::make_shared<std::string>();
};

template <typename Endpoint>
void WsSocket<Endpoint>::Bind(ConnectionPtr connection) {
  connection_ = std::move(connection);
  using Handle = websocketpp::connection_hdl;
  const std::weak_ptr<WsSocket> weak = this->weak_from_this();
  connection_->set_open_handler([weak](Handle) {
    if (auto self = weak.lock()) self->Guarded([&] { self->OnOpen(); });
  });
  connection_->set_message_handler([weak](Handle, const typename Message::ptr& message) {
    if (auto self = weak.lock()) self->Guarded([&] { self->OnMessage(*message); });
  });
  connection_->set_ping_handler([weak](Handle, const std::string& payload) {
    if (auto self = weak.lock()) {
      self->health_.Heard(self->loop_.clock().Now());
      const absl::string_view part = payload;
      self->SendFrame(WsOpcode::kPong, absl::MakeConstSpan(&part, 1));
    }
    return false;  // The library's own pongs are not counted, and without end for a peer that only pings.
  });
  connection_->set_pong_handler([weak](Handle, const std::string&) {
    if (auto self = weak.lock()) self->health_.Heard(self->loop_.clock().Now());
  });
  connection_->set_close_handler([weak](Handle) {
    if (auto self = weak.lock()) self->Guarded([&] { self->OnLibraryClosed(); });
  });
  connection_->set_fail_handler([weak](Handle) {
    if (auto self = weak.lock()) self->Guarded([&] { self->OnLibraryFailed(); });
  });
}

template <typename Endpoint>
template <typename Body>
void WsSocket<Endpoint>::Guarded(Body body) {
  try {
    body();
  } catch (const std::exception& error) {
    base::Log(base::LogKind::kTrouble, "", "exception in a WebSocket's handler", {{"what", error.what()}});
    Abort();
  }
}

template <typename Endpoint>
void WsSocket<Endpoint>::SetConnectDeadline(absl::Duration wait, std::string what) {
  timer_.expires_after(absl::ToChronoNanoseconds(wait));
  timer_.async_wait([weak = this->weak_from_this(), what = std::move(what)](const asio::error_code& error) {
    auto self = weak.lock();
    if (error || !self || self->state_ != State::kConnecting) return;
    if (self->timer_.expiry() > std::chrono::steady_clock::now()) return;  // Set anew after this wait had expired.
    self->FailNow(absl::StrCat("timed out: ", what));
  });
}

template <typename Endpoint>
void WsSocket<Endpoint>::PostFailure(std::string error) {
  asio::post(loop_.io(), [self = this->shared_from_this(), error = std::move(error)] { self->FailNow(error); });
}

template <typename Endpoint>
void WsSocket<Endpoint>::FailNow(std::string error) {
  WsClose close;
  close.error = std::move(error);
  close.code = opened_ ? 1006 : 0;
  const auto self = this->shared_from_this();
  const ConnectionPtr connection = connection_;
  Finish(std::move(close));
  if (connection == nullptr) return;
  // Closed first: terminate() then has nothing to send or to wait for.
  asio::error_code ignored;
  connection->get_raw_socket().close(ignored);
  connection->terminate(make_error_code(websocketpp::error::operation_canceled));
}

template <typename Endpoint>
void WsSocket<Endpoint>::CutNow() {
  by_us_ = true;
  FailNow(opened_ ? "" : "closed before it opened");
}

template <typename Endpoint>
bool WsSocket<Endpoint>::SendFrame(WsOpcode opcode, absl::Span<const absl::string_view> parts) {
  if (connection_ == nullptr) return false;
  size_t size = 0;
  for (const absl::string_view part : parts) size += part.size();
  if (*unsent_ + size > options_.max_unsent_bytes) return false;
  absl::optional<uint32_t> mask;
  if (options_.is_client) {
    thread_local absl::BitGen random;
    mask = absl::Uniform<uint32_t>(random);
  }
  auto message = std::make_shared<CountedMessage>(unsent_, opcode, size, FrameHeader(opcode, size, mask));
  std::string& payload = message->get_raw_payload();
  for (const absl::string_view part : parts) payload.append(part.data(), part.size());
  if (mask) MaskPayload(&payload[0], payload.size(), *mask);
  return !connection_->send(typename Message::ptr(std::move(message)));
}

template <typename Endpoint>
void WsSocket<Endpoint>::Watch() {
  const absl::Time now = loop_.clock().Now();
  const PeerHealth::Verdict verdict = health_.Look(now);
  if (verdict.dead) {
    return FailNow(absl::StrCat("nothing heard for ", absl::FormatDuration(options_.health.dead_after)));
  }
  if (verdict.ping) SendFrame(WsOpcode::kPing, {});
  if (verdict.look_again == absl::InfiniteFuture()) return;
  timer_.expires_after(absl::ToChronoNanoseconds(verdict.look_again - now));
  timer_.async_wait([weak = this->weak_from_this()](const asio::error_code& error) {
    auto self = weak.lock();
    if (!error && self && self->state_ == State::kOpen) self->Watch();
  });
}

template <typename Endpoint>
void WsSocket<Endpoint>::OnOpen() {
  if (state_ != State::kConnecting || aborting_) return;
  state_ = State::kOpen;
  opened_ = true;
  health_.Heard(loop_.clock().Now());
  timer_.cancel();
  Watch();
  if (listener_ != nullptr) listener_->OnOpen(*this);
}

template <typename Endpoint>
void WsSocket<Endpoint>::OnMessage(const Message& message) {
  if (state_ != State::kOpen || aborting_) return;
  health_.Heard(loop_.clock().Now());
  if (listener_ == nullptr) return;
  if (message.get_opcode() == websocketpp::frame::opcode::text) {
    listener_->OnText(message.get_payload());
  } else {
    listener_->OnBinary(message.get_payload().size());
  }
}

template <typename Endpoint>
void WsSocket<Endpoint>::Close(uint16_t code, absl::string_view reason) {
  if (by_us_ || state_ == State::kClosed) return;
  if (state_ == State::kConnecting) return Abort();
  websocketpp::lib::error_code error;
  if (connection_->get_state() != websocketpp::session::state::open) return;  // The peer's close came first.
  connection_->close(code, std::string(reason), error);
  if (error) return Abort();  // A code that must not be sent.
  by_us_ = true;
  close_code_ = code;
  close_reason_ = std::string(reason.substr(0, websocketpp::frame::limits::close_reason_size));
  state_ = State::kClosing;
  timer_.cancel();
}

template <typename Endpoint>
void WsSocket<Endpoint>::Abort() {
  if (aborting_ || state_ == State::kClosed) return;
  aborting_ = true;
  by_us_ = true;
  asio::post(loop_.io(), [self = this->shared_from_this()] { self->CutNow(); });
}

template <typename Endpoint>
void WsSocket<Endpoint>::OnLibraryClosed() {
  if (state_ == State::kClosed) return;
  WsClose close;
  const bool peer_said_so = connection_->get_remote_close_code() != websocketpp::close::status::abnormal_close;
  if (peer_said_so && by_us_) {
    close.code = close_code_;
    close.reason = close_reason_;
  } else if (peer_said_so) {
    close.code = connection_->get_remote_close_code();
    close.reason = connection_->get_remote_close_reason();
  } else {
    // 1006, or what the library sent to a peer that broke the protocol (1002, 1007, 1009).
    close.code = connection_->get_local_close_code();
    close.reason = connection_->get_local_close_reason();
  }
  Finish(std::move(close));
}

template <typename Endpoint>
void WsSocket<Endpoint>::OnLibraryFailed() {
  if (state_ == State::kClosed) return;
  WsClose close;
  const auto ec = connection_->get_ec();
  namespace tls = websocketpp::transport::asio::socket;
  if (ec == tls::make_error_code(tls::error::tls_handshake_failed)) {
    close.error = tls_error_->empty() ? "TLS handshake failed: the peer refuses it or speaks no TLS 1.2" : *tls_error_;
  } else if (ec == websocketpp::processor::error::make_error_code(websocketpp::processor::error::invalid_http_status)) {
    close.http_status = connection_->get_response_code();
    close.error = absl::StrCat("upgrade refused: ", close.http_status, " ", connection_->get_response_msg());
  } else if (ec == websocketpp::transport::error::make_error_code(websocketpp::transport::error::eof)) {
    close.error = "the peer closed the connection instead of answering the upgrade";
  } else {
    close.error = absl::StrCat("upgrade failed: ", ec.message());
  }
  Finish(std::move(close));
}

template <typename Endpoint>
void WsSocket<Endpoint>::Finish(WsClose close) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  timer_.cancel();
  close.opened = opened_;
  close.by_us = by_us_;
  Listener* const listener = std::exchange(listener_, nullptr);
  // After a closing handshake that the peer did not finish the library leaves the socket open. A server's is its peer's
  // to close.
  asio::error_code ignored;
  if (connection_ != nullptr && options_.is_client) connection_->get_raw_socket().close(ignored);
  connection_ = nullptr;
  if (listener != nullptr) listener->OnClosed(close);
  if (gone_) std::exchange(gone_, nullptr)();
}

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_WS_SOCKET_H_
