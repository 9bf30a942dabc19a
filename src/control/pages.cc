#include "src/control/pages.h"

#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/clock.h"
#include "src/base/error.h"
#include "src/control/convert.h"
#include "src/control/page_bytes.h"
#include "src/control/page_token.h"
#include "src/control/status_map.h"

namespace callbridge::control {
bool IsShown(const call::TranscriptItem& item, v1::TranscriptView view) {
  if (view != v1::TRANSCRIPT_VIEW_HEARD || item.role != call::Role::kAssistant) return true;
  return !item.text_heard.empty() || item.heard_ms > 0;
}

absl::StatusOr<v1::ListCallsResponse> ReadCallsPage(store::CallStore& store, const ListRequest& request) {
  // One more than asked for tells whether there is a next page.
  const auto records = store.ListCalls(request.filter, request.after, request.page_size + 1);
  if (!records.ok()) return FromStore(records.status(), "");
  v1::ListCallsResponse response;
  PageBytes bytes;
  const store::CallRecord* last = nullptr;
  for (const store::CallRecord& record : *records) {
    if (response.calls_size() == request.page_size || !bytes.TryAdd(ToProto(record), response.mutable_calls())) {
      response.set_next_page_token(FormatCallPageToken(request.filter, {last->create_time, last->call_id}));
      break;
    }
    last = &record;
  }
  return response;
}

absl::StatusOr<v1::ListLeadsResponse> ReadLeadsPage(store::CallStore& store, const ListLeadsQuery& request) {
  const auto records = store.ListLeads(request.filter, request.after, request.page_size + 1);
  if (!records.ok()) return FromStore(records.status(), "");
  v1::ListLeadsResponse response;
  PageBytes bytes;
  const store::LeadRecord* last = nullptr;
  for (const store::LeadRecord& record : *records) {
    if (response.leads_size() == request.page_size || !bytes.TryAdd(ToProto(record), response.mutable_leads())) {
      response.set_next_page_token(FormatLeadPageToken(request.filter, {last->create_time, last->lead_id}));
      break;
    }
    last = &record;
  }
  return response;
}

absl::StatusOr<v1::GetTransferResponse> ReadTransfer(store::CallStore& store, const TransferKey& key) {
  const auto transfers = store.ListTransfers(key.call_id);
  if (!transfers.ok()) return FromStore(transfers.status(), key.call_id);
  for (const call::Transfer& transfer : *transfers) {
    if (transfer.transfer_id != key.transfer_id) continue;
    v1::GetTransferResponse response;
    *response.mutable_transfer() = ToProto(key.call_id, transfer);
    return response;
  }
  return base::MakeError(absl::StatusCode::kNotFound, "TRANSFER_NOT_FOUND", "the call has no such transfer");
}

absl::StatusOr<v1::CancelTransferResponse> ReadRefusedCancel(store::CallStore& store, const TransferKey& key,
                                                             const absl::Status& refused) {
  const auto call = store.GetCall(key.call_id);
  if (!call.ok()) return FromStore(call.status(), key.call_id);
  if (!call::IsFinal(call->state)) return refused;
  auto read = ReadTransfer(store, key);
  if (!read.ok()) return read.status();
  if (read->transfer().outcome() == v1::TRANSFER_OUTCOME_CANCELLED) {
    v1::CancelTransferResponse response;
    *response.mutable_transfer() = std::move(*read->mutable_transfer());
    return response;
  }
  const auto state = static_cast<call::TransferState>(read->transfer().state() - 1);
  return base::MakeError(absl::StatusCode::kFailedPrecondition, "TRANSFER_NOT_CANCELLABLE",
                         absl::StrCat("the transfer is ", Name(state), ", and its call is over"),
                         {{"state", std::string(Name(state))}});
}

absl::StatusOr<v1::ListTransfersResponse> ReadTransfers(store::CallStore& store, const std::string& call_id) {
  const auto transfers = store.ListTransfers(call_id);
  if (!transfers.ok()) return FromStore(transfers.status(), call_id);
  v1::ListTransfersResponse response;
  for (const call::Transfer& transfer : *transfers) *response.add_transfers() = ToProto(call_id, transfer);
  return response;
}

absl::StatusOr<v1::GetTranscriptResponse> ReadTranscriptPage(store::CallStore& store,
                                                             const TranscriptRequest& request) {
  const auto items = store.GetTranscript(request.call_id);
  if (!items.ok()) return FromStore(items.status(), request.call_id);
  // Who cannot be noted is not shown anything.
  const absl::Status noted = store.AddTranscriptRead({request.call_id, request.principal, base::SystemClock().Now()});
  if (!noted.ok()) return FromStore(noted, request.call_id);
  v1::GetTranscriptResponse response;
  PageBytes bytes;
  TranscriptPageKey key;  // Of the last item that was looked at.
  for (const call::TranscriptItem& item : *items) {
    if (!IsShown(item, request.view)) continue;
    const TranscriptPageKey next{item.position, item.position == key.position ? key.shown + 1 : 1};
    const bool before =
        request.after && std::tie(next.position, next.shown) <= std::tie(request.after->position, request.after->shown);
    if (!before && (response.items_size() == request.page_size ||
                    !bytes.TryAdd(ToProto(item, request.view), response.mutable_items()))) {
      response.set_next_page_token(FormatTranscriptPageToken(request.scope, key));
      break;
    }
    key = next;
  }
  return response;
}

}  // namespace callbridge::control
