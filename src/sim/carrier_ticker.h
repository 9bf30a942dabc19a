#ifndef CALLBRIDGE_SRC_SIM_CARRIER_TICKER_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_TICKER_H_

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "src/net/loop.h"

namespace callbridge::sim {

// One timer that gives all calls of a loop their 20 ms beat, without drift. Calls are spread over four phases 5 ms
// apart, since real calls do not all speak in the same instant. On its loop only, construction and destruction
// included.
class CarrierTicker {
 public:
  class Ticked {
   public:
    virtual ~Ticked() = default;
    // `beat`: the nominal time, exactly 20 ms after the one before; never later than now. After a stall of the loop the
    // missed beats come in a burst, as from a real network; beats older than a second are left out.
    virtual void OnTick(absl::Time beat) = 0;
  };

  explicit CarrierTicker(net::Loop& loop);

  // Both may be called inside OnTick().
  void Add(Ticked* ticked);
  void Remove(Ticked* ticked);

 private:
  static constexpr int kPhases = 4;

  void Fire();
  void RunPhase(std::vector<Ticked*>& phase);

  net::Loop& loop_;
  std::unique_ptr<net::Timer> timer_;
  std::array<std::vector<Ticked*>, kPhases> phases_;  // Null: removed.
  size_t count_ = 0;
  size_t next_phase_ = 0;  // For Add().
  size_t current_ = 0;     // Due next.
  absl::Time due_;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_TICKER_H_
