#include "src/sim/carrier_form.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace callbridge::sim {
namespace {

void AppendEncoded(absl::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '*') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string Decode(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void ReadNumber(const Params& params, absl::string_view key, int low, int high, int& value) {
  int read;
  if (absl::SimpleAtoi(Find(params, key), &read) && read >= low && read <= high) value = read;
}

}  // namespace

std::string EncodeForm(const Params& params) {
  std::string out;
  for (const auto& [key, value] : params) {
    if (!out.empty()) out += '&';
    AppendEncoded(key, out);
    out += '=';
    AppendEncoded(value, out);
  }
  return out;
}

Params DecodeForm(absl::string_view text) {
  Params params;
  for (absl::string_view piece : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(piece, absl::MaxSplits('=', 1));
    params.emplace_back(Decode(pair.first), Decode(pair.second));
  }
  return params;
}

absl::string_view Find(const Params& params, absl::string_view name) {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return {};
}

std::string Url::Spell() const { return absl::StrCat(scheme, "://", authority, path, query.empty() ? "" : "?", query); }

absl::StatusOr<Url> ParseUrl(absl::string_view text) {
  const absl::string_view whole = text;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ') {
      return absl::InvalidArgumentError(absl::StrCat("white space in the URL '", whole, "'"));
    }
  }
  Url url;
  const size_t colon = text.find("://");
  if (colon != absl::string_view::npos) url.scheme = absl::AsciiStrToLower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "wss") {
    return absl::InvalidArgumentError(absl::StrCat("'", whole, "' is no http(s):// or ws(s):// URL"));
  }
  text.remove_prefix(colon + 3);
  const auto cut = [&text](char mark, std::string& tail) {
    const size_t at = text.find(mark);
    if (at == absl::string_view::npos) return;
    tail = std::string(text.substr(at + 1));
    text = text.substr(0, at);
  };
  cut('#', url.fragment);
  cut('?', url.query);
  const size_t slash = text.find('/');
  if (slash != absl::string_view::npos) {
    url.path = std::string(text.substr(slash));
    text = text.substr(0, slash);
  }
  const size_t at = text.rfind('@');
  if (at != absl::string_view::npos) text.remove_prefix(at + 1);
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat("'", whole, "' names no host"));
  url.authority = std::string(text);
  return url;
}

Url MapUrl(const Url& url, absl::string_view public_base, absl::string_view dial_base) {
  if (public_base.empty() || dial_base.empty()) return url;
  const absl::StatusOr<Url> from = ParseUrl(public_base);
  const absl::StatusOr<Url> to = ParseUrl(dial_base);
  if (!from.ok() || !to.ok() || !absl::EqualsIgnoreCase(from->authority, url.authority)) return url;
  Url mapped = url;
  const bool socket = absl::StartsWith(url.scheme, "ws");
  const bool secure = to->scheme == "https" || to->scheme == "wss";
  mapped.scheme = absl::StrCat(socket ? "ws" : "http", secure ? "s" : "");
  mapped.authority = to->authority;
  return mapped;
}

FetchLimits ReadLimits(absl::string_view fragment, int default_retries) {
  FetchLimits limits;
  limits.retries = default_retries;
  const Params params = DecodeForm(fragment);
  ReadNumber(params, "ct", 100, 10000, limits.connect_ms);
  ReadNumber(params, "rt", 100, 40000, limits.read_ms);
  ReadNumber(params, "tt", 100, 55000, limits.total_ms);
  ReadNumber(params, "rc", 0, 5, limits.retries);
  const absl::string_view policy = Find(params, "rp");
  if (policy.empty()) return limits;
  const bool all = absl::StrContains(policy, "all");
  limits.retry_4xx = all || absl::StrContains(policy, "4xx");
  limits.retry_5xx = all || absl::StrContains(policy, "5xx");
  limits.retry_connect = all || absl::StrContains(policy, "ct");
  limits.retry_read = all || absl::StrContains(policy, "rt");
  return limits;
}

}  // namespace callbridge::sim
