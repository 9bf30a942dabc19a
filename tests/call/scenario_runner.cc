#include "tests/call/scenario_runner.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "src/audio/base64_check.h"
#include "src/call/event_text.h"
#include "src/call/input_text.h"
#include "src/tape/reader.h"
#include "src/tape/replay.h"
#include "tests/tape/tape_of.h"

namespace callbridge::call {
namespace {

constexpr absl::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr int64_t kUsPerByte = 125;  // 8,000 bytes a second.
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
const absl::Time kBegin = absl::FromUnixSeconds(1700000000);

// ---- Lines as words ----

// Splits at blanks outside quotes, and drops the quotes and backslashes.
std::vector<std::string> Words(absl::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (const char c : line) {
    if (c == '\\') continue;
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      if (!word.empty()) words.push_back(std::exchange(word, ""));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// `wanted` is key=10..20, `word` key=15.
bool InRange(absl::string_view wanted, absl::string_view word) {
  const std::vector<absl::string_view> want = absl::StrSplit(wanted, absl::MaxSplits('=', 1));
  const std::vector<absl::string_view> have = absl::StrSplit(word, absl::MaxSplits('=', 1));
  if (want.size() != 2 || have.size() != 2 || want[0] != have[0]) return false;
  const std::vector<absl::string_view> bounds = absl::StrSplit(want[1], "..");
  int64_t low = 0;
  int64_t high = 0;
  int64_t value = 0;
  return bounds.size() == 2 && absl::SimpleAtoi(bounds[0], &low) && absl::SimpleAtoi(bounds[1], &high) &&
         absl::SimpleAtoi(have[1], &value) && low <= value && value <= high;
}

bool Matches(absl::string_view line, absl::string_view pattern) {
  const std::vector<std::string> have = Words(line);
  const std::vector<std::string> want = Words(pattern);
  if (want.empty() || have.empty() || want[0] != have[0]) return false;
  return std::all_of(want.begin() + 1, want.end(), [&have](const std::string& wanted) {
    return std::any_of(have.begin() + 1, have.end(),
                       [&wanted](const std::string& word) { return word == wanted || InRange(wanted, word); });
  });
}

// ---- Scripts ----

// `ms` of sound that says so.
Prompt PromptOf(const std::string& name, int ms) {
  return {absl::StrCat("The ", name, " prompt."), SoundOf(absl::StrCat("prompt ", name), ms)};
}

// "sales target +15550112 15", "sales confirm_key 1": adds a target with its ring time in seconds, or sets a field.
bool ApplyDestination(absl::string_view option, CallOptions* options) {
  const std::vector<std::string> words = Words(option);
  if (words.size() < 3) return false;
  Destination& destination = options->destinations[words[0]];
  const std::string text = absl::StrJoin(words.begin() + 2, words.end(), " ");
  int seconds = 0;
  if (words[1] == "target" && words.size() == 4 && absl::SimpleAtoi(words[3], &seconds)) {
    destination.targets.push_back({words[2], absl::Seconds(seconds)});
  } else if (words[1] == "announcement") {
    destination.announcement = text;
  } else if (words[1] == "failure_text") {
    destination.failure_text = text;
  } else if (words[1] == "whisper") {
    destination.whisper = text;
  } else if (words[1] == "confirm_key") {
    destination.confirm_key = text;
  } else {
    return false;
  }
  return true;
}

bool ApplyOption(absl::string_view option, Script* script) {
  if (absl::ConsumePrefix(&option, "destination ")) return ApplyDestination(option, &script->options);
  const std::pair<std::string, std::string> parts = absl::StrSplit(option, absl::MaxSplits('=', 1));
  int number = 0;
  const bool numeric = absl::SimpleAtoi(parts.second, &number);
  CallOptions& options = script->options;
  if (option == "outbound") {
    options.direction = Direction::kOutbound;
  } else if (option == "no_greeting") {
    options.greeting_prompt.clear();
  } else if (option == "we_cancel") {
    options.server_cancels = false;
  } else if (option == "reversible") {
    options.barge_in = BargeInMode::kReversible;
    options.server_cancels = false;
  } else if (option == "protected_greeting") {
    options.barge_in = BargeInMode::kProtectedGreeting;
  } else if (option == "summary_afterwards") {
    options.summary_in_session = false;
  } else if (parts.first == "fallback" && Parse(parts.second, &options.fallback)) {
    options.fallback_destination = "support";
  } else if (parts.first == "voicemail" && Parse(parts.second, &options.voicemail)) {
    options.voicemail_message = "Please call us back.";
  } else if (parts.first == "hold_prompt" && numeric) {
    options.hold_prompt = PromptOf("hold", number);
  } else if (parts.first == "goodbye_prompt" && numeric) {
    options.goodbye_prompt = PromptOf("goodbye", number);
  } else if (parts.first == "callback_prompt" && numeric) {
    options.callback_prompt = PromptOf("callback", number);
  } else if (parts.first == "voicemail_prompt" && numeric) {
    options.voicemail_prompt = PromptOf("voicemail", number);
  } else if (parts.first == "idle_after" && numeric) {
    options.idle_after = absl::Seconds(number);
  } else if (parts.first == "idle_reprompts" && numeric) {
    options.idle_reprompts = number;
  } else if (parts.first == "client_tool") {
    options.client_tools[parts.second] = absl::Seconds(20);
  } else if (parts.first == "early_frames" && numeric) {
    options.early_frames = static_cast<size_t>(number);
  } else if (parts.first == "max_transfers" && numeric) {
    options.max_transfers = number;
  } else if (parts.first == "max_duration" && numeric) {
    options.max_duration = absl::Seconds(number);
  } else if (parts.first == "carrier_delay" && numeric) {
    script->carrier_delay_ms = number;
  } else if (parts.first == "ack_delay" && numeric) {
    script->ack_delay_ms = number;
  } else {
    return false;
  }
  return true;
}

// Turns the lines of a script into steps.
class Reader {
 public:
  explicit Reader(Script* script) : script_(*script) {}

  void Read(absl::string_view line, int number) {
    line_ = number;
    line = absl::StripAsciiWhitespace(line);
    if (absl::StartsWith(line, "#")) return;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find(" # ")));
    if (line.empty()) return;
    if (absl::StrContains(">=!", line.substr(0, 1)) || absl::StartsWith(line, "total ") ||
        absl::StartsWith(line, "state ") || absl::StartsWith(line, "sent ")) {
      Push(ScriptStep::Kind::kExpectation, 0, line);
      return;
    }
    if (absl::ConsumePrefix(&line, "option ")) {
      if (!ApplyOption(line, &script_)) Complain(line);
      return;
    }
    ReadTime(&line);
    if (!line.empty()) ReadInput(line);
  }

 private:
  void Push(ScriptStep::Kind kind, int64_t ms, absl::string_view text) {
    ScriptStep step;
    step.kind = kind;
    step.ms = ms;
    step.text = std::string(text);
    step.line = line_;
    script_.steps.push_back(std::move(step));
  }
  void Push(input::Input input) {
    ScriptStep step;
    step.input = std::move(input);
    step.line = line_;
    script_.steps.push_back(std::move(step));
  }
  void Wait(int64_t ms) { Push(ScriptStep::Kind::kAdvanceBy, ms, ""); }
  void Complain(absl::string_view what) { ADD_FAILURE() << "script line " << line_ << " makes no sense: " << what; }

  void ReadTime(absl::string_view* line) {
    absl::string_view word = line->substr(0, line->find(' '));
    const size_t length = word.size();
    const bool relative = absl::ConsumePrefix(&word, "+");
    int64_t ms = 0;
    if (!absl::SimpleAtoi(word, &ms)) return;
    Push(relative ? ScriptStep::Kind::kAdvanceBy : ScriptStep::Kind::kAdvanceTo, ms, "");
    *line = absl::StripAsciiWhitespace(line->substr(length));
  }

  void ReadInput(absl::string_view line) {
    const std::vector<std::string> words = Words(line);
    const std::string& name = words[0];
    const auto word = [&words](size_t i) { return i < words.size() ? words[i] : std::string(); };
    const auto rest = [&words](size_t from) {
      return absl::StrJoin(words.begin() + std::min(from, words.size()), words.end(), " ");
    };
    if (name == "ready") {
      Push(input::StreamOpened{"s1"});
      Push(input::ModelCreated{"sess_1", "gpt-realtime"});
      Push(input::ModelConfigured{});
    } else if (name == "audio") {
      Sound(word(1), word(2), Number(word(3)), words.size() > 4 ? Number(word(4)) : 200);
    } else if (name == "say") {
      Push(input::ResponseStarted{word(1), ""});
      Push(input::ItemAdded{word(2), "", Role::kAssistant, word(1)});
      Push(input::AssistantText{word(2), rest(4)});
      Sound(word(1), word(2), Number(word(3)), 200);
      Push(input::ModelAudioDone{word(2)});
      Push(input::AssistantTextDone{word(2), rest(4)});
      Push(input::ResponseEnded{word(1), "completed", "", ""});
    } else if (name == "turn") {
      Push(input::SpeechStarted{word(1)});
      Wait(600);
      Push(input::SpeechStopped{word(1)});
      Push(input::TurnCommitted{word(1), ""});
      Push(input::CallerText{word(1), rest(2)});
    } else if (name == "frames") {
      for (int64_t i = 1; i <= Number(word(1)); ++i) {
        Push(input::CallerAudio{SoundOf(absl::StrCat("frame", i), 20)});
        Wait(20);
      }
    } else if (name == "voice" || name == "quiet") {
      for (int64_t ms = Number(word(1)); ms > 0; ms -= 20) {
        Wait(20);
        Push(input::CallerVoice{name == "voice", 20});
      }
    } else if (name == "session") {
      Push(input::ModelCreated{word(1), "gpt-realtime", words.size() > 2 ? Number(word(2)) * 1000 : 0});
      Push(input::ModelConfigured{});
    } else if (name == "acks") {
      Push(ScriptStep::Kind::kAcks, 0, word(1));
    } else if (auto input = ParseInput(line); input.ok()) {
      Push(*std::move(input));
    } else {
      Complain(input.status().message());
    }
  }

  void Sound(const std::string& response, const std::string& item, int64_t ms, int64_t piece) {
    for (; ms > 0; ms -= piece) Push(input::ModelAudio{response, item, SoundOf(item, std::min(ms, piece))});
  }

  int64_t Number(absl::string_view word) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(word, &number)) Complain(word);
    return number;
  }

  Script& script_;
  int line_ = 0;
};

}  // namespace

std::string SoundOf(absl::string_view seed, int64_t ms) {
  uint32_t hash = 2166136261u;
  for (const char c : seed) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  const std::string name = {kAlphabet[(hash >> 6) % 64], kAlphabet[hash % 64], kAlphabet[(hash >> 12) % 64],
                            kAlphabet[(hash >> 18) % 64]};
  const int64_t bytes = ms * 8;
  std::string base64;
  for (int64_t i = 0; i < bytes / 3; ++i) base64 += name;
  if (bytes % 3 == 1) absl::StrAppend(&base64, name.substr(0, 2), "==");
  if (bytes % 3 == 2) absl::StrAppend(&base64, name.substr(0, 3), "=");
  return base64;
}

Script ReadScript(absl::string_view text) {
  Script script;
  script.options.call_id = "call-1";
  script.options.from = "+15550100";
  script.options.to = "+15550199";
  script.options.agent = "reception";
  script.options.greeting_prompt = "Greet the caller.";
  script.options.destinations = {{"sales", Destination{{{"+15550111"}}}},
                                 {"support", Destination{{{"sip:support@example.com"}}}}};
  Reader reader(&script);
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) reader.Read(line, ++number);
  return script;
}

ScenarioRunner::ScenarioRunner(const Script& script)
    : carrier_delay_us_(script.carrier_delay_ms * 1000),
      ack_delay_us_(script.ack_delay_ms * 1000),
      call_(script.options, *this) {
  call_.Begin(Now());
}

absl::Time ScenarioRunner::Now() const { return kBegin + absl::Microseconds(now_us_); }

// ---- Steps ----

void ScenarioRunner::Do(const ScriptStep& step, bool check) {
  if (step.kind == ScriptStep::Kind::kExpectation) {
    in_expectations_ = true;
    if (check) Check(step);
    return;
  }
  if (std::exchange(in_expectations_, false)) block_ = command_cursor_ = event_cursor_ = log_.size();
  switch (step.kind) {
    case ScriptStep::Kind::kAdvanceTo: return AdvanceTo(step.ms);
    case ScriptStep::Kind::kAdvanceBy: return AdvanceTo(now_ms() + step.ms);
    case ScriptStep::Kind::kAcks: acks_ = step.text == "on"; return;
    default: return Feed(step.input);
  }
}

void ScenarioRunner::Feed(const input::Input& input) {
  Note(input);
  call_.On(input, Now());
}

// What the world outside knows when this happens.
void ScenarioRunner::Note(const input::Input& input) {
  std::string line = FormatInput(input);
  recorded_.emplace_back(now_us_, line);
  if (line.size() > 120) line = absl::StrCat(line.substr(0, 110), "... (", line.size(), ")");
  log_.push_back({now_us_, '<', std::move(line)});
  if (const auto* audio = std::get_if<input::ModelAudio>(&input)) {
    audio_[audio->item_id].received += std::max<int64_t>(audio::DecodedSize(audio->base64), 0);
    const std::string& known = item_of_quantum_.emplace(audio->base64.substr(0, 2), audio->item_id).first->second;
    if (known != audio->item_id)
      Fail(absl::StrCat("the sounds of ", known, " and ", audio->item_id, " cannot be told apart"));
  } else if (std::holds_alternative<input::StreamOpened>(input)) {
    DropAtCarrier();
    stream_open_ = true;
  } else if (std::holds_alternative<input::StreamClosed>(input)) {
    DropAtCarrier();
    stream_open_ = false;
  }
}

int64_t ScenarioRunner::NextUs() const {
  int64_t next = kNever;
  for (const Ack& ack : pending_acks_) next = std::min(next, ack.due_us);
  const absl::Time deadline = call_.next_deadline();
  if (deadline == absl::InfiniteFuture() || finished_) return next;
  const absl::Duration left = deadline - kBegin;
  // A deadline between two microseconds has come at the second.
  return std::min(next, absl::ToInt64Microseconds(absl::Ceil(left, absl::Microseconds(1))));
}

void ScenarioRunner::AdvanceTo(int64_t ms) {
  for (int64_t next = NextUs(); next <= ms * 1000; next = NextUs()) {
    now_us_ = std::max(now_us_, next);
    const auto due = std::find_if(pending_acks_.begin(), pending_acks_.end(),
                                  [this](const Ack& ack) { return ack.due_us <= now_us_; });
    if (due != pending_acks_.end()) {
      const int64_t number = due->number;
      pending_acks_.erase(due);
      Feed(input::CheckpointPlayed{number});
    } else {
      Tick();
    }
  }
  now_us_ = std::max(now_us_, ms * 1000);
}

void ScenarioRunner::Tick() {
  Feed(input::Tick{});
  for (int again = 0; !finished_ && call_.next_deadline() <= Now(); ++again) {
    if (again == 2) {
      Fail("a tick at the deadline does not move it: a busy loop");
      std::abort();  // It would never end.
    }
    Feed(input::Tick{});
  }
}

void ScenarioRunner::Replay(const Recorded& inputs) {
  acks_ = false;
  for (const auto& [us, line] : inputs) {
    now_us_ = us;
    const auto input = ParseInput(line);
    ASSERT_TRUE(input.ok()) << line << ": " << input.status();
    Feed(*input);
  }
}

// ---- What the call wants ----

void ScenarioRunner::AudioToModel(absl::string_view base64) {
  const absl::string_view name = absl::StartsWith(base64, "////") ? "silence_to_model" : "audio_to_model";
  log_.push_back(
      {now_us_, '>', absl::StrCat(name, " bytes=", audio::DecodedSize(base64), " sound=", base64.substr(0, 4))});
}

void ScenarioRunner::AudioToCarrier(absl::string_view base64) {
  const int64_t bytes = audio::DecodedSize(base64);
  const std::string item = item_of_quantum_[std::string(base64.substr(0, 2))];
  log_.push_back({now_us_, '>', absl::StrCat("audio_to_carrier item_id=", item, " bytes=", bytes)});
  if (bytes <= 0) Fail("a piece that is not base64");
  if (!stream_open_) Fail("audio without a stream");
  if (audio_[item].cut) Fail("audio of an item that was cut");
  audio_[item].sent += bytes;
  const int64_t start = std::max(play_end_us_, now_us_ + carrier_delay_us_);
  sounding_.push_back({item, start, bytes});
  play_end_us_ = start + bytes * kUsPerByte;
}

void ScenarioRunner::Do(const command::Command& command) {
  log_.push_back({now_us_, '>', FormatCommand(command)});
  if (finished_) Fail("a command behind Finished");
  if (const auto* checkpoint = std::get_if<command::SendCheckpoint>(&command)) {
    if (acks_ && stream_open_)
      pending_acks_.push_back({std::max(play_end_us_, now_us_) + ack_delay_us_, checkpoint->number});
  } else if (std::holds_alternative<command::ClearAudio>(command) ||
             std::holds_alternative<command::CloseStream>(command)) {
    DropAtCarrier();
  } else if (const auto* truncate = std::get_if<command::TruncateItem>(&command)) {
    if (truncate->audio_end_ms <= 0) Fail("truncated at nothing");
    CheckCut(truncate->item_id, truncate->audio_end_ms);
  } else if (const auto* gone = std::get_if<command::DeleteItem>(&command)) {
    CheckCut(gone->item_id, 0);
  } else if (const auto* rewritten = std::get_if<command::RewriteItem>(&command)) {
    audio_[rewritten->item_id].cut = true;
  } else if (std::holds_alternative<command::Finished>(command)) {
    finished_ = true;
    if (!ended_) Fail("finished and never ended");
  }
}

void ScenarioRunner::CheckCut(const std::string& item_id, int64_t ms) {
  Audio& audio = audio_[item_id];
  if (std::exchange(audio.cut, true)) Fail(absl::StrCat("cut twice: ", item_id));
  if (ms > audio.received / 8) Fail("cut beyond what was received");
  if (ms > audio.sent / 8) Fail("cut beyond what was sent");
  const int64_t heard_ms = HeardUs(item_id) / 1000;
  if (std::abs(heard_ms - ms) > 100)
    Fail(absl::StrCat("cut at ", ms, " ms, but ", heard_ms, " ms of ", item_id, " were heard"));
}

void ScenarioRunner::Record(Event event) {
  log_.push_back({now_us_, '=', FormatEvent(event)});
  if (finished_) Fail("an event behind Finished");
  if (event.sequence != next_sequence_++) Fail("a gap in the sequences");
  if (const auto* prompt = std::get_if<PromptPlayed>(&event.body)) {
    item_of_quantum_[SoundOf(absl::StrCat("prompt ", prompt->name), 1).substr(0, 2)] = prompt->item_id;
  }
  if (event.call_id != "call-1" || event.time != Now()) Fail("an event of another call or time");
  const bool late = std::holds_alternative<TranscriptItemFinal>(event.body) ||
                    std::holds_alternative<SummaryReady>(event.body) ||
                    std::holds_alternative<SummaryFailed>(event.body);
  if (ended_ && !late) Fail("an event that may not follow CallEnded");
  ended_ = ended_ || std::holds_alternative<CallEnded>(event.body);
}

// ---- The carrier ----

int64_t ScenarioRunner::HeardUs(const std::string& item_id) const {
  int64_t heard = 0;
  for (const Sounding& sound : sounding_) {
    if (sound.item_id != item_id) continue;
    heard += std::min(std::max<int64_t>(now_us_ - sound.start_us, 0), sound.bytes * kUsPerByte);
  }
  return heard;
}

// What has not sounded is thrown away, its checkpoints with it.
void ScenarioRunner::DropAtCarrier() {
  for (Sounding& sound : sounding_) {
    sound.bytes = std::min(sound.bytes, std::max<int64_t>(now_us_ - sound.start_us, 0) / kUsPerByte);
  }
  pending_acks_.clear();
  play_end_us_ = now_us_;
}

// ---- Expectations ----

bool ScenarioRunner::FindNext(char kind, absl::string_view pattern, size_t* cursor) const {
  for (size_t i = *cursor; i < log_.size(); ++i) {
    if (log_[i].kind != kind || !Matches(log_[i].text, pattern)) continue;
    *cursor = i + 1;
    return true;
  }
  return false;
}

int ScenarioRunner::Count(absl::string_view pattern) const {
  return static_cast<int>(std::count_if(log_.begin(), log_.end(), [pattern](const Line& line) {
    return line.kind != '<' && Matches(line.text, pattern);
  }));
}

void ScenarioRunner::Check(const ScriptStep& step) {
  absl::string_view text = step.text;
  bool met = false;
  if (absl::ConsumePrefix(&text, ">")) {
    met = FindNext('>', text, &command_cursor_);
  } else if (absl::ConsumePrefix(&text, "=")) {
    met = FindNext('=', text, &event_cursor_);
  } else if (absl::ConsumePrefix(&text, "!")) {
    size_t from = block_;
    met = !FindNext('>', text, &from) && !FindNext('=', text, &from);
  } else if (absl::ConsumePrefix(&text, "state ")) {
    met = Name(call_.state()) == text;
  } else if (absl::ConsumePrefix(&text, "sent ")) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(' ', 1));
    met = InRange(absl::StrCat("ms=", parts.second), absl::StrCat("ms=", audio_[parts.first].sent / 8));
  } else if (absl::ConsumePrefix(&text, "total ")) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(' ', 1));
    met = absl::StrCat(Count(parts.second)) == parts.first;
  }
  if (!met) Fail(absl::StrCat("script line ", step.line, " is not met: ", step.text));
}

std::vector<std::string> ScenarioRunner::Results() const {
  std::vector<std::string> results;
  for (const Line& line : log_) {
    if (line.kind != '<') results.push_back(absl::StrCat(line.us, " ", line.text));
  }
  return results;
}

std::string ScenarioRunner::Timeline() const {
  std::string text;
  for (const Line& line : log_) {
    const absl::string_view mark = line.kind == '<' ? "" : line.kind == '>' ? "    -> " : "    ** ";
    absl::StrAppendFormat(&text, "%9.3f %s%s\n", static_cast<double>(line.us) / 1000, mark, line.text);
  }
  return text;
}

void ScenarioRunner::Fail(absl::string_view what) const { ADD_FAILURE() << what << "\n" << Timeline(); }

// ---- Suites ----

namespace {

class RunTest : public testing::Test {
 public:
  explicit RunTest(const char* script) : script_(ReadScript(script)) {}
  void TestBody() override {
    ScenarioRunner runner(script_);
    for (const ScriptStep& step : script_.steps) {
      runner.Do(step, true);
      if (HasFailure()) return;
    }
  }

 private:
  const Script script_;
};

class HungUpAnywhereTest : public testing::Test {
 public:
  explicit HungUpAnywhereTest(const char* script) : script_(ReadScript(script)) {}
  void TestBody() override {
    for (size_t length = 0; length <= script_.steps.size(); ++length) {
      ScenarioRunner runner(script_);
      for (size_t i = 0; i < length; ++i) runner.Do(script_.steps[i], false);
      runner.Feed(input::HungUp{EndReason::kNormalHangup, Party::kCaller, "4000"});
      EXPECT_TRUE(runner.call().over());
      runner.AdvanceTo(runner.now_ms() + 60000);
      EXPECT_TRUE(runner.finished());
      EXPECT_EQ(runner.Count("call_ended"), 1);
      EXPECT_EQ(runner.Count("finished"), 1);
      EXPECT_GE(runner.Count("close_model"), 1);
      EXPECT_EQ(runner.Count("summary_ready") + runner.Count("summary_failed"),
                runner.Count("request_summary") > 0 ? 1 : runner.Count("summary_failed"));
      EXPECT_EQ(runner.call().next_deadline(), absl::InfiniteFuture());
      // Nothing that comes behind the end does anything.
      const size_t results = runner.Results().size();
      for (const ScriptStep& step : script_.steps) runner.Do(step, false);
      EXPECT_EQ(runner.Results().size(), results);
      if (HasFailure()) {
        ADD_FAILURE() << "hung up behind step " << length << "\n" << runner.Timeline();
        return;
      }
    }
  }

 private:
  const Script script_;
};

class ReplayTest : public testing::Test {
 public:
  explicit ReplayTest(const char* script) : script_(ReadScript(script)) {}
  void TestBody() override {
    ScenarioRunner first(script_);
    for (const ScriptStep& step : script_.steps) first.Do(step, false);
    first.AdvanceTo(first.now_ms() + 3000);
    ScenarioRunner second(script_);
    second.Replay(first.recorded());
    EXPECT_EQ(first.Results(), second.Results());
    EXPECT_EQ(first.call().next_deadline(), second.call().next_deadline());
    const auto tape = tape::ReadTape(tape::TapeOf(script_.options, first.recorded()));
    ASSERT_TRUE(tape.ok()) << tape.status();
    const tape::Verdict verdict = tape::Replay(*tape);
    EXPECT_TRUE(verdict.same) << verdict.difference;
    EXPECT_EQ(static_cast<size_t>(verdict.results), first.Results().size());
  }

 private:
  const Script script_;
};

template <typename Test>
void Register(const char* suite, const std::string& name, const char* script) {
  // A suite's tests share one fixture class; each makes its own kind.
  testing::RegisterTest(suite, name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [script]() -> testing::Test* { return new Test(script); });
}

}  // namespace

bool RegisterScenarios(const char* suite, const std::vector<Scenario>& scenarios) {
  for (const Scenario& scenario : scenarios) {
    Register<RunTest>(suite, scenario.name, scenario.script);
    Register<HungUpAnywhereTest>(absl::StrCat(suite, "HungUpAnywhere").c_str(), scenario.name, scenario.script);
    Register<ReplayTest>(absl::StrCat(suite, "Replayed").c_str(), scenario.name, scenario.script);
  }
  return true;
}

}  // namespace callbridge::call
