#include "src/sim/model_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/sim/model_audio.h"
#include "src/sim/model_check.h"

namespace callbridge::sim {
namespace {

constexpr char kAppendStart[] = R"({"type":"input_audio_buffer.append","audio":")";
constexpr size_t kMaxEventId = 512;

constexpr char kTypes[] =
    "'session.update', 'input_audio_buffer.append', 'input_audio_buffer.commit', 'input_audio_buffer.clear', "
    "'conversation.item.create', 'conversation.item.retrieve', 'conversation.item.truncate', "
    "'conversation.item.delete', "
    "'response.create', and 'response.cancel'";

// The base64 of an append in its plain shape, found without parsing; false: any other event, or one that needs a
// parser.
bool PlainAppend(absl::string_view text, absl::string_view* base64) {
  if (!absl::ConsumePrefix(&text, kAppendStart) || !absl::ConsumeSuffix(&text, "\"}")) return false;
  if (text.find_first_of("\"\\") != absl::string_view::npos) return false;
  *base64 = text;
  return true;
}

// As the model remembers it.
ModelSessionReport::Believed Believed(const ModelItem& item) {
  ModelSessionReport::Believed believed;
  believed.item_id = item.id;
  believed.role = item.role;
  believed.text = item.text;
  for (const Json& part : item.content) {
    if (part.contains("text")) absl::StrAppend(&believed.text, part["text"].get_ref<const std::string&>());
  }
  if (item.kind == ModelItem::Kind::kFunctionCall) believed.role = "function_call";
  if (item.kind == ModelItem::Kind::kFunctionCallOutput) believed.role = "function_call_output";
  believed.call_id = item.call_id;
  believed.name = item.name;
  if (item.kind != ModelItem::Kind::kMessage) believed.text = item.arguments + item.output;
  believed.audio_ms = item.audio_ms;
  believed.heard_ms = item.truncated_ms >= 0 ? item.truncated_ms : item.audio_ms;
  return believed;
}

ModelWire::Manners MannersOf(const ModelManners& manners) { return {manners.beta_names, manners.unknown_extras}; }

}  // namespace

ModelSession::ModelSession(Options options, std::shared_ptr<const SpeechLibrary> speech, ModelSink& sink)
    : options_(std::move(options)),
      script_(options_.script != nullptr ? options_.script : std::make_shared<ModelScript>(options_.scenario)),
      speech_(std::move(speech)),
      wire_(sink, options_.seed, MannersOf(options_.scenario.model)),
      config_(options_.model, wire_.NewId("sess_"), absl::UnixEpoch()),
      conversation_(wire_.NewId("conv_")) {
  report_.scenario = options_.scenario.name;
  report_.model = options_.model;
  report_.number = options_.number;
}

void ModelSession::Open(const HandshakeVerdict& verdict, absl::Time now) {
  now_ = now;
  report_.open = true;
  if (!verdict.error_code.empty()) {
    ModelError error{verdict.error_code, verdict.error_message, ""};
    wire_.SendError(error, "");
    Note("refused", verdict.error_code);
    report_.refused.push_back(absl::StrCat("upgrade: ", verdict.error_code, ": ", verdict.error_message));
    report_.close_code = verdict.close_code;
    wire_.Close(verdict.close_code, absl::StrCat(error.type, ".", error.code));
    return;
  }
  const absl::Time end = now + options_.scenario.model.lifetime;
  config_ = ModelConfig(options_.model, wire_.NewId("sess_"), end);
  turns_ = config_.turn_detection();
  vad_.Configure(turns_.vad);
  Note("open", options_.model);
  wire_.Send("session.created", {{"session", config_.session()}});
  wire_.SendFutureEvent();
  At(end, [this] { Expire(); });
  ArmFaults(0);
}

void ModelSession::ArmFaults(int response) {
  for (const ModelManners::Fault& fault : options_.scenario.model.faults) {
    const bool here = fault.session == 0 || fault.session == options_.number;
    if (here && fault.response == response) At(now_ + fault.at, [this, what = fault.what] { Break(what); });
  }
}

void ModelSession::OnClosed(int code, absl::Time now) {
  now_ = now;
  report_.open = false;
  if (report_.close_code == 0) report_.close_code = code;
  Note("closed", absl::StrCat(code));
  ended_ = true;
  later_.clear();
  running_.clear();
  idle_at_ = absl::InfiniteFuture();
}

void ModelSession::OnText(absl::string_view text, absl::Time now) {
  OnTime(now);
  if (ended_ || wire_.silent()) return;
  absl::string_view base64;
  event_type_ = "input_audio_buffer.append";
  event_id_.clear();
  if (PlainAppend(text, &base64)) return AppendBase64(base64);
  const Json event = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  event_type_ = "(none)";
  if (event.is_discarded()) return Refuse({"invalid_json", "The message is not valid JSON.", ""});
  if (!event.is_object()) return Refuse({"invalid_event", "The message is not a JSON object.", ""});
  if (!event.contains("type")) return Refuse({"invalid_event", "The 'type' field is missing.", ""});
  ModelCheck check;
  if (!check.Text(event["type"], "type")) return Refuse(check.error());
  event_type_ = event["type"].get<std::string>();
  if (event_type_ != "input_audio_buffer.append" && options_.record) report_.received.emplace_back(text);
  if (event.contains("event_id")) {
    if (!check.Text(event["event_id"], "event_id")) return Refuse(check.error());
    event_id_ = event["event_id"].get<std::string>();
    if (event_id_.size() > kMaxEventId) {
      event_id_.clear();
      return Refuse({"invalid_value", "Invalid 'event_id': at most 512 characters.", "event_id"});
    }
  }
  Dispatch(event, event_type_);
  AfterResponses();
}

void ModelSession::OnBinary(absl::Time now) {
  OnTime(now);
  if (ended_ || wire_.silent()) return;
  event_type_ = "(binary)";
  event_id_.clear();
  Refuse({"invalid_event", "Binary messages are not supported.", ""});
}

void ModelSession::Dispatch(const Json& event, const std::string& type) {
  using Handler = void (ModelSession::*)(const Json&);
  static const std::map<std::string, Handler>& handlers = *new std::map<std::string, Handler>{
      {"session.update", &ModelSession::OnSessionUpdate},
      {"input_audio_buffer.append", &ModelSession::OnAppend},
      {"input_audio_buffer.commit", &ModelSession::OnBufferCommit},
      {"input_audio_buffer.clear", &ModelSession::OnBufferClear},
      {"conversation.item.create", &ModelSession::OnItemCreate},
      {"conversation.item.retrieve", &ModelSession::OnItemRetrieve},
      {"conversation.item.delete", &ModelSession::OnItemDelete},
      {"conversation.item.truncate", &ModelSession::OnItemTruncate},
      {"response.create", &ModelSession::OnResponseCreate},
      {"response.cancel", &ModelSession::OnResponseCancel},
  };
  const auto found = handlers.find(type);
  if (found == handlers.end()) {
    return Refuse(
        {"invalid_value", absl::StrCat("Invalid value: '", type, "'. Supported values are: ", kTypes, "."), "type"});
  }
  (this->*found->second)(event);
}

void ModelSession::Refuse(const ModelError& error) {
  report_.refused.push_back(absl::StrCat(event_type_, ": ", error.code, ": ", error.message));
  Note("refused", absl::StrCat(event_type_, " ", error.code));
  wire_.SendError(error, event_id_);
}

void ModelSession::OnSessionUpdate(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id", "session"})) return Refuse(check.error());
  if (!event.contains("session")) {
    check.Missing("session");
    return Refuse(check.error());
  }
  absl::string_view script = options_.scenario.model.on_update;
  if (script == "never") return;
  if (absl::ConsumePrefix(&script, "error:")) {
    return Refuse({std::string(script), absl::StrCat("Refused by the scenario: ", script), "session"});
  }
  const std::string format = config_.InputFormat();
  const Json turns = config_.session()["audio"]["input"]["turn_detection"];
  const ModelConfig::Moment moment{conversation_.HasAssistantAudio(), Running() != nullptr};
  if (std::optional<ModelError> error = config_.Update(event["session"], moment)) return Refuse(*error);
  // A turn under way goes on unless its rules changed.
  if (config_.session()["audio"]["input"]["turn_detection"] != turns || config_.InputFormat() != format) {
    turns_ = config_.turn_detection();
    vad_.Configure(turns_.vad);
    user_item_id_.clear();
  }
  report_.session_update = config_.session().dump();
  Note("update");
  wire_.Send("session.updated", {{"session", config_.session()}});
}

void ModelSession::SendItem(const ModelItem& item, const std::string& previous) {
  const Json fields = {{"previous_item_id", previous.empty() ? Json(nullptr) : Json(previous)},
                       {"item", item.ToJson()}};
  wire_.Send("conversation.item.added", fields);
  wire_.Send("conversation.item.done", fields);
}

void ModelSession::OnItemCreate(const Json& event) {
  ModelItemPtr item;
  std::string previous;
  if (std::optional<ModelError> error = conversation_.Create(event, wire_, &item, &previous)) return Refuse(*error);
  if (item->kind == ModelItem::Kind::kFunctionCallOutput) {
    report_.tool_outputs.push_back(absl::StrCat(item->call_id, " ", item->output));
    Note("tool output", item->output);
  }
  SendItem(*item, previous);
}

void ModelSession::OnItemRetrieve(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id", "item_id"})) return Refuse(check.error());
  if (!event.contains("item_id")) check.Missing("item_id");
  if (!check.ok() || !check.Text(event["item_id"], "item_id")) return Refuse(check.error());
  const std::string& id = event["item_id"].get_ref<const std::string&>();
  const ModelItemPtr item = conversation_.Find(id);
  if (item == nullptr) {
    return Refuse({"item_retrieve_invalid_item_id",
                   absl::StrCat("Error retrieving item: the item with id '", id, "' does not exist."), ""});
  }
  Json json = item->ToJson();
  if (item->role == "user" && item->audio) {
    const std::string audio = FromMulaw(config_.InputFormat(), item->mulaw);
    json["content"] =
        Json::array({Json{{"type", "input_audio"}, {"audio", absl::Base64Escape(audio)}, {"transcript", nullptr}}});
  }
  wire_.Send("conversation.item.retrieved", {{"item", json}});
}

void ModelSession::OnItemDelete(const Json& event) {
  if (std::optional<ModelError> error = conversation_.Delete(event)) return Refuse(*error);
  wire_.Send("conversation.item.deleted", {{"item_id", event["item_id"]}});
}

void ModelSession::OnItemTruncate(const Json& event) {
  if (std::optional<ModelError> error = conversation_.Truncate(event)) return Refuse(*error);
  Note("truncated", absl::StrCat(event["audio_end_ms"].get<int64_t>(), " ms"));
  wire_.Send("conversation.item.truncated",
             {{"item_id", event["item_id"]}, {"content_index", 0}, {"audio_end_ms", event["audio_end_ms"]}});
}

absl::Time ModelSession::NextDeadline() const {
  if (ended_ || wire_.silent()) return absl::InfiniteFuture();
  absl::Time next = idle_at_;
  if (!later_.empty()) next = std::min(next, later_.begin()->first);
  for (const auto& response : running_) next = std::min(next, response->Next());
  return next;
}

void ModelSession::OnTime(absl::Time now) {
  for (absl::Time next = NextDeadline(); next <= now; next = NextDeadline()) RunOne(next);
  now_ = std::max(now_, now);
}

// The one thing that is due at `when`: responses first, so that what follows them sees them ended.
void ModelSession::RunOne(absl::Time when) {
  now_ = std::max(now_, when);
  for (const auto& response : running_) {
    if (response->Next() > when) continue;
    response->Run(now_);
    return AfterResponses();
  }
  if (!later_.empty() && later_.begin()->first <= when) {
    const Later what = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    what();
    return AfterResponses();
  }
  OnIdle();
}

void ModelSession::Expire() {
  script_->ExpectAnother();
  const std::string message = "Your session hit the maximum duration of 60 minutes.";
  wire_.SendError({"session_expired", message, ""}, "");
  report_.close_code = 1001;
  wire_.Close(1001, message);
}

void ModelSession::Break(const std::string& what) {
  Note("fault", what);
  if (what != "garbage") script_->ExpectAnother();
  absl::string_view rest = what;
  int code = 0;
  if (what == "abort") return wire_.Abort();
  if (what == "stall") return wire_.Stall();
  if (what == "expire") return Expire();
  if (what == "garbage") {
    for (const char* text :
         {"", "not json", R"({"type":"response.output_audio.delta","delta":)", "[]", "null", "7", R"({"type":7})",
          R"({"event_id":"event_1"})", R"({"type":"response.output_audio.delta","delta":5,"item_id":null})",
          R"({"type":"response.output_audio.delta","item_id":"item_none","delta":"!!!\"},{"})",
          R"({"type":"response.done","response":[]})", R"({"type":"error","error":"no object"})"}) {
      wire_.SendRaw(text);
    }
    return;
  }
  if (absl::ConsumePrefix(&rest, "close:") && absl::SimpleAtoi(rest, &code)) {
    report_.close_code = code;
    return wire_.Close(code, "the scenario says so");
  }
  if (absl::ConsumePrefix(&rest, "error:")) {
    ModelError error{std::string(rest), absl::StrCat("The server had an error: ", rest), ""};
    error.type = "server_error";
    return wire_.SendError(error, "");
  }
  report_.problems.push_back(absl::StrCat("unknown fault '", what, "'"));
}

void ModelSession::Note(const std::string& what, const std::string& detail) {
  if (options_.record) report_.steps.push_back({now_, what, detail});
}

ModelSessionReport ModelSession::Report() const {
  ModelSessionReport report = report_;
  for (const ModelItemPtr& item : spoken_) {
    report.items.push_back(
        {item->id, item->text, item->mulaw, item->audio_ms, item->truncated_ms, item->deleted, item->cancelled});
  }
  for (const ModelItemPtr& item : conversation_.items()) report.conversation.push_back(Believed(*item));
  return report;
}

}  // namespace callbridge::sim
