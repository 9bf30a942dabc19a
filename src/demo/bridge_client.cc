#include "src/demo/bridge_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/client/client.h"

namespace callbridge::demo {
namespace {

constexpr absl::Duration kRequestLimit = absl::Seconds(5);
constexpr int kPageSize = 100;

absl::Status Named(absl::string_view what, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

class Follower : public BridgeClient {
 public:
  explicit Follower(std::unique_ptr<client::Client> client) : client_(std::move(client)) {
    client::EventReaderOptions options;
    options.from_beginning = true;
    options.ahead = 100'000;
    reader_ = client_->ReadEvents(options);
  }

  absl::StatusOr<absl::optional<v1::CallEvent>> NextEvent(absl::Duration at_most) override {
    const absl::Time deadline = absl::Now() + at_most;
    while (end_.ok()) {
      auto reading = reader_->Next(deadline - absl::Now());
      if (!reading.ok()) {
        end_ = Named("CallEvents", reading.status());
      } else if (reading->kind == client::Reading::Kind::kEvent) {
        return absl::optional<v1::CallEvent>(std::move(reading->event));
      } else if (reading->kind == client::Reading::Kind::kNothing) {
        return absl::optional<v1::CallEvent>();
      } else if (reading->kind == client::Reading::Kind::kBreak) {
        // The reader would go on; here the server is to live as long as this does.
        end_ = reading->why.ok() ? absl::InternalError("CallEvents: the stream of all calls has ended")
                                 : Named("CallEvents", reading->why);
      }
    }
    return end_;
  }

  absl::StatusOr<std::string> StartCall(const std::string& to, const std::string& agent) override {
    v1::StartCallRequest request;
    request.mutable_call()->set_to(to);
    request.mutable_call()->set_agent(agent);
    const auto response = client_->Ask(&client::Calls::StartCall, request);
    if (!response.ok()) return Named("StartCall", response.status());
    return response->call().name();
  }

  absl::StatusOr<std::vector<v1::TranscriptItem>> GetTranscript(const std::string& call) override {
    std::vector<v1::TranscriptItem> items;
    v1::GetTranscriptRequest request;
    request.set_call(call);
    request.set_view(v1::TRANSCRIPT_VIEW_BOTH);
    request.set_page_size(kPageSize);
    do {
      const auto response = client_->Ask(&client::Calls::GetTranscript, request);
      if (!response.ok()) return Named("GetTranscript", response.status());
      items.insert(items.end(), response->items().begin(), response->items().end());
      request.set_page_token(response->next_page_token());
    } while (!request.page_token().empty());
    return items;
  }

 private:
  const std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::EventReader> reader_;
  absl::Status end_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BridgeClient>> BridgeClient::Connect(const std::string& address, absl::Duration limit) {
  client::ClientOptions options;
  options.address = address;
  options.plaintext = true;
  options.deadline = kRequestLimit;
  options.attempts = 1;  // Who uses this wants the server's first word.
  auto client = std::make_unique<client::Client>(options);
  if (const absl::Status status = client->WaitUntilConnected(limit); !status.ok()) return status;
  return std::unique_ptr<BridgeClient>(std::make_unique<Follower>(std::move(client)));
}

}  // namespace callbridge::demo
