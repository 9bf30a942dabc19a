#ifndef CALLBRIDGE_SRC_BASE_LOG_H_
#define CALLBRIDGE_SRC_BASE_LOG_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace callbridge::base {

// What a line is about; each kind has its emoji in the text format.
enum class LogKind { kStart, kCall, kCaller, kAssistant, kBargeIn, kTransfer, kDatabase, kTrouble, kEnd };

enum class LogFormat { kText, kJson };

// A key and its value. Never a transcript, a key, a URL with a query, or a phone number that base::MaskNumber has not
// seen.
using LogField = std::pair<absl::string_view, std::string>;

// Sets where lines go and how they look; call once, before other threads log. Before that, lines are text on stderr.
void SetLogFormat(LogFormat format);

// Silences all lines, for tests and benchmarks. Any thread.
void SetLogEnabled(bool enabled);

// Writes one line to stderr: time, emoji, call id (may be empty), `message`, fields. Any thread. Does not wait for a
// slow reader of stderr: lines queue for a thread of their own, and the oldest are dropped when it falls 8,192 behind.
// One line per step of a call; never per audio frame.
void Log(LogKind kind, absl::string_view call_id, absl::string_view message, const std::vector<LogField>& fields = {});

// Writes out what is queued. Call before the process ends.
void FlushLog();

// The line that Log() writes, without time and newline; for tests.
std::string FormatLogLine(LogFormat format, LogKind kind, absl::string_view call_id, absl::string_view message,
                          const std::vector<LogField>& fields);

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_LOG_H_
