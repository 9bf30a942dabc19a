#ifndef CALLBRIDGE_SRC_NODES_HANG_UPS_H_
#define CALLBRIDGE_SRC_NODES_HANG_UPS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "src/store/node_table.h"

namespace callbridge::nodes {

// Asks the carrier to hang up what dead nodes have left open, until it has. Several processes do this at a time; the
// table gives each job to one of them. Thread-safe: several threads do more at a time.
class HangUps {
 public:
  struct Options {
    absl::Duration look = absl::Seconds(5);      // From one look without a hint to the next.
    absl::Duration patience = absl::Minutes(2);  // After which somebody else may try; longer than a batch takes.
    int batch = 4;                               // Jobs that are taken at once.
    int64_t attempts = 20;                       // After which a job is given up.
  };
  // `hang_up` is CarrierApi::HangUp(), and blocks as that does. The table outlives this.
  using HangUp = std::function<absl::Status(const std::string& carrier_call_id)>;
  HangUps(store::NodeTable& table, HangUp hang_up, Options options)
      : table_(table), hang_up_(std::move(hang_up)), options_(options) {}

  // Does a batch of what is due, and returns after how long the next turn is.
  absl::Duration Turn();

  // Jobs done since the start, those that were given up included.
  int64_t done() const { return done_; }

 private:
  void Do(const store::HangUpJob& job);

  store::NodeTable& table_;
  const HangUp hang_up_;
  const Options options_;
  std::atomic<int64_t> done_{0};
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_HANG_UPS_H_
