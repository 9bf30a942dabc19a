#ifndef CALLBRIDGE_SRC_SESSION_MODEL_LEG_H_
#define CALLBRIDGE_SRC_SESSION_MODEL_LEG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "src/call/command.h"
#include "src/call/input.h"
#include "src/net/ws_connection.h"
#include "src/openai/server_event.h"
#include "src/openai/session_config.h"

namespace callbridge::session {

// A call's connection to its model: translates the model's events into the call's inputs, and the call's commands into
// the model's. On the call's loop only.
class ModelLeg final : public net::WsConnection::Listener {
 public:
  // Where inputs go. Must not destroy the leg from inside these calls.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnModelInput(const call::input::Input& input) = 0;
    // The hot path: views are valid during the call only; `base64` is checked.
    virtual void OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64,
                              int64_t bytes) = 0;
    // Trouble that is not the call's business: for the log.
    virtual void OnModelNote(absl::string_view what, absl::string_view detail) = 0;
  };

  struct Options {
    std::string url;  // Without the model.
    std::string api_key;
    std::string ca_file;
    openai::SessionConfig session;  // Complete, with its tools.
    std::string summary_instructions;
  };

  // `parser` is shared by all legs of a loop; all references outlive the leg.
  ModelLeg(Options options, net::WsConnector& connector, openai::ServerEventParser& parser, Owner& owner);
  ~ModelLeg() override;

  void Open();
  void Close();

  // One frame of the caller.
  void Append(absl::string_view base64);

  // The commands that concern the model; others are ignored.
  void Do(const call::command::Command& command);

  int64_t frames_dropped() const { return frames_dropped_; }

  // net::WsConnection::Listener
  void OnOpen(net::WsConnection& connection) override;
  void OnText(absl::string_view message) override;
  void OnBinary(size_t bytes) override;
  void OnClosed(const net::WsClose& close) override;

 private:
  void Send(const std::string& text);
  std::string NextEventId(absl::string_view kind);
  void Give(const call::input::Input& input) { owner_.OnModelInput(input); }

  void On(const openai::SessionCreated& event);
  void On(const openai::SessionUpdated& event);
  void On(const openai::SpeechStarted& event);
  void On(const openai::SpeechStopped& event);
  void On(const openai::BufferCommitted& event);
  void On(const openai::ItemAdded& event);
  void On(const openai::UserTranscriptCompleted& event);
  void On(const openai::UserTranscriptFailed& event);
  void On(const openai::ResponseCreated& event);
  void On(const openai::OutputItemDone& event);
  void On(const openai::AudioDelta& event);
  void On(const openai::AudioDone& event);
  void On(const openai::TranscriptDelta& event);
  void On(const openai::TranscriptDone& event);
  void On(const openai::ResponseDone& event);
  void On(const openai::Error& event);
  template <typename Event>
  void On(const Event&) {}  // Of no consequence to a call.

  void OnFunctionCall(const openai::Item& item);
  void OnSummary(const openai::ResponseDone& event);

  const Options options_;
  net::WsConnector& connector_;
  Owner& owner_;
  std::shared_ptr<net::WsConnection> connection_;
  openai::ServerEventParser& parser_;
  bool open_ = false;
  bool configured_ = false;
  bool closing_ = false;
  int next_event_id_ = 1;
  int bad_messages_ = 0;  // In a row.
  int64_t frames_dropped_ = 0;
  std::string session_update_id_;
  std::set<std::string> asides_;        // Responses outside the conversation.
  std::set<std::string> tool_calls_;    // Acted on already.
  call::input::ModelError last_error_;  // What the server said before it closed.
  bool has_last_error_ = false;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_MODEL_LEG_H_
