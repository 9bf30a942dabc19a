#include "src/bench/load_calls.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "src/bench/marker.h"
#include "src/net/ws_connection.h"

namespace callbridge::bench {
namespace {

class FakeConnection final : public net::WsConnection {
 public:
  using net::WsConnection::Send;
  bool Send(absl::Span<const absl::string_view> parts) override {
    sent.push_back(absl::StrJoin(parts, ""));
    return true;
  }
  size_t unsent_bytes() const override { return 0; }
  absl::Time last_heard() const override { return absl::UnixEpoch(); }
  void Close(uint16_t, absl::string_view) override {}
  void Abort() override {}
  void Detach() override {}

  std::vector<std::string> sent;
};

std::string PlayAudio(size_t bytes) {
  std::string audio = SilentBase64(bytes);
  WriteMarker(SteadyNanos(), audio);
  return absl::StrCat("{\"event\":\"playAudio\",\"media\":{\"payload\":\"", audio, "\"}}");
}

TEST(CarrierEndTest, SpeaksMarkedFramesOnceTheStreamIsOpen) {
  Meter meter;
  CarrierEnd end(meter, "uuid-1");
  std::string payload = SilentBase64(160);
  end.Beat(payload);
  FakeConnection connection;
  end.OnOpen(connection);
  end.Beat(payload);
  ASSERT_EQ(connection.sent.size(), 2);
  EXPECT_TRUE(absl::StrContains(connection.sent[0], "\"callId\":\"uuid-1\""));
  const size_t at = connection.sent[1].find("\"payload\":\"");
  ASSERT_NE(at, std::string::npos);
  EXPECT_TRUE(ReadMarker(absl::string_view(connection.sent[1]).substr(at + 11)).has_value());
}

TEST(CarrierEndTest, MeasuresInTheWindowOnly) {
  Meter meter;
  CarrierEnd end(meter, "uuid-1");
  FakeConnection connection;
  end.OnOpen(connection);
  end.OnText(PlayAudio(160));
  EXPECT_EQ(meter.talking, 1);
  EXPECT_TRUE(meter.to_caller_us.empty());
  meter.measuring = true;
  end.OnText(PlayAudio(160));
  end.OnText("{\"event\":\"playAudio\",\"media\":{\"payload\":\"////////////////////\"}}");
  EXPECT_EQ(meter.to_caller_us.size(), 1);
  EXPECT_EQ(meter.talking, 1);
}

// A checkpoint behind a second of audio is not reached at once; one behind nothing is.
TEST(CarrierEndTest, AnswersCheckpointsWhenTheAudioBeforeThemWasPlayed) {
  Meter meter;
  CarrierEnd end(meter, "uuid-1");
  std::string payload = SilentBase64(160);
  FakeConnection connection;
  end.OnOpen(connection);
  end.OnText("{\"event\":\"checkpoint\",\"streamId\":\"s\",\"name\":\"c1\"}");
  end.OnText(PlayAudio(8000));
  end.OnText("{\"event\":\"checkpoint\",\"streamId\":\"s\",\"name\":\"c2\"}");
  end.Beat(payload);
  const std::string all = absl::StrJoin(connection.sent, "\n");
  EXPECT_TRUE(absl::StrContains(all, "\"name\":\"c1\"")) << all;
  EXPECT_FALSE(absl::StrContains(all, "\"name\":\"c2\"")) << all;
}

// What a clear finds unheard was thrown away; behind it nothing is missing until something comes again.
TEST(CarrierEndTest, TellsWhatAClearThrowsAway) {
  Meter meter;
  meter.measuring = true;
  CarrierEnd end(meter, "uuid-1");
  FakeConnection connection;
  end.OnOpen(connection);
  end.OnText("{\"event\":\"clearAudio\"}");
  EXPECT_TRUE(meter.thrown_ms.empty());
  end.OnText(PlayAudio(8000));
  end.OnText("{\"event\":\"clearAudio\"}");
  ASSERT_EQ(meter.thrown_ms.size(), 1);
  EXPECT_LE(meter.thrown_ms[0], 1060);
  EXPECT_GT(meter.thrown_ms[0], 0);
  end.OnText(PlayAudio(160));
  EXPECT_EQ(meter.gaps, 0);
}

// One byte and the player's 60 ms: then it is dry, in the middle of what it plays.
TEST(CarrierEndTest, CountsGaps) {
  Meter meter;
  meter.measuring = true;
  CarrierEnd end(meter, "uuid-1");
  FakeConnection connection;
  end.OnOpen(connection);
  end.OnText(PlayAudio(12));
  absl::SleepFor(absl::Milliseconds(70));
  end.OnText(PlayAudio(8000));
  end.OnText(PlayAudio(160));
  EXPECT_EQ(meter.gaps, 1);
}

TEST(CarrierEndTest, ClosedSocketIsALossUnlessTheLoadStops) {
  Meter meter;
  CarrierEnd first(meter, "1"), second(meter, "2");
  first.OnClosed({});
  EXPECT_EQ(meter.lost, 1);
  meter.stopping = true;
  second.OnClosed({});
  EXPECT_EQ(meter.lost, 1);
}

TEST(ModelEndTest, ConfirmsTheSessionAndSpeaksWhenAsked) {
  Meter meter;
  ModelEnd end(meter, 3);
  std::string payload = SilentBase64(160);
  FakeConnection connection;
  end.OnOpen(connection);
  end.OnText(
      "{\"session\":{\"audio\":{\"input\":{\"format\":{\"type\":\"audio/pcmu\"}}}},\"type\":\"session.update\"}");
  end.Beat(payload);
  ASSERT_EQ(connection.sent.size(), 2);
  EXPECT_TRUE(absl::StrContains(connection.sent[1], "session.updated"));
  EXPECT_TRUE(absl::StrContains(connection.sent[1], "audio/pcmu"));
  end.OnText("{\"type\":\"response.create\"}");
  end.Beat(payload);
  EXPECT_TRUE(absl::StrContains(connection.sent.back(), "response.output_audio.delta"));
  EXPECT_TRUE(absl::StrContains(connection.sent.back(), payload));
}

TEST(ModelEndTest, IsAheadByTheFirstBeatOfAResponse) {
  Meter meter;
  meter.ahead_pieces = 3;
  ModelEnd end(meter, 1);
  std::string payload = SilentBase64(160);
  FakeConnection connection;
  end.OnOpen(connection);
  end.OnText("{\"type\":\"response.create\"}");
  const size_t before = connection.sent.size();
  end.Beat(payload);
  EXPECT_EQ(connection.sent.size(), before + 4);
  end.Beat(payload);
  EXPECT_EQ(connection.sent.size(), before + 5);
}

TEST(ModelEndTest, MeasuresTheCallersFrames) {
  Meter meter;
  meter.measuring = true;
  ModelEnd end(meter, 1);
  FakeConnection connection;
  end.OnOpen(connection);
  std::string audio = SilentBase64(160);
  WriteMarker(SteadyNanos() - 5'000'000, audio);
  end.OnText(absl::StrCat("{\"type\":\"input_audio_buffer.append\",\"audio\":\"", audio, "\"}"));
  ASSERT_EQ(meter.to_model_us.size(), 1);
  EXPECT_GE(meter.to_model_us[0], 5000);
}

// The carrier's end finds the model's end of its call by the marker in the first audio.
TEST(InterruptionTest, IsTimedUntilClearAudio) {
  Meter meter;
  CarrierEnd carrier(meter, "uuid-1");
  ModelEnd model(meter, 1);
  FakeConnection carrier_socket, model_socket;
  carrier.OnOpen(carrier_socket);
  model.OnOpen(model_socket);
  model.Interrupt();
  EXPECT_EQ(meter.interruptions, 0);
  model.OnText("{\"type\":\"response.create\"}");
  const std::string& delta = model_socket.sent.back();
  const size_t at = delta.find("\"delta\":\"") + 9;
  const std::string audio = delta.substr(at, delta.find('"', at) - at);
  carrier.OnText(absl::StrCat("{\"event\":\"playAudio\",\"media\":{\"payload\":\"", audio, "\"}}"));
  EXPECT_EQ(meter.first_us.size(), 1);
  model.Interrupt();
  model.Interrupt();
  EXPECT_EQ(meter.interruptions, 1);
  EXPECT_TRUE(absl::StrContains(model_socket.sent.back(), "cancelled"));
  carrier.OnText("{\"event\":\"clearAudio\",\"streamId\":\"s\"}");
  carrier.OnText("{\"event\":\"clearAudio\",\"streamId\":\"s\"}");
  EXPECT_EQ(meter.stop_us.size(), 1);
}

}  // namespace
}  // namespace callbridge::bench
