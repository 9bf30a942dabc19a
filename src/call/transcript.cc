#include "src/call/transcript.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/audio/playout_ledger.h"

namespace callbridge::call {
namespace {

absl::string_view Speaker(Role role) {
  switch (role) {
    case Role::kCaller: return "Caller";
    case Role::kAssistant: return "Assistant";
    case Role::kHuman: return "Human";
    case Role::kTool:
    case Role::kSystem: return "";
  }
  return "";
}

}  // namespace

std::string HeardPart(absl::string_view text, int64_t heard_ms, int64_t generated_ms) {
  if (generated_ms <= 0 || heard_ms <= 0) return "";
  if (heard_ms >= generated_ms) return std::string(text);
  size_t end = static_cast<size_t>(static_cast<int64_t>(text.size()) * heard_ms / generated_ms);
  // Only words that were heard whole; this also keeps UTF-8 sequences together, since they hold no blanks.
  while (end > 0 && !absl::ascii_isspace(text[end])) --end;
  return std::string(absl::StripAsciiWhitespace(text.substr(0, end)));
}

Transcript::Entry* Transcript::Lookup(absl::string_view item_id) {
  for (auto entry = items_.rbegin(); entry != items_.rend(); ++entry) {
    if (entry->item.item_id == item_id) return &*entry;
  }
  return nullptr;
}

Transcript::Entry& Transcript::Get(absl::string_view item_id, Role role) {
  if (Entry* known = Lookup(item_id)) return *known;
  items_.emplace_back();
  Entry& made = items_.back();
  made.item.item_id = std::string(item_id);
  made.item.role = role;
  made.item.position = static_cast<int64_t>(items_.size());
  return made;
}

const TranscriptItem* Transcript::Find(absl::string_view item_id) const {
  for (const Entry& entry : items_) {
    if (entry.item.item_id == item_id) return &entry.item;
  }
  return nullptr;
}

void Transcript::Add(absl::string_view item_id, absl::string_view previous, Role role, absl::Time now) {
  Entry& added = Get(item_id, role);
  if (added.item.start_time == absl::InfinitePast()) added.item.start_time = now;
  const auto at = [this](absl::string_view id) {
    return std::find_if(items_.begin(), items_.end(), [id](const Entry& entry) { return entry.item.item_id == id; });
  };
  if (previous.empty() || previous == item_id || at(previous) == items_.end()) return;
  const auto moved = at(item_id);
  const auto before = at(previous);
  if (moved == before + 1) return;
  if (before < moved) {
    std::rotate(before + 1, moved, moved + 1);
  } else {
    std::rotate(moved, moved + 1, before + 1);
  }
  Renumber();
}

void Transcript::Renumber() {
  int64_t position = 0;
  for (Entry& entry : items_) {
    if (entry.item.position == ++position) continue;
    entry.item.position = position;
    entry.taken = false;  // A final item that moved is handed out again with its new position.
  }
}

void Transcript::OnCallerSpeech(absl::string_view item_id, absl::Time now) {
  Entry& entry = Get(item_id, Role::kCaller);
  if (entry.item.start_time == absl::InfinitePast()) entry.item.start_time = now;
}

void Transcript::OnCallerSpeechEnd(absl::string_view item_id, absl::Time now) {
  Entry& entry = Get(item_id, Role::kCaller);
  entry.speech_end = now;
  if (entry.item.start_time != absl::InfinitePast()) {
    entry.item.generated_ms = entry.item.heard_ms = absl::ToInt64Milliseconds(now - entry.item.start_time);
  }
}

void Transcript::OnCallerText(absl::string_view item_id, absl::string_view text) {
  Entry& entry = Get(item_id, Role::kCaller);
  entry.item.text_generated = entry.item.text_heard = std::string(absl::StripAsciiWhitespace(text));
  entry.item.status = ItemStatus::kComplete;
  entry.final = true;
  entry.taken = false;
}

void Transcript::OnCallerTextFailed(absl::string_view item_id) {
  Entry& entry = Get(item_id, Role::kCaller);
  if (entry.final) return;
  entry.item.status = ItemStatus::kFailed;
  entry.final = true;
}

void Transcript::OnAssistantText(absl::string_view item_id, absl::string_view delta) {
  Entry& entry = Get(item_id, Role::kAssistant);
  if (!entry.text_done) entry.item.text_generated.append(delta.data(), delta.size());
}

void Transcript::OnAssistantTextDone(absl::string_view item_id, absl::string_view text) {
  Entry& entry = Get(item_id, Role::kAssistant);
  if (!text.empty()) entry.item.text_generated = std::string(text);
  entry.text_done = true;
  Settle(entry);
}

void Transcript::OnHeard(absl::string_view item_id, int64_t heard_ms, int64_t generated_ms, HeardBasis basis) {
  Entry& entry = Get(item_id, Role::kAssistant);
  if (entry.audio_done) return;
  entry.audio_done = true;
  entry.item.heard_ms = heard_ms;
  entry.item.generated_ms = generated_ms;
  entry.item.basis = basis;
  entry.item.status = ItemStatus::kComplete;
  Settle(entry);
}

void Transcript::OnCut(absl::string_view item_id, int64_t heard_ms, int64_t generated_ms, HeardBasis basis) {
  Entry& entry = Get(item_id, Role::kAssistant);
  if (entry.audio_done) return;
  entry.audio_done = true;
  entry.item.heard_ms = heard_ms;
  entry.item.generated_ms = generated_ms;
  entry.item.basis = basis;
  entry.item.status = ItemStatus::kCut;
  Settle(entry);
}

void Transcript::OnMoreGenerated(absl::string_view item_id, int64_t bytes) {
  Entry* entry = Lookup(item_id);
  if (entry == nullptr || entry->final || entry->item.status != ItemStatus::kCut) return;
  entry->more_generated += bytes;
  entry->item.generated_ms += entry->more_generated / audio::kBytesPerMs;
  entry->more_generated %= audio::kBytesPerMs;
  Settle(*entry);
}

void Transcript::CloseAssistantItems() {
  for (Entry& entry : items_) {
    if (entry.item.role != Role::kAssistant || entry.text_done) continue;
    entry.text_done = true;
    Settle(entry);
  }
}

void Transcript::Settle(Entry& entry) {
  if (entry.final || !entry.audio_done) return;
  entry.item.text_heard = entry.item.status == ItemStatus::kCut
                              ? HeardPart(entry.item.text_generated, entry.item.heard_ms, entry.item.generated_ms)
                              : entry.item.text_generated;
  entry.final = entry.text_done;
}

std::vector<TranscriptItem> Transcript::TakeFinal() {
  std::vector<TranscriptItem> taken;
  for (Entry& entry : items_) {
    if (!entry.final || entry.taken) continue;
    entry.taken = true;
    taken.push_back(entry.item);
  }
  return taken;
}

bool Transcript::AwaitsCallerText() const {
  return std::any_of(items_.begin(), items_.end(),
                     [](const Entry& entry) { return entry.item.role == Role::kCaller && !entry.final; });
}

void Transcript::CloseAll() {
  for (Entry& entry : items_) {
    if (entry.final) continue;
    if (entry.item.role == Role::kCaller) {
      OnCallerTextFailed(entry.item.item_id);
    } else if (entry.item.role == Role::kAssistant) {
      if (!entry.audio_done) entry.item.status = ItemStatus::kCut;
      entry.audio_done = entry.text_done = true;
      Settle(entry);
    }
  }
}

bool Transcript::AwaitsText(absl::string_view item_id) const {
  const TranscriptItem* const item = Find(item_id);
  return item != nullptr && item->status == ItemStatus::kInProgress && item->text_generated.empty();
}

void Transcript::Forget(absl::string_view item_id) {
  const auto found = std::find_if(items_.begin(), items_.end(),
                                  [item_id](const Entry& entry) { return entry.item.item_id == item_id; });
  if (found == items_.end() || found->final || !found->item.text_generated.empty()) return;
  items_.erase(found);
  Renumber();
}

std::string Transcript::Before(absl::string_view item_id, const std::set<std::string>& among) const {
  std::string before;
  for (const Entry& entry : items_) {
    if (entry.item.item_id == item_id) break;
    if (among.count(entry.item.item_id) > 0) before = entry.item.item_id;
  }
  return before;
}

std::vector<TranscriptItem> Transcript::Items() const {
  std::vector<TranscriptItem> items;
  items.reserve(items_.size());
  for (const Entry& entry : items_) items.push_back(entry.item);
  return items;
}

std::string Transcript::Text() const { return FormatTranscript(Items()); }

std::string FormatTranscript(const std::vector<TranscriptItem>& items) {
  std::string text;
  for (const TranscriptItem& item : items) {
    const bool failed = item.status == ItemStatus::kFailed;
    if (Speaker(item.role).empty() || (item.text_heard.empty() && !failed)) continue;
    std::string line = failed ? "[not understood]" : item.text_heard;
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    absl::StrAppend(&text, text.empty() ? "" : "\n", Speaker(item.role), ": ", line);
  }
  return text;
}

}  // namespace callbridge::call
