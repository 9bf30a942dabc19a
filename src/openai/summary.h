#ifndef CALLBRIDGE_SRC_OPENAI_SUMMARY_H_
#define CALLBRIDGE_SRC_OPENAI_SUMMARY_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "src/openai/server_event.h"

namespace callbridge::openai {

// The summary at the end of a call: asked for on the session that still holds the conversation, as a text response
// outside of it. Interrupted answers have no text there, so the summary reflects what the caller heard.

// Longest summary kept, in bytes of UTF-8; a longer one is cut at a character.
constexpr size_t kMaxSummaryBytes = 4000;

// What the model is told: a few sentences of plain text. `extra` (may be empty) is the agent's own wish, appended.
std::string SummaryInstructions(absl::string_view extra);

// The response.create that asks for it. Keep the socket open until IsSummary() of a ResponseDone, with a time limit.
std::string FormatSummaryRequest(absl::string_view extra, absl::string_view event_id);

bool IsSummary(const ResponseCreated& created);
bool IsSummary(const ResponseDone& done);

// The summary in a done response: the text of its assistant messages, without a code fence around it or a heading
// "Summary:", and out of a JSON object's "summary" if the model chose to write one; blanks trimmed. Also what there is
// of an incomplete response. Nothing if the response failed or was cancelled, or has no text.
std::optional<std::string> SummaryText(const ResponseDone& done);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_SUMMARY_H_
