#include "src/base/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"

namespace callbridge::base {
namespace {

struct KindName {
  absl::string_view emoji;
  absl::string_view name;
};

KindName NameOf(LogKind kind) {
  switch (kind) {
    case LogKind::kStart: return {"🚀", "start"};
    case LogKind::kCall: return {"📞", "call"};
    case LogKind::kCaller: return {"🎤", "caller"};
    case LogKind::kAssistant: return {"🔊", "assistant"};
    case LogKind::kBargeIn: return {"✋", "barge_in"};
    case LogKind::kTransfer: return {"🔁", "transfer"};
    case LogKind::kDatabase: return {"💾", "database"};
    case LogKind::kTrouble: return {"⚠️ ", "trouble"};
    case LogKind::kEnd: return {"🏁", "end"};
  }
  return {"", ""};
}

std::atomic<LogFormat> g_format{LogFormat::kText};
std::atomic<bool> g_enabled{true};

// stderr, and a count of flushes: the logger's queue is in order, so a flush that has run is behind all lines before
// it.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  uint64_t flushes() {
    MutexLock lock(flush_mutex_);
    return flushes_;
  }
  void WaitForFlushAfter(uint64_t seen) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    MutexLock lock(flush_mutex_);
    while (flushes_ == seen && std::chrono::steady_clock::now() < deadline) {
      flushed_.WaitFor(flush_mutex_, std::chrono::milliseconds(100));
    }
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    std::fwrite(line.payload.data(), 1, line.payload.size(), stderr);
    std::fputc('\n', stderr);
  }
  void flush_() override {
    std::fflush(stderr);
    MutexLock lock(flush_mutex_);
    ++flushes_;
    flushed_.NotifyAll();
  }

 private:
  Mutex flush_mutex_;
  CondVar flushed_;
  uint64_t flushes_ ABSL_GUARDED_BY(flush_mutex_) = 0;
};

struct Sink {
  std::shared_ptr<StderrSink> out = std::make_shared<StderrSink>();
  std::shared_ptr<spdlog::details::thread_pool> pool = std::make_shared<spdlog::details::thread_pool>(8192, 1);
  std::shared_ptr<spdlog::async_logger> logger =
      std::make_shared<spdlog::async_logger>("callbridge", out, pool, spdlog::async_overflow_policy::overrun_oldest);
};

// Never destroyed: threads may log until the process ends; FlushLog() is what makes the last lines appear.
Sink& TheSink() {
  static auto* const sink = new Sink();
  return *sink;
}

void AppendJsonString(std::string& out, absl::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppend(&out, "\\u", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad4));
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendJsonField(std::string& out, absl::string_view key, absl::string_view value) {
  if (out.size() > 1) out += ',';
  AppendJsonString(out, key);
  out += ':';
  AppendJsonString(out, value);
}

std::string JsonLine(LogKind kind, absl::string_view call_id, absl::string_view message,
                     const std::vector<LogField>& fields, absl::string_view time) {
  std::string out = "{";
  if (!time.empty()) AppendJsonField(out, "ts", time);
  AppendJsonField(out, "kind", NameOf(kind).name);
  if (!call_id.empty()) AppendJsonField(out, "call_id", call_id);
  AppendJsonField(out, "msg", message);
  for (const auto& [key, value] : fields) AppendJsonField(out, key, value);
  return out + "}";
}

// A line is one line whatever a peer put into a value.
void AppendOneLine(std::string& out, absl::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

std::string TextLine(LogKind kind, absl::string_view call_id, absl::string_view message,
                     const std::vector<LogField>& fields) {
  std::string out(NameOf(kind).emoji);
  if (!call_id.empty()) absl::StrAppend(&out, " [", call_id, "]");
  out += ' ';
  AppendOneLine(out, message);
  for (const auto& [key, value] : fields) {
    absl::StrAppend(&out, " ", key, "=");
    AppendOneLine(out, value);
  }
  return out;
}

}  // namespace

void SetLogFormat(LogFormat format) { g_format = format; }

void SetLogEnabled(bool enabled) { g_enabled = enabled; }

std::string FormatLogLine(LogFormat format, LogKind kind, absl::string_view call_id, absl::string_view message,
                          const std::vector<LogField>& fields) {
  return format == LogFormat::kJson ? JsonLine(kind, call_id, message, fields, "")
                                    : TextLine(kind, call_id, message, fields);
}

void Log(LogKind kind, absl::string_view call_id, absl::string_view message, const std::vector<LogField>& fields) {
  if (!g_enabled) return;
  const absl::Time now = absl::Now();
  if (g_format == LogFormat::kJson) {
    TheSink().logger->info("{}", JsonLine(kind, call_id, message, fields,
                                          absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", now, absl::UTCTimeZone())));
  } else {
    TheSink().logger->info("{} {}", absl::FormatTime("%H:%M:%E3S", now, absl::LocalTimeZone()),
                           TextLine(kind, call_id, message, fields));
  }
}

void FlushLog() {
  if (!g_enabled) return;
  const uint64_t seen = TheSink().out->flushes();
  TheSink().logger->flush();
  TheSink().out->WaitForFlushAfter(seen);
}

}  // namespace callbridge::base
