#include "src/http/webhooks.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/base/log.h"
#include "src/plivo/hangup_cause.h"
#include "src/plivo/signature.h"
#include "src/plivo/webhook.h"
#include "src/plivo/xml.h"

namespace callbridge::http {
namespace {

using base::HttpRequest;
using base::HttpResponse;
using session::Instructions;

HttpResponse Plain(int status, absl::string_view text) {
  HttpResponse response;
  response.status = status;
  response.body = absl::StrCat(text, "\n");
  return response;
}

HttpResponse Xml(const absl::StatusOr<std::string>& document) {
  if (!document.ok()) {
    base::Log(base::LogKind::kTrouble, "", "an answer could not be written",
              {{"why", std::string(document.status().message())}});
    return Plain(500, "no instructions could be made");
  }
  HttpResponse response;
  response.content_type = std::string(plivo::kXmlContentType);
  response.body = *document;
  return response;
}

HttpResponse Acknowledge() { return Xml(plivo::FormatXml(plivo::EmptyXml{})); }

HttpResponse BadRequest(const absl::Status& status) { return Plain(400, status.message()); }

// wss://host for https://host; ws:// for http:// (tests and the sandbox).
std::string StreamBase(absl::string_view public_url) {
  if (absl::ConsumePrefix(&public_url, "https://")) return absl::StrCat("wss://", public_url);
  absl::ConsumePrefix(&public_url, "http://");
  return absl::StrCat("ws://", public_url);
}

call::Party PartyOf(plivo::HangupSource source) {
  switch (source) {
    case plivo::HangupSource::kCaller: return call::Party::kCaller;
    case plivo::HangupSource::kCallee: return call::Party::kCallee;
    case plivo::HangupSource::kApiRequest: return call::Party::kApi;
    case plivo::HangupSource::kAnswerXml: return call::Party::kSystem;
    default: return call::Party::kCarrier;
  }
}

call::EndReason ReasonOf(plivo::CauseClass cause) {
  switch (cause) {
    case plivo::CauseClass::kNormal: return call::EndReason::kNormalHangup;
    case plivo::CauseClass::kBusy: return call::EndReason::kBusy;
    case plivo::CauseClass::kNoAnswer: return call::EndReason::kNoAnswer;
    case plivo::CauseClass::kRejected: return call::EndReason::kRejected;
    case plivo::CauseClass::kInvalidNumber: return call::EndReason::kInvalidNumber;
    case plivo::CauseClass::kCarrierFailed: return call::EndReason::kCarrierUnavailable;
    case plivo::CauseClass::kCanceled: return call::EndReason::kCallerCancelled;
    // Nothing was left to do for the carrier: its stream had ended, and nobody had hung up.
    case plivo::CauseClass::kOurXmlRanOut: return call::EndReason::kMediaStreamLost;
    case plivo::CauseClass::kOurServerFault: return call::EndReason::kXmlRejected;
    case plivo::CauseClass::kMachine: return call::EndReason::kAnsweringMachine;
    case plivo::CauseClass::kUnknown: return call::EndReason::kNormalHangup;
  }
  return call::EndReason::kNormalHangup;
}

// Without a code the status of the call tells as much as is known.
call::EndReason ReasonOf(plivo::CallStatus status) {
  switch (status) {
    case plivo::CallStatus::kBusy: return call::EndReason::kBusy;
    case plivo::CallStatus::kNoAnswer:
    case plivo::CallStatus::kTimeout: return call::EndReason::kNoAnswer;
    case plivo::CallStatus::kFailed: return call::EndReason::kCarrierUnavailable;
    case plivo::CallStatus::kCancel: return call::EndReason::kCallerCancelled;
    default: return call::EndReason::kNormalHangup;
  }
}

// "failed" is all that is said of a refusal and of a wrong number; the cause, a word of the telephone network, tells
// them apart.
call::TransferOutcome OutcomeOfFailure(absl::string_view cause) {
  static constexpr std::pair<absl::string_view, call::TransferOutcome> kCauses[] = {
      {"USER_BUSY", call::TransferOutcome::kBusy},
      {"NO_ANSWER", call::TransferOutcome::kNoAnswer},
      {"NO_USER_RESPONSE", call::TransferOutcome::kNoAnswer},
      {"CALL_REJECTED", call::TransferOutcome::kRejected},
      {"UNALLOCATED_NUMBER", call::TransferOutcome::kInvalidTarget},
      {"INVALID_NUMBER_FORMAT", call::TransferOutcome::kInvalidTarget},
      {"USER_NOT_REGISTERED", call::TransferOutcome::kInvalidTarget},
  };
  for (const auto& [word, outcome] : kCauses) {
    if (absl::EqualsIgnoreCase(word, cause)) return outcome;
  }
  return call::TransferOutcome::kCarrierError;
}

call::TransferOutcome OutcomeOf(const plivo::DialDoneParams& done) {
  switch (done.status) {
    case plivo::DialStatus::kCompleted: return call::TransferOutcome::kBridged;
    case plivo::DialStatus::kBusy: return call::TransferOutcome::kBusy;
    case plivo::DialStatus::kNoAnswer:
    case plivo::DialStatus::kTimeout: return call::TransferOutcome::kNoAnswer;
    case plivo::DialStatus::kFailed: return OutcomeOfFailure(done.hangup_cause);
    case plivo::DialStatus::kCancel: return call::TransferOutcome::kCancelled;
    case plivo::DialStatus::kUnknown: return call::TransferOutcome::kUnknown;
  }
  return call::TransferOutcome::kUnknown;
}

call::Settlement SettlementOf(const plivo::HangupParams& params) {
  call::Settlement settlement;
  settlement.duration_seconds = params.duration_seconds;
  settlement.billed_seconds = params.bill_duration_seconds;
  settlement.cost = params.total_cost;
  settlement.cause_code = params.cause_code;
  settlement.cause = !params.cause_name.empty() ? params.cause_name : params.cause;
  settlement.source = params.source_text;
  return settlement;
}

session::FrontDesk::HangupNotice NoticeOf(const plivo::HangupParams& params, absl::string_view call_token) {
  session::FrontDesk::HangupNotice notice;
  notice.call_token = std::string(call_token);
  notice.carrier_call_id = params.common.call_uuid;
  notice.carrier_request_id = params.common.request_uuid;
  notice.settlement = SettlementOf(params);
  notice.party = PartyOf(params.source);
  if (params.cause_code) {
    const plivo::HangupCause cause = plivo::LookUpHangupCause(*params.cause_code);
    notice.reason = ReasonOf(cause.cause_class);
    notice.detail = absl::StrCat("hangup cause ", cause.code, " ", cause.name, " by ", params.source_text);
  } else {
    notice.reason = ReasonOf(params.common.call_status);
    notice.detail = absl::StrCat("call status ", params.common.call_status_text);
  }
  return notice;
}

bool IsForm(const HttpRequest& request) {
  return request.body.empty() ||
         absl::StartsWithIgnoreCase(request.Header("Content-Type"), "application/x-www-form-urlencoded");
}

}  // namespace

struct Webhooks::Route {
  absl::string_view path;  // Ends with '/': a token follows.
  bool get;
  HttpResponse (Webhooks::*handler)(const Call&);
  bool instructs;  // The carrier does what the answer says.
};

struct Webhooks::Call {
  const HttpRequest& request;
  plivo::Form params;  // Of the body, or of the query with GET.
  plivo::Form query;
  std::string call_token;  // From ?call= or from the path.
  const Route* route;
};

Webhooks::Webhooks(Options options, session::FrontDesk& desk) : options_(std::move(options)), desk_(desk) {}

HttpResponse Webhooks::Handle(const HttpRequest& request) {
  auto checked = Check(request);
  if (auto* refusal = absl::get_if<HttpResponse>(&checked)) return std::move(*refusal);
  const Call& call = absl::get<Call>(checked);
  return (this->*call.route->handler)(call);
}

absl::variant<Webhooks::Subject, HttpResponse> Webhooks::Inspect(const HttpRequest& request) const {
  auto checked = Check(request);
  if (auto* refusal = absl::get_if<HttpResponse>(&checked)) return std::move(*refusal);
  const Call& call = absl::get<Call>(checked);
  Subject subject;
  subject.call_token = call.call_token;
  const auto params = plivo::ParseAnswer(call.params);
  if (!params.ok()) return subject;
  subject.carrier_call_id = params->common.call_uuid;
  subject.begins_call =
      call.route->handler == &Webhooks::Answer && call.call_token.empty() && !params->is_hangup_notice;
  return subject;
}

HttpResponse Webhooks::HandleOver(const HttpRequest& request) {
  auto checked = Check(request);
  if (auto* refusal = absl::get_if<HttpResponse>(&checked)) return std::move(*refusal);
  const Call& call = absl::get<Call>(checked);
  const auto answer = plivo::ParseAnswer(call.params);
  const bool notice = call.route->handler == &Webhooks::Answer && answer.ok() && answer->is_hangup_notice;
  if (call.route->handler == &Webhooks::Hangup || notice) return Hangup(call);
  return call.route->instructs ? Xml(plivo::FormatXml(plivo::HangupXml{})) : Acknowledge();
}

absl::variant<Webhooks::Call, HttpResponse> Webhooks::Check(const HttpRequest& request) const {
  static constexpr Route kRoutes[] = {
      {"/answer", true, &Webhooks::Answer, true},
      {"/ring", false, &Webhooks::Ring, false},
      {"/hangup", false, &Webhooks::Hangup, false},
      {"/stream-status", false, &Webhooks::StreamStatus, false},
      {"/amd", false, &Webhooks::MachineDetection, false},
      {"/transfer/", true, &Webhooks::Transfer, true},
      {"/transfer-done/", false, &Webhooks::TransferDone, false},
      {"/whisper/", false, &Webhooks::Whisper, false},
  };
  const absl::string_view path = request.Path();
  // Load balancers ask whether anybody is at home.
  if (path == "/" && request.method == "GET") return Plain(200, "callbridge");
  if (path == "/media-stream") {
    HttpResponse response = Plain(426, "this is a WebSocket");
    response.headers = {{"Upgrade", "websocket"}};
    return response;
  }
  for (const Route& route : kRoutes) {
    const bool prefix = absl::EndsWith(route.path, "/");
    if (prefix ? !absl::StartsWith(path, route.path) || path.size() == route.path.size() : path != route.path) continue;
    if (request.method != "POST" && !(route.get && request.method == "GET")) {
      HttpResponse response = Plain(405, absl::StrCat("use ", route.get ? "GET or POST" : "POST"));
      response.headers = {{"Allow", route.get ? "GET, POST" : "POST"}};
      return response;
    }
    if (!IsForm(request)) return Plain(415, "Content-Type: application/x-www-form-urlencoded is expected");
    auto query = plivo::ParseForm(request.Query());
    auto body = plivo::ParseForm(request.method == "POST" ? request.body : "");
    // What cannot be decoded cannot be signed either, and is nobody's we know.
    if (!query.ok()) return BadRequest(query.status());
    if (!body.ok()) return BadRequest(body.status());
    if (const absl::Status signature = CheckSignature(request, *body); !signature.ok()) {
      base::Log(base::LogKind::kTrouble, "", "webhook refused",
                {{"path", std::string(prefix ? route.path : path)}, {"why", std::string(signature.message())}});
      return Plain(403, "the request is not signed by the carrier");
    }
    Call call{request, request.method == "GET" ? *query : *std::move(body), *query, "", &route};
    call.call_token = prefix ? std::string(path.substr(route.path.size())) : std::string(query->Get("call"));
    return call;
  }
  return Plain(404, "no such path");
}

absl::Status Webhooks::CheckSignature(const HttpRequest& request, const plivo::Form& body) const {
  if (!options_.check_signatures) return absl::OkStatus();
  const std::string url = plivo::PublicUrl(options_.public_url, request.target);
  plivo::SignedRequest signed_request{request.method, url, &body};
  const plivo::SignatureHeaders headers{request.Header(plivo::kSignatureV3Header),
                                        request.Header(plivo::kSignatureMaV3Header),
                                        request.Header(plivo::kSignatureV3NonceHeader)};
  return plivo::VerifyV3(signed_request, headers, options_.auth_token).status();
}

absl::Status Webhooks::CheckUpgrade(const HttpRequest& request) const {
  if (!options_.check_signatures) return absl::OkStatus();
  const plivo::SignatureHeaders headers{request.Header(plivo::kSignatureV3Header),
                                        request.Header(plivo::kSignatureMaV3Header),
                                        request.Header(plivo::kSignatureV3NonceHeader)};
  return plivo::VerifyUpgradeV3(options_.public_url, request.target, headers, options_.auth_token).status();
}

std::string Webhooks::StreamToken(absl::string_view target) {
  const size_t mark = target.find('?');
  if (mark == absl::string_view::npos || target.substr(0, mark) != "/media-stream") return "";
  const auto query = plivo::ParseForm(target.substr(mark + 1));
  return query.ok() ? std::string(query->Get("token")) : "";
}

HttpResponse Webhooks::Answer(const Call& call) {
  const auto params = plivo::ParseAnswer(call.params);
  if (!params.ok()) return BadRequest(params.status());
  // An application without a hangup URL gets its hang-up notices here; a stream would be opened for a dead call.
  if (params->is_hangup_notice) return Hangup(call);
  session::FrontDesk::AnswerNotice notice;
  notice.call_token = call.call_token;
  notice.carrier_call_id = params->common.call_uuid;
  notice.carrier_request_id = params->common.request_uuid;
  notice.from = params->common.from;
  notice.to = params->common.to;
  notice.machine = params->machine.value_or(false);
  return Write(desk_.OnAnswer(notice));
}

HttpResponse Webhooks::Ring(const Call& call) {
  const auto params = plivo::ParseRing(call.params);
  if (!params.ok()) return BadRequest(params.status());
  desk_.OnRing(call.call_token, params->common.call_uuid);
  return Acknowledge();
}

HttpResponse Webhooks::Hangup(const Call& call) {
  const auto params = plivo::ParseHangup(call.params);
  if (!params.ok()) return BadRequest(params.status());
  desk_.OnHangup(NoticeOf(*params, call.call_token));
  return Acknowledge();
}

HttpResponse Webhooks::StreamStatus(const Call& call) {
  const auto params = plivo::ParseStreamStatus(call.params);
  if (!params.ok()) return BadRequest(params.status());
  desk_.OnStreamStatus(params->common.call_uuid, params->common.event_text, params->error);
  return Acknowledge();
}

HttpResponse Webhooks::MachineDetection(const Call& call) {
  const auto params = plivo::ParseMachineDetection(call.params);
  if (!params.ok()) return BadRequest(params.status());
  if (params->machine) {
    desk_.OnMachine(call.call_token, params->common.call_uuid,
                    absl::StrCat("Event ", params->common.event_text, ", IfMachine ", params->if_machine));
  }
  return Acknowledge();
}

HttpResponse Webhooks::Transfer(const Call& call) { return Write(desk_.OnNextStep(call.call_token)); }

absl::StatusOr<session::FrontDesk::DialRef> Webhooks::DialOf(const Call& call) {
  session::FrontDesk::DialRef dial{call.call_token, std::string(call.query.Get("transfer")), 0};
  if (dial.transfer_id.empty()) return absl::InvalidArgumentError("transfer: missing or empty");
  if (!absl::SimpleAtoi(call.query.Get("target"), &dial.target) || dial.target < 0)
    return absl::InvalidArgumentError("target: must be a number from 0");
  return dial;
}

// Both of a Dial's URLs lead here: DialAction marks what happens during the dial, DialStatus its end.
HttpResponse Webhooks::TransferDone(const Call& call) {
  const auto dial = DialOf(call);
  if (!dial.ok()) return BadRequest(dial.status());
  if (!call.params.Get("DialAction").empty()) return DialProgress(call, *dial);
  const auto done = plivo::ParseDialDone(call.params);
  if (!done.ok()) return BadRequest(done.status());
  return Write(desk_.OnTransferDone(*dial, OutcomeOf(*done), absl::StrCat("DialStatus ", done->status_text)));
}

HttpResponse Webhooks::DialProgress(const Call& call, const session::FrontDesk::DialRef& dial) {
  using Progress = session::FrontDesk::DialProgress;
  const auto progress = plivo::ParseDialProgress(call.params);
  if (!progress.ok()) return BadRequest(progress.status());
  if (progress->action == plivo::DialAction::kAnswer) {
    desk_.OnDialProgress(dial, Progress::kPickedUp);
  } else if (progress->action == plivo::DialAction::kConnected) {
    desk_.OnDialProgress(dial, Progress::kConnected);
  } else if (progress->b_leg_hangup_cause_code == plivo::kConfirmKeyMissing) {
    desk_.OnDialProgress(dial, Progress::kNotConfirmed);
  }
  return Acknowledge();
}

HttpResponse Webhooks::Whisper(const Call& call) {
  const auto text = desk_.OnWhisper(call.call_token);
  if (!text) return Plain(404, "no such call");
  return text->empty() ? Acknowledge() : Xml(plivo::FormatXml(plivo::SpeakXml{*text}));
}

HttpResponse Webhooks::Write(const Instructions& instructions) const {
  const std::string next = absl::StrCat(options_.public_url, "/transfer/", instructions.call_token);
  switch (instructions.kind) {
    case Instructions::Kind::kStream: {
      plivo::AnswerXml xml;
      xml.stream_url = absl::StrCat(StreamBase(options_.public_url), "/media-stream?token=", instructions.stream_token);
      xml.status_callback_url = absl::StrCat(options_.public_url, "/stream-status");
      xml.redirect_url = next;
      return Xml(plivo::FormatXml(xml));
    }
    case Instructions::Kind::kDial: {
      const std::string dial = absl::StrCat(instructions.call_token, "?transfer=", instructions.transfer_id,
                                            "&target=", instructions.target);
      const std::string done = absl::StrCat(options_.public_url, "/transfer-done/", dial);
      plivo::DialXml xml;
      xml.to = instructions.number;
      xml.caller_id = instructions.caller_id;
      xml.timeout_seconds = static_cast<int>(
          absl::ToInt64Seconds(std::clamp(instructions.ring_time, absl::Seconds(5), absl::Seconds(120))));
      if (instructions.whispers) xml.confirm_sound_url = absl::StrCat(options_.public_url, "/whisper/", dial);
      xml.confirm_key = instructions.confirm_key;
      xml.action_url = done;
      xml.callback_url = done;
      return Xml(plivo::FormatXml(xml));
    }
    case Instructions::Kind::kHangUp: return Xml(plivo::FormatXml(plivo::HangupXml{}));
    case Instructions::Kind::kUnknown: break;
  }
  return Plain(404, "no such call");
}

}  // namespace callbridge::http
