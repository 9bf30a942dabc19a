#include "src/sim/model_response.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "src/sim/model_audio.h"

namespace callbridge::sim {
namespace {

constexpr absl::Duration kLateDelta =
    absl::Milliseconds(8);  // Between deltas that were on their way at an interruption.
constexpr absl::Duration kArgumentsPiece = absl::Milliseconds(5);  // Between pieces of a call's arguments.

// "failed:rate_limit_exceeded" in two.
std::pair<std::string, std::string> SplitStatus(const std::string& status) {
  return absl::StrSplit(status, absl::MaxSplits(':', 1));
}

// Words with the blank before them, as tokens come: "Hello", " world".
std::vector<std::string> Tokens(const std::string& words) {
  std::vector<std::string> tokens;
  for (const absl::string_view word : absl::StrSplit(words, ' ', absl::SkipEmpty())) {
    tokens.push_back(absl::StrCat(tokens.empty() ? "" : " ", word));
  }
  return tokens;
}

}  // namespace

ModelResponse::ModelResponse(Setup setup, ModelWire& wire, ModelConversation& conversation, absl::Time now)
    : setup_(std::move(setup)), wire_(wire), conversation_(conversation), id_(wire.NewId("resp_")), played_until_(now) {
  wire_.Send("response.created", {{"response", ToJson()}});
  wire_.SendFutureEvent();
  MakeOutputs();
  MakePlan(now);
}

void ModelResponse::MakeOutputs() {
  const auto [status, reason] = SplitStatus(setup_.speech.status);
  if (status == "failed") return;
  if (status == "incomplete" && !setup_.speech.items.empty()) {
    // It ends in the middle of the first item.
    setup_.speech.items.resize(1);
    ModelSpeech::Spoken& spoken = setup_.speech.items[0];
    spoken.audio.resize(spoken.audio.size() / 2);
    spoken.words.resize(spoken.words.rfind(' ', spoken.words.size() / 2) + 1);
    setup_.speech.tool.clear();
  }
  for (ModelSpeech::Spoken& spoken : setup_.speech.items) {
    Output output;
    output.item = std::make_shared<ModelItem>();
    output.item->id = wire_.NewId("item_");
    output.item->role = "assistant";
    output.item->status = "in_progress";
    output.item->audio = !spoken.audio.empty();
    if (setup_.phases) output.item->phase = setup_.speech.tool.empty() ? "final_answer" : "commentary";
    output.audio = std::move(spoken.audio);
    output.middle = ModelWire::AudioDeltaMiddle(id_, output.item->id, static_cast<int>(outputs_.size()));
    outputs_.push_back(std::move(output));
  }
  if (setup_.speech.tool.empty()) return;
  Output call;
  call.item = std::make_shared<ModelItem>();
  call.item->id = wire_.NewId("item_");
  call.item->kind = ModelItem::Kind::kFunctionCall;
  call.item->status = "in_progress";
  call.item->name = setup_.speech.tool;
  call.item->call_id = wire_.NewId("call_", 16);
  outputs_.push_back(std::move(call));
}

// Everything is planned at once; each item is announced before the one before it is finished.
void ModelResponse::MakePlan(absl::Time now) {
  std::vector<Step> plan;
  absl::Time at = now + setup_.manners.think;
  if (!outputs_.empty()) plan.push_back({now + setup_.manners.think * 0.6, Step::Kind::kAnnounce, 0, 0, 0, ""});
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const bool call = outputs_[i].item->kind == ModelItem::Kind::kFunctionCall;
    if (call) {
      PlanCall(i, at, &plan);
      at += kArgumentsPiece * 4;
    } else {
      at = PlanSpoken(i, at, &plan);
    }
    if (i + 1 < outputs_.size()) plan.push_back({at, Step::Kind::kAnnounce, i + 1, 0, 0, ""});
    if (i + 1 < outputs_.size() && outputs_[i + 1].item->kind == ModelItem::Kind::kFunctionCall) {
      plan.push_back({at, Step::Kind::kArguments, i + 1, 0, 0, setup_.speech.arguments.substr(0, 2)});
    }
    plan.push_back({at, Step::Kind::kFinishItem, i, 0, 0, ""});
  }
  plan.push_back({at, Step::Kind::kFinish, 0, 0, 0, ""});
  std::stable_sort(plan.begin(), plan.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  plan_.assign(std::make_move_iterator(plan.begin()), std::make_move_iterator(plan.end()));
}

// Uneven pieces at `speed` times real time, words ahead of them. When the last has left.
absl::Time ModelResponse::PlanSpoken(size_t index, absl::Time from, std::vector<Step>* plan) {
  const ModelManners& manners = setup_.manners;
  const std::string& audio = outputs_[index].audio;
  const int per_ms = BytesPerMs(setup_.format);
  const auto generated = [&](size_t bytes) {
    const double ms = static_cast<double>(bytes) / per_ms;
    return manners.speed > 0 ? absl::Milliseconds(ms / manners.speed) : absl::ZeroDuration();
  };
  PlanWords(index, from, generated(audio.size()), plan);
  const bool even = manners.piece_ms_min >= manners.piece_ms_max;
  for (size_t begin = 0; begin < audio.size();) {
    size_t size = static_cast<size_t>(std::max(1, wire_.Between(manners.piece_ms_min, manners.piece_ms_max)) * per_ms);
    if (!even) size += static_cast<size_t>(wire_.Between(1, 7));  // No multiple of a frame.
    if (per_ms != 8) size &= ~size_t{1};                          // Whole samples.
    const size_t end = std::min(audio.size(), begin + size);
    plan->push_back({from + generated(begin), Step::Kind::kAudio, index, begin, end, ""});
    begin = end;
  }
  return from + generated(audio.size());
}

void ModelResponse::PlanWords(size_t index, absl::Time from, absl::Duration over, std::vector<Step>* plan) {
  const std::vector<std::string> tokens = Tokens(setup_.speech.items[index].words);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const absl::Time at = from + over * (0.6 * static_cast<double>(i) / static_cast<double>(tokens.size()));
    plan->push_back({at, Step::Kind::kWords, index, 0, 0, tokens[i]});
  }
}

// Its first piece, if something was said before it, left when it was announced.
void ModelResponse::PlanCall(size_t index, absl::Time from, std::vector<Step>* plan) {
  const std::string& arguments = setup_.speech.arguments;
  size_t begin = index > 0 ? std::min<size_t>(2, arguments.size()) : 0;
  const size_t piece = std::max<size_t>(1, (arguments.size() - begin + 2) / 3);
  for (int i = 1; begin < arguments.size(); begin += piece, ++i) {
    plan->push_back({from + kArgumentsPiece * i, Step::Kind::kArguments, index, 0, 0, arguments.substr(begin, piece)});
  }
}

absl::Time ModelResponse::Next() const { return plan_.empty() ? absl::InfiniteFuture() : plan_.front().at; }

void ModelResponse::Run(absl::Time now) {
  if (plan_.empty()) return;
  const Step step = std::move(plan_.front());
  plan_.pop_front();
  switch (step.kind) {
    case Step::Kind::kAnnounce: return Announce(outputs_[step.output]);
    case Step::Kind::kWords: return SendWords(outputs_[step.output], step.text);
    case Step::Kind::kAudio: return SendAudio(outputs_[step.output], step.begin, step.end, now);
    case Step::Kind::kArguments: return SendArguments(outputs_[step.output], step.text);
    case Step::Kind::kFinishItem:
      return FinishItem(outputs_[step.output], setup_.speech.status == "completed" ? "completed" : "incomplete");
    case Step::Kind::kFinish: {
      const auto [status, reason] = SplitStatus(setup_.speech.status);
      return Finish(status, reason);
    }
    case Step::Kind::kCut: return Cancel(cut_reason_);
  }
}

void ModelResponse::Cancel(const std::string& reason) {
  if (done_) return;
  plan_.clear();
  for (Output& output : outputs_) {
    if (output.announced && !output.finished) {
      output.item->cancelled = true;
      FinishItem(output, "incomplete");
    }
  }
  Finish("cancelled", reason);
}

void ModelResponse::Interrupt(const std::string& reason, absl::Time now) {
  if (done_ || !cut_reason_.empty()) return;
  cut_reason_ = reason;
  std::deque<Step> late;
  const size_t most = static_cast<size_t>(wire_.Between(1, 2));
  for (const Step& step : plan_) {
    const bool flows = step.kind == Step::Kind::kAudio && outputs_[step.output].item->audio_bytes > 0;
    if (!flows || late.size() >= most) continue;
    late.push_back(step);
    late.back().at = now + kLateDelta * static_cast<double>(late.size());
  }
  late.push_back({now + kLateDelta * static_cast<double>(late.size() + 1), Step::Kind::kCut, 0, 0, 0, ""});
  plan_ = std::move(late);
}

std::vector<ModelItemPtr> ModelResponse::items() const {
  std::vector<ModelItemPtr> items;
  for (const Output& output : outputs_) {
    if (output.announced) items.push_back(output.item);
  }
  return items;
}

Json ModelResponse::Place(const Output& output, bool content) const {
  Json place = {{"response_id", id_}, {"item_id", output.item->id}, {"output_index", IndexOf(output)}};
  if (content) place["content_index"] = 0;
  return place;
}

void ModelResponse::Announce(Output& output) {
  output.announced = true;
  const Json item = output.item->ToJson();
  wire_.Send("response.output_item.added", {{"response_id", id_}, {"output_index", IndexOf(output)}, {"item", item}});
  if (!setup_.out_of_band) {
    output.previous_id = conversation_.Append(output.item);
    wire_.Send(
        "conversation.item.added",
        {{"previous_item_id", output.previous_id.empty() ? Json(nullptr) : Json(output.previous_id)}, {"item", item}});
  }
  if (output.item->kind == ModelItem::Kind::kFunctionCall) return;
  output.item->has_part = true;
  Json added = Place(output, true);
  added["part"] =
      output.item->audio ? Json{{"type", "audio"}, {"transcript", ""}} : Json{{"type", "text"}, {"text", ""}};
  wire_.Send("response.content_part.added", added);
}

void ModelResponse::SendWords(Output& output, const std::string& text) {
  output.item->text += text;
  Json delta = Place(output, true);
  delta["delta"] = text;
  wire_.SendDelta(output.item->audio ? "response.output_audio_transcript.delta" : "response.output_text.delta",
                  std::move(delta));
}

void ModelResponse::SendAudio(Output& output, size_t begin, size_t end, absl::Time now) {
  const absl::string_view piece = absl::string_view(output.audio).substr(begin, end - begin);
  wire_.SendAudioDelta(output.middle, piece);
  ModelItem& item = *output.item;
  item.audio_bytes += static_cast<int64_t>(piece.size());
  const int64_t before = item.audio_ms;
  item.audio_ms = item.audio_bytes / BytesPerMs(setup_.format);
  audio_ms_ += item.audio_ms - before;
  played_until_ = std::max(played_until_, now) + absl::Milliseconds(item.audio_ms - before);
  if (setup_.keep_audio) item.mulaw += ToMulaw(setup_.format, piece);
}

void ModelResponse::SendArguments(Output& output, const std::string& text) {
  output.item->arguments += text;
  Json delta = Place(output, false);
  delta["call_id"] = output.item->call_id;
  delta["delta"] = text;
  wire_.SendDelta("response.function_call_arguments.delta", std::move(delta));
}

void ModelResponse::FinishItem(Output& output, const std::string& status) {
  output.finished = true;
  ModelItem& item = *output.item;
  item.status = status;
  if (item.kind == ModelItem::Kind::kFunctionCall) {
    if (status == "completed") {
      Json done = Place(output, false);
      done["call_id"] = item.call_id;
      done["name"] = item.name;
      done["arguments"] = item.arguments;
      wire_.Send("response.function_call_arguments.done", done);
    }
  } else {
    Json done = Place(output, true);
    if (item.audio) wire_.Send("response.output_audio.done", done);
    done[item.audio ? "transcript" : "text"] = item.text;
    wire_.Send(item.audio ? "response.output_audio_transcript.done" : "response.output_text.done", done);
    Json part = Place(output, true);
    part["part"] =
        item.audio ? Json{{"type", "audio"}, {"transcript", item.text}} : Json{{"type", "text"}, {"text", item.text}};
    wire_.Send("response.content_part.done", part);
  }
  const Json json = item.ToJson();
  if (!setup_.out_of_band) {
    // The service often forgets the id here.
    const bool named = !output.previous_id.empty() && wire_.Between(0, 1) == 1;
    wire_.Send("conversation.item.done",
               {{"previous_item_id", named ? Json(output.previous_id) : Json(nullptr)}, {"item", json}});
  }
  wire_.Send("response.output_item.done", {{"response_id", id_}, {"output_index", IndexOf(output)}, {"item", json}});
}

void ModelResponse::Finish(const std::string& status, const std::string& reason) {
  done_ = true;
  plan_.clear();
  status_ = status;
  reason_ = reason;
  wire_.Send("response.done", {{"response", ToJson()}});
}

Json ModelResponse::StatusDetails() const {
  if (status_ == "cancelled" || status_ == "incomplete") return {{"type", status_}, {"reason", reason_}};
  if (status_ != "failed") return nullptr;
  const bool quota = reason_ == "insufficient_quota" || reason_ == "billing_hard_limit_reached";
  return {{"type", "failed"},
          {"error",
           {{"type", quota                       ? "insufficient_quota"
                     : reason_ == "server_error" ? "server_error"
                                                 : "invalid_request_error"},
            {"code", reason_},
            {"message", absl::StrCat("The response failed: ", reason_, ".")}}}};
}

Json ModelResponse::Usage() const {
  if (status_ == "in_progress" || status_ == "failed") return nullptr;
  int text = 0;
  for (const Output& output : outputs_) {
    if (output.announced) text += static_cast<int>(output.item->text.size() + output.item->arguments.size() + 3) / 4;
  }
  const int audio = static_cast<int>(audio_ms_ / 50);
  // Cancelled before anything came out of it: nothing was billed.
  const bool nothing = status_ == "cancelled" && text + audio == 0;
  const int in_text = nothing ? 0 : setup_.input_text_tokens;
  const int in_audio = nothing ? 0 : setup_.input_audio_tokens;
  const int cached_text = in_text / 64 * 64;
  const int cached_audio = in_audio / 2;
  return {{"total_tokens", in_text + in_audio + text + audio},
          {"input_tokens", in_text + in_audio},
          {"output_tokens", text + audio},
          {"input_token_details",
           {{"text_tokens", in_text},
            {"audio_tokens", in_audio},
            {"image_tokens", 0},
            {"cached_tokens", cached_text + cached_audio},
            {"cached_tokens_details",
             {{"text_tokens", cached_text}, {"audio_tokens", cached_audio}, {"image_tokens", 0}}}}},
          {"output_token_details", {{"text_tokens", text}, {"audio_tokens", audio}}}};
}

Json ModelResponse::ToJson() const {
  Json output = Json::array();
  if (done_ && status_ != "failed") {
    for (const Output& made : outputs_) {
      if (made.announced) output.push_back(made.item->ToJson());
    }
  }
  return {{"object", "realtime.response"},
          {"id", id_},
          {"status", status_},
          {"status_details", StatusDetails()},
          {"output", output},
          {"conversation_id", setup_.out_of_band ? Json(nullptr) : Json(conversation_.id())},
          {"output_modalities", setup_.shape["output_modalities"]},
          {"max_output_tokens", setup_.shape["max_output_tokens"]},
          {"audio", setup_.shape["audio"]},
          {"usage", Usage()},
          {"metadata", setup_.shape["metadata"]}};
}

}  // namespace callbridge::sim
