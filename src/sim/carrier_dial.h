#ifndef CALLBRIDGE_SRC_SIM_CARRIER_DIAL_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_DIAL_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/sim/carrier_causes.h"
#include "src/sim/carrier_form.h"
#include "src/sim/scenario.h"
#include "src/sim/xml_reader.h"

namespace callbridge::sim {

// One <Dial> while it runs: rings its numbers together, lets the first that answers hear the confirmSound and press the
// confirmKey, connects it, ends. Pure: time is an argument.
class CarrierDial {
 public:
  // What the call is told.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnDialStep(const std::string& what) = 0;   // For the report.
    virtual void OnDialProgress(const Params& params) = 0;  // To callbackUrl, besides the common parameters.
    // confirmSound is to be fetched; OnWhisper() is called with what came.
    virtual void OnDialWhisper(const std::string& url) = 0;
    virtual void OnDialDone(const Params& params) = 0;  // To action; nothing comes after it. Last thing of a Tick().
  };

  // `pickup` says what the phone of a number will do.
  CarrierDial(const XmlElement& element, const std::string& a_leg, const std::string& caller_id,
              const std::function<Pickup(const std::string&)>& pickup, absl::Time now, Owner& owner);

  void Tick(absl::Time now);

  // What is spoken to the human who picked up takes so long.
  void OnWhisper(absl::Duration length, absl::Time now);

  // The A leg is gone: tells the progress callback of the legs that end with it; no OnDialDone.
  void Abandon(absl::Time now);

  bool connected() const { return connected_.has_value(); }

  // The numbers of the element.
  std::vector<std::string> numbers() const;

 private:
  struct Leg {
    std::string uuid;
    std::string number;
    Pickup pickup;
    bool over = false;
    int code = 0;
  };

  void PickUp(Leg& leg, absl::Time now);
  void TickConfirm(absl::Time now);
  void Answer(Leg& leg, absl::Time now);
  // Ends the leg and tells the progress callback.
  void EndLeg(Leg& leg, int code, const std::string& source, absl::Time now);
  void Finish();
  Params LegParams(const Leg& leg, const std::string& action, const std::string& event) const;

  const std::string a_leg_;
  const std::string caller_id_;
  Owner& owner_;
  const absl::Time start_;
  absl::Duration timeout_;
  absl::Duration time_limit_;
  absl::Duration confirm_timeout_;
  std::string confirm_sound_;
  std::string confirm_key_;
  std::vector<Leg> legs_;
  absl::optional<size_t> confirming_;              // Index of the leg that picked up.
  absl::Time whispered_ = absl::InfiniteFuture();  // When the human has heard it.
  absl::optional<size_t> connected_;               // Index of the leg.
  absl::Time connected_at_;
  bool done_ = false;
  bool answered_ = false;
  std::string last_uuid_;
  int last_code_ = 3050;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_DIAL_H_
