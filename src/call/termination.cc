#include "src/call/termination.h"

namespace callbridge::call {
namespace {

struct Nature {
  Layer layer;
  bool retryable;
  bool failed;  // Even after a conversation.
};

Nature NatureOf(EndReason reason) {
  switch (reason) {
    case EndReason::kNormalHangup: return {Layer::kSignalling, false, false};
    case EndReason::kApiEnded: return {Layer::kControl, false, false};
    case EndReason::kAssistantEnded: return {Layer::kControl, false, false};
    case EndReason::kCallerIdle: return {Layer::kControl, true, false};
    case EndReason::kVoicemailLeft: return {Layer::kSignalling, false, false};
    case EndReason::kTransferCompleted: return {Layer::kTransfer, false, false};
    case EndReason::kNoAnswer: return {Layer::kSignalling, true, true};
    case EndReason::kBusy: return {Layer::kSignalling, true, true};
    case EndReason::kRejected: return {Layer::kSignalling, false, true};
    case EndReason::kInvalidNumber: return {Layer::kSignalling, false, true};
    case EndReason::kCallerCancelled: return {Layer::kSignalling, true, true};
    case EndReason::kCarrierRefused: return {Layer::kSignalling, false, true};
    case EndReason::kCarrierUnavailable: return {Layer::kSignalling, true, true};
    // Calling again might be the second call of the same minute: a person must decide.
    case EndReason::kDialOutcomeUnknown: return {Layer::kSignalling, false, true};
    case EndReason::kAnsweringMachine: return {Layer::kSignalling, true, true};
    case EndReason::kMaxDuration: return {Layer::kControl, false, false};
    case EndReason::kModelRefused: return {Layer::kModelSession, false, true};
    case EndReason::kModelQuota: return {Layer::kModelSession, false, true};
    case EndReason::kModelUnavailable: return {Layer::kModelSession, true, true};
    case EndReason::kModelSessionLost: return {Layer::kModelSession, true, true};
    case EndReason::kMediaStreamLost: return {Layer::kMediaStream, true, true};
    case EndReason::kStreamNeverStarted: return {Layer::kMediaStream, true, true};
    case EndReason::kXmlRejected: return {Layer::kSignalling, false, true};
    case EndReason::kServerDrain: return {Layer::kProcess, true, true};
    case EndReason::kProcessLost: return {Layer::kProcess, true, true};
    case EndReason::kInternalError: return {Layer::kProcess, true, true};
  }
  return {Layer::kProcess, true, true};
}

EndReason Refine(const EndFacts& facts) {
  if (facts.reason != EndReason::kNormalHangup) return facts.reason;
  if (facts.human) return EndReason::kTransferCompleted;
  if (!facts.conversation) return EndReason::kCallerCancelled;
  return facts.reason;
}

}  // namespace

Termination MakeTermination(const EndFacts& facts) {
  Termination termination;
  termination.reason = Refine(facts);
  const Nature nature = NatureOf(termination.reason);
  termination.initiator = facts.initiator;
  termination.layer = nature.layer;
  termination.evidence = facts.evidence;
  termination.retryable = nature.retryable;
  // Whoever asked for the end before anybody talked got no call.
  termination.failed = nature.failed || !facts.conversation;
  return termination;
}

}  // namespace callbridge::call
