#include "src/bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace callbridge::bench {

double Percentile(std::vector<double>& values, double percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
  const size_t index = static_cast<size_t>(std::max(rank, 1.0)) - 1;
  return values[std::min(index, values.size() - 1)];
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double HistogramBound(absl::string_view metrics, absl::string_view name, double percent) {
  const std::string head = absl::StrCat(name, "_bucket{le=\"");
  std::vector<std::pair<double, double>> buckets;  // Bound, and how many values are not above it.
  for (absl::string_view line : absl::StrSplit(metrics, '\n')) {
    if (!absl::ConsumePrefix(&line, head)) continue;
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits("\"} ", 1));
    double bound = std::numeric_limits<double>::infinity(), count = 0;
    if (parts.first != "+Inf" && !absl::SimpleAtod(parts.first, &bound)) continue;
    if (absl::SimpleAtod(parts.second, &count)) buckets.emplace_back(bound, count);
  }
  if (buckets.empty() || buckets.back().second == 0) return 0;
  const double enough = buckets.back().second * percent / 100;
  for (const auto& [bound, count] : buckets) {
    if (count >= enough) return bound;
  }
  return buckets.back().first;
}

}  // namespace callbridge::bench
