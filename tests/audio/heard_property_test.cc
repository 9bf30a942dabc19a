#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "src/audio/assistant_playout.h"
#include "tests/audio/virtual_phone.h"

// What the ledger believes to have been heard, beside what the ear behind a simulated carrier heard.
namespace callbridge::audio {
namespace {

const absl::Time kBegin = absl::FromUnixSeconds(1700000000);
absl::Time At(int64_t ms) { return kBegin + absl::Milliseconds(ms); }

// An acknowledgement that is on its way no longer than this is timely. Beyond it, it is one of those that were held up.
constexpr int kTimelyMs = 15;
constexpr int kMostLateMs = 300;

struct Injection {
  int lost_percent = 0;
  int late_percent = 0;  // Of those not lost: 16 to 300 ms on their way. The others: 0 to 15 ms.
  int twice_percent = 0;
};

// What is known of the spell of sound in which an interruption fell.
enum class Evidence {
  kTimely,  // A timely acknowledgement of it was there.
  kEarly,   // It was so young that none could be there.
  kHeldUp,  // All that could have been there were lost or late.
};

struct Interruption {
  Evidence evidence = Evidence::kEarly;
  bool calibrated = false;
  double heard_ms = 0;
  double truth_ms = 0;
  double error() const { return std::abs(heard_ms - truth_ms); }
};

class Distribution {
 public:
  void Add(double ms) { values_.push_back(ms); }
  size_t size() const { return values_.size(); }
  double Mean() const {
    double sum = 0;
    for (const double value : values_) sum += value;
    return values_.empty() ? 0 : sum / static_cast<double>(values_.size());
  }
  int Above(double limit) const {
    return static_cast<int>(std::count_if(values_.begin(), values_.end(), [&](double value) { return value > limit; }));
  }
  double Percentile(double percent) {
    if (values_.empty()) return 0;
    std::sort(values_.begin(), values_.end());
    const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(values_.size())));
    return values_[std::max<size_t>(rank, 1) - 1];
  }
  std::string Print(absl::string_view name) {
    std::string out = absl::StrFormat("%-44s %6d  mean %5.1f  p50 %5.1f  p95 %5.1f  p99 %5.1f  max %5.1f ms  |", name,
                                      size(), Mean(), Percentile(50), Percentile(95), Percentile(99), Percentile(100));
    std::map<int, int> classes;
    for (const double value : values_) ++classes[static_cast<int>(value) / 10];
    for (const auto& [ten, count] : classes) absl::StrAppendFormat(&out, " %d-%d: %d", ten * 10, ten * 10 + 10, count);
    return out;
  }

 private:
  std::vector<double> values_;
};

// One call: a carrier that draws a start delay for each spell of sound, a network that harms its acknowledgements, a
// model at any pace, and a caller who interrupts.
class HarmedCall {
 public:
  HarmedCall(uint32_t seed, const Injection& injection)
      : random_(seed),
        injection_(injection),
        phone_([this] { return absl::Milliseconds(Pick(50, 150)); }),
        playout_(AssistantPlayout::Options(), phone_) {}

  std::vector<Interruption> Run(int interruptions) {
    std::vector<Interruption> all;
    for (int i = 0; i < interruptions; ++i) {
      item_ = absl::StrCat("item", i);
      length_ = Pick(200, 8000);
      received_ = 0;
      piece_ = Pick(20, 400);
      pace_ = Pick(0, 2) == 0 ? 0 : piece_ / Pick(2, 8);  // All at once, or faster than it is spoken.
      next_audio_ = ms_;
      const int last = ms_ + Pick(20, length_);
      for (; ms_ < last; ++ms_) Step();
      const absl::optional<Interruption> interruption = Interrupt();
      if (interruption.has_value()) all.push_back(*interruption);
      const int next = ms_ + Pick(0, 1500);
      for (; ms_ < next; ++ms_) Step();
    }
    return all;
  }

 private:
  struct Acknowledgement {
    absl::Time arrival;
    int64_t number;
    int spell;
    bool timely;
  };

  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Pick(1, 100) <= percent; }

  void Step() {
    phone_.now = At(ms_);
    for (const int64_t number : phone_.TakeReached()) Acknowledge(number);
    Arrive();
    Speak();
    if (playout_.NextWake() > phone_.now) return;
    playout_.Pump(phone_.now);
    for (const auto& item : playout_.TakeFinished(phone_.now)) EXPECT_EQ(item.heard, item.received);
    ASSERT_GT(playout_.NextWake(), phone_.now) << "a busy loop";
  }

  void Speak() {
    while (received_ < length_ && next_audio_ <= ms_) {
      const int64_t bytes = std::min(piece_, length_ - received_) * kBytesPerMs - Pick(0, 2);
      playout_.OnAudio(item_, CountingSound(bytes, &counter_), bytes, phone_.now);
      received_ += piece_;
      next_audio_ += pace_;
      if (received_ >= length_) playout_.OnItemComplete(item_, phone_.now);
    }
  }

  void Acknowledge(int64_t number) {
    if (Chance(injection_.lost_percent)) return;
    const bool late = Chance(injection_.late_percent);
    const int times = Chance(injection_.twice_percent) ? 2 : 1;
    for (int i = 0; i < times; ++i) {
      const int way = late || i > 0 ? Pick(kTimelyMs + 1, kMostLateMs) : Pick(0, kTimelyMs);
      on_the_way_.push_back({phone_.now + absl::Milliseconds(way), number, phone_.spell(), way <= kTimelyMs});
    }
  }

  void Arrive() {
    for (auto at = on_the_way_.begin(); at != on_the_way_.end();) {
      if (at->arrival > phone_.now) {
        ++at;
        continue;
      }
      if (at->timely) timely_spell_ = std::max(timely_spell_, at->spell);
      playout_.OnCheckpointPlayed(at->number, phone_.now);
      at = on_the_way_.erase(at);  // Perhaps before an older one.
    }
  }

  absl::optional<Interruption> Interrupt() {
    phone_.now = At(ms_);
    Arrive();
    Interruption result;
    result.truth_ms = static_cast<double>(phone_.HeardBytes(item_)) / kBytesPerMs;
    if (timely_spell_ == phone_.spell()) {
      result.evidence = Evidence::kTimely;
    } else if (phone_.now < phone_.spell_start() + absl::Milliseconds(21 + kTimelyMs)) {
      result.evidence = Evidence::kEarly;
    } else {
      result.evidence = Evidence::kHeldUp;
    }
    const std::vector<PlayoutLedger::Item> cut = playout_.Cut(phone_.now);
    phone_.Clear();
    received_ = length_;  // What the model sends of it still is not played.
    if (cut.empty()) return absl::nullopt;
    EXPECT_EQ(cut.size(), 1u);
    EXPECT_EQ(cut[0].item_id, item_);
    EXPECT_LE(cut[0].heard, cut[0].sent);
    EXPECT_LE(cut[0].sent, cut[0].received);
    result.heard_ms = static_cast<double>(cut[0].heard) / kBytesPerMs;
    result.calibrated = cut[0].calibrated;
    return result;
  }

  std::mt19937 random_;
  const Injection injection_;
  VirtualPhone phone_;
  AssistantPlayout playout_;
  int ms_ = 0;
  int counter_ = 0;
  std::string item_;
  int length_ = 0;
  int received_ = 0;
  int piece_ = 0;
  int pace_ = 0;
  int next_audio_ = 0;
  std::vector<Acknowledgement> on_the_way_;
  int timely_spell_ = 0;  // The latest of which a timely acknowledgement came.
};

struct Errors {
  Distribution all, timely, early, held_up;
  int silent = 0;        // Interruptions when nothing had sounded ...
  int silent_right = 0;  // ... and the ledger said so.
  std::string Print(absl::string_view name) {
    return absl::StrCat(all.Print(name), "\n", timely.Print("  with a timely acknowledgement"), "\n",
                        early.Print("  too early for any"), "\n", held_up.Print("  all lost or late"),
                        absl::StrFormat("\n  nothing had sounded: %d, reported so: %d\n", silent, silent_right));
  }
};

Errors Interrupt(uint32_t seed, const Injection& injection, int calls) {
  Errors errors;
  for (int call = 0; call < calls; ++call) {
    for (const Interruption& one : HarmedCall(seed + call, injection).Run(20)) {
      errors.all.Add(one.error());
      (one.evidence == Evidence::kTimely  ? errors.timely
       : one.evidence == Evidence::kEarly ? errors.early
                                          : errors.held_up)
          .Add(one.error());
      if (one.truth_ms > 0) continue;
      ++errors.silent;
      if (one.heard_ms == 0) ++errors.silent_right;
    }
  }
  return errors;
}

constexpr double kClose = 40;  // ms: what an interruption may be off.

struct Row {
  const char* name;
  Injection injection;
  // Of about 1,200 interruptions, how many may be further off than kClose, and the furthest of all in ms: first of
  // those of whose spell an acknowledgement came in time, then of those of which all were lost or late.
  int most_beyond;
  int most_timely;
  int most_held_up;
  // Interruptions when nothing had sounded and a little was reported as heard: in the first spell of a stream, of which
  // nobody knows whether acknowledgements come, and in spells that begin while the last one hardly ended.
  int most_not_zero;
};

// Another one for each run by hand: CALLBRIDGE_HEARD_SEED=7.
uint32_t Seed() {
  const char* const given = std::getenv("CALLBRIDGE_HEARD_SEED");
  return given == nullptr ? 20240607 : static_cast<uint32_t>(std::atol(given));
}

class HeardPropertyTest : public testing::TestWithParam<Row> {};

TEST_P(HeardPropertyTest, IsCloseToTheTruth) {
  const Row& row = GetParam();
  Errors errors = Interrupt(Seed(), row.injection, 60);
  std::cout << errors.Print(row.name);
  ASSERT_GT(errors.all.size(), 1000u);
  EXPECT_LE(errors.all.Above(kClose), row.most_beyond);
  EXPECT_LE(errors.early.Percentile(100), 52);
  EXPECT_LE(errors.timely.Percentile(100), row.most_timely);
  EXPECT_LE(errors.held_up.Percentile(100), row.most_held_up);
  EXPECT_LE(errors.silent - errors.silent_right, row.most_not_zero);
  // Few are without a timely acknowledgement: no more than of the acknowledgements are harmed.
  const int harmed = row.injection.lost_percent + row.injection.late_percent;
  EXPECT_LE(errors.held_up.size() * 100, errors.all.size() * harmed);
}

// With every acknowledgement of a spell lost or late, and a start that differs by 100 ms from spell to spell, no method
// can do better than 50 ms, and what is best in the mean is worse: that is where the few beyond 40 ms come from. Twice
// what the worst of 40 seeds had; 110 ms is what a spell can have sounded before its silence is no longer believed.
INSTANTIATE_TEST_SUITE_P(Table, HeardPropertyTest,
                         testing::Values(Row{"Unharmed", {}, 2, 42, 0, 2}, Row{"Lost", {20, 0, 0}, 6, 42, 110, 3},
                                         Row{"Late", {0, 20, 0}, 6, 42, 110, 3}, Row{"Twice", {0, 0, 50}, 2, 42, 0, 2},
                                         Row{"Everything", {15, 15, 15}, 8, 42, 110, 3},
                                         Row{"HalfLost", {50, 10, 0}, 10, 45, 110, 10},
                                         Row{"HalfLate", {0, 50, 0}, 10, 130, 110, 10},
                                         Row{"AllLost", {100, 0, 0}, 300, 0, 60, 10}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace callbridge::audio
