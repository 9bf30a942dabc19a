#ifndef CALLBRIDGE_SRC_PLIVO_XML_H_
#define CALLBRIDGE_SRC_PLIVO_XML_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The instructions that our webhooks answer with. Every document begins with its declaration at byte 0, is well-formed,
// escapes what it is given, and writes every attribute whose default is not what we want. Serve it with kXmlContentType
// and status 200. Source: Plivo's documentation of the Stream, Dial, Redirect, Speak and Hangup
// elements.
namespace callbridge::plivo {

inline constexpr absl::string_view kXmlContentType = "application/xml";
inline constexpr size_t kMaxUrlBytes = 2048;
inline constexpr size_t kMaxExtraHeaderBytes = 512;

// Writes one document of elements, attributes and text. Remembers the first fault instead of reporting each.
class XmlWriter {
 public:
  XmlWriter();
  // Opens <name>; names are ours and not checked.
  XmlWriter& Open(absl::string_view name);
  // Only directly after Open or another Attribute.
  XmlWriter& Attribute(absl::string_view name, absl::string_view value);
  XmlWriter& Text(absl::string_view text);
  XmlWriter& Close();
  // The document. kInvalidArgument: a value held what XML cannot (control characters, bytes that are not UTF-8); names
  // where. kInternal: elements were left open, or nothing was written.
  absl::StatusOr<std::string> Finish();

 private:
  void EndTag();
  void AppendEscaped(absl::string_view where, absl::string_view text);

  std::string out_;
  std::vector<std::string> open_;
  bool tag_open_ = false;  // The last element's tag still takes attributes.
  bool written_ = false;
  absl::Status status_;
};

// The caller talks to us: a two-way mu-law stream that blocks until it ends, then asks for further instructions.
struct AnswerXml {
  std::string stream_url;           // wss:// (ws:// in tests).
  std::string status_callback_url;  // http(s)://; empty: none.
  std::string redirect_url;  // http(s)://; what the carrier asks when the stream is over. Empty: the call then ends.
  // Come back in the stream's start message. Names and values of [A-Za-z0-9] only, 512 bytes in all; Plivo logs them:
  // no secrets.
  std::vector<std::pair<std::string, std::string>> extra_headers;
  int stream_timeout_seconds = 86400;
};

// The caller is put through to a human.
struct DialXml {
  std::string to;            // E.164 with '+', or "sip:user@host".
  std::string caller_id;     // E.164 with '+': a number of ours. Empty: the caller's own, which carriers may refuse.
  int timeout_seconds = 25;  // Of ringing: 5-120.
  int time_limit_seconds = 14400;  // Of talk: 1-86400.
  std::string action_url;          // http(s)://; asked when the dial is over, and told how it went. Required.
  std::string callback_url;        // http(s)://; told what happens meanwhile. Empty: none.
  // http(s)://; asked, by POST, what is said to the human (a SpeakXml) before the caller is put through. Empty:
  // nothing.
  std::string confirm_sound_url;
  // 0-9 * #; the human is not put through before pressing it. Empty: picking up is enough. With it `confirm_sound_url`
  // is required: nobody presses a key that they were not told of.
  std::string confirm_key;
  int confirm_timeout_seconds = 15;  // Of waiting for the key: 1-120.
  // Whether `action_url` answers with the next instructions. If not, it is only told, and those behind this element
  // apply.
  bool action_continues = true;
  std::string redirect_url;  // http(s)://; asked behind the Dial. Empty: the document ends there.
};

// The call is ended, or, as the first thing before an answer, refused.
struct HangupXml {
  std::string reason;  // "", "rejected" or "busy".
};

// Something is said, by the carrier's own voice. Up to 3000 bytes.
struct SpeakXml {
  std::string text;
};

// No instructions: right for notices, ends a call otherwise.
struct EmptyXml {};

// The documents. kInvalidArgument names the field that is wrong and says what would be right.
absl::StatusOr<std::string> FormatXml(const AnswerXml& answer);
absl::StatusOr<std::string> FormatXml(const DialXml& dial);
absl::StatusOr<std::string> FormatXml(const HangupXml& hangup);
absl::StatusOr<std::string> FormatXml(const SpeakXml& speak);
absl::StatusOr<std::string> FormatXml(const EmptyXml& empty);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_XML_H_
