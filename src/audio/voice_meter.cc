#include "src/audio/voice_meter.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "src/audio/mulaw.h"

namespace callbridge::audio {
namespace {

constexpr double kAboveFloorDb = 12;
// Below, nobody is near the telephone; above, it is a voice whatever the noise.
constexpr double kLowestThresholdDb = -46;
constexpr double kHighestThresholdDb = -28;
constexpr double kLowestFloorDb = -70;
// Of the way up in each frame: half of it in about three seconds.
constexpr double kRise = 0.005;

double LevelDb(const std::vector<int16_t>& samples) {
  double sum = 0;
  for (const int16_t sample : samples) sum += double{1} * sample * sample;
  if (sum <= 0) return kLowestFloorDb;
  return 10 * std::log10(sum / static_cast<double>(samples.size()) / (32768.0 * 32768.0));
}

}  // namespace

bool VoiceMeter::Voiced(absl::string_view base64) {
  const std::vector<int16_t> samples = DecodeMulaw(base64);
  if (samples.empty()) return false;
  const double level = LevelDb(samples);
  const double threshold = std::clamp(floor_db_ + kAboveFloorDb, kLowestThresholdDb, kHighestThresholdDb);
  floor_db_ = level < floor_db_ ? std::max(level, kLowestFloorDb) : floor_db_ + kRise * (level - floor_db_);
  return level > threshold;
}

}  // namespace callbridge::audio
