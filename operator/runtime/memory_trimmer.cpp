#include "operator/runtime/memory_trimmer.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace cvp::op {
namespace {

constexpr SteadyClock::duration kPeriod = std::chrono::seconds(15);

void give_back() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

}  // namespace

Awaitable<void> MemoryTrimmer::run() {
    while (!stopped_) {
        co_await wake_.wait_until(SteadyClock::now() + kPeriod);
        if (!stopped_) give_back();
    }
}

void MemoryTrimmer::stop() {
    stopped_ = true;
    wake_.notify_all();
}

}  // namespace cvp::op
