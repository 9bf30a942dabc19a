#include <cmath>
#include <functional>
#include <random>
#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "src/audio/beep_detector.h"
#include "src/audio/mulaw.h"
#include "src/audio/tone.h"
#include "src/audio/voice_meter.h"

namespace callbridge::audio {
namespace {

using Signal = std::function<double(int sample)>;

constexpr int kFrame = 160;

Signal Sine(double hertz, double loudness) {
  return [=](int n) { return loudness * std::sin(2 * 3.14159265358979 * hertz * n / 8000); };
}
Signal Noise(double loudness) {
  return [loudness, random = std::mt19937(1)](int) mutable {
    return std::uniform_real_distribution<double>(-loudness, loudness)(random);
  };
}
// A voice as far as these need one: pulses of a throat that glides, and what a mouth makes of them.
Signal Voice(double loudness) {
  return [=](int n) {
    const double t = n / 8000.0;
    const double pitch = 120 + 30 * std::sin(2 * 3.14159265358979 * 2 * t);
    double sum = 0;
    for (int k = 1; k <= 20; ++k) sum += std::sin(2 * 3.14159265358979 * pitch * k * t) / k;
    return loudness * sum / 2;
  };
}
// Frame `i` of a signal.
std::string Frame(const Signal& signal, int i) {
  std::string bytes;
  for (int n = 0; n < kFrame; ++n) {
    bytes.push_back(static_cast<char>(MulawFromLinear(static_cast<int16_t>(signal(i * kFrame + n)))));
  }
  return absl::Base64Escape(bytes);
}
int CountVoiced(VoiceMeter& meter, const Signal& signal, int frames) {
  int voiced = 0;
  for (int i = 0; i < frames; ++i) voiced += meter.Voiced(Frame(signal, i)) ? 1 : 0;
  return voiced;
}
// The frame with which the beep is reported over; -1: none.
int Listen(BeepDetector& detector, const Signal& signal, int frames) {
  for (int i = 0; i < frames; ++i) {
    if (detector.OnFrame(Frame(signal, i))) return i;
  }
  return -1;
}

TEST(MulawTest, EveryCodeComesBack) {
  for (int code = 0; code < 256; ++code) {
    const int16_t linear = LinearFromMulaw(static_cast<uint8_t>(code));
    // Zero has two codes.
    EXPECT_EQ(LinearFromMulaw(MulawFromLinear(linear)), linear) << code;
  }
  EXPECT_EQ(MulawFromLinear(0), 0xFF);
  EXPECT_EQ(LinearFromMulaw(0x80), 32124);
  EXPECT_EQ(LinearFromMulaw(0x00), -32124);
  EXPECT_EQ(MulawFromLinear(-32768), 0x00);
  EXPECT_TRUE(DecodeMulaw("?").empty());
}

TEST(VoiceMeterTest, AVoiceIsHeardOverTheLinesNoise) {
  VoiceMeter meter;
  EXPECT_EQ(CountVoiced(meter, Sine(0, 0), 50), 0) << "digital silence";
  EXPECT_EQ(CountVoiced(meter, Noise(60), 100), 0) << "a quiet line";
  EXPECT_GT(CountVoiced(meter, Voice(3000), 100), 95) << "two seconds without a breath";
  EXPECT_EQ(CountVoiced(meter, Noise(60), 20), 0) << "silence again, at once";
  EXPECT_FALSE(meter.Voiced(""));
  EXPECT_FALSE(meter.Voiced("not base64"));
}

TEST(VoiceMeterTest, ANoisyRoomBecomesTheFloor) {
  VoiceMeter meter;
  CountVoiced(meter, Noise(700), 400);
  EXPECT_EQ(CountVoiced(meter, Noise(700), 50), 0);
  EXPECT_GT(CountVoiced(meter, Voice(6000), 50), 45);
  meter.Reset();
  EXPECT_GT(CountVoiced(meter, Noise(700), 5), 0) << "of which a new line knows nothing";
}

TEST(BeepDetectorTest, ABeepIsReportedWhenItHasEnded) {
  for (const double hertz : {440.0, 800.0, 1000.0, 1400.0, 2000.0}) {
    BeepDetector detector;
    EXPECT_EQ(Listen(detector, Voice(6000), 50), -1);
    EXPECT_EQ(Listen(detector, Sine(hertz, 6000), 25), -1) << "it still sounds";
    EXPECT_EQ(Listen(detector, Noise(60), 50), 1) << hertz;
    EXPECT_EQ(Listen(detector, Sine(hertz, 6000), 25), -1);
    EXPECT_EQ(Listen(detector, Noise(60), 25), -1) << "once";
  }
}

TEST(BeepDetectorTest, WhatIsNoBeep) {
  const struct {
    const char* name;
    Signal signal;
    int frames;
  } rows[] = {
      {"speech", Voice(8000), 500},
      {"noise", Noise(8000), 500},
      {"too short", Sine(1000, 6000), 5},
      {"too soft", Sine(1000, 200), 50},
      {"mains hum", Sine(50, 8000), 50},
      {"a key", [](int n) { return Sine(770, 3000)(n) + Sine(1336, 3000)(n); }, 50},
      {"siren", [](int n) { return Sine(600 + 0.05 * n, 6000)(n); }, 100},
  };
  for (const auto& row : rows) {
    BeepDetector detector;
    EXPECT_EQ(Listen(detector, row.signal, row.frames), -1) << row.name;
    EXPECT_EQ(Listen(detector, Noise(20), 20), -1) << row.name << ", over";
  }
}

TEST(HoldToneTest, IsSoftAndShort) {
  const std::vector<int16_t> samples = DecodeMulaw(HoldTone());
  EXPECT_EQ(samples.size(), 6400u);
  for (const int16_t sample : samples) ASSERT_LT(std::abs(int{sample}), 2500);
  EXPECT_EQ(samples.front(), 0);
  EXPECT_LT(std::abs(int{samples.back()}), 20) << "no click at its end";
}

}  // namespace
}  // namespace callbridge::audio
