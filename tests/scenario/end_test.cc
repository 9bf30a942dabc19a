#include "tests/call/scenario_runner.h"

// Every way a call can end.
namespace callbridge::call {
namespace {

const bool kRegistered = RegisterScenarios("End", {
                                                      {"CallerHangsUp", R"(
  ready
  say r1 a1 500 Hello.
  +10000 hung_up party=caller detail="4000 Normal Hangup"
  = state_changed to=completed
  = call_ended reason=normal_hangup initiator=caller layer=signalling failed=false retryable=false seconds=10 evidence="4000 Normal Hangup"
  > next_step kind=hang_up
  > close_stream
  > request_summary
  ! hang_up_carrier
)"},
                                                      {"CallerGivesUpBeforeTheStream", R"(
  +500 hung_up party=caller detail=4000
  = call_ended reason=caller_cancelled initiator=caller failed=true
  > close_model
  > finished
  ! request_summary
  ! summary_failed
)"},
                                                      {"EndRequested", R"(
  ready
  say r1 a1 5000 A long greeting.
  +1000 end_requested detail="EndCall by ops"
  > clear_audio
  > truncate_item
  > next_step kind=hang_up
  > hang_up_carrier
  ! call_ended
  +300 hung_up party=caller detail=4000
  = call_ended reason=api_ended initiator=api layer=control failed=false evidence="EndCall by ops"
)"},
                                                      {"EndRequestedTwiceAndTheNoticeNeverComes", R"(
  ready
  +1000 end_requested detail=first
  +1000 end_requested detail=second
  total 1 hang_up_carrier
  +4100
  = call_ended reason=api_ended evidence=first
  total 1 call_ended
)"},
                                                      {"EndRequestedBeforeTheAnswer", R"(
  option outbound
  +100 end_requested detail=EndCall
  > hang_up_carrier
  dial_accepted request_id=q
  +500 rang carrier_call_id=c1
  ! open_model
  answered carrier_call_id=c1
  ! open_model
  stream_opened stream_id=s1
  > close_stream
  ! stream_connected
  +5000
  = call_ended reason=api_ended initiator=api failed=true
  > finished
  total 0 open_model
)"},
                                                      {"EndRequestedWhileItRings", R"(
  option outbound
  +100 rang carrier_call_id=c1
  +3000 end_requested detail=EndCall
  +100 hung_up reason=caller_cancelled party=callee
  = call_ended reason=api_ended initiator=api failed=true seconds=0
  > finished
)"},
                                                      {"ServerDrain", R"(
  ready
  +1000 end_requested reason=server_drain detail=SIGTERM
  +100 hung_up party=caller
  = call_ended reason=server_drain initiator=system layer=process
)"},
                                                      {"MaxDuration", R"(
  option max_duration=60
  ready
  say r1 a1 300 Hello.
  +59900
  ! hang_up_carrier
  +200
  > hang_up_carrier
  +5000
  = call_ended reason=max_duration initiator=system layer=control failed=false
)"},
                                                      {"RingTimeOut", R"(
  option outbound
  dial_accepted request_id=q
  +1000 rang carrier_call_id=c1
  +60000
  > hang_up_carrier
  +300 hung_up reason=caller_cancelled party=callee
  = call_ended reason=no_answer retryable=true failed=true
)"},
                                                      {"DialAcceptedAndNothingRang", R"(
  option outbound
  dial_accepted request_id=q
  +60100
  > hang_up_carrier
  +5000
  = call_ended reason=no_answer
)"},
                                                      {"DialUnknownAndNothingWasHeard", R"(
  option outbound
  dial_unknown detail="time-out"
  +60100
  > hang_up_carrier
  +5000
  = call_ended reason=dial_outcome_unknown initiator=carrier retryable=false
)"},
                                                      {"DialUnknownAndYetItRings", R"(
  option outbound
  dial_unknown detail="time-out"
  +2000 rang carrier_call_id=c1
  +3000 answered carrier_call_id=c1
  ready
  > create_response
  state in_progress
)"},
                                                      {"DialRefused", R"(
  option outbound
  dial_refused reason=carrier_refused detail="401"
  = call_ended reason=carrier_refused initiator=carrier layer=signalling failed=true retryable=false seconds=0 evidence=401
  > finished
  ! open_model
)"},
                                                      {"CarrierUnavailable", R"(
  option outbound
  dial_refused reason=carrier_unavailable detail="503"
  = call_ended reason=carrier_unavailable retryable=true
)"},
                                                      {"Busy", R"(
  option outbound
  dial_accepted request_id=q
  +3000 hung_up reason=busy party=callee detail=3010
  = call_ended reason=busy initiator=callee retryable=true failed=true
)"},
                                                      {"NoAnswer", R"(
  option outbound
  rang carrier_call_id=c1
  +30000 hung_up reason=no_answer party=callee
  = call_ended reason=no_answer
  > close_model
)"},
                                                      {"Rejected", R"(
  option outbound
  rang carrier_call_id=c1
  hung_up reason=rejected party=callee
  = call_ended reason=rejected retryable=false
)"},
                                                      {"InvalidNumber", R"(
  option outbound
  hung_up reason=invalid_number party=carrier
  = call_ended reason=invalid_number initiator=carrier
)"},
                                                      {"Complaint12_AnsweringMachine", R"(
  option outbound
  answered carrier_call_id=c1
  ready
  +1000 end_requested reason=answering_machine detail=MachineDetected
  > hang_up_carrier
  +100 hung_up party=callee
  = call_ended reason=answering_machine retryable=true failed=true
)"},
                                                      {"XmlRejected", R"(
  +200 hung_up reason=xml_rejected party=carrier detail="8011 Invalid Answer XML"
  = call_ended reason=xml_rejected failed=true
)"},
                                                      {"StreamNeverStarted", R"(
  model_created session_id=sess_1
  model_configured
  +10100
  > hang_up_carrier
  +200 hung_up party=carrier
  = call_ended reason=stream_never_started initiator=carrier layer=media_stream failed=true
)"},
                                                      {"ModelNeverReady", R"(
  stream_opened stream_id=s1
  +20700
  total 4 open_model
  ! hang_up_carrier
  +100
  > hang_up_carrier
  +200 hung_up party=caller
  = call_ended reason=model_unavailable initiator=model layer=model_session
)"},
                                                      {"ModelRefused", R"(
  stream_opened stream_id=s1
  model_error code=invalid_api_key message="Incorrect API key" fatal=true reason=model_refused
  = model_trouble code=invalid_api_key fatal=true
  > hang_up_carrier
  model_closed reason=model_refused
  +200 hung_up party=caller
  = call_ended reason=model_refused initiator=model failed=true retryable=false
  total 1 hang_up_carrier
)"},
                                                      {"ModelRefusedAtTheUpgrade", R"(
  model_closed reason=model_refused detail="HTTP 401"
  > hang_up_carrier
  +5100
  = call_ended reason=model_refused
)"},
                                                      {"Complaint08_QuotaIsUsedUp", R"(
  ready
  response_started response_id=r1
  response_ended response_id=r1 status=failed code=insufficient_quota detail="You exceeded your quota"
  = model_trouble code=insufficient_quota
  model_error code=insufficient_quota message="You exceeded your quota" fatal=true reason=model_quota
  = model_trouble fatal=true
  > hang_up_carrier
  +2000
  ! create_response
  hung_up party=caller
  = call_ended reason=model_quota initiator=model layer=model_session retryable=false
)"},
                                                      {"ModelUnavailable", R"(
  model_closed reason=model_unavailable detail="connection refused"
  model_closed reason=model_unavailable detail="connection refused"
  +250 model_closed reason=model_unavailable detail="connection refused"
  +500 model_closed reason=model_unavailable detail="connection refused"
  > hang_up_carrier
  +5100
  = call_ended reason=model_unavailable retryable=true
)"},
                                                      {"ModelClosesMidCallAndIsNotToBeHadAgain", R"(
  ready
  say r1 a1 3000 one two three
  +1080 model_closed reason=model_session_lost detail="close code 1006"
  = model_trouble code=session_closed fatal=true
  ! clear_audio                 # What came is worth hearing.
  model_closed reason=model_session_lost detail="close code 1006"
  +250 model_closed reason=model_session_lost detail="close code 1006"
  +500 model_closed reason=model_session_lost detail="close code 1006"
  ! hang_up_carrier             # Not in the middle of a word.
  +2000
  > hang_up_carrier
  +200 hung_up party=caller
  = call_ended reason=model_session_lost initiator=model layer=model_session failed=true
  = summary_failed
  > finished
  ! request_summary
)"},
                                                      {"StreamLostCleanlyAndNoNotice", R"(
  ready
  say r1 a1 500 Hello.
  +2000 stream_closed clean=true detail=stop
  ! stream_lost                 # Nearly always the caller's hang-up.
  state in_progress
  +4900
  ! call_ended
  +200
  > hang_up_carrier
  = call_ended reason=normal_hangup initiator=caller failed=false
  total 1 call_ended
)"},
                                                      {"StreamLostCleanlyAndTheNoticeComes", R"(
  ready
  +2000 stream_closed clean=true detail=stop
  +300 hung_up party=caller detail=4000
  = call_ended reason=normal_hangup evidence=4000
  ! hang_up_carrier
)"},
                                                      {"StreamBroken", R"(
  ready
  +2000 stream_closed clean=false detail="close code 1006"
  +5100
  > hang_up_carrier
  +200 hung_up party=caller
  = call_ended reason=media_stream_lost initiator=carrier layer=media_stream failed=true retryable=true
)"},
                                                      {"ProcessLostAndInternalErrorKeepTheirReasons", R"(
  ready
  end_requested reason=internal_error detail=invariant
  +5100
  = call_ended reason=internal_error failed=true layer=process
)"},
                                                      {"SummaryLate", R"(
  ready
  turn u1 Hello.
  +100 hung_up party=caller
  > request_summary
  +7900
  ! finished
  +200
  = summary_failed reason="the model did not answer in time"
  > finished
  summary_made text=Late.
  ! summary_ready
)"},
                                                      {"SummaryFails", R"(
  ready
  turn u1 Hello.
  hung_up party=caller
  +100 summary_unavailable detail="the model's response was failed"
  = summary_failed reason="the model's response was failed"
  > close_model
  > finished
)"},
                                                      {"ModelClosesWhileItSumsUp", R"(
  ready
  turn u1 Hello.
  hung_up party=caller
  > request_summary
  +100 model_closed detail=1006
  = summary_failed
  > finished
)"},
                                                      {"NothingWasSaidNothingIsSummedUp", R"(
  ready
  +1000 hung_up party=caller
  ! request_summary
  ! summary_failed
  > finished
)"},
                                                      {"LateTextIsSaved", R"(
  ready
  speech_started item_id=u1
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  hung_up party=caller
  = call_ended reason=normal_hangup
  summary_made text=Short.
  ! finished
  +500 caller_text item_id=u1 text="Last words."
  = transcript_item_final item_id=u1 heard="Last words."
  > save_transcript transcript="Caller: Last words."
  > finished
  total 1 save_transcript
)"},
                                                      {"LateTextDoesNotComeInTime", R"(
  ready
  speech_started item_id=u1
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  hung_up party=caller
  summary_made text=Short.
  +1900
  ! finished
  +200
  = transcript_item_final item_id=u1 status=failed
  > save_transcript
  > finished
)"},
                                                      {"RunningResponseIsCancelledAtTheEnd", R"(
  ready
  response_started response_id=r1
  audio r1 a1 3000
  +1000 hung_up party=caller
  > clear_audio
  > truncate_item item_id=a1
  > cancel_response response_id=r1
  total 1 cancel_response
)"},
                                                      {"Complaint19_TheCarriersNoticeComesFirst", R"(
  hung_up party=caller
  = call_ended
  stream_opened stream_id=s1
  answered carrier_call_id=c1
  total 1 call_ended
)"},
                                                  });

}  // namespace
}  // namespace callbridge::call
