#pragma once

#include <optional>
#include <string>
#include <vector>

#include <poll.h>

#include "common/clock.hpp"
#include "tests/emulator/front_socket.hpp"
#include "tests/emulator/login_gate.hpp"

namespace cvp::emulator {

/// When the provider ends a connection by itself.
struct LoginAge {
    std::chrono::milliseconds limit{0};  ///< 0: never
    bool is_prolonged = true;            ///< counted from the newest login; false: from the first
};

/// One client of the front and its connection to the server: moves bytes through the gate, both ways on their own.
///
/// The server's handshake comes first, so that a client of a server that hangs waits for its handshake as it would
/// there. Whatever end is reached first: the last bytes, then FIN. Each way stops to read at 256 KiB not sent on.
class FrontConnection {
public:
    FrontConnection(FrontSocket client, FrontSocket server, LoginJudge& judge, const std::string& tag)
        : client_(std::move(client)), server_(std::move(server)), gate_(judge, tag) {}

    /// Moves what can be moved now: a piece each way, so that no client keeps the others waiting.
    /// @return whether there may be more
    bool pump(SteadyClock::time_point now);
    /// Ends it as CLIENT KILL does: EOF, whatever was on its way.
    void cut();
    bool is_over() const { return is_over_; }
    /// Whether a login of its is being delayed.
    bool has_login_waiting() const { return !is_over_ && gate_.wakes_at().has_value(); }

    /// Adds what pump() waits for.
    void add_to(std::vector<pollfd>& entries) const;
    /// And until when.
    std::optional<SteadyClock::time_point> wakes_at(const LoginAge& age) const;
    /// Whether its login is too old.
    bool is_expired(const LoginAge& age, SteadyClock::time_point now) const;

private:
    bool establish();
    bool move_from_client(SteadyClock::time_point now);
    bool move_from_server();
    bool move_to(FrontSocket& socket, std::string& bytes, bool& is_deaf);
    void finish(SteadyClock::time_point now);
    std::optional<SteadyClock::time_point> expiry(const LoginAge& age) const;

    bool wants_from_client() const;
    bool wants_from_server() const;

    FrontSocket client_;
    FrontSocket server_;
    LoginGate gate_;
    bool is_established_ = false;
    bool client_ended_ = false;    ///< it sends no more
    bool server_ended_ = false;    ///< it sends no more
    bool client_is_deaf_ = false;  ///< it takes no more
    bool server_is_deaf_ = false;  ///< it takes no more
    bool client_is_told_ = false;  ///< FIN is sent to it
    bool server_is_told_ = false;  ///< FIN is sent to it
    bool tells_client_ = false;    ///< FIN to it waits for room
    bool tells_server_ = false;    ///< FIN to it waits for room
    std::optional<SteadyClock::time_point> linger_end_;
    bool is_over_ = false;
};

}  // namespace cvp::emulator
