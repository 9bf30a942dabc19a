#ifndef CALLBRIDGE_SRC_SIM_MODEL_CONVERSATION_H_
#define CALLBRIDGE_SRC_SIM_MODEL_CONVERSATION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "src/sim/model_wire.h"

namespace callbridge::sim {

// One item of a conversation.
struct ModelItem {
  enum class Kind { kMessage, kFunctionCall, kFunctionCallOutput };
  std::string id;
  Kind kind = Kind::kMessage;
  std::string status = "completed";  // "in_progress", "incomplete"
  std::string role;                  // Messages: "user", "assistant", "system"
  std::string phase;                 // "commentary", "final_answer"; empty: not sent.
  bool audio = false;                // The one content part is audio, spoken by the caller or by the model.
  bool has_part = false;             // Assistant: whether the content part was announced.
  std::string text;                  // What the model said or wrote so far: the transcript of audio.
  Json content = Json::array();      // Of client-made and caller's items, as echoed.
  std::string call_id;
  std::string name;
  std::string arguments;
  std::string output;

  std::string mulaw;        // Audio kept: all that was sent (assistant) or said (caller).
  int64_t audio_bytes = 0;  // In the output format.
  int64_t audio_ms = 0;
  int64_t truncated_ms = -1;
  bool deleted = false;
  bool cancelled = false;

  // As events show it.
  Json ToJson() const;
};

using ModelItemPtr = std::shared_ptr<ModelItem>;

// The default conversation: items in order, and the rules for what clients may do to them.
class ModelConversation {
 public:
  explicit ModelConversation(std::string id) : id_(std::move(id)) {}

  const std::string& id() const { return id_; }

  // Puts `item` last. The id of the one before it; empty: it is the first.
  std::string Append(ModelItemPtr item);

  // Makes an item of a conversation.item.create, or says what is wrong with it. `*previous` gets the id of the item
  // before it.
  std::optional<ModelError> Create(const Json& event, ModelWire& wire, ModelItemPtr* made, std::string* previous);

  std::optional<ModelError> Truncate(const Json& event);
  std::optional<ModelError> Delete(const Json& event);

  ModelItemPtr Find(absl::string_view id) const;
  std::string LastId() const;
  const std::vector<ModelItemPtr>& items() const { return items_; }

  // Whether an item made by the model speaks: the voice is locked from then on.
  bool HasAssistantAudio() const;

  // What the next response bills as input.
  int TextTokens() const;
  int AudioTokens() const;

 private:
  std::optional<ModelError> CheckItem(const Json& item) const;

  const std::string id_;
  std::vector<ModelItemPtr> items_;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_CONVERSATION_H_
