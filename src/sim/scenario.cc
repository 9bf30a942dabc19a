#include "src/sim/scenario.h"

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "src/sim/model_trouble.h"
#include "src/sim/scenario_read.h"

namespace callbridge::sim {
namespace {

// Segments between ';', which JSON may contain inside braces and strings.
std::vector<std::string> SplitSegments(absl::string_view text) {
  std::vector<std::string> segments(1);
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 1 < text.size()) {
      segments.back() += c;
      segments.back() += text[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (!quoted && c == '{') ++depth;
    if (!quoted && c == '}') --depth;
    if (c == ';' && !quoted && depth <= 0) {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  for (std::string& segment : segments) absl::StripAsciiWhitespace(&segment);
  return segments;
}

// "say a b ; say c ; call transfer_call {...} ; status failed:rate_limit_exceeded"
absl::Status ReadReplySegment(absl::string_view segment, ModelReply& reply) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(segment, absl::MaxSplits(' ', 1));
  const absl::string_view rest = absl::StripAsciiWhitespace(parts.second);
  if (parts.first == "say") {
    Words clips = SplitWords(rest);
    if (clips.empty()) return Wrong("'say' needs at least one clip: say hello-world");
    reply.speech.push_back(std::move(clips));
    return absl::OkStatus();
  }
  if (parts.first == "call") {
    const std::pair<absl::string_view, absl::string_view> call = absl::StrSplit(rest, absl::MaxSplits(' ', 1));
    reply.tool = std::string(call.first);
    reply.arguments = std::string(absl::StripAsciiWhitespace(call.second));
    if (reply.tool.empty() || reply.arguments.empty()) {
      return Wrong("'call' needs a tool and its JSON: call transfer_call {\"destination\":\"sales\"}");
    }
    return absl::OkStatus();
  }
  if (parts.first == "status") {
    if (rest != "completed" && !absl::StartsWith(rest, "failed:") && !absl::StartsWith(rest, "incomplete:")) {
      return Wrong(absl::StrCat("status '", rest, "' must be completed, failed:<code> or incomplete:<reason>"));
    }
    reply.status = std::string(rest);
    return absl::OkStatus();
  }
  if (parts.first == "after") {
    absl::StatusOr<absl::Duration> think = ReadDuration(rest);
    if (think.ok()) reply.think = *think;
    return think.status();
  }
  reply.nothing = segment == "nothing";
  if (reply.nothing) return absl::OkStatus();
  return Wrong(absl::StrCat("'", segment, "' must begin with say, call, status or after, or be 'nothing'"));
}

absl::Status ReadReply(absl::string_view condition, absl::string_view text, Scenario& scenario) {
  ModelReply reply;
  if (!condition.empty()) {
    if (!absl::ConsumePrefix(&condition, "when ") || (condition != "tool-failed" && condition != "tool-ok")) {
      return Wrong("a conditional reply is 'reply when tool-failed: ...' or 'reply when tool-ok: ...'");
    }
    reply.when = std::string(condition);
  }
  for (const std::string& segment : SplitSegments(text)) {
    const absl::Status read = ReadReplySegment(segment, reply);
    if (!read.ok()) return read;
  }
  scenario.replies.push_back(std::move(reply));
  return absl::OkStatus();
}

// "60ms..260ms"
absl::Status ReadPieces(absl::string_view text, ModelManners& manners) {
  const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(text, absl::MaxSplits("..", 1));
  absl::StatusOr<absl::Duration> low = ReadDuration(ends.first);
  absl::StatusOr<absl::Duration> high = ReadDuration(ends.second.empty() ? ends.first : ends.second);
  if (!low.ok() || !high.ok() || *low < absl::Milliseconds(1) || *high < *low) {
    return Wrong("pieces are 'pieces: 60ms..260ms', the smaller first");
  }
  manners.piece_ms_min = static_cast<int>(absl::ToInt64Milliseconds(*low));
  manners.piece_ms_max = static_cast<int>(absl::ToInt64Milliseconds(*high));
  return absl::OkStatus();
}

// "lose 20%, delay 0..300ms"
absl::Status ReadCheckpoints(absl::string_view text, CarrierManners& manners) {
  const Words words = SplitWords(text);
  for (size_t i = 0; i < words.size(); i += 2) {
    absl::string_view value = i + 1 < words.size() ? absl::string_view(words[i + 1]) : "";
    if (words[i] == "lose" && absl::ConsumeSuffix(&value, "%")) {
      absl::StatusOr<int> percent = ReadInt(value, 0, 100);
      if (!percent.ok()) return percent.status();
      manners.checkpoint_loss_percent = *percent;
    } else if (words[i] == "delay") {
      absl::StatusOr<DurationRange> range = ReadDurationRange(value);
      if (!range.ok()) return range.status();
      manners.checkpoint_delay = *range;
    } else {
      return Wrong(absl::StrCat("'", text, "' must be like 'lose 20%, delay 0..300ms'"));
    }
  }
  return absl::OkStatus();
}

using Setter = std::function<absl::Status(absl::string_view, Scenario&)>;
using Setters = std::map<std::string, Setter>;

// A setter that puts what `read` makes of the value into the field that `field` names.
template <typename Read, typename Field>
Setter Put(Read read, Field field) {
  return [read, field](absl::string_view value, Scenario& scenario) -> absl::Status {
    auto result = read(value);
    if (!result.ok()) return result.status();
    field(scenario) = *std::move(result);
    return absl::OkStatus();
  };
}

absl::StatusOr<std::string> ReadText(absl::string_view text) { return std::string(text); }

absl::StatusOr<double> ReadSpeed(absl::string_view text) {
  double value;
  if (!absl::SimpleAtod(text, &value) || value < 0.1 || value > 1000) {
    return Wrong(absl::StrCat("'", text, "' must be a number of times real time, 0.1 to 1000"));
  }
  return value;
}

absl::StatusOr<std::vector<int>> ReadStatuses(absl::string_view text) {
  std::vector<int> statuses;
  for (const std::string& word : SplitWords(text)) {
    absl::StatusOr<int> status = ReadInt(word, 0, 599);
    if (!status.ok()) return status.status();
    statuses.push_back(*status);
  }
  return statuses;
}

std::function<absl::StatusOr<std::string>(absl::string_view)> OneOf(std::vector<std::string> allowed) {
  return [allowed](absl::string_view text) { return ReadOneOf(text, allowed); };
}

const Setters& HeaderSetters() {
  static const Setters* const kSetters =
      new Setters{{"name", Put(
                               ReadText, [](Scenario & s) -> auto& { return s.name; })},
                  {"from", Put(
                               ReadText, [](Scenario & s) -> auto& { return s.from; })},
                  {"to", Put(
                             ReadText, [](Scenario & s) -> auto& { return s.to; })},
                  {"summary", Put(
                                  ReadText, [](Scenario & s) -> auto& { return s.summary; })},
                  {"pickup", Put(
                                 ReadPickup, [](Scenario & s) -> auto& { return s.pickup; })},
                  {"call", [](absl::string_view value, Scenario& scenario) {
                     absl::StatusOr<std::string> kind = ReadOneOf(value, {"inbound", "outbound"});
                     if (kind.ok()) scenario.inbound = *kind == "inbound";
                     return kind.status();
                   }}};
  return *kSetters;
}

const Setters& ModelSetters() {
  static const Setters* const kSetters = new Setters{
      {"pieces", [](absl::string_view value, Scenario& scenario) { return ReadPieces(value, scenario.model); }},
      {"lifetime", Put(
                       ReadDuration, [](Scenario & s) -> auto& { return s.model.lifetime; })},
      {"unknown speech", Put(
                             ReadText, [](Scenario & s) -> auto& { return s.model.unknown_speech; })},
      {"speed", Put(
                    ReadSpeed, [](Scenario & s) -> auto& { return s.model.speed; })},
      {"think", Put(
                    ReadDuration, [](Scenario & s) -> auto& { return s.model.think; })},
      {"transcription delay", Put(
                                  ReadDuration, [](Scenario & s) -> auto& { return s.model.transcription_delay; })},
      {"transcription", Put(
                            OneOf({"failed", "none"}), [](Scenario & s) -> auto& { return s.model.transcription; })},
      {"refuse", Put(
                     ReadText, [](Scenario & s) -> auto& { return s.model.refuse; })},
      {"on update", Put(
                        ReadText, [](Scenario & s) -> auto& { return s.model.on_update; })},
      {"beta names", Put(
                         ReadYes, [](Scenario & s) -> auto& { return s.model.beta_names; })},
      {"unknown extras", Put(
                             ReadYes, [](Scenario & s) -> auto& { return s.model.unknown_extras; })}};
  return *kSetters;
}

const Setters& CarrierSetters() {
  static const Setters* const kSetters = new Setters{
      {"numbers as strings", Put(
                                 ReadYes, [](Scenario & s) -> auto& { return s.carrier.numbers_as_strings; })},
      {"extra headers", Put(
                            OneOf({"semicolon", "braces", "json", "missing"}),
                            [](Scenario & s) -> auto& { return s.carrier.extra_headers; })},
      {"send stop", Put(
                        ReadYes, [](Scenario & s) -> auto& { return s.carrier.send_stop; })},
      {"twice", Put(
                    ReadYes, [](Scenario & s) -> auto& { return s.carrier.twice; })},
      {"reorder hangup", Put(
                             ReadYes, [](Scenario & s) -> auto& { return s.carrier.reorder_hangup; })},
      {"late hangup", Put(
                          ReadYes, [](Scenario & s) -> auto& { return s.carrier.late_hangup; })},
      {"use get", Put(
                      ReadYes, [](Scenario & s) -> auto& { return s.carrier.use_get; })},
      {"sign", Put(
                   OneOf({"v3", "wrong", "none", "list"}), [](Scenario & s) -> auto& { return s.carrier.sign; })},
      {"upgrade scheme", Put(
                             OneOf({"wss", "https"}), [](Scenario & s) -> auto& { return s.carrier.upgrade_scheme; })},
      {"ignore checkpoints", Put(
                                 ReadYes, [](Scenario & s) -> auto& { return s.carrier.ignore_checkpoints; })},
      {"playout delay", Put(
                            ReadDurationRange, [](Scenario & s) -> auto& { return s.carrier.playout_delay; })},
      {"checkpoints",
       [](absl::string_view value, Scenario& scenario) { return ReadCheckpoints(value, scenario.carrier); }},
      {"after stream", Put(
                           OneOf({"continue", "end"}), [](Scenario & s) -> auto& { return s.carrier.after_stream; })},
      {"subprotocol", Put(
                          ReadYes, [](Scenario & s) -> auto& { return s.carrier.subprotocol; })},
      {"reconnects", Put([](absl::string_view text) { return ReadInt(text, 0, 10); },
                         [](Scenario & s) -> auto& { return s.carrier.reconnects; })},
      {"new stream id", Put(
                            ReadYes, [](Scenario & s) -> auto& { return s.carrier.new_stream_id; })},
      {"transfer fetch", Put(
                             OneOf({"close", "now"}), [](Scenario & s) -> auto& { return s.carrier.transfer_fetch; })},
      {"stream events", Put(
                            ReadYes, [](Scenario & s) -> auto& { return s.carrier.stream_events; })},
      {"rest errors", Put(
                          ReadStatuses, [](Scenario & s) -> auto& { return s.carrier.rest_errors; })}};
  return *kSetters;
}

// Reads line by line; each knows its section.
class Reader {
 public:
  absl::Status Read(absl::string_view line) {
    if (line.front() == '[') return OpenSection(line);
    if (section_ == "person") return ReadPerson(line);
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.first.size() == line.size()) return Wrong(absl::StrCat("'", line, "' must be 'name: value'"));
    const absl::string_view key = absl::StripAsciiWhitespace(parts.first);
    const absl::string_view value = absl::StripAsciiWhitespace(parts.second);
    if (section_ == "humans") return ReadHuman(key, value);
    if (section_ == "model") return ReadModel(key, value);
    return Set(section_ == "carrier" ? CarrierSetters() : HeaderSetters(), key, value);
  }

  absl::Status Finish() const {
    if (repeat_ > 0) return Wrong("'repeat' without its 'end'");
    if (scenario.from.empty() && scenario.inbound) return Wrong("an inbound call needs 'from: <number>'");
    if (scenario.to.empty()) return Wrong("'to: <number>' is missing (an outbound scenario may say 'to: *')");
    if (scenario.to == "*" && scenario.inbound)
      return Wrong("'to: *' is for outbound calls; say which number is called");
    return absl::OkStatus();
  }

  Scenario scenario;

 private:
  absl::Status OpenSection(absl::string_view line) {
    if (repeat_ > 0) return Wrong("'repeat' without its 'end'");
    absl::StatusOr<std::string> section =
        ReadOneOf(line, std::vector<std::string>{"[person]", "[humans]", "[model]", "[carrier]"});
    if (section.ok()) section_ = section->substr(1, section->size() - 2);
    return section.status();
  }

  absl::Status ReadPerson(absl::string_view line) {
    const Words words = SplitWords(line);
    if (words[0] == "repeat" && words.size() == 2) {
      if (repeat_ > 0) return Wrong("a 'repeat' inside a 'repeat' is not possible");
      absl::StatusOr<int> times = ReadInt(words[1], 1, 1000);
      if (!times.ok()) return times.status();
      repeat_ = *times;
      repeat_from_ = scenario.person.size();
      return absl::OkStatus();
    }
    if (line == "end") return EndRepeat();
    absl::StatusOr<PersonStep> step = ReadPersonStep(line);
    if (!step.ok()) return step.status();
    scenario.person.push_back(*std::move(step));
    return absl::OkStatus();
  }

  absl::Status EndRepeat() {
    if (repeat_ == 0) return Wrong("'end' without a 'repeat'");
    const std::vector<PersonStep> body(scenario.person.begin() + repeat_from_, scenario.person.end());
    for (; repeat_ > 1; --repeat_) scenario.person.insert(scenario.person.end(), body.begin(), body.end());
    repeat_ = 0;
    return absl::OkStatus();
  }

  absl::Status ReadHuman(absl::string_view number, absl::string_view value) {
    absl::StatusOr<Pickup> pickup = ReadPickup(value);
    if (pickup.ok()) scenario.humans[std::string(number)].push_back(*pickup);
    return pickup.status();
  }

  absl::Status ReadModel(absl::string_view key, absl::string_view value) {
    if (absl::ConsumePrefix(&key, "text ")) {
      scenario.texts[std::string(absl::StripAsciiWhitespace(key))] = std::string(value);
      return absl::OkStatus();
    }
    if (key == "reply" || absl::StartsWith(key, "reply ")) {
      return ReadReply(absl::StripAsciiWhitespace(key.substr(5)), value, scenario);
    }
    if (IsModelTrouble(key)) return ReadModelTrouble(key, value, scenario.model);
    return Set(ModelSetters(), key, value);
  }

  absl::Status Set(const Setters& setters, absl::string_view key, absl::string_view value) {
    const auto found = setters.find(std::string(key));
    if (found != setters.end()) {
      const absl::Status set = found->second(value, scenario);
      return set.ok() ? set : Wrong(absl::StrCat(key, ": ", set.message()));
    }
    Words known;
    for (const auto& [name, setter] : setters) known.push_back(name);
    if (section_ == "model")
      known.insert(known.end(), {"fault", "refuse session <n>", "reply", "reply when ...", "text <clip>"});
    return Wrong(absl::StrCat("'", key, "' is not known here; known are: ", absl::StrJoin(known, ", ")));
  }

  std::string section_;
  int repeat_ = 0;  // Times of the open 'repeat'; 0: none is open.
  size_t repeat_from_ = 0;
};

}  // namespace

absl::StatusOr<Scenario> ParseScenario(absl::string_view text, absl::string_view name) {
  Reader reader;
  reader.scenario.name = std::string(name);
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    const absl::Status read = reader.Read(line);
    if (!read.ok()) return Wrong(absl::StrCat("line ", number, ": ", read.message()));
  }
  const absl::Status finished = reader.Finish();
  if (!finished.ok()) return Wrong(absl::StrCat("line ", number, ": ", finished.message()));
  return std::move(reader.scenario);
}

std::vector<std::string> ClipsOf(const Scenario& scenario) {
  std::vector<std::string> clips;
  for (const PersonStep& step : scenario.person) clips.insert(clips.end(), step.clips.begin(), step.clips.end());
  if (scenario.pickup.kind == Pickup::Kind::kMachine)
    clips.insert(clips.end(), scenario.pickup.greeting.begin(), scenario.pickup.greeting.end());
  for (const ModelReply& reply : scenario.replies) {
    for (const std::vector<std::string>& item : reply.speech) clips.insert(clips.end(), item.begin(), item.end());
  }
  return clips;
}

}  // namespace callbridge::sim
