#include "tests/call/scenario_runner.h"

// The model's session is lost, late or silent, and the call goes on.
namespace callbridge::call {
namespace {

const bool kRegistered =
    RegisterScenarios("Recovery", {
                                      {"SessionIsLostAndAnotherOneKnowsWhatWasHeard", R"(
  ready
  say r1 a1 1000 Hello there.
  +1500 turn u1 I need help.
  say r2 a2 1000 With what?
  +1500 model_closed reason=model_session_lost detail="close code 1006"
  = model_trouble code=session_closed fatal=true
  = model_reopening attempt=1 reason=session_closed
  > open_model
  ! hang_up_carrier
  +300 session m2
  = model_ready session_id=m2 ordinal=2
  > configure_model
  > restore_conversation role=assistant item_id=a1 text="Hello there." role=caller item_id=u1 text="I need help." role=assistant item_id=a2
  ! create_response             # Nothing was left unanswered.
  ! add_system_text             # Nobody is greeted twice.
  turn u2 The line is dead.
  say r3 a3 500 Oh.
  > audio_to_carrier item_id=a3
)"},
                                      {"Complaint10_TurnThatWasNotAnsweredIsAnsweredOnce", R"(
  ready
  say r1 a1 500 Hello.
  +1000 turn u1 I need help.
  +100 response_started response_id=r2
  +100 model_closed reason=model_session_lost detail=1001
  > open_model
  +300 session m2
  > restore_conversation
  > create_response
  total 2 create_response
  say r3 a3 500 With what?
  > audio_to_carrier item_id=a3
  +3000
  total 2 create_response
)"},
                                      {"Complaint10_InTheMiddleOfASentence", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  assistant_text item_id=a1 delta="one two three"
  audio r1 a1 2000
  +500 model_closed reason=model_session_lost detail=1006
  ! clear_audio                 # What came is said.
  +300 session m2
  > restore_conversation text="one two three"
  > create_response
  +2000
  = assistant_speech_finished item_id=a1 heard_ms=2000
)"},
                                      {"CutAfterTheLossIsWrittenAnew", R"(
  ready
  say r1 a1 500 Hello.
  +1000 say r2 a2 4000 one two three four five six seven eight
  +500 model_closed reason=model_session_lost detail=1006
  +300 session m2
  > restore_conversation text="one two three four five six seven eight"
  +1200 speech_started item_id=u1
  > clear_audio
  > rewrite_item item_id=a2 previous_item_id=a1 text="one two three four"
  ! truncate_item
  ! delete_item
)"},
                                      {"UtteranceThatWasBeingSpokenIsHeardAgain", R"(
  ready
  say r1 a1 300 Hello.
  +1000 frames 5
  speech_started item_id=u1
  frames 10
  model_closed reason=model_session_lost detail=1006
  frames 5
  state in_progress
  session m2
  > audio_to_model
  ! create_response
  total 35 audio_to_model       # Five, ten, five in between, and fifteen once more.
  speech_started item_id=v1
  +600 speech_stopped item_id=v1
  turn_committed item_id=v1
  caller_text item_id=v1 text="Say it again."
  = transcript_item_final item_id=v1 heard="Say it again." position=2
  +100 say r2 a2 300 Sure.
  hung_up
  ! transcript_item_final item_id=u1
)"},
                                      {"AnswerThatWasOwedWaitsForTheUtterance", R"(
  ready
  say r1 a1 300 Hello.
  +1000 tool_asked tool_call_id=t1 name=lookup
  speech_started item_id=u1
  frames 10
  tool_finished tool_call_id=t1 ok=true output=found
  model_closed reason=model_session_lost detail=1006
  state in_progress
  +200 session m2
  > restore_conversation role=tool
  ! create_response             # Heard again, the utterance gets its answer from the server.
)"},
                                      {"CommittedTurnWithoutTextIsHeardAgain", R"(
  ready
  say r1 a1 300 Hello.
  +1000 speech_started item_id=u1
  frames 30
  speech_stopped item_id=u1
  turn_committed item_id=u1
  +100 model_closed reason=model_session_lost detail=1006
  state in_progress
  +200 session m2
  > audio_to_model
  ! create_response             # The server makes one when it has heard it.
)"},
                                      {"UtteranceWhoseWordsDiedWithTheSessionIsHeardAgain", R"(
  ready
  say r1 a1 300 Hello.
  +1000 speech_started item_id=u1
  frames 30
  speech_stopped item_id=u1
  turn_committed item_id=u1
  response_started response_id=r2
  item_added item_id=a2 response_id=r2
  assistant_text item_id=a2 delta="I am"
  audio r2 a2 400
  +100 model_closed reason=model_session_lost detail=1006
  > close_model
  > open_model
  +200 session m2
  > restore_conversation role=assistant item_id=a1 role=assistant item_id=a2 text="I am"
  > audio_to_model
  ! create_response
)"},
                                      {"Complaint01_UtteranceThatNeverCameAgainHidesNoInterruption", R"(
  ready
  say r1 a1 300 Hello.
  +1000 speech_started item_id=u1
  frames 10
  model_closed reason=model_session_lost detail=1006
  +200 session m2
  say r2 a2 3000 Are you still there
  +1000 speech_started item_id=v1
  > clear_audio
  > truncate_item item_id=a2
)"},
                                      {"SilentSessionIsNotListenedToAnyMore", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Hi.
  +8100
  = model_trouble code=answer_overdue fatal=true
  > close_model
  > open_model
)"},
                                      {"TriesAgainWithGrowingPauses", R"(
  ready
  say r1 a1 300 Hello.
  +1000 model_closed reason=model_session_lost detail=1006
  total 2 open_model
  model_closed reason=model_unavailable detail=refused
  total 2 open_model
  +240
  total 2 open_model
  +10
  total 3 open_model
  model_closed reason=model_unavailable detail=refused
  +490
  total 3 open_model
  +10
  total 4 open_model
  model_closed reason=model_unavailable detail=refused
  > hang_up_carrier             # No prompt, no fallback.
  hung_up
  = call_ended reason=model_unavailable failed=true
)"},
                                      {"AttemptsCountAnewAfterAnAnswer", R"(
  ready
  say r1 a1 300 Hello.
  +1000 model_closed reason=model_session_lost
  = model_reopening attempt=1
  session m2
  turn u1 Hi.
  say r2 a2 300 Yes.
  +1000 model_closed reason=model_session_lost
  = model_reopening attempt=1
)"},
                                      {"CallerIsToldAfterTwoSeconds", R"(
  option hold_prompt=800
  ready
  say r1 a1 300 Hello.
  +1000 model_closed reason=model_session_lost
  +1950
  ! prompt_played
  +60
  = prompt_played name=hold text="The hold prompt."
  > audio_to_carrier
  +1000
  = transcript_item_final heard="The hold prompt." status=complete
  session m2
  +20000
  total 1 prompt_played
)"},
                                      {"NoPromptWhileTheAssistantIsStillHeard", R"(
  option hold_prompt=800
  ready
  say r1 a1 5000 one two three four five
  +500 model_closed reason=model_session_lost
  +3000
  ! prompt_played
)"},
                                      {"GoodbyeIsHeardToItsEnd", R"(
  option goodbye_prompt=1500
  ready
  say r1 a1 300 Hello.
  total 1 open_model
  +1000 model_closed reason=model_quota detail=insufficient_quota
  = prompt_played name=goodbye
  ! open_model
  +1400
  ! hang_up_carrier
  speech_started item_id=u1     # Nothing that is said now changes it.
  ! clear_audio
  +600
  > hang_up_carrier
  hung_up
  = call_ended reason=model_quota initiator=model failed=true
)"},
                                      {"CallBackIsPromised", R"(
  option fallback=callback
  option callback_prompt=1000
  ready
  say r1 a1 300 Hello.
  +1000 model_error code=insufficient_quota fatal=true reason=model_quota
  = callback_promised
  = prompt_played name=callback
  +1500
  > hang_up_carrier
)"},
                                      {"FallbackTransferThenGoodbye", R"(
  option fallback=transfer
  option goodbye_prompt=500
  ready
  say r1 a1 300 Hello.
  +1000 model_closed reason=model_quota detail=insufficient_quota
  = transfer_changed destination=support state=requested by=system
  > transfer_carrier
  state transferring
)"},
                                      {"RefusedBeforeTheStreamWaitsForTheCallerToHearIt", R"(
  option goodbye_prompt=500
  model_closed reason=model_refused detail=401
  ! hang_up_carrier
  +500 stream_opened stream_id=s1
  = prompt_played name=goodbye
  +800
  > hang_up_carrier
  hung_up
  = call_ended reason=model_refused
)"},
                                      {"SessionIsReplacedBeforeItsLimitWhenAllIsQuiet", R"(
  stream_opened stream_id=s1
  session m1 1200
  say r1 a1 2000 one two three four
  900000
  = model_reopening attempt=0 reason=session_limit
  > open_model
  ! model_trouble
  session m2 1200
  > restore_conversation
  ! create_response
)"},
                                      {"SessionIsReplacedInTimeEvenWhenItIsNeverQuiet", R"(
  option max_duration=4000
  stream_opened stream_id=s1
  session m1 1200
  899000 turn u1 Hello?
  +3000
  turn u2 Hello?
  +3000
  turn u3 Hello?
  +3000
  1050000
  = model_reopening
)"},
                                      {"Complaint07_SilentTurnIsAskedForAgainThenSpokenFor", R"(
  option hold_prompt=500
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Hi.
  +3950
  total 1 create_response
  +60
  = model_trouble code=answer_overdue fatal=false
  > create_response
  +3950
  ! open_model
  +60
  = prompt_played name=hold
  = model_trouble code=answer_overdue fatal=true
  > open_model
  session m2
  > restore_conversation
  > create_response
  say r2 a2 300 Here I am.
  +600
  > audio_to_carrier item_id=a2
  +10000
  ! model_trouble
)"},
                                      {"Complaint06_LateAnswerIsNotTheSecondOne", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Hi.
  response_started response_id=r2
  +4010
  > cancel_response response_id=r2
  > create_response
  audio r2 a2 500               # It comes after all.
  ! audio_to_carrier
  response_ended response_id=r2 status=cancelled
  say r3 a3 500 Yes.
  > audio_to_carrier item_id=a3
)"},
                                      {"Complaint08_RateLimitIsRetriedAndSpokenFor", R"(
  option hold_prompt=500
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Hi.
  response_started response_id=r2
  response_ended response_id=r2 status=failed code=rate_limit_exceeded detail="slow down"
  = model_trouble code=rate_limit_exceeded fatal=false
  +1000
  > create_response
  response_started response_id=r3
  response_ended response_id=r3 status=failed code=rate_limit_exceeded
  +1050
  = prompt_played name=hold
  +1000
  > create_response
  say r4 a4 300 Sorry.
  > audio_to_carrier item_id=a4
)"},
                                      {"GreetingThatWasLostIsSaidByTheNextSession", R"(
  ready
  > create_response
  +100 model_closed reason=model_session_lost
  +200 session m2
  > add_system_text text="Greet the caller."
  > create_response
)"},
                                      {"SessionLostWhileAHumanHasTheCaller", R"(
  ready
  say r1 a1 300 Hello.
  +1000 transfer_requested transfer_id=x1 destination=sales
  transfer_taken transfer_id=x1
  stream_closed clean=true
  transfer_fetched transfer_id=x1
  human_answered transfer_id=x1
  state transferred
  +1000 model_closed reason=model_session_lost
  ! open_model
  ! hang_up_carrier
  state transferred
)"},
                                      {"OldSessionSaysNothingMore", R"(
  ready
  say r1 a1 300 Hello.
  +1000 model_closed reason=model_session_lost
  model_configured              # Before it was created: whose is it?
  ! restore_conversation
  response_started response_id=r2
  audio r2 a2 500
  ! audio_to_carrier
  session m2
  model_configured
  total 1 restore_conversation
)"},
                                  });

const bool kGaps = RegisterScenarios("Gaps", {
                                                 {"Complaint15_GapIsFilledWithSilence", R"(
  ready
  say r1 a1 300 Hello.
  frames 3
  +170
  ! silence_to_model
  +30
  > silence_to_model bytes=1440..1760
  +200
  > silence_to_model
  +20000
  total 50 silence_to_model
)"},
                                                 {"NothingIsFilledBeforeTheFirstFrame", R"(
  ready
  +5000
  ! silence_to_model
)"},
                                                 {"FramesInTimeNeedNoSilence", R"(
  ready
  frames 50
  ! silence_to_model
)"},
                                                 {"Complaint11_FirstWordsReachTheModelInOrder", R"(
  stream_opened stream_id=s1
  frames 20
  ! audio_to_model
  session m1
  total 20 audio_to_model
)"},
                                             });

const bool kIdle = RegisterScenarios("Idle", {
                                                 {"Complaint14_AskedTwiceThenGoodbye", R"(
  option idle_after=10
  ready
  say r1 a1 3000 Good morning to you
  +12900
  ! caller_idle                 # Counted from the end of what was heard.
  +600
  = caller_idle count=1 goodbye=false
  > add_system_text
  > create_response
  say r2 a2 1000 Are you there?
  +11700
  = caller_idle count=2 goodbye=false
  say r3 a3 1000 Are you there?
  +11700
  = caller_idle count=3 goodbye=true
  say r4 a4 1500 Goodbye then.
  +1000
  ! hang_up_carrier
  +1200
  > hang_up_carrier
  hung_up
  = call_ended reason=caller_idle failed=false
)"},
                                                 {"Complaint14_SpeechStartsItAnew", R"(
  option idle_after=10
  ready
  say r1 a1 300 Hello.
  +9000 turn u1 Hm.
  say r2 a2 300 Yes?
  +9000
  ! caller_idle
  +3000
  = caller_idle count=1
)"},
                                                 {"Complaint14_RearmedAfterSpeechThatWasNotUnderstood", R"(
  option idle_after=10
  ready
  say r1 a1 300 Hello.
  +1000 speech_started item_id=u1
  +300 speech_stopped item_id=u1
  turn_committed item_id=u1
  caller_text_failed item_id=u1
  say r2 a2 300 Pardon?
  +11500
  = caller_idle count=1
)"},
                                                 {"NotDuringATool", R"(
  option idle_after=5
  ready
  say r1 a1 300 Hello.
  +1000 tool_asked tool_call_id=t1 name=lookup arguments="{}"
  > run_tool tool_call_id=t1 name=lookup
  +2100 say r2 a2 300 One moment.
  +9000
  ! caller_idle
)"},
                                                 {"NotDuringATransfer", R"(
  option idle_after=5
  ready
  say r1 a1 300 Hello.
  +1000 transfer_requested transfer_id=x1 destination=sales
  transfer_taken transfer_id=x1
  transfer_fetched transfer_id=x1
  +8000
  ! caller_idle
)"},
                                                 {"GoodbyeIsTakenBackWhenTheCallerSpeaks", R"(
  option idle_after=5
  option idle_reprompts=0
  ready
  say r1 a1 300 Hello.
  +6500
  = caller_idle goodbye=true
  say r2 a2 3000 Goodbye then.
  +500 speech_started item_id=u1
  > clear_audio
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  say r3 a3 300 Oh hello.
  +3000
  ! hang_up_carrier
  state in_progress
)"},
                                             });

}  // namespace
}  // namespace callbridge::call
