#include "src/app/config_destinations.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

namespace callbridge::app {
namespace {

namespace v1 = config::v1;

constexpr int kMaxTargets = 10;
constexpr int kMaxWhisperCharacters = 500;

// Of UTF-8, which the parser has made sure of.
int64_t Characters(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

void ReadTargets(const std::string& at, const v1::Destination& in, ConfigReading& reading, call::Destination& out) {
  if (in.targets().empty()) {
    reading.CheckDialable(at + ".number", in.number());
    out.targets.push_back({in.number()});
    return;
  }
  reading.Check(in.number().empty(), at + ".number", "either a number or targets, not both");
  reading.Check(in.targets_size() <= kMaxTargets, at + ".targets",
                absl::StrCat("at most ", kMaxTargets, " are possible"));
  for (int i = 0; i < in.targets_size(); ++i) {
    const std::string target = absl::StrCat(at, ".targets[", i, "]");
    const v1::Target& one = in.targets(i);
    reading.CheckDialable(target + ".number", one.number());
    call::Destination::Target& made = out.targets.emplace_back();
    made.number = one.number();
    if (one.has_ring_time()) {
      reading.ReadDuration(target + ".ring_time", one.ring_time(), absl::Seconds(5), absl::Seconds(120),
                           &made.ring_time);
    }
  }
}

void ReadDestination(const std::string& at, const v1::Destination& in, ConfigReading& reading,
                     session::Destination& out) {
  ReadTargets(at, in, reading, out.call);
  out.description = in.description();
  out.call.announcement = in.announcement();
  out.call.failure_text = in.failure_text();
  reading.Check(Characters(in.whisper()) <= kMaxWhisperCharacters, at + ".whisper",
                absl::StrCat("at most ", kMaxWhisperCharacters, " characters are possible"));
  out.call.whisper = in.whisper();
  const std::string& key = in.confirm_key();
  const bool is_key = key.size() == 1 && absl::string_view("0123456789*#").find(key[0]) != absl::string_view::npos;
  reading.Check(key.empty() || is_key, at + ".confirm_key", "one of 0-9 * # is needed");
  out.call.confirm_key = key;
}

}  // namespace

void ReadDestinations(const v1::Config& in, ConfigReading& reading, session::Settings& out) {
  std::set<std::string> seen;
  for (int i = 0; i < in.destinations_size(); ++i) {
    const std::string at = absl::StrCat("destinations[", i, "]");
    const v1::Destination& destination = in.destinations(i);
    if (!reading.CheckKey(at + ".key", destination.key(), seen)) continue;
    ReadDestination(at, destination, reading, out.destinations[destination.key()]);
  }
}

void ReadPrefixes(const v1::Config& in, ConfigReading& reading, session::Settings& out) {
  for (int i = 0; i < in.allowed_prefixes_size(); ++i) {
    reading.CheckPrefix(absl::StrCat("allowed_prefixes[", i, "]"), in.allowed_prefixes(i));
    out.allowed_prefixes.push_back(in.allowed_prefixes(i));
  }
  for (int i = 0; i < in.transfer_prefixes_size(); ++i) {
    reading.CheckPrefix(absl::StrCat("transfer_prefixes[", i, "]"), in.transfer_prefixes(i));
    out.transfer_prefixes.push_back(in.transfer_prefixes(i));
  }
}

}  // namespace callbridge::app
