#include "src/app/options.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "src/control/listen_address.h"
#include "src/web/url.h"

ABSL_FLAG(std::string, http_listen, "0.0.0.0:8080", "carrier-facing HTTP and WebSocket, host:port");
ABSL_FLAG(std::string, grpc_listen, "127.0.0.1:50051", "control plane, host:port");
ABSL_FLAG(std::string, admin_listen, "127.0.0.1:9464", "/metrics, /healthz and /readyz, host:port");
ABSL_FLAG(std::string, grpc_tls_cert, "",
          "PEM file: certificate of the control plane; with --grpc_tls_key it speaks TLS");
ABSL_FLAG(std::string, grpc_tls_key, "", "PEM file: key of that certificate");
ABSL_FLAG(std::string, grpc_tls_client_ca, "", "PEM file: clients must show a certificate of this authority (mTLS)");
ABSL_FLAG(std::string, grpc_without_tls, "",
          "'I trust this network' lets --grpc_listen be reachable from other machines without TLS; clients need tokens "
          "all the same, and anybody on the way can read them");
ABSL_FLAG(std::string, channelz_listen, "",
          "gRPC's view of its own connections (grpc.channelz.v1), loopback host:port; empty: it is off");
ABSL_FLAG(std::string, node_listen, "",
          "node-to-node port, host:port: this process is one of several on one postgresql:// database; empty: it is "
          "alone");
ABSL_FLAG(
    std::string, node_address, "",
    "host:port at which other nodes reach --node_listen, and with the port of --http_listen the media port; empty: "
    "as --node_listen says");
ABSL_FLAG(std::string, node_tls_cert, "",
          "PEM file: certificate of this node; needed with the next two (mTLS), except on loopback");
ABSL_FLAG(std::string, node_tls_key, "", "PEM file: key of that certificate");
ABSL_FLAG(std::string, node_tls_ca, "",
          "PEM file: the authority of the nodes; whoever has a certificate of it is one of them");
ABSL_FLAG(std::string, public_url, "", "the https:// base URL at which the carrier reaches --http_listen; required");
ABSL_FLAG(std::string, database_url, "sqlite:var/callbridge.db",
          "where calls are kept: sqlite:PATH, or postgresql://USER@HOST/DATABASE?sslmode=verify-full; a password is "
          "better kept in the file that PGPASSFILE names, or in the environment twin, than on the command line");
ABSL_FLAG(std::string, openai_url, "wss://api.openai.com/v1/realtime", "the Realtime endpoint, or a compatible one");
ABSL_FLAG(std::string, openai_rest_url, "https://api.openai.com/v1",
          "the REST endpoint of the same service, for text models: summaries of calls");
ABSL_FLAG(std::string, plivo_api_url, "https://api.plivo.com", "the carrier's REST API");
ABSL_FLAG(std::string, config, "", "textproto file: agents, numbers, transfer destinations, limits");
ABSL_FLAG(bool, check_config, false, "check --config and exit");
ABSL_FLAG(int, media_threads, 0, "event loops; 0: one per core");
ABSL_FLAG(std::string, webhook_auth, "signature", "signature, or none (only with a loopback --http_listen)");
ABSL_FLAG(std::string, ca_file, "", "PEM file: authorities trusted for outgoing TLS; empty: the system's");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(10), "how long calls may go on after SIGTERM or SIGINT");
ABSL_FLAG(std::string, by, "", "with the command erase: who erases, for the record of it");
ABSL_FLAG(std::string, log_format, "text", "text or json");
ABSL_FLAG(bool, log_transcripts, false, "write what is said into the log");
ABSL_FLAG(std::string, tape_dir, "", "folder in which each call leaves a tape for callbridge_replay; empty: none");
ABSL_FLAG(
    std::string, spool_dir, "auto",
    "folder in which records wait while the database is away; auto: beside the SQLite file, its name with .spool, "
    "else var/spool; empty: none");
ABSL_FLAG(int64_t, spool_limit_mb, 512, "how much may wait in --spool_dir");
ABSL_FLAG(bool, tape_audio, false, "tapes hold the sound itself, not only its length");

namespace callbridge::app {
namespace {

constexpr const char* kFlags[] = {"http_listen",
                                  "grpc_listen",
                                  "admin_listen",
                                  "grpc_tls_cert",
                                  "grpc_tls_key",
                                  "grpc_tls_client_ca",
                                  "grpc_without_tls",
                                  "channelz_listen",
                                  "node_listen",
                                  "node_address",
                                  "node_tls_cert",
                                  "node_tls_key",
                                  "node_tls_ca",
                                  "public_url",
                                  "database_url",
                                  "openai_url",
                                  "openai_rest_url",
                                  "plivo_api_url",
                                  "config",
                                  "check_config",
                                  "media_threads",
                                  "webhook_auth",
                                  "ca_file",
                                  "drain_timeout",
                                  "log_format",
                                  "log_transcripts",
                                  "tape_dir",
                                  "tape_audio",
                                  "spool_dir",
                                  "spool_limit_mb",
                                  "by"};

// Makes the environment's values the flags' defaults, before the command line is read.
absl::Status ApplyEnvironment() {
  for (const char* const name : kFlags) {
    const std::string variable = absl::StrCat("CALLBRIDGE_", absl::AsciiStrToUpper(name));
    const char* const value = std::getenv(variable.c_str());
    std::string error;
    absl::CommandLineFlag* const flag = absl::FindCommandLineFlag(name);
    if (value == nullptr || flag->ParseFrom(value, &error)) continue;
    return absl::InvalidArgumentError(absl::StrCat(variable, ": '", value, "' is no value of --", name, " ", error));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Secret(const std::string& variable) {
  if (const char* const value = std::getenv(variable.c_str())) return std::string(value);
  const char* const path = std::getenv((variable + "_FILE").c_str());
  if (path == nullptr) return std::string();
  std::ifstream file(path);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    return absl::InvalidArgumentError(absl::StrCat(variable, "_FILE: cannot read ", path));
  return std::string(absl::StripAsciiWhitespace(text.str()));
}

absl::Status ReadSecrets(Options& options) {
  std::string tokens;
  const std::pair<const char*, std::string*> secrets[] = {{"OPENAI_API_KEY", &options.openai_api_key},
                                                          {"PLIVO_AUTH_ID", &options.plivo_auth_id},
                                                          {"PLIVO_AUTH_TOKEN", &options.plivo_auth_token},
                                                          {"CALLBRIDGE_API_TOKENS", &tokens}};
  for (const auto& [variable, into] : secrets) {
    auto secret = Secret(variable);
    if (!secret.ok()) return secret.status();
    *into = *std::move(secret);
  }
  options.api_tokens = absl::StrSplit(tokens, ',', absl::SkipWhitespace());
  return absl::OkStatus();
}

// Abseil would end the process itself, with a line that does not say what there is instead.
absl::Status CheckNames(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    absl::string_view word = argv[i];
    if (word == "--") break;
    if (!absl::ConsumePrefix(&word, "-")) continue;
    absl::ConsumePrefix(&word, "-");
    const absl::string_view name = word.substr(0, word.find('='));
    if (absl::StartsWith(name, "help") || name == "version") continue;  // Abseil's own, which are not in its list.
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    if (flag == nullptr && absl::StartsWith(name, "no")) flag = absl::FindCommandLineFlag(name.substr(2));
    if (flag == nullptr)
      return absl::InvalidArgumentError(absl::StrCat(argv[i], ": there is no such flag; --help lists them all"));
    // The next word is the value of "--flag value".
    if (name.size() == word.size() && !flag->IsOfType<bool>()) ++i;
  }
  return absl::OkStatus();
}

void DescribeUsage() {
  absl::SetProgramUsageMessage(
      "callbridge: a media bridge between telephones (Plivo) and speech models (OpenAI Realtime).\n"
      "Without a command it serves. Commands work on --database_url: migrate; backup FILE; erase NUMBER --by NAME;\n"
      "export NUMBER; purge; restored (docs/operations.md). token NAME SCOPE... makes a token for a client.\n"
      "Each flag has an environment twin: --http_listen is CALLBRIDGE_HTTP_LISTEN. Keys: OPENAI_API_KEY, "
      "PLIVO_AUTH_ID,\n"
      "PLIVO_AUTH_TOKEN, CALLBRIDGE_API_TOKENS, or files named by the same with _FILE.");
  // Else --help shows only flags of a file that is named like the program.
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) { return absl::EndsWith(file, "src/app/options.cc"); };
  usage.contains_helpshort_flags = usage.contains_help_flags;
  absl::SetFlagsUsageConfig(usage);
}

absl::Status CheckUrl(absl::string_view flag, absl::string_view url, absl::string_view secure,
                      absl::string_view plain) {
  if (absl::StartsWith(url, secure) || absl::StartsWith(url, plain)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, "=", url, ": must begin with ", secure, " (or ", plain, ")"));
}

absl::Status CheckWords(const Options& options) {
  if (options.log_format != "text" && options.log_format != "json") {
    return absl::InvalidArgumentError("--log_format: text or json");
  }
  if (options.webhook_auth != "signature" && options.webhook_auth != "none") {
    return absl::InvalidArgumentError("--webhook_auth: signature or none");
  }
  if (options.media_threads < 0 || options.media_threads > 256)
    return absl::InvalidArgumentError("--media_threads: 0 to 256");
  if (options.spool_limit_mb < 1 || options.spool_limit_mb > 1'000'000)
    return absl::InvalidArgumentError("--spool_limit_mb: 1 to 1000000");
  if (options.drain_timeout < absl::ZeroDuration())
    return absl::InvalidArgumentError("--drain_timeout: 0 or more, such as 30s");
  if (absl::Status status = CheckUrl("--openai_url", options.openai_url, "wss://", "ws://"); !status.ok())
    return status;
  if (absl::Status status = web::CheckUrl(options.openai_rest_url); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--openai_rest_url=", options.openai_rest_url, ": ", status.message()));
  }
  return CheckUrl("--plivo_api_url", options.plivo_api_url, "https://", "http://");
}

absl::Status Refuse(const std::string& words) { return absl::InvalidArgumentError(words); }

bool IsEverywhere(absl::string_view host) { return host == "0.0.0.0" || host == "::"; }

absl::Status CheckNoNode(const Options& options) {
  const std::pair<const char*, const std::string&> flags[] = {{"--node_address", options.node_address},
                                                              {"--node_tls_cert", options.node_tls_cert},
                                                              {"--node_tls_key", options.node_tls_key},
                                                              {"--node_tls_ca", options.node_tls_ca}};
  for (const auto& [flag, value] : flags) {
    if (!value.empty()) return Refuse(absl::StrCat(flag, ": is for one of several nodes; set --node_listen, too"));
  }
  return absl::OkStatus();
}

absl::StatusOr<control::ListenAddress> ParseNodeAddress(const Options& options, const control::ListenAddress& listen) {
  if (options.node_address.empty()) {
    if (!IsEverywhere(listen.host)) return listen;
    return Refuse(absl::StrCat("--node_address: missing; with --node_listen=", options.node_listen,
                               " other nodes must be told the host:port at which they reach this one"));
  }
  auto address = control::ParseListenAddress(options.node_address);
  if (!address.ok() || address->port == 0 || IsEverywhere(address->host)) {
    return Refuse(absl::StrCat("--node_address=", options.node_address,
                               ": not an address that other nodes can reach; write host:port, as in 10.0.0.7:50052"));
  }
  return address;
}

absl::Status CheckNodeTls(const Options& options, bool loopback) {
  const int given = !options.node_tls_cert.empty() + !options.node_tls_key.empty() + !options.node_tls_ca.empty();
  if (given == 3 || (given == 0 && loopback)) return absl::OkStatus();
  if (given > 0) return Refuse("--node_tls_cert, --node_tls_key and --node_tls_ca go together: set all three, or none");
  return Refuse(
      "--node_tls_cert, --node_tls_key, --node_tls_ca: missing; without them --node_listen and --node_address must be "
      "on loopback");
}

}  // namespace

absl::Status CheckNodeOptions(const Options& options) {
  if (options.node_listen.empty()) return CheckNoNode(options);
  if (!absl::StartsWith(options.database_url, "postgresql://") &&
      !absl::StartsWith(options.database_url, "postgres://")) {
    return Refuse("--node_listen: nodes share a database; set --database_url=postgresql://USER@HOST/DATABASE");
  }
  const auto listen = control::ParseListenAddress(options.node_listen);
  if (!listen.ok()) return Refuse(absl::StrCat("--node_listen: ", listen.status().message()));
  const auto address = ParseNodeAddress(options, *listen);
  if (!address.ok()) return address.status();
  if (absl::Status status = CheckNodeTls(options, listen->loopback && address->loopback); !status.ok()) return status;
  if (!address->loopback && IsLoopback(options.http_listen)) {
    return Refuse(absl::StrCat("--http_listen=", options.http_listen, ": other nodes pass media streams on to ",
                               address->host, " at this port; listen there, or at 0.0.0.0"));
  }
  return absl::OkStatus();
}

std::string AutoSpoolFolder(const std::string& database_url) {
  absl::string_view path = database_url;
  return absl::ConsumePrefix(&path, "sqlite:") ? absl::StrCat(path, ".spool") : "var/spool";
}

bool IsLoopback(const std::string& listen) {
  const absl::string_view host = absl::string_view(listen).substr(0, listen.find_first_of(":/"));
  // Digits only: 127.example.com is somewhere else.
  const bool address =
      absl::StartsWith(host, "127.") && host.find_first_not_of("0123456789.") == absl::string_view::npos;
  return address || host == "localhost" || absl::StartsWith(listen, "[::1]");
}

absl::StatusOr<Options> ReadOptions(int argc, char** argv) {
  DescribeUsage();
  if (absl::Status status = ApplyEnvironment(); !status.ok()) return status;
  if (absl::Status status = CheckNames(argc, argv); !status.ok()) return status;
  const auto rest = absl::ParseCommandLine(argc, argv);
  Options options;
  options.command.assign(rest.begin() + 1, rest.end());
  options.by = absl::GetFlag(FLAGS_by);
  options.http_listen = absl::GetFlag(FLAGS_http_listen);
  options.grpc_listen = absl::GetFlag(FLAGS_grpc_listen);
  options.admin_listen = absl::GetFlag(FLAGS_admin_listen);
  options.grpc_tls_cert = absl::GetFlag(FLAGS_grpc_tls_cert);
  options.grpc_tls_key = absl::GetFlag(FLAGS_grpc_tls_key);
  options.grpc_tls_client_ca = absl::GetFlag(FLAGS_grpc_tls_client_ca);
  options.grpc_without_tls = absl::GetFlag(FLAGS_grpc_without_tls);
  options.channelz_listen = absl::GetFlag(FLAGS_channelz_listen);
  options.node_listen = absl::GetFlag(FLAGS_node_listen);
  options.node_address = absl::GetFlag(FLAGS_node_address);
  options.node_tls_cert = absl::GetFlag(FLAGS_node_tls_cert);
  options.node_tls_key = absl::GetFlag(FLAGS_node_tls_key);
  options.node_tls_ca = absl::GetFlag(FLAGS_node_tls_ca);
  options.public_url = std::string(absl::StripSuffix(absl::GetFlag(FLAGS_public_url), "/"));
  options.database_url = absl::GetFlag(FLAGS_database_url);
  options.openai_url = absl::GetFlag(FLAGS_openai_url);
  options.openai_rest_url = std::string(absl::StripSuffix(absl::GetFlag(FLAGS_openai_rest_url), "/"));
  options.plivo_api_url = std::string(absl::StripSuffix(absl::GetFlag(FLAGS_plivo_api_url), "/"));
  options.config = absl::GetFlag(FLAGS_config);
  options.check_config = absl::GetFlag(FLAGS_check_config);
  options.webhook_auth = absl::GetFlag(FLAGS_webhook_auth);
  options.ca_file = absl::GetFlag(FLAGS_ca_file);
  options.log_format = absl::GetFlag(FLAGS_log_format);
  options.log_transcripts = absl::GetFlag(FLAGS_log_transcripts);
  options.tape_dir = absl::GetFlag(FLAGS_tape_dir);
  options.tape_audio = absl::GetFlag(FLAGS_tape_audio);
  options.spool_dir = absl::GetFlag(FLAGS_spool_dir);
  if (options.spool_dir == "auto") options.spool_dir = AutoSpoolFolder(options.database_url);
  options.spool_limit_mb = absl::GetFlag(FLAGS_spool_limit_mb);
  options.drain_timeout = absl::GetFlag(FLAGS_drain_timeout);
  options.media_threads = absl::GetFlag(FLAGS_media_threads);
  if (absl::Status status = CheckWords(options); !status.ok()) return status;
  if (options.media_threads == 0) options.media_threads = std::max(1u, std::thread::hardware_concurrency());
  if (absl::Status status = ReadSecrets(options); !status.ok()) return status;
  return options;
}

absl::Status CheckOptions(const Options& options) {
  const auto missing = [](absl::string_view what, absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": missing; ", why));
  };
  if (options.public_url.empty())
    return missing("--public_url", "the https:// address at which the carrier reaches this server");
  const bool plain = absl::StartsWith(options.public_url, "http://");
  if (!absl::StartsWith(options.public_url, "https://") && !(plain && IsLoopback(options.public_url.substr(7)))) {
    return absl::InvalidArgumentError("--public_url: https:// is needed (http:// only for a loopback address)");
  }
  if (options.webhook_auth == "none" && !IsLoopback(options.http_listen)) {
    return absl::InvalidArgumentError(
        "--webhook_auth=none: anybody could make calls; only with --http_listen=127.0.0.1:PORT");
  }
  if (absl::Status status = CheckNodeOptions(options); !status.ok()) return status;
  if (options.openai_api_key.empty()) return missing("OPENAI_API_KEY", "the key of the model's service");
  if (options.plivo_auth_id.empty()) return missing("PLIVO_AUTH_ID", "from the carrier's console");
  if (options.plivo_auth_token.empty()) return missing("PLIVO_AUTH_TOKEN", "from the carrier's console");
  return absl::OkStatus();
}

}  // namespace callbridge::app
