#include "src/app/config.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "callbridge/config/v1/config.pb.h"
#include "src/base/phone.h"
#include "src/openai/session_config.h"

namespace callbridge::app {
namespace {

namespace v1 = callbridge::config::v1;

// Keeps the first error, with its place.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status Wrong(absl::string_view field, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", message));
}

bool IsKey(absl::string_view key) {
  return !key.empty() && key.size() <= 64 &&
         std::all_of(key.begin(), key.end(), [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; });
}

absl::Status CheckKey(absl::string_view field, const std::string& key, std::set<std::string>& seen) {
  if (!IsKey(key)) return Wrong(field, "1 to 64 letters, digits, '-' or '_' are needed");
  if (!seen.insert(key).second) return Wrong(field, absl::StrCat("'", key, "' is there twice"));
  return absl::OkStatus();
}

absl::Status ReadDuration(absl::string_view field, bool given, const google::protobuf::Duration& value,
                          absl::Duration least, absl::Duration most, absl::Duration* out) {
  if (!given) return absl::OkStatus();
  const absl::Duration duration = absl::Seconds(value.seconds()) + absl::Nanoseconds(value.nanos());
  if (duration < least || duration > most) {
    return Wrong(field, absl::StrCat(absl::FormatDuration(least), " to ", absl::FormatDuration(most), " is possible"));
  }
  *out = duration;
  return absl::OkStatus();
}

void ReadVad(const v1::ServerVad& in, openai::ServerVad& out) {
  if (in.has_threshold()) out.threshold = in.threshold();
  if (in.has_prefix_padding_ms()) out.prefix_padding_ms = in.prefix_padding_ms();
  if (in.has_silence_duration_ms()) out.silence_duration_ms = in.silence_duration_ms();
  if (in.has_interrupt_response()) out.interrupt_response = in.interrupt_response();
}

absl::Status ReadAgent(const std::string& at, const v1::Agent& in, session::Agent& out) {
  if (in.instructions().empty())
    return Wrong(absl::StrCat(at, ".instructions"), "missing; tell the assistant who it is");
  if (!in.caller_id().empty() && !base::IsE164(in.caller_id())) {
    return Wrong(absl::StrCat(at, ".caller_id"), "not in E.164 form, such as +14155550100");
  }
  out.session.instructions = in.instructions();
  out.greeting_prompt = in.greeting_prompt();
  out.caller_id = in.caller_id();
  if (!in.voice().empty()) out.session.voice = in.voice();
  if (!in.model().empty()) out.session.model = in.model();
  if (!in.transcription().model().empty()) out.session.transcription->model = in.transcription().model();
  out.session.transcription->language = in.transcription().language();
  out.session.max_output_tokens = in.max_output_tokens();
  out.session.reasoning_effort = in.reasoning_effort();
  out.session.noise_reduction = in.noise_reduction();
  openai::ServerVad vad;
  ReadVad(in.server_vad(), vad);
  out.session.turn_detection = vad;
  if (absl::Status status = openai::ValidateSessionConfig(out.session); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(at, ".", status.message()));
  }
  if (absl::Status status = ReadDuration(absl::StrCat(at, ".ring_timeout"), in.has_ring_timeout(), in.ring_timeout(),
                                         absl::Seconds(5), absl::Seconds(120), &out.ring_timeout);
      !status.ok()) {
    return status;
  }
  return ReadDuration(absl::StrCat(at, ".max_duration"), in.has_max_duration(), in.max_duration(), absl::Seconds(10),
                      absl::Hours(4), &out.max_duration);
}

absl::Status ReadAgents(const v1::Config& in, session::Settings& out) {
  if (in.agents().empty()) return Wrong("agents", "missing; at least one is needed");
  std::set<std::string> seen;
  for (int i = 0; i < in.agents_size(); ++i) {
    const std::string at = absl::StrCat("agents[", i, "]");
    if (absl::Status status = CheckKey(at + ".key", in.agents(i).key(), seen); !status.ok()) return status;
    if (absl::Status status = ReadAgent(at, in.agents(i), out.agents[in.agents(i).key()]); !status.ok()) return status;
  }
  out.default_agent = in.default_agent().empty() ? in.agents(0).key() : in.default_agent();
  if (seen.count(out.default_agent) == 0)
    return Wrong("default_agent", absl::StrCat("no agent '", out.default_agent, "'"));
  return absl::OkStatus();
}

absl::Status ReadInbound(const v1::Config& in, session::Settings& out) {
  for (int i = 0; i < in.inbound_numbers_size(); ++i) {
    const auto& number = in.inbound_numbers(i);
    const std::string at = absl::StrCat("inbound_numbers[", i, "]");
    if (!base::IsE164(number.number())) return Wrong(at + ".number", "not in E.164 form, such as +14155550100");
    if (out.agents.count(number.agent()) == 0)
      return Wrong(at + ".agent", absl::StrCat("no agent '", number.agent(), "'"));
    if (!out.inbound.emplace(number.number(), number.agent()).second) return Wrong(at + ".number", "is there twice");
  }
  return absl::OkStatus();
}

absl::Status ReadDestinations(const v1::Config& in, session::Settings& out) {
  std::set<std::string> seen;
  for (int i = 0; i < in.destinations_size(); ++i) {
    const auto& destination = in.destinations(i);
    const std::string at = absl::StrCat("destinations[", i, "]");
    if (absl::Status status = CheckKey(at + ".key", destination.key(), seen); !status.ok()) return status;
    if (!base::IsE164(destination.number()) && !absl::StartsWith(destination.number(), "sip:")) {
      return Wrong(at + ".number", "neither E.164, such as +14155550142, nor sip:user@host");
    }
    session::Destination& made = out.destinations[destination.key()];
    made.call.targets = {{destination.number()}};
    made.description = destination.description();
  }
  return absl::OkStatus();
}

absl::Status ReadLimits(const v1::Config& in, session::Settings& out) {
  for (int i = 0; i < in.allowed_prefixes_size(); ++i) {
    const std::string& prefix = in.allowed_prefixes(i);
    const bool good =
        prefix.size() >= 2 && prefix[0] == '+' && std::all_of(prefix.begin() + 1, prefix.end(), absl::ascii_isdigit);
    if (!good) return Wrong(absl::StrCat("allowed_prefixes[", i, "]"), "'+' and digits are needed, such as +1415");
    out.allowed_prefixes.push_back(prefix);
  }
  if (in.max_calls() < 0 || in.max_calls() > 100'000) return Wrong("max_calls", "1 to 100000 is possible");
  if (in.max_calls() > 0) out.max_calls = in.max_calls();
  return absl::OkStatus();
}

absl::Status Read(const v1::Config& in, session::Settings& out) {
  for (auto* const part : {&ReadAgents, &ReadInbound, &ReadDestinations, &ReadLimits}) {
    if (absl::Status status = part(in, out); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<session::Settings> ParseConfig(absl::string_view text, const std::string& name) {
  v1::Config config;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), &config)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ":", error.text()));
  }
  session::Settings settings;
  if (absl::Status status = Read(config, settings); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", status.message()));
  }
  return settings;
}

absl::StatusOr<session::Settings> LoadConfig(const std::string& path) {
  std::ifstream file(path);
  // What cannot be read shows at the first byte; an empty file has none, and writing nothing into a stream would count
  // as a failure.
  file.peek();
  if (!file.is_open() || file.bad()) return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno)));
  std::ostringstream text;
  if (!file.eof()) text << file.rdbuf();
  return ParseConfig(text.str(), path);
}

session::Settings DefaultConfig() {
  session::Settings settings;
  session::Agent agent;
  agent.session.instructions =
      "You answer the phone for a small company. Be friendly and brief; speak in short sentences, one question at a "
      "time.";
  agent.greeting_prompt = "The caller is on the line. Greet them in one short sentence and ask how you can help.";
  settings.agents["default"] = agent;
  settings.default_agent = "default";
  return settings;
}

}  // namespace callbridge::app
