#include "src/plivo/form.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace callbridge::plivo {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool Decode(absl::string_view encoded, std::string* decoded) {
  decoded->reserve(encoded.size());
  for (size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '+') {
      decoded->push_back(' ');
    } else if (encoded[i] != '%') {
      decoded->push_back(encoded[i]);
    } else {
      if (i + 2 >= encoded.size()) return false;
      const int high = HexValue(encoded[i + 1]);
      const int low = HexValue(encoded[i + 2]);
      if (high < 0 || low < 0) return false;
      decoded->push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return true;
}

// A name as it may stand in an error message: it comes from outside, so it is cut and escaped.
std::string Shown(absl::string_view name) {
  std::string shown;
  for (const char c : name.substr(0, 64)) shown.push_back(absl::ascii_isgraph(c) && c != '"' ? c : '?');
  return shown;
}

void AppendEncoded(absl::string_view text, std::string* out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("-._~", c)) {
      out->push_back(c);
    } else if (c == ' ') {
      out->push_back('+');
    } else {
      out->push_back('%');
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    }
  }
}

}  // namespace

absl::string_view Form::Get(absl::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  return {};
}

absl::string_view Form::GetIgnoringCase(absl::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

bool Form::Has(absl::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return true;
  }
  return false;
}

absl::StatusOr<Form> ParseForm(absl::string_view encoded) {
  if (encoded.size() > kMaxFormBytes) {
    return absl::InvalidArgumentError(absl::StrCat("form: longer than ", kMaxFormBytes, " bytes"));
  }
  Form::Fields fields;
  for (const absl::string_view piece : absl::StrSplit(encoded, '&', absl::SkipEmpty())) {
    if (fields.size() == kMaxFormFields) {
      return absl::InvalidArgumentError(absl::StrCat("form: more than ", kMaxFormFields, " fields"));
    }
    const size_t equals = piece.find('=');
    const absl::string_view name = piece.substr(0, equals);
    const absl::string_view value = equals == absl::string_view::npos ? absl::string_view() : piece.substr(equals + 1);
    auto& field = fields.emplace_back();
    if (!Decode(name, &field.first) || !Decode(value, &field.second)) {
      return absl::InvalidArgumentError(
          absl::StrCat("form: field \"", Shown(name), "\": '%' must be followed by two hex digits"));
    }
  }
  return Form(std::move(fields));
}

std::string FormatForm(const Form::Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out.push_back('&');
    AppendEncoded(name, &out);
    out.push_back('=');
    AppendEncoded(value, &out);
  }
  return out;
}

}  // namespace callbridge::plivo
