#ifndef CALLBRIDGE_SRC_SIM_CARRIER_REST_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_REST_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"
#include "src/base/clock.h"
#include "src/base/http_message.h"
#include "src/base/mutex.h"
#include "src/sim/carrier_call.h"
#include "src/sim/carrier_log.h"

namespace callbridge::sim {

// Plivo's REST API under /v1/Account/{auth_id}/: takes requests apart, refuses what Plivo refuses, words the answers.
// Any thread.
class CarrierRest {
 public:
  // What the API acts on.
  class Backend {
   public:
    virtual ~Backend() = default;
    // The phone that rings for that number; nullopt: nobody has it.
    virtual absl::optional<Scenario> FindPhone(const std::string& number) = 0;
    // Places the call; true: at once, false: it was queued.
    virtual bool Place(CallOrder order) = 0;
    virtual std::shared_ptr<CallLog> FindCall(const std::string& uuid) = 0;
    virtual std::vector<CarrierCallReport> Live() = 0;
    // The faults that requests about this inbound call meet.
    virtual std::vector<int> FaultsOf(const std::string& uuid) = 0;
    // Runs on the call's loop, unless the call is gone by then.
    virtual void OnCall(const std::string& uuid, std::function<void(CarrierCall&)> action) = 0;
    virtual void Violation(const std::string& what) = 0;
  };

  CarrierRest(std::string auth_id, std::string auth_token, Backend& backend, const base::Clock& clock);

  // nullopt: never answered, as the scenario wants it.
  absl::optional<base::HttpResponse> Handle(const base::HttpRequest& request);

 private:
  using Response = base::HttpResponse;
  using Segments = std::vector<std::string>;

  bool Authorized(const base::HttpRequest& request) const;
  bool OverLimit();
  Response PostCall(const nlohmann::json& body, absl::optional<int>& fault);
  absl::optional<Response> OnePlace(const nlohmann::json& body, const std::string& to, const std::string& uuid,
                                    bool& queued, absl::optional<int>& fault);
  void CheckDouble(const std::string& from, const std::string& to, const std::string& answer_url);
  Response ListCalls(const base::HttpRequest& request);
  Response GetCall(const base::HttpRequest& request, const std::string& uuid);
  Response TransferCall(const std::string& uuid, const nlohmann::json& body);
  absl::optional<Response> OnCall(const base::HttpRequest& request, const Segments& segments,
                                  const nlohmann::json& body);
  Response CallAction(const base::HttpRequest& request, const Segments& segments, const nlohmann::json& body);
  // The next fault for requests with that key; nullopt: none is left.
  absl::optional<int> TakeFault(const std::string& key, const std::vector<int>& faults);

  const std::string auth_id_;
  const std::string auth_token_;
  Backend& backend_;
  const base::Clock& clock_;
  base::Mutex mutex_;
  std::deque<absl::Time> recent_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, size_t> faults_used_ ABSL_GUARDED_BY(mutex_);
  // POSTs to Call/ whose answer was an error or never came: a second one like it dials twice.
  std::map<std::string, absl::Time> doubtful_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_REST_H_
