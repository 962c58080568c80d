#pragma once

#include <chrono>
#include <thread>

namespace cvp::test {

/// Asks again every 10 ms until `condition` holds: for what another process shows without saying so.
/// @return whether it held within `limit`
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

}  // namespace cvp::test
