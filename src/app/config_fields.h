#ifndef CALLBRIDGE_SRC_APP_CONFIG_FIELDS_H_
#define CALLBRIDGE_SRC_APP_CONFIG_FIELDS_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

// What the readers of the configuration's parts have in common.
namespace callbridge::app {

// A configuration on its way into Settings. Reading goes on after a mistake, so that each part is read in one go; the
// first mistake is kept.
class ConfigReading {
 public:
  // Relative files are taken from `folder`; empty: the current one.
  explicit ConfigReading(std::string folder) : folder_(std::move(folder)) {}

  // `message` says what would be right.
  void Wrong(absl::string_view field, absl::string_view message);
  // Whether `good`; a mistake if not.
  bool Check(bool good, absl::string_view field, absl::string_view message);
  // A mistake if `status` is one, whose message names a field of the message at `at`.
  void CheckWithin(absl::string_view at, const absl::Status& status);
  // kOk, or kInvalidArgument: "<field>: <message>".
  const absl::Status& status() const { return status_; }

  // Sets `out` if the number lies between both limits, inclusive.
  void ReadNumber(absl::string_view field, int64_t value, int64_t least, int64_t most, int* out);
  void ReadDuration(absl::string_view field, const google::protobuf::Duration& value, absl::Duration least,
                    absl::Duration most, absl::Duration* out);
  // Sets `out` unless the text is empty.
  static void ReadText(const std::string& text, std::string* out);
  // 1 to 64 letters, digits, '-' or '_', which `seen` does not hold yet.
  bool CheckKey(absl::string_view field, const std::string& key, std::set<std::string>& seen);
  // "+1415": what numbers in E.164 may begin with.
  bool CheckPrefix(absl::string_view field, absl::string_view prefix);
  // What a carrier can dial for us: E.164, or sip:user@host.
  bool CheckDialable(absl::string_view field, absl::string_view number);
  // A file that the configuration names. Empty, and a mistake: it cannot be read, is empty or larger than `most` bytes.
  std::string ReadFile(absl::string_view field, const std::string& path, size_t most);

 private:
  const std::string folder_;
  absl::Status status_;
};

// Whether a request to this address stays secret: https://host[:port]/..., or http:// to this machine. No user name, no
// blanks or control characters.
bool IsSecretKeepingUrl(absl::string_view url);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_CONFIG_FIELDS_H_
