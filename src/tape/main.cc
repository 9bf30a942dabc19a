// Runs calls again from their tapes, without network or clock, and says whether they would go the same way today.

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "src/tape/reader.h"
#include "src/tape/replay.h"
#include "src/tape/update.h"

namespace {

constexpr char kUsage[] =
    "callbridge_replay [--quiet] [--update] FILE...\n"
    "\n"
    "Runs each call again from the tape that it left in --tape_dir: the same inputs at the same times, no network, no\n"
    "clock. Prints the timeline (seconds since the begin; '<' what happened, '>' what the call wanted, '=' what was\n"
    "recorded), and stops at the first command or event that differs from the tape.\n"
    "\n"
    "  --quiet   only the verdicts, and differences\n"
    "  --update  rewrites the tapes with what the call makes of their inputs now, after a change that is wanted\n"
    "  --help    this text\n"
    "\n"
    "Exit status: 0 all are the same, 1 one differs, 2 one cannot be read.\n";

enum Status { kSame = 0, kDifferent = 1, kUnreadable = 2 };

Status UpdateFile(const std::string& path) {
  const auto tape = callbridge::tape::ReadTapeFile(path);
  if (!tape.ok()) {
    fprintf(stderr, "%s: %s\n", path.c_str(), std::string(tape.status().message()).c_str());
    return kUnreadable;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!(file << callbridge::tape::Update(*tape) << std::flush)) {
    fprintf(stderr, "%s: cannot be written\n", path.c_str());
    return kUnreadable;
  }
  printf("%s: updated\n", path.c_str());
  return kSame;
}

Status ReplayFile(const std::string& path, bool quiet) {
  const auto tape = callbridge::tape::ReadTapeFile(path);
  if (!tape.ok()) {
    fprintf(stderr, "%s: %s\n", path.c_str(), std::string(tape.status().message()).c_str());
    return kUnreadable;
  }
  const auto print = [](absl::string_view line) {
    fwrite(line.data(), 1, line.size(), stdout);
    putchar('\n');
  };
  const auto verdict = quiet ? callbridge::tape::Replay(*tape) : callbridge::tape::Replay(*tape, print);
  printf("%s: %s\n%s", path.c_str(), verdict.Summary().c_str(), verdict.difference.c_str());
  return verdict.same ? kSame : kDifferent;
}

}  // namespace

int main(int argc, char** argv) {
  bool quiet = false;
  bool update = false;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help") {
      fputs(kUsage, stdout);
      return kSame;
    }
    if (word == "--quiet") {
      quiet = true;
    } else if (word == "--update") {
      update = true;
    } else if (word.size() > 1 && word[0] == '-') {
      fprintf(stderr, "%s: there is no such flag\n\n%s", word.c_str(), kUsage);
      return kUnreadable;
    } else {
      files.push_back(word);
    }
  }
  if (files.empty()) {
    fprintf(stderr, "a tape is needed\n\n%s", kUsage);
    return kUnreadable;
  }
  Status worst = kSame;
  for (const std::string& file : files) {
    const Status status = update ? UpdateFile(file) : ReplayFile(file, quiet);
    if (status > worst) worst = status;
  }
  return worst;
}
