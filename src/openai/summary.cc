#include "src/openai/summary.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "src/openai/client_event.h"

namespace callbridge::openai {
namespace {

constexpr char kPurpose[] = "call_summary";

// Room for the reasoning of reasoning models, which counts towards it; the instructions keep the text short.
constexpr int64_t kMaxOutputTokens = 1000;

// "```json\n...\n```" without its fence.
absl::string_view StripFence(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "```")) return text;
  const size_t line_end = text.find('\n');
  if (line_end == absl::string_view::npos) return absl::StripSuffix(text, "```");
  text = absl::StripAsciiWhitespace(text.substr(line_end + 1));
  return absl::StripAsciiWhitespace(absl::StripSuffix(text, "```"));
}

// "Summary:", "**Summary:**", "# Summary".
absl::string_view StripHeading(absl::string_view text) {
  absl::string_view rest = text;
  while (!rest.empty() && (rest.front() == '*' || rest.front() == '#' || rest.front() == ' ')) rest.remove_prefix(1);
  if (!absl::StartsWithIgnoreCase(rest, "summary")) return text;
  rest.remove_prefix(7);
  const size_t words = rest.find_first_not_of(":* \r\n\t");
  const absl::string_view mark = rest.substr(0, words);
  const bool is_heading = absl::StrContains(mark, ':') || absl::StrContains(mark, '\n');
  return is_heading && words != absl::string_view::npos ? rest.substr(words) : text;
}

// The value of "summary", if the text is a JSON object with one.
std::optional<std::string> FromJson(absl::string_view text) {
  if (!absl::StartsWith(text, "{")) return std::nullopt;
  const auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("summary") || !json["summary"].is_string()) return std::nullopt;
  return json["summary"].get<std::string>();
}

absl::string_view CutAtCharacter(absl::string_view text) {
  if (text.size() <= kMaxSummaryBytes) return text;
  size_t end = kMaxSummaryBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::string SummaryInstructions(absl::string_view extra) {
  std::string instructions =
      "The phone call is over. Write a summary of it for the people who will read its record: who called or was called "
      "and why, what "
      "was said and agreed, how it ended, and what is still to be done. Two to five plain sentences in the language of "
      "the "
      "conversation. Only what was said in this call; no greeting, no heading, no list, no markup, no JSON. Nobody "
      "will hear this.";
  if (!extra.empty()) absl::StrAppend(&instructions, "\n\n", extra);
  return instructions;
}

std::string FormatSummaryRequest(absl::string_view extra, absl::string_view event_id) {
  return FormatTextAside(SummaryInstructions(extra), kPurpose, kMaxOutputTokens, event_id);
}

bool IsSummary(const ResponseCreated& created) { return IsAside(created.metadata, kPurpose); }
bool IsSummary(const ResponseDone& done) { return IsAside(done.metadata, kPurpose); }

std::optional<std::string> SummaryText(const ResponseDone& done) {
  if (done.status == ResponseStatus::kFailed || done.status == ResponseStatus::kCancelled) return std::nullopt;
  std::string all;
  for (const Item& item : done.output) {
    if (item.type != ItemType::kMessage || item.text.empty()) continue;
    absl::StrAppend(&all, all.empty() ? "" : "\n", item.text);
  }
  const absl::string_view text = StripFence(absl::StripAsciiWhitespace(all));
  std::string summary = FromJson(text).value_or(std::string(StripHeading(text)));
  const absl::string_view cut = absl::StripAsciiWhitespace(CutAtCharacter(absl::StripAsciiWhitespace(summary)));
  if (cut.empty()) return std::nullopt;
  return std::string(cut);
}

}  // namespace callbridge::openai
