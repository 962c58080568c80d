#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace cvp::test {

/// A TCP balancer on loopback, as a Service is one: it gives each new connection to the next backend that is ready,
/// never tries another one, and leaves open connections alone when their backend stops being ready.
///
/// It asks each backend's /readyz every 200 ms; any answer but 200, none at all, or none within a second, means that
/// the backend is not ready. Owner: a test; a thread of its own. Any thread may call.
class TcpBalancer {
public:
    static constexpr auto kPeriod = std::chrono::milliseconds(200);

    struct Backend {
        std::uint16_t port = 0;
        std::uint16_t probe_port = 0;
    };

    TcpBalancer();
    ~TcpBalancer();
    TcpBalancer(const TcpBalancer&) = delete;
    TcpBalancer& operator=(const TcpBalancer&) = delete;

    std::uint16_t port() const;

    /// Begins to ask it. @return its number, from 0
    std::size_t add(Backend backend);

    bool is_ready(std::size_t backend) const;
    std::size_t ready() const;
    /// When it became ready, or stopped being so, for the last time.
    std::chrono::steady_clock::time_point turned_at(std::size_t backend) const;
    /// Connections that it was given.
    std::size_t connections(std::size_t backend) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::test
