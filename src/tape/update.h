#ifndef CALLBRIDGE_SRC_TAPE_UPDATE_H_
#define CALLBRIDGE_SRC_TAPE_UPDATE_H_

#include <string>

#include "src/tape/reader.h"

namespace callbridge::tape {

// The text of a tape with the same call, conducted and fed the same way, and what the call makes of it now: for after a
// change of behaviour that is wanted. The caller, the carrier and the model still do what they did then; ticks come
// when the call asks for them now, also behind the last input. Sounds become lengths.
std::string Update(const Tape& tape);

}  // namespace callbridge::tape

#endif  // CALLBRIDGE_SRC_TAPE_UPDATE_H_
