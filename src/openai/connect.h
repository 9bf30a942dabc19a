#ifndef CALLBRIDGE_SRC_OPENAI_CONNECT_H_
#define CALLBRIDGE_SRC_OPENAI_CONNECT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/base/http_message.h"

namespace callbridge::openai {

// `base` ("wss://api.openai.com/v1/realtime", with or without a query) with `model` added as a parameter,
// percent-encoded. A base that already says what it connects to (model, call_id or intent) is returned as it is, since
// the server takes exactly one of them. A fragment is dropped: it never goes over the wire.
std::string RealtimeUrl(absl::string_view base, absl::string_view model);

// Who asks. The key is a secret: keep the headers out of logs.
struct Credentials {
  std::string api_key;
  std::string organization;  // "org_..."; optional.
  std::string project;       // "proj_..."; optional.
  std::string
      safety_identifier;  // A stable hash of the caller, never the number itself; optional, OpenAI recommends it.
};

// The headers of the upgrade request. Never OpenAI-Beta: with it the server refuses the session.
// kInvalidArgument, naming the field and not its value: the key is empty, or a value holds other than printable ASCII
// (a line break from a key file would start a new header).
absl::StatusOr<base::HttpHeaders> RealtimeHeaders(const Credentials& credentials);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_CONNECT_H_
