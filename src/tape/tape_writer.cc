#include "src/tape/tape_writer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "src/audio/base64_check.h"
#include "src/call/event_text.h"
#include "src/call/field_text.h"
#include "src/call/input_text.h"
#include "src/call/options_text.h"
#include "src/tape/mask.h"
#include "src/tape/tape_form.h"

namespace callbridge::tape {
namespace {

using call::AppendText;
using call::FormatDecimal;

constexpr size_t kPart = 64 << 10;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int kLongestRun = 250;

}  // namespace

TapeWriter::TapeWriter(const Options& options, const call::CallOptions& call, call::CommandSink& sink,
                       std::unique_ptr<TapeOut> out)
    : options_(options), call_options_(call::FormatOptions(call)), sink_(sink), out_(std::move(out)) {}

TapeWriter::~TapeWriter() {
  if (!writing()) return;
  EndRun();
  HandOver();
}

void TapeWriter::OnBegin(absl::Time now) {
  begin_ = now;
  const std::string begin = absl::FormatTime(absl::RFC3339_full, now, absl::UTCTimeZone());
  absl::StrAppend(&text_, kFirstLine, "\nbegin=", begin, "\n");
  // A line each, since a mask looks at lines.
  size_t from = 0;
  for (size_t end = call_options_.find('\n'); end != std::string::npos; end = call_options_.find('\n', from)) {
    absl::StrAppend(&text_, MaskNumbers(absl::string_view(call_options_).substr(from, end - from)), "\n");
    from = end + 1;
  }
}

// ---- Inputs ----

void TapeWriter::MoveTo(absl::Time now) {
  now_ns_ = absl::ToInt64Nanoseconds(now - begin_);
  if (text_.size() >= kPart || now_ns_ - handed_ns_ >= kSecond) HandOver();
}

void TapeWriter::OnInput(const call::input::Input& input, absl::Time now) {
  if (!writing()) return;
  MoveTo(now);
  if (const auto* const caller = std::get_if<call::input::CallerAudio>(&input)) {
    PutSound('<', "caller_audio as_input=true", caller->base64, audio::DecodedSize(caller->base64));
  } else if (const auto* const model = std::get_if<call::input::ModelAudio>(&input)) {
    std::string line = "model_audio as_input=true ";
    AppendText("response_id", model->response_id, &line);
    AppendText(" item_id", model->item_id, &line);
    PutSound('<', std::move(line), model->base64, audio::DecodedSize(model->base64));
  } else {
    Put('<', MaskNumbers(call::FormatInput(input)));
  }
}

void TapeWriter::OnCallerAudio(absl::string_view base64, absl::Time now) {
  if (!writing()) return;
  MoveTo(now);
  if (options_.audio) {
    PutSound('<', "caller_audio", base64, 0);
    return;
  }
  TakeFrame();
  frame_ = Run{now_ns_, now_ns_, audio::DecodedSize(base64), false, 1, ""};
}

void TapeWriter::OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64,
                              int64_t bytes, absl::Time now) {
  if (!writing()) return;
  MoveTo(now);
  std::string line = "model_audio ";
  AppendText("response_id", response_id, &line);
  AppendText(" item_id", item_id, &line);
  PutSound('<', std::move(line), base64, bytes);
}

// ---- What the call wants ----

void TapeWriter::AudioToModel(absl::string_view base64) {
  if (writing()) {
    const int64_t bytes = audio::DecodedSize(base64);
    if (frame_.count == 1 && !frame_.passed && frame_.bytes == bytes) {
      frame_.passed = true;
    } else {
      PutSound('>', std::string(kAudioToModel), base64, bytes);
    }
  }
  sink_.AudioToModel(base64);
}

void TapeWriter::AudioToCarrier(absl::string_view base64) {
  if (writing()) PutSound('>', std::string(kAudioToCarrier), base64, audio::DecodedSize(base64));
  sink_.AudioToCarrier(base64);
}

void TapeWriter::Do(const call::command::Command& command) {
  if (writing()) Put('>', MaskNumbers(call::FormatCommand(command)));
  if (writing() && std::holds_alternative<call::command::Finished>(command)) {
    PutLine(now_ns_, kEnd);
    HandOver();
    out_.reset();
  }
  sink_.Do(command);
}

void TapeWriter::Record(call::Event event) {
  if (writing()) Put('=', MaskNumbers(call::FormatEvent(event)));
  sink_.Record(std::move(event));
}

// ---- Lines ----

void TapeWriter::PutSound(char mark, std::string line, absl::string_view base64, int64_t bytes) {
  if (options_.audio) {
    AppendText(" base64", base64, &line);
  } else {
    absl::StrAppend(&line, " bytes=", bytes);
  }
  Put(mark, line);
}

void TapeWriter::Put(char mark, absl::string_view text) {
  EndRun();
  PutLine(now_ns_, absl::StrCat(absl::string_view(&mark, 1), " ", text));
}

void TapeWriter::PutLine(int64_t at_ns, absl::string_view text) {
  absl::StrAppend(&text_, kTime, FormatDecimal(at_ns, kTimeDigits), " ", text, "\n");
}

// The latest frame joins those before it, if it is like them.
void TapeWriter::TakeFrame() {
  if (frame_.count == 0) return;
  const Run frame = std::exchange(frame_, Run());
  const bool alike =
      run_.count > 0 && run_.count < kLongestRun && run_.bytes == frame.bytes && run_.passed == frame.passed;
  if (!alike) {
    EndRun();
    run_ = frame;
    return;
  }
  absl::StrAppend(&run_.then_us, run_.count > 1 ? "," : "", FormatDecimal(frame.first_ns - run_.last_ns, kTimeDigits));
  run_.last_ns = frame.first_ns;
  ++run_.count;
}

void TapeWriter::EndRun() {
  TakeFrame();
  if (run_.count == 0) return;
  const Run run = std::exchange(run_, Run());
  std::string line = absl::StrCat("< caller_audio bytes=", run.bytes);
  if (run.passed) absl::StrAppend(&line, " passed=true");
  if (run.count > 1) absl::StrAppend(&line, " then_us=", run.then_us);
  PutLine(run.first_ns, line);
}

void TapeWriter::HandOver() {
  handed_ns_ = now_ns_;
  if (text_.empty()) return;
  std::string part = std::exchange(text_, std::string());
  if (!out_->Take(std::move(part))) out_.reset();
}

}  // namespace callbridge::tape
