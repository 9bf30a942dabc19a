#include "src/web/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace callbridge::web {
namespace {

struct Cleanup {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return std::string();
  const std::unique_ptr<char, Cleanup> owner(text);
  return text;
}

}  // namespace

bool Url::IsLoopback() const {
  if (host == "[::1]" || absl::EqualsIgnoreCase(host, "localhost")) return true;
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  return parts.size() == 4 && parts[0] == "127" && std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           int number = 0;
           return absl::SimpleAtoi(part, &number) && number >= 0 && number <= 255;
         });
}

Url ReadUrl(absl::string_view text) {
  Url result;
  const std::unique_ptr<CURLU, Cleanup> url(curl_url());
  if (url == nullptr || text.find('\0') != absl::string_view::npos ||
      curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK) {
    return result;
  }
  result.scheme = Part(url.get(), CURLUPART_SCHEME);
  result.host = Part(url.get(), CURLUPART_HOST);
  result.has_credentials = !Part(url.get(), CURLUPART_USER).empty() || !Part(url.get(), CURLUPART_PASSWORD).empty();
  return result;
}

absl::Status CheckUrl(absl::string_view url) {
  const Url read = ReadUrl(url);
  const bool allowed = read.scheme == "https" || (read.scheme == "http" && read.IsLoopback());
  if (!allowed || read.host.empty()) {
    return absl::InvalidArgumentError("not an https:// URL (http:// only to this machine, such as 127.0.0.1)");
  }
  if (read.has_credentials) {
    return absl::InvalidArgumentError("a user or password in the URL; secrets belong into a header");
  }
  return absl::OkStatus();
}

}  // namespace callbridge::web
