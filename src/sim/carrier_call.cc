#include "src/sim/carrier_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/sim/carrier_causes.h"

namespace callbridge::sim {
namespace {

constexpr absl::Duration kRingsAfter = absl::Milliseconds(50);
constexpr absl::Duration kTransferFetchLimit = absl::Seconds(5);
// How long a call stays after its end for late callbacks and closing handshakes.
constexpr absl::Duration kLinger = absl::Seconds(8);
constexpr absl::Duration kSpeakPerCharacter = absl::Milliseconds(40);
constexpr absl::Duration kLateHangup = absl::Seconds(2);
constexpr absl::Duration kReorderedBy = absl::Milliseconds(200);
constexpr int kAnswerRetries = 2;
// Of an answering machine.
constexpr char kBeep[] = "beep:400";
constexpr absl::Duration kRecords = absl::Seconds(60);

std::string Timestamp(absl::Time time, bool micros) {
  if (time == absl::InfiniteFuture()) return "";
  return absl::FormatTime(micros ? "%Y-%m-%d %H:%M:%E6S" : "%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone());
}

std::string DigitsOf(absl::string_view number) {
  std::string digits;
  for (const char c : number) {
    if (absl::ascii_isdigit(c)) digits += c;
  }
  return digits;
}

// The last digit of 701x and 801x.
int DigitOf(int document) { return 1 + document; }

// What a machine does before its owner's part of the scenario, which most leave out.
std::vector<PersonStep> StepsOf(const Scenario& scenario) {
  const Pickup& pickup = scenario.pickup;
  if (scenario.inbound || pickup.kind != Pickup::Kind::kMachine) return scenario.person;
  PersonStep greeting;
  greeting.kind = PersonStep::Kind::kSay;
  greeting.clips = pickup.greeting;
  greeting.duration = pickup.greeting_length;
  std::vector<PersonStep> steps = {greeting};
  if (pickup.beep) {
    PersonStep beep;
    beep.kind = PersonStep::Kind::kSay;
    beep.clips = {kBeep};
    steps.push_back(beep);
  }
  steps.insert(steps.end(), scenario.person.begin(), scenario.person.end());
  if (!scenario.person.empty()) return steps;
  PersonStep records;
  records.duration = kRecords;
  PersonStep hangs_up;
  hangs_up.kind = PersonStep::Kind::kHangUp;
  steps.push_back(records);
  steps.push_back(hangs_up);
  return steps;
}

const char* const kDocumentNames[] = {"answer", "action", "transfer", "redirect"};

}  // namespace

CarrierCall::CarrierCall(CallOrder order, const CallShared& shared, std::shared_ptr<CallLog> log, net::EventLoop& loop,
                         CarrierTicker& ticker, std::function<void()> quiet)
    : order_(std::move(order)),
      shared_(shared),
      log_(std::move(log)),
      loop_(loop),
      ticker_(ticker),
      quiet_(std::move(quiet)),
      fetch_({shared.auth_token, shared.public_base, shared.dial_base, order_.scenario.carrier}, *shared.webhooks,
             loop),
      person_(StepsOf(order_.scenario), shared.speech),
      started_(loop.clock().Now()) {}

CarrierCall::~CarrierCall() { ticker_.Remove(this); }

void CarrierCall::Start() {
  ticker_.Add(this);
  if (order_.wait > absl::ZeroDuration()) return After(order_.wait, [this] { StartOutbound(); });
  order_.outbound ? StartOutbound() : StartInbound();
}

void CarrierCall::StartInbound() {
  person_active_ = true;
  FetchDocument(Document::kAnswer, order_.answer, Common("StartApp"));
}

void CarrierCall::StartOutbound() {
  if (over_) return;
  const Pickup& pickup = order_.scenario.pickup;
  if (pickup.kind == Pickup::Kind::kInvalidNumber) {
    return After(kRingsAfter, [this] { End(3050, "Carrier"); });
  }
  After(kRingsAfter, [this] { Notify("ring", order_.ring, Common("Ring")); });
  After(kRingsAfter + std::min(order_.hangup_on_ring, absl::Hours(24)), [this] {
    if (status_ == "ringing") End(6000, "Plivo");
  });
  After(kRingsAfter + order_.ring_timeout, [this] {
    if (status_ == "ringing") End(6010, "Plivo");
  });
  After(kRingsAfter + pickup.after, [this] { Pick(); });
}

void CarrierCall::Pick() {
  if (over_) return;
  switch (order_.scenario.pickup.kind) {
    case Pickup::Kind::kAnswer:
    case Pickup::Kind::kMachine: return OnPickedUp();
    case Pickup::Kind::kBusy: return End(3010, "Callee");
    case Pickup::Kind::kNoAnswer: return End(3000, "Carrier");
    case Pickup::Kind::kReject: return End(3020, "Callee");
    default: return End(3080, "Carrier");
  }
}

void CarrierCall::OnPickedUp() {
  person_active_ = true;
  MarkAnswered();
  const bool machine = order_.scenario.pickup.kind == Pickup::Kind::kMachine;
  if (order_.detect_machine && machine && (order_.hang_up_on_machine || !order_.machine.url.empty()))
    After(order_.detection_time, [this] { TellMachine(); });
  Params params = Common("StartApp");
  if (!order_.detect_machine || !order_.machine.url.empty())
    return FetchDocument(Document::kAnswer, order_.answer, params);
  params.emplace_back("Machine", machine ? "true" : "false");
  log_->Update([machine](CarrierCallReport& report) { report.machine_told = machine; });
  After(order_.detection_time, [this, params] {
    if (!over_) FetchDocument(Document::kAnswer, order_.answer, params);
  });
}

// About a human nothing is told.
void CarrierCall::TellMachine() {
  if (over_) return;
  Params params = Common("MachineDetection");
  params.emplace_back("Machine", "true");
  params.emplace_back("IfMachine", order_.hang_up_on_machine ? "hangup" : "continue");
  log_->Update([](CarrierCallReport& report) { report.machine_told = true; });
  Notify("machine-detection", order_.machine, params);
  if (order_.hang_up_on_machine) End(9100, "Plivo");
}

void CarrierCall::MarkAnswered() {
  if (answered_ != absl::InfiniteFuture()) return;
  answered_ = Now();
  SetStatus("in-progress");
  log_->Update([this](CarrierCallReport& report) { report.answered = answered_; });
  log_->Step("answered", "");
  After(order_.time_limit, [this] { End(6000, "Plivo"); });
}

void CarrierCall::SetStatus(const std::string& status) {
  status_ = status;
  log_->Update([&status](CarrierCallReport& report) { report.status = status; });
}

// ---- Time ----

void CarrierCall::After(absl::Duration delay, std::function<void()> run) {
  alarms_.push_back({Now() + delay, std::move(run)});
}

void CarrierCall::AfterInDocument(absl::Duration delay, std::function<void()> run) {
  After(delay, [this, generation = generation_, run = std::move(run)] {
    if (generation == generation_ && !over_) run();
  });
}

void CarrierCall::RunAlarms(absl::Time now) {
  // Taken out first: an alarm may set others.
  for (size_t i = 0; i < alarms_.size();) {
    if (alarms_[i].at > now) {
      ++i;
      continue;
    }
    const std::function<void()> run = std::move(alarms_[i].run);
    alarms_.erase(alarms_.begin() + static_cast<int64_t>(i));
    run();
    i = 0;
  }
}

void CarrierCall::OnTick(absl::Time beat) {
  if (!alarms_.empty()) RunAlarms(beat);
  if (over_) return;
  old_dials_.clear();
  if (person_active_) {
    Person::Sight sight;
    sight.connected = dial_ != nullptr && dial_->connected();
    sight.transferring = dial_ != nullptr;
    // A machine talks to whoever is there.
    const bool machine = order_.outbound && order_.scenario.pickup.kind == Pickup::Kind::kMachine;
    sight.line_open = machine || streams_started_ > 0 || sight.connected || gather_ != nullptr;
    sight.streams = streams_started_;
    person_.Tick(beat, sight, *this);
  }
  if (over_) return;
  if (stream_ != nullptr) stream_->Tick(beat, person_.voice());
  if (dial_ != nullptr) dial_->Tick(beat);
  if (gather_ != nullptr) TickGather(beat);
}

// ---- The end ----

void CarrierCall::HangUpByApi() {
  // Before the answer it is a cancelled dial, after it an ordinary end that we asked for.
  End(answered_ == absl::InfiniteFuture() ? 1000 : 4000, "API Request");
}

void CarrierCall::End(int code, const std::string& source) {
  EndStatus(code, source, CauseOf(code, answered_ != absl::InfiniteFuture()).call_status);
}

void CarrierCall::EndStatus(int code, const std::string& source, const std::string& status) {
  if (over_) return;
  const absl::Time now = Now();
  if (dial_ != nullptr) dial_->Abandon(now);
  over_ = true;
  ended_ = now;
  ++generation_;
  const Cause cause = CauseOf(code, answered_ != absl::InfiniteFuture());
  SetStatus(status);
  log_->Update([&](CarrierCallReport& report) {
    report.over = true;
    report.ended = now;
    report.hangup_code = code;
    report.hangup_name = cause.name;
    report.hangup_source = source;
  });
  log_->Step("over", absl::StrCat(code, " ", cause.name, ", ", source));
  const int64_t seconds =
      answered_ == absl::InfiniteFuture() ? 0 : absl::ToInt64Seconds(absl::Ceil(now - answered_, absl::Seconds(1)));
  const int64_t minutes = (seconds + 59) / 60;
  hangup_params_ = Common("Hangup");
  hangup_params_.emplace_back("HangupCause",
                              answered_ == absl::InfiniteFuture() && code == 4000 ? "ORIGINATOR_CANCEL" : cause.cause);
  hangup_params_.emplace_back("HangupCauseName", cause.name);
  hangup_params_.emplace_back("HangupCauseCode", absl::StrCat(code));
  hangup_params_.emplace_back("HangupSource", source);
  hangup_params_.emplace_back("Duration", absl::StrCat(seconds));
  hangup_params_.emplace_back("BillDuration", absl::StrCat(minutes * 60));
  hangup_params_.emplace_back("TotalCost", absl::StrCat("0.0", minutes * 55, "00").substr(0, 7));
  hangup_params_.emplace_back("StartTime", Timestamp(started_, false));
  hangup_params_.emplace_back("AnswerTime", Timestamp(answered_, false));
  hangup_params_.emplace_back("EndTime", Timestamp(ended_, false));
  const CarrierManners& manners = order_.scenario.carrier;
  const auto close = [this] {
    for (const auto& stream : streams_) stream->Close("Call hangup");
  };
  if (manners.reorder_hangup) {
    SendHangup();
    After(kReorderedBy, close);
  } else {
    close();
    manners.late_hangup ? After(kLateHangup, [this] { SendHangup(); }) : SendHangup();
  }
  After(kLinger, quiet_);
}

void CarrierCall::SendHangup() { Notify("hangup", order_.hangup, hangup_params_); }

// ---- Webhooks ----

Params CarrierCall::Common(const std::string& event) const {
  Params params = {{"CallUUID", order_.uuid},
                   {"From", order_.from},
                   {"To", order_.to},
                   {"Direction", order_.outbound ? "outbound" : "inbound"},
                   {"CallStatus", status_},
                   {"Event", event},
                   {"BillRate", "0.0055"},
                   {"ParentAuthID", shared_.auth_id},
                   {"SessionStart", Timestamp(started_, true)}};
  if (order_.outbound) {
    for (const char* name : {"RequestUUID", "ALegUUID", "ALegRequestUUID"}) params.emplace_back(name, order_.uuid);
  } else {
    params.emplace_back("CallerName", absl::StrCat("+", DigitsOf(order_.from)));
    params.emplace_back("STIRVerification", "Not Applicable");
  }
  return params;
}

void CarrierCall::Notify(const std::string& what, const Webhook& webhook, Params params) {
  if (webhook.url.empty()) return;
  fetch_.Fetch(webhook.method, webhook.url, params, 1, [this, what](const WebhookReply& reply) {
    log_->Step(what, reply.status != 0 ? absl::StrCat(reply.status) : reply.error);
  });
}

void CarrierCall::FetchDocument(Document kind, const Webhook& webhook, Params params) {
  const int generation = ++generation_;
  const int retries = kind == Document::kAnswer ? kAnswerRetries : 1;
  const Params sent = params;
  fetch_.Fetch(webhook.method, webhook.url, params, retries, [this, kind, generation, sent](const WebhookReply& reply) {
    log_->Step(kDocumentNames[static_cast<int>(kind)], reply.status != 0 ? absl::StrCat(reply.status) : reply.error);
    if (generation == generation_ && !over_) OnDocument(kind, reply, sent);
  });
}

void CarrierCall::OnDocument(Document kind, const WebhookReply& reply, const Params& params) {
  const int digit = DigitOf(static_cast<int>(kind));
  if (reply.status < 200 || reply.status > 299) return DocumentFailed(kind, params, 7010 + digit);
  if (!absl::StrContains(reply.content_type, "application/xml") && !absl::StrContains(reply.content_type, "text/xml")) {
    log_->Violation(absl::StrCat(kDocumentNames[static_cast<int>(kind)], ": Content-Type '", reply.content_type,
                                 "' must be application/xml or text/xml"));
  }
  absl::StatusOr<std::vector<XmlElement>> elements = ReadAnswer(reply.body);
  if (!elements.ok()) {
    log_->Violation(absl::StrCat(kDocumentNames[static_cast<int>(kind)], " XML: ", elements.status().message()));
    return DocumentFailed(kind, params, 8010 + digit);
  }
  stream_blocks_ = false;
  if (kind == Document::kTransfer && StreamActive()) stream_->Close("transfer");
  elements_ = *std::move(elements);
  at_ = 0;
  Next();
}

void CarrierCall::DocumentFailed(Document kind, const Params& params, int code) {
  if (kind == Document::kAnswer && !order_.fallback.url.empty() && !fallback_used_) {
    fallback_used_ = true;
    return FetchDocument(kind, order_.fallback, params);
  }
  End(code, "Error");
}

void CarrierCall::Transfer(const Webhook& to) {
  if (over_) return;
  if (++documents_ > kMaxDocuments) return End(2060, "Plivo");
  pending_transfer_ = to;
  if (!StreamActive() || order_.scenario.carrier.transfer_fetch == "now") return FetchTransfer();
  After(kTransferFetchLimit, [this, url = to.url] {
    if (over_ || pending_transfer_.url != url) return;
    log_->Step("transfer-forced", "the stream was not closed within 5 s");
    stream_->Close("transfer");
  });
}

void CarrierCall::FetchTransfer() {
  const Webhook to = std::exchange(pending_transfer_, Webhook());
  // From here on the old document does nothing more, whatever ends meanwhile.
  stream_blocks_ = false;
  gather_.reset();
  if (dial_ != nullptr) {
    dial_->Abandon(Now());
    old_dials_.push_back(std::move(dial_));
  }
  FetchDocument(Document::kTransfer, to, Common("Redirect"));
}

bool CarrierCall::StopStream() {
  if (!StreamActive()) return false;
  stream_->Close("API request");
  return true;
}

void CarrierCall::SpeakByApi(const std::string& text) { log_->Step("speak", text); }

// ---- The stream ----

void CarrierCall::StreamStatus(CarrierStream& stream, const std::string& event, Params more) {
  const StreamOrder& order = stream.order();
  Params params = {{"Event", event},
                   {"CallUUID", order_.uuid},
                   {"StreamID", stream.id()},
                   {"Timestamp", Timestamp(Now(), false)},
                   {"From", order_.from},
                   {"To", order_.to},
                   {"Direction", order_.outbound ? "outbound" : "inbound"},
                   {"ServiceURL", order.url},
                   {"bidirectional", order.bidirectional ? "true" : "false"},
                   {"audioTrack", order.audio_track},
                   {"contentType", order.content_type},
                   {"keepCallAlive", order.keep_alive ? "true" : "false"}};
  params.insert(params.end(), more.begin(), more.end());
  Notify(absl::StrCat("stream-status ", event), {order.status_url, order.status_method}, params);
}

void CarrierCall::OnStreamStarted(CarrierStream& stream) {
  ++streams_started_;
  log_->Update([](CarrierCallReport& report) { ++report.streams; });
  log_->Step("stream-start", stream.id());
  StreamStatus(stream, "StartStream");
}

void CarrierCall::OnStreamSound(absl::Time start, absl::string_view bytes) {
  const StreamOrder& order = stream_->order();
  log_->Sound(start, bytes, order.BytesPerSecond());
  if (order.Encoding() == "audio/x-mulaw") return person_.Hear(start, bytes);
  person_.HearSound(start, absl::Seconds(1) * bytes.size() / order.BytesPerSecond());
}

void CarrierCall::OnStreamPlayed(CarrierStream& stream, const std::string& checkpoint) {
  log_->Update([](CarrierCallReport& report) { ++report.checkpoints; });
  if (order_.scenario.carrier.stream_events) StreamStatus(stream, "PlayedStream", {{"Name", checkpoint}});
}

void CarrierCall::OnStreamCleared(CarrierStream& stream, int64_t bytes) {
  log_->Update([bytes](CarrierCallReport& report) {
    ++report.clears;
    report.cleared_bytes += bytes;
  });
  log_->Step("cleared", absl::StrCat(bytes * 1000 / stream.order().BytesPerSecond(), " ms"));
  if (order_.scenario.carrier.stream_events) StreamStatus(stream, "ClearedAudio");
}

void CarrierCall::OnStreamDtmf(const std::string& digits) {
  log_->Step("send-dtmf", digits);
  log_->Update([&](CarrierCallReport& report) { report.dtmf.push_back({Now(), digits}); });
}

void CarrierCall::OnStreamDegraded(CarrierStream& stream, int percent) {
  log_->Step("stream-degraded", absl::StrCat(percent, " %"));
  StreamStatus(stream, "DegradedStream", {{"BufferUsed", absl::StrCat(percent)}});
}

void CarrierCall::OnStreamViolation(const std::string& what) { log_->Violation(what); }

void CarrierCall::OnStreamEnded(CarrierStream& stream, bool dropped, const std::string& why) {
  log_->Step("stream-end", why);
  StreamStatus(stream, dropped ? "DroppedStream" : "StopStream", dropped ? Params{{"Error", why}} : Params());
  if (over_ || &stream != stream_) return;
  if (!pending_transfer_.url.empty()) return FetchTransfer();
  if (!std::exchange(stream_blocks_, false)) return;
  if (order_.scenario.carrier.after_stream == "end") return End(4010, "Answer XML");
  Next();
}

// ---- <Dial> ----

Pickup CarrierCall::NextPickup(const std::string& number) {
  for (const auto& [known, pickups] : order_.scenario.humans) {
    if (DigitsOf(known) != DigitsOf(number)) continue;
    size_t& next = dialled_[known];
    return pickups[std::min(next++, pickups.size() - 1)];
  }
  log_->Step("dial", absl::StrCat(number, " is in no [humans] of the scenario"));
  Pickup pickup;
  pickup.kind = Pickup::Kind::kInvalidNumber;
  return pickup;
}

void CarrierCall::OnDialStep(const std::string& what) { log_->Step("dial-leg", what); }

void CarrierCall::OnDialWhisper(const std::string& url) {
  fetch_.Fetch("POST", url, Common("Dial"), 1, [this](const WebhookReply& reply) {
    log_->Step("whisper", reply.status != 0 ? absl::StrCat(reply.status) : reply.error);
    if (dial_ == nullptr) return;
    const absl::StatusOr<std::vector<XmlElement>> elements = ReadAnswer(reply.body);
    if (reply.status != 200 || !elements.ok())
      log_->Violation(
          absl::StrCat("confirmSound: ", elements.ok() ? "not answered with 200" : elements.status().message()));
    std::string text;
    for (const XmlElement& element : elements.ok() ? *elements : std::vector<XmlElement>()) {
      if (element.name != "Speak" && element.name != "Play" && element.name != "Wait")
        log_->Violation(absl::StrCat("confirmSound: <", element.name, "> is not Speak, Play or Wait"));
      text += element.text;
    }
    log_->Update([&text](CarrierCallReport& report) { report.whispers.push_back(text); });
    dial_->OnWhisper(kSpeakPerCharacter * static_cast<int64_t>(text.size()), Now());
  });
}

void CarrierCall::OnDialProgress(const Params& params) {
  Params all = Common("Dial");
  all.erase(std::remove_if(all.begin(), all.end(), [](const auto& pair) { return pair.first == "Event"; }), all.end());
  all.insert(all.end(), params.begin(), params.end());
  Notify(absl::StrCat("dial-progress ", Find(params, "DialAction")),
         {dial_element_.Attribute("callbackUrl"), dial_element_.Attribute("callbackMethod", "POST")}, all);
}

void CarrierCall::OnDialDone(const Params& params) {
  old_dials_.push_back(std::move(dial_));
  log_->Step("dial-done", Find(params, "DialStatus"));
  Params all = Common("Dial");
  all.erase(std::remove_if(all.begin(), all.end(), [](const auto& pair) { return pair.first == "Event"; }), all.end());
  all.insert(all.end(), params.begin(), params.end());
  const Webhook action{dial_element_.Attribute("action"), dial_element_.Attribute("method", "POST")};
  if (action.url.empty()) return Next();
  if (dial_element_.Attribute("redirect", "true") == "true") return FetchDocument(Document::kAction, action, all);
  Notify("dial-action", action, all);
  Next();
}

// ---- The person ----

void CarrierCall::HangUp() { End(4000, order_.outbound ? "Callee" : "Caller"); }

void CarrierCall::DropStream(bool reconnect) {
  if (StreamActive()) stream_->Break(reconnect);
}

void CarrierCall::SetAudio(bool on) {
  if (StreamActive()) stream_->SetAudio(on);
}

void CarrierCall::OnStep(const std::string& what) {
  log_->Step("person", what);
  if (std::exchange(last_step_, what) != absl::StrCat("say ", kBeep)) return;
  log_->Update([](CarrierCallReport& report) {
    if (report.recording_from < 0) report.recording_from = static_cast<int64_t>(report.heard.size());
  });
}

void CarrierCall::OnFailed(const std::string& what) {
  log_->Step("failed", what);
  log_->Update([&what](CarrierCallReport& report) { report.failed_steps.push_back(what); });
}

}  // namespace callbridge::sim
