// What --node_listen and its companions may be.

#include "src/app/options.h"

#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace callbridge::app {
namespace {

Options Node() {
  Options options;
  options.http_listen = "0.0.0.0:8080";
  options.database_url = "postgresql://callbridge@db/callbridge";
  options.node_listen = "10.0.0.7:50052";
  options.node_tls_cert = "node.pem";
  options.node_tls_key = "node.key";
  options.node_tls_ca = "nodes.pem";
  return options;
}

void WithoutTls(Options& options) {
  options.node_tls_cert.clear();
  options.node_tls_key.clear();
  options.node_tls_ca.clear();
}

struct Row {
  std::string name;
  std::function<void(Options&)> change;
  std::vector<std::string> said;  // Empty: it is right.
};

TEST(NodeOptionsTest, AreCheckedBeforeAnythingIsMade) {
  for (const Row& row : std::vector<Row>{
           {"as they should be", [](Options&) {}, {}},
           {"alone",
            [](Options& o) {
              WithoutTls(o);
              o.node_listen.clear();
              o.database_url = "sqlite:calls.db";
            },
            {}},
           {"everywhere, with an address",
            [](Options& o) {
              o.node_listen = "0.0.0.0:50052";
              o.node_address = "node-7.internal:50052";
            },
            {}},
           {"plaintext on this machine",
            [](Options& o) {
              WithoutTls(o);
              o.node_listen = "127.0.0.1:50052";
              o.http_listen = "127.0.0.1:8080";
            },
            {}},
           {"the other spelling of the URL", [](Options& o) { o.database_url = "postgres://db/x"; }, {}},
           {"SQLite",
            [](Options& o) { o.database_url = "sqlite:calls.db"; },
            {"--node_listen", "--database_url=postgresql://"}},
           {"no port", [](Options& o) { o.node_listen = "10.0.0.7"; }, {"--node_listen: ", "host:port"}},
           {"everywhere, without an address",
            [](Options& o) { o.node_listen = "0.0.0.0:50052"; },
            {"--node_address: missing", "host:port"}},
           {"everywhere, IPv6", [](Options& o) { o.node_listen = "[::]:50052"; }, {"--node_address: missing"}},
           {"an address that is everywhere",
            [](Options& o) { o.node_address = "0.0.0.0:50052"; },
            {"--node_address=0.0.0.0:50052", "host:port"}},
           {"an address without a port", [](Options& o) { o.node_address = "10.0.0.7"; }, {"--node_address=10.0.0.7"}},
           {"an address with no port",
            [](Options& o) { o.node_address = "10.0.0.7:0"; },
            {"--node_address=10.0.0.7:0"}},
           {"no TLS", WithoutTls, {"--node_tls_cert", "loopback"}},
           {"no TLS and an address elsewhere",
            [](Options& o) {
              WithoutTls(o);
              o.node_listen = "127.0.0.1:50052";
              o.node_address = "10.0.0.7:50052";
            },
            {"--node_tls_cert", "loopback"}},
           {"TLS without an authority", [](Options& o) { o.node_tls_ca.clear(); }, {"--node_tls_ca", "all three"}},
           {"half of TLS on loopback",
            [](Options& o) {
              o.node_listen = "127.0.0.1:50052";
              o.node_tls_key.clear();
            },
            {"--node_tls_key", "all three"}},
           {"media that nobody reaches",
            [](Options& o) { o.http_listen = "127.0.0.1:8080"; },
            {"--http_listen=127.0.0.1:8080", "10.0.0.7"}},
           {"an address and no port to listen at",
            [](Options& o) {
              WithoutTls(o);
              o.node_listen.clear();
              o.node_address = "10.0.0.7:50052";
            },
            {"--node_address", "--node_listen"}},
           {"a certificate and no port to listen at",
            [](Options& o) { o.node_listen.clear(); },
            {"--node_tls_cert", "--node_listen"}},
       }) {
    SCOPED_TRACE(row.name);
    Options options = Node();
    row.change(options);
    const absl::Status status = CheckNodeOptions(options);
    EXPECT_EQ(status.ok(), row.said.empty()) << status;
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
    for (const std::string& words : row.said)
      EXPECT_NE(std::string(status.message()).find(words), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace callbridge::app
