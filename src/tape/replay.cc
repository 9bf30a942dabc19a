#include "src/tape/replay.h"

#include <deque>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/audio/base64_check.h"
#include "src/call/call.h"
#include "src/call/command.h"
#include "src/call/event_text.h"
#include "src/call/input_text.h"
#include "src/tape/mask.h"
#include "src/tape/tape_form.h"

namespace callbridge::tape {
namespace {

constexpr size_t kContext = 12;  // Lines shown before a difference.

struct Result {
  Entry::Kind kind = Entry::Kind::kCommand;
  std::string text;
};

char Mark(Entry::Kind kind) { return kind == Entry::Kind::kCommand ? '>' : kind == Entry::Kind::kEvent ? '=' : '<'; }

// Collects what the call wants now. Of sounds only the length counts, also where the tape holds them.
class Collector final : public call::CommandSink {
 public:
  void AudioToModel(absl::string_view base64) override { Sound(kAudioToModel, base64); }
  void AudioToCarrier(absl::string_view base64) override { Sound(kAudioToCarrier, base64); }
  void Do(const call::command::Command& command) override {
    results.push_back({Entry::Kind::kCommand, call::FormatCommand(command)});
  }
  void Record(call::Event event) override { results.push_back({Entry::Kind::kEvent, call::FormatEvent(event)}); }

  std::deque<Result> results;

 private:
  void Sound(absl::string_view name, absl::string_view base64) {
    results.push_back({Entry::Kind::kCommand, SoundLine(name, audio::DecodedSize(base64))});
  }
};

class Player {
 public:
  Player(const Tape& tape, const std::function<void(absl::string_view)>& print)
      : tape_(tape), print_(print), call_(tape.options, sink_) {}

  Verdict Play() {
    call_.Begin(tape_.begin);
    for (const Entry& entry : tape_.entries) {
      const bool result = entry.kind == Entry::Kind::kCommand || entry.kind == Entry::Kind::kEvent;
      if (!result && !NothingLeft()) return Different(entry.line);
      Show(entry.at, Mark(entry.kind), entry.text);
      at_ = entry.at;
      if (result) {
        if (!Compare(entry)) return Different(entry.line);
      } else {
        Feed(entry);
        ++verdict_.inputs;
      }
    }
    // A tape that breaks off may have lost the rest of what came of its last input.
    if (tape_.complete && !NothingLeft()) return Different(tape_.entries.empty() ? 0 : tape_.entries.back().line);
    verdict_.same = true;
    verdict_.complete = tape_.complete;
    return std::move(verdict_);
  }

 private:
  void Feed(const Entry& entry) {
    const absl::Time now = tape_.begin + entry.at;
    if (entry.kind == Entry::Kind::kFrame) {
      call_.OnCallerAudio(std::get<call::input::CallerAudio>(entry.input).base64, now);
    } else if (entry.kind == Entry::Kind::kSound) {
      const auto& sound = std::get<call::input::ModelAudio>(entry.input);
      call_.OnModelAudio(sound.response_id, sound.item_id, sound.base64, entry.bytes, now);
    } else {
      call_.On(entry.input, now);
    }
  }

  bool Compare(const Entry& entry) {
    ++verdict_.results;
    if (sink_.results.empty()) {
      absl::StrAppend(&verdict_.difference, "  tape: ", Written(entry.kind, entry.text), "\n  now:  nothing more\n");
      return false;
    }
    const Result result = std::move(sink_.results.front());
    sink_.results.pop_front();
    if (result.kind == entry.kind && SameButForMasks(result.text, entry.text)) return true;
    absl::StrAppend(&verdict_.difference, "  tape: ", Written(entry.kind, entry.text),
                    "\n  now:  ", Written(result.kind, result.text), "\n");
    return false;
  }

  bool NothingLeft() {
    if (sink_.results.empty()) return true;
    const Result& more = sink_.results.front();
    absl::StrAppend(&verdict_.difference, "  tape: nothing more\n  now:  ", Written(more.kind, more.text), "\n");
    return false;
  }

  Verdict Different(int line) {
    verdict_.line = line;
    std::string text = absl::StrCat("the first difference is at line ", line, ", at ", Seconds(at_), "; before it:\n");
    for (const std::string& before : context_) absl::StrAppend(&text, "  ", before, "\n");
    verdict_.difference.insert(0, text);
    return std::move(verdict_);
  }

  void Show(absl::Duration at, char mark, absl::string_view text) {
    if (context_.size() == kContext) context_.pop_front();
    context_.push_back(absl::StrCat(Seconds(at), " ", absl::string_view(&mark, 1), " ", text));
    if (print_) print_(context_.back());
  }

  static std::string Seconds(absl::Duration at) { return absl::StrFormat("%10.6f", absl::ToDoubleSeconds(at)); }
  static std::string Written(Entry::Kind kind, absl::string_view text) {
    const char mark = Mark(kind);
    return absl::StrCat(absl::string_view(&mark, 1), " ", text);
  }

  const Tape& tape_;
  const std::function<void(absl::string_view)>& print_;
  Collector sink_;
  call::Call call_;
  absl::Duration at_;
  std::deque<std::string> context_;
  Verdict verdict_;
};

}  // namespace

std::string Verdict::Summary() const {
  const std::string counts = absl::StrCat(inputs, " inputs, ", results, " commands and events");
  if (!same) return absl::StrCat("different at line ", line, ", after ", counts);
  return complete ? absl::StrCat("the same: ", counts)
                  : absl::StrCat("the same as far as the tape goes, which ends before its call: ", counts);
}

Verdict Replay(const Tape& tape, const std::function<void(absl::string_view)>& print) {
  return Player(tape, print).Play();
}

}  // namespace callbridge::tape
