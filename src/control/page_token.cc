#include "src/control/page_token.h"

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "src/base/ids.h"
#include "src/base/sha256.h"
#include "src/control/opaque_token.h"

namespace callbridge::control {
namespace {

constexpr char kCallsKind[] = "l1";
constexpr char kTranscriptKind[] = "t1";
constexpr size_t kFingerprintBytes = 16;

std::string ShortHash(absl::string_view text) { return base::Sha256Hex(text).substr(0, kFingerprintBytes); }

// The same for filters that mean the same.
std::string Fingerprint(const store::CallFilter& filter) {
  std::vector<call::State> states = filter.states;
  std::sort(states.begin(), states.end());
  std::string text;
  for (const call::State state : states) absl::StrAppend(&text, call::Name(state), ",");
  absl::StrAppend(&text, "|", filter.direction ? call::Name(*filter.direction) : "", "|", filter.number, "|",
                  filter.lead_id, "|", absl::FormatTime(filter.created_after, absl::UTCTimeZone()), "|",
                  absl::FormatTime(filter.created_before, absl::UTCTimeZone()));
  return ShortHash(text);
}

}  // namespace

std::string FormatCallPageToken(const store::CallFilter& filter, const store::CallPageKey& last) {
  return SealToken(kCallsKind, {Fingerprint(filter), absl::StrCat(absl::ToUnixNanos(last.create_time)), last.call_id});
}

absl::optional<store::CallPageKey> ParseCallPageToken(const store::CallFilter& filter, absl::string_view token) {
  const auto fields = OpenToken(kCallsKind, 3, token);
  if (!fields || (*fields)[0] != Fingerprint(filter)) return absl::nullopt;
  int64_t nanos = 0;
  if (!absl::SimpleAtoi((*fields)[1], &nanos) || !base::IsCanonicalUuid((*fields)[2])) return absl::nullopt;
  return store::CallPageKey{absl::FromUnixNanos(nanos), (*fields)[2]};
}

std::string FormatTranscriptPageToken(absl::string_view scope, const TranscriptPageKey& key) {
  return SealToken(kTranscriptKind, {ShortHash(scope), absl::StrCat(key.position), absl::StrCat(key.shown)});
}

absl::optional<TranscriptPageKey> ParseTranscriptPageToken(absl::string_view scope, absl::string_view token) {
  const auto fields = OpenToken(kTranscriptKind, 3, token);
  if (!fields || (*fields)[0] != ShortHash(scope)) return absl::nullopt;
  TranscriptPageKey key;
  if (!absl::SimpleAtoi((*fields)[1], &key.position) || !absl::SimpleAtoi((*fields)[2], &key.shown))
    return absl::nullopt;
  return key;
}

}  // namespace callbridge::control
