#pragma once

#include "common/http/message.hpp"
#include "tests/emulator/state.hpp"

namespace cvp::emulator {

/// Answers a call of memorystore.googleapis.com v1 as the live service does: instances.get, certificateAuthority,
/// sharedRegionalCertificateAuthority. Counts it, checks the bearer, applies faults and quota. No I/O.
Answer answer_memorystore(const http::Request& request, State& state, SystemClock::time_point now);

}  // namespace cvp::emulator
