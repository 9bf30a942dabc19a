#ifndef CALLBRIDGE_SRC_TAPE_TAPE_WRITER_H_
#define CALLBRIDGE_SRC_TAPE_TAPE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/call/command.h"
#include "src/call/event.h"
#include "src/call/input.h"
#include "src/call/options.h"

namespace callbridge::tape {

// Where a tape's text goes. Destroyed when the tape is done.
class TapeOut {
 public:
  virtual ~TapeOut() = default;
  // Takes the next part, whole lines. Must not block. False: no more will be taken, and the tape ends here.
  virtual bool Take(std::string text) = 0;
};

// Writes a call down as it happens, in the form that docs/tapes.md describes. Stands between a call and its sink, and
// is told of each input before the call is. On the call's loop only.
//
//   callbridge tape 1
//   begin=2026-11-22T19:00:00.123456789+00:00
//   direction=inbound                                          the call's options, a line each
//   T+0 > open_model
//   T+20013.204 < stream_opened stream_id="s1"                 microseconds since the begin
//   T+40013 < caller_audio bytes=160 passed=true then_us=20000,19987.5
//   T+80013 = state_changed from="answered" to="in_progress"
//   T+90013 end
//
// Text is handed to `out` in parts of 64 KB, or when a second has gone by, and at the end. Phone numbers are masked.
class TapeWriter final : public call::CommandSink {
 public:
  struct Options {
    bool audio = false;  // The sound itself, not only its length.
  };

  // `sink` outlives the tape and is who carries out what the call wants.
  TapeWriter(const Options& options, const call::CallOptions& call, call::CommandSink& sink,
             std::unique_ptr<TapeOut> out);
  // What is left is handed over; without its end, if the call had none.
  ~TapeWriter() override;

  // Each before the method of call::Call that it is named after, with the same time.
  void OnBegin(absl::Time now);
  void OnInput(const call::input::Input& input, absl::Time now);
  void OnCallerAudio(absl::string_view base64, absl::Time now);
  void OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64, int64_t bytes,
                    absl::Time now);

  // call::CommandSink
  void AudioToModel(absl::string_view base64) override;
  void AudioToCarrier(absl::string_view base64) override;
  void Do(const call::command::Command& command) override;
  void Record(call::Event event) override;

 private:
  // Frames of the caller, one after the other, in one line.
  struct Run {
    int64_t first_ns = 0;
    int64_t last_ns = 0;
    int64_t bytes = 0;
    bool passed = false;  // Each was handed to the model at once, and nothing else came of it.
    int count = 0;
    std::string then_us;
  };

  bool writing() const { return out_ != nullptr; }
  void MoveTo(absl::Time now);
  void Put(char mark, absl::string_view text);
  void PutLine(int64_t at_ns, absl::string_view text);
  void PutSound(char mark, std::string line, absl::string_view base64, int64_t bytes);
  void TakeFrame();
  void EndRun();
  void HandOver();

  const Options options_;
  const std::string call_options_;
  call::CommandSink& sink_;
  std::unique_ptr<TapeOut> out_;  // Null: nothing more is written.
  std::string text_;
  absl::Time begin_;
  int64_t now_ns_ = 0;     // Since the begin, of the input being handled.
  int64_t handed_ns_ = 0;  // When text was handed over last.
  Run frame_;              // The latest, while nothing followed it; count 0: none.
  Run run_;                // Those before it.
};

}  // namespace callbridge::tape

#endif  // CALLBRIDGE_SRC_TAPE_TAPE_WRITER_H_
