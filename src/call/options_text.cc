#include "src/call/options_text.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "src/audio/base64_check.h"
#include "src/call/field_text.h"

namespace callbridge::call {
namespace {

constexpr int kMsDigits = 6;                  // Nanoseconds behind the point of a millisecond.
constexpr int64_t kLongestPrompt = 10 << 20;  // Bytes: twenty minutes.

// The fields of each value, once, for writing and for reading. `V` is a visitor called with each name and member;
// durations' names get "_ms".
template <typename V>
void Fields(Destination& out, V&& v) {
  v("announcement", out.announcement);
  v("failure_text", out.failure_text);
  v("whisper", out.whisper);
  v("confirm_key", out.confirm_key);
}
template <typename V>
void Fields(Destination::Target& out, V&& v) {
  v("number", out.number);
  v("ring_time", out.ring_time);
}
template <typename V>
void ConversationFields(CallOptions& out, V&& v) {
  v("barge_in", out.barge_in);
  v("evidence_time", out.evidence_time);
  v("evidence_quiet", out.evidence_quiet);
  v("hold_prompt", out.hold_prompt);
  v("goodbye_prompt", out.goodbye_prompt);
  v("callback_prompt", out.callback_prompt);
  v("voicemail_prompt", out.voicemail_prompt);
  v("hold_after", out.hold_after);
  v("answer_limit", out.answer_limit);
  v("model_attempts", out.model_attempts);
  v("model_pause", out.model_pause);
  v("model_renewal", out.model_renewal);
  v("fallback", out.fallback);
  v("fallback_destination", out.fallback_destination);
  v("fallback_transfer_id", out.fallback_transfer_id);
  v("gap_after", out.gap_after);
  v("gap_limit", out.gap_limit);
  v("farewell_limit", out.farewell_limit);
  v("last_words_limit", out.last_words_limit);
  v("idle_after", out.idle_after);
  v("idle_reprompts", out.idle_reprompts);
  v("idle_prompt", out.idle_prompt);
  v("idle_goodbye", out.idle_goodbye);
  v("tool_patience", out.tool_patience);
  v("tool_limit", out.tool_limit);
  v("keys_pause", out.keys_pause);
  v("voicemail", out.voicemail);
  v("voicemail_message", out.voicemail_message);
  v("beep_limit", out.beep_limit);
  v("summary_in_session", out.summary_in_session);
}
template <typename V>
void Fields(CallOptions& out, V&& v) {
  v("call_id", out.call_id);
  v("direction", out.direction);
  v("from", out.from);
  v("to", out.to);
  v("agent", out.agent);
  v("lead_id", out.lead_id);
  v("greeting_prompt", out.greeting_prompt);
  v("server_cancels", out.server_cancels);
  v("max_transfers", out.max_transfers);
  ConversationFields(out, v);
  v("ring_limit", out.ring_limit);
  v("stream_limit", out.stream_limit);
  v("model_limit", out.model_limit);
  v("stream_grace", out.stream_grace);
  v("max_duration", out.max_duration);
  v("announcement_limit", out.announcement_limit);
  v("transfer_fetch_limit", out.transfer_fetch_limit);
  v("dial_limit", out.dial_limit);
  v("hangup_limit", out.hangup_limit);
  v("late_text_limit", out.late_text_limit);
  v("summary_limit", out.summary_limit);
  v("early_frames", out.early_frames);
  v("playout.lead", out.playout.lead);
  v("playout.max_piece_chars", out.playout.max_piece_chars);
  v("playout.first_checkpoint_bytes", out.playout.first_checkpoint_bytes);
  v("playout.checkpoint_bytes", out.playout.checkpoint_bytes);
  v("fallback_transfer_id", out.fallback_transfer_id);
}

class Writer {
 public:
  Writer(std::string prefix, std::string* text) : prefix_(std::move(prefix)), text_(*text) {}
  void operator()(absl::string_view name, const std::string& value) {
    AppendText(absl::StrCat(prefix_, name), value, &text_);
    text_ += '\n';
  }
  void operator()(absl::string_view name, bool value) { Put(name, value ? "true" : "false"); }
  void operator()(absl::string_view name, int value) { Put(name, absl::StrCat(value)); }
  void operator()(absl::string_view name, int64_t value) { Put(name, absl::StrCat(value)); }
  void operator()(absl::string_view name, size_t value) { Put(name, absl::StrCat(value)); }
  void operator()(absl::string_view name, absl::Duration value) {
    const bool never = value == absl::InfiniteDuration();
    Put(absl::StrCat(name, "_ms"), never ? "never" : FormatDecimal(absl::ToInt64Nanoseconds(value), kMsDigits));
  }
  void operator()(absl::string_view name, const Prompt& value) {
    (*this)(absl::StrCat(name, ".text"), value.text);
    (*this)(absl::StrCat(name, ".bytes"), audio::DecodedSize(value.base64));
  }
  template <typename Enum>
  void operator()(absl::string_view name, Enum value) {
    Put(name, Name(value));
  }

 private:
  void Put(absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text_, prefix_, name, "=", value, "\n");
  }
  const std::string prefix_;
  std::string& text_;
};

// Sets the one field that is named.
class Reader {
 public:
  Reader(absl::string_view name, absl::string_view value) : name_(name), value_(value) {}
  void operator()(absl::string_view name, std::string& out) {
    if (Is(name)) out = std::string(value_);
  }
  void operator()(absl::string_view name, bool& out) {
    if (!Is(name)) return;
    out = value_ == "true";
    if (value_ != "true" && value_ != "false") problem_ = "neither true nor false";
  }
  void operator()(absl::string_view name, int& out) { Number(name, out); }
  void operator()(absl::string_view name, int64_t& out) { Number(name, out); }
  void operator()(absl::string_view name, size_t& out) { Number(name, out); }
  void operator()(absl::string_view name, absl::Duration& out) {
    if (!Is(absl::StrCat(name, "_ms"))) return;
    int64_t nanoseconds = 0;
    if (value_ == "never") {
      out = absl::InfiniteDuration();
    } else if (ParseDecimal(value_, kMsDigits, &nanoseconds)) {
      out = absl::Nanoseconds(nanoseconds);
    } else {
      problem_ = "not milliseconds, such as 250 or 0.5, nor never";
    }
  }
  void operator()(absl::string_view name, Prompt& out) {
    (*this)(absl::StrCat(name, ".text"), out.text);
    int64_t bytes = -1;
    Number(absl::StrCat(name, ".bytes"), bytes);
    if (!found_ || bytes < 0) return;
    if (bytes <= kLongestPrompt) out.base64 = SilentBase64(bytes);
    if (bytes > kLongestPrompt) problem_ = absl::StrCat("at most ", kLongestPrompt, " bytes");
  }
  template <typename Enum>
  void operator()(absl::string_view name, Enum& out) {
    if (Is(name) && !Parse(value_, &out)) problem_ = absl::StrCat("'", value_, "' is none of its words");
  }
  absl::Status Result(absl::string_view name) const {
    if (!found_) return absl::InvalidArgumentError(absl::StrCat(name, ": there is no such option"));
    return problem_.empty() ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrCat(name, ": ", problem_));
  }

 private:
  bool Is(absl::string_view name) {
    found_ = found_ || name == name_;
    return name == name_;
  }
  template <typename Integer>
  void Number(absl::string_view name, Integer& out) {
    if (Is(name) && !absl::SimpleAtoi(value_, &out)) problem_ = "not a number that fits";
  }
  const absl::string_view name_;
  const absl::string_view value_;
  bool found_ = false;
  std::string problem_;
};

std::string FormatDestination(const std::string& key, Destination destination) {
  std::string text;
  const std::string prefix = absl::StrCat("destination.", key, ".");
  Fields(destination, Writer(prefix, &text));
  int number = 0;
  for (Destination::Target& target : destination.targets) {
    Fields(target, Writer(absl::StrCat(prefix, "target.", ++number, "."), &text));
  }
  return text;
}

// `path` is what follows "destination.": KEY.FIELD or KEY.target.N.FIELD.
absl::Status ParseDestination(absl::string_view name, absl::string_view path, absl::string_view value,
                              CallOptions* options) {
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '.');
  const bool target = parts.size() == 4 && parts[1] == "target";
  if (parts[0].empty() || (!target && parts.size() != 2)) return Reader("", "").Result(name);
  Destination& destination = options->destinations[std::string(parts[0])];
  Reader reader(parts.back(), value);
  if (!target) {
    Fields(destination, reader);
    return reader.Result(name);
  }
  size_t number = 0;
  const size_t known = destination.targets.size();
  if (!absl::SimpleAtoi(parts[2], &number) || number < 1 || number > known + 1) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": the next target is number ", known + 1));
  }
  if (number > known) destination.targets.emplace_back();
  Fields(destination.targets[number - 1], reader);
  return reader.Result(name);
}

}  // namespace

std::string FormatOptions(const CallOptions& options) {
  std::string text;
  // Fields() serves writing and reading, so it takes its value as mutable; a copy keeps the promise of const.
  CallOptions copy = options;
  Fields(copy, Writer("", &text));
  for (const auto& [key, destination] : options.destinations) text += FormatDestination(key, destination);
  for (const auto& [tool, limit] : options.client_tools) Writer("client_tool.", &text)(tool, limit);
  return text;
}

absl::Status ParseOption(absl::string_view line, CallOptions* options) {
  std::string name;
  std::string value;
  if (absl::Status status = TakeField(&line, &name, &value); !status.ok()) return status;
  if (!line.empty()) return absl::InvalidArgumentError(absl::StrCat(name, ": nothing may follow its value"));
  absl::string_view path = name;
  if (absl::ConsumePrefix(&path, "destination.")) return ParseDestination(name, path, value, options);
  if (absl::ConsumePrefix(&path, "client_tool.")) {
    absl::string_view tool = path;
    if (!absl::ConsumeSuffix(&tool, "_ms") || tool.empty()) return Reader("", "").Result(name);
    Reader reader(path, value);
    reader(tool, options->client_tools[std::string(tool)]);
    return reader.Result(name);
  }
  Reader reader(name, value);
  Fields(*options, reader);
  return reader.Result(name);
}

std::string SilentBase64(int64_t bytes) {
  std::string base64(static_cast<size_t>(bytes / 3 * 4), '/');  // All ones: mu-law's zero.
  if (bytes % 3 == 1) base64 += "/w==";
  if (bytes % 3 == 2) base64 += "//8=";
  return base64;
}

}  // namespace callbridge::call
