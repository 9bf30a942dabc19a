#ifndef CALLBRIDGE_SRC_BENCH_LOAD_CALLS_H_
#define CALLBRIDGE_SRC_BENCH_LOAD_CALLS_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "src/net/ws_connection.h"

// The two ends of a call, as Load plays them. On its loop.
namespace callbridge::bench {

// What all ends share.
struct Meter {
  bool measuring = false;
  std::vector<double> to_model_us;
  std::vector<double> to_caller_us;
  std::atomic<int> talking{0};
  std::atomic<int> lost{0};
  bool stopping = false;  // Sockets that close now are no loss.
};

// The carrier's end of one call: a frame of 160 bytes each Beat(), and a player that acknowledges checkpoints when the
// audio before them has been played.
class CarrierEnd final : public net::WsConnection::Listener {
 public:
  CarrierEnd(Meter& meter, const std::string& carrier_call_id);

  // Keeps the connection alive that was opened with this as its listener.
  void Hold(std::shared_ptr<net::WsConnection> connection) { held_ = std::move(connection); }

  // Every 20 ms. `payload` is a frame of silence, to be marked.
  void Beat(std::string& payload);

  // net::WsConnection::Listener
  void OnOpen(net::WsConnection& connection) override;
  void OnText(absl::string_view message) override;
  void OnBinary(size_t) override {}
  void OnClosed(const net::WsClose& close) override;

 private:
  void OnAudio(absl::string_view base64);
  void AnswerCheckpoints(uint64_t now);

  Meter& meter_;
  const std::string carrier_call_id_;
  const std::string stream_id_;
  const std::string media_head_;
  std::shared_ptr<net::WsConnection> held_;
  net::WsConnection* connection_ = nullptr;
  int64_t sequence_ = 1;
  int64_t chunk_ = 0;
  uint64_t play_end_ = 0;  // When all audio so far will have been played.
  bool heard_ = false;
  std::deque<std::pair<uint64_t, std::string>> checkpoints_;  // When each is reached.
};

// The model's end: confirms the session as it is asked to, and speaks a piece each Beat() once a response was asked
// for.
class ModelEnd final : public net::WsConnection::Listener {
 public:
  ModelEnd(Meter& meter, int number);

  // `payload` is a piece of silence, to be marked.
  void Beat(std::string& payload);

  // net::WsConnection::Listener
  void OnOpen(net::WsConnection& connection) override;
  void OnText(absl::string_view message) override;
  void OnBinary(size_t) override {}
  void OnClosed(const net::WsClose& close) override;

 private:
  void OnRequest(absl::string_view message);

  Meter& meter_;
  const std::string response_id_;
  const std::string item_id_;
  const std::string delta_head_;
  net::WsConnection* connection_ = nullptr;
  bool speaking_ = false;
};

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_LOAD_CALLS_H_
