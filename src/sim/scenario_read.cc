#include "src/sim/scenario_read.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace callbridge::sim {

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

Words SplitWords(absl::string_view text) { return absl::StrSplit(text, absl::ByAnyChar(" \t,"), absl::SkipEmpty()); }

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration() || duration > absl::Hours(24)) {
    return Wrong(absl::StrCat("'", text, "' is not a duration; write 400ms, 2.5s or 1m"));
  }
  return duration;
}

absl::StatusOr<bool> ReadYes(absl::string_view text) {
  if (text == "yes") return true;
  if (text == "no") return false;
  return Wrong(absl::StrCat("'", text, "' must be yes or no"));
}

absl::StatusOr<int> ReadInt(absl::string_view text, int low, int high) {
  int value;
  if (!absl::SimpleAtoi(text, &value) || value < low || value > high) {
    return Wrong(absl::StrFormat("'%s' must be a whole number from %d to %d", text, low, high));
  }
  return value;
}

absl::StatusOr<std::string> ReadOneOf(absl::string_view text, const std::vector<std::string>& allowed) {
  for (const std::string& each : allowed) {
    if (text == each) return each;
  }
  return Wrong(absl::StrCat("'", text, "' must be one of: ", absl::StrJoin(allowed, ", ")));
}

absl::StatusOr<DurationRange> ReadDurationRange(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(text, absl::MaxSplits("..", 1));
  const absl::StatusOr<absl::Duration> low = ReadDuration(ends.first);
  const absl::StatusOr<absl::Duration> high = ReadDuration(absl::StrContains(text, "..") ? ends.second : ends.first);
  if (low.ok() && high.ok() && *low <= *high) return DurationRange{*low, *high};
  return Wrong(absl::StrCat("'", text, "' must be a duration or two, the smaller first: 80ms, 50ms..150ms"));
}

namespace {

// "machine after 800ms, greeting 3s, beep" | "machine greeting vm-intro vm-goodbye": what follows "machine".
absl::StatusOr<Pickup> ReadMachine(const Words& words) {
  Pickup pickup;
  pickup.kind = Pickup::Kind::kMachine;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "beep") {
      pickup.beep = true;
      continue;
    }
    if ((words[i] != "after" && words[i] != "greeting") || i + 1 == words.size())
      return Wrong(
          absl::StrCat("'", words[i], "' must be 'after <duration>', 'greeting <duration or clips>' or 'beep'"));
    const bool after = words[i] == "after";
    const absl::StatusOr<absl::Duration> duration = ReadDuration(words[++i]);
    if (duration.ok()) {
      (after ? pickup.after : pickup.greeting_length) = *duration;
    } else if (after) {
      return duration.status();
    } else {
      pickup.greeting.clear();
      while (i < words.size() && words[i] != "beep" && words[i] != "after") pickup.greeting.push_back(words[i++]);
      --i;
    }
  }
  return pickup;
}

}  // namespace

absl::StatusOr<Pickup> ReadPickup(absl::string_view text) {
  static const std::vector<std::pair<std::string, Pickup::Kind>> kKinds = {
      {"answer", Pickup::Kind::kAnswer},
      {"busy", Pickup::Kind::kBusy},
      {"no answer", Pickup::Kind::kNoAnswer},
      {"reject", Pickup::Kind::kReject},
      {"invalid number", Pickup::Kind::kInvalidNumber},
      {"carrier error", Pickup::Kind::kCarrierError},
      {"machine", Pickup::Kind::kMachine}};
  Pickup pickup;
  const std::string clean = absl::StrJoin(SplitWords(text), " ");
  absl::string_view rest = clean;
  bool known = false;
  for (const auto& [name, kind] : kKinds) {
    if (!absl::ConsumePrefix(&rest, name)) continue;
    pickup.kind = kind;
    known = true;
    break;
  }
  if (!known) {
    return Wrong(absl::StrCat(
        "'", text, "' must begin with answer, busy, no answer, reject, invalid number, carrier error or machine"));
  }
  if (pickup.kind == Pickup::Kind::kNoAnswer) pickup.after = absl::Seconds(120);
  const Words words = SplitWords(rest);
  if (pickup.kind == Pickup::Kind::kMachine) return ReadMachine(words);
  if (words.size() % 2 != 0)
    return Wrong(absl::StrCat("'", rest, "' must be 'after <duration>', 'talk <duration>' and 'press <key>'"));
  for (size_t i = 0; i < words.size(); i += 2) {
    if (words[i] == "press") {
      if (words[i + 1].size() != 1 || words[i + 1].find_first_not_of("0123456789*#") != std::string::npos)
        return Wrong(absl::StrCat("'", words[i + 1], "' must be one key: 0-9 * #"));
      pickup.press = words[i + 1];
      continue;
    }
    absl::StatusOr<absl::Duration> duration = ReadDuration(words[i + 1]);
    if (!duration.ok()) return duration.status();
    if (words[i] == "after") {
      pickup.after = *duration;
    } else if (words[i] == "talk") {
      pickup.talk = *duration;
    } else {
      return Wrong(absl::StrCat("'", words[i], "' must be 'after', 'talk' or 'press'"));
    }
  }
  return pickup;
}

namespace {

absl::StatusOr<PersonStep> ReadWait(const Words& words) {
  static constexpr absl::string_view kRight =
      "a wait is 'wait [assistant] speaking|done <duration>', 'wait transferring', 'wait connected' or 'wait "
      "returned', each "
      "with an optional 'within <duration>'";
  PersonStep step;
  size_t at = 1;
  if (at < words.size() && words[at] == "assistant") ++at;
  if (at >= words.size()) return Wrong(kRight);
  const std::string& what = words[at++];
  if (what == "speaking") {
    step.kind = PersonStep::Kind::kWaitAssistantSpeaking;
  } else if (what == "done") {
    step.kind = PersonStep::Kind::kWaitAssistantDone;
    step.duration = absl::Milliseconds(400);
  } else if (what == "transferring") {
    step.kind = PersonStep::Kind::kWaitTransferring;
  } else if (what == "connected") {
    step.kind = PersonStep::Kind::kWaitConnected;
  } else if (what == "returned") {
    step.kind = PersonStep::Kind::kWaitReturned;
  } else {
    return Wrong(absl::StrCat("'", what, "' is nothing to wait for; ", kRight));
  }
  if (at < words.size() && words[at] != "within") {
    absl::StatusOr<absl::Duration> duration = ReadDuration(words[at++]);
    if (!duration.ok()) return duration.status();
    step.duration = *duration;
  }
  if (at + 1 < words.size() && words[at] == "within") {
    absl::StatusOr<absl::Duration> limit = ReadDuration(words[at + 1]);
    if (!limit.ok()) return limit.status();
    step.limit = *limit;
    at += 2;
  }
  if (at != words.size()) return Wrong(absl::StrCat("'", words[at], "' is too much; ", kRight));
  return step;
}

}  // namespace

absl::StatusOr<PersonStep> ReadPersonStep(absl::string_view line) {
  const Words words = SplitWords(line);
  const std::string whole = absl::StrJoin(words, " ");
  PersonStep step;
  if (words[0] == "wait") return ReadWait(words);
  if (words[0] == "say") {
    step.kind = PersonStep::Kind::kSay;
    step.clips.assign(words.begin() + 1, words.end());
    if (step.clips.empty()) return Wrong("'say' needs at least one clip: say vm-rec-name");
    return step;
  }
  if (words[0] == "pause" && words.size() == 2) {
    absl::StatusOr<absl::Duration> duration = ReadDuration(words[1]);
    if (!duration.ok()) return duration.status();
    step.duration = *duration;
    return step;
  }
  if ((words[0] == "cough" || words[0] == "hum") && words.size() == 2) {
    const absl::StatusOr<absl::Duration> duration = ReadDuration(words[1]);
    if (!duration.ok()) return duration.status();
    step.kind = PersonStep::Kind::kSay;
    step.clips = {absl::StrCat(words[0], ":", std::max<int64_t>(1, absl::ToInt64Milliseconds(*duration)))};
    return step;
  }
  if (words[0] == "press" && words.size() == 2) {
    if (words[1].find_first_not_of("0123456789*#ABCD") != std::string::npos) {
      return Wrong(absl::StrCat("'", words[1], "' must be keys: 0-9 * # A-D"));
    }
    step.kind = PersonStep::Kind::kPress;
    step.text = words[1];
    return step;
  }
  static const std::vector<std::pair<std::string, PersonStep::Kind>> kPlain = {
      {"hang up", PersonStep::Kind::kHangUp},
      {"drop stream", PersonStep::Kind::kDropStream},
      {"drop stream and reconnect", PersonStep::Kind::kDropStream},
      {"stop audio", PersonStep::Kind::kStopAudio},
      {"resume audio", PersonStep::Kind::kResumeAudio}};
  for (const auto& [name, kind] : kPlain) {
    if (whole != name) continue;
    step.kind = kind;
    if (absl::EndsWith(name, "reconnect")) step.text = "reconnect";
    return step;
  }
  return Wrong(
      absl::StrCat("'", line,
                   "' is no step; a step is say, wait, pause|cough|hum <duration>, press <keys>, hang up, drop stream "
                   "[and reconnect], stop audio, resume audio, or repeat <times> ... end"));
}

}  // namespace callbridge::sim
