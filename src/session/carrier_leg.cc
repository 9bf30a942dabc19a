#include "src/session/carrier_leg.h"

#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/plivo/stream_command.h"

namespace callbridge::session {
namespace {

// A peer that sends this many messages in a row that make no sense is not a carrier.
constexpr int kMaxBadMessages = 100;
constexpr absl::string_view kCheckpointPrefix = "c";

}  // namespace

CarrierLeg::~CarrierLeg() {
  if (connection_ == nullptr) return;
  connection_->Detach();
  connection_->Close(1001, "call ended");
}

void CarrierLeg::OnOpen(net::WsConnection& connection) { connection_ = &connection; }

void CarrierLeg::Play(absl::string_view base64) {
  if (connection_ == nullptr) return;
  const auto parts = plivo::PlayAudioParts(base64);
  // A carrier that reads slower than it plays has stalled: what is dropped here is old by the time it would be heard.
  if (!connection_->Send(parts) && ++pieces_dropped_ == 1)
    owner_.OnCarrierNote("audio dropped", "the carrier reads too slowly");
}

void CarrierLeg::Checkpoint(int64_t number) {
  if (connection_ == nullptr) return;
  const auto message = plivo::FormatCheckpoint(stream_id_, absl::StrCat(kCheckpointPrefix, number));
  if (message.ok()) connection_->Send({*message});
}

void CarrierLeg::Clear() {
  if (connection_ == nullptr) return;
  const auto message = plivo::FormatClearAudio(stream_id_);
  if (message.ok()) connection_->Send({*message});
}

void CarrierLeg::SendDtmf(absl::string_view digits) {
  if (connection_ == nullptr) return;
  const auto message = plivo::FormatSendDtmf(digits);
  if (message.ok()) {
    connection_->Send({*message});
  } else {
    owner_.OnCarrierNote("keys not sent", message.status().message());
  }
}

void CarrierLeg::Close(uint16_t code, absl::string_view reason) {
  if (connection_ != nullptr) connection_->Close(code, reason);
}

void CarrierLeg::OnText(absl::string_view message) {
  const auto parsed = parser_.Parse(message);
  if (!parsed.ok()) {
    Bad(parsed.status().message());
    return;
  }
  bad_messages_ = 0;
  std::visit([this](const auto& value) { On(value); }, *parsed);
}

void CarrierLeg::OnBinary(size_t bytes) { Bad(absl::StrCat("a binary message of ", bytes, " bytes")); }

void CarrierLeg::Bad(absl::string_view what) {
  if (++bad_messages_ == 1) owner_.OnCarrierNote("stream message ignored", what);
  if (bad_messages_ >= kMaxBadMessages) Close(1003, "too many messages that make no sense");
}

void CarrierLeg::OnClosed(const net::WsClose& close) {
  connection_ = nullptr;
  if (started_) {
    started_ = false;
    const bool clean = stopped_ || close.by_us || close.code == 1000 || close.code == 1001 || close.code == 1005;
    owner_.OnCarrierInput(call::input::StreamClosed{
        clean, stopped_ ? absl::StrCat("stop: ", stop_reason_)
                        : absl::StrCat("close code ", close.code, close.error.empty() ? "" : ", ", close.error)});
  }
  owner_.OnStreamGone(*this);
}

void CarrierLeg::On(const plivo::Start& start) {
  if (started_) {
    owner_.OnCarrierNote("second start on one socket ignored", start.stream_id);
    return;
  }
  stream_id_ = start.stream_id;
  if (!owner_.OnStreamStart(*this, start)) {
    Close(1008, "not this call's stream");
    return;
  }
  started_ = true;
  owner_.OnCarrierInput(call::input::StreamOpened{start.stream_id});
}

void CarrierLeg::On(const plivo::Media& media) {
  // What we play would come back on an outbound track; only the caller's is the conversation's.
  if (started_ && media.track != "outbound") owner_.OnCallerAudio(media.payload);
}

void CarrierLeg::On(const plivo::Dtmf& dtmf) {
  if (started_) owner_.OnCarrierInput(call::input::Dtmf{std::string(1, dtmf.digit)});
}

void CarrierLeg::On(const plivo::PlayedStream& played) {
  absl::string_view name = played.name;
  int64_t number = 0;
  if (!absl::ConsumePrefix(&name, kCheckpointPrefix) || !absl::SimpleAtoi(name, &number)) return;
  if (started_) owner_.OnCarrierInput(call::input::CheckpointPlayed{number});
}

void CarrierLeg::On(const plivo::ClearedAudio&) {
  if (started_) owner_.OnCarrierInput(call::input::AudioCleared{});
}

// The socket's end is what counts; some carriers never send this.
void CarrierLeg::On(const plivo::Stop& stop) {
  stopped_ = true;
  stop_reason_ = stop.reason;
}

void CarrierLeg::On(const plivo::PlayFailed& failed) {
  owner_.OnCarrierNote("the carrier could not play", failed.reason);
}

void CarrierLeg::On(const plivo::Error& error) { owner_.OnCarrierNote("the carrier reports an error", error.reason); }

void CarrierLeg::On(const plivo::Unknown& unknown) {
  owner_.OnCarrierNote("unknown stream message ignored", unknown.event);
}

}  // namespace callbridge::session
