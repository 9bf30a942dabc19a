#include "src/bench/figures.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "src/bench/statistics.h"

namespace callbridge::bench {
namespace {

using Json = nlohmann::ordered_json;

// A figure of a run and what it is called in JSON.
struct Figure {
  const char* name;
  double Run::*value;
};
constexpr Figure kFigures[] = {
    {"caller_to_model_p50_us", &Run::to_model_p50_us},   {"caller_to_model_p99_us", &Run::to_model_p99_us},
    {"model_to_caller_p50_us", &Run::to_caller_p50_us},  {"model_to_caller_p99_us", &Run::to_caller_p99_us},
    {"cpu_us_per_frame_pair", &Run::cpu_us_per_pair},    {"core_percent_per_call", &Run::core_percent_per_call},
    {"memory_kb_per_call", &Run::kb_per_call},           {"delivered_percent", &Run::delivered_percent},
    {"load_core_percent", &Run::load_core_percent},
};

const char* Name(Program program) { return program == Program::kRelay ? "relay" : "callbridge"; }

Row MakeRow(const std::vector<Run>& runs, const Run& like) {
  Row row;
  row.median.load = like.load;
  row.median.program = like.program;
  std::vector<const Run*> good;
  for (const Run& run : runs) {
    if (!(run.load == like.load) || run.program != like.program) continue;
    if (run.trouble.empty()) {
      good.push_back(&run);
    } else {
      row.note = run.trouble;
    }
  }
  row.runs = static_cast<int>(good.size());
  for (const Figure& figure : kFigures) {
    std::vector<double> values;
    for (const Run* run : good) values.push_back(run->*figure.value);
    row.median.*figure.value = Median(values);
  }
  if (row.runs > 0 && row.note.empty() && row.median.delivered_percent < kEnoughDelivered) {
    row.note = absl::StrFormat("only %.0f%% of the frames came through: this machine does not carry the load",
                               row.median.delivered_percent);
  }
  return row;
}

Json LoadJson(const Case& load) { return {{"calls", load.calls}, {"piece_ms", load.piece_ms}}; }

Json RunJson(const Run& run) {
  Json json = LoadJson(run.load);
  json["program"] = Name(run.program);
  for (const Figure& figure : kFigures) json[figure.name] = run.*figure.value;
  return json;
}

double Ratio(double ours, double floor) { return floor > 0 ? ours / floor : 0; }

}  // namespace

std::vector<Row> MakeRows(const std::vector<Run>& runs) {
  std::vector<Row> rows;
  for (const Run& run : runs) {
    const bool there = std::any_of(rows.begin(), rows.end(), [&run](const Row& row) {
      return row.median.load == run.load && row.median.program == run.program;
    });
    if (!there) rows.push_back(MakeRow(runs, run));
  }
  return rows;
}

std::vector<Comparison> Compare(const std::vector<Row>& rows) {
  std::vector<Comparison> comparisons;
  for (const Row& ours : rows) {
    if (ours.median.program != Program::kCallbridge || ours.runs == 0) continue;
    for (const Row& relay : rows) {
      if (relay.median.program != Program::kRelay || relay.runs == 0 || !(relay.median.load == ours.median.load)) continue;
      comparisons.push_back({ours.median.load, Ratio(ours.median.cpu_us_per_pair, relay.median.cpu_us_per_pair),
                             Ratio(ours.median.to_model_p99_us, relay.median.to_model_p99_us),
                             Ratio(ours.median.to_caller_p99_us, relay.median.to_caller_p99_us),
                             ours.median.kb_per_call - relay.median.kb_per_call});
    }
  }
  return comparisons;
}

std::string FormatTable(const std::vector<Row>& rows, const std::vector<Comparison>& comparisons) {
  std::string out;
  absl::StrAppendFormat(&out, "%6s %6s %-10s %9s %9s %9s %9s %9s %9s %9s %5s  %s\n", "pieces", "calls", "program", "in p50us",
                        "in p99us", "out p50us", "out p99us", "cpuus/pr", "core%/cl", "KB/call", "runs", "note");
  for (const Row& row : rows) {
    const Run& run = row.median;
    absl::StrAppendFormat(&out, "%4d   %6d %-10s ", run.load.piece_ms, run.load.calls, Name(run.program));
    if (row.runs > 0) {
      absl::StrAppendFormat(&out, "%9.0f %9.0f %9.0f %9.0f %9.1f %9.3f %9.1f ", run.to_model_p50_us, run.to_model_p99_us,
                            run.to_caller_p50_us, run.to_caller_p99_us, run.cpu_us_per_pair, run.core_percent_per_call,
                            run.kb_per_call);
    } else {
      absl::StrAppendFormat(&out, "%9s %9s %9s %9s %9s %9s %9s ", "-", "-", "-", "-", "-", "-", "-");
    }
    absl::StrAppendFormat(&out, "%5d  %s\n", row.runs, row.note);
  }
  absl::StrAppend(&out, "in: caller to model, out: model to caller; cpuus/pr: CPU microseconds per frame pair (20 ms of a call, both ways)\n");
  if (!comparisons.empty()) {
    absl::StrAppendFormat(&out, "\ncallbridge beside the relay (the aims are for %d calls)\n", kAimCalls);
    absl::StrAppendFormat(&out, "%6s %6s %22s %22s %22s %24s\n", "pieces", "calls", "CPU per frame pair", "p99 caller to model",
                          "p99 model to caller", "KB per call beyond");
    absl::StrAppendFormat(&out, "%6s %6s %22s %22s %22s %24s\n", "", "aim", absl::StrFormat("<= %.1f times", kAimRatio),
                          absl::StrFormat("<= %.1f times", kAimRatio), absl::StrFormat("<= %.1f times", kAimRatio),
                          absl::StrFormat("<= %.0f KB", kAimKbPerCall));
  }
  for (const Comparison& comparison : comparisons) {
    absl::StrAppendFormat(&out, "%4d   %6d %16.2f times %16.2f times %16.2f times %21.1f KB\n", comparison.load.piece_ms,
                          comparison.load.calls, comparison.cpu_ratio, comparison.to_model_p99_ratio,
                          comparison.to_caller_p99_ratio, comparison.kb_per_call_beyond);
  }
  return out;
}

std::string FormatJson(const Setting& setting, const std::vector<Run>& runs, const std::vector<Row>& rows,
                       const std::vector<Comparison>& comparisons) {
  Json json;
  json["setting"] = {{"date", setting.date},
                     {"machine", setting.machine},
                     {"cores", setting.cores},
                     {"threads", setting.threads},
                     {"window_seconds", setting.window_seconds},
                     {"warmup_seconds", setting.warmup_seconds}};
  json["aims"] = {{"calls", kAimCalls},
                  {"cpu_per_frame_pair_ratio", kAimRatio},
                  {"added_p99_ratio", kAimRatio},
                  {"memory_kb_per_call_beyond_relay", kAimKbPerCall}};
  json["rows"] = json["ratios"] = json["runs"] = Json::array();
  for (const Row& row : rows) {
    Json entry = row.runs > 0 ? RunJson(row.median) : LoadJson(row.median.load);
    entry["program"] = Name(row.median.program);
    entry["runs"] = row.runs;
    entry["note"] = row.note;
    json["rows"].push_back(entry);
  }
  for (const Comparison& comparison : comparisons) {
    Json entry = LoadJson(comparison.load);
    entry["cpu_per_frame_pair_ratio"] = comparison.cpu_ratio;
    entry["caller_to_model_p99_ratio"] = comparison.to_model_p99_ratio;
    entry["model_to_caller_p99_ratio"] = comparison.to_caller_p99_ratio;
    entry["memory_kb_per_call_beyond_relay"] = comparison.kb_per_call_beyond;
    json["ratios"].push_back(entry);
  }
  for (const Run& run : runs) {
    Json entry = RunJson(run);
    entry["trouble"] = run.trouble;
    json["runs"].push_back(entry);
  }
  return absl::StrCat(json.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace callbridge::bench
