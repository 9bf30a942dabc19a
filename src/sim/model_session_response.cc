// The model's side of a session: which reply of the scenario comes next, and the responses under way.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/sim/model_audio.h"
#include "src/sim/model_check.h"
#include "src/sim/model_session.h"
#include "src/sim/mulaw.h"

namespace callbridge::sim {
namespace {

constexpr char kNeutralClip[] = "queue-thankyou";  // When the script has run out: "Thank you for your patience."
constexpr absl::Duration kRateLimitsAfter = absl::Milliseconds(35);

bool IsOutOfBand(const Json& request) {
  return request.is_object() && request.value("conversation", std::string("auto")) == "none";
}

}  // namespace

void ModelSession::OnResponseCreate(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id", "response"})) return Refuse(check.error());
  const Json request = event.contains("response") ? event["response"] : Json(nullptr);
  const ModelConfig::Moment moment{conversation_.HasAssistantAudio(), Running() != nullptr};
  if (std::optional<ModelError> error = config_.CheckResponse(request, moment)) return Refuse(*error);
  if (request.is_object() && request.contains("input")) {
    for (const Json& item : request["input"]) {
      const bool reference = item.is_object() && item.contains("type") && item["type"] == "item_reference";
      if (!reference) continue;
      if (!item.contains("id") || !item["id"].is_string() ||
          conversation_.Find(item["id"].get<std::string>()) == nullptr) {
        return Refuse({"item_not_found", "An item_reference of 'response.input' names an item that does not exist.",
                       "response.input"});
      }
    }
  }
  StartResponse(request, /*automatic=*/false);
}

void ModelSession::OnResponseCancel(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id", "response_id"})) return Refuse(check.error());
  const bool named = event.contains("response_id") && !event["response_id"].is_null();
  if (named && !check.Text(event["response_id"], "response_id")) return Refuse(check.error());
  ModelResponse* const response = named ? FindResponse(event["response_id"].get_ref<const std::string&>()) : Running();
  if (response == nullptr) {
    return Refuse({"response_cancel_not_active", "Cancellation failed: no active response found", ""});
  }
  response->Cancel("client_cancelled");
}

void ModelSession::StartResponse(const Json& request, bool automatic) {
  const bool out_of_band = IsOutOfBand(request);
  ModelResponse* const running = Running();
  if (!out_of_band && running != nullptr) {
    return Refuse({"conversation_already_has_active_response",
                   absl::StrCat("Conversation already has an active response in progress: ", running->id(),
                                ". Wait until the response is finished before creating a new one."),
                   ""});
  }
  idle_at_ = absl::InfiniteFuture();
  const ModelReply* const reply = out_of_band ? nullptr : TakeReply();
  if (reply != nullptr && reply->nothing) return Note("nothing");
  ModelResponse::Setup setup;
  setup.out_of_band = out_of_band;
  setup.phases = IsReasoningModel(options_.model);
  setup.keep_audio = options_.record;
  setup.shape = ShapeOf(request);
  setup.format = setup.shape["audio"]["output"]["format"]["type"].get<std::string>();
  setup.manners = options_.scenario.model;
  setup.input_text_tokens =
      conversation_.TextTokens() +
      static_cast<int>(config_.session()["instructions"].get_ref<const std::string&>().size() / 4);
  setup.input_audio_tokens = conversation_.AudioTokens();
  const bool text = setup.shape["output_modalities"] == Json::array({"text"});
  if (out_of_band) {
    setup.speech.items.push_back({options_.scenario.summary, ""});
    if (!text) setup.speech = SpeechOf(ModelReply{{{kNeutralClip}}, "", "", "", "completed"}, false);
  } else {
    setup.speech = SpeechOf(reply != nullptr ? *reply : ModelReply{{{kNeutralClip}}, "", "", "", "completed"}, text);
    if (reply != nullptr && reply->think != absl::InfiniteDuration()) setup.manners.think = reply->think;
    if (!automatic && !caller_spoke_) ++report_.greetings;
  }
  for (ModelSpeech::Spoken& spoken : setup.speech.items) spoken.audio = FromMulaw(setup.format, spoken.audio);
  running_.push_back(std::make_unique<ModelResponse>(std::move(setup), wire_, conversation_, now_));
  report_.responses.push_back({running_.back()->id(), out_of_band, automatic, "in_progress", ""});
  if (!out_of_band) ArmFaults(++responses_);
  Note("response", out_of_band ? "out of band" : automatic ? "to the caller" : "asked for");
}

// What response.created and response.done repeat: the session's settings with the request's laid over them.
Json ModelSession::ShapeOf(const Json& request) const {
  const Json& session = config_.session();
  Json shape = {
      {"output_modalities", session["output_modalities"]},
      {"max_output_tokens", session["max_output_tokens"]},
      {"audio",
       {{"output",
         {{"format", session["audio"]["output"]["format"]}, {"voice", session["audio"]["output"]["voice"]}}}}},
      {"metadata", nullptr}};
  if (!request.is_object()) return shape;
  for (const char* key : {"output_modalities", "max_output_tokens", "metadata"}) {
    if (request.contains(key)) shape[key] = request[key];
  }
  if (request.contains("audio") && request["audio"].contains("output")) {
    for (const auto& [key, value] : request["audio"]["output"].items()) shape["audio"]["output"][key] = value;
  }
  return shape;
}

// Answers to a tool come first when the last input is its output; all others come in order.
const ModelReply* ModelSession::TakeReply() {
  const std::vector<ModelReply>& replies = options_.scenario.replies;
  bool failed = false;
  const bool after_tool = LastInputIsToolOutput(&failed);
  const auto take = [&](const std::string& when) -> const ModelReply* {
    for (size_t i = 0; i < replies.size(); ++i) {
      if (replies[i].when == when && script_->TakeReply(i)) return &replies[i];
    }
    return nullptr;
  };
  const ModelReply* reply = after_tool ? take(failed ? "tool-failed" : "tool-ok") : nullptr;
  return reply != nullptr ? reply : take("");
}

bool ModelSession::LastInputIsToolOutput(bool* failed) const {
  const std::vector<ModelItemPtr>& items = conversation_.items();
  // Instructions added beside an output do not count as input.
  const auto last =
      std::find_if(items.rbegin(), items.rend(), [](const ModelItemPtr& item) { return item->role != "system"; });
  if (last == items.rend() || (*last)->kind != ModelItem::Kind::kFunctionCallOutput) return false;
  const Json output = Json::parse((*last)->output, nullptr, /*allow_exceptions=*/false);
  *failed = output.is_object() && output.contains("status") && output["status"] == "failed";
  return true;
}

ModelSpeech ModelSession::SpeechOf(const ModelReply& reply, bool text) {
  ModelSpeech speech;
  speech.tool = reply.tool;
  speech.arguments = reply.arguments;
  speech.status = reply.status;
  for (const std::vector<std::string>& clips : reply.speech) {
    ModelSpeech::Spoken spoken;
    for (const std::string& name : clips) {
      const Clip* const clip = speech_->Find(name);
      if (clip == nullptr) {
        report_.problems.push_back(absl::StrCat("no clip is called '", name, "'"));
        continue;
      }
      const auto own = options_.scenario.texts.find(name);
      const std::string& words = own != options_.scenario.texts.end() ? own->second : clip->words;
      if (!words.empty()) absl::StrAppend(&spoken.words, spoken.words.empty() ? "" : " ", words);
      if (!text) spoken.audio += clip->mulaw;
    }
    if (!spoken.audio.empty() || text) speech.items.push_back(std::move(spoken));
  }
  return speech;
}

ModelResponse* ModelSession::Running() const {
  for (const auto& response : running_) {
    if (!response->out_of_band() && !response->done()) return response.get();
  }
  return nullptr;
}

ModelResponse* ModelSession::FindResponse(absl::string_view id) const {
  for (const auto& response : running_) {
    if (response->id() == id && !response->done()) return response.get();
  }
  return nullptr;
}

void ModelSession::AfterResponses() {
  for (size_t i = 0; i < running_.size();) {
    ModelResponse& response = *running_[i];
    for (const ModelItemPtr& item : response.items()) {
      const bool listed = std::find(spoken_.begin(), spoken_.end(), item) != spoken_.end();
      if (item->audio && !listed) spoken_.push_back(item);
    }
    if (!response.done()) {
      ++i;
      continue;
    }
    for (ModelSessionReport::Response& reported : report_.responses) {
      if (reported.response_id != response.id()) continue;
      reported.status = response.status();
      reported.reason = response.reason();
    }
    Note("done", absl::StrCat(response.status(), response.reason().empty() ? "" : " ", response.reason()));
    if (response.status() != "cancelled") {
      At(now_ + kRateLimitsAfter, [this] {
        wire_.Send("rate_limits.updated",
                   {{"rate_limits",
                     Json::array({Json{
                         {"name", "tokens"}, {"limit", 40000}, {"remaining", 39510}, {"reset_seconds", 0.735}}})}});
      });
    }
    if (!response.out_of_band() && response.status() == "completed" && turns_.on &&
        turns_.idle_timeout < absl::InfiniteDuration() && !vad_.speaking()) {
      const absl::Time played = std::max(now_, response.played_until());
      idle_at_ = played + turns_.idle_timeout;
      idle_since_ms_ = vad_.position_bytes() / kMulawBytesPerMs + absl::ToInt64Milliseconds(played - now_);
    }
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace callbridge::sim
