#include "src/session/carrier_leg.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "src/net/manual_loop.h"
#include "tests/fakes/fake_ws_connection.h"

namespace callbridge::session {
namespace {

namespace input = call::input;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

constexpr char kStart[] = R"({"event":"start","start":{"callId":"call_1","streamId":"stream_1","tracks":["inbound"],
    "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}}})";

// The carrier is played by the test.
class CarrierLegTest : public ::testing::Test, public CarrierLeg::Owner {
 protected:
  // A socket outlives its leg, or says that it is gone: these members go in the other order.
  void TearDown() override { leg_.OnClosed(net::WsClose()); }

  CarrierLegTest() {
    carrier_.Open();
    carrier_.Receive(kStart);
  }

  std::vector<Json> Sent() {
    std::vector<Json> events;
    for (const std::string& text : carrier_.TakeSent()) events.push_back(Json::parse(text));
    return events;
  }
  template <typename In>
  std::vector<In> All() const {
    std::vector<In> found;
    for (const input::Input& one : inputs_) {
      if (const auto* value = std::get_if<In>(&one)) found.push_back(*value);
    }
    return found;
  }

  bool OnStreamStart(CarrierLeg&, const plivo::Start& start) override { return start.call_id == "call_1"; }
  void OnCarrierInput(const input::Input& input) override { inputs_.push_back(input); }
  void OnCallerAudio(absl::string_view base64) override { audio_.emplace_back(base64); }
  void OnStreamGone(CarrierLeg&) override { ++gone_; }
  void OnCarrierNote(absl::string_view what, absl::string_view detail) override {
    notes_.push_back(absl::StrCat(what, ": ", detail));
  }

  net::ManualLoop loop_;
  plivo::StreamParser parser_;
  CarrierLeg::Owner& owner_ = *this;
  CarrierLeg leg_{parser_, owner_};
  testing::FakeWsConnection carrier_{loop_, leg_};
  std::vector<input::Input> inputs_;
  std::vector<std::string> audio_;
  std::vector<std::string> notes_;
  int gone_ = 0;
};

TEST_F(CarrierLegTest, WhatTheCarrierSays) {
  EXPECT_EQ(All<input::StreamOpened>()[0].stream_id, "stream_1");
  carrier_.Receive(R"({"event":"media","media":{"track":"inbound","payload":"f39/fw=="}})");
  carrier_.Receive(R"({"event":"media","media":{"track":"outbound","payload":"AAAA"}})");
  EXPECT_THAT(audio_, ElementsAre("f39/fw=="));
  carrier_.Receive(R"({"event":"dtmf","dtmf":{"digit":"5"}})");
  carrier_.Receive(R"({"event":"playedStream","name":"c7"})");
  carrier_.Receive(R"({"event":"playedStream","name":"somebody else's"})");
  carrier_.Receive(R"({"event":"clearedAudio"})");
  ASSERT_THAT(All<input::Dtmf>(), SizeIs(1));
  EXPECT_EQ(All<input::Dtmf>()[0].digit, "5");
  ASSERT_THAT(All<input::CheckpointPlayed>(), SizeIs(1));
  EXPECT_EQ(All<input::CheckpointPlayed>()[0].number, 7);
  EXPECT_THAT(All<input::AudioCleared>(), SizeIs(1));
}

TEST_F(CarrierLegTest, WhatItIsTold) {
  leg_.Play("f39/fw==");
  leg_.Checkpoint(3);
  leg_.Clear();
  leg_.SendDtmf("12#");
  const std::vector<Json> sent = Sent();
  ASSERT_THAT(sent, SizeIs(4));
  EXPECT_EQ(sent[0]["media"]["payload"], "f39/fw==");
  EXPECT_EQ(sent[1]["name"], "c3");
  EXPECT_EQ(sent[2]["event"], "clearAudio");
  EXPECT_EQ(sent[3], Json::parse(R"({"event":"sendDTMF","dtmf":"12#"})"));
  leg_.SendDtmf("1w2");
  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("keys not sent")));
}

TEST_F(CarrierLegTest, AnEndSaysWhatWasSeen) {
  net::WsClose dead;
  dead.opened = true;
  dead.code = 1006;
  dead.error = "nothing heard for 10s";
  leg_.OnClosed(dead);
  ASSERT_THAT(All<input::StreamClosed>(), SizeIs(1));
  EXPECT_FALSE(All<input::StreamClosed>()[0].clean);
  EXPECT_EQ(All<input::StreamClosed>()[0].detail, "close code 1006, nothing heard for 10s");
  EXPECT_EQ(gone_, 1);
  leg_.Play("AAAA");
  leg_.SendDtmf("1");
  EXPECT_THAT(Sent(), IsEmpty()) << "there is nobody any more";
}

TEST_F(CarrierLegTest, AStopIsTheReasonOfTheEndThatFollows) {
  carrier_.Receive(R"({"event":"stop","stop":{"reason":"done"}})");
  EXPECT_THAT(All<input::StreamClosed>(), IsEmpty());
  carrier_.PeerClose(1006);
  ASSERT_THAT(All<input::StreamClosed>(), SizeIs(1));
  EXPECT_TRUE(All<input::StreamClosed>()[0].clean);
  EXPECT_THAT(All<input::StreamClosed>()[0].detail, HasSubstr("stop"));
}

}  // namespace
}  // namespace callbridge::session
