#ifndef CALLBRIDGE_SRC_SESSION_SWITCHBOARD_H_
#define CALLBRIDGE_SRC_SESSION_SWITCHBOARD_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/base/executor.h"
#include "src/base/mutex.h"
#include "src/carrier/carrier_api.h"
#include "src/net/ws_connection.h"
#include "src/session/call_control.h"
#include "src/session/call_recorder.h"
#include "src/session/call_session.h"
#include "src/session/dial_limits.h"
#include "src/session/dial_rules.h"
#include "src/session/front_desk.h"
#include "src/session/late_settlements.h"
#include "src/session/next_steps.h"
#include "src/session/settings.h"
#include "src/session/tool_runner.h"
#include "src/session/undialled_calls.h"
#include "src/tape/tape_shelf.h"

namespace callbridge::session {

// All live calls of this process: makes them, finds them by any of their names, and carries what webhooks, streams and
// the control plane want to the loop on which the call lives.
//
// Thread-safe. What it knows of a call is what others may ask about at once (its loop, its tokens, what the carrier is
// told next); the rest lives in the session. Its mutex is held for look-ups and posting, never while anything that
// blocks is called.
class Switchboard final : public CallControl, public FrontDesk, private SessionHost {
 public:
  struct Deps {
    std::vector<LoopTools*> loops;  // One per loop.
    CallRecorder* recorder = nullptr;
    carrier::CarrierApi* carrier = nullptr;
    base::Executor* carrier_executor = nullptr;
    const tape::TapeShelf* tapes = nullptr;  // Null: calls leave no tapes.
    CallMetrics* metrics = nullptr;          // Null: nobody measures.
    events::SpeechHub* speech = nullptr;     // Null: nobody reads along.
    // Looks a call up in the store, for calls that are over; answers on any thread.
    std::function<void(const std::string& call_id, std::function<void(absl::StatusOr<store::CallRecord>)>)> find_call;
    // Looks a lead up by its number, for transfers to a number; answers on any thread. Empty: nobody is suppressed.
    std::function<void(const std::string& phone, std::function<void(absl::StatusOr<store::LeadRecord>)>)> find_lead;
    // The newest calls, at most `limit`; answers on any thread. Empty: calls to a number that is to be dialled for a
    // transfer are not counted.
    std::function<void(const store::CallFilter& filter, int limit,
                       std::function<void(absl::StatusOr<std::vector<store::CallRecord>>)>)>
        list_calls;
    // The call that a request has made; answers on any thread. Empty: a request that comes again is told of limits.
    std::function<void(const store::RequestKey& key,
                       std::function<void(absl::StatusOr<absl::optional<store::CallRecord>>)>)>
        find_request;
    // Looks a call up by the carrier's ids, for notices of calls that are not here. May be empty.
    LateSettlements::Find find_carrier_call;
    // Told when a call is over and all its records are handed over; `next_sequence` is for the first event that
    // somebody else adds. The call is still live then. On its loop; must not block. May be empty.
    std::function<void(const std::string& call_id, int64_t next_sequence)> on_finished;
    ToolRunner* tool_runner = nullptr;  // Null: no tool of the configuration can be run.
    // The node that this process is: calls are made as its own, and tokens name it. Empty: it is none.
    std::string node_id;
  };
  // `settings` and everything in `deps` outlive the switchboard; the loops must have stopped before it is destroyed.
  Switchboard(const Settings& settings, Deps deps);
  ~Switchboard() override;

  // ---- CallControl ----
  using StartDone = std::function<void(absl::StatusOr<store::CallRecord>)>;
  using NumberProblems = std::function<void(absl::StatusOr<std::vector<absl::Status>>)>;
  void StartCall(StartRequest request, StartDone done) override;
  void EvaluateStart(const StartRequest& request, NumberProblems done) override;
  void EndCall(absl::string_view call_id, absl::string_view reason, absl::string_view goodbye,
               std::function<void(absl::Status)> done) override;
  void TransferCall(TransferRequest request, std::function<void(absl::StatusOr<call::Transfer>)> done) override;
  void CancelTransfer(absl::string_view call_id, absl::string_view transfer_id,
                      std::function<void(absl::StatusOr<call::Transfer>)> done) override;
  void Steer(SteerRequest request, std::function<void(absl::StatusOr<Steered>)> done) override;
  Standing standing() const override;
  bool IsLive(absl::string_view call_id) const override;
  std::vector<std::string> Destinations() const override;

  // ---- FrontDesk ----
  Instructions OnAnswer(const AnswerNotice& notice) override;
  void OnRing(absl::string_view call_token, absl::string_view carrier_call_id) override;
  void OnHangup(const HangupNotice& notice) override;
  Instructions OnNextStep(absl::string_view call_token) override;
  void OnDialProgress(const DialRef& dial, DialProgress what) override;
  Instructions OnTransferDone(const DialRef& dial, call::TransferOutcome outcome, absl::string_view detail) override;
  absl::optional<std::string> OnWhisper(absl::string_view call_token) override;
  void OnMachine(absl::string_view call_token, absl::string_view carrier_call_id, absl::string_view detail) override;
  void OnStreamStatus(absl::string_view carrier_call_id, absl::string_view event, absl::string_view detail) override;

  // ---- Streams ----
  // The loop of the call that a stream token belongs to; -1: unknown token.
  int LoopOfStream(absl::string_view stream_token) const;
  // Uses up the token and makes the stream's listener. On that loop. Null: unknown or used before.
  net::WsConnection::Listener* ClaimStream(absl::string_view stream_token);

  // ---- Shutdown ----
  // From now on no call begins: inbound ones are refused, StartCall is kUnavailable.
  void StopAccepting();
  // Ends every call with kServerDrain.
  void EndAll();
  int live_calls() const;

  // Whether a call of the carrier is live here, or was and is remembered. Any thread.
  bool KnowsCarrierCall(absl::string_view carrier_call_id) const;

  // Ends what this process has of a call that is another owner's now: its sockets are closed, the carrier is asked to
  // hang up, and nothing is written for it, nor on_finished told. Nothing happens if it is not live here. Any thread.
  void DropCall(absl::string_view call_id, absl::string_view why);

 private:
  struct LiveCall {
    std::string call_id;
    std::string token;         // In URLs.
    std::string stream_token;  // Unused; empty: none.
    std::string carrier_call_id;
    std::string caller_id;
    int loop = 0;
    call::State state = call::State::kDialing;
    NextSteps next;
    bool machine = false;                  // The call was told that a machine answered.
    std::shared_ptr<CallSession> session;  // Touched on its loop only, but for posting.
  };
  struct Plan {  // What a new call is made from.
    call::CallOptions call;
    const Agent* agent = nullptr;
    std::string token;
    int loop = 0;
    std::string carrier_call_id;
    absl::Time counted;  // As what the start is in starts_.
  };

  // SessionHost
  void OnNextStep(const std::string& call_id, const call::command::NextStep& step) override;
  void OnCarrierCallId(const std::string& call_id, const std::string& carrier_call_id) override;
  void OnStateChanged(const std::string& call_id, call::State state) override;
  void OnFinished(const std::string& call_id, int64_t next_sequence) override;
  absl::Status TakeTransfer() override;

  // ---- How calls begin, and what may keep them from it ----
  Plan MakePlan(call::Direction direction, const std::string& from, const std::string& to, const std::string& agent);
  store::CallRecord RecordOf(const Plan& plan, absl::Time now) const;
  std::shared_ptr<CallSession> MakeSession(const Plan& plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // In the order in which StartCall names them.
  std::vector<absl::Status> ProblemsNow() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What the database says against dialling `number`, `field` of a request.
  void LookUpNumber(const std::string& field, const std::string& number, const NumberProblems& done) const;
  // Counts a start, unless there are too many; OnStarted() must follow.
  absl::Status TakeStart(const StartTerms& terms, const std::string& to, Plan* plan);
  void RefuseUnlessKnown(const StartRequest& request, absl::Status refusal, StartDone done) const;
  CallRecorder::CreateCheck CheckBefore(const std::string& to) const;
  // Null: an equal request, or another one with its id, is under way, and `done` waits for that one's answer.
  StartDone BeFirst(const store::RequestKey& key, StartDone done);
  void OnStarted(const Plan& plan, bool begins);
  absl::Status WhyNotStarted(const std::string& call_id, const absl::Status& refused);
  void BeginOutbound(const Plan& plan, const StartRequest& request);

  absl::Status CheckTransfer(const TransferRequest& request) const;
  // On the call's loop. `refusal`: why nobody new is to be dialled; what was asked before is answered all the same.
  absl::StatusOr<call::Transfer> TransferNow(CallSession& session, const TransferRequest& request,
                                             const absl::Status& refusal);
  static absl::StatusOr<call::Transfer> CancelNow(CallSession& session, const std::string& transfer_id);
  Instructions AdmitInbound(const AnswerNotice& notice) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Instructions InstructionsFor(LiveCall& live) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  LiveCall* FindByToken(absl::string_view token) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  LiveCall* FindById(absl::string_view call_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  LiveCall* FindByCarrierId(absl::string_view carrier_call_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes a call off the list; its session goes when its loop comes round.
  void Forget(const std::string& call_id);
  void Remember(const LiveCall& live) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Feeds an input to a call on its loop.
  void Feed(const LiveCall& live, call::input::Input input);
  absl::Time Now() const;

  const Settings& settings_;
  const Deps deps_;

  mutable base::Mutex mutex_;
  bool accepting_ ABSL_GUARDED_BY(mutex_) = true;
  int starting_ ABSL_GUARDED_BY(mutex_) = 0;  // Outbound calls whose row is being written.
  // By principal and request_id: who waits for the answer of the first, with their fingerprints.
  std::map<std::pair<std::string, std::string>, std::vector<std::pair<std::string, StartDone>>> running_starts_
      ABSL_GUARDED_BY(mutex_);
  DialMeter starts_ ABSL_GUARDED_BY(mutex_);
  DialMeter transfers_ ABSL_GUARDED_BY(mutex_);
  unsigned next_loop_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, std::unique_ptr<LiveCall>> calls_ ABSL_GUARDED_BY(mutex_);  // By call id.
  absl::flat_hash_map<std::string, LiveCall*> by_token_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, LiveCall*> by_stream_token_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, LiveCall*> by_carrier_id_ ABSL_GUARDED_BY(mutex_);
  // The carrier's ids of calls that are over, the last ten thousand, and which calls they were: a late or repeated
  // answer callback makes no second call.
  absl::flat_hash_map<std::string, std::string> ended_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> ended_order_ ABSL_GUARDED_BY(mutex_);
  LateSettlements late_;
  UndialledCalls undialled_;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_SWITCHBOARD_H_
