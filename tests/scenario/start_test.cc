#include "tests/call/scenario_runner.h"

// From the first ring to the first words.
namespace callbridge::call {
namespace {

const bool kRegistered = RegisterScenarios("Start", {
                                                        {"Complaint12_GreetsWhenTheStreamComesLast", R"(
  model_created session_id=sess_1 model=gpt-realtime
  > configure_model
  = model_ready session_id=sess_1 model=gpt-realtime
  +200 model_configured
  ! create_response
  +300 stream_opened stream_id=s1
  = stream_connected stream_id=s1 ordinal=1
  = state_changed from=answered to=in_progress
  > add_system_text text="Greet the caller."
  > create_response
  total 1 create_response
)"},
                                                        {"Complaint12_GreetsWhenTheModelComesLast", R"(
  stream_opened stream_id=s1
  ! create_response
  +300 model_created session_id=sess_1
  ! create_response
  +300 model_configured
  > add_system_text text="Greet the caller."
  > create_response
  total 1 create_response
)"},
                                                        {"GreetingIsHeardAndMarked", R"(
  ready
  say r1 a1 1000 Good morning, how can I help?
  > audio_to_carrier item_id=a1
  > save_item item_id=a1
  = assistant_speech_started item_id=a1 greeting=true
  +1200
  = assistant_speech_finished item_id=a1 heard_ms=1000 basis=acknowledged
  = transcript_item_final item_id=a1 position=1 role=assistant status=complete heard="Good morning, how can I help?" generated_ms=1000
  total 1 assistant_speech_started
)"},
                                                        {"AudioIsHandedOverALittleAhead", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  audio r1 a1 5000
  sent a1 100..650              # The lead, and no more than a piece.
  +1000
  sent a1 1100..1650
  +5000
  sent a1 5000..5000
)"},
                                                        {"CallerSpeaksFirst", R"(
  option no_greeting
  ready
  ! create_response
  ! add_system_text
  +1000 turn u1 Hello?
  = caller_speech_started item_id=u1
  = caller_speech_stopped item_id=u1
  = transcript_item_final item_id=u1 position=1 role=caller heard=Hello? heard_ms=600
  ! create_response             # The model's server answers a turn by itself.
  +300 say r1 a1 800 Hi there.
  = assistant_speech_started item_id=a1 greeting=false
  ! turn_measured               # It has not been heard yet.
  +400
  = turn_measured caller_item_id=u1 commit=0 first_audio=300 first_sent=300 first_heard=360..400
)"},
                                                        {"Complaint11_EarlyWordsReachTheModelInOrder", R"(
  stream_opened stream_id=s1
  frames 5
  ! audio_to_model
  model_created session_id=sess_1
  +100 model_configured
  > audio_to_model bytes=160
  > audio_to_model bytes=160
  > audio_to_model bytes=160
  > audio_to_model bytes=160
  > audio_to_model bytes=160
  total 5 audio_to_model
  caller_audio base64=QUJD
  > audio_to_model bytes=3 sound=QUJD
)"},
                                                        {"EarlyAudioIsBoundedAndKeepsTheNewest", R"(
  option early_frames=2
  stream_opened stream_id=s1
  caller_audio base64=AAAA
  caller_audio base64=BBBB
  caller_audio base64=CCCC
  model_created session_id=sess_1
  model_configured
  > audio_to_model sound=BBBB
  > audio_to_model sound=CCCC
  total 2 audio_to_model
)"},
                                                        {"EarlyAudioOfALostStreamIsForgotten", R"(
  stream_opened stream_id=s1
  caller_audio base64=AAAA
  stream_closed clean=false detail=1006
  model_created session_id=sess_1
  model_configured
  ! audio_to_model
  +500 stream_opened stream_id=s2
  caller_audio base64=BBBB
  > audio_to_model sound=BBBB
  total 1 audio_to_model
)"},
                                                        {"CallersSoundPassesUntouched", R"(
  option no_greeting
  ready
  caller_audio base64="/v7+fn5+"
  > audio_to_model bytes=6 sound=/v7+
  caller_audio base64=fw==
  > audio_to_model bytes=1 sound=fw==
)"},
                                                        {"ModelsSoundThatIsNotBase64IsDropped", R"(
  ready
  response_started response_id=r1
  model_audio response_id=r1 item_id=a1 base64="not base64!"
  ! audio_to_carrier
  audio r1 a1 200
  > audio_to_carrier item_id=a1
)"},
                                                        {"OutboundOpensTheModelWhileItRings", R"(
  option outbound
  ! open_model
  dial_accepted request_id=req-1
  +2000 rang carrier_call_id=c1
  = state_changed from=dialing to=ringing
  > open_model
  +500 model_created session_id=sess_1
  model_configured
  ! create_response
  +8000 answered carrier_call_id=c1
  = state_changed from=ringing to=answered
  ! open_model
  ! create_response
  +200 stream_opened stream_id=s1
  > create_response
  total 1 open_model
)"},
                                                        {"OutboundWhoseRingingNobodyTold", R"(
  option outbound
  dial_accepted request_id=req-1
  +9000 answered carrier_call_id=c1
  > open_model
  = state_changed from=dialing to=answered
  rang carrier_call_id=c1
  ! open_model
  ! state_changed
  ready
  total 1 create_response
)"},
                                                        {"OutboundWhoseStreamComesBeforeTheAnswer", R"(
  option outbound
  rang carrier_call_id=c1
  +3000 stream_opened stream_id=s1
  = state_changed to=answered
  = state_changed to=in_progress
  answered carrier_call_id=c1
  ! state_changed
  model_created session_id=sess_1
  model_configured
  > create_response
  +10000 hung_up detail=4000
  = call_ended reason=normal_hangup seconds=10
)"},
                                                        {"OutboundWhoseStreamIsTheFirstSign", R"(
  option outbound
  +3000 stream_opened stream_id=s1
  > open_model
  = state_changed from=dialing to=answered
  model_created session_id=sess_1
  model_configured
  > create_response
)"},
                                                        {"Complaint20_EveryWebhookTwice", R"(
  option outbound
  dial_accepted request_id=req-1
  dial_accepted request_id=req-1
  +100 rang carrier_call_id=c1
  rang carrier_call_id=c1
  +100 answered carrier_call_id=c1
  answered carrier_call_id=c1
  rang carrier_call_id=c1
  ready
  model_created session_id=sess_1
  model_configured
  stream_closed clean=false
  stream_closed clean=false
  total 1 stream_lost
  hung_up detail=4000
  hung_up detail=4000
  total 1 call_ended
  total 1 open_model
  total 1 configure_model
  total 1 model_ready
  total 1 create_response
  total 1 finished
)"},
                                                        {"TurnsAndTones", R"(
  ready
  say r1 a1 600 Hello.
  +1000 turn u1 I want to buy a boat.
  +400 say r2 a2 2000 A boat, very good. Which one?
  +500 dtmf digit=5
  = dtmf_received digit=5
  +2000 turn u2 The red one.
  +400 say r3 a3 1000 Noted.
  +1500 hung_up detail=4000
  = call_ended reason=normal_hangup initiator=caller layer=signalling failed=false
  > request_summary
  +500 summary_made text="Wants the red boat."
  = summary_ready summary="Wants the red boat."
  > finished
  total 6 transcript_item_final
  total 0 barge_in
)"},
                                                    });

}  // namespace
}  // namespace callbridge::call
