#include "src/sim/carrier_stream.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "src/base/ids.h"
#include "src/sim/carrier_base64.h"
#include "src/sim/carrier_form.h"
#include "src/sim/carrier_signature.h"
#include "src/sim/mulaw.h"

namespace callbridge::sim {
namespace {

constexpr size_t kMaxMessage = 64 << 10;
constexpr size_t kMaxPayload = 16 << 10;
// What fits into the carrier's buffer towards a server that reads too slowly: 40 s of frames.
constexpr size_t kSendBuffer = 40 * 50 * 400;
constexpr absl::Duration kRetryAfter = absl::Milliseconds(500);
constexpr int kFrameMs = 20;

std::string Quoted(absl::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool AreKeys(absl::string_view digits) {
  return !digits.empty() && digits.find_first_not_of("0123456789*#ABCD") == absl::string_view::npos;
}

}  // namespace

CarrierStream::CarrierStream(Options options, net::EventLoop& loop, Owner& owner)
    : options_(std::move(options)),
      loop_(loop),
      owner_(owner),
      id_(base::NewUuid()),
      queue_({options_.order.BytesPerSecond(), options_.manners.playout_delay.low}),
      random_(static_cast<uint32_t>(std::hash<std::string>()(options_.call_uuid))),
      retry_(loop.NewTimer([this] { Connect(); })),
      attempts_left_(options_.manners.reconnects) {
  const std::string extra = ExtraHeadersJson(options_.manners.extra_headers, options_.order.extra_headers);
  tail_ = extra.empty() ? "}" : absl::StrCat(",\"extra_headers\":", extra, "}");
  AppendBase64(EncodeFrame({}), silence_);
}

CarrierStream::~CarrierStream() {
  if (connection_ == nullptr) return;
  connection_->Detach();
  if (!ended_) connection_->Abort();
}

void CarrierStream::Open() { Connect(); }

void CarrierStream::Connect() {
  net::WsClientOptions options;
  options.url = options_.dial_url;
  const absl::StatusOr<Url> url = ParseUrl(options_.signed_url);
  if (url.ok()) {
    options.headers = SignatureHeaders(options_.manners.sign, options_.auth_token, SignedText("GET", *url, {}));
  }
  if (options_.manners.subprotocol) options.headers.emplace_back("Sec-WebSocket-Protocol", "audio.plivo.com");
  // Twice what Plivo takes, so that a message which is too large is seen and not only cut off.
  options.max_message_bytes = 2 * kMaxMessage;
  options.max_unsent_bytes = kSendBuffer;
  connection_ = loop_.connector().Connect(options, *this);
}

void CarrierStream::OnOpen(net::WsConnection& connection) {
  if (closing_) return;
  open_ = true;
  started_ = loop_.clock().Now();
  sequence_ = chunk_ = 0;
  media_head_ = absl::StrCat(",\"streamId\":\"", id_, "\",\"media\":{\"track\":\"inbound\",\"timestamp\":\"");
  const std::string start = absl::StrCat(
      "{\"event\":\"start\",\"sequenceNumber\":", Number(++sequence_),
      ",\"start\":{\"callId\":", Quoted(options_.call_uuid), ",\"streamId\":\"", id_,
      "\",\"accountId\":", Quoted(options_.account_id), ",\"tracks\":[\"inbound\"],\"mediaFormat\":{\"encoding\":\"",
      options_.order.Encoding(), "\",\"sampleRate\":", options_.order.SampleRate(), "}}", tail_);
  connection_->Send({start});
  owner_.OnStreamStarted(*this);
}

void CarrierStream::OnClosed(const net::WsClose& close) {
  const bool was_open = std::exchange(open_, false);
  connection_.reset();
  if (ended_) return;
  if (closing_) return End(false, close_reason_);
  const std::string why = close.opened
                              ? absl::StrCat("closed with ", close.code, close.reason.empty() ? "" : ": ", close.reason)
                          : close.http_status != 0 ? absl::StrCat("upgrade refused with HTTP ", close.http_status)
                                                   : absl::StrCat("could not connect: ", close.error);
  const bool orderly = close.opened && !close.by_us && close.code != 1006;
  if (orderly) return End(false, why);
  if (was_open) {
    // The old queue is lost with the connection.
    queue_.Clear(absl::InfinitePast());
    late_checkpoints_.clear();
    if (options_.manners.new_stream_id) id_ = base::NewUuid();
  }
  if (attempts_left_ <= 0 || stay_broken_) return End(true, why);
  --attempts_left_;
  retry_->Set(loop_.clock().Now() + kRetryAfter);
}

void CarrierStream::End(bool dropped, const std::string& why) {
  ended_ = true;
  retry_->Cancel();
  owner_.OnStreamEnded(*this, dropped, why);
}

void CarrierStream::Break(bool reconnect) {
  stay_broken_ = !reconnect;
  if (connection_ != nullptr) connection_->Abort();
}

void CarrierStream::Close(const std::string& why) {
  if (ended_ || closing_) return;
  closing_ = true;
  close_reason_ = why;
  retry_->Cancel();
  if (connection_ == nullptr) {
    // Between two attempts: nothing will call OnClosed(). Later, so that the owner does not hear of it inside this
    // call.
    retry_ = loop_.NewTimer([this] { End(false, close_reason_); });
    retry_->Set(loop_.clock().Now());
    return;
  }
  if (open_ && options_.manners.send_stop) SendEvent("stop", absl::StrCat("\"stop\":{\"reason\":", Quoted(why), "}"));
  connection_->Close(1000, "");
}

std::string CarrierStream::Number(int64_t value) const {
  return options_.manners.numbers_as_strings ? absl::StrCat("\"", value, "\"") : absl::StrCat(value);
}

// A frame of mu-law in the stream's format: as it is, as little-endian 16-bit samples, or those doubled for 16 kHz.
std::string CarrierStream::EncodeFrame(absl::string_view voice) const {
  std::string mulaw(voice);
  if (mulaw.empty()) mulaw.assign(kFrameMs * kMulawBytesPerMs, kMulawSilence);
  if (options_.order.Encoding() == "audio/x-mulaw") return mulaw;
  std::string linear;
  for (const char code : mulaw) {
    const int16_t sample = LinearFromMulaw(static_cast<uint8_t>(code));
    for (int i = 0; i < options_.order.SampleRate() / 8000; ++i) {
      linear += static_cast<char>(sample & 0xff);
      linear += static_cast<char>(sample >> 8 & 0xff);
    }
  }
  return linear;
}

void CarrierStream::Tick(absl::Time beat, absl::string_view voice) {
  if (!open_) return;
  queue_.Advance(beat, *this);
  while (!late_checkpoints_.empty() && late_checkpoints_.begin()->first <= beat) {
    SendPlayed(late_checkpoints_.begin()->second);
    late_checkpoints_.erase(late_checkpoints_.begin());
  }
  if (!open_ || closing_) return;
  if (audio_on_) SendMedia(beat, voice);
  if (chunk_ % 50 == 0) WatchBacklog();
  if (beat - started_ > options_.order.timeout) Close("Stream timeout");
}

void CarrierStream::SendMedia(absl::Time beat, absl::string_view voice) {
  absl::string_view payload = silence_;
  if (!voice.empty()) {
    frame_.clear();
    if (options_.order.Encoding() == "audio/x-mulaw") {
      AppendBase64(voice, frame_);
    } else {
      AppendBase64(EncodeFrame(voice), frame_);
    }
    payload = frame_;
  }
  const absl::string_view quote = options_.manners.numbers_as_strings ? "\"" : "";
  const absl::AlphaNum sequence(++sequence_);
  const absl::AlphaNum timestamp(absl::ToUnixMillis(beat));
  const absl::AlphaNum chunk(++chunk_);
  connection_->Send({"{\"event\":\"media\",\"sequenceNumber\":", quote, sequence.Piece(), quote, media_head_,
                     timestamp.Piece(), "\",\"chunk\":", quote, chunk.Piece(), quote, ",\"payload\":\"", payload, "\"}",
                     tail_});
}

void CarrierStream::WatchBacklog() {
  const int percent = static_cast<int>(connection_->unsent_bytes() * 100 / kSendBuffer);
  const int level = percent >= 90 ? 90 : percent >= 60 ? 60 : percent >= 30 ? 30 : 0;
  if (level > degraded_) owner_.OnStreamDegraded(*this, level);
  degraded_ = level;
}

void CarrierStream::SendEvent(absl::string_view event, absl::string_view body) {
  const std::string sequence = Number(++sequence_);
  connection_->Send({"{\"event\":\"", event, "\",\"sequenceNumber\":", sequence, ",\"streamId\":\"", id_, "\"",
                     body.empty() ? "" : ",", body, tail_});
}

void CarrierStream::SendDtmf(char digit) {
  if (!open_ || closing_) return;
  SendEvent("dtmf", absl::StrFormat("\"dtmf\":{\"track\":\"inbound\",\"digit\":\"%c\",\"timestamp\":\"%d\"}", digit,
                                    absl::ToUnixMillis(loop_.clock().Now())));
}

void CarrierStream::OnSound(absl::Time start, absl::string_view bytes) { owner_.OnStreamSound(start, bytes); }

void CarrierStream::OnCheckpoint(const std::string& name) {
  const CarrierManners& manners = options_.manners;
  if (manners.ignore_checkpoints) return;
  if (std::uniform_int_distribution<int>(0, 99)(random_) < manners.checkpoint_loss_percent) return;
  const absl::Duration delay = Draw(manners.checkpoint_delay);
  if (delay == absl::ZeroDuration()) return SendPlayed(name);
  late_checkpoints_.emplace(loop_.clock().Now() + delay, name);
}

absl::Duration CarrierStream::Draw(const DurationRange& range) {
  const int64_t low = absl::ToInt64Microseconds(range.low);
  return absl::Microseconds(
      std::uniform_int_distribution<int64_t>(low, absl::ToInt64Microseconds(range.high))(random_));
}

void CarrierStream::SendPlayed(const std::string& name) {
  if (!open_ || closing_) return;
  SendEvent("playedStream", absl::StrCat("\"name\":", Quoted(name)));
  owner_.OnStreamPlayed(*this, name);
}

void CarrierStream::OnBinary(size_t bytes) { Violation(absl::StrCat("binary frame of ", bytes, " bytes")); }

void CarrierStream::OnText(absl::string_view message) {
  if (closing_) return;
  if (message.size() > kMaxMessage)
    return Violation(absl::StrCat("message of ", message.size(), " bytes, more than 64 KB"));
  simdjson::dom::object object;
  if (parser_.parse(message.data(), message.size()).get_object().get(object) != simdjson::SUCCESS) {
    return Violation(absl::StrCat("message is no JSON object: ", message.substr(0, 80)));
  }
  std::string_view event;
  if (object["event"].get_string().get(event) != simdjson::SUCCESS) return Violation("message without 'event'");
  if (event == "playAudio") return OnPlayAudio(object);
  if (event == "checkpoint") return OnCheckpointMessage(object);
  if (event == "clearAudio") return OnClearAudio(object);
  if (event == "sendDTMF") return OnSendDtmf(object);
  Violation(absl::StrCat("event '", std::string(event), "' is not one that a server may send",
                         event == "media" ? "; audio goes as playAudio" : ""));
}

void CarrierStream::OnPlayAudio(simdjson::dom::object message) {
  if (!options_.order.bidirectional) return Violation("playAudio on a stream that is not bidirectional");
  CheckStreamId(message, "playAudio", false);
  simdjson::dom::object media;
  std::string_view type, payload;
  if (message["media"].get_object().get(media) != simdjson::SUCCESS) return Violation("playAudio without 'media'");
  if (media["payload"].get_string().get(payload) != simdjson::SUCCESS)
    return Violation("playAudio without media.payload");
  if (media["contentType"].get_string().get(type) != simdjson::SUCCESS)
    return Violation("playAudio without media.contentType");
  if (type != options_.order.Encoding()) {
    return Violation(
        absl::StrCat("playAudio contentType '", std::string(type), "', must be ", options_.order.Encoding()));
  }
  int64_t rate = 0;
  std::string_view rate_text;
  if (media["sampleRate"].get_int64().get(rate) != simdjson::SUCCESS &&
      (media["sampleRate"].get_string().get(rate_text) != simdjson::SUCCESS ||
       !absl::SimpleAtoi(absl::string_view(rate_text.data(), rate_text.size()), &rate))) {
    return Violation("playAudio without media.sampleRate");
  }
  if (rate != options_.order.SampleRate()) {
    return Violation(absl::StrCat("playAudio sampleRate ", rate, ", must be ", options_.order.SampleRate()));
  }
  if (payload.size() > kMaxPayload)
    Violation(absl::StrCat("playAudio payload of ", payload.size(), " bytes, more than 16 KB"));
  if (!DecodeBase64Strict(absl::string_view(payload.data(), payload.size()), decoded_)) {
    return Violation("playAudio payload is no padded standard base64");
  }
  if (decoded_.empty()) return Violation("playAudio payload is empty");
  if (options_.order.Encoding() != "audio/x-mulaw" && decoded_.size() % 2 != 0) {
    return Violation("playAudio payload has half a sample");
  }
  if (queue_.queued_bytes() == 0) queue_.set_delay(Draw(options_.manners.playout_delay));
  if (queue_.Push(loop_.clock().Now(), decoded_)) return;
  Violation("more than 40 s of audio queued: buffer_overflow");
  SendEvent("error", "\"reason\":\"buffer_overflow\"");
}

void CarrierStream::OnCheckpointMessage(simdjson::dom::object message) {
  CheckStreamId(message, "checkpoint", true);
  std::string_view name;
  if (message["name"].get_string().get(name) != simdjson::SUCCESS || name.empty())
    return Violation("checkpoint without 'name'");
  queue_.Checkpoint(std::string(name));
}

void CarrierStream::OnClearAudio(simdjson::dom::object message) {
  CheckStreamId(message, "clearAudio", true);
  const absl::Time now = loop_.clock().Now();
  queue_.Advance(now, *this);
  const int64_t thrown = queue_.Clear(now);
  SendEvent("clearedAudio", "");
  owner_.OnStreamCleared(*this, thrown);
}

void CarrierStream::OnSendDtmf(simdjson::dom::object message) {
  std::string_view digits;
  if (message["dtmf"].get_string().get(digits) != simdjson::SUCCESS ||
      !AreKeys(absl::string_view(digits.data(), digits.size()))) {
    return Violation("sendDTMF without 'dtmf' of 0-9 * # A-D");
  }
  owner_.OnStreamDtmf(std::string(digits));
}

void CarrierStream::CheckStreamId(simdjson::dom::object message, absl::string_view event, bool required) {
  std::string_view id;
  const bool there = message["streamId"].get_string().get(id) == simdjson::SUCCESS;
  if (there ? id != id_ : required) {
    Violation(absl::StrCat(event, there ? " with the streamId of another stream" : " without 'streamId'"));
  }
}

}  // namespace callbridge::sim
