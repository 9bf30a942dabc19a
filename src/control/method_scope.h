#ifndef CALLBRIDGE_SRC_CONTROL_METHOD_SCOPE_H_
#define CALLBRIDGE_SRC_CONTROL_METHOD_SCOPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::control {

// The option `scope` of a method, "/package.Service/Method". Empty: it has none, or there is no such method. Any
// thread.
std::string MethodScope(absl::string_view method);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_METHOD_SCOPE_H_
