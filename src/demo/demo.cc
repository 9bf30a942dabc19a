#include "src/demo/demo.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "src/demo/bridge_client.h"
#include "src/demo/checklist.h"
#include "src/demo/processes.h"
#include "src/demo/records.h"
#include "src/demo/table.h"
#include "src/demo/timeline.h"
#include "src/demo/world_client.h"

namespace callbridge::demo {
namespace {

// Made up; the simulated carrier and model know them.
constexpr const char* kKeys[] = {"OPENAI_API_KEY=sk-sandbox", "PLIVO_AUTH_ID=MASANDBOXSANDBOX0000",
                                 "PLIVO_AUTH_TOKEN=c2FuZGJveC1hdXRoLXRva2Vu"};
constexpr absl::Duration kStartLimit = absl::Seconds(20);
constexpr absl::Duration kStopLimit = absl::Seconds(5);
constexpr absl::Duration kPoll = absl::Milliseconds(100);
// In a healthy call something happens every few seconds; the longest wait is a human's phone that rings.
constexpr absl::Duration kLongestSilence = absl::Seconds(30);
// From a call's last event until its record and the world know that it is over.
constexpr absl::Duration kSettleLimit = absl::Seconds(5);
// The one in the sandbox's configuration that a cough does not stop.
constexpr char kOutboundAgent[] = "outbound";
constexpr int kWidth = 120;
constexpr int kLogLines = 15;

std::string CallId(const std::string& call_name) { return std::string(absl::StripPrefix(call_name, "calls/")); }

void Print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

class Demo {
 public:
  explicit Demo(const Options& options) : options_(options), timeline_(options.colours) {}

  bool Run();

 private:
  struct SeenCall {
    std::string title;
    std::string name;       // calls/{uuid}
    bool complete = false;  // Its last event is there.
  };

  absl::Status Start();
  absl::Status StartPrograms(const std::vector<int>& ports);
  absl::Status WaitFor(const std::function<absl::Status()>& ready);
  absl::Status PlayInbound();
  absl::Status PlayOutbound();
  absl::Status Follow(SeenCall& call);
  absl::StatusOr<absl::optional<v1::CallEvent>> NextEvent();
  absl::Status CheckAlive();
  void Settle(const SeenCall& call);
  CallFacts Gather(const std::string& call_name);
  void PrintRecords();
  void PrintTranscript(const SeenCall& call);
  bool Report();
  bool PrintChecks();
  bool PrintCheck(const Step& step) const;
  bool StopPrograms();
  void PrintLogs() const;
  std::string Bold(const std::string& text) const {
    return options_.colours ? absl::StrCat("\033[1m", text, "\033[0m") : text;
  }

  const Options options_;
  const absl::Time deadline_ = absl::Now() + options_.deadline;
  Timeline timeline_;
  std::unique_ptr<Process> sim_;
  std::unique_ptr<Process> server_;
  std::unique_ptr<WorldClient> world_;
  std::unique_ptr<BridgeClient> bridge_;
  std::string database_;
  std::vector<SeenCall> calls_;
  std::map<std::string, std::vector<v1::CallEvent>> events_;  // By call.
  std::string stuck_at_;                                      // For people.
};

absl::Status Demo::StartPrograms(const std::vector<int>& ports) {
  const auto local = [](int port) { return absl::StrCat("127.0.0.1:", port); };
  const std::string http = local(ports[0]), grpc = local(ports[1]), admin = local(ports[2]);
  const std::string carrier = local(ports[3]), model = local(ports[4]);
  database_ = absl::StrCat(options_.folder, "/demo.db");

  Command sim{options_.sim_path, {}, {}, absl::StrCat(options_.folder, "/sim.log")};
  sim.arguments = {absl::StrCat("--carrier_listen=", carrier), absl::StrCat("--model_listen=", model),
                   absl::StrCat("--server_url=http://", http)};
  auto started = Process::Start(sim);
  if (!started.ok()) return started.status();
  sim_ = *std::move(started);

  Command server{
      options_.server_path, {}, {std::begin(kKeys), std::end(kKeys)}, absl::StrCat(options_.folder, "/callbridge.log")};
  server.arguments = {absl::StrCat("--http_listen=", http),
                      absl::StrCat("--grpc_listen=", grpc),
                      absl::StrCat("--admin_listen=", admin),
                      absl::StrCat("--public_url=http://", http),
                      absl::StrCat("--openai_url=ws://", model, "/v1/realtime"),
                      absl::StrCat("--openai_rest_url=http://", model, "/v1"),
                      absl::StrCat("--plivo_api_url=http://", carrier),
                      absl::StrCat("--config=", options_.config_path),
                      absl::StrCat("--database_url=sqlite:", database_),
                      "--drain_timeout=1s"};
  started = Process::Start(server);
  if (!started.ok()) return started.status();
  server_ = *std::move(started);
  world_ = std::make_unique<WorldClient>(absl::StrCat("http://", carrier));
  return absl::OkStatus();
}

absl::Status Demo::Start() {
  const absl::StatusOr<std::vector<int>> ports = FreePorts(5);
  if (!ports.ok()) return ports.status();
  Print(absl::StrCat("Starting callbridge and the simulated world; their logs and the database are in ",
                     options_.folder));
  absl::Status status = StartPrograms(*ports);
  if (status.ok()) status = WaitFor([this] { return world_->NumberOf("outbound_demo").status(); });
  if (status.ok()) {
    status = WaitFor([&ports] { return CheckReady(absl::StrCat("http://127.0.0.1:", (*ports)[2], "/readyz")); });
  }
  if (!status.ok()) return status;
  auto bridge = BridgeClient::Connect(absl::StrCat("127.0.0.1:", (*ports)[1]), kStartLimit);
  if (!bridge.ok()) return bridge.status();
  bridge_ = *std::move(bridge);
  return absl::OkStatus();
}

absl::Status Demo::CheckAlive() {
  if (options_.interrupted()) return absl::CancelledError("interrupted");
  for (Process* const each : {sim_.get(), server_.get()}) {
    if (each->Running()) continue;
    const absl::Status how = each->Stop(absl::ZeroDuration());
    return absl::UnavailableError(how.ok() ? absl::StrCat(each->path(), " ended by itself")
                                           : std::string(how.message()));
  }
  if (absl::Now() > deadline_)
    return absl::DeadlineExceededError(absl::StrCat("not done after ", absl::FormatDuration(options_.deadline)));
  return absl::OkStatus();
}

absl::Status Demo::WaitFor(const std::function<absl::Status()>& ready) {
  const absl::Time limit = absl::Now() + kStartLimit;
  while (true) {
    if (absl::Status alive = CheckAlive(); !alive.ok()) return alive;
    const absl::Status status = ready();
    if (status.ok() || absl::Now() > limit) return status;
    absl::SleepFor(kPoll);
  }
}

// One event, or none for a while; prints it and keeps it with its call.
absl::StatusOr<absl::optional<v1::CallEvent>> Demo::NextEvent() {
  if (absl::Status alive = CheckAlive(); !alive.ok()) return alive;
  auto event = bridge_->NextEvent(kPoll);
  if (!event.ok() || !event->has_value()) return event;
  const std::string line = timeline_.Line(**event);
  if (!line.empty()) Print(line);
  events_[(*event)->call()].push_back(**event);
  return event;
}

// Until the call has ended and its summary is there, in whatever order. A call without a name is the next one that
// begins.
absl::Status Demo::Follow(SeenCall& call) {
  bool ended = false, summary = false;
  absl::Time last = absl::Now();
  while (!ended || !summary) {
    auto event = NextEvent();
    if (!event.ok()) return event.status();
    if (!event->has_value()) {
      if (absl::Now() - last < kLongestSilence) continue;
      return absl::DeadlineExceededError(
          absl::StrCat("nothing has happened for ", absl::FormatDuration(kLongestSilence)));
    }
    last = absl::Now();
    if (call.name.empty() && (*event)->has_call_created()) call.name = (*event)->call();
    if ((*event)->call() != call.name) continue;
    ended |= (*event)->has_call_ended();
    summary |= (*event)->has_summary_ready() || (*event)->has_summary_failed();
  }
  call.complete = true;
  Settle(call);
  return absl::OkStatus();
}

// The world has its own moment at which a call is over, and transcripts may come late.
void Demo::Settle(const SeenCall& call) {
  const absl::Time limit = absl::Now() + kSettleLimit;
  while (absl::Now() < limit && NextEvent().ok() && !AllDone(CheckCall(Gather(call.name)))) {
  }
}

absl::Status Demo::PlayInbound() {
  Print(absl::StrCat("\n", Bold("Somebody calls")));
  const absl::StatusOr<std::string> ringing = world_->Ring("inbound_demo");
  if (!ringing.ok()) return ringing.status();
  calls_.push_back({"the inbound call", ""});
  return Follow(calls_.back());
}

absl::Status Demo::PlayOutbound() {
  Print(absl::StrCat("\n", Bold("callbridge calls somebody")));
  const absl::StatusOr<std::string> number = world_->NumberOf("outbound_demo");
  if (!number.ok()) return number.status();
  const absl::StatusOr<std::string> name = bridge_->StartCall(*number, kOutboundAgent);
  if (!name.ok()) return name.status();
  calls_.push_back({"the outbound call", *name});
  return Follow(calls_.back());
}

// What cannot be had is left empty: the steps that need it are not done then.
CallFacts Demo::Gather(const std::string& call_name) {
  CallFacts facts;
  facts.events = events_[call_name];
  if (const auto logs = ReadTable(database_, "call_logs"); logs.ok())
    facts.call_row = logs->Find("id", CallId(call_name));
  if (const auto leads = ReadTable(database_, "leads"); leads.ok())
    facts.lead_row = leads->Find("id", facts.call_row["lead_id"]);
  if (auto items = bridge_->GetTranscript(call_name); items.ok()) facts.transcript = *std::move(items);
  if (auto report = world_->Report(facts.call_row["carrier_call_id"]); report.ok()) facts.world = *std::move(report);
  return facts;
}

void Demo::PrintRecords() {
  for (const char* const name : {"call_logs", "leads"}) {
    const absl::StatusOr<Table> table = ReadTable(database_, name);
    Print(absl::StrCat("\n", Bold(absl::StrCat("Table ", name))));
    Print(table.ok() ? std::string(absl::StripSuffix(FormatRecords(*table, kWidth), "\n")) : table.status().ToString());
  }
}

void Demo::PrintTranscript(const SeenCall& call) {
  Print(
      absl::StrCat("\n", Bold(absl::StrCat("Transcript of ", call.title)), " (in brackets: generated, but not heard)"));
  const auto items = bridge_->GetTranscript(call.name);
  if (!items.ok()) return Print(items.status().ToString());
  for (const v1::TranscriptItem& item : *items) Print(timeline_.TranscriptLine(item));
}

bool Demo::PrintCheck(const Step& step) const {
  const char* const colour = !options_.colours ? "" : step.done ? "\033[1;32m" : "\033[1;31m";
  Print(absl::StrCat("  ", colour, step.done ? "✔" : "✘", options_.colours ? "\033[0m " : " ", step.what,
                     step.detail.empty() ? "" : absl::StrCat(": ", step.detail)));
  return step.done;
}

bool Demo::PrintChecks() {
  bool all = calls_.size() == 2;
  for (const SeenCall& call : calls_) {
    const std::vector<Step> steps = CheckCall(Gather(call.name));
    Print(absl::StrCat("\n", Bold(absl::StrCat("Steps of ", call.title))));
    for (const Step& step : steps) all &= PrintCheck(step);
    if (!call.complete) stuck_at_ = absl::StrCat(" of ", call.title, " before \"", FirstMissing(steps), "\"");
  }
  return all;
}

// The server first, so that it says goodbye to a world that still listens.
bool Demo::StopPrograms() {
  bool clean = true;
  bridge_.reset();
  for (Process* const each : {server_.get(), sim_.get()}) {
    if (each == nullptr) continue;
    const absl::Status ended = each->Stop(kStopLimit);
    clean &= PrintCheck({absl::StrCat(each == sim_.get() ? "the simulated world" : "callbridge", " ends when asked to"),
                         ended.ok(), std::string(ended.message())});
  }
  return clean;
}

void Demo::PrintLogs() const {
  for (const Process* const each : {server_.get(), sim_.get()}) {
    if (each == nullptr) continue;
    Print(absl::StrCat("\nLast lines of ", each->log_path(), ":\n", LastLines(each->log_path(), kLogLines)));
  }
}

bool Demo::Report() {
  PrintRecords();
  for (const SeenCall& call : calls_) PrintTranscript(call);
  bool all = PrintChecks();
  Print(absl::StrCat("\n", Bold("Both programs")));
  const auto violations = world_->Violations();
  all &= PrintCheck({"nothing else that a carrier or a model refuses", violations.ok() && violations->empty(),
                     !violations.ok() ? violations.status().ToString() : absl::StrJoin(*violations, "; ")});
  return all;
}

bool Demo::Run() {
  absl::Status status = Start();
  if (status.ok()) status = PlayInbound();
  if (status.ok()) status = PlayOutbound();
  bool all = status.ok();
  const bool interrupted = absl::IsCancelled(status);
  if (bridge_ != nullptr && !interrupted) all &= Report();
  all &= StopPrograms();
  if (!all && !interrupted) PrintLogs();
  if (!status.ok()) Print(absl::StrCat("\n✘ The demo broke off", stuck_at_, ": ", std::string(status.message())));
  Print(all ? "\nEvery step happened." : "\nNot every step happened.");
  return all;
}

}  // namespace

bool RunDemo(const Options& options) { return Demo(options).Run(); }

}  // namespace callbridge::demo
