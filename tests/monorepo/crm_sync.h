#ifndef MONOREPO_CRM_SYNC_H_
#define MONOREPO_CRM_SYNC_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/client/client.h"

// What a CRM keeps of a person's call.
struct Outcome {
  std::string end_reason;
  std::string summary;
};

// Calls everybody, one after the other, and waits for what becomes of it. By phone number.
absl::StatusOr<std::map<std::string, Outcome>> CallEverybody(callbridge::client::Client& client,
                                                             const std::vector<std::string>& numbers);

#endif  // MONOREPO_CRM_SYNC_H_
