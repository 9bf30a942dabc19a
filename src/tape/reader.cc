#include "src/tape/reader.h"

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "src/audio/base64_check.h"
#include "src/call/field_text.h"
#include "src/call/input_text.h"
#include "src/call/options_text.h"
#include "src/tape/tape_form.h"

namespace callbridge::tape {
namespace {

constexpr size_t kLargestTape = 256 << 20;
constexpr int64_t kLongestSound = 1 << 20;            // Bytes in one message.
constexpr int64_t kLastTime = 1'000'000'000'000'000;  // Nanoseconds: eleven days.

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

// The fields of a line of audio. -1 bytes: it was no base64.
struct Sound {
  std::map<std::string, std::string> fields;
  std::string base64;
  int64_t bytes = 0;

  absl::Status Read(absl::string_view rest);
  bool Flag(const std::string& name) {
    const auto found = fields.find(name);
    const bool set = found != fields.end() && found->second == "true";
    if (set) fields.erase(found);
    return set;
  }
  std::string Take(const std::string& name) {
    const auto found = fields.find(name);
    if (found == fields.end()) return "";
    std::string value = std::move(found->second);
    fields.erase(found);
    return value;
  }
};

absl::Status Sound::Read(absl::string_view rest) {
  while (absl::ConsumePrefix(&rest, " ")) {
    std::string name;
    std::string value;
    if (absl::Status status = call::TakeField(&rest, &name, &value); !status.ok()) return status;
    if (!fields.emplace(name, value).second) return Wrong(absl::StrCat(name, ": given twice"));
  }
  if (fields.count("base64") > 0) {
    base64 = Take("base64");
    bytes = audio::DecodedSize(base64);
    return absl::OkStatus();
  }
  const std::string length = Take("bytes");
  if (!absl::SimpleAtoi(length, &bytes) || bytes < -1 || bytes > kLongestSound) {
    return Wrong(absl::StrCat("bytes: a number from -1 to ", kLongestSound, " is needed"));
  }
  base64 = bytes < 0 ? "!" : call::SilentBase64(bytes);
  return absl::OkStatus();
}

class Reader {
 public:
  absl::StatusOr<Tape> Read(absl::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      if (end == absl::string_view::npos) break;  // Half a line: see the header.
      ++line_;
      if (absl::Status status = Line(absl::StripSuffix(text.substr(0, end), "\r")); !status.ok()) {
        return Wrong(absl::StrCat("line ", line_, ": ", status.message()));
      }
      text.remove_prefix(end + 1);
    }
    if (line_ == 0) return Wrong(absl::StrCat("line 1: '", kFirstLine, "' is needed"));
    if (!begun_) return Wrong(absl::StrCat("line ", line_ + 1, ": begin=TIME is needed"));
    return std::move(tape_);
  }

 private:
  absl::Status Line(absl::string_view line) {
    if (line_ == 1) {
      if (line == kFirstLine) return absl::OkStatus();
      return Wrong(absl::StrCat("this is no tape of a call: '", kFirstLine, "' is needed"));
    }
    if (line.empty() || line[0] == '#') return absl::OkStatus();
    if (tape_.complete) return Wrong("nothing may follow the end");
    if (absl::StartsWith(line, kTime)) return Happening(line);
    if (!tape_.entries.empty()) return Wrong("options stand before what happened; T+MICROSECONDS is needed");
    if (absl::ConsumePrefix(&line, "begin=")) return Begin(line);
    return call::ParseOption(line, &tape_.options);
  }

  absl::Status Begin(absl::string_view text) {
    std::string error;
    begun_ = absl::ParseTime(absl::RFC3339_full, text, &tape_.begin, &error);
    return begun_ ? absl::OkStatus()
                  : Wrong(absl::StrCat("begin: 2026-11-22T19:00:00.5Z or the like is needed; ", error));
  }

  // T+MICROSECONDS MARK TEXT
  absl::Status Happening(absl::string_view line) {
    if (!begun_) return Wrong("begin=TIME is needed first");
    line.remove_prefix(kTime.size());
    const size_t blank = std::min(line.find(' '), line.size());
    int64_t at = 0;
    if (!call::ParseDecimal(line.substr(0, blank), kTimeDigits, &at) || at > kLastTime) {
      return Wrong("T+MICROSECONDS is needed, such as T+20013.204");
    }
    if (at < last_ns_) return Wrong("the time goes backwards");
    last_ns_ = at;
    line.remove_prefix(blank);
    if (line == absl::StrCat(" ", kEnd)) {
      tape_.complete = true;
      return absl::OkStatus();
    }
    if (line.size() < 4 || line[0] != ' ' || line[2] != ' ') return WrongMark();
    Entry entry;
    entry.at = absl::Nanoseconds(at);
    entry.line = line_;
    entry.text = std::string(line.substr(3));
    switch (line[1]) {
      case '<': return Input(std::move(entry));
      case '>': return Command(std::move(entry));
      case '=': entry.kind = Entry::Kind::kEvent; break;
      default: return WrongMark();
    }
    tape_.entries.push_back(std::move(entry));
    return absl::OkStatus();
  }

  static absl::Status WrongMark() {
    return Wrong("behind the time '< INPUT', '> COMMAND', '= EVENT' or 'end' is needed");
  }

  absl::Status Command(Entry entry) {
    entry.kind = Entry::Kind::kCommand;
    for (const absl::string_view name : {kAudioToModel, kAudioToCarrier}) {
      absl::string_view rest = entry.text;
      if (!absl::ConsumePrefix(&rest, name)) continue;
      Sound sound;
      if (absl::Status status = sound.Read(rest); !status.ok()) return status;
      if (!sound.fields.empty()) return NoField(name, sound);
      entry.text = SoundLine(name, sound.bytes);
      break;
    }
    tape_.entries.push_back(std::move(entry));
    return absl::OkStatus();
  }

  absl::Status Input(Entry entry) {
    absl::string_view rest = entry.text;
    const std::string text = entry.text;
    if (absl::ConsumePrefix(&rest, "caller_audio")) return CallerAudio(rest, std::move(entry));
    if (absl::StartsWith(rest, "model_audio ")) return ModelAudio(rest.substr(11), std::move(entry));
    auto input = call::ParseInput(text);
    if (!input.ok()) return input.status();
    entry.input = *std::move(input);
    tape_.entries.push_back(std::move(entry));
    return absl::OkStatus();
  }

  absl::Status ModelAudio(absl::string_view rest, Entry entry) {
    Sound sound;
    if (absl::Status status = sound.Read(rest); !status.ok()) return status;
    entry.kind = sound.Flag("as_input") ? Entry::Kind::kInput : Entry::Kind::kSound;
    entry.bytes = sound.bytes;
    std::string response = sound.Take("response_id");
    std::string item = sound.Take("item_id");
    entry.input = call::input::ModelAudio{std::move(response), std::move(item), sound.base64};
    if (!sound.fields.empty()) return NoField("model_audio", sound);
    tape_.entries.push_back(std::move(entry));
    return absl::OkStatus();
  }

  // One line may hold many frames, `then_us` after each other; each of those that passed was followed by its own audio
  // to the model.
  absl::Status CallerAudio(absl::string_view rest, Entry entry) {
    Sound sound;
    if (absl::Status status = sound.Read(rest); !status.ok()) return status;
    entry.kind = sound.Flag("as_input") ? Entry::Kind::kInput : Entry::Kind::kFrame;
    entry.input = call::input::CallerAudio{sound.base64};
    const bool passed = sound.Flag("passed");
    std::vector<std::string> steps = absl::StrSplit(sound.Take("then_us"), ',', absl::SkipEmpty());
    if (!sound.fields.empty()) return NoField("caller_audio", sound);
    steps.insert(steps.begin(), "0");
    entry.text = SoundLine("caller_audio", sound.bytes);
    for (const std::string& step : steps) {
      int64_t ns = 0;
      if (!call::ParseDecimal(step, kTimeDigits, &ns) || ns > kLastTime - last_ns_) {
        return Wrong("then_us: microseconds are needed, such as 20000,19987.5");
      }
      last_ns_ += ns;
      entry.at = absl::Nanoseconds(last_ns_);
      tape_.entries.push_back(entry);
      if (!passed) continue;
      Entry handed;
      handed.kind = Entry::Kind::kCommand;
      handed.at = entry.at;
      handed.line = line_;
      handed.text = SoundLine(kAudioToModel, sound.bytes);
      tape_.entries.push_back(std::move(handed));
    }
    return absl::OkStatus();
  }

  static absl::Status NoField(absl::string_view what, const Sound& sound) {
    return Wrong(absl::StrCat(what, ": no field '", sound.fields.begin()->first, "'"));
  }

  Tape tape_;
  int line_ = 0;
  bool begun_ = false;
  int64_t last_ns_ = 0;
};

}  // namespace

absl::StatusOr<Tape> ReadTape(absl::string_view text) {
  if (text.size() > kLargestTape) return Wrong("the tape is larger than 256 MB");
  return Reader().Read(text);
}

absl::StatusOr<Tape> ReadTapeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::ErrnoToStatus(errno, "cannot be opened");
  file.seekg(0, std::ios::end);
  if (file.tellg() > static_cast<std::streamoff>(kLargestTape)) return Wrong("the tape is larger than 256 MB");
  file.seekg(0);
  std::ostringstream text;
  if (!(text << file.rdbuf())) return Wrong("line 1: the file is empty, or cannot be read");
  return ReadTape(text.str());
}

}  // namespace callbridge::tape
