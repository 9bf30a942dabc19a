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
  // only Apply sets (the end, the transfer, transcript, summary) is not taken from `call`. kFailedPrecondition: an
  // outbound call to a lead that is suppressed (LEAD_SUPPRESSED {lead}); nothing is written.
  virtual absl::StatusOr<Created> CreateCall(const CallRecord& call, const std::vector<call::Event>& events,
                                             const absl::optional<RequestKey>& key) = 0;

  // The call that CreateCall() made for this request. nullopt: it made none. kInvalidArgument: as CreateCall().
  virtual absl::StatusOr<absl::optional<CallRecord>> FindRequest(const RequestKey& key) = 0;

  // Applies a step, atomically. A repeat of events already stored changes nothing and returns OK. kFailedPrecondition:
  // events leave a gap behind the call's head, or repeat a sequence with another type. Of a write whose first events
  // are stored already, the rest is applied. kNotFound: no such call. The first End wins; a later one changes nothing.
  // A final state is not left again. `positions`, if given, receives the log positions of the events.
  // `summary_due` makes a job that is due at once (the time of the write), unless there is one or the summary is
  // settled already; `summary_settled` wins over it, and over all later ones. `result` replaces the call's, and the
  // lead's unless a call created later has set that. A call that was erased takes neither texts nor numbers any more:
  // its events become tombstones. kAborted (OWNER_CHANGED {call}): the write has an owner, and that is not the call's
  // any more; nothing of it is written, and a repeat of stored events is refused as well: a former owner must learn.
  virtual absl::Status Apply(const CallWrite& write, std::vector<int64_t>* positions) = 0;

  // kNotFound: no such call.
  virtual absl::StatusOr<CallRecord> GetCall(absl::string_view call_id) = 0;

  // Changes what is the client's own in a call, at any time of its life, and returns the call. The last write wins; a
  // repeat changes nothing. kNotFound: no such call. kFailedPrecondition: it was erased (CALL_ERASED {call}).
  virtual absl::StatusOr<CallRecord> UpdateCall(const CallUpdate& update) = 0;

  // The newest call with that CallUUID, else the newest with that RequestUUID; empty ids find nothing. kNotFound: no
  // such call.
  virtual absl::StatusOr<CallRecord> FindCall(absl::string_view carrier_call_id,
                                              absl::string_view carrier_request_id) = 0;

  // Newest first; at most `limit` (1 or more).
  virtual absl::StatusOr<std::vector<CallRecord>> ListCalls(const CallFilter& filter,
                                                            const absl::optional<CallPageKey>& after, int limit) = 0;

  // In the order of the conversation. kNotFound: no such call.
  virtual absl::StatusOr<std::vector<call::TranscriptItem>> GetTranscript(absl::string_view call_id) = 0;

  // In the order in which they were requested. kNotFound: no such call.
  virtual absl::StatusOr<std::vector<call::Transfer>> ListTransfers(absl::string_view call_id) = 0;

  // Events of one call with sequence > `after_sequence`, in order. kNotFound: no such call. kOutOfRange: some of them
  // were purged (EVENTS_PURGED {oldest}: the least `after_sequence` that is answered).
  virtual absl::StatusOr<std::vector<events::StoredEvent>> ReadCallEvents(absl::string_view call_id,
                                                                          int64_t after_sequence, int limit) = 0;

  // Events of all calls with position > `after_position`, in order: no event ever appears behind a position that was
  // returned. kOutOfRange: some of them were purged (EVENTS_PURGED {oldest}: OldestPosition()).
  virtual absl::StatusOr<std::vector<events::StoredEvent>> ReadEvents(int64_t after_position, int limit) = 0;

  // The highest position there ever was; 0 before the first event.
  virtual absl::StatusOr<int64_t> HeadPosition() = 0;

  // The position behind which every event is still there: the highest that was purged, 0 before that.
  virtual absl::StatusOr<int64_t> OldestPosition() = 0;

  // The database is an older state of itself, restored from a backup: events that came after it are gone, whoever may
  // have seen them. Later positions are above all that may have been given out. To be said before anything else is
  // written. The stores notice by themselves where they can: SQLite, a copy that BackUp() made; PostgreSQL, another
  // server or database, or a new timeline, which a failover begins too.
  virtual absl::Status NoteRestored(absl::Time now) = 0;

  // What restores took away, oldest first. Who has seen events there must begin again from before.
  virtual absl::StatusOr<std::vector<LostPositions>> ListLostPositions() = 0;

  // kNotFound: no such lead (LEAD_NOT_FOUND).
  virtual absl::StatusOr<LeadRecord> GetLead(absl::string_view lead_id) = 0;
  virtual absl::StatusOr<LeadRecord> FindLead(absl::string_view phone) = 0;

  // Adds a lead; of `lead` its lead_id, phone, name, metadata, suppressed, suppressed_reason and create_time are taken.
  // Idempotent: the same lead_id with the same content (but for the time) returns the lead as it is now.
  // kAlreadyExists: the id was used with another content, or by a call (LEAD_ID_REUSED {lead}); the phone has a lead
  // (LEAD_EXISTS {lead}). Every change of a lead, whoever makes it, raises its revision; a repeat of what is there
  // already does not.
  virtual absl::StatusOr<LeadRecord> CreateLead(const LeadRecord& lead) = 0;

  // Newest first; at most `limit` (1 or more).
  virtual absl::StatusOr<std::vector<LeadRecord>> ListLeads(const LeadFilter& filter,
                                                            const absl::optional<LeadPageKey>& after, int limit) = 0;

  // Changes a lead at `now` and returns it. kNotFound: no such lead. kAborted: it is not at `update.revision` any more
  // (LEAD_CHANGED {lead, revision}). Suppressing a suppressed lead again takes the new reason and keeps the time.
  virtual absl::StatusOr<LeadRecord> UpdateLead(const LeadUpdate& update, absl::Time now) = 0;

  // Ghosts: ends every call that is not final with `termination` at `now` (duration from its answer time; a
  // StateChanged and a CallEnded event each; the transcript made of the items stored so far), and returns them. A
  // transfer that was under way is closed first, with an event of its own (store::ClosedTransfer()). `summaries_due`:
  // those in which something was said get a summary job; whether their agent wants one is for whoever does the jobs.
  // For the start of a process that owns the database alone; nodes that share it have NodeTable::Reap(), and
  // PostgresStore refuses theirs with kFailedPrecondition.
  virtual absl::StatusOr<std::vector<OpenCall>> CloseOpenCalls(const call::Termination& termination, absl::Time now,
                                                               bool summaries_due) = 0;

  // Jobs with `due` at or before `due_by`, oldest due first; at most `limit` (1 or more).
  virtual absl::StatusOr<std::vector<SummaryJob>> ListSummaryJobs(absl::Time due_by, int limit) = 0;

  // Replaces attempts, due and last_error of a job. kNotFound (SUMMARY_JOB_NOT_FOUND): there is none; it was settled.
  virtual absl::Status SaveSummaryJob(const SummaryJob& job) = 0;

  // Takes a job for oneself: moves its due time to `until` if it is still as in `job`, as it was listed. False:
  // somebody else has taken it meanwhile, or it was settled. A repeat by the one who has it is false, too.
  virtual absl::StatusOr<bool> ClaimSummaryJob(const SummaryJob& job, absl::Time until) = 0;

  // Notes that somebody read a transcript. kNotFound: no such call.
  virtual absl::Status AddTranscriptRead(const TranscriptRead& read) = 0;

  // Of one call, in the order in which they were noted; at most `limit` (1 or more). kNotFound: no such call.
  virtual absl::StatusOr<std::vector<TranscriptRead>> ListTranscriptReads(absl::string_view call_id, int limit) = 0;

  // Erases a person by phone number, in one transaction: the lead; in each call with that number on the other side
  // (`to` of outbound calls, `from` of inbound ones) the number, transcript, summary, result, metadata, labels and the
  // words in which somebody gave reasons; its transcript items, the numbers and words of its transfers, the payloads of
  // its events (type, sequence and position stay), its summary job. What the carrier settled, times and states stay.
  // Notes and returns who did it and what it touched; a number that nobody has leaves a note too. kInvalidArgument: not
  // E.164, or nobody did it. kFailedPrecondition: calls with that number are not over (CALLS_NOT_OVER {calls}).
  virtual absl::StatusOr<Erasure> EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) = 0;

  // Newest first; at most `limit` (1 or more).
  virtual absl::StatusOr<std::vector<Erasure>> ListErasures(int limit) = 0;

  // Removes what is older than `keep` says, of at most `max_calls` (1 or more) calls per kind, oldest first, in one
  // transaction. Only of calls that are over and wait for no summary. Numbers of events are never used again.
  virtual absl::StatusOr<Purged> Purge(const Retention& keep, int max_calls) = 0;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_CALL_STORE_H_
