#ifndef CALLBRIDGE_SRC_SESSION_ITEM_NAMES_H_
#define CALLBRIDGE_SRC_SESSION_ITEM_NAMES_H_

#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::session {

// Under which ids one session of the model has the call's items. An item that is written anew gets a fresh id, because
// the server may refuse one again right after its deletion; the call goes on using the item's first id. Values only.
class ItemNames {
 public:
  // The item is in the session under `fresh` from now on.
  void Rename(absl::string_view item_id, absl::string_view fresh);

  // The item is no longer in the session; it stood behind `previous` (the call's id; empty: at the start).
  void Remove(absl::string_view item_id, absl::string_view previous);

  // An item that we make in the session ourselves; IsOurs() knows it. Renamed items are among them.
  void AddOurs(absl::string_view session_id) { ours_.emplace(session_id); }
  bool IsOurs(absl::string_view session_id) const { return ours_.count(session_id) > 0; }

  // The session's id for the call's; empty: it was removed.
  std::string InSession(absl::string_view item_id) const;

  // The session's id behind which stands what the call has behind `previous`; "root" for the start.
  std::string Behind(absl::string_view previous) const;

  // The call's id for one of the session's.
  std::string InCall(absl::string_view session_id) const;

 private:
  using Names = std::map<std::string, std::string, std::less<>>;
  Names in_session_;
  Names in_call_;
  Names removed_;  // Item -> what it stood behind.
  std::set<std::string, std::less<>> ours_;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_ITEM_NAMES_H_
