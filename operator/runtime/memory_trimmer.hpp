#pragma once

#include "common/async/event.hpp"

namespace cvp::op {

/// Gives memory that is free back to the system, every 15 s.
///
/// A list of a thousand objects, a burst of admissions: glibc keeps what they took, because something small and lasting
/// lies above it. A pass takes about a millisecond for some tens of megabytes. Without glibc it does nothing.
/// Owner: the App, which joins run() after stop(). One thread.
class MemoryTrimmer {
public:
    Awaitable<void> run();
    void stop();

private:
    Event wake_;
    bool stopped_ = false;
};

}  // namespace cvp::op
