#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "src/call/call.h"
#include "tests/call/scenario_runner.h"

// What clients ask for while a call runs.
namespace callbridge::call {
namespace {

const bool kKnowing = RegisterScenarios("Knowing", {
                                                       {"ContextIsKnownAndNotSpokenOf", R"(
  ready
  say r1 a1 300 Hello.
  +1000 context_given request_id=q1 text="The order was sent." principal=crm
  = context_injected request_id=q1 text="The order was sent." respond=false principal=crm
  > add_system_text text="The order was sent."
  total 1 create_response       # The greeting.
  context_given request_id=q1 text="The order was sent." principal=crm
  total 1 add_system_text text="The order was sent."
)"},
                                                       {"ContextIsSpokenOfAsSoonAsNobodySpeaks", R"(
  ready
  say r1 a1 300 Hello.
  +1000 speech_started item_id=u1
  context_given request_id=q1 text="The order was sent." respond=true
  > add_system_text
  total 1 create_response
  +300 speech_stopped item_id=u1
  +100 context_given request_id=q2 text="More." respond=true
  total 1 create_response
  turn_committed item_id=u1
  total 1 create_response       # The server answers the turn, and knows.
  say r2 a2 300 It was sent.
  +2000 context_given request_id=q3 text="It has arrived." respond=true
  > create_response
  total 2 create_response
)"},
                                                       {"ContextOutlivesTheSession", R"(
  ready
  say r1 a1 300 Hello.
  +1000 context_given request_id=q1 text="The order was sent."
  +100 model_closed reason=model_session_lost
  session m2
  > restore_conversation role=system text="The order was sent."
  total 1 context_injected
)"},
                                                       {"ContextBeforeTheModelIsThere", R"(
  option outbound
  rang carrier_call_id=c1
  > open_model
  context_given request_id=q1 text="They have a dog."
  = context_injected
  +1000 answered carrier_call_id=c1
  stream_opened stream_id=s1
  session m1
  > restore_conversation role=system text="They have a dog."
  > create_response
)"},
                                                       {"InstructionsAreReplacedOnce", R"(
  ready
  say r1 a1 300 Hello.
  +1000 instructions_given instructions="Speak French." principal=crm
  = instructions_updated instructions="Speak French." principal=crm
  > set_instructions instructions="Speak French."
  instructions_given instructions="Speak French." principal=crm
  total 1 set_instructions
)"},
                                                       {"KeysAreSentOnce", R"(
  ready
  say r1 a1 300 Hello.
  +1000 dtmf_requested request_id=q1 digits=12# principal=crm
  > send_dtmf digits=12#
  = dtmf_sent digits=12# request_id=q1 principal=crm
  dtmf_requested request_id=q1 digits=12#
  dtmf_requested request_id=q2 digits=4
  > send_dtmf digits=4
  total 2 send_dtmf
)"},
                                                       {"NothingIsSteeredWhenTheCallEnds", R"(
  ready
  say r1 a1 300 Hello.
  +1000 end_requested
  > hang_up_carrier
  context_given request_id=q1 text=x
  instructions_given instructions=x
  dtmf_requested request_id=q2 digits=1
  say_requested request_id=q3 text=x
  mute_requested caller_muted=true
  takeover_requested
  ! send_dtmf
  ! set_instructions
  total 0 context_injected
  total 0 instructions_updated
  total 0 say_requested
  total 0 mute_changed
  total 0 takeover_changed
)"},
                                                   });

const bool kSaying = RegisterScenarios("Saying", {
                                                     {"ExactWordsAreSaidBehindWhatIsBeingSaid", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 role=assistant response_id=r1
  audio r1 a1 2000
  say_requested request_id=q1 text="Thank you." principal=crm
  = say_requested request_id=q1 text="Thank you." principal=crm
  total 1 create_response
  response_ended response_id=r1 status=completed
  > create_response instructions="Say exactly this to the caller, word for word and nothing else: Thank you." request_id=q1
  response_started response_id=r2 request_id=q1
  item_added item_id=a2 role=assistant response_id=r2
  audio r2 a2 500
  model_audio_done item_id=a2
  assistant_text_done item_id=a2 text="Thank you."
  response_ended response_id=r2 status=completed
  +4000
  = assistant_speech_finished item_id=a2 heard_ms=500
  say_requested request_id=q1 text="Thank you."
  total 2 create_response
)"},
                                                     {"InterruptStopsWhatIsBeingSaid", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 role=assistant response_id=r1
  audio r1 a1 2000
  +500 say_requested request_id=q1 text="Stop." interrupt=true
  > clear_audio
  > cancel_response response_id=r1
  > truncate_item item_id=a1
  ! barge_in
  total 1 create_response
  response_ended response_id=r1 status=cancelled
  > create_response request_id=q1
)"},
                                                     {"OneAfterTheOther", R"(
  ready
  say r1 a1 300 Hello.
  +1000 say_requested request_id=q1 text=One.
  say_requested request_id=q2 text=Two.
  > create_response request_id=q1
  response_started response_id=r2 request_id=q1
  audio r2 a2 300
  ! create_response
  response_ended response_id=r2 status=completed
  > create_response request_id=q2
)"},
                                                     {"PromptIsPlayedAsItIs", R"(
  option hold_prompt=700
  ready
  say r1 a1 300 Hello.
  +1000 say_requested request_id=q1 prompt=hold
  = say_requested request_id=q1 prompt=hold
  = prompt_played name=hold
  say_requested request_id=q2 prompt=goodbye
  total 1 say_requested
  total 1 create_response
)"},
                                                     {"NotBeforeTheAnswerThatIsOwed", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Where is my order?
  say_requested request_id=q1 text=One.
  total 1 create_response
  response_started response_id=r2
  audio r2 a2 300
  total 1 create_response
  response_ended response_id=r2 status=completed
  > create_response request_id=q1
)"},
                                                     {"SaidAgainWhenTheServersOwnAnswerCameFirst", R"(
  ready
  say r1 a1 300 Hello.
  +1000 say_requested request_id=q1 text=One.
  > create_response request_id=q1
  response_started response_id=r2
  audio r2 a2 300
  ! create_response
  response_ended response_id=r2 status=completed
  > create_response request_id=q1
  response_started response_id=r3 request_id=q1
  audio r3 a3 300
  response_ended response_id=r3 status=completed
  +3000
  sent a3 300..300
  total 3 create_response
)"},
                                                     {"SaidByTheNextSession", R"(
  ready
  say r1 a1 300 Hello.
  +1000 say_requested request_id=q1 text=One.
  > create_response request_id=q1
  model_closed reason=model_session_lost
  session m2
  > create_response request_id=q1
)"},
                                                     {"AskedForAgainWhenItFailed", R"(
  ready
  say r1 a1 300 Hello.
  +1000 say_requested request_id=q1 text=One.
  > create_response request_id=q1
  response_started response_id=r2 request_id=q1
  response_ended response_id=r2 status=failed code=server_error
  ! create_response
  +1100
  > create_response request_id=q1
  total 3 create_response
)"},
                                                     {"AskedForAgainWhenNothingCame", R"(
  ready
  say r1 a1 300 Hello.
  +1000 say_requested request_id=q1 text=One.
  > create_response request_id=q1
  +4100
  = model_trouble code=answer_overdue
  > create_response request_id=q1
  total 3 create_response
)"},
                                                     {"GoodbyeIsHeardBeforeTheEnd", R"(
  ready
  say r1 a1 300 Hello.
  +1000 end_requested reason=api_ended detail=EndCall goodbye="Good bye."
  > let_answer on=false
  > configure_model protect_greeting=true
  > create_response instructions="Say exactly this to the caller, word for word and nothing else: Good bye."
  ! hang_up_carrier
  response_started response_id=r2 request_id=goodbye
  item_added item_id=a2 role=assistant response_id=r2
  audio r2 a2 800
  model_audio_done item_id=a2
  response_ended response_id=r2 status=completed
  +300 speech_started item_id=u1
  ! hang_up_carrier
  ! clear_audio
  +900
  > hang_up_carrier
  = assistant_speech_finished item_id=a2 heard_ms=800
  hung_up reason=normal_hangup
  = call_ended reason=api_ended
)"},
                                                     {"GoodbyeThatFailedIsAskedForAgain", R"(
  ready
  say r1 a1 300 Hello.
  +1000 end_requested reason=api_ended goodbye="Good bye."
  > create_response request_id=goodbye
  response_started response_id=r2 request_id=goodbye
  response_ended response_id=r2 status=failed code=server_error
  ! hang_up_carrier
  +1100
  > create_response request_id=goodbye
  ! hang_up_carrier
)"},
                                                     {"GoodbyeThatIsNeverSaidEndsTheCallAllTheSame", R"(
  ready
  say r1 a1 300 Hello.
  +1000 end_requested reason=api_ended goodbye="Good bye."
  ! hang_up_carrier
  +15100
  > hang_up_carrier
)"},
                                                     {"EndAtOnceWhileTheGoodbyeIsSaid", R"(
  ready
  say r1 a1 300 Hello.
  +1000 end_requested reason=api_ended goodbye="Good bye."
  end_requested reason=api_ended goodbye="Good bye."
  ! hang_up_carrier
  end_requested reason=api_ended
  > hang_up_carrier
)"},
                                                     {"NobodyHearsAGoodbyeWhileItRings", R"(
  option outbound
  rang carrier_call_id=c1
  end_requested reason=api_ended goodbye="Good bye."
  > hang_up_carrier
)"},
                                                 });

const bool kHearing = RegisterScenarios("Hearing", {
                                                       {"MutedCallerIsSilenceForTheModel", R"(
  ready
  say r1 a1 300 Hello.
  +1000 mute_requested caller_muted=true principal=crm
  = mute_changed caller_muted=true assistant_muted=false principal=crm
  frames 5
  mute_requested caller_muted=true
  total 1 mute_changed
  mute_requested
  = mute_changed caller_muted=false assistant_muted=false
)"},
                                                       {"MutedAssistantCountsAsUnheard", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 role=assistant response_id=r1
  audio r1 a1 2000
  +500 mute_requested assistant_muted=true
  > clear_audio
  > truncate_item item_id=a1
  response_ended response_id=r1 status=completed
  +100 turn u1 Hello?
  response_started response_id=r2
  item_added item_id=a2 role=assistant response_id=r2
  audio r2 a2 500
  > delete_item item_id=a2
  model_audio_done item_id=a2
  response_ended response_id=r2 status=completed
  = transcript_item_final item_id=a2 status=cut heard_ms=0
  +5000
  sent a2 0..0
  total 0 model_trouble
  mute_requested
  say r3 a3 400 Here I am.
  +2000
  sent a3 400..400
)"},
                                                   });

const bool kTakingOver = RegisterScenarios("TakingOver", {
                                                             {"AssistantStopsAndTheLineStays", R"(
  option idle_after=5
  ready
  response_started response_id=r1
  item_added item_id=a1 role=assistant response_id=r1
  audio r1 a1 2000
  +500 takeover_requested reason="angry caller" principal=ann
  = takeover_changed taken_over=true reason="angry caller" principal=ann
  > let_answer on=false
  > clear_audio
  > cancel_response response_id=r1
  response_ended response_id=r1 status=cancelled
  +100 turn u1 Is anybody there?
  +9000
  ! create_response
  = transcript_item_final item_id=u1
  total 0 model_trouble
  total 0 caller_idle
  takeover_requested
  total 1 takeover_changed
)"},
                                                             {"ProtectedGreetingIsStoppedToo", R"(
  option protected_greeting
  ready
  response_started response_id=r1
  item_added item_id=a1 role=assistant response_id=r1
  audio r1 a1 2000
  +500 takeover_requested
  > let_answer on=false
  > cancel_response response_id=r1
  > release_greeting
  response_ended response_id=r1 status=cancelled
  total 0 barge_in
)"},
                                                             {"AnswerThatWasUnderWayIsNotHeard", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Is anybody there?
  takeover_requested
  response_started response_id=r2
  > cancel_response response_id=r2
  audio r2 a2 500
  +2000
  sent a2 0..0
)"},
                                                             {"WordsOfTheClientAreSaid", R"(
  ready
  say r1 a1 300 Hello.
  +1000 takeover_requested
  say_requested request_id=q1 text="One moment."
  > create_response request_id=q1
  response_started response_id=r2 request_id=q1
  ! cancel_response
  audio r2 a2 500
  +2000
  sent a2 500..500
)"},
                                                             {"ToolsAreNotCalled", R"(
  ready
  say r1 a1 300 Hello.
  +1000 response_started response_id=r2
  takeover_requested
  tool_asked tool_call_id=t1 name=lookup
  > answer_tool tool_call_id=t1 ok=false
  ! run_tool
)"},
                                                             {"LineStaysWithoutAModel", R"(
  option goodbye_prompt=500
  ready
  say r1 a1 300 Hello.
  +1000 takeover_requested
  +1000 model_error reason=model_quota fatal=true code=insufficient_quota
  = model_trouble code=insufficient_quota fatal=true
  +20000
  ! hang_up_carrier
  total 0 prompt_played
  dtmf_requested request_id=q1 digits=4
  > send_dtmf digits=4
  release_requested
  = prompt_played name=goodbye
  +5000
  > hang_up_carrier
)"},
                                                             {"CallerComesBackToTheColleague", R"(
  ready
  say r1 a1 300 Hello.
  +1000 takeover_requested
  model_error reason=model_quota fatal=true code=insufficient_quota
  +100 stream_closed
  +1000 stream_opened stream_id=s2
  +5000
  ! hang_up_carrier
)"},
                                                             {"NewSessionAnswersNobodyEither", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Hello?
  takeover_requested
  +100 model_closed reason=model_session_lost
  session m2
  > restore_conversation
  +100 turn u2 Is anybody there?
  +9000
  total 1 create_response       # The greeting.
  say_requested request_id=q1 text="One moment."
  > create_response request_id=q1
)"},
                                                             {"WordsOfTheClientOutliveTheSession", R"(
  ready
  say r1 a1 300 Hello.
  +1000 takeover_requested
  say_requested request_id=q1 text="One moment."
  > create_response request_id=q1
  +100 model_closed reason=model_session_lost
  session m2
  > create_response request_id=q1
  response_started response_id=r2 request_id=q1
  audio r2 a2 500
  +2000
  sent a2 500..500
)"},
                                                             {"ReleasedItKnowsAndAnswers", R"(
  ready
  say r1 a1 300 Hello.
  +1000 takeover_requested
  +100 turn u1 Is anybody there?
  +1000 release_requested context="They get a refund." respond=true principal=ann
  = takeover_changed taken_over=false principal=ann
  > let_answer on=true
  > add_system_text text="They get a refund."
  > create_response
  release_requested
  total 2 takeover_changed
)"},
                                                             {"ReleasedItWaits", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Hello?
  takeover_requested
  +1000 release_requested
  > let_answer on=true
  +9000
  total 1 create_response
  turn u2 Hello?
  +5000
  = model_trouble code=answer_overdue
)"},
                                                         });

const bool kClientTools = RegisterScenarios("ClientTools", {
                                                               {"ClientAnswers", R"(
  option client_tool=lookup
  ready
  say r1 a1 300 Hello.
  +1000 response_started response_id=r2
  tool_asked tool_call_id=t1 name=lookup arguments="{\"id\":7}"
  = tool_called tool_call_id=t1 name=lookup for_client=true
  ! run_tool
  response_ended response_id=r2 status=completed
  tool_result_given tool_call_id=t1 ok=true output="{\"state\":\"sent\"}"
  > answer_tool tool_call_id=t1 ok=true message="{\"state\":\"sent\"}"
  > create_response
  tool_result_given tool_call_id=t1 ok=false output="{}"
  total 1 answer_tool
)"},
                                                               {"AnswerOutlivesTheSession", R"(
  option client_tool=lookup
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Where is it?
  response_started response_id=r2
  tool_asked tool_call_id=t1 name=lookup arguments="{\"id\":7}"
  response_ended response_id=r2 status=completed
  +100 model_closed reason=model_session_lost
  tool_result_given tool_call_id=t1 ok=true output="{\"state\":\"sent\"}"
  = tool_answered tool_call_id=t1 ok=true
  session m2
  > restore_conversation tool_call_id=t1 text="{\"state\":\"sent\"}"
  > create_response
)"},
                                                               {"NewSessionWaitsForTheAnswer", R"(
  option client_tool=lookup
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Where is it?
  response_started response_id=r2
  tool_asked tool_call_id=t1 name=lookup
  response_ended response_id=r2 status=completed
  +100 model_closed reason=model_session_lost
  session m2
  +1000 tool_result_given tool_call_id=t1 ok=true output="{}"
  > answer_tool tool_call_id=t1 ok=true
  > create_response
  total 1 tool_called
)"},
                                                               {"NobodyAnswers", R"(
  option client_tool=lookup
  ready
  say r1 a1 300 Hello.
  +1000 tool_asked tool_call_id=t1 name=lookup
  tool_asked tool_call_id=t2 name=other
  > run_tool tool_call_id=t2
  +21000
  = tool_answered tool_call_id=t1 ok=false output="no answer in time"
  tool_result_given tool_call_id=t1 ok=true output="{}"
  total 1 answer_tool
)"},
                                                           });

// What the model hears; everything else is of no interest here.
class Listener final : public CommandSink {
 public:
  void AudioToModel(absl::string_view base64) override { heard.emplace_back(base64); }
  void AudioToCarrier(absl::string_view) override {}
  void Do(const command::Command&) override {}
  void Record(Event) override {}
  std::vector<std::string> heard;
};

TEST(HearingTest, TheModelHearsSilenceInPlaceOfAMutedCaller) {
  Listener model;
  CallOptions options;
  Call call(options, model);
  const absl::Time now = absl::UnixEpoch();
  call.Begin(now);
  call.On(input::StreamOpened{"s1"}, now);
  call.On(input::ModelCreated{"m1", "gpt-realtime"}, now);
  call.On(input::ModelConfigured{}, now);
  const std::string frame = SoundOf("frame", 20);
  call.OnCallerAudio(frame, now);
  call.On(input::MuteRequested{true, false, ""}, now);
  call.OnCallerAudio(frame, now);
  call.On(input::MuteRequested{false, false, ""}, now);
  call.OnCallerAudio(frame, now);
  ASSERT_EQ(model.heard.size(), 3u);
  EXPECT_EQ(model.heard[0], frame);
  EXPECT_EQ(model.heard[1].find_first_not_of('/'), std::string::npos) << model.heard[1];
  EXPECT_NEAR(static_cast<double>(model.heard[1].size()), static_cast<double>(frame.size()), 4);
  EXPECT_EQ(model.heard[2], frame);
}

}  // namespace
}  // namespace callbridge::call
