#ifndef CALLBRIDGE_TESTS_INTEGRATION_BRIDGE_AND_WORLD_H_
#define CALLBRIDGE_TESTS_INTEGRATION_BRIDGE_AND_WORLD_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "callbridge/v1/call_service.grpc.pb.h"
#include "src/app/application.h"
#include "src/app/options.h"
#include "src/sim/world.h"

namespace callbridge::testing {

// A row of a query, as text.
using Row = std::vector<std::string>;

// The whole server and the simulated world in one process, over real sockets on free ports, with a database file of
// their own.
class BridgeAndWorld {
 public:
  struct Tweaks {
    std::function<void(app::Options&)> options;
    std::function<void(session::Settings&)> settings;
    app::Application::WrapStore wrap;
  };
  // Starts both; a failure to do so ends the test process with the reason.
  explicit BridgeAndWorld(const Tweaks& tweaks = {});
  ~BridgeAndWorld();

  sim::World& world() { return *world_; }
  int port() const { return port_; }
  int grpc_port() const { return grpc_port_; }

  // Rings in, or dials out over gRPC and lets the person follow `text`; returns the call's id once its row exists.
  std::string CallIn(const std::string& text);
  std::string CallOut(const std::string& text);

  // Over gRPC; the transfer as it is then.
  v1::Transfer TransferToNumber(const std::string& call_id, const std::string& number);
  // The same; a status for what the server says.
  grpc::Status CancelTransfer(const std::string& name, v1::Transfer* transfer);

  // One value of the call's row in call_logs, "" for NULL.
  std::string Column(const std::string& call_id, const std::string& column) const;
  std::vector<Row> Query(const std::string& sql) const;

  // Waits until the call's row is final and its events say that nothing follows; false: not within `limit`.
  bool WaitForEnd(const std::string& call_id, absl::Duration limit = absl::Seconds(40));
  // Waits until `condition`; false: not within `limit`.
  static bool WaitFor(const std::function<bool()>& condition, absl::Duration limit = absl::Seconds(20));

  // The carrier's report about the newest call.
  sim::CarrierCallReport CarrierReport() const;
  sim::ModelSessionReport ModelReport() const;
  // Everything that a correct server causes none of: violations of the carrier's rules, refused client events.
  std::vector<std::string> Faults() const;

  // Ends the server. Each of its calls has left a tape by then, which is run again; a difference fails the test.
  void StopServer();
  app::Application& application() { return *application_; }

 private:
  // On ports that nobody listens at now; says so where somebody took one meanwhile.
  absl::Status Start(const Tweaks& tweaks);
  std::string NewestCall(size_t known) const;
  std::unique_ptr<v1::CallService::Stub> Stub() const;
  void ReplayTapes() const;

  std::string folder_;
  int port_ = 0;
  int grpc_port_ = 0;
  std::unique_ptr<sim::World> world_;
  std::unique_ptr<app::Application> application_;
};

// A port of the loopback that nobody listens at now.
int FreePort();

}  // namespace callbridge::testing

#endif  // CALLBRIDGE_TESTS_INTEGRATION_BRIDGE_AND_WORLD_H_
