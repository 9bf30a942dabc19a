#include "src/control/listen_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace callbridge::control {
namespace {

absl::Status Malformed(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" is not an address to listen at; write host:port, as in 127.0.0.1:50051 or [::1]:50051"));
}

// 127.0.0.0/8 (RFC 1122 section 3.2.1.3), ::1 and "localhost" (RFC 6761 section 6.3).
bool IsLoopback(const std::string& host) {
  if (absl::EqualsIgnoreCase(host, "localhost") || host == "::1") return true;
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

bool IsDigits(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return !text.empty();
}

std::string Explain(int error) {
  switch (error) {
    case EADDRINUSE: return "the port is in use by another program";
    case EADDRNOTAVAIL: return "this machine does not have that address";
    case EACCES: return "ports below 1024 need privileges";
    default: return std::strerror(error);
  }
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return Malformed(text);
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port = text.substr(colon + 1);
  const bool brackets = absl::StartsWith(host, "[") && absl::EndsWith(host, "]");
  if (brackets) host = host.substr(1, host.size() - 2);
  // "::1:50051" could mean two things.
  if (host.empty() || (!brackets && absl::StrContains(host, ':'))) return Malformed(text);
  ListenAddress address;
  if (!IsDigits(port) || !absl::SimpleAtoi(port, &address.port) || address.port > 65535) return Malformed(text);
  address.host = std::string(host);
  address.loopback = IsLoopback(address.host);
  return address;
}

std::string FormatListenAddress(absl::string_view host, int port) {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

std::string WhyNotListening(const ListenAddress& address) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &list);
  if (failure != 0) return gai_strerror(failure);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  const int socket = ::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::strerror(errno);
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int error = bind(socket, list->ai_addr, list->ai_addrlen) == 0 ? 0 : errno;
  close(socket);
  return error == 0 ? "gRPC could not use it" : Explain(error);
}

}  // namespace callbridge::control
