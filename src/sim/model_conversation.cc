#include "src/sim/model_conversation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/sim/model_check.h"

namespace callbridge::sim {
namespace {

constexpr int64_t kMaxMs = int64_t{24} * 3600 * 1000;

bool IsCallId(absl::string_view id) {
  return !id.empty() &&
         std::all_of(id.begin(), id.end(), [](char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; });
}

// The part types that a role may carry.
bool CheckPart(const Json& part, const std::string& role, const std::string& path, ModelCheck* check) {
  if (!check->Object(part, path, {"type", "text", "audio", "transcript", "image_url", "detail"})) return false;
  if (!check->Has(part, path, "type")) return false;
  if (role == "assistant") {
    if (!check->OneOf(part["type"], path + ".type", {"output_text"})) return false;
  } else if (role == "system") {
    if (!check->OneOf(part["type"], path + ".type", {"input_text"})) return false;
  } else if (!check->OneOf(part["type"], path + ".type", {"input_text", "input_audio", "input_image"})) {
    return false;
  }
  const std::string key = part["type"] == "input_audio"   ? "audio"
                          : part["type"] == "input_image" ? "image_url"
                                                          : "text";
  if (!check->Has(part, path, key) || !check->Text(part[key], absl::StrCat(path, ".", key))) return false;
  std::string bytes;
  if (key == "audio" && !absl::Base64Unescape(part[key].get_ref<const std::string&>(), &bytes)) {
    return check->Wrong(path + ".audio", absl::StrCat("Invalid '", path, ".audio': not valid base64."));
  }
  return true;
}

bool CheckMessage(const Json& item, ModelCheck* check) {
  if (!check->Object(item, "item", {"id", "object", "type", "status", "role", "content", "phase"})) return false;
  if (!check->Has(item, "item", "role") || !check->OneOf(item["role"], "item.role", {"user", "assistant", "system"}))
    return false;
  if (!check->Has(item, "item", "content") || !check->Array(item["content"], "item.content")) return false;
  const std::string role = item["role"];
  for (size_t i = 0; i < item["content"].size(); ++i) {
    if (!CheckPart(item["content"][i], role, absl::StrCat("item.content[", i, "]"), check)) return false;
  }
  return true;
}

// A client's content as the service echoes it: audio is never repeated.
Json EchoedContent(const Json& content) {
  Json echoed = Json::array();
  for (const Json& part : content) {
    if (part["type"] == "input_audio") {
      echoed.push_back({{"type", "input_audio"}, {"transcript", part.value("transcript", Json(nullptr))}});
    } else {
      echoed.push_back(part);
    }
  }
  return echoed;
}

}  // namespace

Json ModelItem::ToJson() const {
  Json json = {{"id", id}};
  switch (kind) {
    case Kind::kFunctionCall:
      json["type"] = "function_call";
      json["status"] = status;
      json["name"] = name;
      json["call_id"] = call_id;
      json["arguments"] = arguments;
      return json;
    case Kind::kFunctionCallOutput:
      json["type"] = "function_call_output";
      json["call_id"] = call_id;
      json["output"] = output;
      return json;
    case Kind::kMessage: break;
  }
  json["type"] = "message";
  json["status"] = status;
  json["role"] = role;
  json["content"] = content;
  if (role == "assistant" && has_part && status != "in_progress") {
    if (audio) {
      const Json transcript = truncated_ms < 0 ? Json(text) : Json(nullptr);
      json["content"] = Json::array({Json{{"type", "output_audio"}, {"transcript", transcript}}});
    } else {
      json["content"] = Json::array({Json{{"type", "output_text"}, {"text", text}}});
    }
  }
  if (!phase.empty()) json["phase"] = phase;
  return json;
}

std::string ModelConversation::Append(ModelItemPtr item) {
  std::string previous = LastId();
  items_.push_back(std::move(item));
  return previous;
}

std::string ModelConversation::LastId() const { return items_.empty() ? "" : items_.back()->id; }

ModelItemPtr ModelConversation::Find(absl::string_view id) const {
  for (const ModelItemPtr& item : items_) {
    if (item->id == id) return item;
  }
  return nullptr;
}

bool ModelConversation::HasAssistantAudio() const {
  return std::any_of(items_.begin(), items_.end(),
                     [](const ModelItemPtr& item) { return item->role == "assistant" && item->audio_bytes > 0; });
}

std::optional<ModelError> ModelConversation::CheckItem(const Json& item) const {
  ModelCheck check;
  if (!item.is_object()) {
    check.Object(item, "item", {});
    return check.error();
  }
  if (!check.Has(item, "item", "type") ||
      !check.OneOf(item["type"], "item.type", {"message", "function_call", "function_call_output"})) {
    return check.error();
  }
  if (item.contains("id") && check.Text(item["id"], "item.id")) {
    const std::string& id = item["id"].get_ref<const std::string&>();
    if (id.empty() || id.size() > 64) check.Wrong("item.id", "Invalid 'item.id': expected 1 to 64 characters.");
    if (Find(id) != nullptr) {
      check.Wrong("item.id", absl::StrCat("Error adding item: an item with id '", id, "' already exists."));
    }
  }
  if (item["type"] == "message") {
    CheckMessage(item, &check);
  } else if (item["type"] == "function_call") {
    check.Object(item, "item", {"id", "object", "type", "status", "call_id", "name", "arguments"}) &&
        check.Has(item, "item", "name") && check.Text(item["name"], "item.name") &&
        check.Has(item, "item", "arguments") && check.Text(item["arguments"], "item.arguments");
    if (check.ok() && item.contains("call_id")) check.Text(item["call_id"], "item.call_id");
  } else if (check.Object(item, "item", {"id", "object", "type", "status", "call_id", "output"}) &&
             check.Has(item, "item", "call_id") && check.Text(item["call_id"], "item.call_id") &&
             check.Has(item, "item", "output") && check.Text(item["output"], "item.output")) {
    const std::string& call_id = item["call_id"].get_ref<const std::string&>();
    const bool known = std::any_of(items_.begin(), items_.end(), [&](const ModelItemPtr& other) {
      return other->kind == ModelItem::Kind::kFunctionCall && other->call_id == call_id;
    });
    if (!known) {
      check.Refuse(
          {"invalid_tool_call_id", absl::StrCat("Tool call ID '", call_id, "' not found in conversation."), ""});
    }
  }
  if (check.ok() && item.contains("call_id") && !IsCallId(item["call_id"].get_ref<const std::string&>())) {
    check.Wrong("item.call_id", "Invalid 'item.call_id': expected letters, digits, '_' and '-' only.");
  }
  if (!check.ok()) return check.error();
  return std::nullopt;
}

std::optional<ModelError> ModelConversation::Create(const Json& event, ModelWire& wire, ModelItemPtr* made,
                                                    std::string* previous) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id", "previous_item_id", "item"})) return check.error();
  if (!event.contains("item")) {
    check.Missing("item");
    return check.error();
  }
  const Json& json = event["item"];
  if (std::optional<ModelError> error = CheckItem(json)) return error;
  size_t at = items_.size();
  if (event.contains("previous_item_id") && !event["previous_item_id"].is_null()) {
    if (!check.Text(event["previous_item_id"], "previous_item_id")) return check.error();
    const std::string& before = event["previous_item_id"].get_ref<const std::string&>();
    const auto found =
        std::find_if(items_.begin(), items_.end(), [&](const ModelItemPtr& item) { return item->id == before; });
    if (before == "root") {
      at = 0;
    } else if (found == items_.end()) {
      return ModelError{"item_not_found", absl::StrCat("Previous item with id '", before, "' not found."),
                        "previous_item_id"};
    } else {
      at = static_cast<size_t>(found - items_.begin()) + 1;
    }
  }
  auto item = std::make_shared<ModelItem>();
  item->id = json.contains("id") ? json["id"].get<std::string>() : wire.NewId("item_");
  if (json["type"] == "message") {
    item->role = json["role"];
    item->content = EchoedContent(json["content"]);
  } else if (json["type"] == "function_call") {
    item->kind = ModelItem::Kind::kFunctionCall;
    item->name = json["name"];
    item->arguments = json["arguments"];
    item->call_id = json.contains("call_id") ? json["call_id"].get<std::string>() : wire.NewId("call_", 16);
  } else {
    item->kind = ModelItem::Kind::kFunctionCallOutput;
    item->call_id = json["call_id"];
    item->output = json["output"];
  }
  *previous = at == 0 ? "" : items_[at - 1]->id;
  *made = item;
  items_.insert(items_.begin() + static_cast<std::ptrdiff_t>(at), item);
  return std::nullopt;
}

std::optional<ModelError> ModelConversation::Truncate(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id", "item_id", "content_index", "audio_end_ms"})) return check.error();
  for (const char* key : {"item_id", "content_index", "audio_end_ms"}) {
    if (!event.contains(key)) check.Missing(key);
  }
  if (!check.ok() || !check.Text(event["item_id"], "item_id")) return check.error();
  if (!check.Whole(event["content_index"], "content_index", 0, 0)) return check.error();
  if (!check.Whole(event["audio_end_ms"], "audio_end_ms", 0, kMaxMs)) return check.error();
  const std::string& id = event["item_id"].get_ref<const std::string&>();
  const ModelItemPtr item = Find(id);
  if (item == nullptr) {
    return ModelError{"item_truncate_invalid_item_id", absl::StrCat("Item with item_id not found: ", id), ""};
  }
  if (item->role != "assistant" || !item->audio || item->audio_bytes == 0) {
    return ModelError{"", "Only model output audio messages can be truncated", ""};
  }
  const int64_t end = event["audio_end_ms"].get<int64_t>();
  const int64_t have = item->truncated_ms >= 0 ? item->truncated_ms : item->audio_ms;
  if (end > have) {
    return ModelError{"invalid_value",
                      absl::StrCat("Audio content of ", have, "ms is already shorter than ", end, "ms"), ""};
  }
  item->truncated_ms = end;
  return std::nullopt;
}

std::optional<ModelError> ModelConversation::Delete(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id", "item_id"})) return check.error();
  if (!event.contains("item_id")) check.Missing("item_id");
  if (!check.ok() || !check.Text(event["item_id"], "item_id")) return check.error();
  const std::string& id = event["item_id"].get_ref<const std::string&>();
  const auto found =
      std::find_if(items_.begin(), items_.end(), [&](const ModelItemPtr& item) { return item->id == id; });
  if (found == items_.end()) {
    ModelError error{"item_delete_invalid_item_id",
                     absl::StrCat("Error deleting item: the item with id '", id, "' does not exist."), ""};
    error.names_event = false;
    return error;
  }
  (*found)->deleted = true;
  items_.erase(found);
  return std::nullopt;
}

// About four characters to a token.
int ModelConversation::TextTokens() const {
  size_t characters = 0;
  for (const ModelItemPtr& item : items_) {
    characters += item->arguments.size() + item->output.size();
    for (const Json& part : item->content) {
      if (part.contains("text")) characters += part["text"].get_ref<const std::string&>().size();
    }
  }
  return static_cast<int>(characters / 4);
}

// The caller's audio costs a token each 100 ms, the model's one each 50 ms.
int ModelConversation::AudioTokens() const {
  int64_t tokens = 0;
  for (const ModelItemPtr& item : items_) {
    const int64_t ms = item->truncated_ms >= 0 ? item->truncated_ms : item->audio_ms;
    tokens += ms / (item->role == "assistant" ? 50 : 100);
  }
  return static_cast<int>(tokens);
}

}  // namespace callbridge::sim
