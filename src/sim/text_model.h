#ifndef CALLBRIDGE_SRC_SIM_TEXT_MODEL_H_
#define CALLBRIDGE_SRC_SIM_TEXT_MODEL_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "src/base/http_message.h"
#include "src/base/mutex.h"

namespace callbridge::sim {

// What the text model was asked.
struct TextModelRequest {
  int status = 0;  // Of the answer.
  std::string model;
  std::string instructions;
  std::string input;
  int64_t max_output_tokens = 0;
  bool stored = true;  // The service keeps what it is sent unless `store` is false.
};

// The text model of the same service (POST /v1/responses, non-streaming), as strict as the real one about the key, the
// parameters and the schemas of strict mode. Its answer fits the schema asked for: the first word of each enum, null
// where that may be, and what SetResult says. Thread-safe.
class TextModel {
 public:
  explicit TextModel(std::string api_key) : api_key_(std::move(api_key)) {}

  // Whether requests to that path are its.
  static bool Serves(absl::string_view path);

  // A JSON object, merged into the answers from now on: {"disposition": "callback"}.
  void SetResult(const std::string& json);

  // What happens to the next requests, one each: "http:429", "http:429:7" (with Retry-After: 7), "incomplete" (the
  // tokens are used up), "refusal", "garbage" (no JSON), "prose" (no JSON in the text). Then all is well.
  void SetFaults(const std::vector<std::string>& faults);

  // `summary` is given as the value of a property of that name.
  base::HttpResponse Answer(const base::HttpRequest& request, const std::string& summary);

  // All that came since the start, in order.
  std::vector<TextModelRequest> Requests() const;

 private:
  std::string TakeFault();
  void Remember(const base::HttpRequest& request, int status);

  const std::string api_key_;
  mutable base::Mutex mutex_;
  std::string result_ ABSL_GUARDED_BY(mutex_) = "{}";
  std::deque<std::string> faults_ ABSL_GUARDED_BY(mutex_);
  std::vector<TextModelRequest> requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_TEXT_MODEL_H_
