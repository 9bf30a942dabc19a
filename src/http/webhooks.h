#ifndef CALLBRIDGE_SRC_HTTP_WEBHOOKS_H_
#define CALLBRIDGE_SRC_HTTP_WEBHOOKS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/variant.h"
#include "src/base/http_message.h"
#include "src/plivo/form.h"
#include "src/session/front_desk.h"

namespace callbridge::http {

// The carrier's webhooks: request in, response out. Every request is checked by its signature against the configured
// public URL, not against what a proxy made of it. Pure but for the front desk; thread-safe.
//
//   GET|POST /answer                 instructions for a call that was answered (?call= names an outbound one), or that
//                                    came in; Machine=true tells that a machine answered
//   POST     /ring, /hangup          notices (?call=)
//   GET|POST /transfer/{token}       the next instructions of a call: stream again, dial a human, hang up
//   POST     /transfer-done/{token}  a dial has ended (its action), or something happened in it (its callback);
//                                    ?transfer= and ?target= name the dial
//   POST     /whisper/{token}        what is said to the human before the caller is put through
//   POST     /amd                    a machine answered (?call=)
//   POST     /stream-status          diagnostics of a stream
//   GET      /media-stream           426: it is a WebSocket
//   GET      /                       200, unsigned, for load balancers
class Webhooks {
 public:
  struct Options {
    std::string public_url;  // https://host[/base], without a slash at the end.
    std::string auth_token;  // Of the carrier's account; checks signatures.
    bool check_signatures = true;
  };

  // `desk` outlives this.
  Webhooks(Options options, session::FrontDesk& desk);

  // 200 with XML; 400 a field is missing or malformed, named; 403 not signed by the carrier; 404; 405 with Allow; 415 a
  // body that is not a form; 426.
  base::HttpResponse Handle(const base::HttpRequest& request);

  // Which call a request is about.
  struct Subject {
    std::string call_token;       // Empty: none.
    std::string carrier_call_id;  // Empty: none, or malformed.
    bool begins_call = false;     // Makes an inbound call that is not known yet.
  };
  // Of a request that the carrier has signed; or what Handle() would answer where no call is asked for.
  absl::variant<Subject, base::HttpResponse> Inspect(const base::HttpRequest& request) const;

  // As Handle(), about a call that is over, whoever had it: the carrier is told to hang up, a hang-up notice is
  // settled, the rest is acknowledged.
  base::HttpResponse HandleOver(const base::HttpRequest& request);

  // Whether the upgrade of a media stream comes from the carrier. kPermissionDenied says why not, for the log.
  absl::Status CheckUpgrade(const base::HttpRequest& request) const;

  // The value of `token` in a media stream's URL; empty if there is none.
  static std::string StreamToken(absl::string_view target);

 private:
  struct Call;   // A checked request with its parameters.
  struct Route;  // What is served.

  // A request that is served and signed, or its refusal.
  absl::variant<Call, base::HttpResponse> Check(const base::HttpRequest& request) const;
  absl::Status CheckSignature(const base::HttpRequest& request, const plivo::Form& body) const;
  base::HttpResponse Answer(const Call& call);
  base::HttpResponse Ring(const Call& call);
  base::HttpResponse Hangup(const Call& call);
  base::HttpResponse StreamStatus(const Call& call);
  base::HttpResponse Transfer(const Call& call);
  base::HttpResponse TransferDone(const Call& call);
  base::HttpResponse DialProgress(const Call& call, const session::FrontDesk::DialRef& dial);
  base::HttpResponse Whisper(const Call& call);
  static absl::StatusOr<session::FrontDesk::DialRef> DialOf(const Call& call);
  base::HttpResponse MachineDetection(const Call& call);
  base::HttpResponse Write(const session::Instructions& instructions) const;

  const Options options_;
  session::FrontDesk& desk_;
};

}  // namespace callbridge::http

#endif  // CALLBRIDGE_SRC_HTTP_WEBHOOKS_H_
