#ifndef CALLBRIDGE_SRC_STORE_JSON_FIELDS_H_
#define CALLBRIDGE_SRC_STORE_JSON_FIELDS_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"
#include "src/call/event.h"
#include "src/store/text.h"

// How values become JSON and come back: a Fields() for each type names its members once, for a Writer and a Reader.
// For event_json.cc and spool/record_json.cc only. Text is written through CleanText(), times as FormatTimestamp() or
// null where there is none, enums as their Name(). An optional that is not set is left out.
namespace callbridge::store::fields {

using nlohmann::json;

// clang-format off
template <typename F> void Fields(call::CallCreated& b, F& f) {
  f("direction", b.direction); f("from", b.from); f("to", b.to); f("agent", b.agent); f("lead_id", b.lead_id);
}
template <typename F> void Fields(call::StateChanged& b, F& f) { f("from", b.from); f("to", b.to); }
template <typename F> void Fields(call::StreamConnected& b, F& f) { f("stream_id", b.stream_id); f("ordinal", b.ordinal); }
template <typename F> void Fields(call::StreamLost& b, F& f) { f("detail", b.detail); }
template <typename F> void Fields(call::ModelReady& b, F& f) {
  f("session_id", b.session_id); f("model", b.model); f("ordinal", b.ordinal);
}
template <typename F> void Fields(call::ModelTrouble& b, F& f) {
  f("code", b.code); f("message", b.message); f("fatal", b.fatal);
}
template <typename F> void Fields(call::CallerSpeechStarted& b, F& f) { f("item_id", b.item_id); }
template <typename F> void Fields(call::CallerSpeechStopped& b, F& f) { f("item_id", b.item_id); }
template <typename F> void Fields(call::AssistantSpeechStarted& b, F& f) {
  f("item_id", b.item_id); f("greeting", b.greeting);
}
template <typename F> void Fields(call::AssistantSpeechFinished& b, F& f) {
  f("item_id", b.item_id); f("heard_ms", b.heard_ms); f("basis", b.basis);
}
template <typename F> void Fields(call::BargeIn& b, F& f) {
  f("item_id", b.item_id); f("heard_ms", b.heard_ms); f("received_ms", b.received_ms); f("basis", b.basis);
}
template <typename F> void Fields(call::TranscriptItem& b, F& f) {
  f("item_id", b.item_id); f("position", b.position); f("role", b.role); f("status", b.status);
  f("text_generated", b.text_generated); f("text_heard", b.text_heard); f("generated_ms", b.generated_ms);
  f("heard_ms", b.heard_ms); f("basis", b.basis); f("start_time", b.start_time);
}
template <typename F> void Fields(call::TranscriptItemFinal& b, F& f) { f("item", b.item); }
template <typename F> void Fields(call::ToolCalled& b, F& f) {
  f("tool_call_id", b.tool_call_id); f("name", b.name); f("arguments", b.arguments);
  f("answer_by", b.answer_by);
}
template <typename F> void Fields(call::ToolAnswered& b, F& f) {
  f("tool_call_id", b.tool_call_id); f("name", b.name); f("output", b.output); f("ok", b.ok);
}
template <typename F> void Fields(call::TransferAttempt& b, F& f) {
  f("number", b.number); f("outcome", b.outcome); f("detail", b.detail); f("start_time", b.start_time); f("end_time", b.end_time);
}
template <typename F> void Fields(call::Transfer& b, F& f) {
  f("transfer_id", b.transfer_id); f("destination", b.destination); f("number", b.number); f("reason", b.reason);
  f("requested_by", b.requested_by); f("state", b.state); f("outcome", b.outcome); f("detail", b.detail);
  f("request_time", b.request_time); f("connect_time", b.connect_time); f("end_time", b.end_time);
  f("attempts", b.attempts);
}
template <typename F> void Fields(call::TransferChanged& b, F& f) { f("transfer", b.transfer); }
template <typename F> void Fields(call::CallerReturned& b, F& f) { f("transfer_id", b.transfer_id); }
template <typename F> void Fields(call::DtmfReceived& b, F& f) { f("digit", b.digit); }
template <typename F> void Fields(call::TurnMeasured& b, F& f) {
  f("caller_item_id", b.caller_item_id); f("to_commit_ms", b.to_commit_ms); f("to_first_audio_ms", b.to_first_audio_ms);
  f("to_first_sent_ms", b.to_first_sent_ms); f("to_first_heard_ms", b.to_first_heard_ms);
}
template <typename F> void Fields(call::Termination& b, F& f) {
  f("reason", b.reason); f("initiator", b.initiator); f("layer", b.layer); f("evidence", b.evidence);
  f("retryable", b.retryable); f("failed", b.failed);
}
template <typename F> void Fields(call::CallEnded& b, F& f) {
  f("termination", b.termination); f("duration_seconds", b.duration_seconds);
}
template <typename F> void Fields(call::CallResult& b, F& f) {
  f("disposition", b.disposition); f("interest", b.interest); f("follow_up_time", b.follow_up_time);
  f("fields_json", b.fields_json);
}
template <typename F> void Fields(call::SummaryReady& b, F& f) { f("summary", b.summary); f("result", b.result); }
template <typename F> void Fields(call::SummaryFailed& b, F& f) { f("reason", b.reason); }
template <typename F> void Fields(call::AssistantSilenced& b, F& f) { f("silence_ms", b.silence_ms); }
template <typename F> void Fields(call::AssistantPaused& b, F& f) { f("item_id", b.item_id); f("heard_ms", b.heard_ms); }
template <typename F> void Fields(call::AssistantResumed& b, F& f) { f("item_id", b.item_id); f("paused_ms", b.paused_ms); }
template <typename F> void Fields(call::AnswerMeasured& b, F& f) {
  f("to_stream_ms", b.to_stream_ms); f("to_model_ready_ms", b.to_model_ready_ms);
  f("to_first_audio_ms", b.to_first_audio_ms); f("to_first_sent_ms", b.to_first_sent_ms);
  f("to_first_heard_ms", b.to_first_heard_ms);
}
template <typename F> void Fields(call::ModelReopening& b, F& f) { f("attempt", b.attempt); f("reason", b.reason); }
template <typename F> void Fields(call::PromptPlayed& b, F& f) { f("name", b.name); f("item_id", b.item_id); f("text", b.text); }
template <typename F> void Fields(call::CallerIdle& b, F& f) { f("count", b.count); f("goodbye", b.goodbye); }
template <typename F> void Fields(call::MachineAnswered& b, F& f) { f("policy", b.policy); f("detail", b.detail); }
template <typename F> void Fields(call::CallbackPromised& b, F& f) { f("reason", b.reason); }
template <typename F> void Fields(call::SayRequested& b, F& f) {
  f("request_id", b.request_id); f("text", b.text); f("prompt", b.prompt); f("interrupt", b.interrupt); f("principal", b.principal);
}
template <typename F> void Fields(call::ContextInjected& b, F& f) {
  f("request_id", b.request_id); f("text", b.text); f("respond", b.respond); f("principal", b.principal);
}
template <typename F> void Fields(call::InstructionsUpdated& b, F& f) { f("instructions", b.instructions); f("principal", b.principal); }
template <typename F> void Fields(call::DtmfSent& b, F& f) {
  f("digits", b.digits); f("request_id", b.request_id); f("principal", b.principal);
}
template <typename F> void Fields(call::MuteChanged& b, F& f) {
  f("caller_muted", b.caller_muted); f("assistant_muted", b.assistant_muted); f("principal", b.principal);
}
template <typename F> void Fields(call::TakeoverChanged& b, F& f) {
  f("taken_over", b.taken_over); f("reason", b.reason); f("principal", b.principal);
}
// clang-format on

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<absl::optional<T>> : std::true_type {};

using Words = std::map<std::string, std::string>;

class Writer {
 public:
  template <typename T>
  void operator()(const char* name, T& value) {
    if constexpr (IsOptional<T>::value) {
      if (value) object_[name] = Encode(*value);
    } else {
      object_[name] = Encode(value);
    }
  }
  void Refuse(const char*) {}
  json Take() { return std::move(object_); }

  template <typename T>
  static json Encode(T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      return CleanText(value);
    } else if constexpr (std::is_same_v<T, absl::Time>) {
      return IsStorableTime(value) ? json(FormatTimestamp(value)) : json(nullptr);
    } else if constexpr (std::is_enum_v<T>) {
      return std::string(Name(value));
    } else if constexpr (std::is_arithmetic_v<T>) {
      return value;
    } else if constexpr (IsVector<T>::value) {
      json list = json::array();
      for (auto& element : value) list.push_back(Encode(element));
      return list;
    } else if constexpr (std::is_same_v<T, Words>) {
      json object = json::object();
      for (const auto& [key, word] : value) object[CleanText(key)] = CleanText(word);
      return object;
    } else if constexpr (std::is_same_v<T, call::EventBody>) {
      Writer nested;
      std::visit([&nested](auto& body) { Fields(body, nested); }, value);
      return nested.Take();
    } else {
      Writer nested;
      Fields(value, nested);
      return nested.Take();
    }
  }

 private:
  json object_ = json::object();
};

class Reader {  // Members that are not there keep the value they have.
 public:
  explicit Reader(const json& object) : object_(object) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    const auto found = object_.find(name);
    if (found == object_.end() || !wrong_.empty()) return;
    if (!Decode(*found, value) && wrong_.empty()) wrong_ = name;
  }
  // For a Fields() that cannot take what it has read under that name.
  void Refuse(const char* name) {
    if (wrong_.empty()) wrong_ = name;
  }
  const std::string& wrong() const { return wrong_; }  // The first field of the wrong kind; empty: none.

 private:
  template <typename T>
  bool Decode(const json& from, T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (!from.is_string()) return false;
      value = from.get_ref<const std::string&>();
      return true;
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!from.is_boolean()) return false;
      value = from.get<bool>();
      return true;
    } else if constexpr (std::is_same_v<T, absl::Time>) {
      return DecodeTime(from, value);
    } else if constexpr (std::is_enum_v<T>) {
      return from.is_string() && Parse(from.get_ref<const std::string&>(), &value);
    } else if constexpr (std::is_integral_v<T>) {
      return DecodeInteger(from, value);
    } else if constexpr (IsVector<T>::value) {
      if (!from.is_array()) return false;
      for (const json& element : from) {
        if (!Decode(element, value.emplace_back())) return false;
      }
      return true;
    } else if constexpr (IsOptional<T>::value) {
      return Decode(from, value.emplace());
    } else if constexpr (std::is_same_v<T, Words>) {
      if (!from.is_object()) return false;
      for (const auto& [key, word] : from.items()) {
        if (!word.is_string()) return false;
        value[key] = word.template get<std::string>();
      }
      return true;
    } else if constexpr (std::is_same_v<T, call::EventBody>) {
      if (!from.is_object()) return false;
      Reader nested(from);
      std::visit([&nested](auto& body) { Fields(body, nested); }, value);
      if (!nested.wrong_.empty()) wrong_ = nested.wrong_;
      return nested.wrong_.empty();
    } else {
      if (!from.is_object()) return false;
      Reader nested(from);
      Fields(value, nested);
      if (!nested.wrong_.empty()) wrong_ = nested.wrong_;
      return nested.wrong_.empty();
    }
  }

  template <typename T>
  static bool DecodeInteger(const json& from, T& value) {
    if (!from.is_number_integer()) return false;
    // Beyond int64 the parser makes an unsigned, which get<int64_t>() would wrap.
    if (from.is_number_unsigned() && from.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<T>::max()))
      return false;
    const int64_t number = from.get<int64_t>();
    if (number < std::numeric_limits<T>::min()) return false;
    value = static_cast<T>(number);
    return true;
  }

  static bool DecodeTime(const json& from, absl::Time& value) {
    if (from.is_null()) {
      value = absl::InfinitePast();
      return true;
    }
    if (!from.is_string()) return false;
    const absl::StatusOr<absl::Time> time = ParseTimestamp(from.get_ref<const std::string&>());
    if (time.ok()) value = *time;
    return time.ok();
  }

  const json& object_;
  std::string wrong_;
};

}  // namespace callbridge::store::fields

#endif  // CALLBRIDGE_SRC_STORE_JSON_FIELDS_H_
