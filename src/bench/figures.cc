#include "src/bench/figures.h"

#include <algorithm>
#include <utility>

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
  double Trial::*value;
};
constexpr Figure kFigures[] = {
    {"caller_to_model_p50_us", &Trial::to_model_p50_us},
    {"caller_to_model_p99_us", &Trial::to_model_p99_us},
    {"model_to_caller_p50_us", &Trial::to_caller_p50_us},
    {"model_to_caller_p99_us", &Trial::to_caller_p99_us},
    {"cpu_us_per_frame_pair", &Trial::cpu_us_per_pair},
    {"core_percent_per_call", &Trial::core_percent_per_call},
    {"memory_kb_per_call", &Trial::kb_per_call},
    {"delivered_percent", &Trial::delivered_percent},
    {"answer_to_audio_p50_us", &Trial::first_p50_us},
    {"answer_to_audio_p99_us", &Trial::first_p99_us},
    {"stop_p50_us", &Trial::stop_p50_us},
    {"stop_p99_us", &Trial::stop_p99_us},
    {"stop_inside_p99_us", &Trial::stop_inside_p99_us},
    {"stopped_percent", &Trial::stopped_percent},
    {"thrown_p50_ms", &Trial::thrown_p50_ms},
    {"thrown_p99_ms", &Trial::thrown_p99_ms},
    {"gaps_per_minute", &Trial::gaps_per_minute},
    {"load_core_percent", &Trial::load_core_percent},
};

const char* Name(Program program) { return program == Program::kRelay ? "relay" : "callbridge"; }

Row MakeRow(const std::vector<Trial>& trials, const Trial& like) {
  Row row;
  row.median.load = like.load;
  row.median.program = like.program;
  std::vector<const Trial*> good;
  for (const Trial& trial : trials) {
    if (!(trial.load == like.load) || trial.program != like.program) continue;
    if (trial.trouble.empty()) {
      good.push_back(&trial);
    } else {
      row.note = trial.trouble;
    }
  }
  row.runs = static_cast<int>(good.size());
  for (const Figure& figure : kFigures) {
    std::vector<double> values;
    for (const Trial* trial : good) values.push_back(trial->*figure.value);
    row.median.*figure.value = Median(values);
  }
  if (row.runs > 0 && row.note.empty() && row.median.delivered_percent < kEnoughDelivered) {
    row.note = absl::StrFormat("only %.0f%% of the frames came through: this machine does not carry the load",
                               row.median.delivered_percent);
  }
  return row;
}

Json LoadJson(const Case& load) {
  Json json = {{"calls", load.calls}, {"piece_ms", load.piece_ms}};
  if (load.ahead_ms > 0) json["ahead_ms"] = load.ahead_ms;
  if (load.lead_ms > 0) json["lead_ms"] = load.lead_ms;
  if (load.sent_ms > 0) json["sent_ms"] = load.sent_ms;
  return json;
}

Json TrialJson(const Trial& trial) {
  Json json = LoadJson(trial.load);
  json["program"] = Name(trial.program);
  for (const Figure& figure : kFigures) json[figure.name] = trial.*figure.value;
  return json;
}

double Ratio(double ours, double floor) { return floor > 0 ? ours / floor : 0; }

using Pair = std::pair<const Trial*, const Trial*>;  // Ours and the relay's.

std::vector<Pair> FindPairs(const std::vector<Trial>& trials, const Case& load) {
  std::vector<Pair> pairs;
  for (const Trial& ours : trials) {
    if (!(ours.load == load) || ours.program != Program::kCallbridge || !ours.trouble.empty()) continue;
    for (const Trial& relay : trials) {
      const bool other = relay.load == load && relay.program == Program::kRelay && relay.pair == ours.pair;
      if (other && relay.trouble.empty()) pairs.emplace_back(&ours, &relay);
    }
  }
  return pairs;
}

double MedianRatio(const std::vector<Pair>& pairs, double Trial::*figure) {
  std::vector<double> ratios;
  for (const auto& [ours, relay] : pairs) ratios.push_back(Ratio(ours->*figure, relay->*figure));
  return Median(ratios);
}

Comparison ComparePairs(const std::vector<Pair>& pairs, const Case& load) {
  std::vector<double> beyond;
  for (const auto& [ours, relay] : pairs) beyond.push_back(ours->kb_per_call - relay->kb_per_call);
  Comparison comparison;
  comparison.load = load;
  comparison.pairs = static_cast<int>(pairs.size());
  comparison.cpu_ratio = MedianRatio(pairs, &Trial::cpu_us_per_pair);
  comparison.to_model_p99_ratio = MedianRatio(pairs, &Trial::to_model_p99_us);
  comparison.to_caller_p99_ratio = MedianRatio(pairs, &Trial::to_caller_p99_us);
  comparison.kb_per_call_beyond = Median(beyond);
  return comparison;
}

}  // namespace

std::vector<Row> MakeRows(const std::vector<Trial>& trials) {
  std::vector<Row> rows;
  for (const Trial& trial : trials) {
    const bool there = std::any_of(rows.begin(), rows.end(), [&trial](const Row& row) {
      return row.median.load == trial.load && row.median.program == trial.program;
    });
    if (!there) rows.push_back(MakeRow(trials, trial));
  }
  return rows;
}

std::vector<Comparison> Compare(const std::vector<Trial>& trials) {
  std::vector<Comparison> comparisons;
  for (const Trial& trial : trials) {
    const bool there = std::any_of(comparisons.begin(), comparisons.end(),
                                   [&trial](const Comparison& comparison) { return comparison.load == trial.load; });
    if (there) continue;
    const Comparison comparison = ComparePairs(FindPairs(trials, trial.load), trial.load);
    if (comparison.pairs > 0) comparisons.push_back(comparison);
  }
  return comparisons;
}

std::string FormatTable(const std::vector<Row>& rows, const std::vector<Comparison>& comparisons) {
  std::string out;
  absl::StrAppendFormat(&out, "%6s %6s %-10s %9s %9s %9s %9s %9s %9s %9s %5s  %s\n", "pieces", "calls", "program",
                        "in p50us", "in p99us", "out p50us", "out p99us", "cpuus/pr", "core%/cl", "KB/call", "runs",
                        "note");
  for (const Row& row : rows) {
    const Trial& trial = row.median;
    absl::StrAppendFormat(&out, "%4d   %6d %-10s ", trial.load.piece_ms, trial.load.calls, Name(trial.program));
    if (row.runs > 0) {
      absl::StrAppendFormat(&out, "%9.0f %9.0f %9.0f %9.0f %9.1f %9.3f %9.1f ", trial.to_model_p50_us,
                            trial.to_model_p99_us, trial.to_caller_p50_us, trial.to_caller_p99_us,
                            trial.cpu_us_per_pair, trial.core_percent_per_call, trial.kb_per_call);
    } else {
      absl::StrAppendFormat(&out, "%9s %9s %9s %9s %9s %9s %9s ", "-", "-", "-", "-", "-", "-", "-");
    }
    absl::StrAppendFormat(&out, "%5d  %s\n", row.runs, row.note);
  }
  absl::StrAppend(&out,
                  "in: caller to model, out: model to caller; cpuus/pr: CPU microseconds per frame pair (20 ms of a "
                  "call, both ways)\n");
  absl::StrAppendFormat(&out, "\n%6s %6s %-10s %11s %11s %11s %9s %12s %12s\n", "pieces", "calls", "program",
                        "stop p50us", "stop p99us", "inside p99", "stopped%", "first p50us", "first p99us");
  for (const Row& row : rows) {
    const Trial& trial = row.median;
    if (row.runs == 0) continue;
    absl::StrAppendFormat(&out, "%4d   %6d %-10s %11.0f %11.0f %11s %9.1f %12.0f %12.0f\n", trial.load.piece_ms,
                          trial.load.calls, Name(trial.program), trial.stop_p50_us, trial.stop_p99_us,
                          trial.stop_inside_p99_us > 0 ? absl::StrFormat("<= %.0f", trial.stop_inside_p99_us) : "-",
                          trial.stopped_percent, trial.first_p50_us, trial.first_p99_us);
  }
  absl::StrAppendFormat(
      &out,
      "stop: speech_started to clearAudio, both at the load's ends; inside: callbridge's own part, from "
      "speech_started read to\nclearAudio written (aim at %d calls: p99 <= %.0f us); first: the stream's start "
      "to its first audio\n",
      kAimCalls, kAimStopMicros);
  if (!comparisons.empty()) {
    absl::StrAppendFormat(&out, "\ncallbridge beside the relay (the aims are for %d calls)\n", kAimCalls);
    absl::StrAppendFormat(&out, "%6s %6s %22s %22s %22s %24s\n", "pieces", "calls", "CPU per frame pair",
                          "p99 caller to model", "p99 model to caller", "KB per call beyond");
    absl::StrAppendFormat(&out, "%6s %6s %22s %22s %22s %24s\n", "", "aim", absl::StrFormat("<= %.1f times", kAimRatio),
                          absl::StrFormat("<= %.1f times", kAimRatio), absl::StrFormat("<= %.1f times", kAimRatio),
                          absl::StrFormat("<= %.0f KB", kAimKbPerCall));
  }
  for (const Comparison& comparison : comparisons) {
    absl::StrAppendFormat(&out, "%4d   %6d %16.2f times %16.2f times %16.2f times %21.1f KB\n",
                          comparison.load.piece_ms, comparison.load.calls, comparison.cpu_ratio,
                          comparison.to_model_p99_ratio, comparison.to_caller_p99_ratio, comparison.kb_per_call_beyond);
  }
  return out;
}

std::string FormatPlayoutTable(const std::vector<Row>& rows) {
  std::string out;
  absl::StrAppendFormat(&out, "%6s %7s %6s %9s %11s %11s %13s %13s %9s %5s  %s\n", "lead", "pieces", "calls",
                        "core%/cl", "stop p50us", "stop p99us", "thrown p50ms", "thrown p99ms", "gaps/min", "runs",
                        "note");
  for (const Row& row : rows) {
    const Trial& trial = row.median;
    absl::StrAppendFormat(&out, "%6d %7d %6d ", trial.load.lead_ms, trial.load.sent_ms, trial.load.calls);
    if (row.runs > 0) {
      absl::StrAppendFormat(&out, "%9.3f %11.0f %11.0f %13.0f %13.0f %9.2f ", trial.core_percent_per_call,
                            trial.stop_p50_us, trial.stop_p99_us, trial.thrown_p50_ms, trial.thrown_p99_ms,
                            trial.gaps_per_minute);
    } else {
      absl::StrAppendFormat(&out, "%9s %11s %11s %13s %13s %9s ", "-", "-", "-", "-", "-", "-");
    }
    absl::StrAppendFormat(&out, "%5d  %s\n", row.runs, row.note);
  }
  absl::StrAppend(
      &out,
      "stop: speech_started to clearAudio; thrown: audio at the carrier, unheard, when clearAudio came; gaps: the "
      "carrier had nothing left to play, per minute of a call\n");
  return out;
}

std::string FormatJson(const Setting& setting, const std::vector<Trial>& trials, const std::vector<Row>& rows,
                       const std::vector<Comparison>& comparisons, const std::vector<StreamFigures>& streams) {
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
                  {"memory_kb_per_call_beyond_relay", kAimKbPerCall},
                  {"stop_p99_us", kAimStopMicros},
                  {"to_stream_p99_us", kAimStreamMicros}};
  json["rows"] = json["ratios"] = json["runs"] = json["streams"] = Json::array();
  for (const Row& row : rows) {
    Json entry = row.runs > 0 ? TrialJson(row.median) : LoadJson(row.median.load);
    entry["program"] = Name(row.median.program);
    entry["runs"] = row.runs;
    entry["note"] = row.note;
    json["rows"].push_back(entry);
  }
  for (const Comparison& comparison : comparisons) {
    Json entry = LoadJson(comparison.load);
    entry["pairs"] = comparison.pairs;
    entry["cpu_per_frame_pair_ratio"] = comparison.cpu_ratio;
    entry["caller_to_model_p99_ratio"] = comparison.to_model_p99_ratio;
    entry["model_to_caller_p99_ratio"] = comparison.to_caller_p99_ratio;
    entry["memory_kb_per_call_beyond_relay"] = comparison.kb_per_call_beyond;
    json["ratios"].push_back(entry);
  }
  for (const Trial& trial : trials) {
    Json entry = TrialJson(trial);
    entry["pair"] = trial.pair;
    entry["trouble"] = trial.trouble;
    json["runs"].push_back(entry);
  }
  for (const StreamFigures& figures : streams) {
    json["streams"].push_back({{"streams", figures.load.streams},
                               {"stalled", figures.load.stalled},
                               {"calls", kStreamCalls},
                               {"events_per_second", figures.events_per_second},
                               {"to_stream_p50_us", figures.p50_us},
                               {"to_stream_p99_us", figures.p99_us},
                               {"core_percent", figures.core_percent},
                               {"kb_per_stream", figures.kb_per_stream},
                               {"kb_per_stalled", figures.kb_per_stalled}});
  }
  return absl::StrCat(json.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace callbridge::bench
