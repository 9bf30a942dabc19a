#ifndef CALLBRIDGE_SRC_TAPE_TAPE_FORM_H_
#define CALLBRIDGE_SRC_TAPE_TAPE_FORM_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// The words of a tape that its writer and its reader share.
namespace callbridge::tape {

inline constexpr absl::string_view kFirstLine = "callbridge tape 1";
inline constexpr absl::string_view kTime = "T+";
inline constexpr int kTimeDigits = 3;  // Nanoseconds behind the point of a microsecond.
inline constexpr absl::string_view kEnd = "end";
inline constexpr absl::string_view kAudioToModel = "audio_to_model";
inline constexpr absl::string_view kAudioToCarrier = "audio_to_carrier";

// A line of audio of which the length is told.
inline std::string SoundLine(absl::string_view name, int64_t bytes) { return absl::StrCat(name, " bytes=", bytes); }

}  // namespace callbridge::tape

#endif  // CALLBRIDGE_SRC_TAPE_TAPE_FORM_H_
