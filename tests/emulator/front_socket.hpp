#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/tls/context.hpp"

struct ssl_st;  // OpenSSL's SSL, so that its headers stay in the .cpp

namespace cvp::emulator {

struct Address {
    std::string ip;
    std::uint16_t port = 0;
};

/// One end of a connection through the front: a TCP socket that never blocks, with TLS or without.
///
/// Expected flow: establish() until it has moved, then read() and write() in any order. `blocked` means: nothing can be
/// done before poll(2) reports one of the events of interest().
class FrontSocket {
public:
    enum class Outcome {
        moved,
        blocked,
        ended,   ///< read: no more bytes will come; write: the peer takes no more
        broken,  ///< establish: it will never stand
    };

    /// Takes over an accepted socket. @param context nothing: no TLS
    static FrontSocket accepted(int fd, std::optional<tls::SslContext> context);
    /// Begins to connect.
    /// @errors unavailable
    static Result<FrontSocket> connecting(const Address& address, std::optional<tls::SslContext> context);

    FrontSocket(FrontSocket&& other) noexcept;
    FrontSocket& operator=(FrontSocket&&) = delete;
    ~FrontSocket();

    /// TCP and TLS handshake.
    Outcome establish();
    /// Appends at most 16 KiB to `out`.
    Outcome read(std::string& out);
    /// Sends a part of `bytes`, at least one of them, and erases it.
    Outcome write(std::string& bytes);
    /// "No more bytes from here": close_notify and FIN. Again until it is not blocked.
    Outcome finish_writing();
    /// As a server that kills a client: close_notify if there is room for it, then the socket is closed.
    void cut();

    int fd() const { return fd_; }
    bool is_established() const { return stage_ == Stage::standing; }
    /// What to wait for: the handshake, or else what reading and writing asked for.
    short interest(bool wants_to_read, bool wants_to_write) const;

private:
    FrontSocket(int fd, std::optional<tls::SslContext> context, bool is_server);

    enum class Stage { connecting, handshaking, standing };
    /// What OpenSSL's result means; `waits_for` becomes the event that it asked for.
    Outcome explain(int result, short& waits_for) const;

    int fd_ = -1;
    bool is_server_;
    Stage stage_;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
    short establish_waits_for_;
    short read_waits_for_;
    short write_waits_for_;
};

}  // namespace cvp::emulator
