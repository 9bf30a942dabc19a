#include "src/control/fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/base/phone.h"
#include "src/control/utf8.h"

namespace callbridge::control {
namespace {

using base::FieldError;

constexpr int kMaxMetadataEntries = 50;
constexpr size_t kMaxMetadataKeyBytes = 64;
constexpr size_t kMaxMetadataValueBytes = 1024;
constexpr int kMaxLabels = 16;
constexpr size_t kMaxLabelBytes = 63;

std::string Readable(absl::Duration duration) { return absl::FormatDuration(duration); }

bool IsValid(const google::protobuf::Duration& duration) {
  constexpr int64_t kMostSeconds = 315'576'000'000;  // As the message's comments define it.
  constexpr int32_t kMostNanos = 999'999'999;
  if (duration.seconds() < -kMostSeconds || duration.seconds() > kMostSeconds) return false;
  if (duration.nanos() < -kMostNanos || duration.nanos() > kMostNanos) return false;
  return !(duration.seconds() > 0 && duration.nanos() < 0) && !(duration.seconds() < 0 && duration.nanos() > 0);
}

bool IsLabelWord(absl::string_view word) {
  if (word.empty() || word.size() > kMaxLabelBytes) return false;
  const auto plain = [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); };
  return plain(word.front()) &&
         std::all_of(word.begin(), word.end(), [&](char c) { return plain(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

absl::Status Required(absl::string_view field, absl::string_view example) {
  return FieldError(field, "FIELD_REQUIRED", absl::StrCat("is required: ", example));
}

absl::StatusOr<std::string> ParseResourceName(absl::string_view field, absl::string_view prefix,
                                              absl::string_view reason, absl::string_view name) {
  if (name.empty()) return Required(field, absl::StrCat(prefix, "{uuid}"));
  absl::string_view id = name;
  absl::ConsumePrefix(&id, prefix);
  if (!base::IsCanonicalUuid(id)) {
    return FieldError(field, reason,
                      absl::StrCat(Quoted(name), " is not a name; write ", prefix, "{uuid}, the UUID in lower case"));
  }
  return std::string(id);
}

absl::Status CheckUuid(absl::string_view field, absl::string_view value) {
  if (value.empty() || base::IsCanonicalUuid(value)) return absl::OkStatus();
  return FieldError(
      field, "INVALID_REQUEST_ID",
      absl::StrCat(Quoted(value), " is not a UUID; write 36 characters, hexadecimal digits in lower case"));
}

absl::Status CheckNumber(absl::string_view field, absl::string_view number) {
  if (base::IsE164(number)) return absl::OkStatus();
  return FieldError(
      field, "INVALID_E164",
      absl::StrCat(Quoted(number), " is not a number in E.164 form; write + and 7 to 15 digits: +14155550100"));
}

absl::Status CheckLength(absl::string_view field, absl::string_view text, size_t most) {
  if (text.size() <= most) return absl::OkStatus();
  return FieldError(field, "TEXT_TOO_LONG", absl::StrCat("has ", text.size(), " bytes; at most ", most, " are taken"));
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view field, const google::protobuf::Duration& value,
                                             absl::Duration least, absl::Duration most, bool whole_seconds) {
  const absl::Duration duration = absl::Seconds(value.seconds()) + absl::Nanoseconds(value.nanos());
  if (IsValid(value) && duration >= least && duration <= most && !(whole_seconds && value.nanos() != 0))
    return duration;
  return FieldError(
      field, "INVALID_DURATION",
      absl::StrCat("must be ", Readable(least), " to ", Readable(most), whole_seconds ? " in whole seconds" : ""));
}

absl::StatusOr<absl::Time> ParseTime(absl::string_view field, const google::protobuf::Timestamp& value) {
  // 0001-01-01 to 9999-12-31, as the message's comments define it.
  constexpr int64_t kFirst = -62'135'596'800;
  constexpr int64_t kLast = 253'402'300'799;
  if (value.seconds() < kFirst || value.seconds() > kLast || value.nanos() < 0 || value.nanos() > 999'999'999) {
    return FieldError(field, "INVALID_FILTER", "is not a time between the years 1 and 9999");
  }
  return absl::FromUnixSeconds(value.seconds()) + absl::Nanoseconds(value.nanos());
}

absl::StatusOr<int> ParsePageSize(int page_size, int normally, int most) {
  if (page_size < 0) {
    return FieldError("page_size", "INVALID_PAGE_SIZE",
                      absl::StrCat("is ", page_size, "; write 1 to ", most, ", or 0 for ", normally));
  }
  return page_size == 0 ? normally : std::min(page_size, most);
}

absl::Status PageTokenError() {
  return FieldError("page_token", "PAGE_TOKEN_INVALID",
                    "is no token for this request; pass next_page_token of the page before and leave the rest of the "
                    "request as it was");
}

absl::Status CheckMetadata(absl::string_view field, const StringMap& metadata) {
  constexpr char kReason[] = "INVALID_METADATA";
  if (metadata.size() > kMaxMetadataEntries) {
    return FieldError(field, kReason,
                      absl::StrCat("has ", metadata.size(), " entries; at most ", kMaxMetadataEntries, " are kept"));
  }
  for (const auto& [key, value] : metadata) {
    if (key.empty() || key.size() > kMaxMetadataKeyBytes) {
      return FieldError(field, kReason,
                        absl::StrCat("key ", Quoted(key), " must have 1 to ", kMaxMetadataKeyBytes, " bytes"));
    }
    if (value.size() > kMaxMetadataValueBytes) {
      return FieldError(field, kReason,
                        absl::StrCat("the value of ", Quoted(key), " has ", value.size(), " bytes; at most ",
                                     kMaxMetadataValueBytes, " are kept"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(absl::string_view field, absl::string_view reason, const StringMap& labels) {
  if (labels.size() > kMaxLabels) {
    return FieldError(field, reason, absl::StrCat("has ", labels.size(), " entries; at most ", kMaxLabels));
  }
  for (const auto& [key, value] : labels) {
    for (const std::string& word : {key, value}) {
      if (IsLabelWord(word)) continue;
      return FieldError(field, reason,
                        absl::StrCat(Quoted(word), " is no word for a label; write 1 to ", kMaxLabelBytes,
                                     " characters of a-z, 0-9, '-', '_', '.', and a letter or digit first"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::set<std::string>> ParseUpdateMask(const google::protobuf::FieldMask& mask,
                                                      const std::set<std::string>& known) {
  const std::string all = absl::StrJoin(known, ", ");
  if (mask.paths_size() == 0) return Required("update_mask", absl::StrCat("one or more of: ", all));
  std::set<std::string> paths;
  for (const std::string& path : mask.paths()) {
    if (known.count(path) == 0) {
      return FieldError("update_mask", "INVALID_UPDATE_MASK",
                        absl::StrCat(Quoted(path), " cannot be written; what can: ", all));
    }
    paths.insert(path);
  }
  return paths;
}

}  // namespace callbridge::control
