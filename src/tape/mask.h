#ifndef CALLBRIDGE_SRC_TAPE_MASK_H_
#define CALLBRIDGE_SRC_TAPE_MASK_H_

#include <string>

#include "absl/strings/string_view.h"

// Phone numbers in lines of name="text" fields (call/field_text.h). A mask keeps the length, and the same number gives
// the same mask, so that what a call makes of masked inputs is the mask of what it made of the true ones.
namespace callbridge::tape {

// `line` with its numbers masked as base::MaskNumber does:
//   the whole text of fields that are numbers (from, to, number), if it begins like a number or a SIP URI;
//   in other texts each run of seven digits or more, blanks and punctuation between them left as they are;
//   in pieces of a text (delta) every digit, since a number may come in several.
// Ids, keys and words of ours are left alone.
std::string MaskNumbers(absl::string_view line);

// Whether two lines are the same but for masks: where one has a '*', the other may have anything.
bool SameButForMasks(absl::string_view one, absl::string_view other);

}  // namespace callbridge::tape

#endif  // CALLBRIDGE_SRC_TAPE_MASK_H_
