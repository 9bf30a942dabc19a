#include "src/bench/bridge.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "src/base/ids.h"

namespace callbridge::bench {
namespace {

constexpr absl::Duration kTalkLimit = absl::Seconds(30);
constexpr absl::Duration kReadyLimit = absl::Seconds(20);

std::string Config(const BridgeOptions& options) {
  return absl::StrCat(
      "agents {\n  key: \"bench\"\n  instructions: \"You are the assistant of a benchmark. Go on speaking.\"\n"
      "  greeting_prompt: \"Greet the caller.\"\n  playout { ",
      options.playout, "}\n}\n");
}

}  // namespace

absl::StatusOr<Bridge> StartBridge(const BridgeOptions& options) {
  Bridge bridge;
  for (int* const port : {&bridge.http_port, &bridge.admin_port, &bridge.grpc_port}) {
    if (port == &bridge.grpc_port && !options.grpc) continue;
    const auto free = FreePort();
    if (!free.ok()) return free.status();
    *port = *free;
  }
  const std::string config = absl::StrCat(options.folder, "/bench.textproto");
  std::ofstream(config) << Config(options);
  const std::string log = absl::StrCat(options.folder, "/callbridge.log");
  auto child = Child::Start(
      {options.server, absl::StrCat("--http_listen=127.0.0.1:", bridge.http_port),
       absl::StrCat("--grpc_listen=127.0.0.1:", bridge.grpc_port),
       absl::StrCat("--admin_listen=127.0.0.1:", bridge.admin_port),
       absl::StrCat("--public_url=http://127.0.0.1:", bridge.http_port),
       absl::StrCat("--database_url=sqlite:", options.folder, "/", base::NewUuid(), ".db"),
       absl::StrCat("--openai_url=", options.model_url), "--plivo_api_url=http://127.0.0.1:9", "--webhook_auth=none",
       absl::StrCat("--config=", config), absl::StrCat("--media_threads=", options.threads)},
      {"OPENAI_API_KEY=sk-bench", "PLIVO_AUTH_ID=MABENCHBENCHBENCH000", "PLIVO_AUTH_TOKEN=bench"}, log);
  if (!child.ok()) return child.status();
  bridge.child = *std::move(child);
  const absl::Status ready = bridge.child->WaitReady(bridge.http_port, kReadyLimit);
  if (!ready.ok()) return absl::Status(ready.code(), absl::StrCat(ready.message(), "; see ", log));
  return bridge;
}

absl::StatusOr<std::string> AnswerCall(int http_port, const std::string& carrier_call_id) {
  const auto answer = Fetch(
      http_port, absl::StrCat("/answer?CallUUID=", carrier_call_id,
                              "&From=14155550123&To=14155550100&Direction=inbound&Event=StartApp&CallStatus=ringing"));
  if (!answer.ok()) return answer.status();
  std::string url = StreamUrl(*answer);
  if (url.empty()) return absl::InternalError("the answer holds no Stream");
  return url;
}

absl::Status WaitUntilTalking(const Load& load, int calls) {
  const absl::Time deadline = absl::Now() + kTalkLimit;
  while (load.talking() < calls) {
    if (load.lost() > 0 || absl::Now() > deadline) {
      return absl::UnavailableError(absl::StrCat("of ", calls, " calls ", load.talking(), " talk, ", load.lost(),
                                                 " sockets have closed; see the program's log"));
    }
    absl::SleepFor(absl::Milliseconds(20));
  }
  return absl::OkStatus();
}

std::string StreamUrl(const std::string& answer_xml) {
  absl::string_view rest = answer_xml;
  const size_t element = rest.find("<Stream");
  if (element == absl::string_view::npos) return "";
  rest.remove_prefix(element);
  const size_t text = rest.find('>');
  if (text == absl::string_view::npos) return "";
  rest.remove_prefix(text + 1);
  return absl::StrReplaceAll(rest.substr(0, rest.find('<')), {{"&amp;", "&"}});
}

}  // namespace callbridge::bench
