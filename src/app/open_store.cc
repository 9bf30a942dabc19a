#include "src/app/open_store.h"

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/store/postgres/postgres_node_table.h"
#include "src/store/postgres/postgres_store.h"
#include "src/store/postgres/target.h"
#include "src/store/sqlite/sqlite_store.h"

namespace callbridge::app {
namespace {

absl::Status WithFlag(const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("--database_url: ", status.message()));
}

absl::StatusOr<std::unique_ptr<store::CallStore>> OpenPostgres(const std::string& url, Access access) {
  store::PostgresStore::Options options;
  using Sharing = store::PostgresStore::Sharing;
  options.sharing = access == Access::kServe         ? Sharing::kExclusive
                    : access == Access::kServeAsNode ? Sharing::kNodes
                                                     : Sharing::kNone;
  options.migrate = access != Access::kWrite && access != Access::kRead;
  return store::PostgresStore::Open(url, options);
}

absl::Status NotShared() {
  return absl::InvalidArgumentError("only a postgresql:// database is shared by several nodes (--node_listen)");
}

absl::StatusOr<std::unique_ptr<store::CallStore>> OpenSqlite(const std::string& path, Access access) {
  if (access == Access::kServeAsNode) return NotShared();
  std::error_code ignored;
  const bool may_make = access == Access::kServe || access == Access::kMake;
  // A slip in the path must not make an empty database and call it purged.
  if (!may_make && !std::filesystem::exists(path, ignored)) {
    return absl::NotFoundError(
        absl::StrCat("there is no database ", path, "; --database_url=sqlite:PATH names the one that is meant"));
  }
  store::SqliteStore::Options options;
  options.read_only = access == Access::kRead;
  return store::SqliteStore::Open(path, options);
}

absl::StatusOr<std::unique_ptr<store::CallStore>> Open(const std::string& url, Access access) {
  if (IsPostgresUrl(url)) return OpenPostgres(url, access);
  absl::string_view path = url;
  if (absl::ConsumePrefix(&path, "sqlite:")) return OpenSqlite(std::string(path), access);
  return absl::InvalidArgumentError("sqlite:PATH or postgresql://USER@HOST/DATABASE is needed");
}

}  // namespace

absl::StatusOr<std::unique_ptr<store::CallStore>> OpenStore(const std::string& url, Access access) {
  auto opened = Open(url, access);
  if (opened.ok() || absl::IsNotFound(opened.status())) return opened;
  return WithFlag(opened.status());
}

absl::StatusOr<std::unique_ptr<store::NodeTable>> OpenNodeTable(const std::string& url) {
  if (!IsPostgresUrl(url)) return WithFlag(NotShared());
  auto opened = store::PostgresNodeTable::Open(url, store::Limits());
  if (!opened.ok()) return WithFlag(opened.status());
  return opened;
}

const store::Migration& LastMigration(const std::string& url) {
  return IsPostgresUrl(url) ? store::PostgresMigrations().back() : store::SqliteMigrations().back();
}

bool IsPostgresUrl(const std::string& url) {
  return absl::StartsWith(url, "postgresql://") || absl::StartsWith(url, "postgres://");
}

std::string ShownDatabaseUrl(const std::string& url) {
  if (!IsPostgresUrl(url)) return url;
  const auto target = store::Target::Parse(url);
  return absl::StrCat("postgresql://", target.ok() ? target->name() : "");
}

}  // namespace callbridge::app
