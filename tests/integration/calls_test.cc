// Whole calls over real sockets: the server, the simulated carrier and model, a real database.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/bridge_and_world.h"

namespace callbridge::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kIn[] = "call: inbound\nfrom: 14155550121\nto: 14155550100\n";
constexpr char kOut[] = "call: outbound\nto: 14155550122\n";

// One short conversation: greeting, one turn, goodbye by the caller.
constexpr char kTalk[] =
    "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait assistant done 300ms\nhang up\n"
    "[model]\nreply: say dir-welcome\nreply: say vm-msgsaved\n";

struct Row1 {
  const char* name;
  std::string scenario;
  const char* state;
  const char* reason;
  bool clean = true;  // No violation, no failed step, nothing refused by the model.
};

void PrintTo(const Row1& row, std::ostream* out) { *out << row.name; }

std::vector<Row1> Rows() {
  const std::string in = kIn, out = kOut, talk = kTalk;
  const std::string quiet =
      "[person]\nwait assistant speaking 200ms within 8s\nhang up\n[model]\nreply: say dir-welcome\n";
  const std::string waits = "[person]\nwait assistant done 300ms within 6s\nhang up\n[model]\nreply: say dir-welcome\n";
  return {
      {"Plain", in + talk, "completed", "normal_hangup"},
      {"NumbersAsStrings", in + talk + "[carrier]\nnumbers as strings: yes\n", "completed", "normal_hangup"},
      {"HeadersInBraces", in + talk + "[carrier]\nextra headers: braces\n", "completed", "normal_hangup"},
      {"HeadersAsJson", in + talk + "[carrier]\nextra headers: json\nsubprotocol: yes\n", "completed", "normal_hangup"},
      {"HeadersMissing", in + talk + "[carrier]\nextra headers: missing\nsend stop: yes\n", "completed",
       "normal_hangup"},
      {"EveryCallbackTwice", in + talk + "[carrier]\ntwice: yes\nstream events: yes\n", "completed", "normal_hangup"},
      {"HangupBeforeTheSocketCloses", in + talk + "[carrier]\nreorder hangup: yes\n", "completed", "normal_hangup"},
      {"HangupLate", in + talk + "[carrier]\nlate hangup: yes\n", "completed", "normal_hangup"},
      {"UpgradeSignedAsHttps", in + talk + "[carrier]\nupgrade scheme: https\nsign: list\n", "completed",
       "normal_hangup"},
      {"NoCheckpointEverPlayed", in + talk + "[carrier]\nignore checkpoints: yes\n", "completed", "normal_hangup"},
      {"CheckpointsLostLateAndOutOfOrder",
       in + talk + "[carrier]\ncheckpoints: lose 30%, delay 0..300ms\nplayout delay: 50ms..150ms\n", "completed",
       "normal_hangup"},
      {"BetaNames", in + talk + "beta names: yes\n", "completed", "normal_hangup"},
      {"TranscriptionFails", in + talk + "transcription: failed\n", "completed", "normal_hangup"},
      {"TranscriptionLate", in + talk + "transcription delay: 1500ms\n", "completed", "normal_hangup"},
      {"HangsUpDuringTheGreeting", in + quiet, "completed", "normal_hangup"},
      {"ModelRefusesByStatus", in + waits + "refuse: http:401\n", "failed", "model_refused", false},
      {"ModelRefusesByError", in + waits + "refuse: error:invalid_api_key\n", "failed", "model_refused", false},
      {"ModelRefusesTheConfiguration", in + waits + "on update: error:unknown_parameter\n", "failed", "model_refused",
       false},
      {"ModelWithoutQuota", in + waits + "refuse: error:insufficient_quota\n", "failed", "model_quota", false},
      // The call goes on with another session, which knows what was said.
      {"ModelClosesInTheMiddle", in + talk + "fault: after 2s close:1011\n", "completed", "normal_hangup", false},
      {"ModelVanishes", in + talk + "fault: after 2s abort\n", "completed", "normal_hangup", false},
      {"ModelSendsGarbage", in + talk + "fault: after 1s garbage\n", "completed", "normal_hangup", false},
      {"StreamBreaksAndReturns",
       in + "[person]\nwait assistant done 300ms\ndrop stream and reconnect\npause 500ms\nsay vm-youhave\nwait "
            "assistant done 300ms\n"
            "hang up\n[model]\nreply: say dir-welcome\nreply: say vm-msgsaved\n",
       "completed", "normal_hangup"},
      {"StreamBreaksForGood",
       in + "[person]\nwait assistant done 300ms\ndrop stream\npause 9s\nhang up\n[model]\nreply: say "
            "dir-welcome\n[carrier]\n"
            "reconnects: 0\nafter stream: end\n",
       "failed", "media_stream_lost"},
      // The carrier gave the stream up and went on with its instructions, which bring the caller back.
      {"StreamBreaksAndTheNextInstructionsBringItBack",
       in + "[person]\nwait assistant done 300ms\ndrop stream\npause 500ms\nsay vm-youhave\nwait assistant done "
            "300ms\nhang up\n"
            "[model]\nreply: say dir-welcome\nreply: say vm-msgsaved\n[carrier]\nreconnects: 0\n",
       "completed", "normal_hangup"},
      {"OutboundPlain", out + "pickup: answer after 300ms\n" + talk, "completed", "normal_hangup"},
      {"OutboundTwice", out + "pickup: answer after 300ms\n" + talk + "[carrier]\ntwice: yes\n", "completed",
       "normal_hangup"},
      {"OutboundBusy", out + "pickup: busy after 200ms\n", "failed", "busy"},
      {"OutboundNoAnswer", out + "pickup: no answer after 1s\n", "failed", "no_answer"},
      {"OutboundRejected", out + "pickup: reject after 200ms\n", "failed", "rejected"},
      {"OutboundInvalidNumber", out + "pickup: invalid number after 200ms\n", "failed", "invalid_number"},
      {"OutboundCarrierError", out + "pickup: carrier error after 200ms\n", "failed", "carrier_unavailable"},
      {"OutboundDialRefused", out + "pickup: answer after 300ms\n[carrier]\nrest errors: 400\n", "failed",
       "carrier_refused"},
      // A 5xx has dialled all the same: the call goes on by its webhooks, and nothing is dialled again.
      {"OutboundDialAnsweredBy500", out + "pickup: answer after 300ms\n" + talk + "[carrier]\nrest errors: 500\n",
       "completed", "normal_hangup"},
  };
}

class Calls : public ::testing::TestWithParam<Row1> {};

TEST_P(Calls, EndAsTheyShould) {
  const Row1& row = GetParam();
  BridgeAndWorld both;
  const bool inbound = absl::StartsWith(row.scenario, "call: inbound");
  const std::string call = inbound ? both.CallIn(row.scenario) : both.CallOut(row.scenario);
  ASSERT_FALSE(call.empty());
  ASSERT_TRUE(both.WaitForEnd(call)) << "state " << both.Column(call, "state");
  EXPECT_EQ(both.Column(call, "state"), row.state);
  EXPECT_EQ(both.Column(call, "end_reason"), row.reason) << both.Column(call, "end_evidence");
  EXPECT_EQ(both.Column(call, "status"), "called");
  EXPECT_EQ(both.Query("SELECT count(*) FROM call_logs")[0][0], "1") << "one call is one row, whatever is repeated";
  if (row.clean) {
    EXPECT_THAT(both.Faults(), IsEmpty());
  }
  // However it ended: one end event, numbers without a gap, and the carrier's leg is down.
  EXPECT_EQ(both.Query("SELECT count(*) FROM call_events WHERE type = 'call_ended'")[0][0], "1");
  EXPECT_EQ(both.Query("SELECT max(sequence) - count(*) FROM call_events")[0][0], "0");
  if (!inbound && row.clean && absl::string_view(row.name).find("Dial") == absl::string_view::npos) {
    EXPECT_NE(both.Column(call, "carrier_request_id"), "") << "what the carrier called our request";
  }
  EXPECT_TRUE(
      BridgeAndWorld::WaitFor([&] { return both.world().carrier().Calls().empty() || both.CarrierReport().over; }));
  EXPECT_LE(both.world().carrier().Calls().size(), 1u) << "nobody is dialled twice";
}

INSTANTIATE_TEST_SUITE_P(All, Calls, ::testing::ValuesIn(Rows()), [](const auto& info) { return info.param.name; });

// What the caller heard, word for word and millisecond for millisecond, as the phone recorded it.
TEST(HeardTest, TheLedgerAgreesWithThePhone) {
  BridgeAndWorld both;
  const std::string call =
      both.CallIn(std::string(kIn) +
                  "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait assistant speaking 1200ms\n"
                  "say vm-youhave\nwait assistant done 500ms\nhang up\n"
                  "[model]\nreply: say dir-welcome\nreply: say vm-intro\nreply: say vm-msgsaved\n");
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  const auto cut = both.Query("SELECT item_id, heard_ms, generated_ms FROM transcript_items WHERE status = 'cut'");
  ASSERT_EQ(cut.size(), 1u);
  const sim::CarrierCallReport phone = both.CarrierReport();
  const sim::ModelSessionReport model = both.ModelReport();
  const auto item =
      std::find_if(model.items.begin(), model.items.end(), [&](const auto& i) { return i.item_id == cut[0][0]; });
  ASSERT_NE(item, model.items.end());
  // The longest beginning of the item that really sounded.
  size_t truth = 0;
  for (size_t bytes = 160; bytes <= item->mulaw.size() && absl::StrContains(phone.heard, item->mulaw.substr(0, bytes));
       bytes += 8) {
    truth = bytes;
  }
  const int64_t heard_ms = std::stoll(cut[0][1]);
  EXPECT_NEAR(static_cast<double>(heard_ms), static_cast<double>(truth) / 8, 80) << "of " << cut[0][2] << " ms";
  EXPECT_EQ(item->truncated_ms, heard_ms) << "the model was told the same";
  EXPECT_EQ(phone.clears, 1);
  // Nothing of the cut item sounds after the clear, and the items around it sound whole.
  for (const auto& other : model.items) {
    if (other.item_id != item->item_id && !other.cancelled) {
      EXPECT_TRUE(absl::StrContains(phone.heard, other.mulaw)) << other.words << " passed untouched and whole";
    }
  }
  EXPECT_GT(both.Query("SELECT count(*) FROM call_events WHERE type = 'barge_in'")[0][0], "0");
}

// Who reads along sees an item's words before the item, which is in the record once it was heard.
TEST(WordsTest, AreShownBeforeTheyAreHeard) {
  BridgeAndWorld both;
  const std::string call = both.CallIn(std::string(kIn) + kTalk);
  const auto stub = v1::CallService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", both.grpc_port()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  v1::StreamTranscriptRequest request;
  request.set_call(absl::StrCat("calls/", call));
  request.set_view(v1::TRANSCRIPT_VIEW_BOTH);
  const auto stream = stub->StreamTranscript(&context, request);
  // Of the second reply, whose beginning nobody can have missed.
  std::string item_id, words;
  v1::StreamTranscriptResponse message;
  while (stream->Read(&message)) {
    if (message.has_delta()) {
      if (message.delta().item_id() != item_id) words.clear();
      item_id = message.delta().item_id();
      words += message.delta().text();
    } else if (message.has_item() && message.item().item_id() == item_id &&
               message.item().status() != v1::TRANSCRIPT_ITEM_STATUS_IN_PROGRESS) {
      break;
    }
  }
  context.TryCancel();
  stream->Finish();
  ASSERT_TRUE(message.has_item());
  EXPECT_NE(words, "");
  EXPECT_TRUE(absl::StartsWith(message.item().text_generated(), words)) << words;
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
}

TEST(TransferTest, NobodyAnswersThenSomebodyDoes) {
  BridgeAndWorld both;
  const std::string call = both.CallIn(
      std::string(kIn) +
      "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait transferring\nwait returned\nwait assistant done "
      "300ms\n"
      "say vm-youhave\nwait connected\npause 500ms\nhang up\n"
      "[humans]\n14155550142: busy after 500ms\n14155550143: answer after 500ms, talk 20s\n"
      "[model]\nreply: say dir-welcome\n"
      "reply: say one-moment-please ; call transfer_call {\"destination\":\"sales\",\"reason\":\"wants to buy\"}\n"
      "reply when tool-failed: say vm-nobodyavail\n"
      "reply: say one-moment-please ; call transfer_call {\"destination\":\"support\",\"reason\":\"needs help\"}\n");
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_EQ(both.Column(call, "end_reason"), "transfer_completed");
  EXPECT_EQ(both.Column(call, "transferred"), "1");
  EXPECT_EQ(both.Column(call, "transfer_reason"), "needs help");
  EXPECT_EQ(both.Query("SELECT outcome FROM call_transfers ORDER BY requested_at"),
            (std::vector<Row>{{"busy"}, {"bridged"}}));
  EXPECT_EQ(both.Query("SELECT call_status, transferred_to_human FROM leads"),
            (std::vector<Row>{{"transferred", "1"}}));
  EXPECT_THAT(both.Column(call, "summary"), HasSubstr("caller"));
  EXPECT_THAT(both.Column(call, "transcript"), HasSubstr("One moment please."));
  EXPECT_EQ(both.CarrierReport().dialled, (std::vector<std::string>{"+14155550142", "+14155550143"}));
}

// One caller who is handed to "sales" at once.
std::string Handed(const std::string& person, const std::string& humans) {
  return absl::StrCat(
      kIn, "[person]\nwait assistant done 300ms\nsay vm-youhave\n", person, "[humans]\n", humans,
      "[model]\nreply: say dir-welcome\n"
      "reply: say one-moment-please ; call transfer_call {\"destination\":\"sales\",\"reason\":\"wants to buy\"}\n"
      "reply when tool-failed: say vm-nobodyavail\n");
}

TEST(TransferTest, TheSecondTargetAnswersWhenTheFirstIsBusy) {
  BridgeAndWorld::Tweaks tweaks;
  tweaks.settings = [](session::Settings& settings) {
    settings.destinations["sales"].call.targets.push_back({"+14155550143", absl::Seconds(7)});
  };
  BridgeAndWorld both(tweaks);
  const std::string call = both.CallIn(Handed("wait connected\npause 500ms\nhang up\n",
                                              "14155550142: busy after 300ms\n14155550143: answer after 500ms, talk "
                                              "20s\n") +
                                       "[carrier]\ntwice: yes\n");
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_EQ(both.Column(call, "end_reason"), "transfer_completed") << both.Column(call, "end_evidence");
  EXPECT_EQ(both.CarrierReport().dialled, (std::vector<std::string>{"+14155550142", "+14155550143"}));
  EXPECT_EQ(both.Query("SELECT outcome FROM call_transfers"), (std::vector<Row>{{"bridged"}})) << "one transfer";
  EXPECT_EQ(both.Query("SELECT count(*) FROM call_events WHERE type = 'caller_returned'")[0][0], "0");
}

// By the API: to a number that no key names, and taken back while the phone rings.
TEST(TransferTest, ACancelledOneBringsTheCallerBack) {
  BridgeAndWorld both;
  const std::string call = both.CallIn(
      std::string(kIn) +
      "[person]\nwait assistant done 300ms\nwait transferring\nwait returned\nwait assistant done 300ms\nhang up\n"
      "[humans]\n14155550144: answer after 20s\n[model]\nreply: say dir-welcome\nreply: say vm-nobodyavail\n");
  const auto caller_does = [&both](absl::string_view what) {
    const auto steps = both.CarrierReport().steps;
    return std::any_of(steps.begin(), steps.end(), [what](const auto& step) { return step.detail == what; });
  };
  // The caller has been greeted.
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return caller_does("wait transferring"); }));
  const v1::Transfer asked = both.TransferToNumber(call, "+14155550144");
  // The phone rings, and the caller has noticed.
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return caller_does("wait returned"); }));
  v1::Transfer cancelled;
  for (int i = 0; i < 2; ++i) {
    const grpc::Status status = both.CancelTransfer(asked.name(), &cancelled);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(cancelled.outcome(), v1::TRANSFER_OUTCOME_CANCELLED);
  }
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_EQ(both.Column(call, "end_reason"), "normal_hangup");
  EXPECT_EQ(both.Query("SELECT outcome FROM call_transfers"), (std::vector<Row>{{"cancelled"}}));
  EXPECT_EQ(both.CarrierReport().streams, 2) << "back on a stream of its own, once";
}

TEST(TransferTest, WhoPressesTheKeyTakesTheCall) {
  BridgeAndWorld::Tweaks tweaks;
  tweaks.settings = [](session::Settings& settings) {
    settings.destinations["sales"].call.whisper = "A buyer & a question.";
    settings.destinations["sales"].call.confirm_key = "1";
  };
  BridgeAndWorld both(tweaks);
  const std::string call = both.CallIn(
      Handed("wait connected\npause 500ms\nhang up\n", "14155550142: answer after 500ms, press 1, talk 20s\n"));
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_EQ(both.Column(call, "end_reason"), "transfer_completed");
  EXPECT_EQ(both.CarrierReport().whispers, (std::vector<std::string>{"A buyer & a question."}));
}

TEST(TransferTest, WhoPicksUpWithoutTheKeyHasNotTakenTheCall) {
  BridgeAndWorld::Tweaks tweaks;
  tweaks.settings = [](session::Settings& settings) { settings.destinations["sales"].call.confirm_key = "1"; };
  BridgeAndWorld both(tweaks);
  const std::string call =
      both.CallIn(Handed("wait transferring\nwait returned within 40s\nwait assistant done 300ms\nhang up\n",
                         "14155550142: answer after 500ms, talk 20s\n"));
  ASSERT_TRUE(both.WaitForEnd(call, absl::Seconds(60)));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_EQ(both.Column(call, "end_reason"), "normal_hangup");
  EXPECT_EQ(both.Query("SELECT outcome FROM call_transfers"), (std::vector<Row>{{"rejected"}}));
  EXPECT_THAT(both.CarrierReport().whispers, ElementsAre(HasSubstr("Press 1")));
  ASSERT_EQ(both.ModelReport().tool_outputs.size(), 1u);
  EXPECT_THAT(both.ModelReport().tool_outputs[0], HasSubstr("the call was declined"));
}

// A machine answers an outbound call: it greets, beeps, and would record for a minute.
BridgeAndWorld::Tweaks Machines(call::VoicemailPolicy policy) {
  BridgeAndWorld::Tweaks tweaks;
  tweaks.settings = [policy](session::Settings& settings) {
    settings.agents["sandbox"].conduct.voicemail = policy;
    settings.agents["sandbox"].conduct.voicemail_message = "Please call us back.";
    settings.agents["sandbox"].machine_detection_time = absl::Seconds(2);
  };
  return tweaks;
}

TEST(MachineTest, TheCarrierIsAskedToListenForOne) {
  BridgeAndWorld both(Machines(call::VoicemailPolicy::kContinue));
  const std::string call = both.CallOut(
      std::string(kOut) +
      "pickup: machine after 300ms, greeting 2s, beep\n[person]\npause 3s\nhang up\n"
      "[model]\nreply: say dir-welcome\nreply: say vm-msgsaved\nreply: say vm-msgsaved\n[carrier]\ntwice: yes\n");
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_TRUE(both.CarrierReport().machine_told);
  EXPECT_GE(both.CarrierReport().recording_from, 0) << "it beeped";
  EXPECT_EQ(both.Query("SELECT count(*) FROM call_events WHERE type = 'machine_answered'")[0][0], "1")
      << "whatever is repeated";
  EXPECT_EQ(both.Column(call, "end_reason"), "normal_hangup") << "the policy is to go on";
}

TEST(MachineTest, IsHungUpOn) {
  BridgeAndWorld both(Machines(call::VoicemailPolicy::kHangUp));
  const std::string call =
      both.CallOut(std::string(kOut) +
                   "pickup: machine after 300ms, greeting 4s, beep\n[model]\nreply: say dir-welcome\n"
                   "reply: say vm-msgsaved\n[carrier]\ntwice: yes\n");
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_EQ(both.Column(call, "end_reason"), "answering_machine") << both.Column(call, "end_evidence");
  EXPECT_EQ(both.CarrierReport().recording_from, -1) << "before it beeped";
  EXPECT_EQ(both.Query("SELECT count(*) FROM call_events WHERE type = 'machine_answered'")[0][0], "1");
}

TEST(MachineTest, GetsAMessageAfterItsBeep) {
  BridgeAndWorld both(Machines(call::VoicemailPolicy::kLeaveMessage));
  // What the model says before that is never the message.
  const std::string call = both.CallOut(
      std::string(kOut) + "pickup: machine after 300ms, greeting 4s, beep\n[model]\nreply: say dir-welcome\n" +
      std::string("reply: say vm-msgsaved\nreply: say vm-msgsaved\nreply: say vm-msgsaved\nreply: say vm-msgsaved\n"));
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_EQ(both.Column(call, "end_reason"), "voicemail_left") << both.Column(call, "end_evidence");
  EXPECT_EQ(both.CarrierReport().violations, std::vector<std::string>());
  const sim::CarrierCallReport phone = both.CarrierReport();
  ASSERT_GE(phone.recording_from, 0);
  const std::string recorded = phone.heard.substr(static_cast<size_t>(phone.recording_from));
  const auto items = both.ModelReport().items;
  EXPECT_TRUE(
      std::any_of(items.begin(), items.end(),
                  [&](const auto& item) { return !item.mulaw.empty() && absl::StrContains(recorded, item.mulaw); }))
      << "a whole message is on the machine, of " << recorded.size() / 8 << " ms recorded";
}

TEST(KeysTest, TheModelsKeysReachTheLine) {
  BridgeAndWorld::Tweaks tweaks;
  tweaks.settings = [](session::Settings& settings) { settings.agents["sandbox"].send_dtmf_tool = true; };
  BridgeAndWorld both(tweaks);
  const std::string call =
      both.CallIn(std::string(kIn) +
                  "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait assistant done 800ms\nhang up\n"
                  "[model]\nreply: say dir-welcome\nreply: call send_dtmf {\"digits\":\"12#\"}\n"
                  "reply when tool-ok: say vm-msgsaved\n");
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.Faults(), IsEmpty());
  const auto sent = both.CarrierReport().dtmf;
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].digits, "12#");
}

TEST(TransferTest, ADestinationThatTheModelMadeUpIsNeverDialled) {
  BridgeAndWorld both;
  const std::string call = both.CallIn(
      std::string(kIn) +
      "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait assistant done 800ms\nhang up\n"
      "[model]\nreply: say dir-welcome\n"
      "reply: say one-moment-please ; call transfer_call {\"destination\":\"+19005551234\",\"reason\":\"x\"}\n"
      "reply when tool-failed: say vm-nobodyavail\n");
  ASSERT_TRUE(both.WaitForEnd(call));
  EXPECT_THAT(both.CarrierReport().dialled, IsEmpty());
  const auto tools =
      both.Query("SELECT payload FROM call_events WHERE type IN ('tool_called', 'tool_answered') ORDER BY sequence");
  ASSERT_EQ(tools.size(), 2u);
  EXPECT_THAT(tools[0][0], HasSubstr("+19005551234"));
  EXPECT_THAT(tools[1][0], HasSubstr("failed")) << "as the model was told";
  EXPECT_EQ(both.Column(call, "transferred"), "0");
  ASSERT_EQ(both.ModelReport().tool_outputs.size(), 1u);
  EXPECT_THAT(both.ModelReport().tool_outputs[0], HasSubstr("sales, support"));
}

TEST(ShutdownTest, AStopInTheMiddleOfACallEndsItEverywhere) {
  BridgeAndWorld both;
  const std::string call = both.CallIn(
      std::string(kIn) + "[person]\nwait assistant done 300ms\npause 60s\n[model]\nreply: say dir-welcome\n");
  ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return both.Column(call, "state") == "in_progress"; }));
  both.application().BeginDrain();
  both.StopServer();
  EXPECT_EQ(both.Column(call, "state"), "failed") << "we cut it short";
  EXPECT_EQ(both.Column(call, "end_reason"), "server_drain");
  EXPECT_TRUE(BridgeAndWorld::WaitFor([&] { return both.CarrierReport().over; }));
  EXPECT_TRUE(BridgeAndWorld::WaitFor([&] { return !both.ModelReport().open; }));
}

TEST(UnsignedTest, ACarrierThatDoesNotSignGetsNoCall) {
  for (const char* sign : {"none", "wrong"}) {
    BridgeAndWorld both;
    const auto scenario = both.world().Read(absl::StrCat(kIn, kTalk, "[carrier]\nsign: ", sign, "\n"), "unsigned");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    ASSERT_TRUE(both.world().carrier().CallIn(*scenario).ok());
    ASSERT_TRUE(BridgeAndWorld::WaitFor([&] { return both.CarrierReport().over; })) << sign;
    EXPECT_EQ(both.Query("SELECT count(*) FROM call_logs")[0][0], "0") << sign;
  }
}

}  // namespace
}  // namespace callbridge::testing
