#ifndef CALLBRIDGE_SRC_CONTROL_TRANSCRIPT_STREAM_H_
#define CALLBRIDGE_SRC_CONTROL_TRANSCRIPT_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/status/statusor.h"
#include "callbridge/v1/call_service.pb.h"
#include "src/control/event_stream.h"
#include "src/control/requests.h"

namespace callbridge::control {

// A reactor for the handler of StreamTranscript to return; it deletes itself. It is one of `streams`, with their limits
// and their end. Shows the transcript as it is in the store, and after each event of the call what has changed of it,
// so it is the same at every node; and what is said meanwhile, here or at the node that has the call. That it was read
// is noted once.
grpc::ServerWriteReactor<v1::StreamTranscriptResponse>* OpenTranscriptStream(EventStreams& streams,
                                                                             grpc::CallbackServerContext* context,
                                                                             absl::StatusOr<TranscriptRequest> request);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_TRANSCRIPT_STREAM_H_
