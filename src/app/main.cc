// callbridge: the server.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "src/after_call/summary_jobs.h"
#include "src/app/application.h"
#include "src/app/commands.h"
#include "src/app/config.h"
#include "src/app/options.h"
#include "src/app/service_manager.h"
#include "src/base/log.h"
#include "src/tools/http_tool_runner.h"

namespace {

using callbridge::app::Application;
using callbridge::app::Options;
using callbridge::app::ServiceManager;

// Longer than Application::Stop() takes at its worst.
constexpr absl::Duration kStopLimit = absl::Minutes(1);

int Fail(const absl::Status& status) {
  callbridge::base::FlushLog();
  std::fprintf(stderr, "callbridge: %s\n", std::string(status.message()).c_str());
  return 1;
}

absl::Status InConfig(const Options& options, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(options.config, ": ", status.message()));
}

// Who may use the gRPC port, as the configuration says now. One that is wrong changes nothing.
void ReadAccessAgain(Application& application, const Options& options) {
  using callbridge::base::LogKind;
  callbridge::control::AccessList access;
  const absl::Status status =
      options.config.empty() ? absl::OkStatus() : callbridge::app::LoadConfig(options.config, &access).status();
  if (!status.ok()) {
    callbridge::base::Log(LogKind::kTrouble, "", "the configuration is wrong; tokens and identities stay as they were",
                          {{"why", std::string(status.message())}});
    return;
  }
  callbridge::base::Log(
      LogKind::kStart, "", "tokens and identities are read again",
      {{"tokens", absl::StrCat(access.tokens.size())}, {"identities", absl::StrCat(access.identities.size())}});
  application.SetAccess(std::move(access));
}

void ReadCertificatesAgain(Application& application, const Options& options) {
  using callbridge::base::LogKind;
  if (options.grpc_tls_cert.empty() && options.node_tls_cert.empty()) return;
  if (const absl::Status status = application.LoadCertificates(); !status.ok()) {
    callbridge::base::Log(LogKind::kTrouble, "", "the TLS files cannot be used; those that were read before stay",
                          {{"why", std::string(status.message())}});
    return;
  }
  callbridge::base::Log(LogKind::kStart, "", "the TLS files are read again", {});
}

// Waits for SIGINT or SIGTERM, for at most `limit`; whether one came. SIGHUP is dealt with meanwhile.
class Signals {
 public:
  Signals(const sigset_t& signals, Application& application, const Options& options)
      : signals_(signals), application_(application), options_(options) {}

  bool Wait(absl::Duration limit) {
    const timespec at_most = absl::ToTimespec(limit);
    const int signal = sigtimedwait(&signals_, nullptr, &at_most);
    if (signal == SIGHUP) {
      ReadAccessAgain(application_, options_);
      ReadCertificatesAgain(application_, options_);
    }
    return signal > 0 && signal != SIGHUP;
  }

 private:
  const sigset_t& signals_;
  Application& application_;
  const Options& options_;
};

// Tells the service manager that the server lives, as long as all its loops do: one that is stuck has calls that hear
// nothing, and only another start helps them.
class Pulse {
 public:
  Pulse(Application& application, const ServiceManager& manager) : application_(application), manager_(manager) {}

  absl::Duration period() const { return manager_.alive_period(); }

  // Call often; does something once a period.
  void Beat() {
    if (!manager_.wants_alive() || absl::Now() < next_) return;
    next_ = absl::Now() + period();
    if (application_.LoopsTurn(period())) {
      manager_.Alive();
    } else {
      callbridge::base::Log(callbridge::base::LogKind::kTrouble, "", "an event loop is stuck", {});
    }
  }

 private:
  Application& application_;
  const ServiceManager& manager_;
  absl::Time next_ = absl::InfinitePast();
};

// The first signal drains: no new calls, those under way may finish. A second one, or the time-out, ends them.
void Serve(Application& application, const Options& options, const sigset_t& signal_set) {
  Signals signals(signal_set, application, options);
  const ServiceManager manager = ServiceManager::FromEnvironment();
  manager.Ready(absl::StrCat("taking calls for ", options.public_url));
  Pulse pulse(application, manager);
  do {
    pulse.Beat();
  } while (!signals.Wait(pulse.period()));
  application.BeginDrain();
  manager.Stopping(absl::StrCat("draining ", application.live_calls(), " calls"));
  callbridge::base::Log(callbridge::base::LogKind::kEnd, "", "draining; once more to stop at once",
                        {{"calls", std::to_string(application.live_calls())}});
  const absl::Time deadline = absl::Now() + options.drain_timeout;
  absl::Time next_word = absl::InfinitePast();
  while ((application.live_calls() > 0 || application.IsDispersing()) && absl::Now() < deadline) {
    pulse.Beat();
    if (absl::Now() >= next_word) {
      manager.StillStopping(kStopLimit);
      next_word = absl::Now() + kStopLimit / 4;
    }
    if (signals.Wait(absl::Milliseconds(50))) break;
  }
  application.Stop();
}

int Run(int argc, char** argv, const sigset_t& signals) {
  auto options = callbridge::app::ReadOptions(argc, argv);
  if (!options.ok()) return Fail(options.status());
  if (options->log_format == "json") callbridge::base::SetLogFormat(callbridge::base::LogFormat::kJson);
  auto settings = options->config.empty() ? callbridge::app::DefaultConfig()
                                          : callbridge::app::LoadConfig(options->config, &options->access);
  if (!settings.ok()) return Fail(settings.status());
  for (const auto& check : {&callbridge::tools::CheckTools, &callbridge::after_call::CheckAfterCall}) {
    if (absl::Status status = check(*settings); !status.ok()) return Fail(InConfig(*options, status));
  }
  if (options->check_config) {
    std::printf("%s: ok\n", options->config.empty() ? "the default configuration" : options->config.c_str());
    return 0;
  }
  if (callbridge::app::IsCommand(*options)) {
    const auto printed = callbridge::app::RunCommand(*options, *settings);
    if (!printed.ok()) return Fail(printed.status());
    // A full disk behind the pipe must not look like a whole document.
    if (std::fwrite(printed->data(), 1, printed->size(), stdout) != printed->size() || std::fflush(stdout) != 0) {
      return Fail(absl::UnavailableError("what was to be printed could not be written"));
    }
    callbridge::base::FlushLog();
    return 0;
  }
  if (absl::Status status = CheckOptions(*options); !status.ok()) return Fail(status);
  settings->public_url = options->public_url;
  settings->model_url = options->openai_url;
  settings->model_api_key = options->openai_api_key;
  settings->model_ca_file = options->ca_file;
  settings->text_model_url = options->openai_rest_url;
  settings->log_transcripts = options->log_transcripts;
  settings->tape_dir = options->tape_dir;
  auto application = Application::Start(*options, *std::move(settings));
  if (!application.ok()) return Fail(application.status());
  Serve(**application, *options, signals);
  callbridge::base::FlushLog();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // gRPC's own lines on stderr are neither ours nor JSON, and repeat what we say; whoever wants them sets this to ERROR
  // or DEBUG.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  // Debian's Abseil looks for lock cycles at each of gRPC's locks, in one graph for all threads, and would abort a
  // server full of calls for one that might never happen. Tests keep the look.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Before any thread is made, so that all of them leave the signals to this one.
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return Run(argc, argv, signals);
}
