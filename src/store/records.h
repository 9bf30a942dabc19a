#ifndef CALLBRIDGE_SRC_STORE_RECORDS_H_
#define CALLBRIDGE_SRC_STORE_RECORDS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/call/event.h"
#include "src/call/settlement.h"
#include "src/call/types.h"

// What a store keeps, as values.
namespace callbridge::store {

using call::Settlement;

// Which node has a call, and in which of its ownerships: whoever takes a call away raises the epoch. Where one process
// has the database alone, calls have no owner.
struct Owner {
  std::string node_id;  // Empty: none.
  int64_t epoch = 0;    // From 1 on.
  bool operator==(const Owner& other) const { return node_id == other.node_id && epoch == other.epoch; }
};

// One row of call_logs.
struct CallRecord {
  std::string call_id;  // UUID, ours.
  call::Direction direction = call::Direction::kInbound;
  std::string from;
  std::string to;
  std::string agent;
  std::string lead_id;             // Filled in by CreateCall.
  std::string carrier_call_id;     // CallUUID; empty until the carrier told it.
  std::string carrier_request_id;  // RequestUUID of an outbound call.
  std::string model_session_id;
  call::State state = call::State::kDialing;
  absl::Time create_time;
  absl::Time answer_time = absl::InfinitePast();  // InfinitePast: never answered.
  absl::Time end_time = absl::InfinitePast();     // InfinitePast: not over.
  int64_t duration_seconds = 0;                   // From answer to end.
  bool transferred = false;
  std::string transfer_reason;
  absl::optional<call::Termination> termination;  // Set once, when the state becomes final.
  std::string
      transcript;  // Whole conversation as heard, a line per item: "Caller: ...\nAssistant: ...". Written at the end.
  std::string summary;
  call::CallResult result;
  std::map<std::string, std::string> metadata;  // The client's own.
  std::map<std::string, std::string> labels;    // The client's own, to find calls by.
  int64_t event_head = 0;                       // Highest event sequence.
  bool answered_by_machine = false;             // As the carrier told; false: a person, or nobody knows.
  Settlement settlement;
  int64_t event_floor = 0;                       // Events up to this sequence were purged.
  absl::Time erase_time = absl::InfinitePast();  // When the person was erased from it. InfinitePast: was not.
  Owner owner;                                   // Written by CreateCall.
};

// What a client wants changed in a call; what is not set stays.
struct CallUpdate {
  std::string call_id;
  absl::optional<std::map<std::string, std::string>> metadata;  // In place of all that was there.
  absl::optional<std::map<std::string, std::string>> labels;    // In place of all that were there.
};

// One row of leads: a person, by phone number.
struct LeadRecord {
  std::string lead_id;
  std::string phone;  // E.164, unique.
  std::string name;
  std::string call_status;  // "new", "called", "transferred".
  bool transferred_to_human = false;
  std::string last_call_id;
  absl::Time create_time;
  absl::Time update_time;
  call::CallResult result;     // Of this person's newest call that has one; fields_json stays with the call.
  std::string result_call_id;  // That call; empty: there is none.
  std::string status_call_id;  // The call that wrote call_status; empty: none did.
  std::map<std::string, std::string> metadata;        // The client's own.
  bool suppressed = false;                            // Must not be dialled.
  std::string suppressed_reason;                      // Why; empty while not suppressed.
  absl::Time suppressed_time = absl::InfinitePast();  // Since when. InfinitePast: is not.
  int64_t revision = 1;  // Goes up with each change of anything above, and only then. The API's etag.
};

// What a client wants changed in a lead; what is not set stays.
struct LeadUpdate {
  std::string lead_id;
  absl::optional<std::string> name;
  absl::optional<std::map<std::string, std::string>> metadata;  // In place of all that was there.
  absl::optional<bool> suppressed;
  std::string suppressed_reason;     // Taken when `suppressed` is true.
  absl::optional<int64_t> revision;  // Only if the lead is still at this one. Not set: the last write wins.
};

// Which leads ListLeads shows; empty members do not filter.
struct LeadFilter {
  std::string call_status;
  absl::optional<bool> suppressed;
  absl::Time updated_after = absl::InfinitePast();  // Inclusive.
};

// Where a page of ListLeads begins: behind this lead. Newest first.
struct LeadPageKey {
  absl::Time create_time;
  std::string lead_id;
};

// What an outbound call was asked with, so that the same request dials once.
struct RequestKey {
  std::string principal;    // Who asked; "" for the open development port.
  std::string request_id;   // The client's UUID.
  std::string fingerprint;  // Hash of the request's content.
};

// Everything that one step of a call changes, written in one transaction: either all of it or nothing.
struct CallWrite {
  std::string call_id;

  // Set: the writer has the call as this owner; nothing is written once it has another one. Not set: whoever has the
  // call, this may be added (what comes after its end).
  absl::optional<Owner> owner;
  std::vector<call::Event>
      events;  // Sequences go on from the call's head without a gap; a repeat of a write is recognized.
  absl::optional<call::State> state;
  absl::optional<absl::Time> answer_time;
  absl::optional<std::string> carrier_call_id;
  absl::optional<std::string> carrier_request_id;
  absl::optional<std::string> model_session_id;
  std::vector<call::TranscriptItem> transcript_items;  // Inserted or replaced by item_id.
  absl::optional<call::Transfer> transfer;             // Inserted or replaced by transfer_id.

  // On a transfer: call_logs.transferred and transfer_reason; on the lead transferred_to_human and call_status
  // 'transferred'. False takes it back (nobody took over).
  absl::optional<bool> transferred;
  std::string transfer_reason;  // Written when `transferred` is set.

  // At the end: end_time, duration, transcript, termination, final state; on the lead call_status 'called' unless it
  // was transferred.
  struct End {
    call::Termination termination;
    absl::Time end_time;
    int64_t duration_seconds = 0;
    std::string transcript;
  };
  absl::optional<End> end;
  absl::optional<std::string> transcript;  // A later, better transcript (late user text) after the end.
  absl::optional<std::string> summary;
  absl::optional<call::CallResult> result;  // On the call, and what of it concerns the lead there.

  // The call is over and somebody has to sum it up: makes its SummaryJob. `summary_settled`: it was done, or given up;
  // the job goes.
  bool summary_due = false;
  bool summary_settled = false;
  bool answered_by_machine = false;  // True: the call was; false says nothing.

  // What of it is told replaces what was told before; its `time` too, unless nothing else changes. Also after the end.
  absl::optional<Settlement> settlement;
};

// That a call which is over waits for its summary.
struct SummaryJob {
  std::string call_id;
  int attempts = 0;        // Made so far.
  absl::Time due;          // When to try next.
  std::string last_error;  // Of the last attempt; empty: none was made.
};

// Which calls ListCalls shows; empty members do not filter.
struct CallFilter {
  std::vector<call::State> states;
  absl::optional<call::Direction> direction;
  std::string number;  // Either side.
  std::string lead_id;
  absl::Time created_after = absl::InfinitePast();     // Inclusive.
  absl::Time created_before = absl::InfiniteFuture();  // Exclusive.
  std::map<std::string, std::string> labels;           // All of these, each with this value.
  std::vector<call::EndReason> end_reasons;            // Over, for one of these.
  std::vector<std::string> dispositions;               // One of these.
};

// Where a page of ListCalls begins: behind this call. Newest first.
struct CallPageKey {
  absl::Time create_time;
  std::string call_id;
};

// A call that a previous process left open.
struct OpenCall {
  std::string call_id;
  std::string carrier_call_id;
  call::State state = call::State::kDialing;
  Owner owner;  // That it had.
};

// That somebody read what was said in a call.
struct TranscriptRead {
  std::string call_id;
  std::string principal;  // Who asked; "" for the open development port.
  absl::Time time;
};

// How many rows lost what they said of a person.
struct ErasureCounts {
  int64_t leads = 0;
  int64_t calls = 0;
  int64_t transcript_items = 0;
  int64_t transfers = 0;
  int64_t events = 0;
  int64_t summary_jobs = 0;
};

// That a phone number was erased. Says of the number no more than store::NumberHash().
struct Erasure {
  std::string erasure_id;  // UUID, ours.
  std::string by;          // Who did it, in their own words.
  absl::Time time;
  std::string number_hash;
  ErasureCounts counts;
};

// How far back each kind of record is kept, by the end of its call. InfinitePast: for ever.
struct Retention {
  absl::Time events = absl::InfinitePast();       // call_events.
  absl::Time transcripts = absl::InfinitePast();  // What was said: items, call_logs.transcript, events that quote it,
                                                  // and who read it.
  absl::Time calls = absl::InfinitePast();        // Whole calls, with all that belongs to them.
};

// Positions behind `after` and before `before`: what had them was taken away by a restore from a backup.
struct LostPositions {
  int64_t after = 0;
  int64_t before = 0;
};

// What one batch of a purge removed.
struct Purged {
  int64_t events = 0;       // Rows.
  int64_t transcripts = 0;  // Calls that lost what was said.
  int64_t calls = 0;
  bool more = false;  // There is more to remove: purge again.
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_RECORDS_H_
