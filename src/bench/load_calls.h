#ifndef CALLBRIDGE_SRC_BENCH_LOAD_CALLS_H_
#define CALLBRIDGE_SRC_BENCH_LOAD_CALLS_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
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
  std::vector<double> first_us;   // From a stream's start to the first audio of the model.
  std::vector<double> stop_us;    // From speech_started to clearAudio.
  std::vector<double> thrown_ms;  // What had not been played when clearAudio came.
  int64_t gaps = 0;               // A player ran dry in the middle of a response.
  int ahead_pieces = 0;           // That come at once at the beginning of a response.
  int interruptions = 0;
  std::map<uint64_t, class ModelEnd*> first_pieces;  // Whose audio it is, by the time in its marker.
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
  void OnFirstAudio(absl::string_view base64, uint64_t now);
  void OnClear(uint64_t now);
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
  bool playing_ = false;                                      // Something came since the last clearAudio.
  uint64_t started_ = 0;                                      // The stream.
  ModelEnd* model_ = nullptr;                                 // The other end of this call, once heard.
  std::deque<std::pair<uint64_t, std::string>> checkpoints_;  // When each is reached.
};

// The model's end: confirms the session as it is asked to, and speaks a piece each Beat() once a response was asked
// for.
class ModelEnd final : public net::WsConnection::Listener {
 public:
  ModelEnd(Meter& meter, int number);

  // `payload` is a piece of silence, to be marked.
  void Beat(std::string& payload);

  // The caller is heard to speak: the response ends as cancelled, and the next one begins with a Beat() 250 ms later.
  // Nothing while it is not speaking.
  void Interrupt();

  // When the last interruption was sent that no clearAudio has answered; 0: there is none. Forgets it.
  uint64_t TakeInterruption() { return std::exchange(interrupted_, 0); }

  // net::WsConnection::Listener
  void OnOpen(net::WsConnection& connection) override;
  void OnText(absl::string_view message) override;
  void OnBinary(size_t) override {}
  void OnClosed(const net::WsClose& close) override;

 private:
  void OnRequest(absl::string_view message);
  void BeginResponse();
  void EndTurn();

  Meter& meter_;
  const int number_;
  int turn_ = 0;
  std::string response_id_;  // Of this turn, as are the next two.
  std::string item_id_;
  std::string delta_head_;
  net::WsConnection* connection_ = nullptr;
  bool speaking_ = false;
  bool fresh_ = false;  // Nothing of this response was sent by a Beat() yet.
  uint64_t interrupted_ = 0;
  uint64_t silent_since_ = 0;  // 0: nobody interrupts.
};

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_LOAD_CALLS_H_
