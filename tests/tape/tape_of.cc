#include "tests/tape/tape_of.h"

#include "gtest/gtest.h"
#include "src/call/call.h"
#include "src/call/input_text.h"

namespace callbridge::tape {

std::string TapeOf(const call::CallOptions& options, const std::vector<std::pair<int64_t, std::string>>& inputs,
                   const TapeWriter::Options& form) {
  std::string text;
  NoSink sink;
  TapeWriter tape(form, options, sink, std::make_unique<StringOut>(&text));
  call::Call call(options, tape);
  const absl::Time begin = absl::FromUnixSeconds(1700000000);
  tape.OnBegin(begin);
  call.Begin(begin);
  for (const auto& [us, line] : inputs) {
    const auto input = call::ParseInput(line);
    if (!input.ok()) {
      ADD_FAILURE() << line << ": " << input.status();
      continue;
    }
    const absl::Time now = begin + absl::Microseconds(us);
    tape.OnInput(*input, now);
    call.On(*input, now);
  }
  return text;
}

}  // namespace callbridge::tape
