#include "src/sim/carrier_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace callbridge::sim {
namespace {

constexpr absl::Duration kNoGap = absl::Milliseconds(1);
constexpr absl::Duration kSameUtterance = absl::Milliseconds(300);

}  // namespace

CallLog::CallLog(CarrierCallReport report, const base::Clock& clock) : clock_(clock), report_(std::move(report)) {}

void CallLog::Step(absl::string_view what, absl::string_view detail) {
  base::MutexLock lock(mutex_);
  report_.steps.push_back({clock_.Now(), std::string(what), std::string(detail)});
}

void CallLog::Violation(absl::string_view what) {
  base::MutexLock lock(mutex_);
  report_.violations.emplace_back(what);
  report_.steps.push_back({clock_.Now(), "violation", std::string(what)});
}

void CallLog::Update(absl::FunctionRef<void(CarrierCallReport&)> change) {
  base::MutexLock lock(mutex_);
  change(report_);
}

void CallLog::Sound(absl::Time start, absl::string_view bytes, int bytes_per_second) {
  base::MutexLock lock(mutex_);
  const absl::Duration length = absl::Seconds(1) * bytes.size() / bytes_per_second;
  if (start - sound_end_ > kNoGap) {
    report_.spells.push_back({start, static_cast<int64_t>(report_.heard.size()), 0});
  }
  if (start - sound_end_ > kSameUtterance) {
    EndUtterance();
    utterance_start_ = start;
  }
  report_.spells.back().bytes += bytes.size();
  report_.heard.append(bytes.data(), bytes.size());
  utterance_ += length;
  sound_end_ = start + length;
}

void CallLog::EndUtterance() {
  if (utterance_ == absl::ZeroDuration()) return;
  const absl::Duration heard = std::exchange(utterance_, absl::ZeroDuration());
  report_.steps.push_back({utterance_start_, "heard", absl::StrCat(absl::ToInt64Milliseconds(heard), " ms")});
}

bool CallLog::over() const {
  base::MutexLock lock(mutex_);
  return report_.over;
}

CarrierCallReport CallLog::Copy() const {
  base::MutexLock lock(mutex_);
  CarrierCallReport copy = report_;
  if (utterance_ > absl::ZeroDuration()) {
    copy.steps.push_back({utterance_start_, "heard", absl::StrCat(absl::ToInt64Milliseconds(utterance_), " ms")});
  }
  // An utterance is written down when it is over, at the time when it began.
  std::stable_sort(copy.steps.begin(), copy.steps.end(),
                   [](const CarrierStep& a, const CarrierStep& b) { return a.time < b.time; });
  return copy;
}

}  // namespace callbridge::sim
