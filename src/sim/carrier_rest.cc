#include "src/sim/carrier_rest.h"

#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/base/ids.h"
#include "src/sim/carrier_causes.h"
#include "src/sim/carrier_form.h"

namespace callbridge::sim {
namespace {

using nlohmann::json;

constexpr size_t kMaxDestinations = 1000;
constexpr size_t kRequestsPerWindow = 300;
constexpr absl::Duration kWindow = absl::Seconds(5);
constexpr absl::Duration kDoubtful = absl::Seconds(15);

base::HttpResponse Json(int status, json body) {
  body["api_id"] = base::NewUuid();
  base::HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = body.dump();
  return response;
}

base::HttpResponse Error(int status, absl::string_view error) { return Json(status, {{"error", std::string(error)}}); }

// Plivo's 404 for resources: an empty object.
base::HttpResponse NotFound() {
  base::HttpResponse response;
  response.status = 404;
  response.content_type = "application/json";
  response.body = "{}";
  return response;
}

base::HttpResponse NoContent() {
  base::HttpResponse response;
  response.status = 204;
  return response;
}

std::string DigitsOf(absl::string_view number) {
  std::string digits;
  for (const char c : number) {
    if (absl::ascii_isdigit(c)) digits += c;
  }
  return digits;
}

// A string member; numbers are taken too, as Plivo does. Empty: missing.
std::string Text(const json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  return found->is_number() ? found->dump() : "";
}

bool IsWebUrl(const std::string& text) {
  const absl::StatusOr<Url> url = ParseUrl(text);
  return url.ok() && absl::StartsWith(url->scheme, "http");
}

Webhook ReadWebhook(const json& body, const char* url, const char* method) {
  const std::string how = Text(body, method);
  return {Text(body, url), how.empty() ? "POST" : how};
}

// The first webhook parameter that Plivo would refuse, in words; empty: all are good.
std::string BadWebhook(const json& body) {
  for (const char* what : {"answer", "fallback", "ring", "hangup", "machine_detection"}) {
    const std::string url = Text(body, absl::StrCat(what, "_url").c_str());
    const std::string method = Text(body, absl::StrCat(what, "_method").c_str());
    if (!url.empty() && !IsWebUrl(url)) return absl::StrCat(what, "_url parameter is not a valid URL");
    if (!method.empty() && method != "GET" && method != "POST")
      return absl::StrCat(what, "_method must be GET or POST");
  }
  return "";
}

// The first parameter of machine detection that Plivo would refuse, in words.
std::string BadDetection(const json& body) {
  const std::string mode = Text(body, "machine_detection");
  if (!mode.empty() && mode != "true" && mode != "hangup") return "machine_detection must be true or hangup";
  const std::tuple<const char*, int, int> ranges[] = {{"machine_detection_time", 2000, 10000},
                                                      {"machine_detection_maximum_speech_length", 1000, 6000},
                                                      {"machine_detection_initial_silence", 2000, 10000}};
  for (const auto& [name, low, high] : ranges) {
    const std::string text = Text(body, name);
    int value = 0;
    if (text.empty()) continue;
    if (mode.empty()) return absl::StrCat(name, " without machine_detection");
    if (!absl::SimpleAtoi(text, &value) || value < low || value > high)
      return absl::StrCat(name, " must be ", low, " to ", high);
  }
  return "";
}

absl::Duration Seconds(const json& body, const char* name, absl::Duration otherwise) {
  int value;
  return absl::SimpleAtoi(Text(body, name), &value) && value > 0 ? absl::Seconds(value) : otherwise;
}

std::string Time(absl::Time time, const char* format) { return absl::FormatTime(format, time, absl::UTCTimeZone()); }

}  // namespace

CarrierRest::CarrierRest(std::string auth_id, std::string auth_token, Backend& backend, const base::Clock& clock)
    : auth_id_(std::move(auth_id)), auth_token_(std::move(auth_token)), backend_(backend), clock_(clock) {}

bool CarrierRest::Authorized(const base::HttpRequest& request) const {
  return request.Header("Authorization") ==
         absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(auth_id_, ":", auth_token_)));
}

bool CarrierRest::OverLimit() {
  base::MutexLock lock(mutex_);
  const absl::Time now = clock_.Now();
  while (!recent_.empty() && now - recent_.front() > kWindow) recent_.pop_front();
  if (recent_.size() >= kRequestsPerWindow) return true;
  recent_.push_back(now);
  return false;
}

absl::optional<base::HttpResponse> CarrierRest::Handle(const base::HttpRequest& request) {
  if (!Authorized(request)) {
    backend_.Violation(absl::StrCat(request.method, " ", request.Path(), " without valid credentials"));
    Response response;
    response.status = 401;
    response.headers = {{"WWW-Authenticate", "Basic realm=\"Login Required\""}};
    response.body = "Could not verify your access level for that URL.\nYou have to login with proper credentials";
    return response;
  }
  absl::string_view path = request.Path();
  if (!absl::EndsWith(path, "/")) {
    backend_.Violation(absl::StrCat(request.method, " ", path, " without the trailing slash"));
    return NotFound();
  }
  if (!absl::ConsumePrefix(&path, absl::StrCat("/v1/Account/", auth_id_, "/"))) return NotFound();
  const Segments segments = absl::StrSplit(path, '/', absl::SkipEmpty());
  json body = json::object();
  if (request.method == "POST" && !request.body.empty()) {
    body = json::parse(request.body, nullptr, false);
    if (!body.is_object() || !absl::StartsWithIgnoreCase(request.Header("Content-Type"), "application/json")) {
      backend_.Violation(
          absl::StrCat("POST ", request.Path(), ": the body must be a JSON object with its Content-Type"));
      return Error(400, "Invalid JSON in the request body");
    }
  }
  if (segments.empty()) return NotFound();
  if (segments[0] == "Request" && segments.size() == 2 && request.method == "DELETE") {
    const std::shared_ptr<CallLog> log = backend_.FindCall(segments[1]);
    if (log == nullptr || log->over()) return NotFound();
    backend_.OnCall(segments[1], [](CarrierCall& call) { call.HangUpByApi(); });
    return NoContent();
  }
  if (segments[0] != "Call") return NotFound();
  if (segments.size() == 1 && request.method == "POST") {
    absl::optional<int> fault;
    Response response = PostCall(body, fault);
    if (!fault.has_value()) return response;
    if (*fault == 0) return absl::nullopt;
    return Error(*fault, *fault == 429 ? "Too many requests" : "Internal error");
  }
  if (OverLimit()) return Error(429, "Too many requests");
  if (segments.size() == 1 && request.method == "DELETE") {
    backend_.Violation("DELETE Call/ without a call uuid hangs up every call of the account");
    for (const CarrierCallReport& report : backend_.Live()) {
      backend_.OnCall(report.call_uuid, [](CarrierCall& call) { call.HangUpByApi(); });
    }
    return NoContent();
  }
  if (segments.size() == 1) return ListCalls(request);
  return OnCall(request, segments, body);
}

absl::optional<int> CarrierRest::TakeFault(const std::string& key, const std::vector<int>& faults) {
  base::MutexLock lock(mutex_);
  size_t& used = faults_used_[key];
  if (used >= faults.size()) return absl::nullopt;
  return faults[used++];
}

absl::optional<base::HttpResponse> CarrierRest::OnCall(const base::HttpRequest& request, const Segments& segments,
                                                       const json& body) {
  const absl::optional<int> fault = TakeFault(segments[1], backend_.FaultsOf(segments[1]));
  // Refused without effect, or done without an answer.
  if (fault.has_value() && *fault != 0) return Error(*fault, *fault == 429 ? "Too many requests" : "Internal error");
  Response response = CallAction(request, segments, body);
  if (fault.has_value()) return absl::nullopt;
  return response;
}

void CarrierRest::CheckDouble(const std::string& from, const std::string& to, const std::string& answer_url) {
  base::MutexLock lock(mutex_);
  const auto found = doubtful_.find(absl::StrCat(from, "|", to, "|", answer_url));
  if (found == doubtful_.end() || clock_.Now() - found->second > kDoubtful) return;
  backend_.Violation(absl::StrCat("POST Call/ to ", to, " repeated although the first one may have dialled"));
}

base::HttpResponse CarrierRest::PostCall(const json& body, absl::optional<int>& fault) {
  const std::string from = Text(body, "from");
  const std::string to = Text(body, "to");
  if (from.empty()) return Error(400, "from parameter not present");
  if (to.empty()) return Error(400, "to parameter not present");
  if (Text(body, "answer_url").empty()) return Error(400, "answer_url parameter not present");
  const std::string bad = BadWebhook(body);
  if (!bad.empty()) return Error(400, bad);
  const std::string detection = BadDetection(body);
  if (!detection.empty()) return Error(400, detection);
  const Segments destinations = absl::StrSplit(to, '<', absl::SkipEmpty());
  if (destinations.empty() || destinations.size() > kMaxDestinations)
    return Error(400, "to parameter has too many destinations");
  for (const std::string& destination : destinations) {
    const std::string digits = DigitsOf(destination);
    if (!absl::StartsWith(destination, "sip:") && (digits.size() < 7 || digits.size() > 15)) {
      return Error(400, absl::StrCat(destination, " is not a valid phone number"));
    }
    if (digits == DigitsOf(from)) return Error(400, "from and to parameters cannot be the same");
  }
  bool queued = false;
  json uuids = json::array();
  for (const std::string& destination : destinations) {
    const std::string uuid = base::NewUuid();
    const absl::optional<Response> refused = OnePlace(body, destination, uuid, queued, fault);
    if (refused.has_value()) return *refused;
    uuids.push_back(uuid);
  }
  json reply = {{"message", queued ? "call queued" : "call fired"}};
  reply["request_uuid"] = destinations.size() == 1 ? uuids[0] : uuids;
  return Json(201, reply);
}

absl::optional<base::HttpResponse> CarrierRest::OnePlace(const json& body, const std::string& to,
                                                         const std::string& uuid, bool& queued,
                                                         absl::optional<int>& fault) {
  CallOrder order;
  order.uuid = uuid;
  order.outbound = true;
  order.from = DigitsOf(Text(body, "from"));
  order.to = absl::StartsWith(to, "sip:") ? to : DigitsOf(to);
  order.caller_name = Text(body, "caller_name");
  order.answer = ReadWebhook(body, "answer_url", "answer_method");
  order.fallback = ReadWebhook(body, "fallback_url", "fallback_method");
  order.ring = ReadWebhook(body, "ring_url", "ring_method");
  order.hangup = ReadWebhook(body, "hangup_url", "hangup_method");
  if (order.hangup.url.empty()) order.hangup = order.answer;
  order.ring_timeout = Seconds(body, "ring_timeout", order.ring_timeout);
  order.hangup_on_ring = Seconds(body, "hangup_on_ring", order.hangup_on_ring);
  order.time_limit = Seconds(body, "time_limit", order.time_limit);
  const std::string detection = Text(body, "machine_detection");
  order.detect_machine = !detection.empty();
  order.hang_up_on_machine = detection == "hangup";
  int detection_ms = 5000;
  if (!absl::SimpleAtoi(Text(body, "machine_detection_time"), &detection_ms)) detection_ms = 5000;
  order.detection_time = absl::Milliseconds(detection_ms);
  order.machine = ReadWebhook(body, "machine_detection_url", "machine_detection_method");
  const absl::optional<Scenario> phone = backend_.FindPhone(to);
  if (phone.has_value()) {
    order.scenario = *phone;
  } else {
    order.scenario.name = "unallocated";
    order.scenario.inbound = false;
    order.scenario.pickup.kind = Pickup::Kind::kInvalidNumber;
  }
  CheckDouble(order.from, order.to, order.answer.url);
  fault = TakeFault(absl::StrCat("to ", order.to), order.scenario.carrier.rest_errors);
  // Refused before anything happened.
  if (fault.has_value() && *fault != 0 && *fault < 500) return Response();
  if (fault.has_value()) {
    base::MutexLock lock(mutex_);
    doubtful_[absl::StrCat(order.from, "|", order.to, "|", order.answer.url)] = clock_.Now();
  }
  queued = !backend_.Place(std::move(order)) || queued;
  return absl::nullopt;
}

base::HttpResponse CarrierRest::ListCalls(const base::HttpRequest& request) {
  if (request.method != "GET") return Error(405, "Method not allowed");
  const Params query = DecodeForm(request.Query());
  json uuids = json::array();
  for (const CarrierCallReport& report : backend_.Live()) uuids.push_back(report.call_uuid);
  if (Find(query, "status") == "live") return Json(200, {{"calls", uuids}});
  if (Find(query, "status") == "queued") return Json(200, {{"calls", json::array()}});
  return Json(200,
              {{"meta", {{"limit", 20}, {"offset", 0}, {"next", nullptr}, {"previous", nullptr}, {"total_count", 0}}},
               {"objects", json::array()}});
}

base::HttpResponse CarrierRest::GetCall(const base::HttpRequest& request, const std::string& uuid) {
  const std::shared_ptr<CallLog> log = backend_.FindCall(uuid);
  if (log == nullptr) return NotFound();
  const CarrierCallReport report = log->Copy();
  const std::string direction = report.outbound ? "outbound" : "inbound";
  if (Find(DecodeForm(request.Query()), "status") == "live") {
    if (report.over) return NotFound();
    return Json(200, {{"call_status", report.status},
                      {"call_uuid", uuid},
                      {"caller_name", report.from},
                      {"direction", direction},
                      {"from", report.from},
                      {"to", report.to},
                      {"request_uuid", uuid},
                      {"session_start", Time(report.started, "%Y-%m-%d %H:%M:%E6S")}});
  }
  if (!report.over) return NotFound();
  const bool answered = report.answered != absl::InfiniteFuture();
  const int64_t seconds =
      answered ? absl::ToInt64Seconds(absl::Ceil(report.ended - report.answered, absl::Seconds(1))) : 0;
  const char* const format = "%Y-%m-%d %H:%M:%S+00:00";
  json call = {{"call_uuid", uuid},
               {"from_number", report.from},
               {"to_number", report.to},
               {"call_direction", direction},
               {"call_duration", seconds},
               {"bill_duration", (seconds + 59) / 60 * 60},
               {"billed_duration", (seconds + 59) / 60 * 60},
               {"initiation_time", Time(report.started, format)},
               {"end_time", Time(report.ended, format)},
               {"hangup_cause_code", report.hangup_code},
               {"hangup_cause_name", report.hangup_name},
               {"hangup_source", report.hangup_source},
               {"parent_call_uuid", nullptr},
               {"conference_uuid", nullptr},
               {"total_rate", "0.00550"},
               {"stir_verification", "Not Applicable"},
               {"resource_uri", absl::StrCat("/v1/Account/", auth_id_, "/Call/", uuid, "/")}};
  call["answer_time"] = answered ? json(Time(report.answered, format)) : json();
  return Json(200, call);
}

base::HttpResponse CarrierRest::TransferCall(const std::string& uuid, const json& body) {
  const std::string legs = Text(body, "legs").empty() ? "aleg" : Text(body, "legs");
  if (legs != "aleg") return Error(400, absl::StrCat("legs '", legs, "' is not simulated; use aleg"));
  const Webhook to = ReadWebhook(body, "aleg_url", "aleg_method");
  if (to.url.empty()) return Error(400, "aleg_url parameter not present");
  if (!IsWebUrl(to.url)) return Error(400, "aleg_url parameter is not a valid URL");
  if (to.method != "GET" && to.method != "POST") return Error(400, "aleg_method must be GET or POST");
  backend_.OnCall(uuid, [to](CarrierCall& call) { call.Transfer(to); });
  return Json(202, {{"message", "call transferred"}});
}

base::HttpResponse CarrierRest::CallAction(const base::HttpRequest& request, const Segments& segments,
                                           const json& body) {
  const std::string& uuid = segments[1];
  if (segments.size() == 2 && request.method == "GET") return GetCall(request, uuid);
  const std::shared_ptr<CallLog> log = backend_.FindCall(uuid);
  if (log == nullptr || log->over()) return NotFound();
  log->Step("rest", absl::StrCat(request.method, " ", segments.size() > 2 ? segments[2] : "Call"));
  const std::string action = segments.size() > 2 ? segments[2] : "";
  const bool post = request.method == "POST";
  const bool remove = request.method == "DELETE";
  if (!post && !remove) return Error(405, "Method not allowed");
  if (action.empty() && post) return TransferCall(uuid, body);
  if (action.empty()) {
    backend_.OnCall(uuid, [](CarrierCall& call) { call.HangUpByApi(); });
    return NoContent();
  }
  if (action == "Stream" && remove) {
    if (log->Copy().streams == 0) return Error(400, "No active stream found");
    backend_.OnCall(uuid, [](CarrierCall& call) { call.StopStream(); });
    return NoContent();
  }
  if (action == "Speak" && post) {
    const std::string text = Text(body, "text");
    if (text.empty()) return Error(400, "text parameter not present");
    backend_.OnCall(uuid, [text](CarrierCall& call) { call.SpeakByApi(text); });
    return Json(202, {{"message", "speak started"}});
  }
  if (action == "DTMF" && post) {
    if (Text(body, "digits").empty()) return Error(400, "digits parameter not present");
    return Json(202, {{"message", "digits sent"}});
  }
  if (action == "Play" && post) return Json(202, {{"message", "play started"}});
  if ((action == "Speak" || action == "Play") && remove) return NoContent();
  return NotFound();
}

}  // namespace callbridge::sim
