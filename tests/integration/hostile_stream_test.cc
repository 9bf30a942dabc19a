// Peers on the carrier's side that do not keep to the protocol: each costs at most its own call, and nothing reaches
// the model that could not stand in our JSON.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/bridge_and_world.h"
#include "tests/net/peers.h"

namespace callbridge::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kUuid[] = "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10";

class HostileStreamTest : public ::testing::Test {
 protected:
  // Signatures are the webhooks' own test; here the stream is what is hostile.
  HostileStreamTest() : both_({[](app::Options& options) { options.webhook_auth = "none"; }, nullptr}) {}

  std::string Post(const std::string& target, const std::string& body) {
    RawPeer peer(both_.port());
    peer.Send(absl::StrCat("POST ", target,
                           " HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n",
                           "Content-Length: ", body.size(), "\r\n\r\n", body));
    return peer.ReceiveAll();
  }

  // Makes a call; the path and query of its stream.
  std::string AnswerAndGetStream() {
    const std::string answer = Post("/answer", absl::StrCat("CallUUID=", kUuid, "&From=14155550121&To=14155550100"));
    const size_t begin = answer.find("/media-stream?token=");
    if (begin == std::string::npos) return "";
    return answer.substr(begin, answer.find('<', begin) - begin);
  }

  std::string CallId() {
    const auto rows = both_.Query("SELECT id FROM call_logs");
    return rows.empty() ? "" : rows[0][0];
  }

  static std::string Start() {
    return absl::StrCat(R"({"event":"start","sequenceNumber":1,"start":{"callId":")", kUuid,
                        R"(","streamId":"S1","accountId":"MA","tracks":["inbound"],)",
                        R"("mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}},"extra_headers":""})");
  }
  static std::string Media(const std::string& payload) {
    return absl::StrCat(
        R"({"event":"media","sequenceNumber":2,"streamId":"S1","media":{"track":"inbound","timestamp":"1",)",
        R"("chunk":1,"payload":")", payload, R"("}})");
  }
  bool InProgress() {
    return BridgeAndWorld::WaitFor([&] { return both_.Column(CallId(), "state") == "in_progress"; });
  }

  BridgeAndWorld both_;
};

TEST_F(HostileStreamTest, NonsenseIsIgnoredAndTheCallGoesOn) {
  const std::string stream = AnswerAndGetStream();
  ASSERT_THAT(stream, StartsWith("/media-stream?token="));
  RawPeer peer(both_.port());
  ASSERT_THAT(peer.Upgrade(stream), HasSubstr("101"));
  // Media before the start belongs to nobody yet.
  peer.Send(MaskedFrame(1, Media(absl::Base64Escape(std::string(160, '\x55')))));
  peer.Send(MaskedFrame(1, Start()));
  ASSERT_TRUE(InProgress());
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return both_.ModelReport().greetings == 1; }));
  const int64_t before = both_.ModelReport().appended_bytes;
  EXPECT_EQ(before, 0) << "what came before the start was not played to the model";
  for (const std::string& text : {
           std::string("not json"),
           std::string("[]"),
           std::string("{}"),
           std::string(R"({"event":7})"),
           std::string(R"({"event":"unheardOf","x":[1,2]})"),
           std::string(R"({"event":"media"})"),
           Media(R"(AAAA\",\"type\":\"response.cancel\",\"x\":\")"),
           Media("AAA"),
           Media("AA=A"),
           Media("AAA\\u0041"),
           Media("####"),
           Media(""),
           Media(std::string(200'000, 'A')),
           Start(),
           std::string(R"({"event":"playedStream","name":"c999999"})"),
           std::string(R"({"event":"playedStream","name":"other"})"),
           std::string(R"({"event":"clearedAudio","streamId":"S1"})"),
           std::string(R"({"event":"error","reason":"buffer_overflow"})"),
       }) {
    peer.Send(MaskedFrame(1, text));
  }
  peer.Send(MaskedFrame(2, std::string(160, '\x55')));  // Binary.
  const std::string good = absl::Base64Escape(std::string(160, '\x7f'));
  for (int i = 0; i < 5; ++i) peer.Send(MaskedFrame(1, Media(good)));
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return both_.ModelReport().appended_bytes == 5 * 160; }))
      << "the model got " << both_.ModelReport().appended_bytes;
  EXPECT_THAT(both_.ModelReport().refused, IsEmpty()) << "nothing broken reached the model";
  EXPECT_EQ(both_.Column(CallId(), "state"), "in_progress");
}

TEST_F(HostileStreamTest, ATokenOpensOneStreamOnce) {
  const std::string stream = AnswerAndGetStream();
  EXPECT_EQ(AnswerAndGetStream(), stream) << "a repeated webhook gets the same answer";
  // The row is written while the answer goes out.
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return !CallId().empty(); }));
  EXPECT_EQ(both_.Query("SELECT count(*) FROM call_logs")[0][0], "1");
  for (const char* target :
       {"/media-stream", "/media-stream?token=", "/media-stream?token=0123456789abcdef", "/elsewhere"}) {
    RawPeer peer(both_.port());
    const std::string head = peer.Upgrade(target);
    EXPECT_THAT(head, ::testing::AnyOf(HasSubstr("403"), HasSubstr("404"))) << target;
  }
  RawPeer first(both_.port());
  EXPECT_THAT(first.Upgrade(stream), HasSubstr("101"));
  RawPeer second(both_.port());
  EXPECT_THAT(second.Upgrade(stream), HasSubstr("403")) << "used before";
}

TEST_F(HostileStreamTest, AStreamOfAnotherCallIsClosed) {
  const std::string stream = AnswerAndGetStream();
  RawPeer peer(both_.port());
  ASSERT_THAT(peer.Upgrade(stream), HasSubstr("101"));
  std::string start = Start();
  start.replace(start.find(kUuid), sizeof(kUuid) - 1, "00000000-0000-4000-8000-000000000000");
  peer.Send(MaskedFrame(1, start));
  int opcode = 0;
  peer.ReceiveFrame(&opcode);
  EXPECT_EQ(opcode, 8) << "a close frame";
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return !CallId().empty(); }));
  EXPECT_EQ(both_.Column(CallId(), "state"), "answered");
}

TEST_F(HostileStreamTest, AFloodOfNonsenseEndsTheStreamAndNoOtherCall) {
  const std::string stream = AnswerAndGetStream();
  RawPeer peer(both_.port());
  ASSERT_THAT(peer.Upgrade(stream), HasSubstr("101"));
  peer.Send(MaskedFrame(1, Start()));
  ASSERT_TRUE(InProgress());
  for (int i = 0; i < 200 && peer.Send(MaskedFrame(1, "nonsense")); ++i) {
  }
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return both_.Column(CallId(), "state") != "in_progress"; }));
  const std::string other =
      Post("/answer", "CallUUID=00000000-0000-4000-8000-000000000001&From=14155550122&To=14155550100");
  EXPECT_THAT(other, HasSubstr("<Stream"));
}

TEST_F(HostileStreamTest, AMessageThatIsTooLargeClosesThatStreamOnly) {
  const std::string stream = AnswerAndGetStream();
  RawPeer peer(both_.port());
  ASSERT_THAT(peer.Upgrade(stream), HasSubstr("101"));
  peer.Send(MaskedFrame(1, Start()));
  ASSERT_TRUE(InProgress());
  peer.Send(MaskedFrame(1, std::string(300'000, 'x')));
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return both_.Column(CallId(), "state") != "in_progress"; }));
}

}  // namespace
}  // namespace callbridge::testing
