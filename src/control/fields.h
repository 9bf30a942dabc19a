#ifndef CALLBRIDGE_SRC_CONTROL_FIELDS_H_
#define CALLBRIDGE_SRC_CONTROL_FIELDS_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/map.h>
#include <google/protobuf/timestamp.pb.h>

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Checks of single fields of requests. Pure. `field` is the path that the error names; every error is kInvalidArgument,
// with the reason that is said here.
namespace callbridge::control {

inline constexpr size_t kMaxReasonBytes = 512;

using StringMap = google::protobuf::Map<std::string, std::string>;

// FIELD_REQUIRED. `example` is what would be right.
absl::Status Required(absl::string_view field, absl::string_view example);

// "calls/{uuid}" or "{uuid}" -> the id, with the prefix "calls/"; FIELD_REQUIRED, else `reason`.
absl::StatusOr<std::string> ParseResourceName(absl::string_view field, absl::string_view prefix,
                                              absl::string_view reason, absl::string_view name);

// "" or a UUID; INVALID_REQUEST_ID.
absl::Status CheckUuid(absl::string_view field, absl::string_view value);

// E.164; INVALID_E164.
absl::Status CheckNumber(absl::string_view field, absl::string_view number);

// TEXT_TOO_LONG.
absl::Status CheckLength(absl::string_view field, absl::string_view text, size_t most);

// At most 50 entries, keys of 1 to 64 bytes, values of at most 1,024; INVALID_METADATA.
absl::Status CheckMetadata(absl::string_view field, const StringMap& metadata);

// At most 16 entries; keys and values are 1 to 63 of a-z, 0-9, '-', '_', '.', with a letter or digit first. `reason`.
absl::Status CheckLabels(absl::string_view field, absl::string_view reason, const StringMap& labels);

// INVALID_DURATION.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view field, const google::protobuf::Duration& value,
                                             absl::Duration least, absl::Duration most, bool whole_seconds);

// INVALID_FILTER.
absl::StatusOr<absl::Time> ParseTime(absl::string_view field, const google::protobuf::Timestamp& value);

// 0 means `normally`, more than `most` means that. INVALID_PAGE_SIZE, for the field `page_size`.
absl::StatusOr<int> ParsePageSize(int page_size, int normally, int most);

// PAGE_TOKEN_INVALID, for the field `page_token`.
absl::Status PageTokenError();

// The paths of `update_mask`, one or more of `known`. FIELD_REQUIRED, INVALID_UPDATE_MASK.
absl::StatusOr<std::set<std::string>> ParseUpdateMask(const google::protobuf::FieldMask& mask,
                                                      const std::set<std::string>& known);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_FIELDS_H_
