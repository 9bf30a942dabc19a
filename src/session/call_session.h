#ifndef CALLBRIDGE_SRC_SESSION_CALL_SESSION_H_
#define CALLBRIDGE_SRC_SESSION_CALL_SESSION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/audio/beep_detector.h"
#include "src/audio/voice_meter.h"
#include "src/base/executor.h"
#include "src/call/call.h"
#include "src/call/command.h"
#include "src/call/input.h"
#include "src/carrier/carrier_api.h"
#include "src/events/speech_hub.h"
#include "src/net/loop.h"
#include "src/net/ws_connection.h"
#include "src/openai/server_event.h"
#include "src/plivo/stream_message.h"
#include "src/session/call_metrics.h"
#include "src/session/call_recorder.h"
#include "src/session/carrier_leg.h"
#include "src/session/model_leg.h"
#include "src/session/tool_runner.h"
#include "src/tape/tape_shelf.h"

namespace callbridge::session {

// What a loop's calls share: buffers that are too large to have one each. Used on that loop only.
struct LoopTools {
  net::Loop* loop = nullptr;
  net::WsConnector* connector = nullptr;
  openai::ServerEventParser model_parser;
  plivo::StreamParser stream_parser;
};

// Whoever keeps the list of calls. Called on the call's loop; must not block.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // What the carrier is to be told when it asks next.
  virtual void OnNextStep(const std::string& call_id, const call::command::NextStep& step) = 0;
  virtual void OnCarrierCallId(const std::string& call_id, const std::string& carrier_call_id) = 0;
  virtual void OnStateChanged(const std::string& call_id, call::State state) = 0;
  // A human is about to be dialled because the model wants it. Not OK: too many were.
  virtual absl::Status TakeTransfer() = 0;
  // The call is over and its records are handed over; events about it that come later count from `next_sequence`. The
  // host lets go of the session (later, not inside this call).
  virtual void OnFinished(const std::string& call_id, int64_t next_sequence) = 0;
};

// One live call: feeds call::Call with what the sockets, webhooks and timers bring, and carries out what it commands.
// Made and used on one loop; others post to that loop. Kept alive by shared_ptr while posted work or the carrier's REST
// requests refer to it.
class CallSession final : public std::enable_shared_from_this<CallSession>,
                          private call::CommandSink,
                          private ModelLeg::Owner,
                          private CarrierLeg::Owner {
 public:
  struct Options {
    call::CallOptions call;
    ModelLeg::Options model;
    std::string transfer_url;     // Where the carrier fetches new instructions for this call.
    std::string carrier_call_id;  // Empty: not known yet.
    bool log_transcripts = false;
    absl::optional<store::Owner> owner;  // As whose what it writes counts; not set: nobody asks.
    bool summary_later = false;          // Made from the transcript, when the call is over.
  };
  // Everything outlives the session.
  struct Deps {
    LoopTools* tools = nullptr;
    CallRecorder* recorder = nullptr;
    carrier::CarrierApi* carrier = nullptr;
    base::Executor* carrier_executor = nullptr;  // Its requests block.
    SessionHost* host = nullptr;
    ToolRunner* tool_runner = nullptr;       // Null: no tool of the configuration can be run.
    const tape::TapeShelf* tapes = nullptr;  // Null: calls leave no tapes.
    CallMetrics* metrics = nullptr;          // Null: nobody measures.
    events::SpeechHub* speech = nullptr;     // Null: nobody reads along.
  };

  CallSession(Options options, const Deps& deps);
  ~CallSession() override;

  void Begin();

  // Something happened. Not from inside a callback of this session.
  void Feed(const call::input::Input& input);

  // Asks the carrier to dial; what comes of it is fed to the call.
  void Dial(const carrier::CarrierApi::Dial& dial);

  // A listener for a stream that claims to be this call's. Lives until its connection is closed.
  net::WsConnection::Listener* NewStream();

  void SetCarrierCallId(const std::string& carrier_call_id);

  // The call is somebody else's now: closes what this process has of it at once and asks the carrier to hang up.
  // Nothing more is written or told to the host; whatever comes later is ignored. Not from inside a callback.
  void Drop(absl::string_view why);

  const call::Call& call() const { return call_; }

 private:
  // call::CommandSink
  void AudioToModel(absl::string_view base64) override;
  void AudioToCarrier(absl::string_view base64) override;
  void Do(const call::command::Command& command) override;
  void Record(call::Event event) override;

  // ModelLeg::Owner
  void OnModelInput(const call::input::Input& input) override { Feed(input); }
  void OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64,
                    int64_t bytes) override;
  void OnCallerWords(absl::string_view item_id, absl::string_view delta) override;
  void OnModelNote(absl::string_view what, absl::string_view detail) override;

  // CarrierLeg::Owner
  bool OnStreamStart(CarrierLeg& leg, const plivo::Start& start) override;
  void OnCarrierInput(const call::input::Input& input) override { Feed(input); }
  void OnCallerAudio(absl::string_view base64) override;
  void OnStreamGone(CarrierLeg& leg) override;
  void OnCarrierNote(absl::string_view what, absl::string_view detail) override;

  // One overload per command that is carried out here; the others go to the model's leg.
  void Carry(const call::command::OpenModel& command);
  void Carry(const call::command::CloseModel& command);
  void Carry(const call::command::SendCheckpoint& command);
  void Carry(const call::command::ClearAudio& command);
  void Carry(const call::command::SendDtmf& command);
  void Carry(const call::command::RunTool& command);
  void Carry(const call::command::CloseStream& command);
  void Carry(const call::command::TransferCarrier& command);
  void Carry(const call::command::HangUpCarrier& command);
  void Carry(const call::command::NextStep& command);
  void Carry(const call::command::SaveItem& command);
  void Carry(const call::command::SaveTranscript& command);
  void Carry(const call::command::Finished& command);
  template <typename Command>
  void Carry(const Command& command) {
    model_.Do(command);
  }

  // Runs `request` on the carrier's executor and feeds what it returns, if the call still lives then.
  void AskCarrier(std::function<call::input::Input(carrier::CarrierApi&)> request);
  void HangUpNow();
  void Listen(absl::string_view base64);
  void ShowWords(const call::input::AssistantText& words);
  void AfterInput();
  void FlushRecords();
  void ArmTimer();
  absl::Time Now() const { return deps_.tools->loop->clock().Now(); }

  const Options options_;
  const Deps deps_;
  std::string carrier_call_id_;
  bool hangup_when_known_ = false;
  ModelLeg model_;
  CarrierLeg* stream_ = nullptr;                      // The one that the call uses now.
  std::vector<std::unique_ptr<CarrierLeg>> streams_;  // All whose sockets are still there.
  std::unique_ptr<tape::TapeWriter> tape_;            // Null: none is left. Told of each input before the call is.
  call::Call call_;
  // What the caller's line sounds like; made when the call first asks for it. What the one knows of the line's noise
  // stays for the next time.
  std::unique_ptr<audio::VoiceMeter> voice_;
  std::unique_ptr<audio::BeepDetector> beep_;
  std::map<std::string, size_t> caller_words_;  // By item that is being transcribed: bytes that came so far.
  std::unique_ptr<net::Timer> timer_;
  absl::Time armed_ = absl::InfiniteFuture();
  store::CallWrite write_;  // What the present input changes.
  bool dirty_ = false;
  bool dropped_ = false;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_CALL_SESSION_H_
