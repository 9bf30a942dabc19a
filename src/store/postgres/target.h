#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_TARGET_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_TARGET_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::store {

// Where a postgresql:// URI points to.
class Target {
 public:
  // `uri` as libpq takes it, also without host or with several. kInvalidArgument: it is none; the message does not
  // quote it, as it may hold a password.
  static absl::StatusOr<Target> Parse(const std::string& uri);

  // libpq's parameters for each host, in the order in which they are tried. One at a time, since libpq's own time-out
  // for a host does not hold for connections that are made without blocking. With several hosts,
  // target_session_attrs=read-write unless the URI says otherwise: the one that takes writes is looked for.
  const std::vector<std::map<std::string, std::string>>& hosts() const { return hosts_; }

  // "host:port/database" of each host, for messages.
  const std::string& name() const { return name_; }

  // The first line of what libpq says, without the password.
  std::string Redact(absl::string_view message) const;

 private:
  std::vector<std::map<std::string, std::string>> hosts_;
  std::string name_;
  std::string password_;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_TARGET_H_
