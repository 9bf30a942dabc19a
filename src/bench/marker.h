#ifndef CALLBRIDGE_SRC_BENCH_MARKER_H_
#define CALLBRIDGE_SRC_BENCH_MARKER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

// The time of sending, written over the first characters of audio in base64, of which it stays valid base64: whatever
// passes the audio on passes the time on.
namespace callbridge::bench {

inline constexpr size_t kMarkerChars = 16;  // Twelve bytes of audio: 1.5 ms.

// `bytes` (12 or more) of mu-law silence as padded base64, with room for a marker at its front.
std::string SilentBase64(size_t bytes);

// Writes the marker over the first characters of `base64`, which has at least kMarkerChars.
void WriteMarker(uint64_t nanoseconds, std::string& base64);

// The time that audio was marked with; nothing if it does not begin with a marker.
absl::optional<uint64_t> ReadMarker(absl::string_view base64);

// Nanoseconds of a clock that never goes back; the same for all threads.
uint64_t SteadyNanos();

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_MARKER_H_
