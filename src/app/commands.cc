#include "src/app/commands.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "src/app/config.h"
#include "src/app/open_store.h"
#include "src/app/retention.h"
#include "src/base/clock.h"
#include "src/base/ids.h"
#include "src/base/phone.h"
#include "src/base/sha256.h"
#include "src/control/access.h"
#include "src/store/number_export.h"
#include "src/store/sqlite/backup.h"

namespace callbridge::app {
namespace {

using Words = std::vector<std::string>;

absl::Status Wrong(absl::string_view message) { return absl::InvalidArgumentError(message); }

// The file of an SQLite URL.
absl::StatusOr<std::string> SqlitePath(const std::string& url) {
  absl::string_view path = url;
  if (absl::ConsumePrefix(&path, "sqlite:")) return std::string(path);
  return Wrong("--database_url: sqlite:PATH is needed");
}

absl::Status TakeNoWords(const Words& words) {
  if (words.size() == 1) return absl::OkStatus();
  return Wrong(absl::StrCat(words[0], ": '", words[1], "' is too much; it takes no words"));
}

absl::StatusOr<std::string> TakeNumber(const Words& words) {
  if (words.size() == 2 && base::IsE164(words[1])) return words[1];
  return Wrong(absl::StrCat(words[0], ": one phone number in E.164 form is needed, such as +14155550123"));
}

absl::StatusOr<std::string> MigrateDatabase(const Options& options, const session::Settings&) {
  if (absl::Status status = TakeNoWords(options.command); !status.ok()) return status;
  const auto store = OpenStore(options.database_url, Access::kMake);
  if (!store.ok()) return store.status();
  const store::Migration& last = LastMigration(options.database_url);
  return absl::StrCat(ShownDatabaseUrl(options.database_url), ": the schema is up to date, version ", last.version,
                      " (", last.name, ")\n");
}

absl::StatusOr<std::string> BackUpDatabase(const Options& options, const session::Settings&) {
  if (options.command.size() != 2) return Wrong("backup: the new file is needed: callbridge backup FILE");
  if (IsPostgresUrl(options.database_url)) {
    return absl::FailedPreconditionError(
        "backup: this copies SQLite files; for PostgreSQL use pg_dump --format=custom, or your server's own backups");
  }
  const absl::StatusOr<std::string> path = SqlitePath(options.database_url);
  if (!path.ok()) return path.status();
  const absl::Status status = store::BackUp(*path, options.command[1]);
  if (!status.ok()) return absl::Status(status.code(), absl::StrCat("backup: ", status.message()));
  std::error_code ignored;
  return absl::StrCat(options.command[1], ": ", std::filesystem::file_size(options.command[1], ignored), " bytes\n");
}

absl::StatusOr<std::string> ErasePerson(const Options& options, const session::Settings&) {
  const absl::StatusOr<std::string> number = TakeNumber(options.command);
  if (!number.ok()) return number.status();
  if (options.by.empty()) return Wrong("erase: --by NAME is needed: who erases; it is kept with the record of it");
  const auto store = OpenStore(options.database_url, Access::kWrite);
  if (!store.ok()) return store.status();
  const auto erasure = (*store)->EraseNumber(*number, options.by, base::SystemClock().Now());
  if (!erasure.ok()) return absl::Status(erasure.status().code(), absl::StrCat("erase: ", erasure.status().message()));
  const store::ErasureCounts& counts = erasure->counts;
  return absl::StrCat("erased: ", counts.leads, " leads, ", counts.calls, " calls, ", counts.transcript_items,
                      " transcript items, ", counts.transfers, " transfers, ", counts.events, " events, ",
                      counts.summary_jobs, " summary jobs; erasure ", erasure->erasure_id, " by ", erasure->by, "\n");
}

absl::StatusOr<std::string> ExportPerson(const Options& options, const session::Settings&) {
  const absl::StatusOr<std::string> number = TakeNumber(options.command);
  if (!number.ok()) return number.status();
  const auto store = OpenStore(options.database_url, Access::kRead);
  if (!store.ok()) return store.status();
  return store::ExportNumber(**store, *number, base::SystemClock().Now());
}

absl::StatusOr<std::string> PurgeNow(const Options& options, const session::Settings& settings) {
  if (absl::Status status = TakeNoWords(options.command); !status.ok()) return status;
  if (!Purges(settings.retention)) {
    return absl::FailedPreconditionError(
        "purge: the configuration has no `retention`, so everything is kept; --config names another one");
  }
  const auto store = OpenStore(options.database_url, Access::kWrite);
  if (!store.ok()) return store.status();
  const auto purged = PurgeAll(**store, KeptSince(settings.retention, base::SystemClock().Now()), [] { return true; });
  if (!purged.ok()) return absl::Status(purged.status().code(), absl::StrCat("purge: ", purged.status().message()));
  return absl::StrCat("purged: ", purged->events, " events, what was said in ", purged->transcripts, " calls, ",
                      purged->calls, " whole calls\n");
}

absl::StatusOr<std::string> MakeToken(const Options& options, const session::Settings&) {
  const Words& words = options.command;
  const std::string scopes = absl::StrJoin(control::AllScopes(), " ");
  if (words.size() < 3) {
    return Wrong(
        absl::StrCat("token: a name and what it may be used for are needed: callbridge token crm calls.start "
                     "events.read; scopes are: ",
                     scopes));
  }
  std::string stanza = absl::StrCat("api_tokens {\n  name: \"", words[1], "\"\n");
  // 256 bits; the beginning is for those who search for secrets in what was published.
  const std::string token = absl::StrCat("cbt_", base::NewToken(), base::NewToken());
  absl::StrAppend(&stanza, "  sha256: \"", base::Sha256Hex(token), "\"\n");
  for (size_t i = 2; i < words.size(); ++i) {
    if (control::AllScopes().count(words[i]) == 0) {
      return Wrong(absl::StrCat("token: no scope '", words[i], "'; there are: ", scopes));
    }
    absl::StrAppend(&stanza, "  scopes: \"", words[i], "\"\n");
  }
  const absl::Status check = CheckAccess(absl::StrCat(stanza, "}\n"));
  if (!check.ok()) return Wrong(absl::StrCat("token: ", check.message()));
  return absl::StrCat("# Give this to the client; it is not kept and not shown again:\n#   ", token,
                      "\n# Add this to the file that --config names, then send the server SIGHUP:\n", stanza, "}\n");
}

absl::StatusOr<std::string> NoteRestored(const Options& options, const session::Settings&) {
  if (absl::Status status = TakeNoWords(options.command); !status.ok()) return status;
  const auto store = OpenStore(options.database_url, Access::kWrite);
  if (!store.ok()) return store.status();
  const absl::Status status = (*store)->NoteRestored(base::SystemClock().Now());
  if (!status.ok()) return absl::Status(status.code(), absl::StrCat("restored: ", status.message()));
  return std::string("noted: subscribers that have seen events which are gone are told so\n");
}

struct Command {
  const char* name;
  absl::StatusOr<std::string> (*run)(const Options&, const session::Settings&);
};
constexpr Command kCommands[] = {{"migrate", MigrateDatabase}, {"backup", BackUpDatabase}, {"erase", ErasePerson},
                                 {"export", ExportPerson},     {"purge", PurgeNow},        {"restored", NoteRestored},
                                 {"token", MakeToken}};

}  // namespace

bool IsCommand(const Options& options) { return !options.command.empty(); }

absl::StatusOr<std::string> RunCommand(const Options& options, const session::Settings& settings) {
  for (const Command& command : kCommands) {
    if (options.command[0] == command.name) return command.run(options, settings);
  }
  const auto name = [](std::string* out, const Command& command) { out->append(command.name); };
  return Wrong(absl::StrCat("'", options.command[0], "' is neither a flag nor a command; commands are ",
                            absl::StrJoin(kCommands, ", ", name), "; see --help"));
}

}  // namespace callbridge::app
