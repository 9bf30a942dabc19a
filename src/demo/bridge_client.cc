#include "src/demo/bridge_client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "callbridge/v1/call_service.grpc.pb.h"
#include "src/base/ids.h"
#include "src/base/mutex.h"

namespace callbridge::demo {
namespace {

constexpr absl::Duration kRequestLimit = absl::Seconds(5);
constexpr int kPageSize = 100;

absl::Status ToStatus(absl::string_view what, const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat(what, ": ", status.error_message()));
}

void LimitTime(grpc::ClientContext& context) { context.set_deadline(absl::ToChronoTime(absl::Now() + kRequestLimit)); }

class Client : public BridgeClient {
 public:
  explicit Client(const std::shared_ptr<grpc::Channel>& channel)
      : service_(v1::CallService::NewStub(channel)), reader_([this] { Follow(); }) {}

  ~Client() override {
    follow_context_.TryCancel();
    reader_.join();
  }

  absl::StatusOr<absl::optional<v1::CallEvent>> NextEvent(absl::Duration at_most) override {
    const absl::Time deadline = absl::Now() + at_most;
    base::MutexLock lock(mutex_);
    for (absl::Duration left = at_most; events_.empty() && !over_ && left > absl::ZeroDuration();
         left = deadline - absl::Now()) {
      changed_.WaitFor(mutex_, absl::ToChronoMicroseconds(left));
    }
    if (!events_.empty()) {
      absl::optional<v1::CallEvent> event = std::move(events_.front());
      events_.pop_front();
      return event;
    }
    if (over_) return end_;
    return absl::optional<v1::CallEvent>();
  }

  absl::StatusOr<std::string> StartCall(const std::string& to, const std::string& agent) override {
    grpc::ClientContext context;
    LimitTime(context);
    v1::StartCallRequest request;
    request.set_request_id(base::NewUuid());
    request.mutable_call()->set_to(to);
    request.mutable_call()->set_agent(agent);
    v1::StartCallResponse response;
    const absl::Status status = ToStatus("StartCall", service_->StartCall(&context, request, &response));
    if (!status.ok()) return status;
    return response.call().name();
  }

  absl::StatusOr<std::vector<v1::TranscriptItem>> GetTranscript(const std::string& call) override {
    std::vector<v1::TranscriptItem> items;
    v1::GetTranscriptRequest request;
    request.set_call(call);
    request.set_view(v1::TRANSCRIPT_VIEW_BOTH);
    request.set_page_size(kPageSize);
    do {
      grpc::ClientContext context;
      LimitTime(context);
      v1::GetTranscriptResponse response;
      const absl::Status status = ToStatus("GetTranscript", service_->GetTranscript(&context, request, &response));
      if (!status.ok()) return status;
      items.insert(items.end(), response.items().begin(), response.items().end());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return items;
  }

 private:
  // On a thread of its own, until the stream ends or is cancelled.
  void Follow() {
    v1::CallEventsRequest request;
    request.set_from_beginning(true);
    const auto stream = service_->CallEvents(&follow_context_, request);
    v1::CallEventsResponse message;
    while (stream->Read(&message)) {
      if (!message.has_event()) continue;
      base::MutexLock lock(mutex_);
      events_.push_back(std::move(*message.mutable_event()));
      changed_.NotifyOne();
    }
    const absl::Status status = ToStatus("CallEvents", stream->Finish());
    base::MutexLock lock(mutex_);
    over_ = true;
    end_ = status.ok() ? absl::InternalError("CallEvents: the stream of all calls has ended") : status;
    changed_.NotifyOne();
  }

  const std::unique_ptr<v1::CallService::Stub> service_;
  grpc::ClientContext follow_context_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<v1::CallEvent> events_ ABSL_GUARDED_BY(mutex_);
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
  std::thread reader_;  // Last: it uses all of the above.
};

}  // namespace

absl::StatusOr<std::unique_ptr<BridgeClient>> BridgeClient::Connect(const std::string& address, absl::Duration limit) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(absl::ToChronoTime(absl::Now() + limit))) {
    return absl::UnavailableError(absl::StrCat("no gRPC server answers at ", address));
  }
  return std::unique_ptr<BridgeClient>(std::make_unique<Client>(channel));
}

}  // namespace callbridge::demo
