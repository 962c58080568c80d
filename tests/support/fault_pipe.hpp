#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

namespace cvp::test {

/// How a connection is cut: with FIN, after which what was sent before arrives, or with RST, which may destroy it.
enum class Cut { fin, reset };

/// What a FaultPipe does to the bytes. "Up" is from who connects to the target, "down" the way back.
struct PipeFaults {
    static constexpr auto kNoLimit = std::numeric_limits<std::size_t>::max();

    std::chrono::milliseconds latency{0};  ///< each way, without slowing a stream down
    std::size_t slice = kNoLimit;          ///< the most bytes that one write passes on
    std::size_t up_limit = kNoLimit;       ///< bytes of a connection that pass; with the last one it is cut
    std::size_t down_limit = kNoLimit;
    Cut cut = Cut::fin;  ///< how, at a limit
};

/// A TCP forwarder on loopback that breaks in every way that a network does.
///
/// Owner: a test; a thread of its own, so that clients may block. Any thread may call; a call has taken effect when it
/// returns. With its end all connections are reset.
class FaultPipe {
public:
    /// Listens on 127.0.0.1, on any free port. Throws std::runtime_error.
    explicit FaultPipe(std::uint16_t target);
    ~FaultPipe();
    FaultPipe(const FaultPipe&) = delete;
    FaultPipe& operator=(const FaultPipe&) = delete;

    std::uint16_t port() const;

    /// For connections that are accepted from now on. `count`: for so many of them; later ones have no faults.
    void set(const PipeFaults& faults, std::size_t count = PipeFaults::kNoLimit);
    /// Where connections that are accepted from now on lead.
    void point_to(std::uint16_t target);
    /// Refuses connections, by a port that nobody listens on; those that are open go on.
    void close();
    /// Listens again, on the same port.
    void open();
    /// Passes nothing on, in either direction, and reads nothing: both ends are alone and cannot know it.
    void freeze();
    void thaw();
    /// Cuts every connection at once.
    void cut_all(Cut cut);

    std::size_t connections() const;  ///< accepted so far
    std::size_t open_connections() const;
    std::uint64_t bytes_up() const;  ///< passed on so far
    std::uint64_t bytes_down() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::test
