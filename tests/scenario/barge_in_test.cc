#include "tests/call/scenario_runner.h"

// The caller speaks over the assistant.
namespace callbridge::call {
namespace {

const bool kRegistered =
    RegisterScenarios("BargeIn", {
                                     {"WhileItSoundsAndTheModelStillSpeaks", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  assistant_text item_id=a1 delta="one two three four five six seven eight nine ten"
  audio r1 a1 5000
  +1080 speech_started item_id=u1
  > clear_audio
  > truncate_item item_id=a1 audio_end_ms=950..1050
  = barge_in item_id=a1 heard_ms=950..1050 received_ms=5000
  = caller_speech_started item_id=u1
  ! cancel_response             # Its server does that.
  audio r1 a1 1000              # Late.
  ! audio_to_carrier
  assistant_text_done item_id=a1 text="one two three four five six seven eight nine ten"
  response_ended response_id=r1 status=cancelled
  = transcript_item_final item_id=a1 status=cut heard="one two" generated_ms=6000
  +2000
  ! audio_to_carrier
)"},
                                     {"Complaint01_AfterResponseDoneWhileQueued", R"(
  ready
  say r1 a1 8000 one two three four five six seven eight
  +2080 speech_started item_id=u1
  > clear_audio
  > truncate_item item_id=a1 audio_end_ms=1950..2050
  = barge_in item_id=a1 received_ms=8000
  = transcript_item_final item_id=a1 status=cut heard="one two"
  ! cancel_response
  +5000
  ! audio_to_carrier
  ! clear_audio
)"},
                                     {"Complaint01_AfterTheLastSoundWasHandedOver", R"(
  ready
  say r1 a1 300 Good morning.
  +200 speech_started item_id=u1
  > clear_audio
  > truncate_item item_id=a1 audio_end_ms=90..170
)"},
                                     {"NothingToInterrupt", R"(
  ready
  say r1 a1 300 Hello.
  +2000 speech_started item_id=u1
  ! clear_audio
  ! truncate_item
  ! barge_in
  = caller_speech_started item_id=u1
)"},
                                     {"BeforeAnySound", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  +100 speech_started item_id=u1
  ! clear_audio
  ! truncate_item
  ! barge_in
  +30 audio r1 a1 400
  ! audio_to_carrier
  response_ended response_id=r1 status=cancelled
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  +200 say r2 a2 500 Yes?
  > audio_to_carrier item_id=a2
)"},
                                     {"Complaint04_SoundThatNobodyHeardIsDeletedAtTheModel", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  +100 speech_started item_id=u1
  audio r1 a1 400
  audio r1 a1 400
  > delete_item item_id=a1
  total 1 delete_item
  assistant_text_done item_id=a1 text="Never heard."
  response_ended response_id=r1 status=cancelled
  = transcript_item_final item_id=a1 status=cut generated="Never heard." heard=""
)"},
                                     {"Complaint03_ZeroHeardIsDeletedNotTruncated", R"(
  ready
  response_started response_id=r1
  audio r1 a1 1000
  +20 speech_started item_id=u1
  > clear_audio
  > delete_item item_id=a1
  ! truncate_item
  = barge_in item_id=a1 heard_ms=0
)"},
                                     {"Complaint03_NeverBeyondWhatWasReceived", R"(
  ready
  response_started response_id=r1
  audio r1 a1 100
  +5000 speech_started item_id=u1
  > truncate_item item_id=a1 audio_end_ms=100
  ! delete_item
)"},
                                     {"Complaint03_NeverBeyondWhatWasSent", R"(
  acks off
  ready
  response_started response_id=r1
  audio r1 a1 30000 1000
  +700 speech_started item_id=u1
  > truncate_item item_id=a1 audio_end_ms=550..650
)"},
                                     {"ItemsBehindTheAudibleOneAreDeleted", R"(
  ready
  response_started response_id=r1
  audio r1 a1 1000
  model_audio_done item_id=a1
  audio r1 a2 1000
  model_audio_done item_id=a2
  audio r1 a3 1000
  +580 speech_started item_id=u1
  > clear_audio
  > truncate_item item_id=a1 audio_end_ms=450..550
  > delete_item item_id=a2
  > delete_item item_id=a3
  = barge_in item_id=a1
  total 1 barge_in
)"},
                                     {"TheFirstOfTwoItemsWasHeard", R"(
  ready
  response_started response_id=r1
  audio r1 a1 500
  model_audio_done item_id=a1
  assistant_text_done item_id=a1 text="One moment."
  audio r1 a2 1000
  +1080 speech_started item_id=u1
  = assistant_speech_finished item_id=a1 heard_ms=500
  > truncate_item item_id=a2 audio_end_ms=450..550
  ! truncate_item item_id=a1
  = barge_in item_id=a2
)"},
                                     {"SecondDuringTheFirst", R"(
  option we_cancel
  ready
  response_started response_id=r1
  audio r1 a1 2000
  +580 speech_started item_id=u1
  > clear_audio
  > cancel_response response_id=r1
  > truncate_item item_id=a1
  +100 speech_started item_id=u1
  ! clear_audio
  ! cancel_response
  ! truncate_item
  ! delete_item
  ! barge_in
  response_ended response_id=r1 status=cancelled
  +100 speech_started item_id=u2
  ! cancel_response
  total 1 clear_audio
)"},
                                     {"TwiceInOneResponse", R"(
  option we_cancel
  ready
  response_started response_id=r1
  audio r1 a1 2000
  +580 speech_started item_id=u1
  +300 speech_stopped item_id=u1
  turn_committed item_id=u1
  audio r1 a1 500
  +300 speech_started item_id=u2
  audio r1 a1 500
  total 1 cancel_response
  total 1 truncate_item
  total 1 barge_in
  hung_up detail=4000           # It was cancelled: not again.
  total 1 cancel_response response_id=r1
)"},
                                     {"WeCancelBeforeAnySound", R"(
  option we_cancel
  ready
  response_started response_id=r1
  +50 speech_started item_id=u1
  > cancel_response response_id=r1
  ! clear_audio
  total 1 cancel_response
)"},
                                     {"WeDoNotCancelWhatHasEnded", R"(
  option we_cancel
  ready
  say r1 a1 3000 A long sentence.
  +1000 speech_started item_id=u1
  > clear_audio
  > truncate_item
  ! cancel_response
)"},
                                     {"Complaint02_LateSoundOfTheCutResponseIsNeverHeard", R"(
  ready
  response_started response_id=r1
  audio r1 a1 1000
  +500 speech_started item_id=u1
  > truncate_item item_id=a1
  audio r1 a1 200
  audio r1 a2 200               # Another item of the same response.
  > delete_item item_id=a2
  ! audio_to_carrier
  response_ended response_id=r1 status=cancelled
  +700 speech_stopped item_id=u1
  turn_committed item_id=u1
  +200 response_started response_id=r2
  audio r2 a3 400
  > audio_to_carrier item_id=a3
)"},
                                     {"AResponseThatStartsBeforeTheCutOneEndedIsHeard", R"(
  ready
  response_started response_id=r1
  audio r1 a1 1000
  +500 speech_started item_id=u1
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  response_started response_id=r2
  > truncate_item item_id=a1
  audio r1 a1 200
  ! audio_to_carrier
  audio r2 a2 400
  > audio_to_carrier item_id=a2
  response_ended response_id=r1 status=cancelled
  audio r2 a2 400
  model_audio_done item_id=a2
  response_ended response_id=r2 status=completed
  +1500
  = assistant_speech_finished item_id=a2 heard_ms=800
)"},
                                     {"Complaint05_AcknowledgementsAreLost", R"(
  ready
  acks off
  say r1 a1 2000 one two three four
  +2200
  = assistant_speech_finished item_id=a1 heard_ms=2000 basis=estimated
  turn u1 Go on.
  +200 say r2 a2 2000 five six seven eight
  +1080 speech_started item_id=u2
  > truncate_item item_id=a2 audio_end_ms=950..1070
  = barge_in item_id=a2 basis=estimated
  acks on
  +600 speech_stopped item_id=u2
  turn_committed item_id=u2
  say r3 a3 1000 nine ten
  +2000
  = assistant_speech_finished item_id=a3 heard_ms=1000 basis=acknowledged
)"},
                                     {"Complaint05_AcknowledgementsAreRepeatedUnknownAndOutOfOrder", R"(
  ready
  acks off
  say r1 a1 3000 one two three
  +480 checkpoint_played number=77
  +420 checkpoint_played number=2
  checkpoint_played number=1
  checkpoint_played number=2
  checkpoint_played number=-1
  +200 speech_started item_id=u1
  > truncate_item item_id=a1 audio_end_ms=950..1070
  checkpoint_played number=3
  checkpoint_played number=4
  ! assistant_speech_finished
  total 1 barge_in
)"},
                                     {"Complaint05_AcknowledgementsThatTheClearSwallowed", R"(
  ready
  say r1 a1 3000 one two three
  +1000 speech_started item_id=u1
  audio_cleared
  +600 speech_stopped item_id=u1
  turn_committed item_id=u1
  caller_text item_id=u1 text=Stop.
  +200 say r2 a2 1000 four five
  +1200
  = assistant_speech_finished item_id=a2 heard_ms=1000 basis=acknowledged
)"},
                                     {"SlowCarrierIsLearned", R"(
  option carrier_delay=150
  ready
  say r1 a1 3000 one two three
  +3500 turn u1 Yes.
  +200 say r2 a2 3000 four five six
  +1150 speech_started item_id=u2
  > truncate_item item_id=a2 audio_end_ms=980..1020
)"},
                                     {"LateAcknowledgements", R"(
  option ack_delay=60
  ready
  say r1 a1 3000 one two three
  +1580 speech_started item_id=u1
  > truncate_item item_id=a1 audio_end_ms=1400..1550
)"},
                                     {"AnItemWhoseEndTheModelNeverTold", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  assistant_text item_id=a1 delta="Half a"
  audio r1 a1 400
  response_ended response_id=r1 status=incomplete
  +1000
  = assistant_speech_finished item_id=a1 heard_ms=400
  = transcript_item_final item_id=a1 heard="Half a"
  turn u1 Pardon?
  +200 say r2 a2 400 I said half.
  +1000
  = assistant_speech_finished item_id=a2 heard_ms=400
  = transcript_item_final item_id=a2 status=complete
)"},
                                     {"ACutItemWhoseTextNeverEnds", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  assistant_text item_id=a1 delta="one two three four"
  audio r1 a1 4000
  +2080 speech_started item_id=u1
  ! transcript_item_final
  response_ended response_id=r1 status=cancelled
  = transcript_item_final item_id=a1 status=cut heard="one two"
)"},
                                     {"Complaint04_WordsThatComeBehindTheCutCountAsUnheard", R"(
  ready
  response_started response_id=r1
  item_added item_id=a1 response_id=r1
  audio r1 a1 1000
  +580 speech_started item_id=u1
  audio r1 a1 1000
  assistant_text_done item_id=a1 text="one two three four five six seven eight"
  response_ended response_id=r1 status=cancelled
  = transcript_item_final item_id=a1 status=cut heard="one two" generated_ms=2000
)"},
                                     {"Complaint06_OneTurnOneAnswer", R"(
  ready
  say r1 a1 300 Hello.
  +500 turn u1 Call my mother.
  response_started response_id=r2
  tool_refused tool_call_id=t1 name=call_mother problem="there is no tool named call_mother"
  tool_refused tool_call_id=t2 name=call_mother problem="there is no tool named call_mother"
  > answer_tool tool_call_id=t1 ok=false
  > answer_tool tool_call_id=t2 ok=false
  total 1 create_response       # Only when this one has ended.
  response_ended response_id=r2 status=completed
  > create_response
  total 2 create_response       # The greeting and this.
  say r3 a3 500 I cannot.
  +1000
  total 2 create_response
)"},
                                     {"Complaint06_TheCallersNextTurnAnswersForTheTool", R"(
  ready
  say r1 a1 300 Hello.
  +500 turn u1 Call my mother.
  response_started response_id=r2
  tool_refused tool_call_id=t1 name=call_mother problem="no such tool"
  speech_started item_id=u2
  response_ended response_id=r2 status=cancelled
  total 1 create_response
  +500 speech_stopped item_id=u2
  turn_committed item_id=u2
  response_started response_id=r3
  response_ended response_id=r3 status=completed
  total 1 create_response
)"},
                                 });

}  // namespace
}  // namespace callbridge::call
