#include "src/control/peer_authorizer.h"

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include "absl/strings/escaping.h"
#include "absl/types/optional.h"
#include "src/base/error.h"

namespace callbridge::control {
namespace {

constexpr char kHop[] = "x-callbridge-hop";
constexpr char kPrincipal[] = "x-callbridge-principal";

// nullopt: it is not there exactly once.
absl::optional<absl::string_view> Only(const grpc::ServerContextBase& context, const char* key) {
  const auto [first, last] = context.client_metadata().equal_range(key);
  if (first == last || std::next(first) != last) return absl::nullopt;
  return absl::string_view(first->second.data(), first->second.size());
}

}  // namespace

void AddPeerMetadata(absl::string_view principal, grpc::ClientContext& context) {
  context.AddMetadata(kHop, "1");
  context.AddMetadata(kPrincipal, absl::CHexEscape(principal));
}

absl::StatusOr<std::string> PeerAuthorizer::Authorize(const grpc::ServerContextBase& context,
                                                      absl::string_view method) const {
  const auto hop = Only(context, kHop);
  const auto principal = Only(context, kPrincipal);
  std::string name;
  if (hop == absl::string_view("1") && principal && absl::CUnescape(*principal, &name)) return name;
  return base::MakeError(absl::StatusCode::kPermissionDenied, "NOT_FORWARDED",
                         "this port is for requests that another node of callbridge has passed on once; clients ask at "
                         "--grpc_listen");
}

}  // namespace callbridge::control
