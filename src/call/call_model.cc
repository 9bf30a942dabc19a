#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/audio/base64_check.h"
#include "src/call/call.h"

// What a call does with its model: turns, barge-in, transcript.
namespace callbridge::call {
namespace {

// A response that failed is asked for again this often in a row, a second later each time; then the caller is not kept
// waiting.
constexpr int kResponseRetries = 2;

HeardBasis BasisOf(const audio::PlayoutLedger::Item& item) {
  if (item.sent == 0) return HeardBasis::kNone;
  return item.acknowledged ? HeardBasis::kAcknowledged : HeardBasis::kEstimated;
}

int64_t HeardMs(const audio::PlayoutLedger::Item& item) {
  return std::min(item.heard, item.received) / audio::kBytesPerMs;
}

int64_t MsSince(absl::Time start, absl::Time end) {
  if (start == absl::InfinitePast() || end == absl::InfinitePast()) return -1;
  return absl::ToInt64Milliseconds(end - start);
}

}  // namespace

// ---- Audio ----

void Call::OnCallerAudio(absl::string_view base64, absl::Time now) {
  now_ = now;
  if (!MediaUp() || hangup_asked_) return;
  if (ModelUsable()) {
    sink_.AudioToModel(base64);
  } else if (!model_closed_) {
    if (early_audio_.size() >= options_.early_frames) early_audio_.pop_front();
    early_audio_.emplace_back(base64);
  }
}

void Call::On(const input::CallerAudio& in) { OnCallerAudio(in.base64, now_); }

void Call::FlushEarlyAudio() {
  if (!ModelUsable()) return;
  for (const std::string& frame : early_audio_) sink_.AudioToModel(frame);
  early_audio_.clear();
}

void Call::OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64,
                        int64_t bytes, absl::Time now) {
  now_ = now;
  const bool cut = (!cut_responses_.empty() && cut_responses_.count(std::string(response_id)) > 0) ||
                   (!cut_items_.empty() && cut_items_.count(std::string(item_id)) > 0);
  if (cut || !MediaUp() || hangup_asked_) {
    DropModelAudio(item_id, bytes);
    return;
  }
  response_spoke_ = true;
  if (turn_.open && turn_.first_audio == absl::InfinitePast()) turn_.first_audio = now;
  playout_.OnAudio(item_id, base64, bytes, now);
}

// Nobody hears it, so the model must not believe that somebody did; and its words count as unheard in the transcript.
void Call::DropModelAudio(absl::string_view item_id, int64_t bytes) {
  ++late_audio_dropped_;
  if (over()) return;
  if (!cut_items_.insert(std::string(item_id)).second) {
    transcript_.OnMoreGenerated(item_id, bytes);
    return;
  }
  transcript_.OnCut(item_id, 0, bytes / audio::kBytesPerMs, HeardBasis::kNone);
  if (ModelUsable()) sink_.Do(command::DeleteItem{std::string(item_id)});
}

void Call::On(const input::ModelAudio& in) {
  const int64_t bytes = audio::DecodedSize(in.base64);
  if (bytes >= 0) OnModelAudio(in.response_id, in.item_id, in.base64, bytes, now_);
}

void Call::On(const input::ModelAudioDone& in) { playout_.OnItemComplete(in.item_id, now_); }

void Call::OnFirstSent(absl::string_view item_id) {
  const bool greeting = speaking_item_.empty() && !turn_.open && !options_.greeting_prompt.empty();
  speaking_item_ = std::string(item_id);
  Emit(AssistantSpeechStarted{speaking_item_, greeting});
  if (!turn_.open) return;
  turn_.open = false;
  TurnMeasured measured;
  measured.caller_item_id = turn_.item_id;
  measured.to_commit_ms = MsSince(turn_.stopped, turn_.committed);
  measured.to_first_audio_ms = MsSince(turn_.stopped, turn_.first_audio);
  measured.to_first_sent_ms = MsSince(turn_.stopped, now_);
  measured.to_first_heard_ms = MsSince(turn_.stopped, now_ + playout_.ledger().start_delay());
  Emit(std::move(measured));
}

void Call::On(const input::CheckpointPlayed& in) {
  if (!playout_.OnCheckpointPlayed(in.number, now_)) return;
  if (MediaUp()) playout_.Pump(now_);
  TakeHeardItems();
}

// Nothing to wait for: the ledger was settled when we cleared, and checkpoints that the clear swallowed are not
// awaited.
void Call::On(const input::AudioCleared&) {}

void Call::On(const input::Dtmf& in) {
  if (!over()) Emit(DtmfReceived{in.digit});
}

void Call::TakeHeardItems() {
  for (const auto& item : playout_.TakeFinished(now_)) {
    transcript_.OnHeard(item.item_id, HeardMs(item), item.received / audio::kBytesPerMs, BasisOf(item));
    Emit(AssistantSpeechFinished{item.item_id, HeardMs(item), BasisOf(item)});
  }
}

void Call::TakeFinalItems() {
  for (TranscriptItem& item : transcript_.TakeFinal()) {
    if (item.role == Role::kCaller && item.text_generated.empty() && item.status == ItemStatus::kComplete) continue;
    Emit(TranscriptItemFinal{std::move(item)});
  }
}

// ---- The session ----

void Call::On(const input::ModelCreated& in) {
  if (over() || model_configured_) return;
  Emit(ModelReady{in.session_id, in.model});
  sink_.Do(command::ConfigureModel{});
}

void Call::On(const input::ModelConfigured&) {
  if (over() || model_configured_) return;
  model_configured_ = true;
  ClearDeadline("model");
  GreetIfReady();
  FlushEarlyAudio();
}

void Call::GreetIfReady() {
  if (greeted_ || !ModelUsable() || !MediaUp()) return;
  greeted_ = true;
  if (options_.greeting_prompt.empty()) return;
  sink_.Do(command::AddSystemText{options_.greeting_prompt});
  sink_.Do(command::CreateResponse{});
}

void Call::On(const input::ModelError& in) {
  if (over()) return;
  Emit(ModelTrouble{in.code, in.message, in.fatal});
  if (!in.fatal) return;
  // A human has the caller, or will have: the call does not need the model any more.
  if (state_ == State::kTransferred || state_ == State::kTransferring) return;
  AskForHangUp(in.reason, Party::kModel, absl::StrCat(in.code, ": ", in.message));
}

void Call::On(const input::ModelClosed& in) {
  if (model_closed_) return;
  model_closed_ = true;
  running_responses_.clear();
  On(input::SummaryUnavailable{in.detail});
  if (over()) return;
  On(input::ModelError{"session_closed", in.detail, true, in.reason});
}

// ---- Responses ----

void Call::On(const input::ResponseStarted& in) {
  running_responses_.insert(in.response_id);
  response_spoke_ = false;
  response_wanted_ = false;  // This one knows of whatever ours would have been asked for.
}

void Call::On(const input::ItemAdded& in) {
  if (in.role == Role::kAssistant || in.role == Role::kCaller) {
    transcript_.Add(in.item_id, in.previous_item_id, in.role, now_);
  }
}

void Call::On(const input::AssistantText& in) { transcript_.OnAssistantText(in.item_id, in.delta); }

void Call::On(const input::AssistantTextDone& in) {
  transcript_.OnAssistantTextDone(in.item_id, in.text);
  // It is not heard yet: should the process die before, its words are known all the same.
  if (const TranscriptItem* item = transcript_.Find(in.item_id); item->status == ItemStatus::kInProgress) {
    sink_.Do(command::SaveItem{*item});
  }
}

void Call::On(const input::ResponseEnded& in) {
  running_responses_.erase(in.response_id);
  cut_responses_.erase(in.response_id);
  cancelled_responses_.erase(in.response_id);
  if (running_responses_.empty()) CloseItems();
  if (over()) return;
  if (in.status != "failed") {
    failed_responses_ = 0;
  } else {
    Emit(ModelTrouble{in.code, in.detail, false});
    if (++failed_responses_ <= kResponseRetries) SetDeadline("retry_response", absl::Seconds(1));
  }
  SendPendingResponse();
}

// No response runs, so no item gets more audio or text, whatever was left out of its end: what was heard of it is
// settled by what came, and what was cut will not be heard of again.
void Call::CloseItems() {
  cut_items_.clear();
  playout_.CompleteAll(now_);
  transcript_.CloseAssistantItems();
}

void Call::RequestResponse() {
  response_wanted_ = true;
  SendPendingResponse();
}

// One response at a time, and none while the caller speaks: the end of the turn makes one, which answers everything.
// None that nobody could hear either: it waits for the stream, and for what comes of a transfer.
void Call::SendPendingResponse() {
  if (!response_wanted_ || !running_responses_.empty() || caller_speaking_ || !ModelUsable()) return;
  if (!MediaUp() || hangup_asked_ || TransferPending()) return;
  response_wanted_ = false;
  sink_.Do(command::CreateResponse{});
}

// ---- The caller's turns ----

void Call::On(const input::SpeechStarted& in) {
  if (over()) return;
  caller_speaking_ = true;
  if (playout_.Interruptible(now_) || !running_responses_.empty()) CutAssistant(Cut::kBargeIn);
  ClearDeadline("retry_response");
  transcript_.OnCallerSpeech(in.item_id, now_);
  Emit(CallerSpeechStarted{in.item_id});
}

void Call::CutAssistant(Cut why) {
  TakeHeardItems();
  const bool sounding = playout_.Interruptible(now_);
  const std::vector<audio::PlayoutLedger::Item> cut = playout_.Cut(now_);
  if (sounding && stream_open_) sink_.Do(command::ClearAudio{});
  for (const std::string& response : running_responses_) {
    const bool first = cut_responses_.insert(response).second;
    if (first && why == Cut::kBargeIn && !options_.server_cancels) CancelOnce(response);
  }
  for (const auto& item : cut) {
    cut_items_.insert(item.item_id);
    const int64_t heard_ms = HeardMs(item);
    transcript_.OnCut(item.item_id, heard_ms, item.received / audio::kBytesPerMs, BasisOf(item));
    if (over() || !ModelUsable()) continue;
    if (heard_ms > 0) {
      sink_.Do(command::TruncateItem{item.item_id, heard_ms});
    } else {
      sink_.Do(command::DeleteItem{item.item_id});
    }
  }
  if (running_responses_.empty()) cut_items_.clear();
  if (why != Cut::kBargeIn || cut.empty()) return;
  const auto& audible = cut.front();
  Emit(BargeIn{audible.item_id, HeardMs(audible), audible.received / audio::kBytesPerMs, BasisOf(audible)});
}

void Call::CancelOnce(const std::string& response_id) {
  if (!ModelUsable() || !cancelled_responses_.insert(response_id).second) return;
  sink_.Do(command::CancelResponse{response_id});
}

void Call::On(const input::SpeechStopped& in) {
  if (over()) return;
  transcript_.OnCallerSpeechEnd(in.item_id, now_);
  turn_ = Turn{in.item_id, now_, absl::InfinitePast(), absl::InfinitePast(), true};
  Emit(CallerSpeechStopped{in.item_id});
}

void Call::On(const input::TurnCommitted& in) {
  caller_speaking_ = false;
  if (turn_.item_id == in.item_id) turn_.committed = now_;
  transcript_.Add(in.item_id, in.previous_item_id, Role::kCaller, now_);
}

void Call::On(const input::CallerText& in) { transcript_.OnCallerText(in.item_id, in.text); }

void Call::On(const input::CallerTextFailed& in) { transcript_.OnCallerTextFailed(in.item_id); }

// ---- Tools and the summary ----

void Call::On(const input::ToolRefused& in) {
  if (over()) return;
  Emit(ToolAnswered{in.tool_call_id, in.name, in.problem, false});
  sink_.Do(command::AnswerTool{in.tool_call_id, false, in.problem});
  RequestResponse();
}

void Call::On(const input::SummaryMade& in) {
  if (!summary_asked_ || summary_settled_) return;
  summary_settled_ = true;
  Emit(SummaryReady{in.text});
}

void Call::On(const input::SummaryUnavailable& in) {
  if (!summary_asked_ || summary_settled_) return;
  summary_settled_ = true;
  Emit(SummaryFailed{in.detail});
}

}  // namespace callbridge::call
