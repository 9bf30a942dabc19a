#ifndef CALLBRIDGE_SRC_SIM_MODEL_RESPONSE_H_
#define CALLBRIDGE_SRC_SIM_MODEL_RESPONSE_H_

#include <deque>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "src/sim/model_conversation.h"
#include "src/sim/model_wire.h"
#include "src/sim/scenario.h"

namespace callbridge::sim {

// What the model will say in one response, with words and sounds looked up.
struct ModelSpeech {
  struct Spoken {
    std::string words;
    std::string audio;  // In the session's output format; empty: the item is text.
  };
  std::vector<Spoken> items;
  std::string tool;  // Empty: no function call.
  std::string arguments;
  std::string status = "completed";  // As in ModelReply.
};

// One response under way: sends its events in the service's order at their times. Virtual time: the owner asks Next()
// and calls Run().
class ModelResponse {
 public:
  struct Setup {
    ModelSpeech speech;
    bool out_of_band = false;
    bool phases = false;     // The model marks items as commentary or final answer.
    bool keep_audio = true;  // In the items, for reports.
    Json shape;              // output_modalities, max_output_tokens, audio, metadata: as echoed.
    std::string format;      // "audio/pcmu"
    int input_text_tokens = 0;
    int input_audio_tokens = 0;
    ModelManners manners;
  };

  // Sends response.created. `wire` and `conversation` outlive the response.
  ModelResponse(Setup setup, ModelWire& wire, ModelConversation& conversation, absl::Time now);

  // When Run() has something to do; InfiniteFuture() once done.
  absl::Time Next() const;

  // Takes the next step, whose time has come.
  void Run(absl::Time now);

  // Ends it at once with status "cancelled" and that reason.
  void Cancel(const std::string& reason);

  // The same, but one or two audio deltas that were on their way still leave first.
  void Interrupt(const std::string& reason, absl::Time now);

  const std::string& id() const { return id_; }
  bool out_of_band() const { return setup_.out_of_band; }
  bool done() const { return done_; }
  const std::string& status() const { return status_; }  // "in_progress", then as in response.done.
  const std::string& reason() const { return reason_; }  // Why it is not completed.

  // All items it made, in order; also those that were never announced are absent.
  std::vector<ModelItemPtr> items() const;

  // When what was sent would have been played, had playing begun with the first delta.
  absl::Time played_until() const { return played_until_; }

 private:
  struct Output {
    ModelItemPtr item;
    std::string audio;
    std::string middle;  // Of audio deltas.
    std::string previous_id;
    bool announced = false;
    bool finished = false;
  };
  struct Step {
    enum class Kind { kAnnounce, kWords, kAudio, kArguments, kFinishItem, kFinish, kCut };
    absl::Time at;
    Kind kind;
    size_t output;
    size_t begin;
    size_t end;
    std::string text;
  };

  void MakeOutputs();
  void MakePlan(absl::Time now);
  absl::Time PlanSpoken(size_t index, absl::Time from, std::vector<Step>* plan);
  void PlanWords(size_t index, absl::Time from, absl::Duration over, std::vector<Step>* plan);
  void PlanCall(size_t index, absl::Time from, std::vector<Step>* plan);
  Json ToJson() const;
  Json Usage() const;
  Json Place(const Output& output, bool content) const;
  void Announce(Output& output);
  void SendWords(Output& output, const std::string& text);
  void SendAudio(Output& output, size_t begin, size_t end, absl::Time now);
  void SendArguments(Output& output, const std::string& text);
  void FinishItem(Output& output, const std::string& status);
  void Finish(const std::string& status, const std::string& reason);
  Json StatusDetails() const;
  int IndexOf(const Output& output) const { return static_cast<int>(&output - outputs_.data()); }

  Setup setup_;
  ModelWire& wire_;
  ModelConversation& conversation_;
  const std::string id_;
  std::vector<Output> outputs_;
  std::deque<Step> plan_;
  std::string status_ = "in_progress";
  std::string reason_;
  std::string cut_reason_;
  bool done_ = false;
  int64_t audio_ms_ = 0;
  absl::Time played_until_;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_RESPONSE_H_
