#include "src/app/config_fields.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/app/options.h"
#include "src/base/phone.h"

namespace callbridge::app {
namespace {

bool IsKey(absl::string_view key) {
  return !key.empty() && key.size() <= 64 &&
         std::all_of(key.begin(), key.end(), [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; });
}

bool IsSipUri(absl::string_view uri) {
  if (!absl::ConsumePrefix(&uri, "sip:")) return false;
  const size_t at = uri.find('@');
  return at != absl::string_view::npos && at > 0 && at + 1 < uri.size() &&
         std::none_of(uri.begin(), uri.end(), [](unsigned char c) { return c <= ' ' || c == 127; });
}

}  // namespace

void ConfigReading::Wrong(absl::string_view field, absl::string_view message) {
  if (status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat(field, ": ", message));
}

bool ConfigReading::Check(bool good, absl::string_view field, absl::string_view message) {
  if (!good) Wrong(field, message);
  return good;
}

void ConfigReading::CheckWithin(absl::string_view at, const absl::Status& status) {
  if (status_.ok() && !status.ok()) status_ = absl::InvalidArgumentError(absl::StrCat(at, ".", status.message()));
}

void ConfigReading::ReadNumber(absl::string_view field, int64_t value, int64_t least, int64_t most, int* out) {
  if (Check(value >= least && value <= most, field, absl::StrCat(least, " to ", most, " is possible"))) {
    *out = static_cast<int>(value);
  }
}

void ConfigReading::ReadDuration(absl::string_view field, const google::protobuf::Duration& value, absl::Duration least,
                                 absl::Duration most, absl::Duration* out) {
  const absl::Duration duration = absl::Seconds(value.seconds()) + absl::Nanoseconds(value.nanos());
  if (Check(duration >= least && duration <= most, field,
            absl::StrCat(absl::FormatDuration(least), " to ", absl::FormatDuration(most), " is possible"))) {
    *out = duration;
  }
}

void ConfigReading::ReadText(const std::string& text, std::string* out) {
  if (!text.empty()) *out = text;
}

bool ConfigReading::CheckKey(absl::string_view field, const std::string& key, std::set<std::string>& seen) {
  return Check(IsKey(key), field, "1 to 64 letters, digits, '-' or '_' are needed") &&
         Check(seen.insert(key).second, field, absl::StrCat("'", key, "' is there twice"));
}

bool ConfigReading::CheckPrefix(absl::string_view field, absl::string_view prefix) {
  const bool good = prefix.size() >= 2 && prefix.size() <= 16 && prefix[0] == '+' &&
                    std::all_of(prefix.begin() + 1, prefix.end(), absl::ascii_isdigit);
  return Check(good, field, "'+' and digits are needed, such as +1415");
}

bool ConfigReading::CheckDialable(absl::string_view field, absl::string_view number) {
  return Check(base::IsE164(number) || IsSipUri(number), field,
               "neither E.164, such as +14155550142, nor sip:user@host");
}

std::string ConfigReading::ReadFile(absl::string_view field, const std::string& path, size_t most) {
  const bool relative = !folder_.empty() && !absl::StartsWith(path, "/");
  const std::string full = relative ? absl::StrCat(folder_, absl::EndsWith(folder_, "/") ? "" : "/", path) : path;
  errno = 0;
  std::ifstream file(full, std::ios::binary);
  std::string content(most + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (!file.is_open() || file.bad() || (content.empty() && errno != 0)) {
    Wrong(field, absl::StrCat("cannot read ", full, ": ", std::strerror(errno)));
  } else if (content.empty()) {
    Wrong(field, absl::StrCat(full, " is empty"));
  } else if (content.size() > most) {
    Wrong(field, absl::StrCat(full, " is larger than ", most, " bytes"));
    content.clear();
  }
  return content;
}

bool IsSecretKeepingUrl(absl::string_view url) {
  if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 127; })) return false;
  const bool plain = absl::ConsumePrefix(&url, "http://");
  if (!plain && !absl::ConsumePrefix(&url, "https://")) return false;
  const absl::string_view authority = url.substr(0, url.find_first_of("/?#"));
  // What stands before an '@' only looks like a host.
  if (authority.empty() || authority[0] == ':' || authority.find('@') != absl::string_view::npos) return false;
  return !plain || IsLoopback(std::string(authority));
}

}  // namespace callbridge::app
