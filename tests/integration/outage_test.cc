// The database is away for a while under live calls: they go on, new callers are answered, and afterwards everything is
// in the database as if nothing had been.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/demo/bridge_client.h"
#include "tests/fakes/troubled_store.h"
#include "tests/integration/bridge_and_world.h"

namespace callbridge::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = store::StoreTrouble::Kind;

constexpr char kTalk[] =
    "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait assistant done 300ms\nsay vm-youhave\n"
    "wait assistant done 300ms\nhang up\n"
    "[model]\nreply: say dir-welcome\nreply: say vm-msgsaved\nreply: say vm-msgsaved\n";

std::string Inbound(int number) {
  return absl::StrCat("call: inbound\nfrom: 1415555013", number, "\nto: 14155550100\n", kTalk);
}

struct Case {
  const char* name;
  Kind kind;
  const char* reason;  // Told to whoever wants to dial.
};

class Outage : public ::testing::TestWithParam<Case> {
 protected:
  Outage() {
    BridgeAndWorld::Tweaks tweaks;
    tweaks.options = [this](app::Options& options) {
      options.spool_dir = spool_ = app::AutoSpoolFolder(options.database_url);
    };
    tweaks.wrap = [this](std::unique_ptr<store::CallStore> inside) {
      return std::make_unique<store::TroubledStore>(std::move(inside), trouble_);
    };
    trouble_->SetLimit(absl::Milliseconds(500));
    both_ = std::make_unique<BridgeAndWorld>(tweaks);
    auto client = demo::BridgeClient::Connect(absl::StrCat("127.0.0.1:", both_->grpc_port()), absl::Seconds(10));
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  // Lets somebody call whose row cannot be waited for; the carrier's name of the call.
  std::string Ring(int number) {
    const auto scenario = both_->world().Read(Inbound(number), "test");
    const auto uuid = both_->world().carrier().CallIn(*scenario);
    EXPECT_TRUE(uuid.ok()) << uuid.status();
    return uuid.ok() ? *uuid : "";
  }
  sim::CarrierCallReport AtCarrier(const std::string& uuid) { return *both_->world().carrier().Call(uuid); }
  size_t Rows() const { return both_->Query("SELECT id FROM call_logs").size(); }
  bool NothingSpooled() const {
    for (const auto& entry : std::filesystem::directory_iterator(spool_)) {
      if (entry.path().extension() == ".log") return false;
    }
    return true;
  }
  // What the subscriber has been sent until nothing came for a while: the types per call, checked for their sequence.
  std::map<std::string, std::vector<std::string>> Sent(size_t calls) {
    std::map<std::string, std::vector<std::string>> sent;
    size_t ended = 0;
    for (;;) {
      // Before the last end there may be some time, behind it only repeats that must not come.
      const auto event = client_->NextEvent(ended < calls ? absl::Seconds(20) : absl::Milliseconds(300));
      EXPECT_TRUE(event.ok()) << event.status();
      if (!event.ok() || !*event) return sent;
      std::vector<std::string>& types = sent[(*event)->call()];
      types.push_back((*event)->type());
      EXPECT_EQ((*event)->sequence(), static_cast<int64_t>(types.size())) << (*event)->call();
      if ((*event)->type() == "call_ended") ++ended;
    }
  }

  const std::shared_ptr<store::StoreTrouble> trouble_ = std::make_shared<store::StoreTrouble>();
  std::string spool_;
  std::unique_ptr<BridgeAndWorld> both_;
  std::unique_ptr<demo::BridgeClient> client_;
};

TEST_P(Outage, LeavesNoTraceInWhatIsRecorded) {
  // How such a call is recorded when all is well.
  const std::string control = both_->CallIn(Inbound(1));
  ASSERT_TRUE(both_->WaitForEnd(control));
  const std::string said = both_->Column(control, "transcript");
  ASSERT_THAT(said, HasSubstr("Assistant: Welcome to the directory.\nCaller: "));

  const std::string live = both_->CallIn(Inbound(2));
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return both_->Column(live, "state") == "in_progress"; }));
  trouble_->Set(GetParam().kind);
  const std::string carrier_id = Ring(3);
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return AtCarrier(carrier_id).streams == 1; })) << "not answered";
  const auto refused = client_->StartCall("+14155550139", "sandbox");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(GetParam().reason));
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return both_->application().live_calls() == 0; }, absl::Seconds(60)));
  EXPECT_TRUE(AtCarrier(carrier_id).over);
  if (GetParam().kind != Kind::kLostReply) {  // There some of it arrives.
    EXPECT_EQ(both_->Column(live, "state"), "in_progress") << "the trouble was none";
    EXPECT_EQ(Rows(), 2u);
  }
  EXPECT_FALSE(NothingSpooled());

  trouble_->Set(Kind::kNone);
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return NothingSpooled(); }));
  ASSERT_EQ(Rows(), 3u);
  for (const Row& row : both_->Query("SELECT id, state, transcript, event_head, ended_at FROM call_logs")) {
    SCOPED_TRACE(row[0]);
    EXPECT_EQ(row[1], "completed");
    EXPECT_EQ(row[2], said);
    const auto events = both_->Query(absl::StrCat(
        "SELECT count(*), max(sequence), sum(type = 'call_ended') FROM call_events WHERE call_id = '", row[0], "'"));
    EXPECT_EQ(events[0], (Row{row[3], row[3], "1"}));
  }
  const auto sent = Sent(3);
  ASSERT_EQ(sent.size(), 3u);
  for (const auto& [call, types] : sent) {
    const std::string id = call.substr(call.find('/') + 1);
    EXPECT_EQ(absl::StrCat(types.size()), both_->Column(id, "event_head")) << call;
  }
  EXPECT_THAT(both_->Faults(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(spool_ + "/spool.refused"));
  // And calls are dialled again.
  EXPECT_FALSE(
      both_->CallOut(absl::StrCat("call: outbound\nto: 14155550122\npickup: busy after 100ms\n[person]\nhang up\n"))
          .empty());
  both_->StopServer();
}

INSTANTIATE_TEST_SUITE_P(All, Outage,
                         ::testing::Values(Case{"Refused", Kind::kRefused, "connection refused"},
                                           Case{"Hanging", Kind::kHanging, "did not answer in time"},
                                           Case{"ReadOnly", Kind::kReadOnly, "read-only"},
                                           Case{"LostReplies", Kind::kLostReply, "the connection broke"}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace callbridge::testing
