#include "src/audio/tone.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "src/audio/mulaw.h"

namespace callbridge::audio {
namespace {

constexpr int kNoteSamples = 3200;  // 400 ms.
constexpr double kLoudness = 2300;  // About -23 dB against full scale at the peak.
constexpr double kPi = 3.14159265358979323846;

// Rises and falls like a bell's, so that it begins and ends without a click.
void AppendNote(double hertz, std::string& out) {
  for (int n = 0; n < kNoteSamples; ++n) {
    const double swell = std::sin(kPi * n / kNoteSamples);
    const double sample = kLoudness * swell * swell * std::sin(2 * kPi * hertz * n / 8000);
    out.push_back(static_cast<char>(MulawFromLinear(static_cast<int16_t>(sample))));
  }
}

std::string MakeHoldTone() {
  std::string bytes;
  AppendNote(440.0, bytes);
  AppendNote(523.25, bytes);
  return absl::Base64Escape(bytes);
}

}  // namespace

const std::string& HoldTone() {
  static const auto& tone = *new std::string(MakeHoldTone());
  return tone;
}

}  // namespace callbridge::audio
