#include "proxy/memory_trim.hpp"

#include <algorithm>

#include <malloc.h>

namespace cvp::proxy {

bool MemoryTrim::is_due(std::size_t open, SteadyClock::time_point now) {
    most_ = std::max(most_, open);
    if (most_ < kFewest || open > most_ / 2) {
        is_low_ = false;
        return false;
    }
    if (!is_low_) {
        is_low_ = true;
        low_since_ = now;
    }
    if (now - low_since_ < kDelay) return false;
    is_low_ = false;
    most_ = open;
    return true;
}

void trim_memory() {
#if defined(__GLIBC__)
    ::malloc_trim(0);
#endif
}

}  // namespace cvp::proxy
