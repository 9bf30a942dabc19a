#include "src/plivo/xml.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "src/base/phone.h"
#include "src/plivo/utf8.h"

namespace callbridge::plivo {
namespace {

constexpr size_t kMaxSpokenBytes = 3000;

bool IsAlphanumeric(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isalnum(c); });
}

absl::Status CheckUrl(absl::string_view field, absl::string_view url, absl::Span<const absl::string_view> schemes) {
  if (url.size() > kMaxUrlBytes)
    return absl::InvalidArgumentError(absl::StrCat(field, ": longer than ", kMaxUrlBytes, " bytes"));
  // Anything else belongs percent-encoded; a space or a line break here would cost the call (invalid answer XML).
  if (!std::all_of(url.begin(), url.end(), [](unsigned char c) { return absl::ascii_isgraph(c); })) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": must be printable ASCII without spaces"));
  }
  for (const absl::string_view scheme : schemes) {
    if (absl::StartsWith(url, scheme) && url.size() > scheme.size() && url[scheme.size()] != '/')
      return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(field, ": must begin with ", schemes.front(), " and name a host"));
}

absl::Status CheckStreamUrl(absl::string_view field, absl::string_view url) {
  return CheckUrl(field, url, {"wss://", "ws://"});
}

absl::Status CheckHttpUrl(absl::string_view field, absl::string_view url) {
  return CheckUrl(field, url, {"https://", "http://"});
}

absl::Status CheckOptionalHttpUrl(absl::string_view field, absl::string_view url) {
  return url.empty() ? absl::OkStatus() : CheckHttpUrl(field, url);
}

absl::Status CheckRange(absl::string_view field, int value, int low, int high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be ", low, " to ", high, " seconds"));
}

bool IsSipUri(absl::string_view text) {
  return absl::StartsWithIgnoreCase(text, "sip:") || absl::StartsWithIgnoreCase(text, "sips:");
}

absl::Status CheckTarget(absl::string_view to) {
  const auto is_graphic = [](unsigned char c) { return absl::ascii_isgraph(c); };
  // The carrier takes "a<b" for two targets.
  const bool sip = IsSipUri(to) && to.size() <= 256 && absl::StrContains(to, '@') && !absl::StrContains(to, '<') &&
                   std::all_of(to.begin(), to.end(), is_graphic);
  if (sip || base::IsE164(to)) return absl::OkStatus();
  return absl::InvalidArgumentError("to: must be a number like +14155550100 or a SIP address like sip:user@host");
}

absl::StatusOr<std::string> JoinExtraHeaders(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string joined;
  for (const auto& [name, value] : headers) {
    if (name.empty() || value.empty() || !IsAlphanumeric(name) || !IsAlphanumeric(value)) {
      return absl::InvalidArgumentError("extra_headers: names and values must be of A-Z, a-z and 0-9, and not empty");
    }
    absl::StrAppend(&joined, joined.empty() ? "" : ",", name, "=", value);
  }
  if (joined.size() > kMaxExtraHeaderBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("extra_headers: longer than ", kMaxExtraHeaderBytes, " bytes in all"));
  }
  return joined;
}

void AddRedirect(absl::string_view url, XmlWriter* xml) {
  if (!url.empty()) xml->Open("Redirect").Attribute("method", "POST").Text(url).Close();
}

absl::Status Check(const AnswerXml& answer) {
  absl::Status status = CheckStreamUrl("stream_url", answer.stream_url);
  if (status.ok()) status = CheckOptionalHttpUrl("status_callback_url", answer.status_callback_url);
  if (status.ok()) status = CheckOptionalHttpUrl("redirect_url", answer.redirect_url);
  if (status.ok()) status = CheckRange("stream_timeout_seconds", answer.stream_timeout_seconds, 1, 86400);
  return status;
}

absl::Status CheckConfirm(const DialXml& dial) {
  if (dial.confirm_key.empty()) return absl::OkStatus();
  if (dial.confirm_key.size() != 1 || dial.confirm_key.find_first_not_of("0123456789*#") != std::string::npos)
    return absl::InvalidArgumentError("confirm_key: must be one of 0-9 * #, or empty");
  if (dial.confirm_sound_url.empty())
    return absl::InvalidArgumentError("confirm_sound_url: must be given with confirm_key");
  return CheckRange("confirm_timeout_seconds", dial.confirm_timeout_seconds, 1, 120);
}

absl::Status Check(const DialXml& dial) {
  absl::Status status = CheckTarget(dial.to);
  if (status.ok() && !dial.caller_id.empty() && !base::IsE164(dial.caller_id)) {
    status = absl::InvalidArgumentError("caller_id: must be a number like +14155550100, or empty");
  }
  if (status.ok()) status = CheckRange("timeout_seconds", dial.timeout_seconds, 5, 120);
  if (status.ok()) status = CheckRange("time_limit_seconds", dial.time_limit_seconds, 1, 86400);
  if (status.ok()) status = CheckHttpUrl("action_url", dial.action_url);
  if (status.ok()) status = CheckOptionalHttpUrl("callback_url", dial.callback_url);
  if (status.ok()) status = CheckOptionalHttpUrl("redirect_url", dial.redirect_url);
  if (status.ok()) status = CheckOptionalHttpUrl("confirm_sound_url", dial.confirm_sound_url);
  if (status.ok()) status = CheckConfirm(dial);
  return status;
}

}  // namespace

XmlWriter::XmlWriter() : out_(R"(<?xml version="1.0" encoding="UTF-8"?>)") {}

XmlWriter& XmlWriter::Open(absl::string_view name) {
  EndTag();
  absl::StrAppend(&out_, "<", name);
  open_.emplace_back(name);
  tag_open_ = true;
  written_ = true;
  return *this;
}

XmlWriter& XmlWriter::Attribute(absl::string_view name, absl::string_view value) {
  absl::StrAppend(&out_, " ", name, "=\"");
  AppendEscaped(name, value);
  out_.push_back('"');
  return *this;
}

XmlWriter& XmlWriter::Text(absl::string_view text) {
  EndTag();
  AppendEscaped(open_.empty() ? "text" : absl::string_view(open_.back()), text);
  return *this;
}

XmlWriter& XmlWriter::Close() {
  if (open_.empty()) {
    status_.Update(absl::InternalError("xml: more elements closed than opened"));
    return *this;
  }
  if (tag_open_) {
    out_.append("/>");
    tag_open_ = false;
  } else {
    absl::StrAppend(&out_, "</", open_.back(), ">");
  }
  open_.pop_back();
  return *this;
}

absl::StatusOr<std::string> XmlWriter::Finish() {
  if (!open_.empty()) status_.Update(absl::InternalError("xml: an element was left open"));
  if (!written_) status_.Update(absl::InternalError("xml: no element was written"));
  if (!status_.ok()) return status_;
  return std::move(out_);
}

void XmlWriter::EndTag() {
  if (tag_open_) out_.push_back('>');
  tag_open_ = false;
}

void XmlWriter::AppendEscaped(absl::string_view where, absl::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    const absl::string_view sequence = text.substr(0, length);
    // U+FFFE and U+FFFF are no XML characters, and neither are control characters but three that we have no use for.
    const bool refused = length == 0 || (length == 1 && absl::ascii_iscntrl(static_cast<unsigned char>(text[0]))) ||
                         sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF";
    if (refused) {
      status_.Update(
          absl::InvalidArgumentError(absl::StrCat("xml: ", where, ": must be UTF-8 without control characters")));
      return;
    }
    if (sequence == "&") {
      out_.append("&amp;");
    } else if (sequence == "<") {
      out_.append("&lt;");
    } else if (sequence == ">") {
      out_.append("&gt;");
    } else if (sequence == "\"") {
      out_.append("&quot;");
    } else if (sequence == "'") {
      out_.append("&apos;");
    } else {
      absl::StrAppend(&out_, sequence);
    }
    text.remove_prefix(length);
  }
}

absl::StatusOr<std::string> FormatXml(const AnswerXml& answer) {
  const absl::Status status = Check(answer);
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> extra_headers = JoinExtraHeaders(answer.extra_headers);
  if (!extra_headers.ok()) return extra_headers.status();
  XmlWriter xml;
  xml.Open("Response").Open("Stream");
  // The carrier's defaults are one-way audio, a call that goes on without waiting for the stream, and 16-bit samples.
  xml.Attribute("bidirectional", "true").Attribute("keepCallAlive", "true").Attribute("audioTrack", "inbound");
  xml.Attribute("contentType", "audio/x-mulaw;rate=8000");
  xml.Attribute("streamTimeout", absl::StrCat(answer.stream_timeout_seconds));
  if (!answer.status_callback_url.empty()) {
    xml.Attribute("statusCallbackUrl", answer.status_callback_url).Attribute("statusCallbackMethod", "POST");
  }
  if (!extra_headers->empty()) xml.Attribute("extraHeaders", *extra_headers);
  xml.Text(answer.stream_url).Close();
  AddRedirect(answer.redirect_url, &xml);
  return xml.Close().Finish();
}

absl::StatusOr<std::string> FormatXml(const DialXml& dial) {
  const absl::Status status = Check(dial);
  if (!status.ok()) return status;
  XmlWriter xml;
  xml.Open("Response").Open("Dial");
  if (!dial.caller_id.empty()) xml.Attribute("callerId", dial.caller_id);
  // Without a timeout the carrier lets the phone ring on.
  xml.Attribute("timeout", absl::StrCat(dial.timeout_seconds))
      .Attribute("timeLimit", absl::StrCat(dial.time_limit_seconds));
  xml.Attribute("action", dial.action_url).Attribute("method", "POST");
  xml.Attribute("redirect", dial.action_continues ? "true" : "false");
  if (!dial.callback_url.empty()) xml.Attribute("callbackUrl", dial.callback_url).Attribute("callbackMethod", "POST");
  if (!dial.confirm_sound_url.empty()) xml.Attribute("confirmSound", dial.confirm_sound_url);
  if (!dial.confirm_key.empty()) {
    xml.Attribute("confirmKey", dial.confirm_key);
    xml.Attribute("confirmTimeout", absl::StrCat(dial.confirm_timeout_seconds));
  }
  xml.Open(IsSipUri(dial.to) ? "User" : "Number").Text(dial.to).Close().Close();
  AddRedirect(dial.redirect_url, &xml);
  return xml.Close().Finish();
}

absl::StatusOr<std::string> FormatXml(const HangupXml& hangup) {
  if (!hangup.reason.empty() && hangup.reason != "rejected" && hangup.reason != "busy") {
    return absl::InvalidArgumentError("reason: must be empty, \"rejected\" or \"busy\"");
  }
  XmlWriter xml;
  xml.Open("Response").Open("Hangup");
  if (!hangup.reason.empty()) xml.Attribute("reason", hangup.reason);
  return xml.Close().Close().Finish();
}

absl::StatusOr<std::string> FormatXml(const SpeakXml& speak) {
  if (speak.text.empty() || speak.text.size() > kMaxSpokenBytes)
    return absl::InvalidArgumentError(absl::StrCat("text: must be 1 to ", kMaxSpokenBytes, " bytes"));
  XmlWriter xml;
  return xml.Open("Response").Open("Speak").Text(speak.text).Close().Close().Finish();
}

absl::StatusOr<std::string> FormatXml(const EmptyXml&) {
  XmlWriter xml;
  return xml.Open("Response").Close().Finish();
}

}  // namespace callbridge::plivo
