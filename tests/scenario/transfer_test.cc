#include "tests/call/scenario_runner.h"

// The caller is handed to a human, and comes back when nobody picks up.
namespace callbridge::call {
namespace {

// The announcement was heard and the carrier dials.
#define DIALLING                                                                               \
  "ready\n"                                                                                    \
  "say r1 a1 500 Hello.\n"                                                                     \
  "+1000 turn u1 A human please.\n"                                                            \
  "response_started response_id=r2\n"                                                          \
  "item_added item_id=a2 response_id=r2\n"                                                     \
  "audio r2 a2 1000\n"                                                                         \
  "model_audio_done item_id=a2\n"                                                              \
  "assistant_text_done item_id=a2 text=\"I connect you to sales.\"\n"                          \
  "transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales reason=\"wants a human\"\n" \
  "response_ended response_id=r2 status=completed\n"                                           \
  "+1500 transfer_taken transfer_id=x1\n"                                                      \
  "+50 stream_closed detail=stop\n"                                                            \
  "+100 transfer_fetched transfer_id=x1\n"
// Three phones are behind "sales".
#define THREE                                      \
  "option destination sales target +15550112 10\n" \
  "option destination sales target +15550113 12\n"
// The first of them, or the first two, are busy.
#define SECOND                                                              \
  THREE DIALLING                                                            \
      "+3000 transfer_done transfer_id=x1 target=0 outcome=busy detail=1\n" \
      "transfer_fetched transfer_id=x1 target=1\n"
#define THIRD                                                                \
  SECOND                                                                     \
  "+3000 transfer_done transfer_id=x1 target=1 outcome=no_answer detail=2\n" \
  "transfer_fetched transfer_id=x1 target=2\n"
// The carrier's stream brings the caller back.
#define BACK "+300 stream_opened stream_id=s2\n"

const bool kRegistered =
    RegisterScenarios("Transfer", {
                                      {"AnnouncedWordsAreHeardFirst", R"(
  ready
  say r1 a1 300 Hello.
  +500 response_started response_id=r2
  audio r2 a2 1000
  model_audio_done item_id=a2
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales reason="wants a human"
  = tool_called tool_call_id=t1 name=transfer_call
  = transfer_changed transfer_id=x1 destination=sales number=+15550111 state=requested by=assistant
  response_ended response_id=r2 status=completed
  +900
  ! transfer_carrier
  ! state_changed
  +300
  = assistant_speech_finished item_id=a2 heard_ms=1000
  = state_changed from=in_progress to=transferring
  = transfer_changed state=dialing
  > next_step kind=dial transfer_id=x1 number=+15550111
  > transfer_carrier transfer_id=x1
  ! clear_audio
  ! close_stream
  transfer_taken transfer_id=x1
  > close_stream
  total 1 next_step
)"},
                                      {"SilentAssistantIsNotWaitedFor", R"(
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  ! transfer_carrier
  response_ended response_id=r1 status=completed
  > transfer_carrier transfer_id=x1
)"},
                                      {"AnnouncementHasALimit", R"(
  ready
  response_started response_id=r1
  audio r1 a1 60000 1000
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  +14900
  ! transfer_carrier
  +200
  > clear_audio
  > truncate_item item_id=a1
  > transfer_carrier
  = state_changed to=transferring
)"},
                                      {"CallerSpeaksDuringTheAnnouncement", R"(
  ready
  response_started response_id=r1
  audio r1 a1 5000
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  +1000 speech_started item_id=u1
  response_ended response_id=r1 status=cancelled
  > clear_audio
  ! transfer_carrier
  +800 speech_stopped item_id=u1
  turn_committed item_id=u1
  > transfer_carrier transfer_id=x1
)"},
                                      {"UnknownDestination", R"(
  ready
  say r1 a1 300 Hello.
  +500 response_started response_id=r2
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=moon
  = tool_answered tool_call_id=t1 ok=false output="no destination 'moon'; there are: sales, support"
  > answer_tool tool_call_id=t1 ok=false message="no destination 'moon'; there are: sales, support"
  ! transfer_changed
  response_ended response_id=r2 status=completed
  > create_response
  state in_progress
  say r3 a3 300 We have no such place.
  > audio_to_carrier item_id=a3
)"},
                                      {"WhileOneIsUnderWay", R"(
  ready
  response_started response_id=r1
  audio r1 a1 1000
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  transfer_asked transfer_id=x2 tool_call_id=t2 destination=support
  > answer_tool tool_call_id=t2 ok=false message="a transfer is under way"
  transfer_requested transfer_id=x3 destination=support
  response_ended response_id=r1 status=completed
  +1500
  > transfer_carrier transfer_id=x1
  transfer_asked transfer_id=x4 tool_call_id=t4 destination=support
  > answer_tool tool_call_id=t4 ok=false
  total 1 create_response       # The greeting: nobody could hear another.
  total 1 transfer_carrier
)"},
                                      {"RefusedByTheCarrierWithoutAStreamChange", R"(
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  response_ended response_id=r1 status=completed
  > transfer_carrier
  +300 transfer_refused transfer_id=x1 detail="404 not found"
  = transfer_changed state=failed outcome=carrier_error detail="404 not found"
  = state_changed from=transferring to=in_progress
  = caller_returned transfer_id=x1
  > next_step kind=stream
  > answer_tool tool_call_id=t1 ok=false
  > create_response
  ! stream_connected
  total 2 create_response
)"},
                                      {"Complaint18_NotFetchedWithTheStreamClosed", R"(
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  response_ended response_id=r1 status=completed
  +100 transfer_taken transfer_id=x1
  +50 stream_closed detail=stop
  ! stream_lost
  +9000
  ! transfer_changed
  +1000
  = transfer_changed state=failed outcome=carrier_error
  > next_step kind=stream
  +300 stream_opened stream_id=s2
  = caller_returned transfer_id=x1
  > answer_tool tool_call_id=t1 ok=false
)"},
                                      {"Complaint18_NotFetchedAndTheStreamStillOpen", R"(
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  response_ended response_id=r1 status=completed
  +10100
  = transfer_changed state=failed outcome=carrier_error
  = state_changed from=transferring to=in_progress
  = caller_returned
  > answer_tool tool_call_id=t1
  > create_response
  transfer_taken transfer_id=x1
  ! close_stream
  caller_audio base64=AAAA
  > audio_to_model
)"},
                                      {"Complaint18_NotFetchedAndNobodyComesBack", R"(
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  response_ended response_id=r1 status=completed
  +100 transfer_taken transfer_id=x1
  stream_closed detail=stop
  +40000
  = call_ended reason=stream_never_started
  > finished
)"},
                                      {"Complaint18_Busy", DIALLING R"(
  +3000 transfer_done transfer_id=x1 outcome=busy detail="DialStatus busy"
  = transfer_changed state=failed outcome=busy
  > next_step kind=stream
  state transferring
)" BACK R"(
  = stream_connected stream_id=s2 ordinal=2
  = state_changed from=transferring to=in_progress
  = caller_returned transfer_id=x1
  = tool_answered tool_call_id=t1 name=transfer_call ok=false output="The transfer to sales failed: the line was busy. The caller is on the line again."
  > answer_tool tool_call_id=t1 ok=false message="The transfer to sales failed: the line was busy. The caller is on the line again."
  > create_response
  total 1 answer_tool
  total 2 create_response
  say r3 a3 500 Sales is busy.
  > audio_to_carrier item_id=a3
)"},
                                      {"Complaint18_NoAnswer", DIALLING R"(
  +30000 transfer_done transfer_id=x1 outcome=no_answer detail="DialStatus no-answer"
  = transfer_changed state=failed outcome=no_answer
)" BACK R"(
  > answer_tool tool_call_id=t1 ok=false
  > create_response
)"},
                                      {"Complaint18_Rejected", DIALLING R"(
  +2000 transfer_done transfer_id=x1 outcome=rejected
)" BACK R"(
  = transfer_changed state=failed outcome=rejected
  = caller_returned
  > answer_tool tool_call_id=t1 ok=false
)"},
                                      {"Complaint18_UnknownOutcomeByTimeOut", DIALLING R"(
  = transfer_changed state=dialing attempt1_outcome=pending
  +39000                        # It may ring for 25 s, and 15 more are the carrier's.
  ! transfer_changed
  +2000
  = transfer_changed state=failed outcome=unknown attempt1_outcome=unknown
  > next_step kind=stream
  > transfer_carrier            # It would not ask by itself.
)" BACK R"(
  = caller_returned
  > answer_tool tool_call_id=t1 ok=false
)"},
                                      {"Complaint18_StreamReturnsBeforeTheOutcome", DIALLING R"(
  +5000 stream_opened stream_id=s2
  = transfer_changed state=failed outcome=unknown
  = state_changed from=transferring to=in_progress
  = caller_returned
  > next_step kind=stream
  > answer_tool tool_call_id=t1 ok=false
  > create_response
  +100 transfer_done transfer_id=x1 outcome=no_answer
  ! transfer_changed
  ! create_response
  total 1 caller_returned
)"},
                                      {"LateWordOfABridgeDoesNotEndTheCall", DIALLING R"(
  +5000 stream_opened stream_id=s2
  +100 transfer_done transfer_id=x1 outcome=bridged
  ! next_step kind=hang_up
  +20000
  ! call_ended
  state in_progress
)"},
                                      {"HumanAnswersAndHangsUp", DIALLING R"(
  +8000 human_answered transfer_id=x1
  = transfer_changed state=connected outcome=bridged
  = state_changed from=transferring to=transferred
  > request_summary
  +1000 summary_made text="Wants sales."
  = summary_ready summary="Wants sales."
  +60000 transfer_done transfer_id=x1 outcome=bridged detail="DialStatus completed"
  = transfer_changed state=completed outcome=bridged
  > next_step kind=hang_up
  ! hang_up_carrier             # The next instructions do that.
  +200 hung_up reason=normal_hangup party=callee detail=4000
  = call_ended reason=transfer_completed initiator=callee layer=transfer failed=false
  total 1 request_summary
  total 1 call_ended
  > finished
)"},
                                      {"HumanAnswersAndTheCallerHangsUp", DIALLING R"(
  +8000 human_answered transfer_id=x1
  +60000 hung_up party=caller detail=4000
  = transfer_changed state=completed outcome=bridged
  = call_ended reason=transfer_completed initiator=caller layer=transfer failed=false
)"},
                                      {"HumanHangsUpBeforeTheSummaryIsReady", DIALLING R"(
  +8000 human_answered transfer_id=x1
  > request_summary
  +300 hung_up party=callee detail=4000
  = call_ended reason=transfer_completed
  ! summary_failed
  ! finished
  +500 summary_made text="Wants sales."
  = summary_ready
  > finished
  total 1 request_summary
)"},
                                      {"BridgeIsToldOnlyWhenItIsOver", DIALLING R"(
  +30000 transfer_done transfer_id=x1 outcome=bridged
  = transfer_changed state=connected
  = state_changed to=transferred
  = transfer_changed state=completed
  +5100
  = call_ended reason=transfer_completed initiator=callee
  total 1 call_ended
)"},
                                      {"ContradictingWordsBringTheCallerBack", DIALLING R"(
  +8000 human_answered transfer_id=x1
  +100 transfer_done transfer_id=x1 outcome=no_answer
  = transfer_changed state=failed outcome=no_answer
  > next_step kind=stream
)" BACK R"(
  = state_changed from=transferred to=in_progress
  = caller_returned
  > answer_tool tool_call_id=t1
)"},
                                      {"Complaint18_CallerLeavesWhileDialling", DIALLING R"(
  +3000 hung_up party=caller detail=4000
  = transfer_changed state=failed outcome=caller_left
  = call_ended reason=normal_hangup initiator=caller failed=false
  > close_stream
  total 1 call_ended
)"},
                                      {"CallerLeavesDuringTheAnnouncement", R"(
  ready
  response_started response_id=r1
  audio r1 a1 5000
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  +1000 hung_up party=caller
  = transfer_changed state=failed outcome=caller_left
  ! transfer_carrier
)"},
                                      {"EndedWhileDialling", DIALLING R"(
  +3000 end_requested reason=api_ended detail=EndCall
  > next_step kind=hang_up
  > hang_up_carrier
  transfer_done transfer_id=x1 outcome=cancelled
  ! next_step kind=stream
  +200 hung_up party=caller
  = call_ended reason=api_ended initiator=api layer=control
  total 1 call_ended
)"},
                                      {"RefusedAfterTheEndWasAskedFor", R"(
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  response_ended response_id=r1 status=completed
  end_requested detail=EndCall
  transfer_refused transfer_id=x1 detail=500
  = transfer_changed state=failed outcome=carrier_error
  ! caller_returned
  ! next_step kind=stream
  total 1 create_response
  ! answer_tool
)"},
                                      {"RequestedByTheApi", R"(
  ready
  say r1 a1 300 Hello.
  +1000 transfer_requested transfer_id=x1 destination=support reason=escalation
  = transfer_changed state=requested by=api destination=support number=sip:support@example.com
  > next_step kind=dial number=sip:support@example.com
  > transfer_carrier transfer_id=x1
  ! tool_called
  transfer_taken transfer_id=x1
  stream_closed
  +200 transfer_fetched transfer_id=x1
  +5000 transfer_done transfer_id=x1 outcome=busy
)" BACK R"(
  > add_system_text text="The transfer to support failed: the line was busy. The caller is on the line again."
  > create_response
  ! answer_tool
  ! tool_answered
)"},
                                      {"RequestedByTheApiForAnUnknownDestination", R"(
  ready
  transfer_requested transfer_id=x1 destination=moon
  ! transfer_changed
  ! next_step
  state in_progress
)"},
                                      {"RequestedBeforeAnybodyIsThere", R"(
  transfer_requested transfer_id=x1 destination=sales
  ! transfer_changed
  ready
  total 0 transfer_carrier
)"},
                                      {"SecondAfterAFailedOne", DIALLING R"(
  +5000 transfer_done transfer_id=x1 outcome=busy
)" BACK R"(
  response_started response_id=r3
  transfer_asked transfer_id=x2 tool_call_id=t2 destination=support
  = transfer_changed transfer_id=x2 state=requested outcome=pending
  response_ended response_id=r3 status=completed
  > transfer_carrier transfer_id=x2
  transfer_taken transfer_id=x2
  stream_closed
  transfer_done transfer_id=x1 outcome=busy   # Of the first: says nothing of this one.
  ! transfer_changed
  +100 transfer_fetched transfer_id=x2
  +5000 human_answered transfer_id=x2
  +1000 hung_up party=callee
  = call_ended reason=transfer_completed
)"},
                                      {"EveryWebhookTwice", DIALLING R"(
  transfer_taken transfer_id=x1
  transfer_fetched transfer_id=x1
  +3000 human_answered transfer_id=x1
  human_answered transfer_id=x1
  transfer_fetched transfer_id=x1
  total 1 request_summary
  +3000 transfer_done transfer_id=x1 outcome=bridged
  transfer_done transfer_id=x1 outcome=bridged
  hung_up party=callee
  hung_up party=callee
  total 1 call_ended
  total 4 transfer_changed
)"},
                                      {"RepeatedFetchDoesNotStretchTheLimit", DIALLING R"(
  +20000 transfer_fetched transfer_id=x1
  +21000
  = transfer_changed state=failed outcome=unknown
)"},
                                      {"ModelIsLostWhileAHumanTalks", DIALLING R"(
  +8000 human_answered transfer_id=x1
  summary_made text=Short.
  +1000 model_closed reason=model_session_lost detail=1006
  ! hang_up_carrier
  state transferred
  +60000 hung_up party=callee
  = call_ended reason=transfer_completed failed=false
  > finished
)"},
                                      {"ModelIsLostBeforeTheSummaryWhileAHumanTalks", DIALLING R"(
  +8000 human_answered transfer_id=x1
  +1000 model_closed reason=model_session_lost detail=1006
  = summary_failed
  +60000 hung_up party=callee
  = call_ended reason=transfer_completed
  total 1 summary_failed
)"},
                                      {"ModelIsLostWhileDiallingAndTheCallerComesBack", DIALLING R"(
  model_closed reason=model_session_lost detail=1006
  ! hang_up_carrier
  +3000 transfer_done transfer_id=x1 outcome=busy
)" BACK R"(
  = caller_returned
  ! hang_up_carrier
  session m2
  > restore_conversation role=tool tool_call_id=t1
  > create_response
)"},
                                      {"StreamIsLostDuringTheAnnouncement", R"(
  ready
  response_started response_id=r1
  audio r1 a1 3000
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  +1000 stream_closed clean=false detail=1006
  = stream_lost
  response_ended response_id=r1 status=completed
  ! transfer_carrier
  +1000 stream_opened stream_id=s2
  > transfer_carrier transfer_id=x1
  = state_changed to=transferring
)"},
                                  });

// Each target's turn, and how it ends.
const bool kTargetsRegistered =
    RegisterScenarios("Targets", {
                                     {"AllAreToldAtOnceWithTheirRingTimes", THREE R"(
  option destination sales whisper A buyer.
  option destination sales confirm_key 5
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  response_ended response_id=r1 status=completed
  = transfer_changed state=dialing number=+15550111 attempt1_outcome=pending
  > next_step kind=dial number=+15550111 ring_ms=25000 number=+15550112 ring_ms=10000 number=+15550113 ring_ms=12000
  > transfer_carrier
  total 1 next_step whisper="A buyer." confirm_key=5
)"},
                                     {"SecondAnswers", SECOND R"(
  = transfer_changed state=dialing number=+15550112 outcome=pending attempt1_outcome=busy attempt2_outcome=pending
  total 1 next_step             # The carrier has it already.
  total 1 transfer_carrier
  +4000 human_answered transfer_id=x1 target=1
  = transfer_changed state=connected outcome=bridged attempt1_outcome=busy attempt2_outcome=bridged
  +60000 transfer_done transfer_id=x1 target=1 outcome=bridged
  = transfer_changed state=completed outcome=bridged attempt1_outcome=busy attempt2_outcome=bridged
  > next_step kind=hang_up
  +200 hung_up party=callee
  = call_ended reason=transfer_completed
)"},
                                     {"Complaint18_NobodyAnswersAnywhere", THIRD R"(
  = transfer_changed number=+15550113 attempt1_outcome=busy attempt2_outcome=no_answer attempt3_outcome=pending
  +4000 transfer_done transfer_id=x1 target=2 outcome=rejected detail=3
  = transfer_changed state=failed outcome=rejected attempt1_outcome=busy attempt2_outcome=no_answer attempt3_outcome=rejected
  > next_step kind=stream
)" BACK R"(
  = caller_returned
  > answer_tool ok=false message="The transfer to sales failed: 1. the line was busy; 2. nobody answered; 3. the call was declined. The caller is on the line again."
  > create_response
  total 2 create_response
)"},
                                     {"Complaint18_InvalidThenCarrierErrorThenBridged", THREE DIALLING R"(
  +500 transfer_done transfer_id=x1 target=0 outcome=invalid_target
  = transfer_changed state=dialing attempt1_outcome=invalid_target attempt2_outcome=pending
  +10 transfer_fetched transfer_id=x1 target=1
  +500 transfer_done transfer_id=x1 target=1 outcome=carrier_error
  = transfer_changed state=dialing attempt1_outcome=invalid_target attempt2_outcome=carrier_error attempt3_outcome=pending
  +10 transfer_fetched transfer_id=x1 target=2
  +9000 transfer_done transfer_id=x1 target=2 outcome=bridged
  = transfer_changed state=connected
  = transfer_changed state=completed attempt1_outcome=invalid_target attempt2_outcome=carrier_error attempt3_outcome=bridged
)"},
                                     {"Complaint18_UnknownWordAsksTheAssistantInsteadOfAnotherPhone", THREE DIALLING R"(
  +3000 transfer_done transfer_id=x1 target=0 outcome=unknown detail="DialStatus odd"
  = transfer_changed state=failed outcome=unknown attempt1_outcome=unknown
  > next_step kind=stream
)" BACK R"(
  > answer_tool message="The transfer to sales failed: it is not known what came of it. The caller is on the line again."
)"},
                                     {"CancelledByTheCarrierRingsNobodyElse", SECOND R"(
  +3000 transfer_done transfer_id=x1 target=1 outcome=cancelled
  = transfer_changed state=failed outcome=cancelled attempt1_outcome=busy attempt2_outcome=cancelled
  > next_step kind=stream
)"},
                                     {"RepeatedReportSkipsNobody", SECOND R"(
  transfer_done transfer_id=x1 target=0 outcome=busy
  transfer_fetched transfer_id=x1 target=0
  human_answered transfer_id=x1 target=0
  transfer_done transfer_id=x1 target=0 outcome=bridged
  transfer_fetched transfer_id=x1 target=1
  total 0 transfer_changed state=connected
  total 0 transfer_changed state=failed
  total 2 transfer_changed state=dialing
  +4000 transfer_done transfer_id=x1 target=2 outcome=no_answer   # Its turn has not come.
  total 0 transfer_changed state=failed
  total 2 transfer_changed state=dialing
)"},
                                     {"EveryReportTwiceAndReordered", THREE DIALLING R"(
  transfer_taken transfer_id=x1
  transfer_fetched transfer_id=x1 target=0
  +3000 transfer_done transfer_id=x1 target=0 outcome=no_answer
  transfer_fetched transfer_id=x1 target=1
  transfer_fetched transfer_id=x1 target=1
  transfer_done transfer_id=x1 target=0 outcome=no_answer
  +3000 transfer_done transfer_id=x1 target=1 outcome=bridged
  human_answered transfer_id=x1 target=1
  transfer_done transfer_id=x1 target=1 outcome=bridged
  +200 hung_up party=callee
  hung_up party=callee
  total 1 call_ended reason=transfer_completed
  total 5 transfer_changed      # Requested, dialing twice, connected, completed.
)"},
                                     {"WhoWasConnectedAndIsGoneIsNotReplaced", SECOND R"(
  +1000 human_answered transfer_id=x1 target=1
  +100 transfer_done transfer_id=x1 target=1 outcome=no_answer
  = transfer_changed state=failed outcome=no_answer
  > next_step kind=stream
)" BACK R"(
  = state_changed from=transferred to=in_progress
)"},
                                     {"EachHasItsOwnTime", SECOND R"(
  = transfer_changed state=dialing number=+15550112
  +24000                        # It may ring for 10 s, and 15 more are the carrier's.
  ! transfer_changed
  +2000
  = transfer_changed state=failed outcome=unknown attempt1_outcome=busy attempt2_outcome=unknown
  > next_step kind=stream
  > transfer_carrier
)" BACK R"(
  > answer_tool ok=false
)"},
                                     {"WithAKeyThereIsMoreTime", R"(
  option destination sales confirm_key 1
)" DIALLING R"(
  +59000
  total 0 transfer_changed state=failed
  +2000
  = transfer_changed state=failed outcome=unknown
)"},
                                     {"Complaint18_NextOneIsNeverFetched", THREE DIALLING R"(
  +3000 transfer_done transfer_id=x1 target=0 outcome=busy
  +10100
  = transfer_changed state=failed outcome=carrier_error attempt1_outcome=busy attempt2_outcome=carrier_error
  > next_step kind=stream
  > transfer_carrier
)" BACK R"(
  > answer_tool ok=false
)"},
                                     {"Complaint18_CallerLeavesWhileTheSecondRings", SECOND R"(
  +3000 hung_up party=caller
  = transfer_changed state=failed outcome=caller_left attempt1_outcome=busy attempt2_outcome=caller_left
  = call_ended reason=normal_hangup initiator=caller
)"},
                                     {"Complaint18_CallerLeavesBetweenTwo", THREE DIALLING R"(
  +3000 transfer_done transfer_id=x1 target=0 outcome=busy
  hung_up party=caller
  = transfer_changed state=failed outcome=caller_left attempt1_outcome=busy attempt2_outcome=caller_left
  transfer_fetched transfer_id=x1 target=1
  transfer_done transfer_id=x1 target=1 outcome=busy
  ! next_step kind=dial
)"},
                                     {"CarrierGivesTheCallUpWhileDialling", SECOND R"(
  +3000 hung_up reason=xml_rejected party=carrier detail="hangup cause 7012"
  = transfer_changed state=failed outcome=carrier_error attempt1_outcome=busy attempt2_outcome=carrier_error
  = call_ended reason=xml_rejected
)"},
                                     {"StreamThatComesBackWhileTheSecondRings", SECOND R"(
  +3000 stream_opened stream_id=s2
  = transfer_changed state=failed outcome=unknown attempt1_outcome=busy attempt2_outcome=unknown
  = caller_returned
  > next_step kind=stream
  > answer_tool ok=false
  transfer_done transfer_id=x1 target=1 outcome=busy
  ! transfer_changed
)"},
                                     {"EndedBetweenTwo", SECOND R"(
  +1000 end_requested detail=EndCall
  > next_step kind=hang_up
  +10 transfer_done transfer_id=x1 target=1 outcome=busy
  ! transfer_changed state=dialing
  ! next_step kind=stream
  +200 hung_up
  = call_ended reason=api_ended
)"},
                                     {"MaxDurationStrikesWhileAHumanTalks", R"(
  option max_duration=60
)" SECOND R"(
  +1000 human_answered transfer_id=x1 target=1
  +53000
  > hang_up_carrier
  +6000
  = transfer_changed state=completed outcome=bridged attempt1_outcome=busy attempt2_outcome=bridged
  = call_ended reason=max_duration
)"},
                                     {"MaxDurationStrikesWhileDialling", R"(
  option max_duration=10
)" SECOND R"(
  +4000
  > hang_up_carrier
  +6000
  = transfer_changed state=failed outcome=cancelled attempt1_outcome=busy attempt2_outcome=cancelled
  = call_ended reason=max_duration
)"},
                                     {"CallerHangsUpFirst", SECOND R"(
  +1000 human_answered transfer_id=x1 target=1
  +60000 hung_up party=caller
  = transfer_changed state=completed outcome=bridged attempt1_outcome=busy attempt2_outcome=bridged
  = call_ended reason=transfer_completed initiator=caller
)"},
                                     {"FailureTextIsWhatTheAssistantIsAskedToSay", R"(
  option destination sales failure_text Our sales people will call you back.
)" DIALLING R"(
  +3000 transfer_done transfer_id=x1 outcome=busy
)" BACK R"(
  > answer_tool message="The transfer to sales failed: the line was busy. The caller is on the line again. Say to them: Our sales people will call you back."
)"},
                                 });

// Taken back by the API.
const bool kCancelledRegistered =
    RegisterScenarios("TransferCancelled", {
                                               {"DuringTheAnnouncement", R"(
  ready
  response_started response_id=r1
  audio r1 a1 5000
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  +1000 transfer_cancel_requested transfer_id=x1
  = transfer_changed state=failed outcome=cancelled
  = tool_answered tool_call_id=t1 ok=false output="The transfer to sales was cancelled. You still talk to the caller."
  > answer_tool tool_call_id=t1 ok=false
  ! caller_returned
  ! clear_audio
  ! next_step
  response_ended response_id=r1 status=completed
  > create_response
  +6000
  total 0 transfer_carrier
  state in_progress
)"},
                                               {"BeforeTheCarrierTookIt", R"(
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  response_ended response_id=r1 status=completed
  > transfer_carrier
  +20 transfer_cancel_requested transfer_id=x1
  = transfer_changed state=failed outcome=cancelled attempt1_outcome=cancelled
  = caller_returned
  > next_step kind=stream
  > answer_tool ok=false
  ! transfer_carrier            # The caller is on the stream still.
  +20 transfer_taken transfer_id=x1
  ! close_stream
  state in_progress
)"},
                                               {"WhileThePhoneRings", SECOND R"(
  +2000 transfer_cancel_requested transfer_id=x1
  = transfer_changed state=failed outcome=cancelled attempt1_outcome=busy attempt2_outcome=cancelled
  > next_step kind=stream
  > transfer_carrier transfer_id=x1
  +50 transfer_taken transfer_id=x1
  ! close_stream
  +20 transfer_done transfer_id=x1 target=1 outcome=cancelled
  ! transfer_changed
)" BACK R"(
  = caller_returned
  > answer_tool ok=false message="The transfer to sales was cancelled. The caller is on the line again."
  > create_response
)"},
                                               {"TwiceIsOnce", SECOND R"(
  +2000 transfer_cancel_requested transfer_id=x1
  transfer_cancel_requested transfer_id=x1
  total 2 transfer_carrier      # To begin with, and now.
  total 1 transfer_changed state=failed
)"},
                                               {"AHumanWhoTalksIsLeftAlone", SECOND R"(
  +2000 human_answered transfer_id=x1 target=1
  transfer_cancel_requested transfer_id=x1
  ! transfer_changed state=failed
  ! next_step kind=stream
  state transferred
)"},
                                               {"AnotherOnesIdDoesNothing", SECOND R"(
  +2000 transfer_cancel_requested transfer_id=x2
  ! transfer_changed state=failed
)"},
                                               {"Complaint18_TheCarrierWillNot", SECOND R"(
  +2000 transfer_cancel_requested transfer_id=x1
  +50 transfer_refused transfer_id=x1 detail="503"
  ! call_ended
  +12000                        # Longer than a stream may take: the dial has its end.
  ! hang_up_carrier
  +1000 transfer_done transfer_id=x1 target=1 outcome=no_answer
)" BACK R"(
  = caller_returned
  > answer_tool ok=false
)"},
                                               {"Complaint18_TheCarrierWillNotAndAHumanAnswers", SECOND R"(
  +2000 transfer_cancel_requested transfer_id=x1
  +50 transfer_refused transfer_id=x1 detail="503"
  +3000 human_answered transfer_id=x1 target=1
  > transfer_carrier
  human_answered transfer_id=x1 target=1
  total 3 transfer_carrier
)" BACK R"(
  = caller_returned
)"},
                                               {"Complaint18_NobodyComesBackAfterIt", SECOND R"(
  +2000 transfer_cancel_requested transfer_id=x1
  +50 transfer_refused transfer_id=x1 detail="503"
  +60000
  = call_ended reason=stream_never_started
  > finished
)"},
                                               {"AndAskedForAgain", SECOND R"(
  +2000 transfer_cancel_requested transfer_id=x1
)" BACK R"(
  +500 transfer_requested transfer_id=x1 destination=sales     # An id is used once.
  total 1 transfer_changed state=requested
  transfer_requested transfer_id=x2 destination=sales
  = transfer_changed transfer_id=x2 state=requested
)"},
                                           });

// What is said before, and by whom it can be asked for.
const bool kAnnouncedRegistered =
    RegisterScenarios("TransferAnnounced", {
                                               {"SilentAssistantIsAskedToSayIt", R"(
  option destination sales announcement I connect you to our sales people.
  ready
  say r1 a1 300 Hello.
  +1000 turn u1 Sales please.
  response_started response_id=r2
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=sales
  response_ended response_id=r2 status=completed
  > create_response instructions="Say exactly this to the caller, nothing else: I connect you to our sales people."
  ! transfer_carrier
  +300 response_started response_id=r3
  audio r3 a3 1500
  response_ended response_id=r3 status=completed
  +1300
  ! transfer_carrier
  +500
  = assistant_speech_finished item_id=a3 heard_ms=1500
  > transfer_carrier
)"},
                                               {"WhoHasSpokenIsNotAskedAgain", R"(
  option destination sales announcement I connect you to our sales people.
)" DIALLING R"(
  total 1 create_response
  total 1 transfer_carrier
)"},
                                               {"TheApisIsSaidAfterTheSentence", R"(
  option destination sales announcement I connect you to our sales people.
  ready
  response_started response_id=r1
  audio r1 a1 2000
  response_ended response_id=r1 status=completed
  +500 transfer_requested transfer_id=x1 destination=sales
  total 1 create_response
  ! clear_audio
  +2000
  > create_response instructions="Say exactly this to the caller, nothing else: I connect you to our sales people."
  ! transfer_carrier
  response_started response_id=r2
  audio r2 a2 500
  response_ended response_id=r2 status=completed
  +700
  > transfer_carrier
)"},
                                               {"AModelThatDoesNotBeginIsNotWaitedForLong", R"(
  option destination sales announcement I connect you to our sales people.
  ready
  transfer_requested transfer_id=x1 destination=sales
  > create_response
  +3900
  ! transfer_carrier
  +200
  > transfer_carrier
)"},
                                               {"AnAnnouncementWithoutEndIsCut", R"(
  option destination sales announcement I connect you to our sales people.
  ready
  transfer_requested transfer_id=x1 destination=sales
  response_started response_id=r2
  audio r2 a2 60000 1000
  +14900
  ! transfer_carrier
  +200
  > clear_audio
  > transfer_carrier
)"},
                                               {"Complaint18_BargeInDoesNotLoseIt", R"(
  option destination sales announcement I connect you to our sales people.
  ready
  transfer_requested transfer_id=x1 destination=sales
  response_started response_id=r2
  audio r2 a2 5000
  +1000 speech_started item_id=u1
  response_ended response_id=r2 status=cancelled
  > clear_audio
  ! transfer_carrier
  +800 speech_stopped item_id=u1
  turn_committed item_id=u1
  > transfer_carrier transfer_id=x1
  total 2 create_response       # The greeting and the announcement, once.
)"},
                                               {"CallerSpeaksBeforeIt", R"(
  option destination sales announcement I connect you to our sales people.
  ready
  +100 speech_started item_id=u1
  transfer_requested transfer_id=x1 destination=sales
  total 1 create_response
  +800 speech_stopped item_id=u1
  turn_committed item_id=u1
  > create_response
  response_started response_id=r2
  audio r2 a2 500
  response_ended response_id=r2 status=completed
  +700
  > transfer_carrier
)"},
                                               {"ByNumber", R"(
  ready
  transfer_requested transfer_id=x1 number=+15550177 reason="asked for Ann"
  = transfer_changed state=requested by=api destination="" number=+15550177
  > next_step kind=dial number=+15550177
  > transfer_carrier
  transfer_taken transfer_id=x1
  stream_closed
  +200 transfer_fetched transfer_id=x1
  +5000 transfer_done transfer_id=x1 outcome=busy
)" BACK R"(
  > add_system_text text="The transfer failed: the line was busy. The caller is on the line again."
)"},
                                               {"TheModelNamesKeysOnly", R"(
  ready
  response_started response_id=r1
  transfer_asked transfer_id=x1 tool_call_id=t1 destination=+15550177
  > answer_tool ok=false
  transfer_asked transfer_id=x2 tool_call_id=t2 destination=""
  > answer_tool ok=false
  ! transfer_changed
)"},
                                               {"NoMoreThanAllowed", R"(
  option max_transfers=1
)" DIALLING R"(
  +3000 transfer_done transfer_id=x1 outcome=busy
)" BACK R"(
  +100 response_started response_id=r5
  transfer_asked transfer_id=x2 tool_call_id=t2 destination=support
  > answer_tool tool_call_id=t2 ok=false message="no more transfers in this call: it has had 1"
  transfer_requested transfer_id=x3 destination=support
  ! transfer_changed
)"},
                                           });

}  // namespace
}  // namespace callbridge::call
