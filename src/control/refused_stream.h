#ifndef CALLBRIDGE_SRC_CONTROL_REFUSED_STREAM_H_
#define CALLBRIDGE_SRC_CONTROL_REFUSED_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include "absl/status/status.h"
#include "src/control/status_map.h"

namespace callbridge::control {

// A stream of nothing: ends at once with `status`, and deletes itself. For the handler to return.
template <typename Response>
class RefusedStream final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit RefusedStream(const absl::Status& status) { this->Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_REFUSED_STREAM_H_
