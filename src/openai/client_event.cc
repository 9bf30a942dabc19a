#include "src/openai/client_event.h"

#include <algorithm>
#include <utility>

#include "nlohmann/json.hpp"

namespace callbridge::openai {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kPurposeKey[] = "purpose";
constexpr char kRequestKey[] = "request_id";

std::string Text(absl::string_view text) { return std::string(text); }

Json Event(absl::string_view type, absl::string_view event_id) {
  Json event{{"type", Text(type)}};
  if (!event_id.empty()) event["event_id"] = Text(event_id);
  return event;
}

std::string Dump(const Json& event) { return event.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string CreateItem(absl::string_view type, const Json& fields, absl::string_view event_id, const Placement& place) {
  Json event = Event("conversation.item.create", event_id);
  if (!place.previous_item_id.empty()) event["previous_item_id"] = Text(place.previous_item_id);
  Json item = Json::object();
  if (!place.item_id.empty()) item["id"] = Text(place.item_id);
  item["type"] = Text(type);
  item.update(fields);
  event["item"] = std::move(item);
  return Dump(event);
}

std::string CreateMessage(absl::string_view role, absl::string_view content_type, absl::string_view text,
                          absl::string_view event_id, const Placement& place) {
  Json content = Json::array();
  content.push_back({{"type", Text(content_type)}, {"text", Text(text)}});
  return CreateItem("message", {{"role", Text(role)}, {"content", std::move(content)}}, event_id, place);
}

}  // namespace

std::array<absl::string_view, 3> AppendParts(absl::string_view base64) {
  return {R"({"type":"input_audio_buffer.append","audio":")", base64, R"("})"};
}

std::string FormatCommit(absl::string_view event_id) { return Dump(Event("input_audio_buffer.commit", event_id)); }

std::string FormatClear(absl::string_view event_id) { return Dump(Event("input_audio_buffer.clear", event_id)); }

std::string FormatSystemText(absl::string_view text, absl::string_view event_id, const Placement& place) {
  return CreateMessage("system", "input_text", text, event_id, place);
}

std::string FormatUserText(absl::string_view text, absl::string_view event_id, const Placement& place) {
  return CreateMessage("user", "input_text", text, event_id, place);
}

std::string FormatAssistantText(absl::string_view text, absl::string_view event_id, const Placement& place) {
  return CreateMessage("assistant", "output_text", text, event_id, place);
}

std::string FormatFunctionCall(absl::string_view call_id, absl::string_view name, absl::string_view arguments,
                               absl::string_view event_id, const Placement& place) {
  return CreateItem("function_call", {{"call_id", Text(call_id)}, {"name", Text(name)}, {"arguments", Text(arguments)}},
                    event_id, place);
}

std::string FormatFunctionCallOutput(absl::string_view call_id, absl::string_view output, absl::string_view event_id) {
  return CreateItem("function_call_output", {{"call_id", Text(call_id)}, {"output", Text(output)}}, event_id, {});
}

std::string FormatTruncate(absl::string_view item_id, int64_t content_index, int64_t audio_end_ms,
                           absl::string_view event_id) {
  Json event = Event("conversation.item.truncate", event_id);
  event["item_id"] = Text(item_id);
  event["content_index"] = content_index;
  event["audio_end_ms"] = std::max<int64_t>(audio_end_ms, 0);
  return Dump(event);
}

std::string FormatDelete(absl::string_view item_id, absl::string_view event_id) {
  Json event = Event("conversation.item.delete", event_id);
  event["item_id"] = Text(item_id);
  return Dump(event);
}

std::string FormatResponseCreate(absl::string_view event_id) { return Dump(Event("response.create", event_id)); }

std::string FormatResponseCreate(absl::string_view instructions, absl::string_view event_id,
                                 absl::string_view request_id) {
  Json event = Event("response.create", event_id);
  event["response"] = {{"instructions", Text(instructions)}, {"tool_choice", "none"}};
  if (!request_id.empty()) event["response"]["metadata"] = {{kRequestKey, Text(request_id)}};
  return Dump(event);
}

std::string RequestIdOf(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find(kRequestKey);
  return found == metadata.end() ? "" : found->second;
}

std::string FormatTextAside(absl::string_view instructions, absl::string_view purpose, int64_t max_output_tokens,
                            absl::string_view event_id) {
  Json event = Event("response.create", event_id);
  // No tools: a summary that hands the caller over would be a surprise.
  event["response"] = {{"conversation", "none"},
                       {"output_modalities", Json::array({"text"})},
                       {"metadata", {{kPurposeKey, Text(purpose)}}},
                       {"tools", Json::array()},
                       {"tool_choice", "none"},
                       {"max_output_tokens", max_output_tokens},
                       {"instructions", Text(instructions)}};
  return Dump(event);
}

bool IsAside(const std::map<std::string, std::string>& metadata, absl::string_view purpose) {
  const auto found = metadata.find(kPurposeKey);
  return found != metadata.end() && found->second == purpose;
}

std::string FormatCancel(absl::string_view response_id, absl::string_view event_id) {
  Json event = Event("response.cancel", event_id);
  event["response_id"] = Text(response_id);
  return Dump(event);
}

}  // namespace callbridge::openai
