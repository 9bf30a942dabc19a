#include "src/audio/beep_detector.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "src/audio/mulaw.h"

namespace callbridge::audio {
namespace {

constexpr size_t kWindow = 160;
constexpr size_t kShortestWindow = 80;
constexpr int kSteadyWindows = 6;
constexpr int kGoneWindows = 2;
constexpr double kQuietest = 300.0 * 300.0;  // Mean square: about -41 dB against full scale.
constexpr double kPurity = 0.01;             // Of the energy that no single tone explains.
constexpr double kSteadiness = 0.03;         // Of twice the cosine, against the first window.
// Twice the cosine of the step at 350 and at 2500 Hz.
constexpr double kLowestTone = 1.925;
constexpr double kHighestTone = -0.765;

struct Tone {
  bool pure = false;
  double cosine = 0;
};

// A single tone is the one signal in which x[n] + x[n-2] is always the same multiple of x[n-1]: twice the cosine of its
// step. What remains when that multiple is fitted tells how single it is.
Tone Fit(absl::Span<const int16_t> x) {
  double sum = 0;
  double cross = 0;
  double middle = 0;
  double outer = 0;
  for (size_t n = 2; n < x.size(); ++n) {
    const double both = double{1} * x[n] + x[n - 2];
    cross += both * x[n - 1];
    middle += double{1} * x[n - 1] * x[n - 1];
    outer += both * both;
    sum += double{1} * x[n] * x[n];
  }
  if (sum < kQuietest * static_cast<double>(x.size())) return {};
  Tone tone;
  tone.cosine = cross / middle;
  const double rest = outer - cross * tone.cosine;
  tone.pure = rest < kPurity * sum && tone.cosine < kLowestTone && tone.cosine > kHighestTone;
  return tone;
}

}  // namespace

void BeepDetector::Take(absl::Span<const int16_t> samples) {
  const Tone tone = Fit(samples);
  const bool same = tone.pure && (steady_ == 0 || std::abs(tone.cosine - cosine_) < kSteadiness);
  if (same) {
    gone_ = 0;
    if (steady_ == 0) cosine_ = tone.cosine;
    if (++steady_ >= kSteadyWindows) beeped_ = true;
    return;
  }
  if (beeped_) {
    ended_ = ++gone_ >= kGoneWindows;
    return;
  }
  steady_ = tone.pure ? 1 : 0;
  cosine_ = tone.cosine;
}

bool BeepDetector::OnFrame(absl::string_view base64) {
  if (ended_) return false;
  const std::vector<int16_t> samples = DecodeMulaw(base64);
  absl::Span<const int16_t> rest(samples);
  while (rest.size() >= kShortestWindow && !ended_) {
    Take(rest.subspan(0, std::min(rest.size(), kWindow)));
    rest.remove_prefix(std::min(rest.size(), kWindow));
  }
  return ended_;
}

}  // namespace callbridge::audio
