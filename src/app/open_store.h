#ifndef CALLBRIDGE_SRC_APP_OPEN_STORE_H_
#define CALLBRIDGE_SRC_APP_OPEN_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/store/call_store.h"
#include "src/store/migrations/migration.h"
#include "src/store/node_table.h"

namespace callbridge::app {

// What a store is opened for. kServe: calls; no other process may serve from it. kServeAsNode: calls, beside others
// that do so as nodes, too; PostgreSQL only (kInvalidArgument). The others are for commands beside a server, which
// SQLite allows only to kRead; all but kMake want it to be there, with its schema up to date.
enum class Access { kServe, kServeAsNode, kMake, kWrite, kRead };

// Opens the store that --database_url names: sqlite:PATH, or a postgresql:// (or postgres://) URI as libpq takes it. An
// error is one line that begins with the flag's name and never holds the URI's password; kNotFound: there is no such
// file.
absl::StatusOr<std::unique_ptr<store::CallStore>> OpenStore(const std::string& url, Access access);

// The nodes that share the store that OpenStore() has opened with kServeAsNode. Errors in the same form.
absl::StatusOr<std::unique_ptr<store::NodeTable>> OpenNodeTable(const std::string& url);

// The newest migration of that kind of store.
const store::Migration& LastMigration(const std::string& url);

// Whether `url` names a PostgreSQL server.
bool IsPostgresUrl(const std::string& url);

// `url` as it may be shown: of a PostgreSQL URI only hosts and database.
std::string ShownDatabaseUrl(const std::string& url);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_OPEN_STORE_H_
