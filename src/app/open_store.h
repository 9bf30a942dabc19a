#ifndef CALLBRIDGE_SRC_APP_OPEN_STORE_H_
#define CALLBRIDGE_SRC_APP_OPEN_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/store/call_store.h"

namespace callbridge::app {

// Opens the store that --database_url names: sqlite:PATH, or a postgresql:// (or postgres://) URI as libpq takes it. An
// error is one line that begins with the flag's name and never holds the URI's password.
absl::StatusOr<std::unique_ptr<store::CallStore>> OpenStore(const std::string& url);

// Whether `url` names a PostgreSQL server.
bool IsPostgresUrl(const std::string& url);

// `url` as it may be shown: of a PostgreSQL URI only hosts and database.
std::string ShownDatabaseUrl(const std::string& url);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_OPEN_STORE_H_
