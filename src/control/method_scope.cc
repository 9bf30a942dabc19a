#include "src/control/method_scope.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "callbridge/v1/options.pb.h"

namespace callbridge::control {

std::string MethodScope(absl::string_view method) {
  const std::string name = absl::StrReplaceAll(absl::StripPrefix(method, "/"), {{"/", "."}});
  const auto* const found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  return found == nullptr ? "" : found->options().GetExtension(v1::scope);
}

}  // namespace callbridge::control
