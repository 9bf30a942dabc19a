#include "src/sim/model_trouble.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "src/sim/scenario_read.h"

namespace callbridge::sim {
namespace {

constexpr int kMostSessions = 1000;
constexpr char kRight[] =
    "a fault is 'fault: [session N] [response N] [after DURATION] close:CODE|error:CODE|abort|stall|garbage|expire'";

absl::Status ReadWhat(const std::string& what, ModelManners::Fault& fault) {
  static const std::vector<std::string> kWhole = {"abort", "stall", "garbage", "expire"};
  if (!absl::StartsWith(what, "close:") && !absl::StartsWith(what, "error:") && !ReadOneOf(what, kWhole).ok()) {
    return Wrong(absl::StrCat("fault '", what, "' must be close:CODE, error:CODE, ", absl::StrJoin(kWhole, ", ")));
  }
  fault.what = what;
  return absl::OkStatus();
}

absl::Status ReadFault(absl::string_view text, ModelManners& manners) {
  const Words words = SplitWords(text);
  ModelManners::Fault fault;
  bool timed = false;
  size_t at = 0;
  for (; at + 2 < words.size(); at += 2) {
    if (words[at] == "after") {
      absl::StatusOr<absl::Duration> after = ReadDuration(words[at + 1]);
      if (!after.ok()) return after.status();
      fault.at = *after;
      timed = true;
      continue;
    }
    int* const number = words[at] == "session" ? &fault.session : words[at] == "response" ? &fault.response : nullptr;
    if (number == nullptr) return Wrong(kRight);
    absl::StatusOr<int> read = ReadInt(words[at + 1], 1, kMostSessions);
    if (!read.ok()) return read.status();
    *number = *read;
  }
  if (at + 1 != words.size() || (!timed && fault.response == 0)) return Wrong(kRight);
  if (absl::Status status = ReadWhat(words[at], fault); !status.ok()) return status;
  manners.faults.push_back(fault);
  return absl::OkStatus();
}

}  // namespace

bool IsModelTrouble(absl::string_view key) {
  return key == "fault" || absl::StartsWith(key, "fault ") || absl::StartsWith(key, "refuse session ");
}

absl::Status ReadModelTrouble(absl::string_view key, absl::string_view value, ModelManners& manners) {
  if (absl::ConsumePrefix(&key, "fault")) return ReadFault(absl::StrCat(key, " ", value), manners);
  absl::ConsumePrefix(&key, "refuse session ");
  absl::StatusOr<int> session = ReadInt(key, 1, kMostSessions);
  if (!session.ok()) return session.status();
  manners.refusals[*session] = std::string(value);
  return absl::OkStatus();
}

}  // namespace callbridge::sim
