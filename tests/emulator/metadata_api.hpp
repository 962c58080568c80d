#pragma once

#include "common/http/message.hpp"
#include "tests/emulator/state.hpp"

namespace cvp::emulator {

/// Answers a call of a GKE or GCE metadata server: texts, directories (301 without the slash, listing, recursive JSON),
/// tokens. Enforces Metadata-Flavor, counts the call, applies faults. No I/O.
Answer answer_metadata(const http::Request& request, State& state, SystemClock::time_point now);

}  // namespace cvp::emulator
