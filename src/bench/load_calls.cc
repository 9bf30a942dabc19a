#include "src/bench/load_calls.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "src/base/ids.h"
#include "src/bench/marker.h"

namespace callbridge::bench {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kNanosPerByte = 125'000;         // 8,000 bytes a second.
constexpr uint64_t kPlayerDelayNanos = 60'000'000;  // A carrier's jitter buffer.
constexpr uint64_t kUtteranceNanos = 250'000'000;   // How long an interrupting caller speaks.
constexpr absl::string_view kPayloadKey = "\"payload\":\"";
constexpr absl::string_view kAudioKey = "\"audio\":\"";

// What stands between the quote at the end of `key` and the next one.
absl::string_view Between(absl::string_view message, absl::string_view key) {
  const size_t at = message.find(key);
  if (at == absl::string_view::npos) return {};
  message.remove_prefix(at + key.size());
  return message.substr(0, message.find('"'));
}

// Ends with padding only in its last group.
uint64_t DecodedBytes(absl::string_view base64) {
  const uint64_t padding = absl::EndsWith(base64, "==") ? 2 : absl::EndsWith(base64, "=") ? 1 : 0;
  return base64.size() / 4 * 3 - std::min<uint64_t>(padding, base64.size() / 4 * 3);
}

void Measure(absl::string_view base64, bool measuring, std::vector<double>& into) {
  if (!measuring) return;
  if (const auto sent = ReadMarker(base64)) into.push_back(static_cast<double>(SteadyNanos() - *sent) / 1000);
}

}  // namespace

// ---- The carrier ----

CarrierEnd::CarrierEnd(Meter& meter, const std::string& carrier_call_id)
    : meter_(meter),
      carrier_call_id_(carrier_call_id),
      stream_id_(base::NewUuid()),
      media_head_(
          absl::StrCat(",\"streamId\":\"", stream_id_, "\",\"media\":{\"track\":\"inbound\",\"timestamp\":\"")) {}

void CarrierEnd::OnOpen(net::WsConnection& connection) {
  connection_ = &connection;
  started_ = SteadyNanos();
  connection.Send({"{\"event\":\"start\",\"sequenceNumber\":1,\"start\":{\"callId\":\"", carrier_call_id_,
                   "\",\"streamId\":\"", stream_id_,
                   "\",\"accountId\":\"1\",\"tracks\":[\"inbound\"],\"mediaFormat\":{\"encoding\":\"audio/"
                   "x-mulaw\",\"sampleRate\":8000}},"
                   "\"extra_headers\":\"{}\"}"});
}

void CarrierEnd::OnClosed(const net::WsClose&) {
  connection_ = nullptr;
  held_.reset();
  if (!meter_.stopping) ++meter_.lost;
}

void CarrierEnd::Beat(std::string& payload) {
  if (connection_ == nullptr) return;
  const absl::AlphaNum sequence(++sequence_);
  const absl::AlphaNum timestamp(absl::ToUnixMillis(absl::Now()));
  const absl::AlphaNum chunk(++chunk_);
  const uint64_t now = SteadyNanos();
  WriteMarker(now, payload);
  connection_->Send({"{\"event\":\"media\",\"sequenceNumber\":", sequence.Piece(), media_head_, timestamp.Piece(),
                     "\",\"chunk\":", chunk.Piece(), ",\"payload\":\"", payload, "\"},\"extra_headers\":\"{}\"}"});
  AnswerCheckpoints(now);
}

void CarrierEnd::AnswerCheckpoints(uint64_t now) {
  while (!checkpoints_.empty() && checkpoints_.front().first <= now) {
    const absl::AlphaNum sequence(++sequence_);
    connection_->Send({"{\"event\":\"playedStream\",\"sequenceNumber\":", sequence.Piece(), ",\"streamId\":\"",
                       stream_id_, "\",\"name\":\"", checkpoints_.front().second, "\",\"extra_headers\":\"{}\"}"});
    checkpoints_.pop_front();
  }
}

void CarrierEnd::OnText(absl::string_view message) {
  const absl::string_view audio = Between(message, kPayloadKey);
  if (!audio.empty()) return OnAudio(audio);
  const absl::string_view event = Between(message, "\"event\":\"");
  if (event == "clearAudio") return OnClear(SteadyNanos());
  if (event != "checkpoint") return;
  checkpoints_.emplace_back(play_end_, std::string(Between(message, "\"name\":\"")));
}

void CarrierEnd::OnAudio(absl::string_view base64) {
  Measure(base64, meter_.measuring, meter_.to_caller_us);
  const uint64_t now = SteadyNanos();
  if (playing_ && now > play_end_ && meter_.measuring) ++meter_.gaps;
  if (!playing_ || now > play_end_) play_end_ = now + kPlayerDelayNanos;
  playing_ = true;
  play_end_ += DecodedBytes(base64) * kNanosPerByte;
  if (heard_) return;
  heard_ = true;
  OnFirstAudio(base64, now);
  ++meter_.talking;
}

void CarrierEnd::OnFirstAudio(absl::string_view base64, uint64_t now) {
  const auto sent = ReadMarker(base64);
  const auto found = sent ? meter_.first_pieces.find(*sent) : meter_.first_pieces.end();
  if (found == meter_.first_pieces.end()) return;
  model_ = found->second;
  meter_.first_us.push_back(static_cast<double>(now - started_) / 1000);
}

// What lay at the carrier is gone, and the checkpoints behind it with it.
void CarrierEnd::OnClear(uint64_t now) {
  if (playing_ && play_end_ > now) meter_.thrown_ms.push_back(static_cast<double>(play_end_ - now) / 1e6);
  playing_ = false;
  play_end_ = now;
  checkpoints_.clear();
  const uint64_t since = model_ == nullptr ? 0 : model_->TakeInterruption();
  if (since != 0) meter_.stop_us.push_back(static_cast<double>(now - since) / 1000);
}

// ---- The model ----

ModelEnd::ModelEnd(Meter& meter, int number) : meter_(meter), number_(number) {}

void ModelEnd::OnOpen(net::WsConnection& connection) {
  connection_ = &connection;
  connection.Send(
      {"{\"type\":\"session.created\",\"event_id\":\"event_bench\",\"session\":{\"type\":\"realtime\",\"id\":\"sess_"
       "bench\","
       "\"model\":\"gpt-realtime-2.1\"}}"});
}

void ModelEnd::OnClosed(const net::WsClose&) {
  connection_ = nullptr;
  if (!meter_.stopping) ++meter_.lost;
}

void ModelEnd::Beat(std::string& payload) {
  if (connection_ == nullptr) return;
  const uint64_t now = SteadyNanos();
  if (silent_since_ != 0 && now - silent_since_ >= kUtteranceNanos) EndTurn();
  if (!speaking_) return;
  WriteMarker(now, payload);
  for (int extra = std::exchange(fresh_, false) ? meter_.ahead_pieces : 0; extra >= 0; --extra)
    connection_->Send({delta_head_, payload, "\"}"});
}

void ModelEnd::Interrupt() {
  if (connection_ == nullptr || !speaking_) return;
  speaking_ = false;
  ++meter_.interruptions;
  interrupted_ = silent_since_ = SteadyNanos();
  connection_->Send(
      {"{\"type\":\"input_audio_buffer.speech_started\",\"event_id\":\"event_bench\",\"audio_start_ms\":0,"
       "\"item_id\":\"",
       absl::StrCat("user_", item_id_), "\"}"});
  connection_->Send({"{\"type\":\"response.done\",\"event_id\":\"event_bench\",\"response\":{\"id\":\"", response_id_,
                     "\",\"object\":\"realtime.response\",\"status\":\"cancelled\",\"status_details\":{\"type\":"
                     "\"cancelled\",\"reason\":\"turn_detected\"},\"output\":[]}}"});
}

void ModelEnd::EndTurn() {
  silent_since_ = 0;
  const std::string user_item = absl::StrCat("user_", item_id_);
  connection_->Send(
      {"{\"type\":\"input_audio_buffer.speech_stopped\",\"event_id\":\"event_bench\",\"audio_end_ms\":250,"
       "\"item_id\":\"",
       user_item, "\"}"});
  connection_->Send(
      {"{\"type\":\"input_audio_buffer.committed\",\"event_id\":\"event_bench\",\"previous_item_id\":null,"
       "\"item_id\":\"",
       user_item, "\"}"});
  BeginResponse();
}

void ModelEnd::OnText(absl::string_view message) {
  const absl::string_view audio = Between(message, kAudioKey);
  // A session's configuration has a key of that name too, with an object.
  if (audio.empty()) return OnRequest(message);
  Measure(audio, meter_.measuring, meter_.to_model_us);
}

void ModelEnd::OnRequest(absl::string_view message) {
  const Json event = Json::parse(message.begin(), message.end(), nullptr, /*allow_exceptions=*/false);
  if (!event.is_object() || connection_ == nullptr) return;
  const std::string type = event.value("type", "");
  if (type == "session.update") {
    // The same names both ways: what was asked for is what is in force.
    connection_->Send(
        {Json{{"type", "session.updated"}, {"event_id", "event_bench"}, {"session", event["session"]}}.dump()});
  } else if (type == "response.create" && !speaking_) {
    BeginResponse();
    std::string first = SilentBase64(160);
    const uint64_t now = SteadyNanos();
    WriteMarker(now, first);
    meter_.first_pieces[now] = this;
    connection_->Send({delta_head_, first, "\"}"});
  }
}

void ModelEnd::BeginResponse() {
  speaking_ = fresh_ = true;
  response_id_ = absl::StrCat("resp_bench", number_, "_", ++turn_);
  item_id_ = absl::StrCat("item_bench", number_, "_", turn_);
  delta_head_ = absl::StrCat(
      "{\"type\":\"response.output_audio.delta\",\"event_id\":\"event_bench\",\"response_id\":\"", response_id_,
      "\",\"item_id\":\"", item_id_, "\",\"output_index\":0,\"content_index\":0,\"delta\":\"");
  connection_->Send(
      {"{\"type\":\"response.created\",\"event_id\":\"event_bench\",\"response\":{\"id\":\"", response_id_,
       "\",\"object\":\"realtime.response\",\"status\":\"in_progress\",\"conversation_id\":\"conv_bench\"}}"});
  connection_->Send(
      {"{\"type\":\"conversation.item.added\",\"event_id\":\"event_bench\",\"previous_item_id\":null,\"item\":{"
       "\"id\":\"",
       item_id_, "\",\"type\":\"message\",\"role\":\"assistant\",\"status\":\"in_progress\",\"content\":[]}}"});
}

}  // namespace callbridge::bench
