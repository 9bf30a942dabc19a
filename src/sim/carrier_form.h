#ifndef CALLBRIDGE_SRC_SIM_CARRIER_FORM_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_FORM_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// URLs and forms as the simulated carrier writes and reads them. Written apart from the server's code on purpose.
namespace callbridge::sim {

// Parameters of a webhook in the order in which they are sent. Decoded.
using Params = std::vector<std::pair<std::string, std::string>>;

// application/x-www-form-urlencoded, UTF-8, space as '+'.
std::string EncodeForm(const Params& params);

// Decodes 'a=b&c' into pairs; "flag" has an empty value, empty pieces vanish, broken escapes stay as they are.
Params DecodeForm(absl::string_view text);

// The value of the first parameter of that name; empty if there is none.
absl::string_view Find(const Params& params, absl::string_view name);

// An absolute URL in pieces; `scheme` in lower case, everything else as written. User info is dropped.
struct Url {
  std::string scheme;     // "https"
  std::string authority;  // "host" or "host:port"
  std::string path;       // "/a/b", may be empty
  std::string query;      // Without '?'
  std::string fragment;   // Without '#'

  // The whole without the fragment: what goes over the wire.
  std::string Spell() const;
};

// kInvalidArgument: no scheme of http, https, ws or wss, or no host, or white space in it.
absl::StatusOr<Url> ParseUrl(absl::string_view text);

// Where a public URL is really dialled: if its host is that of `public_base`, at `dial_base` (scheme family and path
// kept). `public_base` empty: as it is.
Url MapUrl(const Url& url, absl::string_view public_base, absl::string_view dial_base);

// Time limits and repeats that the fragment of a webhook's URL may set: #ct=2000&rt=5000&rc=2&rp=ct,rt. Out of range:
// the default.
struct FetchLimits {
  int connect_ms = 2000;
  int read_ms = 15000;  // Plivo's pages disagree on 15 s and 40 s; the shorter one catches more.
  int total_ms = 55000;
  int retries = 1;
  bool retry_4xx = false;
  bool retry_5xx = false;
  bool retry_connect = true;
  bool retry_read = true;
};
FetchLimits ReadLimits(absl::string_view fragment, int default_retries);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_FORM_H_
