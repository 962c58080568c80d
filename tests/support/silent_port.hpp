#pragma once

#include <cstdint>
#include <vector>

#include "common/result.hpp"

namespace cvp::test {

/// A port of 127.0.0.1 that is behind a firewall, as far as a client can tell: nothing answers its first packet.
/// Somebody listens there, but the queue of those who wait is full, so the kernel drops whoever else comes.
class SilentPort {
public:
    /// @param port 0: any free one
    /// @errors `unavailable` where nobody can listen there
    static Result<SilentPort> open(std::uint16_t port = 0);
    SilentPort(SilentPort&&) noexcept = default;
    SilentPort& operator=(SilentPort&&) = delete;
    ~SilentPort();

    std::uint16_t port() const { return port_; }

private:
    SilentPort() = default;

    std::uint16_t port_ = 0;
    std::vector<int> descriptors_;  ///< the listener, and who waits
};

}  // namespace cvp::test
