#ifndef CALLBRIDGE_SRC_SIM_SCENARIO_READ_H_
#define CALLBRIDGE_SRC_SIM_SCENARIO_READ_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/sim/scenario.h"

// The parts of a scenario's lines. All errors are kInvalidArgument and say what would be right.
namespace callbridge::sim {

using Words = std::vector<std::string>;

absl::Status Wrong(absl::string_view what);

// Separated by blanks and commas.
Words SplitWords(absl::string_view text);

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text);  // "1200ms", "2.5s", "1m"; "0".
absl::StatusOr<bool> ReadYes(absl::string_view text);
absl::StatusOr<int> ReadInt(absl::string_view text, int low, int high);
absl::StatusOr<std::string> ReadOneOf(absl::string_view text, const std::vector<std::string>& allowed);

// "50ms..150ms", or one duration for both.
absl::StatusOr<DurationRange> ReadDurationRange(absl::string_view text);

// "answer after 500ms, talk 2s" | "busy" | "no answer after 3s" | "reject" | "invalid number" | "carrier error" |
// "machine after 800ms, greeting 3s, beep"
absl::StatusOr<Pickup> ReadPickup(absl::string_view text);

absl::StatusOr<PersonStep> ReadPersonStep(absl::string_view line);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_SCENARIO_READ_H_
