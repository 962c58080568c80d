#pragma once

#include <chrono>

namespace cvp {

using SteadyClock = std::chrono::steady_clock;
using SystemClock = std::chrono::system_clock;

}  // namespace cvp
