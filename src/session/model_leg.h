#ifndef CALLBRIDGE_SRC_SESSION_MODEL_LEG_H_
#define CALLBRIDGE_SRC_SESSION_MODEL_LEG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/base/clock.h"
#include "src/call/command.h"
#include "src/call/input.h"
#include "src/net/ws_connection.h"
#include "src/openai/error_class.h"
#include "src/openai/server_event.h"
#include "src/openai/session_config.h"
#include "src/session/item_names.h"

namespace callbridge::session {

// A call's connection to its model: translates the model's events into the call's inputs, and the call's commands into
// the model's. The call may have several sessions in a row, one at a time; nothing of an earlier one is heard once the
// next is opened. On the call's loop only.
class ModelLeg final : public net::WsConnection::Listener {
 public:
  // Where inputs go. Must not destroy the leg from inside these calls, but may open another session.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnModelInput(const call::input::Input& input) = 0;
    // The hot path: views are valid during the call only; `base64` is checked.
    virtual void OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64,
                              int64_t bytes) = 0;
    // Words of the caller, as they are transcribed: at the end of those that came of the item before. The call itself
    // waits for the whole.
    virtual void OnCallerWords(absl::string_view item_id, absl::string_view delta) = 0;
    // Trouble that is not the call's business: for the log.
    virtual void OnModelNote(absl::string_view what, absl::string_view detail) = 0;
  };

  struct Options {
    std::string url;  // Without the model.
    std::string api_key;
    std::string ca_file;
    openai::SessionConfig session;  // Complete, with its tools: what is not among them is refused.
    std::string summary_instructions;
    // Whether the arguments of a tool of the configuration fit; the message is for the model. Null: any object does.
    std::function<absl::Status(absl::string_view name, absl::string_view arguments)> check_arguments;
  };

  // `parser` is shared by all legs of a loop; all references outlive the leg.
  ModelLeg(Options options, net::WsConnector& connector, openai::ServerEventParser& parser, const base::Clock& clock,
           Owner& owner);
  ~ModelLeg() override;

  // Connects. A session that is there is closed, and nothing of it is heard any more.
  void Open();
  void Close();

  // One frame of the caller.
  void Append(absl::string_view base64);

  // The commands that concern the model; others are ignored, as are all before the session is open.
  void Do(const call::command::Command& command);

  int64_t frames_dropped() const { return frames_dropped_; }

  // While a message of the model is carried out: when it came. InfinitePast otherwise.
  absl::Time reading_since() const { return reading_since_; }

  // net::WsConnection::Listener
  void OnOpen(net::WsConnection& connection) override;
  void OnText(absl::string_view message) override;
  void OnBinary(size_t bytes) override;
  void OnClosed(const net::WsClose& close) override;

 private:
  // What is one session's alone: the next begins with none of it.
  struct Session {
    bool open = false;
    bool configured = false;
    bool closing = false;
    int bad_messages = 0;               // In a row.
    std::string update_id;              // Of the event that configures it.
    std::string turns_id;               // Of the last that changed its turn detection.
    openai::TurnDetection turns;        // As asked for.
    bool protected_from_voice = false;  // The server does not stop at the caller's voice.
    std::set<std::string> asides;       // Responses outside the conversation.
    std::set<std::string> tool_calls;   // That its conversation has.
    ItemNames names;
    absl::optional<call::input::ModelError> last_error;  // What the server said before it closed.
  };
  struct ToolCall {
    std::string name;
    std::string arguments;
  };

  void Read(absl::string_view message);
  void Drop();
  void Fail(const call::input::ModelError& error);
  void GiveUp(call::EndReason reason, const std::string& detail);
  void ChangeTurns();
  openai::TurnDetection Turns() const;
  void Send(const std::string& text);
  std::string NextEventId(absl::string_view kind);
  std::string NextItemId();
  void Give(const call::input::Input& input) { owner_.OnModelInput(input); }

  // One overload per command that is the model's.
  void Carry(const call::command::ConfigureModel& command);
  void Carry(const call::command::ReleaseGreeting& command);
  void Carry(const call::command::RestoreConversation& command);
  void Carry(const call::command::RewriteItem& command);
  void Carry(const call::command::AddSystemText& command);
  void Carry(const call::command::AddCallerText& command);
  void Carry(const call::command::CreateResponse& command);
  void Carry(const call::command::SetInstructions& command);
  void Carry(const call::command::LetAnswer& command);
  void Carry(const call::command::CancelResponse& command);
  void Carry(const call::command::TruncateItem& command);
  void Carry(const call::command::DeleteItem& command);
  void Carry(const call::command::AnswerTool& command);
  void Carry(const call::command::RequestSummary& command);
  template <typename Command>
  void Carry(const Command&) {}
  void Restore(const call::command::HistoryItem& item);
  void SendToolCall(absl::string_view tool_call_id, absl::string_view name, absl::string_view arguments,
                    absl::string_view output, absl::string_view item_id);

  void On(const openai::SessionCreated& event);
  void On(const openai::SessionUpdated& event);
  void On(const openai::SpeechStarted& event);
  void On(const openai::SpeechStopped& event);
  void On(const openai::BufferCommitted& event);
  void On(const openai::ItemAdded& event);
  void On(const openai::UserTranscriptDelta& event);
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

  openai::ErrorClass ClassOf(const openai::Error& event) const;
  void OnFunctionCall(const openai::Item& item);
  call::input::Input ToolInput(const openai::Item& item) const;
  void OnSummary(const openai::ResponseDone& event);

  const Options options_;
  net::WsConnector& connector_;
  openai::ServerEventParser& parser_;
  const base::Clock& clock_;
  Owner& owner_;
  std::shared_ptr<net::WsConnection> connection_;
  std::string instructions_;  // The agent's, or what a client put in their place.
  bool answers_ = true;       // Turns of the caller.
  Session session_;
  int sessions_ = 0;  // Opened so far.
  int next_event_id_ = 1;
  int next_item_id_ = 1;
  int64_t frames_dropped_ = 0;
  absl::Time reading_since_ = absl::InfinitePast();
  // By tool_call_id: acted on already, in whichever session.
  std::map<std::string, ToolCall, std::less<>> tool_calls_;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_MODEL_LEG_H_
