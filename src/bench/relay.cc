#include "src/bench/relay.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "src/net/ws_connection.h"

namespace callbridge::bench {
namespace {

constexpr absl::string_view kSpeechStarted = "input_audio_buffer.speech_started";

// What stands between the quote at the end of `key` and the next one; empty if the key is not there.
absl::string_view Between(absl::string_view message, absl::string_view key) {
  const size_t at = message.find(key);
  if (at == absl::string_view::npos) return {};
  message.remove_prefix(at + key.size());
  return message.substr(0, message.find('"'));
}

// One call: two sockets on one loop. Lives until both are closed.
class RelayCall {
 public:
  RelayCall(net::WsConnector& connector, const std::string& model_url) : connector_(connector), model_url_(model_url) {}

  net::WsConnection::Listener& carrier_side() { return carrier_side_; }

 private:
  class CarrierSide final : public net::WsConnection::Listener {
   public:
    explicit CarrierSide(RelayCall& call) : call_(call) {}
    void OnOpen(net::WsConnection& connection) override {
      call_.carrier_ = &connection;
      net::WsClientOptions options;
      options.url = call_.model_url_;
      call_.model_ = call_.connector_.Connect(options, call_.model_side_);
    }
    void OnText(absl::string_view message) override {
      const absl::string_view audio = Between(message, "\"payload\":\"");
      if (audio.empty() || !call_.model_open_) return;
      call_.model_->Send({"{\"type\":\"input_audio_buffer.append\",\"audio\":\"", audio, "\"}"});
    }
    void OnBinary(size_t) override {}
    void OnClosed(const net::WsClose&) override {
      call_.carrier_ = nullptr;
      if (call_.model_ != nullptr) {
        call_.model_->Close(1000, "");
      } else {
        delete &call_;
      }
    }

   private:
    RelayCall& call_;
  };

  class ModelSide final : public net::WsConnection::Listener {
   public:
    explicit ModelSide(RelayCall& call) : call_(call) {}
    void OnOpen(net::WsConnection& connection) override {
      call_.model_open_ = true;
      connection.Send({"{\"type\":\"response.create\"}"});
    }
    void OnText(absl::string_view message) override {
      const absl::string_view audio = Between(message, "\"delta\":\"");
      if (audio.empty() && call_.carrier_ != nullptr && Between(message, "\"type\":\"") == kSpeechStarted) {
        call_.carrier_->Send({"{\"event\":\"clearAudio\",\"streamId\":\"\"}"});
      }
      if (audio.empty() || call_.carrier_ == nullptr) return;
      call_.carrier_->Send(
          {"{\"event\":\"playAudio\",\"media\":{\"contentType\":\"audio/x-mulaw\",\"sampleRate\":8000,\"payload\":\"",
           audio, "\"}}"});
    }
    void OnBinary(size_t) override {}
    void OnClosed(const net::WsClose&) override {
      call_.model_open_ = false;
      call_.model_ = nullptr;
      if (call_.carrier_ != nullptr) {
        call_.carrier_->Close(1000, "");
      } else {
        delete &call_;
      }
    }

   private:
    RelayCall& call_;
  };

  net::WsConnector& connector_;
  const std::string& model_url_;
  CarrierSide carrier_side_{*this};
  ModelSide model_side_{*this};
  net::WsConnection* carrier_ = nullptr;
  std::shared_ptr<net::WsConnection> model_;
  bool model_open_ = false;
};

class Relay final : public net::ServerDelegate {
 public:
  Relay(std::vector<net::EventLoop*> loops, std::string model_url)
      : loops_(std::move(loops)), model_url_(std::move(model_url)) {}

  int LoopFor(absl::string_view, absl::string_view) override { return -1; }
  void OnRequest(int, const base::HttpRequest&, Respond respond) override { respond(base::HttpResponse()); }
  net::UpgradeDecision OnUpgrade(int loop, const base::HttpRequest&) override {
    // Deletes itself when its sockets are gone.
    auto* const call = new RelayCall(loops_[static_cast<size_t>(loop)]->connector(), model_url_);
    net::UpgradeDecision decision;
    decision.listener = &call->carrier_side();
    return decision;
  }

 private:
  const std::vector<net::EventLoop*> loops_;
  const std::string model_url_;
};

}  // namespace

absl::Status RunRelay(int port, const std::string& model_url, int threads) {
  std::vector<std::unique_ptr<net::EventLoop>> loops;
  std::vector<net::EventLoop*> pointers;
  for (int i = 0; i < threads; ++i) {
    loops.push_back(net::EventLoop::Start(absl::StrCat("relay-", i)));
    pointers.push_back(loops.back().get());
  }
  Relay relay(pointers, model_url);
  net::ServerOptions options;
  options.listen = absl::StrCat("127.0.0.1:", port);
  const auto server = net::Server::Start(options, pointers, relay);
  if (!server.ok()) return server.status();
  while (true) absl::SleepFor(absl::Hours(1));
}

}  // namespace callbridge::bench
