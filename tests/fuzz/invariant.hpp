#pragma once

#include <cstdio>
#include <cstdlib>

namespace cvp::test {

/// Ends the process, which is a finding, if something that must always hold does not.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

}  // namespace cvp::test
