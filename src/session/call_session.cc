#include "src/session/call_session.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "src/audio/base64_check.h"
#include "src/base/log.h"
#include "src/openai/transfer_tool.h"
#include "src/session/projection.h"

namespace callbridge::session {
namespace {

namespace command = call::command;
namespace input = call::input;
using base::LogKind;

constexpr int64_t kBytesPerMs = 8;  // Of 8 kHz mu-law.

// Whether a refusal left the outcome open: then the phone may ring, and nothing is dialled again.
input::Input DialResult(const absl::StatusOr<std::string>& placed) {
  if (placed.ok()) return input::DialAccepted{*placed};
  const std::string why(placed.status().message());
  switch (placed.status().code()) {
    case absl::StatusCode::kUnknown: return input::DialUnknown{why};
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted: return input::DialRefused{call::EndReason::kCarrierUnavailable, why};
    default: return input::DialRefused{call::EndReason::kCarrierRefused, why};
  }
}

// Tools of the configuration are looked at by whoever runs them, before the call hears of them.
ModelLeg::Options WithToolCheck(const CallSession::Options& options, const ToolRunner* runner) {
  ModelLeg::Options model = options.model;
  if (runner == nullptr || model.check_arguments) return model;
  model.check_arguments = [runner, agent = options.call.agent](absl::string_view name, absl::string_view arguments) {
    return runner->Check(agent, std::string(name), arguments);
  };
  return model;
}

}  // namespace

CallSession::CallSession(Options options, const Deps& deps)
    : options_(std::move(options)),
      deps_(deps),
      carrier_call_id_(options_.carrier_call_id),
      model_(WithToolCheck(options_, deps.tool_runner), *deps.tools->connector, deps.tools->model_parser,
             deps.tools->loop->clock(), *this),
      tape_(deps.tapes == nullptr ? nullptr : deps.tapes->NewTape(options_.call, *this, Now())),
      call_(options_.call, tape_ == nullptr ? static_cast<call::CommandSink&>(*this) : *tape_) {
  write_.call_id = options_.call.call_id;
  write_.owner = options_.owner;
}

CallSession::~CallSession() = default;

void CallSession::Begin() {
  // The timer holds no reference: destroying the session destroys it.
  timer_ = deps_.tools->loop->NewTimer([this] {
    armed_ = absl::InfiniteFuture();
    Feed(input::Tick{});
  });
  if (!carrier_call_id_.empty()) write_.carrier_call_id = carrier_call_id_;
  dirty_ = !carrier_call_id_.empty();
  const absl::Time now = Now();
  if (tape_ != nullptr) tape_->OnBegin(now);
  call_.Begin(now);
  AfterInput();
}

void CallSession::Feed(const input::Input& input) {
  if (dropped_) return;
  const auto* const asked = std::get_if<input::TransferAsked>(&input);
  // What the call would refuse does not count.
  if (asked != nullptr && call_.TransferProblem(asked->destination, "").empty()) {
    if (absl::Status status = deps_.host->TakeTransfer(); !status.ok()) {
      const std::string problem = absl::StrCat("not done: ", status.message());
      return Feed(input::ToolRefused{asked->tool_call_id, "transfer_call", problem});
    }
  }
  if (const auto* const dialled = std::get_if<input::DialAccepted>(&input)) {
    write_.carrier_request_id = dialled->request_id;
    dirty_ = true;
  }
  const absl::Time now = Now();
  if (tape_ != nullptr) tape_->OnInput(input, now);
  call_.On(input, now);
  if (const auto* const words = std::get_if<input::AssistantText>(&input)) ShowWords(*words);
  if (const auto* const text = std::get_if<input::CallerText>(&input)) caller_words_.erase(text->item_id);
  if (const auto* const failed = std::get_if<input::CallerTextFailed>(&input)) caller_words_.erase(failed->item_id);
  AfterInput();
}

// The call has just put them at the end of their item's text.
void CallSession::ShowWords(const input::AssistantText& words) {
  if (deps_.speech == nullptr || words.delta.empty()) return;
  const call::TranscriptItem* const item = call_.transcript().Find(words.item_id);
  if (item == nullptr || item->text_generated.size() < words.delta.size()) return;
  deps_.speech->Publish(options_.call.call_id, words.item_id, call::Role::kAssistant,
                        item->text_generated.size() - words.delta.size(), words.delta);
}

void CallSession::AfterInput() {
  FlushRecords();
  ArmTimer();
}

void CallSession::ArmTimer() {
  if (timer_ == nullptr) return;
  const absl::Time next = call_.next_deadline();
  // A timer that is early costs one empty tick; setting it for each piece of audio costs more.
  if (next >= armed_) return;
  armed_ = next;
  timer_->Set(next);
}

void CallSession::FlushRecords() {
  if (!dirty_) return;
  dirty_ = false;
  store::CallWrite next;
  next.call_id = write_.call_id;
  next.owner = write_.owner;
  deps_.recorder->Write(std::exchange(write_, std::move(next)));
}

void CallSession::SetCarrierCallId(const std::string& carrier_call_id) {
  if (carrier_call_id.empty() || carrier_call_id == carrier_call_id_) return;
  carrier_call_id_ = carrier_call_id;
  if (dropped_) return HangUpNow();
  write_.carrier_call_id = carrier_call_id;
  dirty_ = true;
  deps_.host->OnCarrierCallId(options_.call.call_id, carrier_call_id);
  if (std::exchange(hangup_when_known_, false)) HangUpNow();
  FlushRecords();
}

void CallSession::Drop(absl::string_view why) {
  if (std::exchange(dropped_, true)) return;
  base::Log(LogKind::kTrouble, options_.call.call_id, "the call is dropped here", {{"why", std::string(why)}});
  timer_.reset();
  model_.Close();
  for (const auto& stream : streams_) stream->Close(1001, "call ended");
  // One that was dialled and has no id yet is hung up when its first webhook comes.
  if (!carrier_call_id_.empty()) HangUpNow();
}

// ---- The streams ----

net::WsConnection::Listener* CallSession::NewStream() {
  CarrierLeg::Owner& owner = *this;  // Private to others, so named here.
  streams_.push_back(std::make_unique<CarrierLeg>(deps_.tools->stream_parser, owner));
  return streams_.back().get();
}

bool CallSession::OnStreamStart(CarrierLeg& leg, const plivo::Start& start) {
  if (!carrier_call_id_.empty() && start.call_id != carrier_call_id_) return false;
  SetCarrierCallId(start.call_id);
  // A stream that comes while the last one still looks open: the carrier has given that one up.
  if (stream_ != nullptr && stream_->started()) {
    CarrierLeg* const old = std::exchange(stream_, nullptr);
    Feed(input::StreamClosed{false, "replaced by another stream"});
    old->Close(1000, "replaced");
  }
  stream_ = &leg;
  return true;
}

void CallSession::OnStreamGone(CarrierLeg& leg) {
  if (stream_ == &leg) stream_ = nullptr;
  // The leg is still on the stack: it goes when the loop comes round.
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&leg](const auto& owned) { return owned.get() == &leg; });
  if (found == streams_.end()) return;
  std::shared_ptr<CarrierLeg> gone(std::move(*found));
  streams_.erase(found);
  deps_.tools->loop->Post([gone] {});
}

void CallSession::OnCallerAudio(absl::string_view base64) {
  const absl::Time now = Now();
  if (tape_ != nullptr) tape_->OnCallerAudio(base64, now);
  call_.OnCallerAudio(base64, now);
  if (call_.listening_for_voice() || call_.listening_for_beep()) Listen(base64);
  // Each frame puts off when its absence would be noticed; the first sets it.
  AfterInput();
}

void CallSession::Listen(absl::string_view base64) {
  if (call_.listening_for_voice()) {
    if (voice_ == nullptr) voice_ = std::make_unique<audio::VoiceMeter>();
    const bool voiced = voice_->Voiced(base64);
    Feed(input::CallerVoice{voiced, audio::DecodedSize(base64) / kBytesPerMs});
  }
  if (call_.listening_for_beep()) {
    if (beep_ == nullptr) beep_ = std::make_unique<audio::BeepDetector>();
    if (beep_->OnFrame(base64)) Feed(input::BeepHeard{});
  }
}

void CallSession::OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64,
                               int64_t bytes) {
  const absl::Time now = Now();
  if (tape_ != nullptr) tape_->OnModelAudio(response_id, item_id, base64, bytes, now);
  call_.OnModelAudio(response_id, item_id, base64, bytes, now);
  AfterInput();
}

void CallSession::AudioToModel(absl::string_view base64) { model_.Append(base64); }

void CallSession::AudioToCarrier(absl::string_view base64) {
  if (stream_ != nullptr) stream_->Play(base64);
}

void CallSession::OnCallerWords(absl::string_view item_id, absl::string_view delta) {
  if (deps_.speech == nullptr || delta.empty()) return;
  const call::TranscriptItem* const item = call_.transcript().Find(item_id);
  if (item == nullptr || item->role != call::Role::kCaller) return;
  if (item->status != call::ItemStatus::kInProgress) return;  // The text is there: what comes late is part of it.
  size_t& before = caller_words_[item->item_id];
  deps_.speech->Publish(options_.call.call_id, item_id, call::Role::kCaller, before, delta);
  before += delta.size();
}

void CallSession::OnModelNote(absl::string_view what, absl::string_view detail) {
  base::Log(LogKind::kTrouble, options_.call.call_id, absl::StrCat("model: ", what), {{"detail", std::string(detail)}});
}

void CallSession::OnCarrierNote(absl::string_view what, absl::string_view detail) {
  base::Log(LogKind::kTrouble, options_.call.call_id, absl::StrCat("carrier: ", what),
            {{"detail", std::string(detail)}});
}

// ---- Commands ----

void CallSession::Do(const command::Command& command) {
  std::visit([this](const auto& value) { Carry(value); }, command);
}

void CallSession::Carry(const command::OpenModel&) { model_.Open(); }

void CallSession::Carry(const command::CloseModel&) { model_.Close(); }

void CallSession::Carry(const command::SendCheckpoint& command) {
  if (stream_ != nullptr) stream_->Checkpoint(command.number);
}

void CallSession::Carry(const command::ClearAudio&) {
  if (stream_ == nullptr) return;
  stream_->Clear();
  const absl::Time since = model_.reading_since();
  if (deps_.metrics != nullptr && since != absl::InfinitePast()) deps_.metrics->ObserveStop(Now() - since);
}

void CallSession::Carry(const command::SendDtmf& command) {
  if (stream_ != nullptr) stream_->SendDtmf(command.digits);
}

void CallSession::Carry(const command::RunTool& command) {
  // Whatever thread it comes on, and whether or not the call has ended meanwhile.
  auto finished = [weak = weak_from_this(), loop = deps_.tools->loop, id = command.tool_call_id](bool ok,
                                                                                                 std::string output) {
    loop->Post([weak, result = input::ToolFinished{id, ok, std::move(output)}] {
      if (auto self = weak.lock()) self->Feed(result);
    });
  };
  if (deps_.tool_runner == nullptr) {
    finished(false, absl::StrCat("the tool ", command.name, " cannot be used now"));
    return;
  }
  deps_.tool_runner->Run(options_.call.agent, options_.call.call_id, command.tool_call_id, command.name,
                         command.arguments, std::move(finished));
}

void CallSession::Carry(const command::CloseStream&) {
  for (const auto& stream : streams_) stream->Close(1000, "");
}

void CallSession::Carry(const command::NextStep& step) { deps_.host->OnNextStep(options_.call.call_id, step); }

void CallSession::Carry(const command::SaveItem& command) {
  write_.transcript_items.push_back(command.item);
  dirty_ = true;
}

void CallSession::Carry(const command::SaveTranscript& command) {
  write_.transcript = command.transcript;
  dirty_ = true;
}

void CallSession::Carry(const command::Finished&) {
  FlushRecords();
  deps_.host->OnFinished(options_.call.call_id, call_.next_sequence());
}

void CallSession::Record(call::Event event) {
  // The call speaks in words; what is recorded is what the model was given.
  if (auto* const answered = std::get_if<call::ToolAnswered>(&event.body)) {
    answered->output = openai::FormatToolOutput(answered->ok, answered->output);
  }
  const LogLine line = Describe(event, options_.log_transcripts);
  if (!line.message.empty()) base::Log(line.kind, options_.call.call_id, line.message, line.fields);
  if (const auto* moved = std::get_if<call::StateChanged>(&event.body)) {
    deps_.host->OnStateChanged(options_.call.call_id, moved->to);
  }
  const bool ended = std::holds_alternative<call::CallEnded>(event.body);
  Project(std::move(event), ended ? Closing{call_.transcript().Text(), options_.summary_later} : Closing(), write_);
  dirty_ = true;
}

// ---- The carrier's REST API ----

void CallSession::AskCarrier(std::function<input::Input(carrier::CarrierApi&)> request) {
  std::weak_ptr<CallSession> weak = weak_from_this();
  carrier::CarrierApi* const api = deps_.carrier;
  net::Loop* const loop = deps_.tools->loop;
  deps_.carrier_executor->Post([weak, api, loop, request = std::move(request)] {
    input::Input result = request(*api);
    loop->Post([weak, result = std::move(result)] {
      if (auto self = weak.lock()) self->Feed(result);
    });
  });
}

void CallSession::Dial(const carrier::CarrierApi::Dial& dial) {
  AskCarrier([dial, id = options_.call.call_id](carrier::CarrierApi& api) {
    const auto placed = api.Place(dial);
    if (!placed.ok()) {
      base::Log(LogKind::kTrouble, id, "dialling failed", {{"why", std::string(placed.status().message())}});
    }
    return DialResult(placed);
  });
}

void CallSession::Carry(const command::TransferCarrier& command) {
  AskCarrier([transfer = command.transfer_id, call = carrier_call_id_,
              url = options_.transfer_url](carrier::CarrierApi& api) -> input::Input {
    const absl::Status status = api.Transfer(call, url);
    if (status.ok()) return input::TransferTaken{transfer};
    // It may have been carried out; then the carrier fetches the instructions, or the limit for that runs out.
    if (status.code() == absl::StatusCode::kUnknown) return input::TransferTaken{transfer};
    return input::TransferRefused{transfer, std::string(status.message())};
  });
}

void CallSession::Carry(const command::HangUpCarrier&) {
  // Dialled and never told an id: the first webhook brings it.
  if (carrier_call_id_.empty()) {
    hangup_when_known_ = true;
  } else {
    HangUpNow();
  }
}

void CallSession::HangUpNow() {
  carrier::CarrierApi* const api = deps_.carrier;
  deps_.carrier_executor->Post([api, carrier_id = carrier_call_id_, id = options_.call.call_id] {
    const absl::Status status = api->HangUp(carrier_id);
    if (!status.ok()) base::Log(LogKind::kTrouble, id, "hanging up failed", {{"why", std::string(status.message())}});
  });
}

}  // namespace callbridge::session
