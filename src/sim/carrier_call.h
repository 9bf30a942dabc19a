#ifndef CALLBRIDGE_SRC_SIM_CARRIER_CALL_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_CALL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "src/net/event_loop.h"
#include "src/sim/carrier_dial.h"
#include "src/sim/carrier_fetch.h"
#include "src/sim/carrier_log.h"
#include "src/sim/carrier_stream.h"
#include "src/sim/carrier_ticker.h"
#include "src/sim/carrier_webhooks.h"
#include "src/sim/person.h"
#include "src/sim/scenario.h"
#include "src/sim/speech.h"
#include "src/sim/xml_reader.h"

namespace callbridge::sim {

// A webhook's address.
struct Webhook {
  std::string url;  // Empty: none.
  std::string method = "POST";
};

// What a call is made of: who rings whom, and where the server wants to hear about it.
struct CallOrder {
  std::string uuid;
  bool outbound = false;
  std::string from;
  std::string to;
  std::string caller_name;
  Webhook answer, fallback, ring, hangup;
  absl::Duration ring_timeout = absl::Seconds(120);
  absl::Duration hangup_on_ring = absl::InfiniteDuration();
  absl::Duration time_limit = absl::Seconds(14400);
  absl::Duration wait = absl::ZeroDuration();  // In the queue of dials.
  bool detect_machine = false;
  bool hang_up_on_machine = false;
  absl::Duration detection_time = absl::Seconds(5);
  Webhook machine;  // Told while the call goes on; without it the answer webhook waits for the verdict.
  Scenario scenario;
};

// What calls of one carrier share.
struct CallShared {
  std::string auth_id;
  std::string auth_token;
  std::string public_base;
  std::string dial_base;
  Webhooks* webhooks = nullptr;
  std::shared_ptr<const SpeechLibrary> speech;
};

// One phone call at the carrier: rings, runs the documents that the server answers with, and ends. On its loop only.
class CarrierCall final : private CarrierTicker::Ticked,
                          private CarrierStream::Owner,
                          private CarrierDial::Owner,
                          private Person::Phone {
 public:
  // `quiet` is called once, in a tick, when the call is over and nothing will come from it any more; the caller then
  // destroys the call, but not inside `quiet`.
  CarrierCall(CallOrder order, const CallShared& shared, std::shared_ptr<CallLog> log, net::EventLoop& loop,
              CarrierTicker& ticker, std::function<void()> quiet);
  ~CarrierCall() override;

  void Start();

  // REST. Nothing happens when the call is over.
  void HangUpByApi();
  void Transfer(const Webhook& to);
  // Ends the stream; false: none is active.
  bool StopStream();
  void SpeakByApi(const std::string& text);

 private:
  static constexpr int kMaxDocuments = 70;

  enum class Document { kAnswer, kAction, kTransfer, kRedirect };
  struct Alarm {
    absl::Time at;
    std::function<void()> run;
  };
  // Collects keys for <GetDigits>.
  struct Gather {
    XmlElement element;
    std::string digits;
    absl::Time until;
    int tries_left = 1;
  };

  void OnTick(absl::Time beat) override;

  // The stream's news.
  void OnStreamStarted(CarrierStream& stream) override;
  void OnStreamSound(absl::Time start, absl::string_view bytes) override;
  void OnStreamPlayed(CarrierStream& stream, const std::string& checkpoint) override;
  void OnStreamCleared(CarrierStream& stream, int64_t bytes) override;
  void OnStreamDtmf(const std::string& digits) override;
  void OnStreamDegraded(CarrierStream& stream, int percent) override;
  void OnStreamViolation(const std::string& what) override;
  void OnStreamEnded(CarrierStream& stream, bool dropped, const std::string& why) override;

  void OnDialStep(const std::string& what) override;
  void OnDialProgress(const Params& params) override;
  void OnDialWhisper(const std::string& url) override;
  void OnDialDone(const Params& params) override;

  void HangUp() override;
  void Press(char digit) override;
  void DropStream(bool reconnect) override;
  void SetAudio(bool on) override;
  void OnStep(const std::string& what) override;
  void OnFailed(const std::string& what) override;

  absl::Time Now() const { return loop_.clock().Now(); }
  void After(absl::Duration delay, std::function<void()> run);
  // The same, unless the document has been replaced meanwhile.
  void AfterInDocument(absl::Duration delay, std::function<void()> run);
  void RunAlarms(absl::Time now);
  bool StreamActive() const { return stream_ != nullptr && !stream_->ended(); }

  void StartInbound();
  void StartOutbound();
  void Pick();  // The called person's phone does what the scenario says.
  void OnPickedUp();
  void TellMachine();
  void MarkAnswered();
  void SetStatus(const std::string& status);
  void End(int code, const std::string& source);
  void EndStatus(int code, const std::string& source, const std::string& status);
  void SendHangup();

  Params Common(const std::string& event) const;
  void Notify(const std::string& what, const Webhook& webhook, Params params);
  void FetchDocument(Document kind, const Webhook& webhook, Params params);
  void OnDocument(Document kind, const WebhookReply& reply, const Params& params);
  void DocumentFailed(Document kind, const Params& params, int code);
  void FetchTransfer();
  void Next();
  // True: what follows waits for it.
  bool Execute(const XmlElement& element);
  bool ExecuteStream(const XmlElement& element);
  bool ExecuteDial(const XmlElement& element);
  bool ExecuteSpeak(const XmlElement& element);
  bool ExecuteWait(const XmlElement& element);
  bool ExecuteHangup(const XmlElement& element);
  bool ExecuteRedirect(const XmlElement& element);
  bool ExecuteRecord(const XmlElement& element);
  bool ExecuteGetDigits(const XmlElement& element);
  void TickGather(absl::Time now);
  void FinishGather();
  void StreamStatus(CarrierStream& stream, const std::string& event, Params more = {});
  Pickup NextPickup(const std::string& number);

  const CallOrder order_;
  const CallShared& shared_;
  const std::shared_ptr<CallLog> log_;
  net::EventLoop& loop_;
  CarrierTicker& ticker_;
  const std::function<void()> quiet_;
  CarrierFetch fetch_;
  Person person_;

  std::vector<Alarm> alarms_;
  absl::Time started_;
  absl::Time answered_ = absl::InfiniteFuture();
  absl::Time ended_ = absl::InfiniteFuture();
  std::string status_ = "ringing";
  bool over_ = false;
  bool person_active_ = false;
  std::string last_step_;  // Of the person.
  Params hangup_params_;

  // The document that runs.
  int generation_ = 0;  // Grows with each document; what belongs to an older one is ignored.
  std::vector<XmlElement> elements_;
  size_t at_ = 0;
  bool stream_blocks_ = false;
  bool fallback_used_ = false;
  int documents_ = 0;  // Transfers and redirects, for the loop limit.
  Webhook pending_transfer_;

  std::vector<std::unique_ptr<CarrierStream>> streams_;
  CarrierStream* stream_ = nullptr;  // The last one.
  int streams_started_ = 0;
  std::unique_ptr<CarrierDial> dial_;
  XmlElement dial_element_;
  std::vector<std::unique_ptr<CarrierDial>> old_dials_;  // Not destroyed inside their own calls.
  std::map<std::string, size_t> dialled_;
  std::unique_ptr<Gather> gather_;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_CALL_H_
