#ifndef CALLBRIDGE_SRC_SESSION_SETTINGS_H_
#define CALLBRIDGE_SRC_SESSION_SETTINGS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "src/call/options.h"
#include "src/openai/session_config.h"

namespace callbridge::session {

// A tool that we run for the assistant by an HTTPS request.
struct HttpTool {
  std::string name;  // As the model calls it: 1 to 64 of [A-Za-z0-9_-]; no name of a built-in tool.
  std::string description;
  std::string parameters_json;  // JSON Schema of the arguments; checked at start, and arguments against it.
  std::string url;              // https://, or http:// to loopback. The arguments are POSTed as JSON.
  absl::Duration timeout = absl::Seconds(10);
  std::string secret_header;  // Name of a header, such as "Authorization"; empty: none.
  std::string secret;         // Its value, read from a file at start; never logged.
};

// A tool that a client of the API answers. How long it may take is in the agent's CallOptions::client_tools.
struct ClientTool {
  std::string name;  // As HttpTool's, and unlike all of those.
  std::string description;
  std::string parameters_json;  // As HttpTool's.
};

// What is made of a conversation when it is over.
struct AfterCall {
  enum class Summary {
    kOff,
    kSession,  // By the speech model, in the session that held the conversation.
    kText,     // By a text model over HTTPS, as a job that survives a restart, with a structured result.
  };
  Summary summary = Summary::kText;
  std::string model = "gpt-5.6-luna";
  std::string instructions;               // Added to ours; empty: none.
  std::vector<std::string> dispositions;  // Words to choose from; empty: ours.
  std::string fields_schema_json;         // JSON Schema of an object of the user's own; empty: none.
  int max_attempts = 8;
};

// How one kind of assistant behaves.
struct Agent {
  openai::SessionConfig session;  // Tools of its own; transfer_call is added when there are destinations.
  std::string greeting_prompt;    // Makes it speak first; empty: it waits for the caller.
  std::string caller_id;          // E.164: what outbound calls and transfers show.
  absl::Duration ring_timeout = absl::Seconds(45);
  absl::Duration max_duration = absl::Minutes(30);

  // How its calls are conducted: what is not of one call alone (ids, numbers) is taken from here.
  call::CallOptions conduct;
  std::vector<HttpTool> tools;
  std::vector<ClientTool> client_tools;
  bool end_call_tool = true;
  bool send_dtmf_tool = false;
  AfterCall after_call;
  // Plivo's machine detection, of outbound calls whose policy is not kOff: 2 to 10 s.
  absl::Duration machine_detection_time = absl::Seconds(5);
};

struct Destination {
  call::Destination call;
  std::string description;  // For the model: when to transfer there.
};

// How many days each kind of record is kept after the end of its call; 0: for ever.
struct RetentionDays {
  int events = 0;
  int transcripts = 0;
  int calls = 0;
};

// Guards against dialling more than is meant to be dialled. 0: no limit.
struct DialLimits {
  int calls_per_minute = 0;      // Calls that StartCall makes, on this node, in any 60 s.
  int transfers_per_minute = 0;  // Transfers, whoever asks for them, on this node, in any 60 s.
  // Outbound calls to one number, on all nodes, in any 24 h. Beyond it neither StartCall dials the number, nor is it
  // dialled for a transfer to a number that no destination names.
  int calls_per_number_per_day = 0;
};

// The configuration as sessions use it. Immutable while the process runs.
struct Settings {
  std::string public_url;  // https://host[/base], without a slash at the end.
  std::string model_url;   // wss://api.openai.com/v1/realtime
  std::string model_api_key;
  std::string model_ca_file;
  std::string text_model_url;  // https://api.openai.com/v1
  std::map<std::string, Agent> agents;
  std::string default_agent;                        // A key of `agents`.
  std::map<std::string, std::string> inbound;       // Called number (E.164) -> agent; others get the default agent.
  std::map<std::string, Destination> destinations;  // By key.
  std::vector<std::string> allowed_prefixes;        // Of numbers that may be dialled: "+1415"; empty: none may.
  // What numbers that no key names must begin with, for a transfer that the API asks for: "+1415"; empty: none may.
  std::vector<std::string> transfer_prefixes;
  std::string tape_dir;  // Where each call leaves its tape; empty: nowhere.
  int max_calls = 1000;  // At once, on this node.
  DialLimits dial_limits;
  RetentionDays retention;
  bool log_transcripts = false;  // What is said appears in the log.
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_SETTINGS_H_
