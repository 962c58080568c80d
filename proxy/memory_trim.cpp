#include "proxy/memory_trim.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <malloc.h>

namespace cvp::proxy {

#if defined(__GLIBC__)
namespace {

/// What glibc keeps for each thread: so many chunks of each of so many sizes.
/// @source malloc.c of glibc: TCACHE_FILL_COUNT, TCACHE_MAX_BINS
constexpr std::size_t kCachedOfASize = 7;
constexpr std::size_t kSizes = 64;
constexpr std::size_t kLeastSize = 24;
constexpr std::size_t kSizeStep = 16;

using Chunks = std::array<void*, kCachedOfASize * kSizes>;

void take_all(Chunks& chunks) {
    std::size_t at = 0;
    for (std::size_t size = 0; size < kSizes; ++size) {
        for (std::size_t i = 0; i < kCachedOfASize; ++i)
            chunks[at++] = std::malloc(kLeastSize + size * kSizeStep);
    }
}

void give_all(const Chunks& chunks) {
    for (auto* chunk : chunks)
        std::free(chunk);
}

/// malloc_trim() does not look into that cache, and each of its chunks, from wherever the last session ended, holds a
/// page of 4 KiB: up to 1.8 MB. So they are taken out, others are put in that lie together, and these are given back.
void renew_thread_cache() {
    Chunks scattered;
    Chunks together;
    take_all(scattered);
    ::malloc_trim(0);
    take_all(together);
    give_all(together);
    give_all(scattered);
}

}  // namespace
#endif

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
    renew_thread_cache();
    ::malloc_trim(0);
#endif
}

}  // namespace cvp::proxy
