#include "src/app/open_store.h"

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/store/postgres/postgres_store.h"
#include "src/store/postgres/target.h"
#include "src/store/sqlite/sqlite_store.h"

namespace callbridge::app {
namespace {

absl::StatusOr<std::unique_ptr<store::CallStore>> OpenPostgres(const std::string& url, Access access) {
  store::PostgresStore::Options options;
  options.exclusive = access == Access::kServe;
  options.migrate = access == Access::kServe || access == Access::kMake;
  return store::PostgresStore::Open(url, options);
}

absl::StatusOr<std::unique_ptr<store::CallStore>> OpenSqlite(const std::string& path, Access access) {
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
  return absl::Status(opened.status().code(), absl::StrCat("--database_url: ", opened.status().message()));
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
