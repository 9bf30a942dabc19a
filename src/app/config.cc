#include "src/app/config.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "callbridge/config/v1/config.pb.h"
#include "src/app/config_access.h"
#include "src/app/config_agent.h"
#include "src/app/config_destinations.h"
#include "src/app/config_fields.h"
#include "src/base/phone.h"

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

void ReadAgents(const v1::Config& in, ConfigReading& reading, session::Settings& out) {
  if (!reading.Check(!in.agents().empty(), "agents", "missing; at least one is needed")) return;
  std::set<std::string> seen;
  for (int i = 0; i < in.agents_size(); ++i) {
    const std::string at = absl::StrCat("agents[", i, "]");
    const v1::Agent& agent = in.agents(i);
    if (reading.CheckKey(at + ".key", agent.key(), seen)) ReadAgent(at, agent, reading, out.agents[agent.key()]);
  }
  out.default_agent = in.default_agent().empty() ? in.agents(0).key() : in.default_agent();
  reading.Check(seen.count(out.default_agent) > 0, "default_agent", absl::StrCat("no agent '", out.default_agent, "'"));
}

void ReadInbound(const v1::Config& in, ConfigReading& reading, session::Settings& out) {
  for (int i = 0; i < in.inbound_numbers_size(); ++i) {
    const v1::InboundNumber& number = in.inbound_numbers(i);
    const std::string at = absl::StrCat("inbound_numbers[", i, "]");
    reading.Check(base::IsE164(number.number()), at + ".number", "not in E.164 form, such as +14155550100");
    reading.Check(out.agents.count(number.agent()) > 0, at + ".agent", absl::StrCat("no agent '", number.agent(), "'"));
    reading.Check(out.inbound.emplace(number.number(), number.agent()).second, at + ".number", "is there twice");
  }
}

void ReadRetention(const v1::Config& in, ConfigReading& reading, session::Settings& out) {
  const v1::Retention& retention = in.retention();
  const auto days = [&reading](absl::string_view field, int value, int least, int* into) {
    if (value != 0) reading.ReadNumber(field, value, least, 36'500, into);
  };
  days("retention.event_days", retention.event_days(), 1, &out.retention.events);
  days("retention.transcript_days", retention.transcript_days(), 1, &out.retention.transcripts);
  days("retention.call_days", retention.call_days(), 3, &out.retention.calls);
  if (out.retention.calls == 0) return;
  const auto within = [&](absl::string_view field, int value) {
    reading.Check(value <= out.retention.calls, field,
                  absl::StrCat("more than call_days, ", out.retention.calls, ", which take everything with them"));
  };
  within("retention.event_days", out.retention.events);
  within("retention.transcript_days", out.retention.transcripts);
}

void ReadDialLimits(const v1::Config& in, ConfigReading& reading, session::Settings& out) {
  const v1::DialLimits& limits = in.dial_limits();
  const auto limit = [&reading](absl::string_view field, int value, int most, int* into) {
    if (value != 0) reading.ReadNumber(absl::StrCat("dial_limits.", field), value, 1, most, into);
  };
  limit("calls_per_minute", limits.calls_per_minute(), 100'000, &out.dial_limits.calls_per_minute);
  limit("transfers_per_minute", limits.transfers_per_minute(), 100'000, &out.dial_limits.transfers_per_minute);
  limit("calls_per_number_per_day", limits.calls_per_number_per_day(), 1'000,
        &out.dial_limits.calls_per_number_per_day);
}

// What one part says of another.
void CheckReferences(const v1::Config& in, ConfigReading& reading, const session::Settings& settings) {
  for (int i = 0; i < in.agents_size(); ++i) {
    const std::string& key = in.agents(i).recovery().fallback_destination();
    const bool known = key.empty() || settings.destinations.count(key) > 0;
    reading.Check(known, absl::StrCat("agents[", i, "].recovery.fallback_destination"),
                  absl::StrCat("no destination '", key, "'"));
  }
}

absl::Status Read(const v1::Config& in, const std::string& folder, session::Settings& out,
                  control::AccessList& access) {
  ConfigReading reading(folder);
  ReadAgents(in, reading, out);
  ReadInbound(in, reading, out);
  ReadDestinations(in, reading, out);
  ReadPrefixes(in, reading, out);
  if (in.max_calls() != 0) reading.ReadNumber("max_calls", in.max_calls(), 1, 100'000, &out.max_calls);
  ReadDialLimits(in, reading, out);
  ReadRetention(in, reading, out);
  CheckReferences(in, reading, out);
  ReadAccess(in, reading, access);
  return reading.status();
}

}  // namespace

absl::StatusOr<session::Settings> ParseConfig(absl::string_view text, const std::string& name,
                                              const std::string& folder, control::AccessList* access) {
  v1::Config config;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), &config)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ":", error.text()));
  }
  session::Settings settings;
  control::AccessList read;
  if (absl::Status status = Read(config, folder, settings, read); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", status.message()));
  }
  if (access != nullptr) *access = std::move(read);
  return settings;
}

absl::StatusOr<session::Settings> LoadConfig(const std::string& path, control::AccessList* access) {
  std::ifstream file(path);
  // What cannot be read shows at the first byte; an empty file has none, and writing nothing into a stream would count
  // as a failure.
  file.peek();
  if (!file.is_open() || file.bad()) return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno)));
  std::ostringstream text;
  if (!file.eof()) text << file.rdbuf();
  const size_t slash = path.rfind('/');
  return ParseConfig(text.str(), path, slash == std::string::npos ? "" : path.substr(0, slash + 1), access);
}

absl::Status CheckAccess(absl::string_view text) {
  v1::Config config;
  if (!google::protobuf::TextFormat::ParseFromString(std::string(text), &config)) {
    return absl::InvalidArgumentError("the name must be 1 to 64 letters, digits, '-' or '_'");
  }
  ConfigReading reading("");
  control::AccessList access;
  ReadAccess(config, reading, access);
  return reading.status();
}

session::Settings DefaultConfig() {
  v1::Config config;
  v1::Agent& agent = *config.add_agents();
  agent.set_key("default");
  agent.set_instructions(
      "You answer the phone for a small company. Be friendly and brief; speak in short sentences, one question at a "
      "time.");
  agent.set_greeting_prompt("The caller is on the line. Greet them in one short sentence and ask how you can help.");
  session::Settings settings;
  control::AccessList nobody;
  Read(config, "", settings, nobody).IgnoreError();  // As the product has it by default, which is valid.
  return settings;
}

}  // namespace callbridge::app
