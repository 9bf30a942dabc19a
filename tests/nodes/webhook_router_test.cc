// Webhooks that reach a node which need not be their call's: several nodes over real gRPC on loopback.

#include "src/nodes/webhook_router.h"

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/control/peer_authorizer.h"
#include "src/nodes/node_server.h"
#include "src/nodes/webhook_message.h"
#include "src/nodes/webhook_service.h"
#include "src/plivo/form.h"
#include "src/plivo/signature.h"
#include "tests/fakes/memory_call_store.h"
#include "tests/fakes/memory_node_table.h"

namespace callbridge::nodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kPublic[] = "https://bridge.example.com";
constexpr char kSecret[] = "a-secret-of-the-account";
constexpr char kCall[] = "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10";

// Writes down what it is told.
class Desk final : public session::FrontDesk {
 public:
  session::Instructions OnAnswer(const AnswerNotice& notice) override {
    return Next(absl::StrCat("answer ", notice.call_token));
  }
  void OnRing(absl::string_view token, absl::string_view) override { Note(absl::StrCat("ring ", token)); }
  void OnHangup(const HangupNotice& notice) override { Note(absl::StrCat("hangup ", notice.carrier_call_id)); }
  session::Instructions OnNextStep(absl::string_view token) override { return Next(absl::StrCat("next ", token)); }
  void OnDialProgress(const DialRef&, DialProgress) override { Note("progress"); }
  session::Instructions OnTransferDone(const DialRef&, call::TransferOutcome, absl::string_view) override {
    return Next("done");
  }
  absl::optional<std::string> OnWhisper(absl::string_view) override {
    Note("whisper");
    return "Somebody for you.";
  }
  void OnMachine(absl::string_view, absl::string_view, absl::string_view) override { Note("machine"); }
  void OnStreamStatus(absl::string_view, absl::string_view event, absl::string_view) override {
    Note(absl::StrCat("stream ", event));
  }

  std::vector<std::string> said() const {
    base::MutexLock lock(mutex_);
    return said_;
  }

 private:
  void Note(std::string what) {
    base::MutexLock lock(mutex_);
    said_.push_back(std::move(what));
  }
  session::Instructions Next(std::string what) {
    Note(std::move(what));
    session::Instructions next;
    next.kind = session::Instructions::Kind::kStream;
    next.call_token = "call";
    next.stream_token = "stream";
    return next;
  }

  mutable base::Mutex mutex_;
  std::vector<std::string> said_ ABSL_GUARDED_BY(mutex_);
};

// Which nodes there are, as one of them sees it.
class FakeDirectory final : public Directory {
 public:
  explicit FakeDirectory(std::string self_id) : self_id_(std::move(self_id)) {}

  void Set(const Peer& peer) {
    base::MutexLock lock(mutex_);
    peers_[peer.node_id] = peer;
  }
  void Remove(const std::string& node_id) {
    base::MutexLock lock(mutex_);
    peers_.erase(node_id);
  }
  std::string self_id() const override { return self_id_; }
  absl::optional<Peer> Find(absl::string_view node_id) const override {
    base::MutexLock lock(mutex_);
    const auto found = peers_.find(std::string(node_id));
    if (found == peers_.end()) return absl::nullopt;
    return found->second;
  }
  std::vector<Peer> All() const override {
    base::MutexLock lock(mutex_);
    std::vector<Peer> all;
    for (const auto& [id, peer] : peers_) all.push_back(peer);
    return all;
  }

 private:
  const std::string self_id_;
  mutable base::Mutex mutex_;
  std::map<std::string, Peer> peers_ ABSL_GUARDED_BY(mutex_);
};

// The webhooks' side of one node.
struct Node {
  Node(const std::string& id, store::NodeTable& table, absl::Duration table_limit,
       absl::Duration stranger_limit = absl::Milliseconds(150))
      : directory(id), executor("table"), webhooks({kPublic, kSecret, true}, desk), service(authorizer, webhooks) {
    auto opened = NodeServer::Start({"127.0.0.1:0", {}}, {&service});
    EXPECT_TRUE(opened.ok()) << opened.status();
    server = *std::move(opened);
    channels = *Channels::Open({});
    WebhookRouter::Options options;
    options.table_limit = table_limit;
    options.stranger_limit = stranger_limit;
    WebhookRouter::Deps deps;
    deps.directory = &directory;
    deps.channels = channels.get();
    deps.table = &table;
    deps.executor = &executor;
    deps.webhooks = &webhooks;
    deps.is_here = [this](absl::string_view call) { return call == known_call; };
    deps.accepting = [this] { return accepting.load(); };
    router = std::make_unique<WebhookRouter>(options, std::move(deps));
  }
  ~Node() {
    router.reset();
    server.reset();
  }

  FakeDirectory directory;
  base::ThreadExecutor executor;
  Desk desk;
  std::string known_call;
  std::atomic<bool> accepting{true};
  control::PeerAuthorizer authorizer;
  http::Webhooks webhooks;
  WebhookService service;
  std::unique_ptr<NodeServer> server;
  std::unique_ptr<Channels> channels;
  std::unique_ptr<WebhookRouter> router;
};

class WebhookRouterTest : public ::testing::Test {
 protected:
  WebhookRouterTest() {
    base::SetLogEnabled(false);
    table_.SetFault([this](absl::string_view) {
      ++asked_;
      return trouble_ ? absl::UnavailableError("away") : absl::OkStatus();
    });
    for (Node* node : {&a_, &b_}) {
      node->directory.Set({"a", a_.server->address(), "", true});
      node->directory.Set({"b", b_.server->address(), "", true});
    }
  }

  static base::HttpRequest Unsigned(const std::string& target, plivo::Form::Fields more = {}) {
    plivo::Form::Fields fields{{"CallUUID", kCall}, {"From", "14155550121"}, {"To", "14155550100"}};
    fields.insert(fields.end(), more.begin(), more.end());
    base::HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.body = plivo::FormatForm(fields);
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    return request;
  }
  static base::HttpRequest Request(const std::string& target, const plivo::Form::Fields& more = {}) {
    base::HttpRequest request = Unsigned(target, more);
    const auto body = plivo::ParseForm(request.body);
    const std::string url = plivo::PublicUrl(kPublic, target);
    request.headers.push_back({"X-Plivo-Signature-V3", *plivo::SignV3({"POST", url, &*body}, "12345", kSecret)});
    request.headers.push_back({"X-Plivo-Signature-V3-Nonce", "12345"});
    return request;
  }
  static base::HttpResponse Ask(Node& node, const base::HttpRequest& request) {
    std::promise<base::HttpResponse> answer;
    auto future = answer.get_future();
    node.router->Handle(request, [&](base::HttpResponse response) { answer.set_value(std::move(response)); });
    if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      std::abort();  // What it refers to is on this stack.
    }
    return future.get();
  }
  // Nobody listens there.
  static std::string NoAddress() {
    node::v1::NodeService::CallbackService service;
    return (*NodeServer::Start({"127.0.0.1:0", {}}, {&service}))->address();
  }

  std::atomic<int> asked_{0};
  std::atomic<bool> trouble_{false};
  store::MemoryCallStore calls_;
  store::MemoryNodeTable table_{calls_};
  Node a_{"a", table_, absl::Seconds(10)};
  Node b_{"b", table_, absl::Seconds(10)};
};

TEST_F(WebhookRouterTest, AsksTheNodeOfTheToken) {
  const base::HttpResponse answer = Ask(a_, Request("/transfer/b.123"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.content_type, HasSubstr("xml"));
  EXPECT_THAT(answer.body, HasSubstr("wss://bridge.example.com/media-stream?token=stream"));
  EXPECT_THAT(b_.desk.said(), ElementsAre("next b.123"));
  EXPECT_THAT(a_.desk.said(), IsEmpty());
  EXPECT_EQ(Ask(a_, Request("/answer?call=b.7")).status, 200);
  EXPECT_THAT(b_.desk.said(), ElementsAre("next b.123", "answer b.7"));
  EXPECT_EQ(asked_, 0);
}

TEST_F(WebhookRouterTest, AnswersHereWhatIsForHere) {
  Ask(a_, Request("/transfer/a.123"));
  Ask(a_, Request("/transfer/of-no-node"));
  EXPECT_THAT(a_.desk.said(), ElementsAre("next a.123", "next of-no-node"));
  a_.known_call = kCall;
  Ask(a_, Request("/hangup"));
  EXPECT_THAT(a_.desk.said(), ElementsAre("next a.123", "next of-no-node", absl::StrCat("hangup ", kCall)));
  EXPECT_THAT(b_.desk.said(), IsEmpty());
  EXPECT_EQ(asked_, 0);
}

TEST_F(WebhookRouterTest, PassesAnswersThroughThatAreNoInstructions) {
  const base::HttpResponse answer = Ask(a_, Request("/transfer-done/b.1?transfer=t&target=-1"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "target: must be a number from 0\n");
  EXPECT_THAT(answer.content_type, HasSubstr("text/plain"));
}

TEST_F(WebhookRouterTest, DoesNothingForWhatIsNotSigned) {
  for (const char* target : {"/transfer/b.1", "/answer", "/hangup", "/answer?call=nobody.1"}) {
    EXPECT_EQ(Ask(a_, Unsigned(target)).status, 403) << target;
  }
  EXPECT_EQ(asked_, 0);
  EXPECT_THAT(a_.desk.said(), IsEmpty());
  EXPECT_THAT(b_.desk.said(), IsEmpty());
  EXPECT_EQ(a_.channels->size(), 0u);
}

TEST_F(WebhookRouterTest, TheFirstToAnswerAnInboundCallHasIt) {
  Ask(a_, Request("/answer"));
  Ask(b_, Request("/answer"));
  Ask(b_, Request("/hangup"));
  EXPECT_THAT(a_.desk.said(), ElementsAre("answer ", "answer ", absl::StrCat("hangup ", kCall)));
  EXPECT_THAT(b_.desk.said(), IsEmpty());
}

TEST_F(WebhookRouterTest, OtherNoticesClaimNothing) {
  Ask(a_, Request("/stream-status", {{"Event", "StartStream"}}));
  Ask(a_, Request("/answer", {{"Event", "Hangup"}, {"CallStatus", "completed"}}));
  EXPECT_EQ(*table_.FindCarrierCall(kCall), absl::nullopt);
  EXPECT_THAT(a_.desk.said(), ElementsAre("stream StartStream", absl::StrCat("hangup ", kCall)));
}

TEST_F(WebhookRouterTest, DoesWithoutTheTable) {
  ASSERT_TRUE(table_.ClaimCarrierCall(kCall, "b").ok());
  trouble_ = true;
  EXPECT_EQ(Ask(a_, Request("/answer")).status, 200);
  EXPECT_THAT(a_.desk.said(), ElementsAre("answer "));
}

TEST_F(WebhookRouterTest, DoesNotWaitForTheTable) {
  std::promise<void> come_back;
  const std::shared_future<void> back = come_back.get_future().share();
  table_.SetFault([&](absl::string_view) {
    ++asked_;
    back.wait();
    return absl::OkStatus();
  });
  {
    Node c("c", table_, absl::Milliseconds(50));
    c.directory.Set({"b", b_.server->address(), "", true});
    EXPECT_EQ(Ask(c, Request("/answer")).status, 200);
    EXPECT_EQ(Ask(c, Request("/hangup")).status, 200);
    EXPECT_THAT(c.desk.said(), ElementsAre("answer ", absl::StrCat("hangup ", kCall)));
    come_back.set_value();
  }
  // What nobody waits for any more is not asked.
  EXPECT_EQ(asked_, 1);
}

struct OverRow {
  std::string target;
  std::string body;  // A part of it.
};

TEST_F(WebhookRouterTest, ACallOfANodeThatNobodyKnowsIsOver) {
  for (const OverRow& row : std::vector<OverRow>{{"/answer?call=gone.1", "<Hangup/>"},
                                                 {"/transfer/gone.1", "<Hangup/>"},
                                                 {"/transfer-done/gone.1?transfer=t&target=0", "<Response/>"},
                                                 {"/ring?call=gone.1", "<Response/>"},
                                                 {"/amd?call=gone.1", "<Response/>"},
                                                 {"/whisper/gone.1", "<Response/>"}}) {
    const base::HttpResponse answer = Ask(a_, Request(row.target));
    EXPECT_EQ(answer.status, 200) << row.target;
    EXPECT_THAT(answer.body, HasSubstr(row.body)) << row.target;
  }
  EXPECT_THAT(a_.desk.said(), IsEmpty());
  // Settled here.
  EXPECT_EQ(Ask(a_, Request("/hangup?call=gone.1")).status, 200);
  EXPECT_THAT(a_.desk.said(), ElementsAre(absl::StrCat("hangup ", kCall)));
}

TEST_F(WebhookRouterTest, WaitsForNewsOfANodeThatHasJustJoined) {
  Node c("c", table_, absl::Seconds(10), /*stranger_limit=*/absl::Seconds(15));
  std::promise<base::HttpResponse> answer;
  c.router->Handle(Request("/transfer/b.1"), [&](base::HttpResponse response) { answer.set_value(response); });
  c.directory.Set({"b", b_.server->address(), "", true});
  EXPECT_THAT(answer.get_future().get().body, HasSubstr("stream"));
  EXPECT_THAT(b_.desk.said(), ElementsAre("next b.1"));
}

TEST_F(WebhookRouterTest, AnInboundCallOfADeadNodeIsNotTakenAgain) {
  ASSERT_TRUE(table_.ClaimCarrierCall(kCall, "gone").ok());
  EXPECT_THAT(Ask(a_, Request("/answer")).body, HasSubstr("<Hangup/>"));
  EXPECT_THAT(a_.desk.said(), IsEmpty());
}

TEST_F(WebhookRouterTest, AnOwnerThatCannotBeReachedIsForAnotherNodeToTry) {
  a_.directory.Set({"b", NoAddress(), "", true});
  const base::HttpResponse answer = Ask(a_, Request("/transfer/b.1"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.headers, ElementsAre(Pair("Retry-After", "1")));
}

TEST_F(WebhookRouterTest, AnOwnerWithoutALeaseIsDeadOnlyIfItCannotBeReached) {
  a_.directory.Set({"b", b_.server->address(), "", /*alive=*/false});
  EXPECT_THAT(Ask(a_, Request("/transfer/b.1")).body, Not(HasSubstr("<Hangup/>")));
  EXPECT_THAT(b_.desk.said(), ElementsAre("next b.1"));
  a_.directory.Set({"b", NoAddress(), "", /*alive=*/false});
  EXPECT_THAT(Ask(a_, Request("/transfer/b.1")).body, HasSubstr("<Hangup/>"));
}

TEST_F(WebhookRouterTest, ANodeThatTakesNoNewCallsLeavesThemToAnother) {
  a_.accepting = false;
  Ask(a_, Request("/answer"));
  EXPECT_THAT(b_.desk.said(), ElementsAre("answer "));
  EXPECT_EQ(*table_.FindCarrierCall(kCall), "b");
}

TEST_F(WebhookRouterTest, KeepsTheCallsItHasWhenItTakesNoNewOnes) {
  Ask(a_, Request("/answer"));
  a_.accepting = false;
  Ask(a_, Request("/answer"));
  EXPECT_THAT(a_.desk.said(), ElementsAre("answer ", "answer "));
  EXPECT_THAT(b_.desk.said(), IsEmpty());
}

TEST_F(WebhookRouterTest, AnswersHereWhenNobodyTakesNewCalls) {
  a_.accepting = false;
  a_.directory.Set({"b", b_.server->address(), "", true, /*draining=*/true});
  Ask(a_, Request("/answer"));
  EXPECT_THAT(a_.desk.said(), ElementsAre("answer "));
  EXPECT_EQ(*table_.FindCarrierCall(kCall), absl::nullopt);
}

TEST_F(WebhookRouterTest, ANodeThatTakesNoNewCallsRefusesNoneBecauseTheTableIsAway) {
  a_.accepting = false;
  trouble_ = true;
  EXPECT_EQ(Ask(a_, Request("/answer")).status, 503);
  EXPECT_EQ(Ask(a_, Request("/hangup")).status, 200);
  EXPECT_THAT(a_.desk.said(), ElementsAre(absl::StrCat("hangup ", kCall)));
}

TEST_F(WebhookRouterTest, TheOwnerChecksForItself) {
  const auto stub = node::v1::NodeService::NewStub(b_.channels->To(b_.server->address()));
  const auto ask = [&](const base::HttpRequest& request, bool hop, base::HttpResponse* answer) {
    grpc::ClientContext context;
    if (hop) control::AddPeerMetadata("carrier", context);
    node::v1::HandleWebhookResponse response;
    const grpc::Status status = stub->HandleWebhook(&context, ToProto(request), &response);
    *answer = FromProto(response);
    return status.error_code();
  };
  base::HttpResponse answer;
  EXPECT_EQ(ask(Request("/transfer/b.1"), false, &answer), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ask(Unsigned("/transfer/b.1"), true, &answer), grpc::StatusCode::OK);
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(b_.desk.said(), IsEmpty());
  // Never on to another: what is for a was sent to b, and b answers.
  EXPECT_EQ(ask(Request("/transfer/a.1"), true, &answer), grpc::StatusCode::OK);
  EXPECT_THAT(b_.desk.said(), ElementsAre("next a.1"));
  EXPECT_THAT(a_.desk.said(), IsEmpty());
}

TEST(WebhookMessageTest, IsTheSameAgain) {
  base::HttpRequest request;
  request.method = "POST";
  request.target = "/answer?x=\xff";
  request.headers = {{"A", "1"}, {"a", "\xfe"}};
  request.body = std::string("b\0c", 3);
  const base::HttpRequest again = FromProto(ToProto(request));
  EXPECT_EQ(again.method, request.method);
  EXPECT_EQ(again.target, request.target);
  EXPECT_EQ(again.headers, request.headers);
  EXPECT_EQ(again.body, request.body);

  base::HttpResponse response;
  response.status = 405;
  response.content_type = "text/xml";
  response.body = "no";
  response.headers = {{"Allow", "POST"}};
  const base::HttpResponse back = FromProto(ToProto(response));
  EXPECT_EQ(back.status, 405);
  EXPECT_EQ(back.content_type, "text/xml");
  EXPECT_EQ(back.headers, response.headers);
  EXPECT_EQ(back.body, "no");
}

}  // namespace
}  // namespace callbridge::nodes
