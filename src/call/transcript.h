#ifndef CALLBRIDGE_SRC_CALL_TRANSCRIPT_H_
#define CALLBRIDGE_SRC_CALL_TRANSCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/call/types.h"

namespace callbridge::call {

// The conversation in the order in which it was held, however late its texts come.
//
// An item takes its place when it is announced (behind the item that the model names as previous, or at the end), not
// when its text is known. Each item becomes final once; TakeFinal() hands it out then. Pure, not thread-safe.
class Transcript {
 public:
  // Announces an item; a repeat only moves it if the model now names another predecessor. `previous` may be empty or
  // unknown.
  void Add(absl::string_view item_id, absl::string_view previous, Role role, absl::Time now);

  // The caller began or ended to speak; the item may not be announced yet.
  void OnCallerSpeech(absl::string_view item_id, absl::Time now);
  void OnCallerSpeechEnd(absl::string_view item_id, absl::Time now);
  // The words of a caller's item, or that there are none to be had. The item is final then.
  void OnCallerText(absl::string_view item_id, absl::string_view text);
  void OnCallerTextFailed(absl::string_view item_id);

  // The assistant's words so far, and all of them.
  void OnAssistantText(absl::string_view item_id, absl::string_view delta);
  void OnAssistantTextDone(absl::string_view item_id, absl::string_view text);

  // The assistant's item was heard to its end, or cut after `heard_ms`.
  void OnHeard(absl::string_view item_id, int64_t heard_ms, int64_t generated_ms, HeardBasis basis);
  void OnCut(absl::string_view item_id, int64_t heard_ms, int64_t generated_ms, HeardBasis basis);

  // Audio of a cut item came that nobody will hear.
  void OnMoreGenerated(absl::string_view item_id, int64_t bytes);

  // The model will say no more about the assistant's items so far: their texts are what they are now.
  void CloseAssistantItems();

  // Items that became final since the last call, with their positions.
  std::vector<TranscriptItem> TakeFinal();

  // Items of the caller that were spoken and wait for their text.
  bool AwaitsCallerText() const;

  // Makes every item final as it is: the call is over. Caller's items without text become kFailed, the assistant's
  // kCut.
  void CloseAll();

  // An item as it stands, for saving while it is in progress; null if unknown.
  const TranscriptItem* Find(absl::string_view item_id) const;

  // Whether it was announced, and neither words of it are known nor that there are none.
  bool AwaitsText(absl::string_view item_id) const;

  // As if it had never been announced, unless its words are known: it will be heard once more, under another id.
  void Forget(absl::string_view item_id);

  // The id of the nearest item in front of it that is one of `among`; empty: none.
  std::string Before(absl::string_view item_id, const std::set<std::string>& among) const;

  // All items as they stand, in their order.
  std::vector<TranscriptItem> Items() const;

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }

  // FormatTranscript() of the items as they stand.
  std::string Text() const;

 private:
  struct Entry {
    TranscriptItem item;
    bool text_done = false;
    bool audio_done = false;  // Heard to its end, or cut.
    bool final = false;
    bool taken = false;
    int64_t more_generated = 0;  // Bytes behind the cut that are no whole millisecond yet.
    absl::Time speech_end = absl::InfinitePast();
  };

  Entry* Lookup(absl::string_view item_id);
  Entry& Get(absl::string_view item_id, Role role);
  void Settle(Entry& entry);
  void Renumber();

  std::vector<Entry> items_;
};

// The conversation as call_logs.transcript has it, a line an item: "Caller: ...\nAssistant: ..." with what was heard.
// Items without words are left out, but for a caller's words that were not understood.
std::string FormatTranscript(const std::vector<TranscriptItem>& items);

// The first part of `text` that takes `heard_ms` of `generated_ms` to say: whole words, in proportion.
std::string HeardPart(absl::string_view text, int64_t heard_ms, int64_t generated_ms);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_TRANSCRIPT_H_
