#include "src/client/client.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/client/errors.h"

namespace callbridge::client {

Client::Client(const ClientOptions& options)
    : options_(options), channel_(MakeChannel(options)), calls_(v1::CallService::NewStub(channel_)) {}

absl::Status Client::WaitUntilConnected(absl::Duration at_most) {
  if (channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + at_most))) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("no gRPC server answers at ", options_.address));
}

absl::Status Client::Try(const std::function<grpc::Status(grpc::ClientContext&)>& once) const {
  const absl::Time deadline = absl::Now() + options_.deadline;
  for (int attempt = 1;; ++attempt) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline));
    if (!options_.token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", options_.token));
    absl::Status status = ToStatus(once(context));
    if (status.code() != absl::StatusCode::kUnavailable || attempt >= options_.attempts) return status;
    const absl::Duration pause = std::max(PauseAfter(attempt, options_), Explain(status).retry_after);
    if (absl::Now() + pause >= deadline) return status;
    absl::SleepFor(pause);
  }
}

std::unique_ptr<EventReader> Client::ReadEvents(const EventReaderOptions& options) {
  return EventReader::Start(channel_, options_, options);
}

}  // namespace callbridge::client
