#ifndef CALLBRIDGE_SRC_APP_COMMANDS_H_
#define CALLBRIDGE_SRC_APP_COMMANDS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/app/options.h"
#include "src/session/settings.h"

namespace callbridge::app {

// Whether the command line asks for one of these, in place of the server:
//   callbridge migrate            brings the schema up to date
//   callbridge backup FILE        copies the database while a server uses it
//   callbridge erase NUMBER --by NAME
//   callbridge export NUMBER      everything about a person, as JSON
//   callbridge token NAME SCOPE...  makes a token for a client of the gRPC port, and what the configuration says of it
//   callbridge purge              removes now what the configuration's `retention` keeps no longer
// All but `token` work on --database_url. Those that write need it for themselves and refuse while a server has an
// SQLite file.
bool IsCommand(const Options& options);

// Does it; what is to be printed. Errors are one line that says what would be right: kInvalidArgument for the command
// line, kNotFound for a database that is not there, kFailedPrecondition for what cannot be done now.
absl::StatusOr<std::string> RunCommand(const Options& options, const session::Settings& settings);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_COMMANDS_H_
