#ifndef CALLBRIDGE_SRC_APP_PROMPT_FILE_H_
#define CALLBRIDGE_SRC_APP_PROMPT_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::app {

// Longest prompt: 30 s of 8 kHz mu-law.
constexpr size_t kMaxPromptBytes = 30 * 8000;
// ... and its file, with what a WAV file may have besides its sound.
constexpr size_t kMaxPromptFileBytes = kMaxPromptBytes + (64 << 10);

// The mu-law bytes of a prompt's file: raw (by its name: .ulaw, .ul, .mulaw), or a WAV file (by its content) of format
// 7, 8000 Hz, one channel. kInvalidArgument says what the file is and what would be right, without naming the file.
absl::StatusOr<std::string> PromptAudio(absl::string_view file_name, absl::string_view content);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_PROMPT_FILE_H_
