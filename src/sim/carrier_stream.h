#ifndef CALLBRIDGE_SRC_SIM_CARRIER_STREAM_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_STREAM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "simdjson.h"
#include "src/net/event_loop.h"
#include "src/net/ws_connection.h"
#include "src/sim/carrier_xml.h"
#include "src/sim/playout_queue.h"
#include "src/sim/scenario.h"

namespace callbridge::sim {

// One audio stream of a call: the carrier's end of the WebSocket. Strict about what comes in; what Plivo would refuse
// is reported, never understood. On the call's loop only.
class CarrierStream final : public net::WsConnection::Listener, private PlayoutQueue::Sink {
 public:
  // What the call hears about it. No call comes from inside a method of the stream but Tick().
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnStreamStarted(CarrierStream& stream) = 0;                    // After each "start".
    virtual void OnStreamSound(absl::Time start, absl::string_view bytes) = 0;  // What the caller hears now.
    virtual void OnStreamPlayed(CarrierStream& stream, const std::string& checkpoint) = 0;
    virtual void OnStreamCleared(CarrierStream& stream, int64_t bytes) = 0;
    virtual void OnStreamDtmf(const std::string& digits) = 0;  // sendDTMF
    virtual void OnStreamDegraded(CarrierStream& stream, int percent) = 0;
    virtual void OnStreamViolation(const std::string& what) = 0;
    // Nothing comes after it. `dropped`: lost or never reached, in contrast to closed by the server or by us; `why` in
    // words.
    virtual void OnStreamEnded(CarrierStream& stream, bool dropped, const std::string& why) = 0;
  };

  struct Options {
    std::string call_uuid;
    std::string account_id;
    StreamOrder order;
    std::string dial_url;    // Where `order.url` is really dialled.
    std::string signed_url;  // What the upgrade's signature covers.
    std::string auth_token;
    CarrierManners manners;
  };

  CarrierStream(Options options, net::EventLoop& loop, Owner& owner);
  ~CarrierStream() override;

  void Open();

  // Every 20 ms: plays what is due and sends a frame with `voice`, 160 bytes of mu-law, or silence if it is empty.
  void Tick(absl::Time beat, absl::string_view voice);

  void SendDtmf(char digit);
  void SetAudio(bool on) { audio_on_ = on; }

  // Breaks the connection without a close frame; tries to come back if `reconnect`.
  void Break(bool reconnect);

  // Ends it from the carrier's side; OnStreamEnded() follows.
  void Close(const std::string& why);

  const std::string& id() const { return id_; }
  const StreamOrder& order() const { return options_.order; }
  bool open() const { return open_; }
  bool ended() const { return ended_; }
  int64_t queued_bytes() const { return queue_.queued_bytes(); }

 private:
  void OnOpen(net::WsConnection& connection) override;
  void OnText(absl::string_view message) override;
  void OnBinary(size_t bytes) override;
  void OnClosed(const net::WsClose& close) override;
  void OnSound(absl::Time start, absl::string_view bytes) override;
  void OnCheckpoint(const std::string& name) override;

  void Connect();
  void End(bool dropped, const std::string& why);
  void Violation(const std::string& what) { owner_.OnStreamViolation(what); }
  void OnPlayAudio(simdjson::dom::object message);
  void OnClearAudio(simdjson::dom::object message);
  void OnCheckpointMessage(simdjson::dom::object message);
  void OnSendDtmf(simdjson::dom::object message);
  void CheckStreamId(simdjson::dom::object message, absl::string_view event, bool required);
  std::string Number(int64_t value) const;  // As a number or as a string.
  std::string EncodeFrame(absl::string_view voice) const;
  // {"event":"<event>","sequenceNumber":n,"streamId":"...", <body>, extra_headers }
  void SendEvent(absl::string_view event, absl::string_view body);
  void SendMedia(absl::Time beat, absl::string_view voice);
  void SendPlayed(const std::string& checkpoint);
  absl::Duration Draw(const DurationRange& range);
  void WatchBacklog();

  const Options options_;
  net::EventLoop& loop_;
  Owner& owner_;
  std::string id_;
  PlayoutQueue queue_;
  std::mt19937 random_;
  std::multimap<absl::Time, std::string> late_checkpoints_;  // By when they are told.
  std::shared_ptr<net::WsConnection> connection_;
  std::unique_ptr<net::Timer> retry_;
  simdjson::dom::parser parser_;
  std::string decoded_;
  int attempts_left_;
  bool open_ = false;
  bool ended_ = false;
  bool closing_ = false;  // By us.
  bool stay_broken_ = false;
  bool audio_on_ = true;
  std::string close_reason_;
  int64_t sequence_ = 0;
  int64_t chunk_ = 0;
  int degraded_ = 0;  // The last percentage told.
  absl::Time started_;
  // Parts of every media message that stay the same.
  std::string media_head_;  // ,"streamId":"...","media":{"track":"inbound","timestamp":"
  std::string tail_;        // ,"extra_headers":"..."} or }
  std::string silence_;     // Base64 of a frame of silence.
  std::string frame_;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_STREAM_H_
