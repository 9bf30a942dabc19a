#ifndef CALLBRIDGE_SRC_BENCH_STATISTICS_H_
#define CALLBRIDGE_SRC_BENCH_STATISTICS_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace callbridge::bench {

// The value that `percent` (0 to 100) of all are not above: nearest rank, always one of `values`. Sorts them. 0 if
// there are none.
double Percentile(std::vector<double>& values, double percent);

// The middle one, or the mean of the two in the middle. 0 if there are none.
double Median(std::vector<double> values);

// The least upper bound of a bucket of a histogram without labels, in Prometheus' text format, that holds at least this
// share of its values. 0: there is no such histogram, or it is empty. Infinity: it is the last bucket.
double HistogramBound(absl::string_view metrics, absl::string_view name, double percent);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_STATISTICS_H_
