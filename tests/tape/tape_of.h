#ifndef CALLBRIDGE_TESTS_TAPE_TAPE_OF_H_
#define CALLBRIDGE_TESTS_TAPE_TAPE_OF_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/call/command.h"
#include "src/call/options.h"
#include "src/tape/tape_writer.h"

namespace callbridge::tape {

// Lets what a call wants come to nothing.
class NoSink final : public call::CommandSink {
 public:
  void AudioToModel(absl::string_view) override {}
  void AudioToCarrier(absl::string_view) override {}
  void Do(const call::command::Command&) override {}
  void Record(call::Event) override {}
};

// Keeps a tape's text in a string that outlives it.
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

// The tape of a call that is fed these inputs, each with its microsecond since the begin, as call/input_text.h writes
// them.
std::string TapeOf(const call::CallOptions& options, const std::vector<std::pair<int64_t, std::string>>& inputs,
                   const TapeWriter::Options& form = {});

}  // namespace callbridge::tape

#endif  // CALLBRIDGE_TESTS_TAPE_TAPE_OF_H_
