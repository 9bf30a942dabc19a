#include "src/store/spool/record_json.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/store/event_json.h"
#include "src/store/json_fields.h"

namespace callbridge::store {
namespace fields {

// Each binds all members of its type: with one more in the type it does not compile, until it is written down here.
template <typename F>
void Fields(call::Event& event, F& f) {
  auto& [call_id, sequence, time, body] = event;
  f("call_id", call_id);
  f("sequence", sequence);
  f("time", time);
  std::string type(call::TypeName(body));
  f("type", type);
  if (type != call::TypeName(body)) {
    auto other = DefaultEventBody(type);
    if (!other) return f.Refuse("type");
    body = *std::move(other);
  }
  f("body", body);
}

template <typename F>
void Fields(Settlement& settlement, F& f) {
  auto& [duration_seconds, billed_seconds, cost, currency, cause_code, cause, source, time] = settlement;
  f("duration_seconds", duration_seconds);
  f("billed_seconds", billed_seconds);
  f("cost", cost);
  f("currency", currency);
  f("cause_code", cause_code);
  f("cause", cause);
  f("source", source);
  f("time", time);
}

template <typename F>
void Fields(Owner& owner, F& f) {
  auto& [node_id, epoch] = owner;
  f("node_id", node_id);
  f("epoch", epoch);
}

template <typename F>
void Fields(CallRecord& call, F& f) {
  auto& [call_id, direction, from, to, agent, lead_id, carrier_call_id, carrier_request_id, model_session_id, state,
         create_time, answer_time, end_time, duration_seconds, transferred, transfer_reason, termination, transcript,
         summary, result, metadata, labels, event_head, answered_by_machine, settlement, event_floor, erase_time,
         owner] = call;
  f("call_id", call_id);
  f("direction", direction);
  f("from", from);
  f("to", to);
  f("agent", agent);
  f("lead_id", lead_id);
  f("carrier_call_id", carrier_call_id);
  f("carrier_request_id", carrier_request_id);
  f("model_session_id", model_session_id);
  f("state", state);
  f("create_time", create_time);
  f("answer_time", answer_time);
  f("end_time", end_time);
  f("duration_seconds", duration_seconds);
  f("transferred", transferred);
  f("transfer_reason", transfer_reason);
  f("termination", termination);
  f("transcript", transcript);
  f("summary", summary);
  f("result", result);
  f("metadata", metadata);
  f("labels", labels);
  f("event_head", event_head);
  f("answered_by_machine", answered_by_machine);
  f("settlement", settlement);
  f("event_floor", event_floor);
  f("erase_time", erase_time);
  f("owner", owner);
}

template <typename F>
void Fields(CallWrite::End& end, F& f) {
  auto& [termination, end_time, duration_seconds, transcript] = end;
  f("termination", termination);
  f("end_time", end_time);
  f("duration_seconds", duration_seconds);
  f("transcript", transcript);
}

template <typename F>
void Fields(CallWrite& write, F& f) {
  auto& [call_id, owner, events, state, answer_time, carrier_call_id, carrier_request_id, model_session_id,
         transcript_items, transfer, transferred, transfer_reason, end, transcript, summary, result, summary_due,
         summary_settled, answered_by_machine, settlement] = write;
  f("call_id", call_id);
  f("owner", owner);
  f("events", events);
  f("state", state);
  f("answer_time", answer_time);
  f("carrier_call_id", carrier_call_id);
  f("carrier_request_id", carrier_request_id);
  f("model_session_id", model_session_id);
  f("transcript_items", transcript_items);
  f("transfer", transfer);
  f("transferred", transferred);
  f("transfer_reason", transfer_reason);
  f("end", end);
  f("transcript", transcript);
  f("summary", summary);
  f("result", result);
  f("summary_due", summary_due);
  f("summary_settled", summary_settled);
  f("answered_by_machine", answered_by_machine);
  f("settlement", settlement);
}

template <typename F>
void Fields(CallCreation& creation, F& f) {
  auto& [call, events] = creation;
  f("call", call);
  f("events", events);
}

}  // namespace fields

namespace {

using nlohmann::json;

constexpr char kWrite[] = "write";
constexpr char kCreate[] = "create";

template <typename T>
std::string Encode(const char* kind, T value) {  // By value: Fields() serves both directions.
  fields::Writer writer;
  writer(kind, value);
  return writer.Take().dump() + "\n";
}

template <typename T>
absl::StatusOr<SpooledWrite> Decode(const char* kind, const json& object) {
  T value;
  fields::Reader reader(object);
  reader(kind, value);
  if (reader.wrong().empty()) return SpooledWrite(std::move(value));
  return absl::InvalidArgumentError(
      absl::StrCat("spooled ", kind, ": member ", reader.wrong(), " has the wrong kind or an unknown word"));
}

}  // namespace

std::string EncodeWrite(const CallWrite& write) { return Encode(kWrite, write); }

std::string EncodeCreation(const CallRecord& call, const std::vector<call::Event>& events) {
  return Encode(kCreate, CallCreation{call, events});
}

absl::StatusOr<SpooledWrite> DecodeWrite(absl::string_view line) {
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (object.is_object() && object.contains(kWrite)) return Decode<CallWrite>(kWrite, object);
  if (object.is_object() && object.contains(kCreate)) return Decode<CallCreation>(kCreate, object);
  return absl::InvalidArgumentError("spooled record: not a JSON object of a known kind");
}

}  // namespace callbridge::store
