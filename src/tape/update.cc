#include "src/tape/update.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "src/call/call.h"
#include "src/call/command.h"
#include "src/tape/tape_writer.h"

namespace callbridge::tape {
namespace {

namespace input = call::input;

// Behind the last input: longer than any limit of a call that is over.
constexpr absl::Duration kRest = absl::Minutes(2);
constexpr int kMostTicks = 1'000'000;

class NoSink final : public call::CommandSink {
 public:
  void AudioToModel(absl::string_view) override {}
  void AudioToCarrier(absl::string_view) override {}
  void Do(const call::command::Command& command) override {
    finished = finished || std::holds_alternative<call::command::Finished>(command);
  }
  void Record(call::Event) override {}

  bool finished = false;
};

class StringOut final : public TapeOut {
 public:
  explicit StringOut(std::string* text) : text_(*text) {}
  bool Take(std::string text) override {
    text_ += text;
    return true;
  }

 private:
  std::string& text_;
};

class Recorder {
 public:
  Recorder(const Tape& tape, std::string* text)
      : tape_(tape),
        writer_({}, tape.options, sink_, std::make_unique<StringOut>(text)),
        call_(tape.options, writer_) {}

  void Record() {
    now_ = tape_.begin;
    writer_.OnBegin(now_);
    call_.Begin(now_);
    for (const Entry& entry : tape_.entries) {
      if (entry.kind == Entry::Kind::kCommand || entry.kind == Entry::Kind::kEvent) continue;
      TickUntil(tape_.begin + entry.at);
      now_ = tape_.begin + entry.at;
      Feed(entry);
    }
    TickUntil(now_ + kRest);
  }

 private:
  void Feed(const Entry& entry) {
    if (entry.kind == Entry::Kind::kFrame) {
      const std::string& base64 = std::get<input::CallerAudio>(entry.input).base64;
      writer_.OnCallerAudio(base64, now_);
      call_.OnCallerAudio(base64, now_);
    } else if (entry.kind == Entry::Kind::kSound) {
      const auto& sound = std::get<input::ModelAudio>(entry.input);
      writer_.OnModelAudio(sound.response_id, sound.item_id, sound.base64, entry.bytes, now_);
      call_.OnModelAudio(sound.response_id, sound.item_id, sound.base64, entry.bytes, now_);
    } else if (!std::holds_alternative<input::Tick>(entry.input)) {
      writer_.OnInput(entry.input, now_);
      call_.On(entry.input, now_);
    }
  }

  void TickUntil(absl::Time end) {
    for (; !sink_.finished && call_.next_deadline() <= end && ticks_ < kMostTicks; ++ticks_) {
      // A tape's times are whole nanoseconds.
      const absl::Duration due = absl::Ceil(call_.next_deadline() - tape_.begin, absl::Nanoseconds(1));
      now_ = std::max(now_, tape_.begin + due);
      writer_.OnInput(input::Tick{}, now_);
      call_.On(input::Tick{}, now_);
    }
  }

  const Tape& tape_;
  NoSink sink_;
  TapeWriter writer_;
  call::Call call_;
  absl::Time now_;
  int ticks_ = 0;
};

}  // namespace

std::string Update(const Tape& tape) {
  std::string text;
  Recorder(tape, &text).Record();
  return text;
}

}  // namespace callbridge::tape
