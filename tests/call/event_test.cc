#include "src/call/event.h"

#include <set>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace callbridge::call {
namespace {

TEST(EventTest, EachBodyHasItsName) {
  const std::pair<EventBody, std::string> rows[] = {
      {CallCreated{}, "call_created"},
      {StateChanged{}, "state_changed"},
      {StreamConnected{}, "stream_connected"},
      {StreamLost{}, "stream_lost"},
      {ModelReady{}, "model_ready"},
      {ModelTrouble{}, "model_trouble"},
      {CallerSpeechStarted{}, "caller_speech_started"},
      {CallerSpeechStopped{}, "caller_speech_stopped"},
      {AssistantSpeechStarted{}, "assistant_speech_started"},
      {AssistantSpeechFinished{}, "assistant_speech_finished"},
      {BargeIn{}, "barge_in"},
      {TranscriptItemFinal{}, "transcript_item_final"},
      {ToolCalled{}, "tool_called"},
      {ToolAnswered{}, "tool_answered"},
      {TransferChanged{}, "transfer_changed"},
      {CallerReturned{}, "caller_returned"},
      {DtmfReceived{}, "dtmf_received"},
      {TurnMeasured{}, "turn_measured"},
      {CallEnded{}, "call_ended"},
      {SummaryReady{}, "summary_ready"},
      {SummaryFailed{}, "summary_failed"},
      {AssistantSilenced{}, "assistant_silenced"},
      {AssistantPaused{}, "assistant_paused"},
      {AssistantResumed{}, "assistant_resumed"},
      {AnswerMeasured{}, "answer_measured"},
      {ModelReopening{}, "model_reopening"},
      {PromptPlayed{}, "prompt_played"},
      {CallerIdle{}, "caller_idle"},
      {MachineAnswered{}, "machine_answered"},
      {CallbackPromised{}, "callback_promised"},
      {SayRequested{}, "say_requested"},
      {ContextInjected{}, "context_injected"},
      {InstructionsUpdated{}, "instructions_updated"},
      {DtmfSent{}, "dtmf_sent"},
      {MuteChanged{}, "mute_changed"},
      {TakeoverChanged{}, "takeover_changed"},
  };
  std::set<size_t> seen;
  for (const auto& [body, name] : rows) {
    EXPECT_EQ(TypeName(body), name);
    EXPECT_TRUE(IsEventType(name)) << name;
    seen.insert(body.index());
  }
  EXPECT_EQ(seen.size(), std::variant_size_v<EventBody>) << "a body has no row";
}

TEST(EventTest, OtherWordsAreNoTypes) {
  EXPECT_FALSE(IsEventType(""));
  EXPECT_FALSE(IsEventType("call_end"));
  EXPECT_FALSE(IsEventType("BargeIn"));
  EXPECT_FALSE(IsEventType("barge_in "));
}

}  // namespace
}  // namespace callbridge::call
