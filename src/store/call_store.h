#ifndef CALLBRIDGE_SRC_STORE_CALL_STORE_H_
#define CALLBRIDGE_SRC_STORE_CALL_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/call/types.h"
#include "src/events/stored_event.h"
#include "src/store/records.h"

namespace callbridge::store {

// Durable record of calls, their events, transcripts, transfers and leads.
//
// Every method blocks for as long as the database does: call from the store's executor, never from a media loop or a
// gRPC reaction. Thread-safe; results are copies. All implementations pass tests/contract/call_store_contract.h. Any
// method may fail with kUnavailable (database away, locked or disk full; worth a retry) or kInternal (the rest), those
// that take values or a limit with kInvalidArgument (write_check.h; a limit below 1).
class CallStore {
 public:
  virtual ~CallStore() = default;

  struct Created {
    CallRecord call;
    bool existed = false;                     // The same request had made this call before; nothing was written.
    std::vector<events::StoredEvent> events;  // As they were stored; empty if it existed.
  };
  // Adds a call with its first events, and finds or makes the lead of its remote number (`to` of outbound calls, `from`
  // of inbound ones; none if that is not E.164). status is 'called' from here on. Idempotent: an equal `key`, or the
  // call_id of an existing call, returns the existing one with `existed`. kInvalidArgument: `key` was used with another
  // fingerprint (REQUEST_ID_REUSED). Stored events of type CallCreated carry the id of the lead that was found. What
  // only Apply sets (the end, the transfer, transcript, summary) is not taken from `call`.
  virtual absl::StatusOr<Created> CreateCall(const CallRecord& call, const std::vector<call::Event>& events,
                                             const absl::optional<RequestKey>& key) = 0;

  // Applies a step, atomically. A repeat of events already stored changes nothing and returns OK. kFailedPrecondition:
  // events leave a gap behind the call's head, or repeat a sequence with another type. Of a write whose first events
  // are stored already, the rest is applied. kNotFound: no such call. The first End wins; a later one changes nothing.
  // A final state is not left again. `positions`, if given, receives the log positions of the events.
  // `summary_due` makes a job that is due at once (the time of the write), unless there is one or the summary is
  // settled already; `summary_settled` wins over it, and over all later ones. `result` replaces the call's, and the
  // lead's unless a call created later has set that.
  virtual absl::Status Apply(const CallWrite& write, std::vector<int64_t>* positions) = 0;

  // kNotFound: no such call.
  virtual absl::StatusOr<CallRecord> GetCall(absl::string_view call_id) = 0;

  // Newest first; at most `limit` (1 or more).
  virtual absl::StatusOr<std::vector<CallRecord>> ListCalls(const CallFilter& filter,
                                                            const absl::optional<CallPageKey>& after, int limit) = 0;

  // In the order of the conversation. kNotFound: no such call.
  virtual absl::StatusOr<std::vector<call::TranscriptItem>> GetTranscript(absl::string_view call_id) = 0;

  // In the order in which they were requested. kNotFound: no such call.
  virtual absl::StatusOr<std::vector<call::Transfer>> ListTransfers(absl::string_view call_id) = 0;

  // Events of one call with sequence > `after_sequence`, in order. kNotFound: no such call.
  virtual absl::StatusOr<std::vector<events::StoredEvent>> ReadCallEvents(absl::string_view call_id,
                                                                          int64_t after_sequence, int limit) = 0;

  // Events of all calls with position > `after_position`, in order: no event ever appears behind a position that was
  // returned.
  virtual absl::StatusOr<std::vector<events::StoredEvent>> ReadEvents(int64_t after_position, int limit) = 0;

  // The highest position; 0 while there are no events.
  virtual absl::StatusOr<int64_t> HeadPosition() = 0;

  // kNotFound: no such lead.
  virtual absl::StatusOr<LeadRecord> GetLead(absl::string_view lead_id) = 0;
  virtual absl::StatusOr<LeadRecord> FindLead(absl::string_view phone) = 0;

  // Ghosts: ends every call that is not final with `termination` at `now` (duration from its answer time; a
  // StateChanged and a CallEnded event each; the transcript made of the items stored so far), and returns them. A
  // transfer that was under way is closed first, with an event of its own (store::ClosedTransfer()). `summaries_due`:
  // those in which something was said get a summary job; whether their agent wants one is for whoever does the jobs.
  // For the start of a process that owns the database alone.
  virtual absl::StatusOr<std::vector<OpenCall>> CloseOpenCalls(const call::Termination& termination, absl::Time now,
                                                               bool summaries_due) = 0;

  // Jobs with `due` at or before `due_by`, oldest due first; at most `limit` (1 or more).
  virtual absl::StatusOr<std::vector<SummaryJob>> ListSummaryJobs(absl::Time due_by, int limit) = 0;

  // Replaces attempts, due and last_error of a job. kNotFound (SUMMARY_JOB_NOT_FOUND): there is none; it was settled.
  virtual absl::Status SaveSummaryJob(const SummaryJob& job) = 0;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_CALL_STORE_H_
