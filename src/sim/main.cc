// The simulated world as a process of its own: a carrier and a model for sandbox, demo and load.

#include <signal.h>

#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/sim/world.h"

ABSL_FLAG(std::string, carrier_listen, "127.0.0.1:8081", "host:port of the carrier's REST API and of the control API");
ABSL_FLAG(std::string, model_listen, "127.0.0.1:8082", "host:port of the speech model");
ABSL_FLAG(std::string, server_url, "http://127.0.0.1:8080", "where callbridge is reached");
ABSL_FLAG(std::string, public_url, "", "what callbridge calls itself (its --public_url); empty: --server_url");
ABSL_FLAG(std::string, auth_id, "MASANDBOXSANDBOX0000", "account at the carrier");
ABSL_FLAG(std::string, auth_token, "c2FuZGJveC1hdXRoLXRva2Vu", "its made-up token");
ABSL_FLAG(std::string, api_key, "sk-sandbox", "made-up key of the model");
ABSL_FLAG(std::string, scenarios, "", "folder of *.scenario files; empty: those built in");
ABSL_FLAG(std::string, speech, "", "folder of 8 kHz .wav recordings; empty: Debian's asterisk-core-sounds-en-wav");
ABSL_FLAG(int, threads, 1, "event loops of the carrier and of the model, each");
ABSL_FLAG(int, dials_per_second, 2, "outbound calls a second; more are queued, as at Plivo");

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("A simulated carrier and speech model to run callbridge against.");
  // Else --help shows only flags of a file that is named like the program.
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) { return absl::EndsWith(file, "src/sim/main.cc"); };
  usage.contains_helpshort_flags = usage.contains_help_flags;
  absl::SetFlagsUsageConfig(usage);
  absl::ParseCommandLine(argc, argv);

  // Before any thread starts, so that all of them leave the signals to sigwait() below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  const std::string server(absl::StripSuffix(absl::GetFlag(FLAGS_server_url), "/"));
  std::string public_url(absl::StripSuffix(absl::GetFlag(FLAGS_public_url), "/"));
  if (public_url.empty()) public_url = server;
  callbridge::sim::World::Options options;
  options.carrier.listen = absl::GetFlag(FLAGS_carrier_listen);
  options.carrier.auth_id = absl::GetFlag(FLAGS_auth_id);
  options.carrier.auth_token = absl::GetFlag(FLAGS_auth_token);
  options.carrier.public_base = public_url;
  options.carrier.dial_base = server;
  options.carrier.answer_url = absl::StrCat(public_url, "/answer");
  options.carrier.hangup_url = absl::StrCat(public_url, "/hangup");
  options.carrier.threads = absl::GetFlag(FLAGS_threads);
  options.carrier.dials_per_second = absl::GetFlag(FLAGS_dials_per_second);
  options.model.listen = absl::GetFlag(FLAGS_model_listen);
  options.model.api_key = absl::GetFlag(FLAGS_api_key);
  options.model.threads = absl::GetFlag(FLAGS_threads);
  options.scenarios_folder = absl::GetFlag(FLAGS_scenarios);
  options.speech_folder = absl::GetFlag(FLAGS_speech);

  auto world = callbridge::sim::World::Start(options);
  if (!world.ok()) {
    fprintf(stderr, "callbridge_sim: %s\n", std::string(world.status().message()).c_str());
    return 1;
  }
  printf("callbridge_sim is ready: carrier http://127.0.0.1:%d, model ws://127.0.0.1:%d/v1/realtime, %zu scenarios\n",
         (*world)->carrier().port(), (*world)->model().port(), (*world)->scenarios().size());
  fflush(stdout);
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  (*world)->Stop();
  return 0;
}
