#include "src/sim/world_api.h"

#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace callbridge::sim {
namespace {

using nlohmann::json;

base::HttpResponse Reply(int status, const json& body) {
  base::HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = body.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  return response;
}

base::HttpResponse Error(int status, absl::string_view what) { return Reply(status, {{"error", std::string(what)}}); }

json Time(absl::Time time) {
  if (time == absl::InfiniteFuture()) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

json Brief(const CarrierCallReport& report) {
  return {{"call_uuid", report.call_uuid},
          {"scenario", report.scenario},
          {"direction", report.outbound ? "outbound" : "inbound"},
          {"from", report.from},
          {"to", report.to},
          {"status", report.status},
          {"over", report.over},
          {"hangup_code", report.hangup_code},
          {"failed_steps", report.failed_steps},
          {"violations", report.violations}};
}

json Whole(const CarrierCallReport& report, bool audio) {
  json call = Brief(report);
  call["started"] = Time(report.started);
  call["answered"] = Time(report.answered);
  call["ended"] = Time(report.ended);
  call["hangup_name"] = report.hangup_name;
  call["hangup_source"] = report.hangup_source;
  call["streams"] = report.streams;
  call["checkpoints"] = report.checkpoints;
  call["clears"] = report.clears;
  call["cleared_bytes"] = report.cleared_bytes;
  call["dialled"] = report.dialled;
  call["whispers"] = report.whispers;
  call["dtmf"] = json::array();
  for (const CarrierCallReport::Digits& sent : report.dtmf)
    call["dtmf"].push_back({{"time", Time(sent.time)}, {"digits", sent.digits}});
  call["machine_told"] = report.machine_told;
  if (report.recording_from >= 0) call["recording_from"] = report.recording_from;
  call["heard_bytes"] = report.heard.size();
  call["steps"] = json::array();
  for (const CarrierStep& step : report.steps) {
    call["steps"].push_back({{"time", Time(step.time)}, {"what", step.what}, {"detail", step.detail}});
  }
  call["spells"] = json::array();
  for (const CarrierCallReport::Spell& spell : report.spells) {
    call["spells"].push_back({{"start", Time(spell.start)}, {"first_byte", spell.first_byte}, {"bytes", spell.bytes}});
  }
  if (audio) call["heard"] = absl::Base64Escape(report.heard);
  return call;
}

json Conversation(const ModelSessionReport& report) {
  json items = json::array();
  for (const ModelSessionReport::Believed& item : report.conversation) {
    items.push_back({{"item_id", item.item_id},
                     {"role", item.role},
                     {"text", item.text},
                     {"call_id", item.call_id},
                     {"name", item.name},
                     {"audio_ms", item.audio_ms},
                     {"heard_ms", item.heard_ms}});
  }
  return items;
}

json Session(const ModelSessionReport& report, bool audio) {
  json items = json::array();
  for (const ModelSessionReport::Item& item : report.items) {
    items.push_back({{"item_id", item.item_id},
                     {"words", item.words},
                     {"bytes", item.mulaw.size()},
                     {"truncated_ms", item.truncated_ms},
                     {"deleted", item.deleted},
                     {"cancelled", item.cancelled}});
    if (audio) items.back()["mulaw"] = absl::Base64Escape(item.mulaw);
  }
  return {{"scenario", report.scenario},
          {"open", report.open},
          {"close_code", report.close_code},
          {"session_update", report.session_update},
          {"received", report.received},
          {"refused", report.refused},
          {"appended_bytes", report.appended_bytes},
          {"heard_words", report.heard_words},
          {"items", items},
          {"tool_outputs", report.tool_outputs},
          {"greetings", report.greetings},
          {"number", report.number},
          {"conversation", Conversation(report)}};
}

// The scenario that a request's body names or holds, with its numbers replaced by those of the body.
absl::StatusOr<Scenario> ReadBody(World& world, const std::string& text) {
  const json body = json::parse(text, nullptr, false);
  const auto member = [&body](const char* name) {
    return body.contains(name) && body[name].is_string() ? body[name].get<std::string>() : std::string();
  };
  if (!body.is_object())
    return absl::InvalidArgumentError("the body must be a JSON object such as {\"scenario\":\"inbound_demo\"}");
  Scenario scenario;
  if (!member("text").empty()) {
    absl::StatusOr<Scenario> read = world.Read(member("text"), "posted");
    if (!read.ok()) return read.status();
    scenario = *std::move(read);
  } else {
    const auto found = world.scenarios().find(member("scenario"));
    if (found == world.scenarios().end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no scenario '", member("scenario"), "'; GET /sim/scenarios lists them"));
    }
    scenario = found->second;
  }
  if (!member("from").empty()) scenario.from = member("from");
  if (!member("to").empty()) scenario.to = member("to");
  return scenario;
}

base::HttpResponse PostCall(World& world, const base::HttpRequest& request) {
  const absl::StatusOr<Scenario> scenario = ReadBody(world, request.body);
  if (!scenario.ok()) return Error(400, scenario.status().message());
  if (!scenario->inbound) {
    return Error(400,
                 absl::StrCat("'", scenario->name, "' is an outbound call: place it at the server, to ", scenario->to));
  }
  const absl::StatusOr<std::string> uuid = world.carrier().CallIn(*scenario);
  if (!uuid.ok()) return Error(400, uuid.status().message());
  return Reply(201, {{"call_uuid", *uuid}});
}

base::HttpResponse PostPhone(World& world, const base::HttpRequest& request) {
  const absl::StatusOr<Scenario> scenario = ReadBody(world, request.body);
  if (!scenario.ok()) return Error(400, scenario.status().message());
  if (scenario->inbound)
    return Error(400, absl::StrCat("'", scenario->name, "' is an inbound call; POST it to /sim/calls"));
  world.carrier().RegisterPhone(*scenario);
  return Reply(201, {{"to", scenario->to}});
}

json ListScenarios(World& world) {
  json list = json::array();
  for (const auto& [name, scenario] : world.scenarios()) {
    list.push_back({{"name", name},
                    {"call", scenario.inbound ? "inbound" : "outbound"},
                    {"from", scenario.from},
                    {"to", scenario.to}});
  }
  return {{"scenarios", list}};
}

}  // namespace

base::HttpResponse HandleWorldRequest(World& world, const base::HttpRequest& request) {
  absl::string_view path = request.Path();
  if (!absl::ConsumePrefix(&path, "/sim/")) return Error(404, "nothing is here; the control API is under /sim/");
  path = absl::StripSuffix(path, "/");
  const bool audio = absl::StrContains(request.Query(), "audio=1");
  if (request.method == "POST" && path == "calls") return PostCall(world, request);
  if (request.method == "POST" && path == "phones") return PostPhone(world, request);
  if (request.method != "GET") return Error(405, "only GET, and POST to /sim/calls and /sim/phones");
  if (path == "scenarios") return Reply(200, ListScenarios(world));
  if (path == "violations") return Reply(200, {{"violations", world.carrier().Violations()}});
  if (path == "model/sessions") {
    json sessions = json::array();
    for (const ModelSessionReport& report : world.model().Sessions()) sessions.push_back(Session(report, audio));
    return Reply(200, {{"sessions", sessions}});
  }
  if (path == "calls") {
    json calls = json::array();
    for (const CarrierCallReport& report : world.carrier().Calls()) calls.push_back(Brief(report));
    return Reply(200, {{"calls", calls}});
  }
  if (absl::ConsumePrefix(&path, "calls/")) {
    const absl::StatusOr<CarrierCallReport> report = world.carrier().Call(std::string(path));
    return report.ok() ? Reply(200, Whole(*report, audio)) : Error(404, report.status().message());
  }
  return Error(404, absl::StrCat("nothing is at ", request.Path()));
}

}  // namespace callbridge::sim
