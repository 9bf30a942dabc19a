#ifndef CALLBRIDGE_SRC_SIM_CARRIER_XML_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_XML_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/sim/xml_reader.h"

// Answer documents, checked as strictly as Plivo's documentation allows.
namespace callbridge::sim {

// The elements of a <Response>, in order. kInvalidArgument with the reason: not well formed, over 100 KB, anything
// before the declaration, another root, an unknown element or attribute (names are case-sensitive), wrong nesting, text
// where none belongs.
absl::StatusOr<std::vector<XmlElement>> ReadAnswer(absl::string_view body);

// A <Stream> element as values.
struct StreamOrder {
  std::string url;  // As written, white space at the ends removed.
  bool bidirectional = false;
  bool keep_alive = false;
  std::string audio_track = "inbound";
  std::string content_type = "audio/x-l16;rate=8000";
  absl::Duration timeout = absl::Seconds(86400);
  std::string status_url;
  std::string status_method = "POST";
  std::vector<std::pair<std::string, std::string>> extra_headers;

  std::string Encoding() const;  // "audio/x-mulaw"
  int SampleRate() const;        // 8000
  int BytesPerSecond() const;    // 8000, 16000, 32000
};

// kInvalidArgument: an attribute that Plivo refuses, with the reason (the call then ends with 8011..8014). `warnings`
// gets what it takes but what is surely a mistake: defaults that nobody wants, ws:// and the like.
absl::StatusOr<StreamOrder> ReadStream(const XmlElement& element, std::vector<std::string>& warnings);

// extra_headers as the stream's messages carry them, a whole JSON value: "a=1;b=2" | "{X-PH-a: 1, X-PH-b: 2}" |
// "{\"a\":\"1\"}", quoted and escaped; empty for "missing".
std::string ExtraHeadersJson(absl::string_view manner, const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_XML_H_
