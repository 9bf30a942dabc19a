#include <utility>

#include "absl/strings/str_cat.h"
#include "src/call/call.h"
#include "src/call/deadlines.h"

// What clients ask for while the call runs: words to be said, things to be known, and who hears and answers whom.
namespace callbridge::call {

using namespace deadline;  // NOLINT(google-build-using-namespace): a list of names, of this room alone.

namespace {

constexpr char kSayExactly[] = "Say exactly this to the caller, word for word and nothing else: ";
// Of a goodbye, which has no request of its own.
constexpr char kLastWords[] = "goodbye";

}  // namespace

// ---- Words ----

Call::Refusal Call::WhyNot(const input::SayRequested& in) const {
  if (AskedBefore(in.request_id)) return Refusal::kRepeated;
  if (!in.prompt.empty() && FindPrompt(in.prompt) == nullptr) return Refusal::kUnknownPrompt;
  if (Ending() || !MediaUp() || farewell_.active || voicemail_ != Voicemail::kNo) return Refusal::kNotActive;
  if (in.prompt.empty() && !ModelUsable()) return Refusal::kModelNotReady;
  return says_.size() < kMaxSays ? Refusal::kNone : Refusal::kTooMany;
}

void Call::On(const input::SayRequested& in) {
  if (WhyNot(in) != Refusal::kNone) return;
  steered_.insert(in.request_id);
  Emit(SayRequested{in.request_id, in.text, in.prompt, in.interrupt, in.principal});
  Say say{in.request_id, in.text, in.prompt};
  if (!in.interrupt) {
    says_.push_back(std::move(say));
    return;
  }
  for (const absl::string_view which : {kAnswer, kHold, kRetryResponse}) ClearDeadline(which);
  CutAssistant(Cut::kSteered);
  LiftGreeting();
  turn_.open = false;
  says_.push_front(std::move(say));
}

const Prompt* Call::FindPrompt(absl::string_view name) const {
  const std::pair<absl::string_view, const Prompt*> all[] = {{"hold", &options_.hold_prompt},
                                                             {"goodbye", &options_.goodbye_prompt},
                                                             {"callback", &options_.callback_prompt},
                                                             {"voicemail", &options_.voicemail_prompt}};
  for (const auto& [known, prompt] : all) {
    if (known == name && !prompt->base64.empty()) return prompt;
  }
  return nullptr;
}

std::vector<std::string> Call::PromptNames() const {
  std::vector<std::string> names;
  for (const char* name : {"hold", "goodbye", "callback", "voicemail"}) {
    if (FindPrompt(name) != nullptr) names.emplace_back(name);
  }
  return names;
}

// One at a time, when what is being said has been made: its sound is behind that. Not before the answer that the
// caller waits for, which the server makes by itself and which would refuse ours.
void Call::SayNext() {
  while (!says_.empty() && !saying_) {
    if (!running_responses_.empty() || response_asked_ || Awaits(kAnswer) || Awaits(kRetryResponse)) return;
    if (!MediaUp() || hangup_asked_ || TransferPending() || assistant_muted_ || voicemail_ != Voicemail::kNo) return;
    if (caller_speaking_ && !last_words_) return;
    if (says_.front().prompt.empty() && !ModelUsable()) return;
    const Say next = std::move(says_.front());
    says_.pop_front();
    if (!next.prompt.empty()) {
      PlayPrompt(next.prompt, *FindPrompt(next.prompt));
      continue;
    }
    saying_ = next;
    response_asked_ = true;
    SetDeadline(kAnswer, options_.answer_limit);
    sink_.Do(command::CreateResponse{absl::StrCat(kSayExactly, next.text), next.request_id});
  }
}

void Call::SayAgain() {
  says_.push_front(*std::exchange(saying_, absl::nullopt));
  say_response_.clear();
}

void Call::ForgetSays() {
  says_.clear();
  saying_.reset();
  say_response_.clear();
}

// ---- What the model knows ----

Call::Refusal Call::WhyNot(const input::ContextGiven& in) const {
  if (AskedBefore(in.request_id)) return Refusal::kRepeated;
  if (Ending()) return Refusal::kNotActive;
  return session_.given_up ? Refusal::kModelNotReady : Refusal::kNone;
}

void Call::On(const input::ContextGiven& in) {
  if (WhyNot(in) != Refusal::kNone) return;
  steered_.insert(in.request_id);
  Emit(ContextInjected{in.request_id, in.text, in.respond, in.principal});
  NoteForModel(in.text);
  if (in.respond) RequestResponse("");
}

void Call::NoteForModel(const std::string& text) {
  command::HistoryItem item;
  item.role = Role::kSystem;
  item.text = text;
  asides_.emplace_back(transcript_.size(), std::move(item));
  if (ModelUsable()) sink_.Do(command::AddSystemText{text});
}

Call::Refusal Call::WhyNot(const input::InstructionsGiven& in) const {
  if (Ending()) return Refusal::kNotActive;
  return in.instructions == instructions_ ? Refusal::kRepeated : Refusal::kNone;
}

void Call::On(const input::InstructionsGiven& in) {
  if (WhyNot(in) != Refusal::kNone) return;
  instructions_ = in.instructions;
  Emit(InstructionsUpdated{in.instructions, in.principal});
  sink_.Do(command::SetInstructions{in.instructions});
}

Call::Refusal Call::WhyNot(const input::ToolResultGiven& in) const {
  if (client_calls_.count(in.tool_call_id) == 0) return Refusal::kUnknownToolCall;
  const auto known = client_answers_.find(in.tool_call_id);
  const bool same = known != client_answers_.end() && known->second == std::make_pair(in.ok, in.output);
  if (same) return Refusal::kRepeated;
  if (Ending()) return Refusal::kNotActive;
  return tools_.count(in.tool_call_id) > 0 ? Refusal::kNone : Refusal::kToolCallAnswered;
}

void Call::On(const input::ToolResultGiven& in) {
  if (WhyNot(in) != Refusal::kNone) return;
  client_answers_[in.tool_call_id] = {in.ok, in.output};
  On(input::ToolFinished{in.tool_call_id, in.ok, in.output});
}

// ---- Keys ----

Call::Refusal Call::WhyNot(const input::DtmfRequested& in) const {
  if (AskedBefore(in.request_id)) return Refusal::kRepeated;
  return Ending() || !MediaUp() ? Refusal::kNotActive : Refusal::kNone;
}

void Call::On(const input::DtmfRequested& in) {
  if (WhyNot(in) != Refusal::kNone) return;
  steered_.insert(in.request_id);
  sink_.Do(command::SendDtmf{in.digits});
  Emit(DtmfSent{in.digits, in.request_id, in.principal});
}

// ---- Who hears whom ----

Call::Refusal Call::WhyNot(const input::MuteRequested& in) const {
  if (Ending()) return Refusal::kNotActive;
  const bool same = in.caller_muted == caller_muted_ && in.assistant_muted == assistant_muted_;
  return same ? Refusal::kRepeated : Refusal::kNone;
}

void Call::On(const input::MuteRequested& in) {
  if (WhyNot(in) != Refusal::kNone) return;
  caller_muted_ = in.caller_muted;
  if (in.assistant_muted && !assistant_muted_) {
    CutAssistant(Cut::kLineGone);
    LiftGreeting();
  }
  assistant_muted_ = in.assistant_muted;
  Emit(MuteChanged{caller_muted_, assistant_muted_, in.principal});
}

// ---- Who answers ----

Call::Refusal Call::WhyNot(const input::TakeoverRequested&) const {
  if (Ending() || (farewell_.active && !farewell_.cancellable)) return Refusal::kNotActive;
  return taken_over_ ? Refusal::kRepeated : Refusal::kNone;
}

void Call::On(const input::TakeoverRequested& in) {
  if (WhyNot(in) != Refusal::kNone) return;
  taken_over_ = true;
  Emit(TakeoverChanged{true, in.reason, in.principal});
  CancelFarewell();
  StopAnswering();
  LiftGreeting();
}

void Call::LiftGreeting() {
  if (std::exchange(greeting_protected_, false) && ModelUsable()) sink_.Do(command::ReleaseGreeting{});
}

// Silence at once, and no answer to what was asked for; words that a client wants said stay wanted.
void Call::StopAnswering() {
  sink_.Do(command::LetAnswer{false});
  CutAssistant(Cut::kSteered);
  for (const absl::string_view which : {kAnswer, kHold, kRetryResponse, kIdle, kToolPatience}) ClearDeadline(which);
  response_wanted_ = turn_.open = false;
  response_asked_ = saying_ && say_response_.empty();
}

Call::Refusal Call::WhyNot(const input::ReleaseRequested&) const {
  if (Ending()) return Refusal::kNotActive;
  return taken_over_ ? Refusal::kNone : Refusal::kRepeated;
}

void Call::On(const input::ReleaseRequested& in) {
  if (WhyNot(in) != Refusal::kNone) return;
  taken_over_ = false;
  Emit(TakeoverChanged{false, "", in.principal});
  if (session_.given_up) return GiveUpOnModel();
  sink_.Do(command::LetAnswer{true});
  if (!in.context.empty()) NoteForModel(in.context);
  response_wanted_ = false;
  greeted_ = greeted_ || MediaUp();  // Somebody has spoken to the caller.
  if (in.respond) RequestResponse("");
}

// ---- Last words ----

bool Call::SayLastWords(const input::EndRequested& in) {
  const bool heard = MediaUp() && ModelUsable() && !assistant_muted_ && !TransferPending();
  if (Ending() || !heard || voicemail_ != Voicemail::kNo) return false;
  if (last_words_) return true;
  if (farewell_.active) {  // It is taking its leave as it is.
    farewell_.cancellable = false;
    farewell_.reason = in.reason;
    farewell_.party = Party::kApi;
    farewell_.evidence = in.detail;
    return true;
  }
  last_words_ = true;
  StopAnswering();
  // The caller's voice must not stop the goodbye.
  sink_.Do(command::ConfigureModel{true});
  ForgetSays();
  response_asked_ = false;
  says_.push_back({kLastWords, in.goodbye, ""});
  BeginFarewell(in.reason, Party::kApi, in.detail, /*cancellable=*/false);
  SetDeadline(kFarewell, options_.last_words_limit);
  return true;
}

}  // namespace callbridge::call
