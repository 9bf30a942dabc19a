#include "src/plivo/stream_command.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace callbridge::plivo {
namespace {

constexpr size_t kMaxDigits = 64;

// `text` as a JSON string with its quotes. kInvalidArgument if it is not UTF-8.
absl::StatusOr<std::string> Quoted(absl::string_view key, absl::string_view text) {
  try {
    return nlohmann::json(std::string(text)).dump();
  } catch (const nlohmann::json::type_error&) {
    return absl::InvalidArgumentError(absl::StrCat(key, ": must be UTF-8"));
  }
}

}  // namespace

absl::StatusOr<std::string> FormatCheckpoint(absl::string_view stream_id, absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("checkpoint name: must not be empty");
  if (name.size() > kMaxCheckpointNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint name: longer than ", kMaxCheckpointNameBytes, " bytes"));
  }
  const absl::StatusOr<std::string> quoted_id = Quoted("stream id", stream_id);
  if (!quoted_id.ok()) return quoted_id.status();
  const absl::StatusOr<std::string> quoted_name = Quoted("checkpoint name", name);
  if (!quoted_name.ok()) return quoted_name.status();
  return absl::StrCat(R"({"event":"checkpoint","streamId":)", *quoted_id, R"(,"name":)", *quoted_name, "}");
}

absl::StatusOr<std::string> FormatClearAudio(absl::string_view stream_id) {
  const absl::StatusOr<std::string> quoted_id = Quoted("stream id", stream_id);
  if (!quoted_id.ok()) return quoted_id.status();
  return absl::StrCat(R"({"event":"clearAudio","streamId":)", *quoted_id, "}");
}

absl::StatusOr<std::string> FormatSendDtmf(absl::string_view digits) {
  const bool known = digits.find_first_not_of("0123456789*#ABCD") == absl::string_view::npos;
  if (digits.empty() || digits.size() > kMaxDigits || !known) {
    return absl::InvalidArgumentError(absl::StrCat("digits: must be 1 to ", kMaxDigits, " of 0-9 * # A-D"));
  }
  return absl::StrCat(R"({"event":"sendDTMF","dtmf":")", digits, R"("})");
}

}  // namespace callbridge::plivo
