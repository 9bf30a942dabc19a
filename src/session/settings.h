#ifndef CALLBRIDGE_SRC_SESSION_SETTINGS_H_
#define CALLBRIDGE_SRC_SESSION_SETTINGS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/openai/session_config.h"

namespace callbridge::session {

// How one kind of assistant behaves.
struct Agent {
  openai::SessionConfig session;  // Tools of its own; transfer_call is added when there are destinations.
  std::string greeting_prompt;    // Makes it speak first; empty: it waits for the caller.
  std::string caller_id;          // E.164: what outbound calls and transfers show.
  absl::Duration ring_timeout = absl::Seconds(45);
  absl::Duration max_duration = absl::Minutes(30);
};

struct Destination {
  std::string number;       // E.164 or SIP URI.
  std::string description;  // For the model: when to transfer there.
};

// The configuration as sessions use it. Immutable while the process runs.
struct Settings {
  std::string public_url;  // https://host[/base], without a slash at the end.
  std::string model_url;   // wss://api.openai.com/v1/realtime
  std::string model_api_key;
  std::string model_ca_file;
  std::map<std::string, Agent> agents;
  std::string default_agent;                        // A key of `agents`.
  std::map<std::string, std::string> inbound;       // Called number (E.164) -> agent; others get the default agent.
  std::map<std::string, Destination> destinations;  // By key.
  std::vector<std::string> allowed_prefixes;        // Of numbers that may be dialled: "+1415"; empty: none may.
  int max_calls = 1000;                             // At once, on this node.
};

// Whether `number` begins with one of the prefixes.
bool MayDial(const Settings& settings, absl::string_view number);

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_SETTINGS_H_
