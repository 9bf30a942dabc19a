#ifndef CALLBRIDGE_SRC_STORE_RECORDS_H_
#define CALLBRIDGE_SRC_STORE_RECORDS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/call/event.h"
#include "src/call/types.h"

// What a store keeps, as values.
namespace callbridge::store {

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
  int64_t event_head = 0;                       // Highest event sequence.
  bool answered_by_machine = false;             // As the carrier told; false: a person, or nobody knows.
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
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_RECORDS_H_
