#ifndef CALLBRIDGE_TESTS_SIM_MODEL_SESSION_FIXTURE_H_
#define CALLBRIDGE_TESTS_SIM_MODEL_SESSION_FIXTURE_H_

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "src/sim/model_session.h"

namespace callbridge::sim {

inline std::shared_ptr<const SpeechLibrary> TestSpeech() {
  static const std::shared_ptr<const SpeechLibrary> library = [] {
    absl::StatusOr<std::shared_ptr<const SpeechLibrary>> loaded = SpeechLibrary::Load();
    if (!loaded.ok()) {
      ADD_FAILURE() << loaded.status();
      std::abort();
    }
    return *loaded;
  }();
  return library;
}

// What a session sent, with the time of each event.
class RecordingSink final : public ModelSink {
 public:
  struct Sent {
    absl::Time time;
    std::string type;
    Json json;
    std::string text;
  };
  explicit RecordingSink(const absl::Time& now) : now_(now) {}

  void Send(absl::string_view text) override {
    const Json json = Json::parse(text, nullptr, false);
    std::string type;
    if (json.is_object() && json.contains("type") && json["type"].is_string()) type = json["type"].get<std::string>();
    sent.push_back({now_, type, json, std::string(text)});
  }
  void Close(int code, absl::string_view reason) override {
    close_code = code;
    close_reason = std::string(reason);
  }
  void Abort() override { aborted = true; }

  std::vector<Sent> sent;
  int close_code = 0;
  std::string close_reason;
  bool aborted = false;

 private:
  const absl::Time& now_;
};

// A client in virtual time: what it sends arrives at once, what it says arrives in 20 ms frames.
class ModelSessionTest : public testing::Test {
 protected:
  ModelSessionTest() {
    scenario.name = "test";
    scenario.model.unknown_extras = false;
  }

  void Open() {
    ModelSession::Options options;
    options.scenario = scenario;
    options.model = model;
    session = std::make_unique<ModelSession>(options, TestSpeech(), sink);
    HandshakeVerdict verdict;
    verdict.model = model;
    session->Open(verdict, now);
  }

  // Opens and configures as a telephone bridge does.
  void Start(const Json& turns = {{"type", "server_vad"}, {"silence_duration_ms", 500}}) {
    Open();
    Client(Update(turns));
    ASSERT_EQ(Last("session.updated").type, "session.updated") << Text();
  }

  static Json Update(const Json& turns) {
    return {{"type", "session.update"},
            {"session",
             {{"type", "realtime"},
              {"audio",
               {{"input",
                 {{"format", {{"type", "audio/pcmu"}}},
                  {"transcription", {{"model", "gpt-4o-mini-transcribe"}}},
                  {"turn_detection", turns}}},
                {"output", {{"format", {{"type", "audio/pcmu"}}}, {"voice", "marin"}}}}}}}};
  }

  void Client(const Json& event) { session->OnText(event.dump(), now); }
  void ClientText(absl::string_view text) { session->OnText(text, now); }

  void Wait(absl::Duration by) {
    const absl::Time until = now + by;
    while (session->NextDeadline() <= until) {
      now = std::max(now, session->NextDeadline());
      session->OnTime(now);
    }
    now = until;
    session->OnTime(now);
  }

  void Append(absl::string_view mulaw) {
    ClientText(absl::StrCat(R"({"type":"input_audio_buffer.append","audio":")", absl::Base64Escape(mulaw), R"("})"));
  }

  // Each frame arrives, then 20 ms pass.
  void Say(absl::string_view mulaw) {
    for (size_t at = 0; at < mulaw.size(); at += 160) {
      Append(mulaw.substr(at, 160));
      Wait(absl::Milliseconds(20));
    }
  }
  void SayClip(absl::string_view name) { Say(TestSpeech()->Find(name)->mulaw); }
  void Quiet(int ms) { Say(std::string(static_cast<size_t>(ms) * 8, '\xff')); }

  std::vector<std::string> Types(size_t from = 0) const {
    std::vector<std::string> types;
    for (size_t i = from; i < sink.sent.size(); ++i) types.push_back(sink.sent[i].type);
    return types;
  }
  // Repeats of deltas are one.
  std::vector<std::string> Shape(size_t from = 0) const {
    std::vector<std::string> types;
    for (const std::string& type : Types(from)) {
      const bool delta = absl::EndsWith(type, ".delta");
      if (delta && std::find(types.begin(), types.end(), type) != types.end()) continue;
      types.push_back(type);
    }
    return types;
  }
  int Count(absl::string_view type) const {
    return static_cast<int>(
        std::count_if(sink.sent.begin(), sink.sent.end(), [&](const auto& sent) { return sent.type == type; }));
  }
  // The last event of that type; an empty one if there is none.
  RecordingSink::Sent Last(absl::string_view type) const {
    for (auto it = sink.sent.rbegin(); it != sink.sent.rend(); ++it) {
      if (it->type == type) return *it;
    }
    return {};
  }
  std::string LastErrorCode() const {
    const Json error = Last("error").json;
    if (!error.is_object()) return "(no error)";
    return error["error"]["code"].is_null() ? "null" : error["error"]["code"].get<std::string>();
  }
  std::string LastErrorMessage() const { return Last("error").json["error"]["message"].get<std::string>(); }

  // All audio sent for an item.
  std::string AudioOf(const std::string& item_id) const {
    std::string audio;
    for (const auto& sent : sink.sent) {
      if (sent.type != "response.output_audio.delta" || sent.json["item_id"] != item_id) continue;
      std::string piece;
      EXPECT_TRUE(absl::Base64Unescape(sent.json["delta"].get<std::string>(), &piece));
      audio += piece;
    }
    return audio;
  }

  std::string Text() const {
    std::string all;
    for (const auto& sent : sink.sent)
      absl::StrAppend(&all, absl::FormatTime("%M:%E3S ", sent.time, absl::UTCTimeZone()), sent.text.substr(0, 200),
                      "\n");
    return all;
  }

  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  Scenario scenario;
  std::string model = "gpt-realtime-2.1";
  RecordingSink sink{now};
  std::unique_ptr<ModelSession> session;
};

using Types = std::vector<std::string>;

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_TESTS_SIM_MODEL_SESSION_FIXTURE_H_
