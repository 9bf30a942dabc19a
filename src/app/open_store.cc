#include "src/app/open_store.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/store/postgres/postgres_store.h"
#include "src/store/postgres/target.h"
#include "src/store/sqlite/sqlite_store.h"

namespace callbridge::app {
namespace {

absl::StatusOr<std::unique_ptr<store::CallStore>> Open(const std::string& url) {
  if (IsPostgresUrl(url)) return store::PostgresStore::Open(url);
  absl::string_view path = url;
  if (absl::ConsumePrefix(&path, "sqlite:")) return store::SqliteStore::Open(std::string(path));
  return absl::InvalidArgumentError("sqlite:PATH or postgresql://USER@HOST/DATABASE is needed");
}

}  // namespace

absl::StatusOr<std::unique_ptr<store::CallStore>> OpenStore(const std::string& url) {
  auto opened = Open(url);
  if (opened.ok()) return opened;
  return absl::Status(opened.status().code(), absl::StrCat("--database_url: ", opened.status().message()));
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
