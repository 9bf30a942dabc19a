#include "tests/fakes/fake_ws_connection.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/net/manual_loop.h"

namespace callbridge::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Notes final : public net::WsConnection::Listener {
 public:
  void OnOpen(net::WsConnection& connection) override {
    notes.push_back("open");
    connection.Send({"from ", "OnOpen"});
  }
  void OnText(absl::string_view message) override { notes.push_back(absl::StrCat("text ", message)); }
  void OnBinary(size_t bytes) override { notes.push_back(absl::StrCat("binary ", bytes)); }
  void OnClosed(const net::WsClose& close) override {
    notes.push_back(absl::StrCat(close.opened ? "closed " : "never opened ", close.code, close.by_us ? " by us " : " ",
                                 close.reason, close.error, close.http_status));
  }
  std::vector<std::string> notes;
};

class FakeWsConnectionTest : public ::testing::Test {
 protected:
  net::ManualLoop loop_;
  Notes listener_;
  FakeWsConnection connection_{loop_, listener_};
};

TEST_F(FakeWsConnectionTest, RecordsWholeMessagesOnlyWhileOpen) {
  EXPECT_FALSE(connection_.Send({"early"}));
  connection_.Open();
  EXPECT_TRUE(connection_.Send({"a", "b"}));
  EXPECT_THAT(connection_.TakeSent(), ElementsAre("from OnOpen", "ab"));
  EXPECT_THAT(connection_.sent(), IsEmpty());
  connection_.set_refuse_sends(true);
  EXPECT_FALSE(connection_.Send({"c"}));
  connection_.set_refuse_sends(false);
  connection_.Close(1000, "bye");
  EXPECT_FALSE(connection_.Send({"late"}));
  EXPECT_THAT(connection_.sent(), IsEmpty());
}

TEST_F(FakeWsConnectionTest, PlaysThePeer) {
  connection_.Receive("too early");
  connection_.Open();
  loop_.Advance(absl::Seconds(1));
  connection_.Receive("hello");
  EXPECT_EQ(connection_.last_heard(), loop_.now());
  connection_.ReceiveBinary(7);
  connection_.PeerClose(1001, "away");
  connection_.Receive("too late");
  connection_.PeerClose(1000);
  EXPECT_THAT(listener_.notes, ElementsAre("open", "text hello", "binary 7", "closed 1001 away0"));
}

TEST_F(FakeWsConnectionTest, CloseIsAnsweredLaterAndOnce) {
  connection_.Open();
  connection_.Close(1000, "bye");
  connection_.Close(1011, "again");
  connection_.Receive("crossed");
  EXPECT_THAT(listener_.notes, ElementsAre("open", "text crossed"));
  loop_.Run();
  EXPECT_THAT(listener_.notes, ElementsAre("open", "text crossed", "closed 1000 by us bye0"));
  EXPECT_EQ(connection_.close_code(), 1000);
  EXPECT_EQ(connection_.close_reason(), "bye");
}

TEST_F(FakeWsConnectionTest, APeerThatDoesNotAnswerCloseIsCut) {
  connection_.Open();
  connection_.set_answers_close(false);
  connection_.Close(1000, "bye");
  loop_.Run();
  EXPECT_FALSE(connection_.closed());
  connection_.Abort();
  connection_.Abort();
  EXPECT_FALSE(connection_.closed());
  loop_.Run();
  EXPECT_THAT(listener_.notes, ElementsAre("open", "closed 1006 by us 0"));
  EXPECT_TRUE(connection_.aborted());
}

TEST_F(FakeWsConnectionTest, FailsToOpen) {
  connection_.FailToOpen("refused", 503);
  connection_.Open();
  EXPECT_THAT(listener_.notes, ElementsAre("never opened 0 refused503"));
}

TEST_F(FakeWsConnectionTest, ClosedBeforeItOpens) {
  connection_.Close(1000, "changed our mind");
  connection_.Open();
  loop_.Run();
  EXPECT_THAT(listener_.notes, ElementsAre("never opened 0 by us closed before it opened0"));
}

TEST_F(FakeWsConnectionTest, ADetachedListenerHearsNothing) {
  connection_.Open();
  connection_.Close(1000, "");
  connection_.Detach();
  connection_.Receive("x");
  loop_.Run();
  EXPECT_THAT(listener_.notes, ElementsAre("open"));
  EXPECT_TRUE(connection_.closed());
}

TEST_F(FakeWsConnectionTest, TheConnectorKeepsWhatItMade) {
  FakeWsConnector connector(loop_);
  net::WsClientOptions options;
  options.url = "wss://model.test/v1";
  auto made = connector.Connect(options, listener_);
  EXPECT_THAT(listener_.notes, IsEmpty());
  connector.last().Open();
  EXPECT_TRUE(made->Send({"x"}));
  EXPECT_EQ(connector.options()[0].url, "wss://model.test/v1");
  EXPECT_THAT(connector.last().sent(), ElementsAre("from OnOpen", "x"));
}

}  // namespace
}  // namespace callbridge::testing
