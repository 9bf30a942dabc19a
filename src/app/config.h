#ifndef CALLBRIDGE_SRC_APP_CONFIG_H_
#define CALLBRIDGE_SRC_APP_CONFIG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/control/access.h"
#include "src/session/settings.h"

namespace callbridge::app {

// Reads a configuration (text of proto callbridge.config.v1.Config) into the parts of Settings that it decides, with
// the files that it names: prompts and secrets. Their relative paths are taken from `folder`; empty: the current one.
// kInvalidArgument, one line: "<name>:<line>:<column>: ..." for what is no such text, "<name>: agents[0].caller_id:
// ..." for a value that is wrong, each with what would be right.
// `access`, if given, gets who may use the gRPC port.
absl::StatusOr<session::Settings> ParseConfig(absl::string_view text, const std::string& name,
                                              const std::string& folder = "", control::AccessList* access = nullptr);

// The same for a file, whose folder is the one of the files it names. kNotFound: it cannot be read.
absl::StatusOr<session::Settings> LoadConfig(const std::string& path, control::AccessList* access = nullptr);

// Whether this is right as the part of a configuration that says who may use the gRPC port.
absl::Status CheckAccess(absl::string_view text);

// What is used without a file: one agent, no destinations, nothing may be dialled.
session::Settings DefaultConfig();

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_CONFIG_H_
