#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/async/asio.hpp"
#include "proxy/session/local_error.hpp"

namespace cvp::proxy {

/// What the driver of a Session must do now: any set of these, in this order.
enum class Do : std::uint16_t {
    nothing = 0,
    report_vain_hold = 1,  ///< a client waited in vain for error(): the upstream's cool-down begins
    drop_upstream = 2,     ///< end the dial or the upstream connection, whichever there is
    dial = 4,              ///< begin one dial
    send_held = 8,         ///< send the client's held bytes upstream
    finish_upstream = 16,  ///< FIN (and close_notify) upstream, after what is pending
    answer = 32,           ///< send the local error() to the client
    finish_client = 64,    ///< FIN to the client, after what is pending
    close = 128,           ///< close everything: the session is over
};

constexpr Do operator|(Do a, Do b) {
    return static_cast<Do>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}
constexpr bool operator&(Do a, Do b) {
    return (static_cast<std::uint16_t>(a) & static_cast<std::uint16_t>(b)) != 0;
}

/// The life of one client connection, without sockets and clocks: events in, what to do out.
///
/// Expected flow: silent → holding (dials; the client's bytes wait) → relaying (both ways) → ending; or, with a local
/// error, silent or holding → ending. "Ending": the client gets what is pending, then FIN; what it still sends is
/// thrown away for a second, because a reset would destroy our last words on their way. A server that ends while the
/// client's state can be repeated elsewhere: relaying → holding again, and if that fails the client sees the end.
///
/// Guarantees:
/// - Nothing is dialled for a client that has sent nothing: a port scan or a probe costs no login.
/// - Bytes are held for the time of the hold and 64 KiB at most. A client that goes away meanwhile is not dialled for
///   again and its bytes are dropped. One that only half-closes is served if the very first dial succeeds within 250
///   ms, as it would be directly; we cannot tell the two apart, and later than that nobody waits for an answer.
/// - A local error is sent only where no byte of the server's was: never after relaying began.
/// - The two directions do not wait for each other: each stops being read at 256 KiB that the other side did not take.
/// - The client's half-close reaches the server right after its last byte where the server could act on a client that
///   is gone (ClientEnd::tell); else nobody waits for the server's end but for the replies that are owed: a second from
///   its last byte or the client's last progress.
///
/// Owner: a Relay. Sizes in bytes; the driver knows what is pending in its channels.
class Session {
public:
    static constexpr std::size_t kHeldLimit = std::size_t{64} * 1024;
    static constexpr std::size_t kUnsentLimit = std::size_t{256} * 1024;

    enum class State { silent, holding, relaying, ending, over };

    explicit Session(SteadyClock::time_point accepted) : accepted_(accepted) {}

    State state() const { return state_; }

    /// The first bytes came: hold them and dial. State must be silent.
    Do on_first_bytes(SteadyClock::time_point now, std::chrono::milliseconds hold);
    /// Answers the client with `error` instead. State must be silent.
    Do refuse(LocalError error);

    /// What a client's end means to its server.
    enum class ClientEnd {
        nothing,  ///< no reply is owed: the session ends
        owed,     ///< replies are owed, and come by themselves
        tell,  ///< the server must hear of it: a command may wait for others, messages come unasked, or replies do not
    };
    Do on_client_eof(SteadyClock::time_point now, ClientEnd end = ClientEnd::tell);
    /// No reply is owed any more.
    Do on_idle();
    /// Ends it after what is pending, without a local error. In any state but over.
    Do end_politely();
    /// Reset, or gone for good while its reading was off.
    Do on_client_broken();
    /// The client took bytes; `pending` are left, `is_finished` says whether our FIN followed them.
    Do on_client_sent(SteadyClock::time_point now, std::size_t pending, bool is_finished);

    Do on_dialled(SteadyClock::time_point now);
    Do on_dial_failed(SteadyClock::time_point now, LocalError error);
    void on_upstream_bytes(SteadyClock::time_point now);
    /// The server ended or broke the connection.
    /// @param hold how long the client may be held while another connection is brought to its state; 0: not at all
    Do on_upstream_end(SteadyClock::time_point now, std::chrono::milliseconds hold);

    /// @param pending bytes that wait for the client or the server to take them
    Do on_time(SteadyClock::time_point now, std::size_t pending);
    /// When on_time() is wanted next.
    std::optional<SteadyClock::time_point> deadline() const { return deadline_; }

    /// How many bytes may be read from the client now.
    /// @param unsent held, or waiting for the upstream socket
    std::size_t client_window(std::size_t unsent) const;
    /// Whether the server may be read now; `unsent` waits for the client's socket.
    bool wants_upstream(std::size_t unsent) const;

    /// What the client is told: while ending by a local error, or the reason of a hold in vain.
    const LocalError& error() const { return error_; }
    bool has_client_ended() const { return has_client_ended_; }
    /// Whether the client had a server before: what holds it is not its first dial.
    bool is_resuming() const { return is_resuming_; }

private:
    Do begin_hold(SteadyClock::time_point now, std::chrono::milliseconds hold);
    Do end_with(LocalError error);
    Do give_up(LocalError error);
    Do close();
    bool is_served_half_closed(SteadyClock::time_point now) const;

    SteadyClock::time_point accepted_;
    State state_ = State::silent;
    bool has_client_ended_ = false;
    bool is_dialling_ = false;
    bool is_resuming_ = false;
    int failures_ = 0;
    SteadyClock::time_point hold_until_{};
    std::optional<SteadyClock::time_point> deadline_;
    LocalError error_;
};

}  // namespace cvp::proxy
