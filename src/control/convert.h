#ifndef CALLBRIDGE_SRC_CONTROL_CONVERT_H_
#define CALLBRIDGE_SRC_CONTROL_CONVERT_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "callbridge/v1/call.pb.h"
#include "callbridge/v1/event.pb.h"
#include "callbridge/v1/lead.pb.h"
#include "callbridge/v1/transcript.pb.h"
#include "callbridge/v1/transfer.pb.h"
#include "src/call/event.h"
#include "src/call/types.h"
#include "src/events/stored_event.h"
#include "src/store/records.h"

// Our values as messages of the API. Pure. Texts come out as UTF-8, cut where they are too long (control/utf8.h).
namespace callbridge::control {

std::string CallName(absl::string_view call_id);                                     // "calls/{id}"
std::string LeadName(absl::string_view lead_id);                                     // "leads/{id}"; empty for "".
std::string TransferName(absl::string_view call_id, absl::string_view transfer_id);  // "calls/{id}/transfers/{id}"

// A finite time, in whole microseconds.
google::protobuf::Timestamp ToTimestamp(absl::Time time);
// In whole milliseconds.
google::protobuf::Duration ToDuration(absl::Duration duration);

v1::CallDirection ToProto(call::Direction value);
v1::CallState ToProto(call::State value);
v1::Party ToProto(call::Party value);
v1::EvidenceLayer ToProto(call::Layer value);
v1::EndReason ToProto(call::EndReason value);
v1::SpeakerRole ToProto(call::Role value);
v1::HeardBasis ToProto(call::HeardBasis value);
v1::TranscriptItemStatus ToProto(call::ItemStatus value);
v1::TransferOutcome ToProto(call::TransferOutcome value);
v1::TransferState ToProto(call::TransferState value);
v1::VoicemailPolicy ToProto(call::VoicemailPolicy value);

v1::CallEnd ToProto(const call::Termination& termination);
v1::CallResult ToProto(const call::CallResult& result);
v1::CallSettlement ToProto(const store::Settlement& settlement);
v1::Call ToProto(const store::CallRecord& record);
v1::Lead ToProto(const store::LeadRecord& record);
v1::Transfer ToProto(absl::string_view call_id, const call::Transfer& transfer);
v1::TranscriptItem ToProto(const call::TranscriptItem& item, v1::TranscriptView view);

// With its cursor for `stored.position`.
v1::CallEvent ToProto(const events::StoredEvent& stored);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_CONVERT_H_
