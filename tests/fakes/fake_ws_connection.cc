#include "tests/fakes/fake_ws_connection.h"

#include <utility>

#include "absl/strings/str_join.h"

namespace callbridge::testing {

FakeWsConnection::FakeWsConnection(net::Loop& loop, Listener& listener)
    : loop_(loop), listener_(&listener), last_heard_(loop.clock().Now()) {}

void FakeWsConnection::Open() {
  if (state_ != State::kConnecting || by_us_) return;
  state_ = State::kOpen;
  opened_ = true;
  Hear();
  if (listener_ != nullptr) listener_->OnOpen(*this);
}

void FakeWsConnection::Receive(absl::string_view text) {
  if (!Hears()) return;
  Hear();
  if (listener_ != nullptr) listener_->OnText(text);
}

void FakeWsConnection::ReceiveBinary(size_t bytes) {
  if (!Hears()) return;
  Hear();
  if (listener_ != nullptr) listener_->OnBinary(bytes);
}

void FakeWsConnection::Hear() { last_heard_ = loop_.clock().Now(); }

void FakeWsConnection::PeerClose(int code, absl::string_view reason) {
  net::WsClose close;
  close.code = opened_ ? code : 0;
  close.reason = std::string(reason);
  Finish(std::move(close));
}

void FakeWsConnection::FailToOpen(absl::string_view error, int http_status) {
  if (opened_) return;
  net::WsClose close;
  close.error = std::string(error);
  close.http_status = http_status;
  Finish(std::move(close));
}

std::vector<std::string> FakeWsConnection::TakeSent() { return std::exchange(sent_, {}); }

bool FakeWsConnection::Send(absl::Span<const absl::string_view> parts) {
  if (state_ != State::kOpen || refuse_sends_) return false;
  sent_.push_back(absl::StrJoin(parts, ""));
  return true;
}

void FakeWsConnection::Close(uint16_t code, absl::string_view reason) {
  if (by_us_ || state_ == State::kClosed) return;
  by_us_ = true;
  close_code_ = code;
  close_reason_ = std::string(reason);
  if (state_ == State::kOpen) state_ = State::kClosing;
  if (answers_close_ || !opened_) PostFinish(code);
}

void FakeWsConnection::Abort() {
  if (aborted_ || state_ == State::kClosed) return;
  by_us_ = true;
  aborted_ = true;
  if (state_ == State::kOpen) state_ = State::kClosing;
  PostFinish(1006);
}

void FakeWsConnection::PostFinish(int code_if_opened) {
  loop_.Post([this, code_if_opened, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    net::WsClose close;
    close.code = opened_ ? code_if_opened : 0;
    if (opened_ && !aborted_) close.reason = close_reason_;
    if (!opened_) close.error = "closed before it opened";
    Finish(std::move(close));
  });
}

void FakeWsConnection::Finish(net::WsClose close) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  close.opened = opened_;
  close.by_us = by_us_;
  Listener* const listener = std::exchange(listener_, nullptr);
  if (listener != nullptr) listener->OnClosed(close);
}

std::shared_ptr<net::WsConnection> FakeWsConnector::Connect(const net::WsClientOptions& options,
                                                            net::WsConnection::Listener& listener) {
  connections_.push_back(std::make_shared<FakeWsConnection>(loop_, listener));
  options_.push_back(options);
  return connections_.back();
}

}  // namespace callbridge::testing
