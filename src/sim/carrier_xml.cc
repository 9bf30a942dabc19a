#include "src/sim/carrier_xml.h"

#include <map>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "src/sim/carrier_form.h"

namespace callbridge::sim {
namespace {

constexpr size_t kMaxBytes = 100 << 10;
constexpr size_t kMaxUrl = 2048;
constexpr size_t kMaxExtraHeaders = 512;

struct Kind {
  std::set<std::string> attributes;
  std::set<std::string> children;
  bool text = false;
};

const std::map<std::string, Kind>& Kinds() {
  static const auto* const kKinds = new std::map<std::string, Kind>{
      {"Stream",
       {{"bidirectional", "audioTrack", "streamTimeout", "statusCallbackUrl", "statusCallbackMethod", "contentType",
         "extraHeaders", "keepCallAlive", "noiseCancellation", "noiseCancellationLevel"},
        {},
        true}},
      {"Dial",
       {{"action", "method", "redirect", "timeout", "timeLimit", "callerId", "callerName", "hangupOnStar",
         "callbackUrl", "callbackMethod", "confirmSound", "confirmKey", "confirmTimeout", "dialMusic", "digitsMatch",
         "digitsMatchBLeg", "sipHeaders"},
        {"Number", "User"},
        false}},
      {"Number", {{"sendDigits", "sendDigitsMode", "sendOnPreanswer"}, {}, true}},
      {"User", {{"sendDigits", "sendOnPreanswer", "sipHeaders", "sipAuthUsername", "sipAuthPassword"}, {}, true}},
      {"Speak", {{"voice", "language", "loop"}, {}, true}},
      {"Play", {{"loop"}, {}, true}},
      {"Wait", {{"length", "silence", "minSilence", "beep"}, {}, false}},
      {"Hangup", {{"reason", "schedule"}, {}, false}},
      {"Redirect", {{"method"}, {}, true}},
      {"DTMF", {{"async"}, {}, true}},
      {"PreAnswer", {{}, {"Speak", "Play", "Wait"}, false}},
      {"Record",
       {{"action", "method", "fileFormat", "redirect", "timeout", "maxLength", "finishOnKey", "playBeep",
         "recordSession", "startOnDialAnswer", "recordChannelType", "callbackUrl", "callbackMethod",
         "transcriptionType", "transcriptionUrl", "transcriptionMethod"},
        {},
        false}},
      {"GetDigits",
       {{"action", "method", "numDigits", "timeout", "digitTimeout", "finishOnKey", "retries", "redirect", "playBeep",
         "validDigits", "invalidDigitsSound", "log"},
        {"Speak", "Play"},
        false}},
      {"Conference",
       {{"startConferenceOnEnter",
         "endConferenceOnExit",
         "stayAlone",
         "muted",
         "waitSound",
         "enterSound",
         "exitSound",
         "maxMembers",
         "timeLimit",
         "record",
         "recordFileFormat",
         "hangupOnStar",
         "action",
         "method",
         "redirect",
         "callbackUrl",
         "callbackMethod",
         "digitsMatch",
         "floorEvent",
         "relayDTMF"},
        {},
        true}}};
  return *kKinds;
}

absl::Status Refuse(absl::string_view why) { return absl::InvalidArgumentError(why); }

absl::Status CheckElement(const XmlElement& element) {
  const auto kind = Kinds().find(element.name);
  if (kind == Kinds().end()) return Refuse(absl::StrCat("unknown element <", element.name, ">"));
  for (const auto& [name, value] : element.attributes) {
    if (kind->second.attributes.count(name) == 0) {
      return Refuse(absl::StrCat("<", element.name, "> has no attribute '", name, "'"));
    }
  }
  if (!kind->second.text && !element.text.empty()) return Refuse(absl::StrCat("text inside <", element.name, ">"));
  for (const XmlElement& child : element.children) {
    if (kind->second.children.count(child.name) == 0) {
      return Refuse(absl::StrCat("<", child.name, "> cannot be inside <", element.name, ">"));
    }
    const absl::Status checked = CheckElement(child);
    if (!checked.ok()) return checked;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ReadBool(const XmlElement& element, const std::string& name) {
  const std::string value = element.Attribute(name, "false");
  if (value == "true") return true;
  if (value == "false") return false;
  return Refuse(absl::StrCat("Stream ", name, "='", value, "' must be true or false"));
}

absl::Status ReadExtraHeaders(absl::string_view text, StreamOrder& order) {
  if (text.size() > kMaxExtraHeaders) return Refuse("Stream extraHeaders is longer than 512 bytes");
  for (absl::string_view pair : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    for (const char c : absl::StrCat(parts.first, parts.second)) {
      if (!absl::ascii_isalnum(c))
        return Refuse(absl::StrCat("Stream extraHeaders '", pair, "' may have letters and digits only"));
    }
    if (parts.first.empty() || parts.second.empty())
      return Refuse(absl::StrCat("Stream extraHeaders '", pair, "' must be k=v"));
    order.extra_headers.push_back(parts);
  }
  return absl::OkStatus();
}

absl::Status CheckStream(const StreamOrder& order) {
  static const std::set<std::string> kTypes = {"audio/x-l16;rate=8000", "audio/x-l16;rate=16000",
                                               "audio/x-mulaw;rate=8000"};
  static const std::set<std::string> kTracks = {"inbound", "outbound", "both"};
  if (order.url.size() > kMaxUrl) return Refuse("Stream URL is longer than 2048 characters");
  const absl::StatusOr<Url> url = ParseUrl(order.url);
  if (!url.ok()) return Refuse(absl::StrCat("Stream URL: ", url.status().message()));
  if (!absl::StartsWith(url->scheme, "ws")) return Refuse("Stream URL must begin with wss://");
  if (kTypes.count(order.content_type) == 0)
    return Refuse(absl::StrCat("Stream contentType '", order.content_type, "' is invalid"));
  if (kTracks.count(order.audio_track) == 0)
    return Refuse(absl::StrCat("Stream audioTrack '", order.audio_track, "' is invalid"));
  if (order.bidirectional && order.audio_track != "inbound") {
    return Refuse("Stream audioTrack must be inbound when bidirectional");
  }
  if (order.status_method != "GET" && order.status_method != "POST") {
    return Refuse(absl::StrCat("Stream statusCallbackMethod '", order.status_method, "' must be GET or POST"));
  }
  if (!order.status_url.empty() && !ParseUrl(order.status_url).ok())
    return Refuse("Stream statusCallbackUrl is no URL");
  return absl::OkStatus();
}

// What the defaults would silently do to a voice agent.
void Warn(const XmlElement& element, const StreamOrder& order, std::vector<std::string>& warnings) {
  for (const char* name : {"contentType", "audioTrack", "bidirectional", "keepCallAlive"}) {
    if (element.attributes.count(name) == 0)
      warnings.push_back(absl::StrCat("<Stream> leaves ", name, " to its default"));
  }
}

}  // namespace

absl::StatusOr<std::vector<XmlElement>> ReadAnswer(absl::string_view body) {
  if (body.size() > kMaxBytes) return Refuse("the document is larger than 100 KB");
  if (absl::StripAsciiWhitespace(body).empty()) return Refuse("the document is empty");
  absl::StatusOr<XmlElement> root = ReadXml(body);
  if (!root.ok()) return root.status();
  if (root->name != "Response") return Refuse(absl::StrCat("the root is <", root->name, ">, not <Response>"));
  if (!root->attributes.empty()) return Refuse("<Response> has no attributes");
  if (!root->text.empty()) return Refuse("text inside <Response>");
  for (const XmlElement& element : root->children) {
    if (element.name == "Number" || element.name == "User")
      return Refuse(absl::StrCat("<", element.name, "> outside <Dial>"));
    const absl::Status checked = CheckElement(element);
    if (!checked.ok()) return checked;
  }
  return std::move(root->children);
}

std::string StreamOrder::Encoding() const { return content_type.substr(0, content_type.find(';')); }

int StreamOrder::SampleRate() const { return absl::EndsWith(content_type, "16000") ? 16000 : 8000; }

int StreamOrder::BytesPerSecond() const { return SampleRate() * (Encoding() == "audio/x-mulaw" ? 1 : 2); }

absl::StatusOr<StreamOrder> ReadStream(const XmlElement& element, std::vector<std::string>& warnings) {
  StreamOrder order;
  order.url = element.text;
  order.audio_track = element.Attribute("audioTrack", order.audio_track);
  order.content_type = element.Attribute("contentType", order.content_type);
  order.status_url = element.Attribute("statusCallbackUrl");
  order.status_method = element.Attribute("statusCallbackMethod", "POST");
  const absl::StatusOr<bool> bidirectional = ReadBool(element, "bidirectional");
  if (!bidirectional.ok()) return bidirectional.status();
  order.bidirectional = *bidirectional;
  const absl::StatusOr<bool> keep_alive = ReadBool(element, "keepCallAlive");
  if (!keep_alive.ok()) return keep_alive.status();
  order.keep_alive = *keep_alive;
  int64_t seconds;
  const std::string timeout = element.Attribute("streamTimeout", "86400");
  if (!absl::SimpleAtoi(timeout, &seconds) || seconds <= 0) {
    return Refuse(absl::StrCat("Stream streamTimeout '", timeout, "' must be positive seconds"));
  }
  order.timeout = absl::Seconds(seconds);
  absl::Status status = ReadExtraHeaders(element.Attribute("extraHeaders"), order);
  if (status.ok()) status = CheckStream(order);
  if (!status.ok()) return status;
  Warn(element, order, warnings);
  return order;
}

std::string ExtraHeadersJson(absl::string_view manner,
                             const std::vector<std::pair<std::string, std::string>>& headers) {
  if (manner == "missing") return "";
  if (manner == "json") {
    nlohmann::json object = nlohmann::json::object();
    for (const auto& [key, value] : headers) object[key] = value;
    return nlohmann::json(object.dump()).dump();
  }
  const bool braces = manner == "braces";
  std::string text;
  for (const auto& [key, value] : headers) {
    if (!text.empty()) text += braces ? ", " : ";";
    absl::StrAppend(&text, braces ? "X-PH-" : "", key, braces ? ": " : "=", value);
  }
  if (braces) text = absl::StrCat("{", text, "}");
  return nlohmann::json(text).dump();
}

}  // namespace callbridge::sim
