#ifndef CALLBRIDGE_SRC_SIM_MODEL_SESSION_H_
#define CALLBRIDGE_SRC_SIM_MODEL_SESSION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/sim/model_config.h"
#include "src/sim/model_conversation.h"
#include "src/sim/model_handshake.h"
#include "src/sim/model_report.h"
#include "src/sim/model_response.h"
#include "src/sim/model_script.h"
#include "src/sim/model_wire.h"
#include "src/sim/scenario.h"
#include "src/sim/speech.h"
#include "src/sim/vad.h"

namespace callbridge::sim {

// One session of the simulated Realtime service: client events and time in, server events out through the sink. Written
// from the Realtime API reference and recordings of the real service, apart from the server's own client code. Pure: no
// clock, no socket, no thread; one thread at a time.
class ModelSession {
 public:
  struct Options {
    Scenario scenario;
    std::string model = "gpt-realtime-2.1";
    uint64_t seed = 1;
    bool record = true;  // Texts and audio in the report.
    // What the call's sessions share, and which of them this one is. Null: it has only this one.
    std::shared_ptr<ModelScript> script;
    int number = 1;
  };
  // `sink` outlives the session.
  ModelSession(Options options, std::shared_ptr<const SpeechLibrary> speech, ModelSink& sink);

  // The socket is open: sends session.created, or the refusal and its close.
  void Open(const HandshakeVerdict& verdict, absl::Time now);

  void OnText(absl::string_view text, absl::Time now);
  void OnBinary(absl::Time now);

  // The socket is closed, by whomever. Nothing is sent afterwards.
  void OnClosed(int code, absl::Time now);

  // Does what is due until `now`.
  void OnTime(absl::Time now);
  // When OnTime() has something to do next; InfiniteFuture(): never.
  absl::Time NextDeadline() const;

  ModelSessionReport Report() const;

 private:
  using Later = std::function<void()>;

  // Events of the client.
  void Dispatch(const Json& event, const std::string& type);
  void OnSessionUpdate(const Json& event);
  void OnAppend(const Json& event);
  void OnBufferCommit(const Json& event);
  void OnBufferClear(const Json& event);
  void OnItemCreate(const Json& event);
  void OnItemRetrieve(const Json& event);
  void OnItemDelete(const Json& event);
  void OnItemTruncate(const Json& event);
  void OnResponseCreate(const Json& event);
  void OnResponseCancel(const Json& event);
  void Refuse(const ModelError& error);

  // The caller's audio.
  void AppendBase64(absl::string_view base64);
  void Hear(absl::string_view mulaw);
  void OnVad(const Vad::Event& event);
  // `spoken`: the caller was heard in it.
  void CommitTurn(std::string mulaw, const std::string& item_id, bool spoken);
  void Transcribe(const std::string& item_id, const std::string& words, int64_t audio_ms);
  Json TranscriptionUsage(const std::string& words, int64_t audio_ms) const;
  std::string WordsIn(absl::string_view mulaw) const;
  void OnIdle();

  // Responses.
  void StartResponse(const Json& request, bool automatic);
  ModelSpeech SpeechOf(const ModelReply& reply, bool text);
  const ModelReply* TakeReply();
  bool LastInputIsToolOutput(bool* failed) const;
  Json ShapeOf(const Json& request) const;
  ModelResponse* Running() const;  // Of the default conversation; null: none.
  ModelResponse* FindResponse(absl::string_view id) const;
  void AfterResponses();  // Looks for responses that have ended.

  // Time and faults.
  void At(absl::Time when, Later what) { later_.emplace(when, std::move(what)); }
  void RunOne(absl::Time when);
  void ArmFaults(int response);  // Those that count from the start of that response; 0: of the session.
  void Break(const std::string& what);
  void Expire();
  void SendItem(const ModelItem& item, const std::string& previous);
  void Note(const std::string& what, const std::string& detail = "");

  const Options options_;
  const std::shared_ptr<ModelScript> script_;
  const std::shared_ptr<const SpeechLibrary> speech_;
  ModelWire wire_;
  ModelConfig config_;
  ModelConversation conversation_;
  TurnDetection turns_;
  Vad vad_;
  bool stalled_ = false;
  bool ended_ = false;
  absl::Time now_ = absl::InfinitePast();
  std::string event_type_;  // Of the client event being served, and its id.
  std::string event_id_;

  std::string buffer_;        // mu-law written and not committed; while nobody speaks only its end.
  int64_t buffer_begin_ = 0;  // Its place in all that was written.
  std::string user_item_id_;  // Of the turn under way.
  bool caller_spoke_ = false;
  std::string decoded_;  // Kept for its memory.

  std::vector<std::unique_ptr<ModelResponse>> running_;
  int responses_ = 0;  // Of the default conversation, so far.
  std::multimap<absl::Time, Later> later_;
  absl::Time idle_at_ = absl::InfiniteFuture();
  int64_t idle_since_ms_ = 0;

  ModelSessionReport report_;
  std::vector<ModelItemPtr> spoken_;  // Assistant items with audio.
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_SESSION_H_
