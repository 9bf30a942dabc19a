#include "tests/call/scenario_runner.h"

// The assistant pauses when the caller makes a sound, and finds out what it was.
namespace callbridge::call {
namespace {

const bool kRegistered = RegisterScenarios("Reversible", {
                                                             {"Complaint13_CoughOnlyPauses", R"(
  option reversible
  ready
  say r1 a1 6000 one two three four five six seven eight nine ten eleven twelve
  +1080 speech_started item_id=u1
  > clear_audio
  = assistant_paused item_id=a1 heard_ms=960..1040
  ! truncate_item
  ! barge_in
  voice 200
  quiet 240
  ! audio_to_carrier            # Not a sound while it is decided.
  +20
  = assistant_resumed item_id=a1 paused_ms=440..470
  > audio_to_carrier item_id=a1
  +400 speech_stopped item_id=u1
  turn_committed item_id=u1
  caller_text item_id=u1 text=Mm-hmm.
  +8000
  ! create_response             # It is no turn.
  ! truncate_item
  = assistant_speech_finished item_id=a1 heard_ms=6000
  = transcript_item_final item_id=a1 status=complete heard_ms=6000
)"},
                                                             {"InterruptionCutsAfterTheEvidence", R"(
  option reversible
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  assistant_text item_id=a1 delta="one two three four five six"
  audio r1 a1 6000
  +1080 speech_started item_id=u1
  > clear_audio
  voice 440
  ! barge_in
  voice 20
  > cancel_response response_id=r1
  > truncate_item item_id=a1 audio_end_ms=960..1040
  = barge_in item_id=a1 heard_ms=960..1040
  total 1 clear_audio           # The pause did that.
  audio r1 a1 500
  ! audio_to_carrier
  response_ended response_id=r1 status=cancelled
  voice 600
  speech_stopped item_id=u1
  turn_committed item_id=u1
  > create_response             # Ours to ask for: the server does not by itself.
  say r2 a2 500 Yes?
  > audio_to_carrier item_id=a2
)"},
                                                             {"SoundsOfThePauseAreNotLost", R"(
  option reversible
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  audio r1 a1 1000
  +500 speech_started item_id=u1
  = assistant_paused
  audio r1 a1 1000              # The model goes on meanwhile.
  ! audio_to_carrier
  voice 100
  quiet 360
  = assistant_resumed
  model_audio_done item_id=a1
  response_ended response_id=r1 status=completed
  +3000
  = assistant_speech_finished item_id=a1 heard_ms=2000
)"},
                                                             {"BreathIsNoEnd", R"(
  option reversible
  ready
  say r1 a1 6000 one two three four five six
  +1080 speech_started item_id=u1
  voice 200
  quiet 260
  = assistant_resumed
  voice 440
  ! barge_in
  voice 20                      # It was the first word of a sentence.
  > clear_audio
  = barge_in item_id=a1
  +300 speech_stopped item_id=u1
  turn_committed item_id=u1
  > create_response
)"},
                                                             {"ShortAnswerOfSeveralWordsIsAnsweredAllTheSame", R"(
  option reversible
  ready
  say r1 a1 2000 one two three four
  +1080 speech_started item_id=u1
  voice 260
  quiet 200
  = assistant_resumed
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  ! create_response
  caller_text item_id=u1 text="no not that"
  > create_response
)"},
                                                             {"StoppedBeforeTheEvidenceWasIn", R"(
  option reversible
  ready
  say r1 a1 3000 one two three
  +500 speech_started item_id=u1
  voice 100
  speech_stopped item_id=u1
  = assistant_resumed
  turn_committed item_id=u1
  ! create_response
)"},
                                                             {"WithoutAnyFrameItGoesOn", R"(
  option reversible
  ready
  say r1 a1 3000 one two three
  +500 speech_started item_id=u1
  = assistant_paused
  +450
  = assistant_resumed
)"},
                                                             {"NothingToPause", R"(
  option reversible
  ready
  say r1 a1 300 Hello.
  +2000 speech_started item_id=u1
  ! assistant_paused
  +500 speech_stopped item_id=u1
  turn_committed item_id=u1
  > create_response
)"},
                                                             {"BeforeAnySound", R"(
  option reversible
  ready
  response_started response_id=r1
  +100 speech_started item_id=u1
  = assistant_paused heard_ms=0
  ! clear_audio
  audio r1 a1 500
  ! audio_to_carrier
  voice 460
  > cancel_response response_id=r1
  > delete_item item_id=a1
)"},
                                                             {"StreamIsLostInThePause", R"(
  option reversible
  ready
  say r1 a1 3000 one two three
  +1080 speech_started item_id=u1
  +100 stream_closed clean=false detail=1006
  > truncate_item item_id=a1 audio_end_ms=960..1040
  +1000 stream_opened stream_id=s2
  +3000
  ! audio_to_carrier item_id=a1
)"},
                                                             {"ModelIsLostInThePause", R"(
  option reversible
  ready
  say r1 a1 3000 one two three
  +1080 speech_started item_id=u1
  +100 model_closed reason=model_session_lost detail=1006
  = assistant_resumed
  > open_model
  session s2
  > restore_conversation
  +4000
  = assistant_speech_finished item_id=a1
)"},
                                                             {"UtteranceThatIsHeardAgainInterruptsNothing", R"(
  option reversible
  ready
  say r1 a1 300 Hello.
  +1000 speech_started item_id=u1
  frames 10
  speech_stopped item_id=u1
  turn_committed item_id=u1
  response_started response_id=r2
  audio r2 a2 3000
  +200 model_closed reason=model_session_lost detail=1006
  state in_progress
  +200 session m2
  > audio_to_model
  speech_started item_id=v1     # What was said to the old session.
  ! assistant_paused
  ! clear_audio
  speech_stopped item_id=v1
  turn_committed item_id=v1
  > create_response             # It is a turn, however short.
)"},
                                                             {"SilenceIsConfirmed", R"(
  ready
  say r1 a1 3000 one two three
  +1080 speech_started item_id=u1
  > clear_audio
  +37 audio_cleared
  = assistant_silenced silence_ms=37
  +10 audio_cleared
  ! assistant_silenced
)"},
                                                             {"WhatWasSaidIntoAProtectedGreetingIsAnswered", R"(
  option protected_greeting
  ready
  response_started response_id=r1
  audio r1 a1 2000
  +500 speech_started item_id=u1
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  total 1 create_response       # The server could not: its greeting was still running.
  model_audio_done item_id=a1
  response_ended response_id=r1 status=completed
  > create_response
)"},
                                                             {"ProtectedGreetingIsSaidToItsEnd", R"(
  option protected_greeting
  stream_opened stream_id=s1
  model_created session_id=m1
  > configure_model protect_greeting=true
  model_configured
  say r1 a1 2000 Good morning and welcome
  +500 speech_started item_id=u1
  ! clear_audio
  ! truncate_item
  = caller_speech_started item_id=u1
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  +2000
  = assistant_speech_finished item_id=a1 heard_ms=2000
  > release_greeting
  say r2 a2 2000 How can I help
  +500 speech_started item_id=u2
  > clear_audio
  > truncate_item item_id=a2
)"},
                                                         });

}  // namespace
}  // namespace callbridge::call
