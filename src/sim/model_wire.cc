#include "src/sim/model_wire.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace callbridge::sim {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// The names that events had in 2024, which compatible servers still send. Empty: not sent at all.
std::string BetaName(absl::string_view type) {
  if (type == "conversation.item.done") return "";
  if (type == "conversation.item.added") return "conversation.item.created";
  return absl::StrReplaceAll(type,
                             {{"response.output_audio", "response.audio"}, {"response.output_text", "response.text"}});
}

Json NullIfEmpty(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

ModelWire::ModelWire(ModelSink& sink, uint64_t seed, Manners manners) : sink_(sink), state_(seed), manners_(manners) {}

void ModelWire::Send(absl::string_view type, const Json& fields) {
  const std::string name = manners_.beta_names ? BetaName(type) : std::string(type);
  if (name.empty()) return;
  Json event = {{"type", name}, {"event_id", NewId("event_")}};
  for (const auto& [key, value] : fields.items()) event[key] = value;
  if (manners_.unknown_extras && ++sent_ % 5 == 0)
    event["x_later"] = {{"kind", "unknown"}, {"list", {1, "two", nullptr}}};
  std::string text = Dump(event);
  if (manners_.beta_names) {
    text = absl::StrReplaceAll(
        text, {{R"("type":"output_audio")", R"("type":"audio")"}, {R"("type":"output_text")", R"("type":"text")"}});
  }
  SendRaw(text);
}

void ModelWire::SendDelta(absl::string_view type, Json fields) {
  fields["obfuscation"] = NewId("", Between(6, 16));
  Send(type, fields);
}

std::string ModelWire::AudioDeltaMiddle(absl::string_view response_id, absl::string_view item_id, int output_index) {
  return absl::StrCat(R"(","response_id":")", response_id, R"(","item_id":")", item_id, R"(","output_index":)",
                      output_index, R"(,"content_index":0,"delta":")");
}

void ModelWire::SendAudioDelta(absl::string_view middle, absl::string_view audio) {
  if (silent_) return;
  const absl::string_view type = manners_.beta_names ? "response.audio.delta" : "response.output_audio.delta";
  std::string base64;
  absl::Base64Escape(audio, &base64);
  SendRaw(absl::StrCat(R"({"type":")", type, R"(","event_id":")", NewId("event_"), middle, base64, R"("})"));
}

void ModelWire::SendError(const ModelError& error, absl::string_view client_event_id) {
  const bool named = error.names_event && !client_event_id.empty();
  Send("error", {{"error",
                  {{"type", error.type},
                   {"code", NullIfEmpty(error.code)},
                   {"message", error.message},
                   {"param", NullIfEmpty(error.param)},
                   {"event_id", named ? Json(std::string(client_event_id)) : Json(nullptr)}}}});
}

void ModelWire::SendFutureEvent() {
  if (!manners_.unknown_extras) return;
  Send("session.weather.updated", {{"weather", {{"sky", "clear"}}}, {"delta", 7}, {"item_id", nullptr}});
}

void ModelWire::SendRaw(absl::string_view text) {
  if (!silent_) sink_.Send(text);
}

void ModelWire::Close(int code, absl::string_view reason) {
  if (silent_) return;
  sink_.Close(code, reason);
  silent_ = true;
}

void ModelWire::Abort() {
  sink_.Abort();
  silent_ = true;
}

std::string ModelWire::NewId(absl::string_view prefix, int length) {
  std::string id(prefix);
  uint64_t bits = 0;
  for (int i = 0; i < length; ++i) {
    if (i % 8 == 0) bits = Random();
    id.push_back(kAlphabet[(bits & 0xff) % 62]);
    bits >>= 8;
  }
  return id;
}

int ModelWire::Between(int low, int high) {
  if (high <= low) return low;
  return low + static_cast<int>(Random() % static_cast<uint64_t>(high - low + 1));
}

// SplitMix64: small, quick, and the same everywhere.
uint64_t ModelWire::Random() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace callbridge::sim
