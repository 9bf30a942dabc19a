#include "src/session/item_names.h"

namespace callbridge::session {

void ItemNames::Rename(absl::string_view item_id, absl::string_view fresh) {
  removed_.erase(std::string(item_id));
  in_session_[std::string(item_id)] = std::string(fresh);
  in_call_[std::string(fresh)] = std::string(item_id);
  AddOurs(fresh);
}

void ItemNames::Remove(absl::string_view item_id, absl::string_view previous) {
  in_session_.erase(std::string(item_id));
  removed_[std::string(item_id)] = std::string(previous);
}

std::string ItemNames::InSession(absl::string_view item_id) const {
  if (removed_.count(item_id) > 0) return "";
  const auto found = in_session_.find(item_id);
  return found == in_session_.end() ? std::string(item_id) : found->second;
}

std::string ItemNames::Behind(absl::string_view previous) const {
  std::string at(previous);
  // A step for each removed item, so that two that name each other as previous cannot keep us here.
  for (size_t steps = 0; steps <= removed_.size(); ++steps) {
    if (at.empty()) break;
    const auto gone = removed_.find(at);
    if (gone == removed_.end()) return InSession(at);
    at = gone->second;
  }
  return "root";
}

std::string ItemNames::InCall(absl::string_view session_id) const {
  const auto found = in_call_.find(session_id);
  return found == in_call_.end() ? std::string(session_id) : found->second;
}

}  // namespace callbridge::session
