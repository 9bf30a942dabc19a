#include "src/sim/carrier_dial.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/base/ids.h"

namespace callbridge::sim {
namespace {

constexpr absl::Duration kFourHours = absl::Seconds(14400);
// How long a human thinks before pressing the key.
constexpr absl::Duration kPressesAfter = absl::Milliseconds(500);

absl::Duration Seconds(const XmlElement& element, const std::string& name, absl::Duration otherwise) {
  int value;
  return absl::SimpleAtoi(element.Attribute(name), &value) && value > 0 ? absl::Seconds(value) : otherwise;
}

// The code with which a phone that does this ends; 0: it answers.
int CodeOf(Pickup::Kind kind) {
  switch (kind) {
    case Pickup::Kind::kAnswer:
    case Pickup::Kind::kMachine: return 0;
    case Pickup::Kind::kBusy: return 3010;
    case Pickup::Kind::kNoAnswer: return 3000;
    case Pickup::Kind::kReject: return 3020;
    case Pickup::Kind::kInvalidNumber: return 3050;
    case Pickup::Kind::kCarrierError: return 3080;
  }
  return 3080;
}

// DialStatus of a dial that ended with that code without being answered.
std::string DialStatusOf(int code) {
  if (code == 3010) return "busy";
  if (code == 3000) return "no-answer";
  if (code == 6010) return "timeout";
  return "failed";
}

}  // namespace

CarrierDial::CarrierDial(const XmlElement& element, const std::string& a_leg, const std::string& caller_id,
                         const std::function<Pickup(const std::string&)>& pickup, absl::Time now, Owner& owner)
    : a_leg_(a_leg),
      caller_id_(element.Attribute("callerId", caller_id)),
      owner_(owner),
      start_(now),
      timeout_(Seconds(element, "timeout", absl::InfiniteDuration())),
      time_limit_(Seconds(element, "timeLimit", kFourHours)),
      confirm_timeout_(Seconds(element, "confirmTimeout", absl::Seconds(120))),
      confirm_sound_(element.Attribute("confirmSound")),
      confirm_key_(element.Attribute("confirmKey")) {
  for (const XmlElement& child : element.children) {
    Leg leg;
    leg.uuid = base::NewUuid();
    leg.number = child.text;
    leg.pickup = pickup(child.text);
    legs_.push_back(leg);
  }
}

std::vector<std::string> CarrierDial::numbers() const {
  std::vector<std::string> numbers;
  for (const Leg& leg : legs_) numbers.push_back(leg.number);
  return numbers;
}

void CarrierDial::Tick(absl::Time now) {
  if (done_) return;
  if (connected_.has_value()) {
    Leg& leg = legs_[*connected_];
    const absl::Duration talked = now - connected_at_;
    if (talked < leg.pickup.talk && talked < time_limit_) return;
    const bool limit = talked >= time_limit_ && time_limit_ < leg.pickup.talk;
    EndLeg(leg, limit ? 6000 : 4000, limit ? "Plivo" : "Callee", now);
    return Finish();
  }
  if (confirming_.has_value()) return TickConfirm(now);
  bool ringing = false;
  for (Leg& leg : legs_) {
    if (leg.over) continue;
    const int code = CodeOf(leg.pickup.kind);
    if (now - start_ >= leg.pickup.after && code == 0) return PickUp(leg, now);
    if (now - start_ >= leg.pickup.after) {
      EndLeg(leg, code, code == 3080 ? "Carrier" : "Callee", now);
    } else if (now - start_ >= timeout_) {
      EndLeg(leg, 6010, "Plivo", now);
    }
    ringing = ringing || !leg.over;
  }
  if (!ringing) Finish();
}

void CarrierDial::PickUp(Leg& leg, absl::Time now) {
  last_uuid_ = leg.uuid;
  for (Leg& other : legs_) {
    if (&other != &leg && !other.over) EndLeg(other, 9000, "Plivo", now);
  }
  owner_.OnDialStep(absl::StrCat("answered by ", leg.number));
  owner_.OnDialProgress(LegParams(leg, "answer", "DialAnswer"));
  if (confirm_sound_.empty()) return Answer(leg, now);
  confirming_ = static_cast<size_t>(&leg - legs_.data());
  owner_.OnDialWhisper(confirm_sound_);
}

void CarrierDial::OnWhisper(absl::Duration length, absl::Time now) { whispered_ = now + length; }

void CarrierDial::TickConfirm(absl::Time now) {
  Leg& leg = legs_[*confirming_];
  if (now < whispered_) return;
  if (confirm_key_.empty()) return Answer(leg, now);
  if (leg.pickup.press == confirm_key_ && now >= whispered_ + kPressesAfter) {
    owner_.OnDialStep(absl::StrCat(leg.number, " presses ", confirm_key_));
    return Answer(leg, now);
  }
  if (now < whispered_ + confirm_timeout_) return;
  EndLeg(leg, 9110, "Plivo", now);
  Finish();
}

void CarrierDial::Answer(Leg& leg, absl::Time now) {
  answered_ = true;
  confirming_.reset();
  connected_ = static_cast<size_t>(&leg - legs_.data());
  connected_at_ = now;
  last_uuid_ = leg.uuid;
  owner_.OnDialProgress(LegParams(leg, "connected", "DialConnected"));
}

void CarrierDial::EndLeg(Leg& leg, int code, const std::string& source, absl::Time now) {
  const bool talked = connected_.has_value() && &legs_[*connected_] == &leg;
  leg.over = true;
  leg.code = code;
  last_code_ = code;  // Losers of a race end before the winner does, so theirs never stays.
  if (!answered_ || talked) last_uuid_ = leg.uuid;
  const Cause cause = CauseOf(code, talked);
  owner_.OnDialStep(absl::StrCat(leg.number, ": ", code, " ", cause.name));
  // The clock's whole seconds, so that what the callbacks say fits to when they come.
  const int64_t seconds = talked ? absl::ToInt64Seconds(absl::Ceil(now - connected_at_, absl::Seconds(1))) : 0;
  Params params = LegParams(leg, "hangup", "DialHangup");
  params.emplace_back("DialBLegDuration", absl::StrCat(seconds));
  params.emplace_back("DialBLegBillDuration", absl::StrCat((seconds + 59) / 60 * 60));
  params.emplace_back("DialBLegHangupCause", cause.cause);
  params.emplace_back("DialBLegHangupCauseName", cause.name);
  params.emplace_back("DialBLegHangupCauseCode", absl::StrCat(code));
  params.emplace_back("DialBLegHangupSource", source);
  owner_.OnDialProgress(params);
}

Params CarrierDial::LegParams(const Leg& leg, const std::string& action, const std::string& event) const {
  return {{"Event", event},           {"DialAction", action},     {"DialALegUUID", a_leg_},
          {"DialBLegUUID", leg.uuid}, {"DialBLegStatus", action}, {"DialBLegFrom", caller_id_},
          {"DialBLegTo", leg.number}};
}

void CarrierDial::Finish() {
  done_ = true;
  connected_.reset();
  const Cause cause = CauseOf(last_code_, answered_);
  const bool rang = answered_ || (last_code_ != 3050 && last_code_ != 3080);
  owner_.OnDialDone({{"Event", "Dial"},
                     {"DialStatus", answered_ ? "completed" : DialStatusOf(last_code_)},
                     {"DialRingStatus", rang ? "true" : "false"},
                     {"DialHangupCause", cause.cause},
                     {"DialALegUUID", a_leg_},
                     {"DialBLegUUID", last_uuid_}});
}

void CarrierDial::Abandon(absl::Time now) {
  if (done_) return;
  done_ = true;
  for (Leg& leg : legs_) {
    if (!leg.over) EndLeg(leg, connected_.has_value() ? 4000 : 1000, "Caller", now);
  }
}

}  // namespace callbridge::sim
