#ifndef CALLBRIDGE_SRC_STORE_METADATA_JSON_H_
#define CALLBRIDGE_SRC_STORE_METADATA_JSON_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"

// The client's own words as they lie in the columns `metadata`: a JSON object of texts. Equal maps give equal text.
namespace callbridge::store {

// Texts go through CleanText().
std::string EncodeMetadata(const std::map<std::string, std::string>& metadata);

// False: not such an object.
bool DecodeMetadata(absl::string_view text, std::map<std::string, std::string>* metadata);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_METADATA_JSON_H_
