#ifndef CALLBRIDGE_SRC_CONTROL_PAGE_TOKEN_H_
#define CALLBRIDGE_SRC_CONTROL_PAGE_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/store/records.h"

namespace callbridge::control {

// Tokens of ListCalls, ListLeads and GetTranscript: opaque to clients, versioned, bound to what was asked for, so that
// a token used with another filter is refused instead of answering with a mixture.

std::string FormatCallPageToken(const store::CallFilter& filter, const store::CallPageKey& last);

// nullopt: not a token of ListCalls, damaged, or made for another filter.
absl::optional<store::CallPageKey> ParseCallPageToken(const store::CallFilter& filter, absl::string_view token);

std::string FormatLeadPageToken(const store::LeadFilter& filter, const store::LeadPageKey& last);

// nullopt: not a token of ListLeads, damaged, or made for another filter.
absl::optional<store::LeadPageKey> ParseLeadPageToken(const store::LeadFilter& filter, absl::string_view token);

// Where a page of GetTranscript begins. Items may share a position, so it also says how many of that position were
// shown.
struct TranscriptPageKey {
  int64_t position = 0;
  int64_t shown = 0;
};

// `scope` names call and view.
std::string FormatTranscriptPageToken(absl::string_view scope, const TranscriptPageKey& key);

// nullopt: not a token of GetTranscript, damaged, or made for another scope.
absl::optional<TranscriptPageKey> ParseTranscriptPageToken(absl::string_view scope, absl::string_view token);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_PAGE_TOKEN_H_
