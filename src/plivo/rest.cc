#include "src/plivo/rest.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/base/ids.h"
#include "src/base/phone.h"

namespace callbridge::plivo {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxUrlBytes = 2048;
constexpr size_t kMaxCallerNameBytes = 50;
constexpr size_t kMaxReplyBytes = 1024 * 1024;
constexpr int kMaxReplyDepth = 16;
constexpr size_t kMaxShownBytes = 300;
constexpr size_t kMaxDestinations = 1000;

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

bool IsAlphanumeric(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isalnum(c); });
}

bool IsGraphic(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isgraph(c); });
}

absl::StatusOr<std::string> AccountPath(absl::string_view auth_id) {
  if (auth_id.empty() || auth_id.size() > 64 || !IsAlphanumeric(auth_id)) {
    return Bad("auth id", "must be 1 to 64 letters and digits");
  }
  return absl::StrCat("/v1/Account/", auth_id, "/");
}

absl::StatusOr<std::string> ResourcePath(absl::string_view auth_id, absl::string_view resource, absl::string_view field,
                                         absl::string_view uuid) {
  absl::StatusOr<std::string> account = AccountPath(auth_id);
  if (!account.ok()) return account;
  if (!base::IsCanonicalUuid(absl::AsciiStrToLower(uuid))) return Bad(field, "must be a UUID");
  return absl::StrCat(*account, resource, "/", uuid, "/");
}

absl::Status CheckUrl(absl::string_view field, absl::string_view url) {
  const bool http = absl::StartsWith(url, "https://") || absl::StartsWith(url, "http://");
  if (!http || !IsGraphic(url)) return Bad(field, "must be an https:// URL of printable ASCII");
  return url.size() > kMaxUrlBytes ? Bad(field, absl::StrCat("longer than ", kMaxUrlBytes, " bytes"))
                                   : absl::OkStatus();
}

absl::Status CheckOptionalUrl(absl::string_view field, absl::string_view url) {
  return url.empty() ? absl::OkStatus() : CheckUrl(field, url);
}

absl::Status CheckRange(absl::string_view field, int value, int low, int high) {
  return value >= low && value <= high ? absl::OkStatus() : Bad(field, absl::StrCat("must be ", low, " to ", high));
}

// The API takes "a<b" for two destinations: one request would then ring two phones.
bool IsOneDestination(absl::string_view to) {
  if (base::IsE164(to)) return true;
  const bool sip = absl::StartsWithIgnoreCase(to, "sip:") || absl::StartsWithIgnoreCase(to, "sips:");
  return sip && to.size() <= 256 && IsGraphic(to) && !absl::StrContains(to, '<') && absl::StrContains(to, '@');
}

absl::Status Check(const PlaceCall& call) {
  if (!base::IsE164(call.from)) return Bad("from", "must be a number like +14155550100");
  if (!IsOneDestination(call.to))
    return Bad("to", "must be one number like +14155550100 or one SIP address like sip:user@host");
  if (call.to == call.from) return Bad("to", "must not be the number that calls");
  absl::Status status = CheckUrl("answer_url", call.answer_url);
  if (status.ok()) status = CheckUrl("hangup_url", call.hangup_url);
  if (status.ok()) status = CheckOptionalUrl("ring_url", call.ring_url);
  if (status.ok()) status = CheckOptionalUrl("fallback_url", call.fallback_url);
  if (status.ok()) status = CheckOptionalUrl("machine_detection_url", call.machine_detection_url);
  if (status.ok()) status = CheckRange("ring_timeout_seconds", call.ring_timeout_seconds, 1, 600);
  if (status.ok()) status = CheckRange("time_limit_seconds", call.time_limit_seconds, 1, 86400);
  if (status.ok() && call.machine_detection_time_ms) {
    status = CheckRange("machine_detection_time_ms", *call.machine_detection_time_ms, 2000, 10000);
  }
  if (status.ok() && call.caller_name.size() > kMaxCallerNameBytes) status = Bad("caller_name", "longer than 50 bytes");
  return status;
}

void AddUrl(const char* url_key, const char* method_key, const std::string& url, Json* body) {
  if (url.empty()) return;
  (*body)[url_key] = url;
  (*body)[method_key] = "POST";
}

void AddMachineDetection(const PlaceCall& call, Json* body) {
  if (call.machine_detection == MachineDetection::kOff) return;
  (*body)["machine_detection"] = call.machine_detection == MachineDetection::kHangup ? "hangup" : "true";
  if (call.machine_detection_time_ms) (*body)["machine_detection_time"] = *call.machine_detection_time_ms;
  AddUrl("machine_detection_url", "machine_detection_method", call.machine_detection_url, body);
}

absl::StatusOr<std::string> Dump(const Json& body) {
  try {
    return body.dump();
  } catch (const Json::type_error&) {
    return Bad("caller_name", "must be UTF-8");  // All other texts are ASCII by now.
  }
}

// What the carrier wrote, fit for one line of a log.
std::string Shown(absl::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kMaxShownBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    shown.push_back(absl::ascii_isprint(byte) && byte < 0x80 ? c : ' ');
  }
  absl::RemoveExtraAsciiWhitespace(&shown);
  return shown;
}

Json ParseJson(absl::string_view body) {
  if (body.size() > kMaxReplyBytes) return Json();
  // Deeper values are left out: writing them back for an error text would recurse once per level.
  const auto is_shallow = [](int depth, Json::parse_event_t, Json&) { return depth < kMaxReplyDepth; };
  Json json = Json::parse(body.begin(), body.end(), is_shallow, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json();
}

std::string TextOf(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get_ref<const std::string&>() : std::string();
}

// `error` is a text, an object, or not there; a 401 is plain text, a 404 may be "{}".
std::string ErrorText(const Json& json, absl::string_view body) {
  if (!json.is_object()) return body.empty() ? "no body" : Shown(body);
  for (const char* key : {"error", "message"}) {
    const auto it = json.find(key);
    if (it == json.end() || it->is_null()) continue;
    return Shown(it->is_string() ? it->get_ref<const std::string&>() : it->dump());
  }
  return "no error text";
}

absl::StatusCode CodeFor(int http_status) {
  switch (http_status) {
    case 401: return absl::StatusCode::kUnauthenticated;
    case 402:
    case 403: return absl::StatusCode::kPermissionDenied;
    case 404: return absl::StatusCode::kNotFound;
    case 409: return absl::StatusCode::kFailedPrecondition;
    case 429: return absl::StatusCode::kResourceExhausted;
    default: break;
  }
  if (http_status >= 400 && http_status < 500) return absl::StatusCode::kInvalidArgument;
  if (http_status >= 100 && http_status < 400) return absl::StatusCode::kFailedPrecondition;
  return absl::StatusCode::kUnknown;
}

std::vector<std::string> RequestUuids(const Json& json) {
  std::vector<std::string> uuids;
  const auto it = json.find("request_uuid");
  if (it == json.end()) return uuids;
  const auto add = [&uuids](const Json& value) {
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) uuids.push_back(value.get<std::string>());
  };
  if (!it->is_array()) {
    add(*it);
    return uuids;
  }
  for (const Json& value : *it) {
    if (uuids.size() < kMaxDestinations) add(value);
  }
  return uuids;
}

}  // namespace

absl::StatusOr<std::string> CallsPath(absl::string_view auth_id) {
  absl::StatusOr<std::string> account = AccountPath(auth_id);
  if (!account.ok()) return account;
  return absl::StrCat(*account, "Call/");
}

absl::StatusOr<std::string> CallPath(absl::string_view auth_id, absl::string_view call_uuid) {
  return ResourcePath(auth_id, "Call", "call uuid", call_uuid);
}

absl::StatusOr<std::string> RequestPath(absl::string_view auth_id, absl::string_view request_uuid) {
  return ResourcePath(auth_id, "Request", "request uuid", request_uuid);
}

absl::StatusOr<std::string> FormatPlaceCall(const PlaceCall& call) {
  const absl::Status status = Check(call);
  if (!status.ok()) return status;
  Json body = {{"from", call.from},
               {"to", call.to},
               {"ring_timeout", call.ring_timeout_seconds},
               {"time_limit", call.time_limit_seconds}};
  AddUrl("answer_url", "answer_method", call.answer_url, &body);
  AddUrl("hangup_url", "hangup_method", call.hangup_url, &body);
  AddUrl("ring_url", "ring_method", call.ring_url, &body);
  AddUrl("fallback_url", "fallback_method", call.fallback_url, &body);
  if (!call.caller_name.empty()) body["caller_name"] = call.caller_name;
  AddMachineDetection(call, &body);
  return Dump(body);
}

absl::StatusOr<std::string> FormatTransfer(absl::string_view url) {
  const absl::Status status = CheckUrl("url", url);
  if (!status.ok()) return status;
  return Dump({{"legs", "aleg"}, {"aleg_url", std::string(url)}, {"aleg_method", "POST"}});
}

absl::StatusOr<RestReply> ParseReply(int http_status, absl::string_view body) {
  const Json json = ParseJson(body);
  if (http_status < 200 || http_status >= 300) {
    return absl::Status(CodeFor(http_status),
                        absl::StrCat("carrier answered ", http_status, ": ", ErrorText(json, body)));
  }
  RestReply reply;
  reply.http_status = http_status;
  if (!json.is_object()) return reply;
  reply.api_id = TextOf(json, "api_id");
  reply.message = TextOf(json, "message");
  reply.request_uuids = RequestUuids(json);
  reply.queued = absl::StrContains(absl::AsciiStrToLower(reply.message), "queued");
  return reply;
}

absl::StatusOr<RestReply> ParsePlaceReply(int http_status, absl::string_view body) {
  absl::StatusOr<RestReply> reply = ParseReply(http_status, body);
  if (reply.ok() && reply->request_uuids.empty()) {
    return absl::UnknownError(
        absl::StrCat("carrier answered ", http_status, " without request_uuid: the call may have been placed"));
  }
  return reply;
}

absl::Status ParseDeleteReply(int http_status, absl::string_view body) {
  const absl::StatusOr<RestReply> reply = ParseReply(http_status, body);
  return absl::IsNotFound(reply.status()) ? absl::OkStatus() : reply.status();
}

}  // namespace callbridge::plivo
