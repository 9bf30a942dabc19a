// crm_worker host:port +14155550100...: calls everybody and prints what became of it.

#include <cstdio>

#include "crm_sync.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  callbridge::client::ClientOptions options;
  options.address = argv[1];
  options.plaintext = true;
  callbridge::client::Client client(options);
  const auto outcomes = CallEverybody(client, {argv + 2, argv + argc});
  if (!outcomes.ok()) {
    std::fprintf(stderr, "%s\n", outcomes.status().ToString().c_str());
    return 1;
  }
  for (const auto& [number, outcome] : *outcomes) {
    std::printf("%s %s %s\n", number.c_str(), outcome.end_reason.c_str(), outcome.summary.c_str());
  }
  return 0;
}
