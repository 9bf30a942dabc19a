#include "src/session/dial_limits.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"

namespace callbridge::session {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);
constexpr absl::Duration kDay = absl::Hours(24);

// A wait of nothing, by a clock that was set back or a call of a moment ago, would be asked again at once.
absl::Duration NotAtOnce(absl::Duration wait) { return std::max(wait, absl::Milliseconds(1)); }

}  // namespace

absl::Duration DialMeter::Wait(absl::Time now) const {
  if (per_minute_ <= 0 || static_cast<int>(times_.size()) < per_minute_) return absl::ZeroDuration();
  // The one that must be a minute ago; a clock that was set back keeps nobody waiting for longer than that.
  const absl::Time oldest = std::min(times_[times_.size() - static_cast<size_t>(per_minute_)], now);
  return std::max(oldest + kMinute - now, absl::ZeroDuration());
}

void DialMeter::Count(absl::Time now) {
  if (per_minute_ <= 0) return;
  times_.push_back(now);
  if (static_cast<int>(times_.size()) > per_minute_) times_.pop_front();
}

void DialMeter::TakeBack(absl::Time when) {
  const auto found = std::find(times_.rbegin(), times_.rend(), when);
  if (found != times_.rend()) times_.erase(std::next(found).base());
}

absl::Status CheckDialRate(absl::Duration wait, absl::string_view limit, int per_minute) {
  if (wait <= absl::ZeroDuration()) return absl::OkStatus();
  return base::WithRetryDelay(
      base::MakeError(absl::StatusCode::kResourceExhausted, "DIAL_RATE_LIMIT",
                      absl::StrCat("already ", per_minute, " in a minute (dial_limits.", limit, ")"),
                      {{"limit", std::string(limit)}}),
      wait);
}

store::CallFilter DialsOfTheDay(absl::string_view number, absl::Time now) {
  store::CallFilter filter;
  filter.direction = call::Direction::kOutbound;
  filter.number = std::string(number);
  filter.created_after = now - kDay + absl::Microseconds(1);  // One that is a day old does not count any more.
  return filter;
}

absl::Status CheckNumberLimit(const DialLimits& limits, absl::string_view field, absl::string_view number,
                              const std::vector<store::CallRecord>& calls, absl::Time now) {
  const auto most = static_cast<size_t>(std::max(limits.calls_per_number_per_day, 0));
  std::vector<absl::Time> dials;
  for (const store::CallRecord& call : calls) {
    if (call.to == number) dials.push_back(call.create_time);
  }
  if (most == 0 || dials.size() < most) return absl::OkStatus();
  return base::WithRetryDelay(
      base::MakeError(
          absl::StatusCode::kResourceExhausted, "NUMBER_LIMIT",
          absl::StrCat(field, ": was called ", most, " times within a day (dial_limits.calls_per_number_per_day)"),
          {{"field", std::string(field)}, {"limit", "calls_per_number_per_day"}}),
      NotAtOnce(dials[most - 1] + kDay - now));
}

}  // namespace callbridge::session
