#include "tests/call/scenario_runner.h"

// What the assistant does besides talking: tools, keys, goodbyes, machines.
namespace callbridge::call {
namespace {

const bool kTools = RegisterScenarios("Tools", {
                                                   {"ToolRunsOnceAndItsResultIsSpokenOf", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Where is my order?
  response_started response_id=r2
  tool_asked tool_call_id=t1 name=lookup arguments="{\"id\":7}"
  = tool_called tool_call_id=t1 name=lookup
  > run_tool tool_call_id=t1 name=lookup arguments="{\"id\":7}"
  response_ended response_id=r2 status=completed
  tool_asked tool_call_id=t1 name=lookup arguments="{\"id\":7}"
  total 1 run_tool
  +500 tool_finished tool_call_id=t1 ok=true output="{\"state\":\"sent\"}"
  = tool_answered tool_call_id=t1 name=lookup ok=true
  > answer_tool tool_call_id=t1 ok=true
  > create_response
  tool_finished tool_call_id=t1 ok=true output="again"
  total 1 answer_tool
)"},
                                                   {"SeveralToolsGetOneAnswer", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Where is my order?
  response_started response_id=r2
  tool_asked tool_call_id=t1 name=lookup
  tool_asked tool_call_id=t2 name=lookup
  response_ended response_id=r2 status=completed
  +100 tool_finished tool_call_id=t2 ok=true output=two
  total 1 create_response
  +100 tool_finished tool_call_id=t1 ok=false output=busy
  total 2 create_response
)"},
                                                   {"SlowToolGetsASpokenBridge", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Where is my order?
  response_started response_id=r2
  tool_asked tool_call_id=t1 name=lookup
  response_ended response_id=r2 status=completed
  +1900
  total 1 create_response
  +200
  > create_response
  say r3 a3 800 One moment.
  +3000 tool_finished tool_call_id=t1 ok=true output=done
  > answer_tool
  > create_response
  total 3 create_response
)"},
                                                   {"ToolSurvivesABargeIn", R"(
  ready
  response_started response_id=r1
  audio r1 a1 2000
  tool_asked tool_call_id=t1 name=lookup
  +500 speech_started item_id=u1
  response_ended response_id=r1 status=cancelled
  +300 tool_finished tool_call_id=t1 ok=true output=done
  > answer_tool tool_call_id=t1
  total 1 create_response       # Not while the caller speaks.
  +300 speech_stopped item_id=u1
  turn_committed item_id=u1
  total 1 create_response       # The server answers the turn, and with it the tool.
  say r2 a2 300 Found.
  +2000
  total 1 create_response
)"},
                                                   {"ToolSurvivesAReconnect", R"(
  ready
  say r1 a1 300 Hello.
  +1000 response_started response_id=r2
  tool_asked tool_call_id=t1 name=lookup arguments="{\"a\":1}"
  +100 model_closed reason=model_session_lost
  +100 tool_finished tool_call_id=t1 ok=true output=found
  = tool_answered tool_call_id=t1 ok=true
  ! answer_tool
  session m2
  > restore_conversation role=tool tool_call_id=t1 text=found
  > create_response
  total 1 run_tool
)"},
                                                   {"ToolThatNeverEnds", R"(
  ready
  say r1 a1 300 Hello.
  +1000 tool_asked tool_call_id=t1 name=lookup
  +2100 say r2 a2 300 One moment.
  +28000
  = tool_answered tool_call_id=t1 ok=false output="no answer in time"
)"},
                                                   {"SendDtmf", R"(
  ready
  say r1 a1 300 Hello.
  +1000 response_started response_id=r2
  dtmf_asked tool_call_id=t1 digits=12#
  > send_dtmf digits=12#
  > answer_tool tool_call_id=t1 ok=true
  response_ended response_id=r2 status=completed
  > create_response
)"},
                                                   {"KeysReachTheModelAsText", R"(
  ready
  say r1 a1 300 Hello.
  +1000 dtmf digit=1
  = dtmf_received digit=1
  +300 dtmf digit=2
  +1100
  ! add_caller_text
  +150
  > add_caller_text text="[The caller pressed 1 2]"
  > create_response
  = transcript_item_final role=caller heard="[The caller pressed 1 2]" position=2
)"},
                                                   {"HashEndsAnEntryAtOnce", R"(
  ready
  say r1 a1 300 Hello.
  +1000 dtmf digit=7
  dtmf digit=#
  > add_caller_text
)"},
                                               });

const bool kGoodbyes = RegisterScenarios("Goodbye", {
                                                        {"Complaint17_LastWordsAreHeard", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Bye.
  response_started response_id=r2
  item_added item_id=a2 response_id=r2
  audio r2 a2 2000
  model_audio_done item_id=a2
  end_asked tool_call_id=t1 reason="all is said"
  = tool_called tool_call_id=t1 name=end_call
  response_ended response_id=r2 status=completed
  +1900
  ! hang_up_carrier
  +600
  = assistant_speech_finished item_id=a2
  > hang_up_carrier
  hung_up reason=normal_hangup party=system
  = call_ended reason=assistant_ended initiator=assistant failed=false evidence="end_call: all is said"
)"},
                                                        {"Complaint17_BargeInTakesItBack", R"(
  ready
  response_started response_id=r1
  audio r1 a1 3000
  end_asked tool_call_id=t1
  model_audio_done item_id=a1
  response_ended response_id=r1 status=completed
  +1000 speech_started item_id=u1
  = barge_in
  > answer_tool tool_call_id=t1 ok=false
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  say r2 a2 300 Yes?
  +5000
  ! hang_up_carrier
)"},
                                                        {"Complaint17_BoundedWhenNothingIsAcknowledged", R"(
  ready
  acks off
  response_started response_id=r1
  audio r1 a1 3000
  end_asked tool_call_id=t1
  +21000                        # The response never ends.
  > hang_up_carrier
)"},
                                                        {"WithoutAWordItSaysGoodbyeFirst", R"(
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Bye.
  response_started response_id=r2
  end_asked tool_call_id=t1
  ! hang_up_carrier
  response_ended response_id=r2 status=completed
  > create_response
  say r3 a3 600 Goodbye.
  +1000
  > hang_up_carrier
)"},
                                                        {"NotWhileTheCallerSpeaks", R"(
  ready
  say r1 a1 300 Hello.
  +1000 speech_started item_id=u1
  end_asked tool_call_id=t1
  > answer_tool tool_call_id=t1 ok=false
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  +3000
  ! hang_up_carrier
)"},
                                                        {"NotDuringATransfer", R"(
  ready
  say r1 a1 300 Hello.
  +1000 transfer_requested transfer_id=x1 destination=sales
  end_asked tool_call_id=t1
  > answer_tool ok=false
  ! hang_up_carrier
)"},
                                                    });

const bool kMachines = RegisterScenarios("Machine", {
                                                        {"Complaint12_HangsUp", R"(
  option outbound
  option voicemail=hang_up
  dial_accepted
  answered
  ready
  +500 machine_detected detail="Machine=true"
  = machine_answered policy=hang_up
  > hang_up_carrier
  hung_up
  = call_ended reason=answering_machine
)"},
                                                        {"Complaint12_GoesOn", R"(
  option outbound
  option voicemail=continue
  dial_accepted
  answered
  ready
  say r1 a1 300 Hello.
  +500 machine_detected
  = machine_answered policy=continue
  +100 machine_detected
  total 1 machine_answered
  ! hang_up_carrier
)"},
                                                        {"Complaint12_LeavesItsMessageAfterTheBeep", R"(
  option outbound
  option voicemail=leave_message
  dial_accepted
  answered
  ready
  response_started response_id=r1
  audio r1 a1 3000
  +1000 machine_detected
  > clear_audio
  > cancel_response response_id=r1
  audio r1 a1 1000
  ! audio_to_carrier
  response_ended response_id=r1 status=cancelled
  speech_started item_id=u1
  +3000
  ! create_response
  beep_heard
  > create_response
  say r2 a2 2000 Please call us back.
  +500 speech_started item_id=u2
  ! clear_audio                 # The machine's noises stop nothing.
  +1900
  > hang_up_carrier
  hung_up
  = call_ended reason=voicemail_left failed=false
)"},
                                                        {"StoredMessageNeedsNoModel", R"(
  option outbound
  option voicemail=leave_message
  option voicemail_prompt=2000
  dial_accepted
  answered
  ready
  +100 machine_detected
  +4100
  = prompt_played name=voicemail
  +2500
  > hang_up_carrier
)"},
                                                        {"GreetingsEndIsTheSignalWhereThereIsNoBeep", R"(
  option outbound
  option voicemail=leave_message
  option voicemail_prompt=2000
  dial_accepted
  answered
  ready
  speech_started item_id=u1
  +1000 machine_detected
  +9000
  ! prompt_played
  speech_stopped item_id=u1
  turn_committed item_id=u1
  response_started response_id=r2
  > cancel_response response_id=r2
  response_ended response_id=r2 status=cancelled
  +2050
  = prompt_played name=voicemail
)"},
                                                        {"DetectedBeforeTheStream", R"(
  option outbound
  option voicemail=leave_message
  option voicemail_prompt=1000
  dial_accepted
  answered
  machine_detected
  ready
  ! add_system_text             # A machine is not greeted.
  ! create_response
  +5000
  = prompt_played name=voicemail
)"},
                                                        {"MachinesAreNotAskedWhetherTheyAreThere", R"(
  option outbound
  option voicemail=leave_message
  option idle_after=3
  dial_accepted
  answered
  ready
  say r1 a1 300 Hello.
  +1000 machine_detected
  +3900
  ! caller_idle
)"},
                                                        {"InboundCallsHaveNone", R"(
  option voicemail=hang_up
  ready
  machine_detected
  ! machine_answered
)"},
                                                        {"Complaint12_NoSoundBeforeTheAnswer", R"(
  option outbound
  dial_accepted
  rang
  > open_model
  session m1
  +5000
  ! create_response
  audio r1 a1 300
  ! audio_to_carrier
)"},
                                                    });

}  // namespace
}  // namespace callbridge::call
