#ifndef CALLBRIDGE_SRC_APP_OPTIONS_H_
#define CALLBRIDGE_SRC_APP_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/control/access.h"

namespace callbridge::app {

// What the command line and the environment decide. Secrets come from the environment only.
struct Options {
  std::string http_listen;
  std::string grpc_listen;
  std::string admin_listen;
  std::string grpc_tls_cert;
  std::string grpc_tls_key;
  std::string grpc_tls_client_ca;
  std::string grpc_without_tls;
  std::string channelz_listen;  // Empty: nowhere.
  std::string node_listen;      // Empty: this process has the database alone.
  std::string node_address;  // host:port at which other nodes reach it; empty: as node_listen says, once it is bound.
  std::string node_tls_cert;
  std::string node_tls_key;
  std::string node_tls_ca;
  std::string public_url;
  std::string database_url;
  std::string openai_url;
  std::string openai_rest_url;  // Without a slash at the end.
  std::string plivo_api_url;
  std::string config;
  std::string webhook_auth;
  std::string log_format;
  std::string ca_file;
  std::string tape_dir;
  std::string spool_dir;  // Empty: no spool.
  int64_t spool_limit_mb = 512;
  int media_threads = 0;
  bool log_transcripts = false;
  bool tape_audio = false;
  bool check_config = false;
  absl::Duration drain_timeout;
  std::string by;                    // Who erases.
  std::vector<std::string> command;  // Words that are no flags: see commands.h. Empty: serve.

  std::string openai_api_key;           // OPENAI_API_KEY
  std::string plivo_auth_id;            // PLIVO_AUTH_ID
  std::string plivo_auth_token;         // PLIVO_AUTH_TOKEN
  std::vector<std::string> api_tokens;  // CALLBRIDGE_API_TOKENS, separated by commas.
  control::AccessList access;           // Of the configuration.
};

// Parses the command line over the environment's twins: --http_listen is CALLBRIDGE_HTTP_LISTEN, and the flag wins. A
// secret FOO may also come from the file that FOO_FILE names. A malformed value ends the process with Abseil's message.
// kInvalidArgument: one line that names the flag or variable and what would be right.
absl::StatusOr<Options> ReadOptions(int argc, char** argv);

// What must be there to serve, beyond well-formed flags: --public_url, keys, a safe --webhook_auth.
absl::Status CheckOptions(const Options& options);

// The part of CheckOptions() about nodes: --node_listen needs a database that can be shared, an address that others
// reach, and mTLS unless all of it is on this machine.
absl::Status CheckNodeOptions(const Options& options);

// Where --spool_dir=auto puts the spool of that database.
std::string AutoSpoolFolder(const std::string& database_url);

// Whether host:port can be reached from this machine only.
bool IsLoopback(const std::string& listen);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_OPTIONS_H_
