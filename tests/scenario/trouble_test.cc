#include "tests/call/scenario_runner.h"

// Streams that break, and a model that falters, in a call that goes on.
namespace callbridge::call {
namespace {

const bool kRegistered = RegisterScenarios("Trouble", {
                                                          {"StreamIsLostAndReturns", R"(
  ready
  say r1 a1 3000 one two three
  +1080 stream_closed clean=false detail="close code 1006"
  = stream_lost
  ! clear_audio                 # There is nobody to tell.
  > truncate_item item_id=a1 audio_end_ms=950..1050
  ! barge_in
  caller_audio base64=AAAA
  ! audio_to_model
  +2000 stream_opened stream_id=s2
  = stream_connected stream_id=s2 ordinal=2
  = state_changed from=answered to=in_progress
  > add_system_text
  > create_response             # It was cut in the middle of its sentence.
  caller_audio base64=AAAA
  > audio_to_model
  +6000
  ! call_ended
  turn u1 Are you there?
  say r2 a2 500 Yes.
  > audio_to_carrier item_id=a2
  = assistant_speech_started greeting=false
)"},
                                                          {"TwoStreamsAtOnce", R"(
  ready
  say r1 a1 3000 one two three
  +1080 stream_opened stream_id=s2
  = stream_lost
  = stream_connected stream_id=s2 ordinal=2
  > truncate_item item_id=a1
  state in_progress
  +6000
  ! call_ended
  say r2 a2 500 Yes.
  > audio_to_carrier item_id=a2
)"},
                                                          {"Complaint04_WordsWithoutAStreamAreDeleted", R"(
  ready
  turn u1 Hello?
  stream_closed clean=false detail=1006
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  audio r1 a1 1000
  > delete_item item_id=a1
  ! audio_to_carrier
  assistant_text_done item_id=a1 text="Nobody hears this."
  = transcript_item_final item_id=a1 status=cut heard=""
  +1000 stream_opened stream_id=s2
  audio r1 a1 1000              # Not from its middle on.
  ! audio_to_carrier
  ! delete_item
  response_ended response_id=r1 status=completed
)"},
                                                          {"Complaint07_FailedResponseIsAskedForTwiceMore", R"(
  ready
  response_started response_id=r1
  response_ended response_id=r1 status=failed code=server_error detail="The server had an error"
  = model_trouble code=server_error fatal=false
  +900
  total 1 create_response
  +100
  > create_response
  response_started response_id=r2
  response_ended response_id=r2 status=failed code=server_error
  +2000
  > create_response
  response_started response_id=r3
  response_ended response_id=r3 status=failed code=server_error
  = model_reopening attempt=1 reason=server_error
  session m2
  > create_response
  state in_progress
)"},
                                                          {"RetriesCountAnewAfterASuccess", R"(
  ready
  response_started response_id=r1
  response_ended response_id=r1 status=failed
  +1000 say r2 a2 300 Hello.
  +1000 turn u1 Hi.
  response_started response_id=r3
  response_ended response_id=r3 status=failed
  +1000
  > create_response
)"},
                                                          {"NoRetryWhileTheCallerSpeaks", R"(
  ready
  response_started response_id=r1
  response_ended response_id=r1 status=failed
  +500 speech_started item_id=u1
  +1000
  total 1 create_response
  speech_stopped item_id=u1
  turn_committed item_id=u1
  say r2 a2 300 Hello.
  +2000
  total 1 create_response
)"},
                                                          {"Complaint09_HarmlessErrorsChangeNothing", R"(
  ready
  say r1 a1 2000 one two three
  +500 model_error code=response_cancel_not_active message="no active response"
  = model_trouble code=response_cancel_not_active fatal=false
  ! hang_up_carrier
  model_error code=conversation_already_has_active_response
  +2000
  = assistant_speech_finished item_id=a1 heard_ms=2000
  state in_progress
)"},
                                                          {"EndOfAnUnknownResponse", R"(
  ready
  response_ended response_id=r9 status=completed
  response_ended response_id=r9 status=cancelled
  model_audio_done item_id=a9
  checkpoint_played number=5
  audio_cleared
  state in_progress
  ! clear_audio
)"},
                                                          {"AnEmptyItemHoldsNothingUp", R"(
  ready
  response_started response_id=r1
  model_audio response_id=r1 item_id=a1 base64=""
  model_audio_done item_id=a1
  audio r1 a2 300
  model_audio_done item_id=a2
  response_ended response_id=r1 status=completed
  +1000
  = assistant_speech_finished item_id=a2 heard_ms=300
)"},
                                                          {"ModelSpeaksAboutNothingItStarted", R"(
  ready
  audio r1 a1 300               # No response_started: a server that leaves it out.
  > audio_to_carrier item_id=a1
  model_audio_done item_id=a1
  +1000
  = assistant_speech_finished item_id=a1
)"},
                                                      });

const bool kTranscripts = RegisterScenarios("Transcript", {
                                                              {"Complaint16_CallersLateTextKeepsItsPlace", R"(
  ready
  say r1 a1 500 Hello.
  +1000 speech_started item_id=u1
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1 previous_item_id=a1
  say r2 a2 500 Sure.
  +2000
  = transcript_item_final item_id=a2 position=3
  caller_text item_id=u1 text="  I need help. "
  = transcript_item_final item_id=u1 position=2 role=caller heard="I need help."
  hung_up
  = call_ended
  summary_made text=Help.
  ! save_transcript             # Nothing changed behind the end.
)"},
                                                              {"TextBeforeTheCommit", R"(
  ready
  caller_text item_id=u1 text=Early.
  = transcript_item_final item_id=u1 position=1 heard=Early.
  turn_committed item_id=u1
  ! transcript_item_final
)"},
                                                              {"TextThatFailed", R"(
  ready
  speech_started item_id=u1
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  caller_text_failed item_id=u1 detail=audio_unintelligible
  = transcript_item_final item_id=u1 status=failed
  caller_text_failed item_id=u1 detail=again
  ! transcript_item_final
)"},
                                                              {"ItemsAreInsertedBehindTheirPredecessor", R"(
  ready
  say r1 a1 300 Hello.
  +600
  = transcript_item_final item_id=a1 position=1
  item_added item_id=u2 role=caller previous_item_id=u1
  caller_text item_id=u2 text=Second.
  = transcript_item_final item_id=u2 position=2
  item_added item_id=u1 role=caller previous_item_id=a1
  = transcript_item_final item_id=u2 position=3
  caller_text item_id=u1 text=First.
  = transcript_item_final item_id=u1 position=2
)"},
                                                              {"ItemIsAnnouncedBehindItsSound", R"(
  ready
  response_started response_id=r1
  audio r1 a1 300
  assistant_text item_id=a1 delta=Hel
  item_added item_id=a1 response_id=r1
  assistant_text item_id=a1 delta=lo
  model_audio_done item_id=a1
  response_ended response_id=r1 status=completed
  +600
  = transcript_item_final item_id=a1 position=1 heard=Hello status=complete
  total 1 transcript_item_final
)"},
                                                              {"SilenceOfTheCallerIsNoItem", R"(
  ready
  speech_started item_id=u1
  +100 speech_stopped item_id=u1
  turn_committed item_id=u1
  caller_text item_id=u1 text=""
  ! transcript_item_final
)"},
                                                              {"SpokenButNeverCommitted", R"(
  ready
  speech_started item_id=u1
  +300 hung_up
  = call_ended
  summary_made text=Nothing.
  +1900
  ! finished
  +200
  = transcript_item_final item_id=u1 status=failed
)"},
                                                              {"CutTextIsAWordPrefix", R"(
  ready
  say r1 a1 4000 Grüße aus München, liebe Freunde
  +2080 speech_started item_id=u1
  = transcript_item_final status=cut heard="Grüße aus"
)"},
                                                          });

}  // namespace
}  // namespace callbridge::call
