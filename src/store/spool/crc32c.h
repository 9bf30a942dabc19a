#ifndef CALLBRIDGE_SRC_STORE_SPOOL_CRC32C_H_
#define CALLBRIDGE_SRC_STORE_SPOOL_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace callbridge::store {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `data`. Debian's Abseil does not have it yet.
uint32_t Crc32c(absl::string_view data);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SPOOL_CRC32C_H_
