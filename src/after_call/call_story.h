#ifndef CALLBRIDGE_SRC_AFTER_CALL_CALL_STORY_H_
#define CALLBRIDGE_SRC_AFTER_CALL_CALL_STORY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/call/types.h"
#include "src/openai/text_summary.h"
#include "src/session/settings.h"
#include "src/store/call_store.h"

namespace callbridge::after_call {

// What the store knows of a call, as far as its summary needs it.
struct CallStory {
  store::CallRecord call;
  std::vector<call::TranscriptItem> items;  // In the order of the conversation.
  std::vector<call::Transfer> transfers;
  bool machine = false;  // A machine answered.
};

// Blocks for several reads. Errors are the store's.
absl::StatusOr<CallStory> ReadStory(store::CallStore& store, const std::string& call_id);

// Whether anybody said anything that could be summed up.
bool HasWords(const CallStory& story);

// What the text model is asked. No phone number and no name of the agent's is in it: it gets what was said and how the
// call went. Pure.
openai::TextSummaryRequest RequestFor(const CallStory& story, const session::AfterCall& wishes);

}  // namespace callbridge::after_call

#endif  // CALLBRIDGE_SRC_AFTER_CALL_CALL_STORY_H_
