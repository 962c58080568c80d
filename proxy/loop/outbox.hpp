#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cvp::proxy {

/// What is to be sent once the events that came together are handled, in the order in which it was written: the
/// kernel's long way through a send then stays in the CPU's caches, and so do OpenSSL and RESP, instead of each driving
/// the others out with every event. It copies, so only what is short waits here.
///
/// Owner: the EventLoop. Whoever has something in it flushes before it goes.
class Outbox {
public:
    class Sender {
    public:
        virtual ~Sender() = default;
        /// Must not write to the outbox.
        virtual void send_now(std::string_view bytes) = 0;
    };

    /// Begins to take, until close().
    void open() { is_open_ = true; }

    /// @return whether it has `bytes`; if not, they and what it has of `sender` are to be sent at once, by flush()
    bool take(Sender& sender, std::string_view bytes);

    /// Sends all that it has, whoever it is of.
    void flush();

    void close() {
        flush();
        is_open_ = false;
    }

private:
    static constexpr std::size_t kLongest = std::size_t{4} * 1024;  ///< more costs more to copy than it saves
    static constexpr std::size_t kMost = std::size_t{32} * 1024;    ///< of all, within the cache of a core

    struct Piece {
        Sender* sender;
        std::size_t size;
    };

    bool is_open_ = false;
    std::string bytes_;  ///< of the pieces, end to end
    std::vector<Piece> pieces_;
};

}  // namespace cvp::proxy
