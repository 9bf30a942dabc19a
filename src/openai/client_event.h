#ifndef CALLBRIDGE_SRC_OPENAI_CLIENT_EVENT_H_
#define CALLBRIDGE_SRC_OPENAI_CLIENT_EVENT_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::openai {

// The client events of the Realtime API as JSON text; session.update is in session_config.h. `event_id` (up to 512
// characters, empty: none) comes back in the error if the event fails, though not always. Text that is not UTF-8 is
// sent with U+FFFD in place of the broken bytes. Pure, any thread.

// input_audio_buffer.append in parts, for a sender that gathers: the parts around the base64 are constants, `base64` is
// viewed, not copied. It must have passed audio::DecodedSize(): anything else could end the JSON string. Not answered.
std::array<absl::string_view, 3> AppendParts(absl::string_view base64);

// Ends a turn by hand: only without turn detection, and refused below 100 ms of audio. Creates no response.
std::string FormatCommit(absl::string_view event_id);

// Drops the audio that no commit has taken yet.
std::string FormatClear(absl::string_view event_id);

// Under which id a new item is to be known, and where it goes.
struct Placement {
  absl::string_view item_id;  // At most 32 of [A-Za-z0-9_-], new to the conversation. Empty: the server's choice.
  absl::string_view previous_item_id;  // It stays behind this one; "root": first of all. Empty: at the end.
};

// Adds to the conversation. The assistant's text is for rebuilding a conversation: what the caller heard, as text.
std::string FormatSystemText(absl::string_view text, absl::string_view event_id, const Placement& place = {});
std::string FormatUserText(absl::string_view text, absl::string_view event_id, const Placement& place = {});
std::string FormatAssistantText(absl::string_view text, absl::string_view event_id, const Placement& place = {});

// A finished tool call, when rebuilding a conversation; its output must follow. `call_id` is of [A-Za-z0-9_-].
std::string FormatFunctionCall(absl::string_view call_id, absl::string_view name, absl::string_view arguments,
                               absl::string_view event_id, const Placement& place = {});

// What a tool call gave, for the model to read: JSON text by convention. Does not make the model speak:
// FormatResponseCreate does, once the response that made the call is done.
std::string FormatFunctionCallOutput(absl::string_view call_id, absl::string_view output, absl::string_view event_id);

// Cuts an assistant's audio item to the first `audio_end_ms` (counted inside the item; below 0 is sent as 0). The
// server refuses more than it sent, and then believes that the caller heard all of it. Its transcript of the item is
// gone afterwards.
std::string FormatTruncate(absl::string_view item_id, int64_t content_index, int64_t audio_end_ms,
                           absl::string_view event_id);

std::string FormatDelete(absl::string_view item_id, absl::string_view event_id);

// Asks the assistant to speak. Refused while a response of the conversation runs.
std::string FormatResponseCreate(absl::string_view event_id);

// The same under other instructions, for this response only, and without tools: the instructions replace the session's,
// they are not added to them.
// `request_id` (not empty) is told again in the response's events: RequestIdOf().
std::string FormatResponseCreate(absl::string_view instructions, absl::string_view event_id,
                                 absl::string_view request_id = "");

// The `request_id` of FormatResponseCreate() in a response's metadata; empty: it has none.
std::string RequestIdOf(const std::map<std::string, std::string>& metadata);

// A text response outside the conversation, which it reads and does not change. It may run beside the conversation's
// own response; `purpose` comes back as metadata {"purpose": ...} in ResponseCreated and ResponseDone, which tells them
// apart.
std::string FormatTextAside(absl::string_view instructions, absl::string_view purpose, int64_t max_output_tokens,
                            absl::string_view event_id);

// Whether a response's metadata is that of a FormatTextAside() with `purpose`.
bool IsAside(const std::map<std::string, std::string>& metadata, absl::string_view purpose);

// Stops one response. With an empty id it would hit whichever runs when the event arrives, so `response_id` must not be
// empty. Only ours to send when the session does not interrupt by itself.
std::string FormatCancel(absl::string_view response_id, absl::string_view event_id);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_CLIENT_EVENT_H_
