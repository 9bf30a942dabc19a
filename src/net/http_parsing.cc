#include "src/net/http_parsing.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace callbridge::net {
namespace {

using websocketpp::http::exception;
namespace status_code = websocketpp::http::status_code;

// The lines between the request line and the empty line.
base::HttpHeaders ParseHeaderLines(absl::string_view head) {
  base::HttpHeaders headers;
  const std::vector<absl::string_view> lines = absl::StrSplit(head, "\r\n", absl::SkipEmpty());
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    if (colon == absl::string_view::npos) continue;  // The library refuses such a line itself.
    headers.emplace_back(std::string(lines[i].substr(0, colon)),
                         std::string(absl::StripAsciiWhitespace(lines[i].substr(colon + 1))));
  }
  return headers;
}

bool IsLength(absl::string_view text) {
  return !text.empty() && text.size() <= 18 && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

size_t RequestParser::consume(const char* bytes, size_t size) {
  try {
    if (!head_complete_) {
      head_.append(bytes, size);  // Bounded: beyond 16,000 bytes without an empty line the library throws.
      const size_t end = head_.find("\r\n\r\n");
      if (end != std::string::npos) {
        head_complete_ = true;
        headers_ = ParseHeaderLines(absl::string_view(head_).substr(0, end));
        head_.clear();
        head_.shrink_to_fit();
        CheckHead();
      }
    }
    return request::consume(bytes, size);
  } catch (const exception&) {
    refused_ = true;
    throw;
  }
}

void RequestParser::CheckHead() {
  std::string length;
  std::string version;
  bool upgrades = false;
  for (const auto& [name, value] : headers_) {
    // The library strips blanks around a name: a folded line, or "Content-Length :", would mean one thing to us and
    // another to a proxy before us.
    if (std::any_of(name.begin(), name.end(), websocketpp::http::is_not_token_char)) {
      throw exception("Bad Request: header name", status_code::bad_request);
    }
    if (absl::EqualsIgnoreCase(name, "Transfer-Encoding")) {
      throw exception("Length Required", status_code::length_required);
    }
    if (absl::EqualsIgnoreCase(name, "Content-Length")) {
      if (!IsLength(value) || (!length.empty() && length != value)) {
        throw exception("Bad Request: Content-Length", status_code::bad_request);
      }
      length = value;
    }
    if (absl::EqualsIgnoreCase(name, "Upgrade") && absl::StrContains(absl::AsciiStrToLower(value), "websocket"))
      upgrades = true;
    if (absl::EqualsIgnoreCase(name, "Sec-WebSocket-Version")) version = value;
  }
  if (upgrades && version != "13") throw exception("Upgrade Required", status_code::upgrade_required);
}

std::string ResponseWriter::raw() const {
  if (get_status_code() == status_code::switching_protocols) return response::raw();
  response whole = *this;
  whole.replace_header("Connection", "close");
  if (get_header("Content-Length").empty()) whole.replace_header("Content-Length", "0");
  if (get_status_code() == status_code::upgrade_required) whole.replace_header("Sec-WebSocket-Version", "13");
  return whole.raw();
}

}  // namespace callbridge::net
