#ifndef CALLBRIDGE_SRC_OPENAI_TEXT_SUMMARY_H_
#define CALLBRIDGE_SRC_OPENAI_TEXT_SUMMARY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::openai {

// What is made of a call afterwards by a text model over the Responses API (POST <base>/responses): a summary and a
// structured result. Pure: requests as text, answers from text.

// The tokens that a first request may use, reasoning included, and those of a second one if they did not suffice.
constexpr int64_t kSummaryTokens = 4'000;
constexpr int64_t kMoreSummaryTokens = 16'000;

// What the disposition is chosen from where the agent does not say.
const std::vector<std::string>& DefaultDispositions();

// A line of the conversation.
struct SpokenLine {
  std::string speaker;  // "caller", "assistant", ...
  std::string text;     // As it was heard; empty: it could not be understood.
  bool cut = false;     // The speaker was interrupted there.
};

struct TextSummaryRequest {
  std::string model;
  std::string instructions;               // The agent's own, added to ours.
  std::vector<std::string> dispositions;  // Not empty.
  std::string fields_schema_json;         // JSON Schema of an object; empty: no fields.
  // What is known of the call besides its words, such as {"direction", "outbound"}.
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<SpokenLine> conversation;
  int64_t max_output_tokens = kSummaryTokens;
};

// The body of the request. The conversation is given as JSON in a marked block that nothing said can end, and the
// model is told that it is data. Of a very long one the middle is left out, with a note.
std::string FormatTextSummary(const TextSummaryRequest& request);

struct TextSummary {
  std::string summary;         // Not empty; at most kMaxSummaryBytes.
  std::string disposition;     // One of the request's.
  std::string interest;        // "none", "low", "medium", "high"; empty: unknown.
  std::string follow_up_time;  // RFC 3339; empty: none.
  std::string fields_json;  // An object; empty: the request had no schema. Fits it as far as strict mode goes: check.
};

// What came back. kUnavailable: worth another try later (408, 409, 429, 5xx, an answer that fits nothing).
// kResourceExhausted: the tokens did not suffice. kFailedPrecondition: another try would end the same (key, model,
// request, refusal). The message is for operators; it quotes no key and nothing of the call.
absl::StatusOr<TextSummary> ParseTextSummary(int http_status, absl::string_view body,
                                             const TextSummaryRequest& request);

// A schema as the API's strict mode wants it: each object closed, each property required (those that were optional may
// be null), keywords that strict mode does not know left out. `schema_json` is an object schema. kInvalidArgument: it
// has an object without properties, which strict mode cannot express.
absl::StatusOr<std::string> StrictSchema(absl::string_view schema_json);

// Takes the nulls out of `fields_json` that stand for properties which `schema_json` does not require.
std::string WithoutOptionalNulls(absl::string_view fields_json, absl::string_view schema_json);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_TEXT_SUMMARY_H_
