#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "src/base/phone.h"
#include "src/session/node_token.h"
#include "src/session/switchboard.h"

// What webhooks and streams ask of the switchboard, answered from memory.
namespace callbridge::session {
namespace {

namespace input = call::input;

std::string KeyInWords(absl::string_view key) {
  return key == "*" ? "the star key" : key == "#" ? "the pound key" : std::string(key);
}

}  // namespace

// ---- FrontDesk ----

Instructions Switchboard::InstructionsFor(LiveCall& live) {
  Instructions out;
  out.kind = live.next.kind();
  out.call_id = live.call_id;
  out.call_token = live.token;
  if (call::IsFinal(live.state)) out.kind = Instructions::Kind::kHangUp;
  if (out.kind == Instructions::Kind::kDial) {
    out.number = live.next.target().number;
    out.caller_id = live.caller_id;
    out.ring_time = live.next.target().ring_time;
    out.transfer_id = live.next.transfer_id();
    out.target = live.next.target_number();
    out.whispers = !live.next.whisper().empty() || !live.next.confirm_key().empty();
    out.confirm_key = live.next.confirm_key();
  } else if (out.kind == Instructions::Kind::kStream) {
    // A repeated request gets the same token, as long as no stream has used it.
    if (live.stream_token.empty()) {
      live.stream_token = NewNodeToken(deps_.node_id);
      by_stream_token_[live.stream_token] = &live;
    }
    out.stream_token = live.stream_token;
  }
  return out;
}

Instructions Switchboard::OnAnswer(const AnswerNotice& notice) {
  // Held to the end: two requests about the same call can come at once, on two loops, and the first makes it.
  base::MutexLock lock(mutex_);
  LiveCall* live = notice.call_token.empty() ? FindByCarrierId(notice.carrier_call_id) : FindByToken(notice.call_token);
  if (live != nullptr) {
    if (!notice.call_token.empty()) {
      deps_.loops[live->loop]->loop->Post([session = live->session, id = notice.carrier_call_id] {
        session->SetCarrierCallId(id);
        session->Feed(input::Answered{id});
      });
      if (notice.machine && !std::exchange(live->machine, true)) {
        Feed(*live, input::MachineDetected{"told with the answer"});
      }
    }
    return InstructionsFor(*live);
  }
  Instructions hang_up;
  hang_up.kind = Instructions::Kind::kHangUp;
  // An outbound call that we have ended meanwhile, or a repeat about an inbound one that is over: nobody to connect
  // them to.
  if (!notice.call_token.empty() || ended_.contains(notice.carrier_call_id)) return hang_up;
  if (!accepting_ || static_cast<int>(calls_.size()) + starting_ >= settings_.max_calls) {
    base::Log(base::LogKind::kTrouble, "", "inbound call refused",
              {{"why", accepting_ ? "max_calls" : "draining"}, {"carrier_call_id", notice.carrier_call_id}});
    return hang_up;
  }
  return AdmitInbound(notice);
}

Instructions Switchboard::AdmitInbound(const AnswerNotice& notice) {
  // Nothing but the carrier's id is needed to serve a call: without a called number it is the default agent's, and a
  // caller who withholds theirs is a caller all the same. But it is odd, and somebody will look for the reason.
  if (notice.from.empty() || notice.to.empty()) {
    base::Log(base::LogKind::kTrouble, "", "inbound call without numbers",
              {{"missing", !notice.to.empty()    ? "From"
                           : notice.from.empty() ? "From, To"
                                                 : "To"},
               {"carrier_call_id", notice.carrier_call_id}});
  }
  const std::string to = base::NormalizeNumber(notice.to);
  const auto agent = settings_.inbound.find(to);
  Plan plan = MakePlan(call::Direction::kInbound, base::NormalizeNumber(notice.from), to,
                       agent == settings_.inbound.end() ? settings_.default_agent : agent->second);
  plan.carrier_call_id = notice.carrier_call_id;
  plan.loop = static_cast<int>(next_loop_++ % deps_.loops.size());
  const absl::Time now = Now();
  // The caller is not kept waiting for the database: the recorder keeps this and what follows in order.
  deps_.recorder->Create(RecordOf(plan, now), {call::Call::Created(plan.call, now)}, absl::nullopt,
                         [id = plan.call.call_id](absl::StatusOr<store::CallStore::Created> created) {
                           if (created.ok()) return;
                           base::Log(base::LogKind::kTrouble, id, "the call could not be recorded",
                                     {{"why", std::string(created.status().message())}});
                         });
  deps_.loops[plan.loop]->loop->Post([session = MakeSession(plan)] { session->Begin(); });
  base::Log(base::LogKind::kCall, plan.call.call_id, "inbound call",
            {{"from", base::MaskNumber(plan.call.from)}, {"to", base::MaskNumber(plan.call.to)}});
  return InstructionsFor(*FindById(plan.call.call_id));
}

void Switchboard::OnRing(absl::string_view call_token, absl::string_view carrier_call_id) {
  base::MutexLock lock(mutex_);
  const LiveCall* live = FindByToken(call_token);
  if (live == nullptr) return;
  deps_.loops[live->loop]->loop->Post([session = live->session, id = std::string(carrier_call_id)] {
    session->SetCarrierCallId(id);
    session->Feed(input::Rang{id});
  });
}

void Switchboard::OnHangup(const HangupNotice& notice) {
  store::CallWrite settling;
  settling.settlement = notice.settlement;
  settling.settlement->time = Now();
  {
    base::MutexLock lock(mutex_);
    const LiveCall* live = notice.call_token.empty() ? nullptr : FindByToken(notice.call_token);
    if (live == nullptr) live = FindByCarrierId(notice.carrier_call_id);
    if (live != nullptr) {
      settling.call_id = live->call_id;
      deps_.loops[live->loop]->loop->Post([session = live->session, notice] {
        session->SetCarrierCallId(notice.carrier_call_id);
        session->Feed(input::HungUp{notice.reason, notice.party, notice.detail});
      });
    } else if (const auto ended = ended_.find(notice.carrier_call_id); ended != ended_.end()) {
      settling.call_id = ended->second;
    }
  }
  if (settling.call_id.empty()) {
    late_.Settle(notice.carrier_call_id, notice.carrier_request_id, *settling.settlement);
  } else {
    deps_.recorder->Write(std::move(settling));
  }
}

Instructions Switchboard::OnNextStep(absl::string_view call_token) {
  base::MutexLock lock(mutex_);
  LiveCall* live = FindByToken(call_token);
  if (live == nullptr) return {};
  Instructions out = InstructionsFor(*live);
  if (out.kind == Instructions::Kind::kDial) Feed(*live, input::TransferFetched{out.transfer_id, out.target});
  return out;
}

void Switchboard::OnDialProgress(const DialRef& dial, DialProgress what) {
  base::MutexLock lock(mutex_);
  LiveCall* live = FindByToken(dial.call_token);
  if (live == nullptr || !live->next.OnProgress(dial, what)) return;
  Feed(*live, input::HumanAnswered{dial.transfer_id, dial.target});
}

// The call's loop comes to the same decision in a moment; the carrier wants its answer now. Everything is fed under the
// mutex, so the call learns it in the order in which it was decided here.
Instructions Switchboard::OnTransferDone(const DialRef& dial, call::TransferOutcome outcome, absl::string_view detail) {
  base::MutexLock lock(mutex_);
  LiveCall* live = FindByToken(dial.call_token);
  if (live == nullptr) return {};
  const call::TransferOutcome really = live->next.OnDone(dial, outcome);
  const absl::string_view why = really == outcome ? "" : ", the key was not pressed";
  Feed(*live, input::TransferDone{dial.transfer_id, dial.target, really, absl::StrCat(detail, why)});
  Instructions out = InstructionsFor(*live);
  if (out.kind == Instructions::Kind::kDial) Feed(*live, input::TransferFetched{out.transfer_id, out.target});
  return out;
}

absl::optional<std::string> Switchboard::OnWhisper(absl::string_view call_token) {
  base::MutexLock lock(mutex_);
  const LiveCall* live = FindByToken(call_token);
  if (live == nullptr) return absl::nullopt;
  if (!live->next.whisper().empty() || live->next.confirm_key().empty()) return live->next.whisper();
  return absl::StrCat("You have a call. Press ", KeyInWords(live->next.confirm_key()), " to take it.");
}

void Switchboard::OnMachine(absl::string_view call_token, absl::string_view carrier_call_id, absl::string_view detail) {
  base::MutexLock lock(mutex_);
  LiveCall* live = call_token.empty() ? FindByCarrierId(carrier_call_id) : FindByToken(call_token);
  if (live == nullptr || std::exchange(live->machine, true)) return;
  Feed(*live, input::MachineDetected{std::string(detail)});
}

void Switchboard::OnStreamStatus(absl::string_view carrier_call_id, absl::string_view event, absl::string_view detail) {
  std::string call_id;
  {
    base::MutexLock lock(mutex_);
    if (const LiveCall* live = FindByCarrierId(carrier_call_id)) call_id = live->call_id;
  }
  if (!call_id.empty() && !detail.empty()) {
    base::Log(base::LogKind::kCall, call_id, absl::StrCat("stream status ", event), {{"detail", std::string(detail)}});
  }
}

// ---- Streams ----

int Switchboard::LoopOfStream(absl::string_view stream_token) const {
  base::MutexLock lock(mutex_);
  const auto found = by_stream_token_.find(stream_token);
  return found == by_stream_token_.end() ? -1 : found->second->loop;
}

net::WsConnection::Listener* Switchboard::ClaimStream(absl::string_view stream_token) {
  std::shared_ptr<CallSession> session;
  {
    base::MutexLock lock(mutex_);
    const auto found = by_stream_token_.find(stream_token);
    if (found == by_stream_token_.end()) return nullptr;
    session = found->second->session;
    found->second->stream_token.clear();
    by_stream_token_.erase(found);
  }
  return session->NewStream();
}

}  // namespace callbridge::session
