#include "src/call/transfer_rules.h"

#include "absl/strings/str_cat.h"

namespace callbridge::call {

bool TriesNext(TransferOutcome outcome, bool answered) {
  if (answered) return false;
  switch (outcome) {
    case TransferOutcome::kBusy:
    case TransferOutcome::kNoAnswer:
    case TransferOutcome::kRejected:
    case TransferOutcome::kInvalidTarget:
    case TransferOutcome::kCarrierError: return true;
    case TransferOutcome::kPending:
    case TransferOutcome::kBridged:
    case TransferOutcome::kCallerLeft:
    case TransferOutcome::kCancelled:
    case TransferOutcome::kUnknown: return false;
  }
  return false;
}

absl::string_view InWords(TransferOutcome outcome) {
  switch (outcome) {
    case TransferOutcome::kPending: return "it was not tried to the end";
    case TransferOutcome::kBridged: return "somebody answered";
    case TransferOutcome::kBusy: return "the line was busy";
    case TransferOutcome::kNoAnswer: return "nobody answered";
    case TransferOutcome::kRejected: return "the call was declined";
    case TransferOutcome::kInvalidTarget: return "the number cannot be reached";
    case TransferOutcome::kCallerLeft: return "the caller hung up";
    case TransferOutcome::kCancelled: return "it was cancelled";
    case TransferOutcome::kCarrierError: return "the telephone network failed";
    case TransferOutcome::kUnknown: return "it is not known what came of it";
  }
  return "it is not known what came of it";
}

std::string WhyFailed(const Transfer& transfer) {
  if (transfer.attempts.size() < 2) return std::string(InWords(transfer.outcome));
  std::string words;
  int number = 0;
  for (const TransferAttempt& attempt : transfer.attempts) {
    absl::StrAppend(&words, words.empty() ? "" : "; ", ++number, ". ", InWords(attempt.outcome));
  }
  return words;
}

}  // namespace callbridge::call
