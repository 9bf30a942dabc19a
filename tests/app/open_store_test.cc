#include "src/app/open_store.h"

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace callbridge::app {
namespace {

TEST(OpenStoreTest, ErrorsNameTheFlagAndNeverThePassword) {
  struct Row {
    const char* name;
    const char* url;
    absl::StatusCode code;
    const char* words;
  };
  const Row rows[] = {
      {"another kind", "mysql://u:hunter2@h/d", absl::StatusCode::kInvalidArgument, "sqlite:PATH or postgresql://"},
      {"no path", "sqlite:", absl::StatusCode::kInvalidArgument, "not the path of a file"},
      {"no URI", "postgresql://u:hunter2@h/d?nonsense=1", absl::StatusCode::kInvalidArgument, "postgresql://user@host"},
      {"nobody there", "postgresql://u:hunter2@127.0.0.1:1/d", absl::StatusCode::kUnavailable, "127.0.0.1:1/d"},
      {"the short scheme", "postgres://u:hunter2@127.0.0.1:1/d", absl::StatusCode::kUnavailable, "refused"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const absl::Status status = OpenStore(row.url, Access::kServe).status();
    EXPECT_EQ(status.code(), row.code) << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), "--database_url: ")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), row.words)) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  }
}

TEST(OpenStoreTest, OnlyPostgresIsSharedByNodes) {
  const std::string file = "sqlite:" + testing::TempDir() + "/shared.db";
  for (const absl::Status& status : {OpenStore(file, Access::kServeAsNode).status(), OpenNodeTable(file).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), "--database_url: only a postgresql:// database")) << status;
  }
  const absl::Status away = OpenNodeTable("postgresql://u:hunter2@127.0.0.1:1/d").status();
  EXPECT_EQ(away.code(), absl::StatusCode::kUnavailable) << away;
  EXPECT_TRUE(absl::StartsWith(away.message(), "--database_url: ")) << away;
  EXPECT_FALSE(absl::StrContains(away.message(), "hunter2")) << away;
}

TEST(OpenStoreTest, ACommandMakesNoFile) {
  for (const Access access : {Access::kWrite, Access::kRead}) {
    const absl::Status status = OpenStore("sqlite:" + testing::TempDir() + "/none.db", access).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  }
}

TEST(OpenStoreTest, WhatIsShownOfAUrlHasNoPassword) {
  EXPECT_EQ(ShownDatabaseUrl("sqlite:var/calls.db"), "sqlite:var/calls.db");
  EXPECT_EQ(ShownDatabaseUrl("postgresql://u:hunter2@db:6432/calls"), "postgresql://db:6432/calls");
  EXPECT_EQ(ShownDatabaseUrl("postgresql://u:hunter2@db:x%zz/calls"), "postgresql://");
  EXPECT_TRUE(IsPostgresUrl("postgres://h/d"));
  EXPECT_FALSE(IsPostgresUrl("sqlite:postgres://h"));
}

TEST(OpenStoreTest, EachKindHasItsOwnMigrations) {
  EXPECT_NE(LastMigration("postgres://h/d").checksum, LastMigration("sqlite:a").checksum);
}

}  // namespace
}  // namespace callbridge::app
