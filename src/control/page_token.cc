#include "src/control/page_token.h"

#include <algorithm>
#include <utility>
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
constexpr char kLeadsKind[] = "p1";
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
  // What came later counts only where it is used: tokens of before stay good.
  for (const auto& [key, value] : filter.labels) absl::StrAppend(&text, "|l:", key, "=", value);
  for (const call::EndReason reason : filter.end_reasons) absl::StrAppend(&text, "|r:", call::Name(reason));
  for (const std::string& word : filter.dispositions) absl::StrAppend(&text, "|d:", word.size(), ":", word);
  return ShortHash(text);
}

std::string Fingerprint(const store::LeadFilter& filter) {
  return ShortHash(absl::StrCat(filter.call_status, "|",
                                !filter.suppressed   ? ""
                                : *filter.suppressed ? "yes"
                                                     : "no",
                                "|", absl::FormatTime(filter.updated_after, absl::UTCTimeZone())));
}

// Keys of both listings are a time and an id.
std::string SealKey(absl::string_view kind, const std::string& fingerprint, absl::Time time, const std::string& id) {
  return SealToken(kind, {fingerprint, absl::StrCat(absl::ToUnixNanos(time)), id});
}

absl::optional<std::pair<absl::Time, std::string>> OpenKey(absl::string_view kind, const std::string& fingerprint,
                                                           absl::string_view token) {
  const auto fields = OpenToken(kind, 3, token);
  if (!fields || (*fields)[0] != fingerprint) return absl::nullopt;
  int64_t nanos = 0;
  if (!absl::SimpleAtoi((*fields)[1], &nanos) || !base::IsCanonicalUuid((*fields)[2])) return absl::nullopt;
  return std::make_pair(absl::FromUnixNanos(nanos), (*fields)[2]);
}

}  // namespace

std::string FormatCallPageToken(const store::CallFilter& filter, const store::CallPageKey& last) {
  return SealKey(kCallsKind, Fingerprint(filter), last.create_time, last.call_id);
}

absl::optional<store::CallPageKey> ParseCallPageToken(const store::CallFilter& filter, absl::string_view token) {
  const auto key = OpenKey(kCallsKind, Fingerprint(filter), token);
  if (!key) return absl::nullopt;
  return store::CallPageKey{key->first, key->second};
}

std::string FormatLeadPageToken(const store::LeadFilter& filter, const store::LeadPageKey& last) {
  return SealKey(kLeadsKind, Fingerprint(filter), last.create_time, last.lead_id);
}

absl::optional<store::LeadPageKey> ParseLeadPageToken(const store::LeadFilter& filter, absl::string_view token) {
  const auto key = OpenKey(kLeadsKind, Fingerprint(filter), token);
  if (!key) return absl::nullopt;
  return store::LeadPageKey{key->first, key->second};
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
