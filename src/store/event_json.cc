#include "src/store/event_json.h"

#include <array>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/store/json_fields.h"

namespace callbridge::store {
namespace {

using fields::Reader;
using fields::Writer;
using nlohmann::json;

// Default bodies, by the position of their type in the variant.
template <size_t... kIndex>
std::array<call::EventBody, sizeof...(kIndex)> MakeDefaults(std::index_sequence<kIndex...>) {
  return {call::EventBody(std::in_place_index<kIndex>)...};
}

}  // namespace

std::string EncodeAttempts(const std::vector<call::TransferAttempt>& attempts) {
  std::vector<call::TransferAttempt> copy = attempts;
  return Writer::Encode(copy).dump();
}

absl::StatusOr<std::vector<call::TransferAttempt>> DecodeAttempts(absl::string_view payload) {
  const json object = {{"attempts", json::parse(payload, nullptr, /*allow_exceptions=*/false)}};
  std::vector<call::TransferAttempt> attempts;
  Reader reader(object);
  reader("attempts", attempts);
  if (reader.wrong().empty()) return attempts;
  return absl::InvalidArgumentError(
      absl::StrCat("attempts: field ", reader.wrong(), " has the wrong kind or an unknown word"));
}

std::string EncodeEventBody(const call::EventBody& body) {
  call::EventBody copy = body;  // Fields() serves both directions, so it takes what it could write to.
  Writer writer;
  std::visit([&writer](auto& b) { Fields(b, writer); }, copy);
  return writer.Take().dump();
}

absl::optional<call::EventBody> DefaultEventBody(absl::string_view type) {
  static const auto& kDefaults =
      *new auto(MakeDefaults(std::make_index_sequence<std::variant_size_v<call::EventBody>>()));
  for (const call::EventBody& candidate : kDefaults) {
    if (call::TypeName(candidate) == type) return candidate;
  }
  return absl::nullopt;
}

absl::StatusOr<call::EventBody> DecodeEventBody(absl::string_view type, absl::string_view payload) {
  absl::optional<call::EventBody> body = DefaultEventBody(type);
  if (!body) return absl::InvalidArgumentError("unknown type of event");
  const json object = json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    return absl::InvalidArgumentError(absl::StrCat("event ", type, ": the payload is not a JSON object"));
  Reader reader(object);
  std::visit([&reader](auto& b) { Fields(b, reader); }, *body);
  if (reader.wrong().empty()) return *std::move(body);
  return absl::InvalidArgumentError(
      absl::StrCat("event ", type, ": field ", reader.wrong(), " has the wrong kind or an unknown word"));
}

}  // namespace callbridge::store
