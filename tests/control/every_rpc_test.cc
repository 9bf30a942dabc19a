// What must hold for every RPC, each a row: no token, a wrong one, an old one, one without the
// scope, one that is used too much, nothing in the request, names
// that are none, things that are not there or in no state for it, requests sent twice, a database that is away, a fault
// of ours, no answer in time, a client that goes away. Code and reason of each.

#include <atomic>
#include <map>
#include <set>

#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "callbridge/v1/options.pb.h"
#include "src/base/error.h"
#include "src/control/access.h"
#include "src/control/etag.h"
#include "tests/control/generic_client.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using google::protobuf::MethodDescriptor;
using grpc::StatusCode;

// What is particular to an RPC.
struct Rpc {
  std::string request;         // One that is answered. $CALL and $TRANSFER and $LEAD stand for things that exist.
  std::string empty_reason;    // Of an empty request; empty: it is fine.
  std::string empty_field;     // Of that.
  std::string missing_reason;  // Where what it names is not there; empty: it names nothing.
  bool needs_store = true;     // Cannot be answered without the database.
  bool steers = false;         // Answered by the call, here a fake.
};

const std::map<std::string, Rpc>& Rpcs() {
  static const auto* const rpcs = new std::map<std::string, Rpc>{
      {"StartCall", {R"(call { to: "+14155550100" })", "FIELD_REQUIRED", "call", "", false, true}},
      {"EndCall", {R"(call: "$CALL")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"TransferCall",
       {R"(call: "$CALL" destination: "sales")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"CancelTransfer", {R"(transfer: "$TRANSFER")", "FIELD_REQUIRED", "transfer", "CALL_NOT_FOUND", false, true}},
      {"SayOnCall", {R"(call: "$CALL" text: "Hi.")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"InjectContext", {R"(call: "$CALL" text: "Hi.")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"UpdateInstructions",
       {R"(call: "$CALL" instructions: "Hi.")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"SendDtmf", {R"(call: "$CALL" digits: "1")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"MuteCall", {R"(call: "$CALL" caller_muted: true)", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"TakeoverCall", {R"(call: "$CALL")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"ReleaseCall", {R"(call: "$CALL")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false, true}},
      {"SubmitToolResult",
       {R"(call: "$CALL" tool_call_id: "t" output_json: "{}")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND", false,
        true}},
      {"GetTransfer", {R"(transfer: "$TRANSFER")", "FIELD_REQUIRED", "transfer", "CALL_NOT_FOUND"}},
      {"ListTransfers", {R"(call: "$CALL")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND"}},
      {"UpdateCall",
       {R"(call: "$CALL" labels { key: "a" value: "b" } update_mask { paths: "labels" })", "FIELD_REQUIRED", "call",
        "CALL_NOT_FOUND"}},
      {"GetCall", {R"(call: "$CALL")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND"}},
      {"ListCalls", {"", "", "", ""}},
      {"GetTranscript", {R"(call: "$CALL")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND"}},
      {"StreamTranscript", {R"(call: "$CALL")", "FIELD_REQUIRED", "call", "CALL_NOT_FOUND"}},
      {"ListCallEvents", {R"(call: "$CALL")", "", "", "CALL_NOT_FOUND"}},
      {"CallEvents", {R"(call: "$CALL")", "", "", "CALL_NOT_FOUND"}},
      {"GetServerInfo", {"", "", "", "", false}},
      {"ListNodes", {"", "", "", "", false}},
      {"DrainNode", {"", "", "", "", false}},
      {"EvaluateCallPolicy", {R"(call { to: "+14155550100" })", "FIELD_REQUIRED", "call", "", false, true}},
      {"CreateLead",
       {R"(request_id: "44444444-2222-4333-8444-555555555555" phone: "+14155550123")", "FIELD_REQUIRED", "phone", ""}},
      {"GetLead", {R"(lead: "$LEAD")", "FIELD_REQUIRED", "lead", "LEAD_NOT_FOUND"}},
      {"LookupLead", {R"(phone: "+15550001111")", "FIELD_REQUIRED", "phone", "LEAD_NOT_FOUND"}},
      {"ListLeads", {"", "", "", ""}},
      {"UpdateLead",
       {R"(lead: "$LEAD" display_name: "Ada" update_mask { paths: "display_name" })", "FIELD_REQUIRED", "lead",
        "LEAD_NOT_FOUND"}},
      {"SuppressLead", {R"(lead: "$LEAD" reason: "asked for it")", "FIELD_REQUIRED", "lead", "LEAD_NOT_FOUND"}},
      {"UnsuppressLead", {R"(lead: "$LEAD")", "FIELD_REQUIRED", "lead", "LEAD_NOT_FOUND"}},
      {"EraseLead", {R"(phone: "+15550007777")", "FIELD_REQUIRED", "phone", ""}},
  };
  return *rpcs;
}

class EveryRpc : public ::testing::TestWithParam<std::string> {
 protected:
  static const MethodDescriptor& Method(const std::string& name) {
    for (const MethodDescriptor* const method : AllMethods()) {
      if (method->name() == name) return *method;
    }
    throw std::runtime_error("no such method: " + name);
  }

  const MethodDescriptor& method() const { return Method(GetParam()); }
  const Rpc& rpc() const { return Rpcs().at(GetParam()); }

  // Its request with the given ids in the places of names.
  std::string Request(const std::string& call, const std::string& lead) const {
    return absl::StrReplaceAll(rpc().request, {{"$CALL", "calls/" + call},
                                               {"$TRANSFER", absl::StrCat("calls/", call, "/transfers/", kTransfer)},
                                               {"$LEAD", "leads/" + lead}});
  }
  std::string Good() { return Request(kCall, lead_); }

  ServerUnderTest& Server(ControlServerOptions options = {}) {
    server_ = std::make_unique<ServerUnderTest>(std::move(options));
    server_->Create(kCall);
    store::CallWrite write;
    write.call_id = kCall;
    call::Transfer transfer;
    transfer.transfer_id = kTransfer;
    write.transfer = transfer;
    server_->Apply(write);
    const auto lead = server_->store().FindLead("+15550001111");
    EXPECT_TRUE(lead.ok()) << lead.status();
    if (lead.ok()) lead_ = lead->lead_id;
    client_ = std::make_unique<GenericClient>(
        grpc::CreateChannel(server_->server().address(), grpc::InsecureChannelCredentials()));
    return *server_;
  }

  static GenericClient::Options WithToken(const std::string& token) {
    GenericClient::Options options;
    options.metadata["authorization"] = "Bearer " + token;
    return options;
  }

  // The last one counts where a field is there twice, but texts may not have it twice.
  static std::string Without(std::string request, std::initializer_list<absl::string_view> fields) {
    for (const absl::string_view field : fields) {
      const size_t begin = request.find(std::string(field));
      if (begin == std::string::npos) continue;
      request.erase(begin, request.find('"', begin + field.size()) + 1 - begin);
    }
    return request;
  }

  grpc::Status Call(const std::string& request, const GenericClient::Options& options = {}) {
    return client_->Call(method(), request, options);
  }

  void Expect(const grpc::Status& status, StatusCode code, const std::string& reason, const std::string& field = "") {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    if (status.error_code() == StatusCode::OK) return;
    const Details details = DetailsOf(status);
    EXPECT_EQ(details.info.reason(), reason) << status.error_message();
    EXPECT_EQ(details.info.domain(), "callbridge");
    EXPECT_EQ(status.error_message().find("secret"), std::string::npos) << status.error_message();
    ASSERT_EQ(details.bad_request.field_violations_size(), field.empty() ? 0 : 1);
    if (!field.empty()) {
      EXPECT_EQ(details.bad_request.field_violations(0).field(), field);
    }
    EXPECT_EQ(details.retry, code == StatusCode::UNAVAILABLE || code == StatusCode::RESOURCE_EXHAUSTED);
    if (code == StatusCode::INTERNAL) {
      EXPECT_EQ(details.info.metadata().count("trace_id"), 1);
    }
  }

  static constexpr std::initializer_list<absl::string_view> kNames = {"call: \"", "lead: \"", "transfer: \"",
                                                                      "phone: \""};
  static constexpr char kTransfer[] = "33333333-2222-4333-8444-555555555555";
  std::string lead_;
  std::atomic<bool> go_{false};  // What holds the store up. Before the server, whose threads may look at it to its end.
  std::unique_ptr<ServerUnderTest> server_;
  std::unique_ptr<GenericClient> client_;
};

TEST(EveryRpcTest, HasARow) {
  std::set<std::string> methods, rows;
  for (const MethodDescriptor* const method : AllMethods()) methods.insert(method->name());
  for (const auto& [name, rpc] : Rpcs()) rows.insert(name);
  EXPECT_EQ(methods, rows);
}

TEST_P(EveryRpc, Answers) {
  Server();
  EXPECT_TRUE(Call(Good()).ok()) << Call(Good()).error_message();
}

TEST_P(EveryRpc, TellsWhatIsMissingInAnEmptyRequest) {
  Server();
  const bool fine = rpc().empty_reason.empty();
  Expect(Call(""), fine ? StatusCode::OK : StatusCode::INVALID_ARGUMENT, rpc().empty_reason, rpc().empty_field);
}

TEST_P(EveryRpc, RefusesNamesThatAreNone) {
  const std::map<std::string, std::string> kReasons = {{"call", "INVALID_CALL_NAME"},
                                                       {"lead", "INVALID_LEAD_NAME"},
                                                       {"transfer", "INVALID_TRANSFER_NAME"},
                                                       {"phone", "INVALID_E164"},
                                                       {"node", "INVALID_NODE_NAME"}};
  Server();
  int named = 0;
  for (int i = 0; i < method().input_type()->field_count(); ++i) {
    const auto* const field = method().input_type()->field(i);
    const auto reason = kReasons.find(field->name());
    if (reason == kReasons.end() || field->type() != field->TYPE_STRING) continue;
    ++named;
    for (const std::string wrong : {"x", "calls/", "calls/11111111-2222-4333-8444-55555555555X", "leads/1", "../etc"}) {
      Expect(Call(absl::StrCat(Without(Good(), kNames), " ", field->name(), ": \"", wrong, "\"")),
             StatusCode::INVALID_ARGUMENT, reason->second, field->name());
    }
  }
  EXPECT_EQ(named > 0, rpc().request.find("$") != std::string::npos ||
                           rpc().request.find("phone: ") != std::string::npos || GetParam() == "DrainNode");
}

TEST_P(EveryRpc, TellsWhatIsNotThere) {
  ServerUnderTest& server = Server();
  if (rpc().steers) {
    server.control().FailAll(base::MakeError(absl::StatusCode::kNotFound, "CALL_NOT_FOUND", "no such call"));
  }
  if (rpc().missing_reason.empty()) return;
  Expect(Call(absl::StrReplaceAll(Request(kOther, kOther), {{"+15550001111", "+15550009999"}})), StatusCode::NOT_FOUND,
         rpc().missing_reason);
}

// By the call itself, whose words reach the client with what they say of the state.
TEST_P(EveryRpc, TellsThatTheStateIsWrong) {
  ServerUnderTest& server = Server();
  server.control().FailAll(base::MakeError(absl::StatusCode::kFailedPrecondition, "CALL_NOT_ACTIVE", "it is over",
                                           {{"state", "completed"}}));
  const grpc::Status status = Call(Good());
  Expect(status, rpc().steers ? StatusCode::FAILED_PRECONDITION : StatusCode::OK, "CALL_NOT_ACTIVE");
  if (rpc().steers) {
    EXPECT_EQ(DetailsOf(status).info.metadata().at("state"), "completed");
  }
  if (method().input_type()->FindFieldByName("etag") == nullptr) return;
  Expect(Call(Good() + R"( etag: "x")"), StatusCode::INVALID_ARGUMENT, "INVALID_ETAG", "etag");
  Expect(Call(absl::StrCat(Good(), " etag: \"", FormatEtag(9999), "\"")), StatusCode::ABORTED, "LEAD_CHANGED");
}

TEST_P(EveryRpc, MayBeRepeated) {
  ServerUnderTest& server = Server();
  EXPECT_TRUE(Call(Good()).ok());
  EXPECT_TRUE(Call(Good()).ok()) << Call(Good()).error_message();
  if (method().input_type()->FindFieldByName("request_id") == nullptr) return;
  const std::string request = Without(Good(), {"request_id: \""});
  for (const std::string wrong : {"1", "no uuid", "44444444-2222-4333-8444-55555555555X"}) {
    Expect(Call(absl::StrCat(request, " request_id: \"", wrong, "\"")), StatusCode::INVALID_ARGUMENT,
           "INVALID_REQUEST_ID", "request_id");
  }
  const std::string id = R"( request_id: "44444444-2222-4333-8444-555555555555")";
  EXPECT_TRUE(Call(request + id).ok());
  EXPECT_TRUE(Call(request + id).ok());
  server.control().FailAll(base::FieldError("request_id", "REQUEST_ID_REUSED", "was for something else"));
  Expect(Call(absl::StrReplaceAll(request, {{"+14155550123", "+14155550124"}}) + id), StatusCode::INVALID_ARGUMENT,
         "REQUEST_ID_REUSED", "request_id");
}

TEST_P(EveryRpc, SaysThatTheStoreIsAway) {
  ServerUnderTest& server = Server();
  const absl::Status away = absl::UnavailableError("secret: connection refused");
  server.store().SetFault([away](absl::string_view) { return away; });
  if (rpc().steers) {
    server.control().FailAll(base::MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", "away"));
  }
  const bool fine = !rpc().needs_store && !rpc().steers;
  Expect(Call(Good()), fine ? StatusCode::OK : StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE");
}

// Only new calls are refused: those that run are steered, read and followed to their ends.
TEST_P(EveryRpc, IsAnsweredWhileTheServerDrains) {
  ServerUnderTest& server = Server();
  server.server().SetServing(false);
  server.server().DisperseStreams();
  server.control().SetStartResult(base::MakeError(absl::StatusCode::kUnavailable, "DRAINING", "about to stop"));
  const bool starts = GetParam() == "StartCall";
  Expect(Call(Good()), starts ? StatusCode::UNAVAILABLE : StatusCode::OK, "DRAINING");
}

TEST_P(EveryRpc, HidesAFaultOfOurs) {
  ServerUnderTest& server = Server();
  server.store().SetFault([](absl::string_view) -> absl::Status { throw std::runtime_error("secret"); });
  if (rpc().steers) server.control().FailAll(absl::UnknownError("secret"));
  const bool fine = !rpc().needs_store && !rpc().steers;
  Expect(Call(Good()), fine ? StatusCode::OK : StatusCode::INTERNAL, "INTERNAL");
}

TEST_P(EveryRpc, WantsAToken) {
  ControlServerOptions options;
  options.access.tokens = {TokenForEverything("good")};
  Server(options);
  Expect(Call(Good()), StatusCode::UNAUTHENTICATED, "TOKEN_MISSING");
  Expect(Call(Good(), WithToken("bad")), StatusCode::UNAUTHENTICATED, "TOKEN_INVALID");
  EXPECT_TRUE(Call(Good(), WithToken("good")).ok());
}

TEST_P(EveryRpc, WantsATokenThatIsStillGood) {
  ControlServerOptions options;
  options.access.tokens = {TokenForEverything("old")};
  options.access.tokens[0].expire_time = absl::Now() - absl::Seconds(1);
  Server(options);
  Expect(Call(Good(), WithToken("old")), StatusCode::UNAUTHENTICATED, "TOKEN_EXPIRED");
}

TEST_P(EveryRpc, WantsItsScopeAndNoOther) {
  const std::string scope = method().options().GetExtension(v1::scope);
  ASSERT_EQ(AllScopes().count(scope), 1) << scope;
  ControlServerOptions options;
  options.access.tokens = {TokenForEverything("others"), TokenForEverything("own")};
  options.access.tokens[0].scopes.erase(scope);
  options.access.tokens[1].scopes = {scope};
  Server(options);
  const grpc::Status refused = Call(Good(), WithToken("others"));
  Expect(refused, StatusCode::PERMISSION_DENIED, "SCOPE_REQUIRED");
  EXPECT_EQ(DetailsOf(refused).info.metadata().at("scope"), scope);
  Expect(Call("", WithToken("others")), StatusCode::PERMISSION_DENIED, "SCOPE_REQUIRED");
  EXPECT_TRUE(Call(Good(), WithToken("own")).ok());
}

TEST_P(EveryRpc, CountsAgainstTheTokensLimit) {
  ControlServerOptions options;
  options.access.tokens = {TokenForEverything("busy"), TokenForEverything("calm")};
  options.access.tokens[0].requests_per_minute = 1;
  Server(options);
  EXPECT_TRUE(Call(Good(), WithToken("busy")).ok());
  Expect(Call(Good(), WithToken("busy")), StatusCode::RESOURCE_EXHAUSTED, "RATE_LIMITED");
  EXPECT_TRUE(Call(Good(), WithToken("calm")).ok()) << "another's limit";
}

// Of a client that sets no deadline.
TEST_P(EveryRpc, IsAnsweredInTime) {
  if (method().server_streaming()) return;
  ControlServerOptions options;
  options.longest_unary = absl::Milliseconds(150);
  ServerUnderTest& server = Server(options);
  server.store().SetFault([this](absl::string_view) {
    Eventually([this] { return go_.load(); });
    return absl::OkStatus();
  });
  server.control().Hold();
  const bool fine = !rpc().needs_store && !rpc().steers;
  Expect(Call(Good()), fine ? StatusCode::OK : StatusCode::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED");
  go_ = true;
  server.control().AnswerHeld();
}

TEST_P(EveryRpc, MayBeGivenUp) {
  ServerUnderTest& server = Server();
  server.store().SetFault([this](absl::string_view) {
    Eventually([this] { return go_.load(); });
    return absl::OkStatus();
  });
  server.control().Hold();
  GenericClient::Options options;
  options.cancel_after = std::chrono::milliseconds(100);
  const bool fine = !rpc().needs_store && !rpc().steers;
  if (!method().server_streaming()) {
    EXPECT_EQ(Call(Good(), options).error_code(), fine ? StatusCode::OK : StatusCode::CANCELLED);
  }
  go_ = true;
  server.control().AnswerHeld();
  EXPECT_TRUE(Call(Good()).ok()) << "the server goes on";
}

std::vector<std::string> AllNames() {
  std::vector<std::string> names;
  for (const auto& [name, rpc] : Rpcs()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryRpc, ::testing::ValuesIn(AllNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace callbridge::control
