#ifndef CALLBRIDGE_SRC_SESSION_CARRIER_LEG_H_
#define CALLBRIDGE_SRC_SESSION_CARRIER_LEG_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "src/call/command.h"
#include "src/call/input.h"
#include "src/net/ws_connection.h"
#include "src/plivo/stream_message.h"

namespace callbridge::session {

// One audio stream of the carrier: translates its messages into the call's inputs, and the call's audio and commands
// into its messages. A call can have several in a row; each has a leg of its own. On the call's loop only.
//
// The stream counts as open when its `start` has come, and as closed when the socket has: `stop` is only a reason for
// that.
class CarrierLeg final : public net::WsConnection::Listener {
 public:
  // Where inputs go. Must not destroy the leg from inside these calls, but OnStreamGone.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The first message of a stream. False: it is not this call's stream, and is closed.
    virtual bool OnStreamStart(CarrierLeg& leg, const plivo::Start& start) = 0;
    virtual void OnCarrierInput(const call::input::Input& input) = 0;
    // The hot path: valid during the call only; checked.
    virtual void OnCallerAudio(absl::string_view base64) = 0;
    // The socket is gone and the leg will not be called any more; StreamClosed was given before if the stream was open.
    virtual void OnStreamGone(CarrierLeg& leg) = 0;
    virtual void OnCarrierNote(absl::string_view what, absl::string_view detail) = 0;
  };

  // `parser` is shared by all legs of a loop; both references outlive the leg.
  CarrierLeg(plivo::StreamParser& parser, Owner& owner) : parser_(parser), owner_(owner) {}
  ~CarrierLeg() override;

  void Play(absl::string_view base64);
  void Checkpoint(int64_t number);
  void Clear();
  // Plays tones to the caller; 0-9 * # A-D.
  void SendDtmf(absl::string_view digits);
  void Close(uint16_t code, absl::string_view reason);

  bool started() const { return started_; }
  const std::string& stream_id() const { return stream_id_; }

  // net::WsConnection::Listener
  void OnOpen(net::WsConnection& connection) override;
  void OnText(absl::string_view message) override;
  void OnBinary(size_t bytes) override;
  void OnClosed(const net::WsClose& close) override;

 private:
  void On(const plivo::Start& start);
  void On(const plivo::Media& media);
  void On(const plivo::Dtmf& dtmf);
  void On(const plivo::PlayedStream& played);
  void On(const plivo::ClearedAudio& cleared);
  void On(const plivo::Stop& stop);
  void On(const plivo::PlayFailed& failed);
  void On(const plivo::Error& error);
  void On(const plivo::Unknown& unknown);
  void Bad(absl::string_view what);

  plivo::StreamParser& parser_;
  Owner& owner_;
  net::WsConnection* connection_ = nullptr;  // Lives until OnClosed.
  bool started_ = false;
  bool stopped_ = false;
  std::string stream_id_;
  std::string stop_reason_;
  int bad_messages_ = 0;  // In a row.
  int64_t pieces_dropped_ = 0;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_CARRIER_LEG_H_
