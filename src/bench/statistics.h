#ifndef CALLBRIDGE_SRC_BENCH_STATISTICS_H_
#define CALLBRIDGE_SRC_BENCH_STATISTICS_H_

#include <vector>

namespace callbridge::bench {

// The value that `percent` (0 to 100) of all are not above: nearest rank, always one of `values`. Sorts them. 0 if
// there are none.
double Percentile(std::vector<double>& values, double percent);

// The middle one, or the mean of the two in the middle. 0 if there are none.
double Median(std::vector<double> values);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_STATISTICS_H_
