#ifndef CALLBRIDGE_SRC_CONTROL_PAGES_H_
#define CALLBRIDGE_SRC_CONTROL_PAGES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "callbridge/v1/call_service.pb.h"
#include "callbridge/v1/lead_service.pb.h"
#include "src/call/types.h"
#include "src/control/lead_requests.h"
#include "src/control/requests.h"
#include "src/store/call_store.h"

// Answers that are read from the store, long lists page by page. Block as the store does. A page ends early where its
// message would pass 1 MiB.
namespace callbridge::control {

absl::StatusOr<v1::ListCallsResponse> ReadCallsPage(store::CallStore& store, const ListRequest& request);

absl::StatusOr<v1::ListLeadsResponse> ReadLeadsPage(store::CallStore& store, const ListLeadsQuery& request);

// kNotFound CALL_NOT_FOUND, TRANSFER_NOT_FOUND.
absl::StatusOr<v1::GetTransferResponse> ReadTransfer(store::CallStore& store, const TransferKey& key);

// The answer of CancelTransfer where CallControl refused with `refused`. Of a call that is over it knows no transfers
// any more; then the record says what became of this one. kNotFound TRANSFER_NOT_FOUND, kFailedPrecondition
// TRANSFER_NOT_CANCELLABLE {state}.
absl::StatusOr<v1::CancelTransferResponse> ReadRefusedCancel(store::CallStore& store, const TransferKey& key,
                                                             const absl::Status& refused);

// kNotFound CALL_NOT_FOUND.
absl::StatusOr<v1::ListTransfersResponse> ReadTransfers(store::CallStore& store, const std::string& call_id);

// Whether a transcript shows the item at all: not what of the assistant nobody heard, in the view HEARD.
bool IsShown(const call::TranscriptItem& item, v1::TranscriptView view);

// Notes in the store that `request.principal` read it. kNotFound CALL_NOT_FOUND.
absl::StatusOr<v1::GetTranscriptResponse> ReadTranscriptPage(store::CallStore& store, const TranscriptRequest& request);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_PAGES_H_
