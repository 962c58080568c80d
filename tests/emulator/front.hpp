#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "common/secret.hpp"
#include "common/tls/options.hpp"
#include "tests/emulator/front_connection.hpp"
#include "tests/emulator/front_socket.hpp"
#include "tests/emulator/login_fault.hpp"

namespace cvp::emulator {

struct FrontOptions {
    Address listen{"127.0.0.1", 0};                 ///< port 0: any free one
    std::optional<tls::ServerOptions> certificate;  ///< nothing: clients speak plain TCP
    Address server;
    bool server_has_tls = false;  ///< its certificate is not looked at
};

/// What a front has seen and done since its start.
struct FrontCounts {
    std::uint64_t connections_total = 0;
    std::uint64_t connections_open = 0;  ///< now
    std::uint64_t logins_seen = 0;       ///< AUTH, and HELLO with AUTH, outside MULTI
    std::uint64_t logins_passed = 0;     ///< with a password that logs in at the moment: the server takes them
    std::uint64_t relogins_passed = 0;   ///< of those, on a connection that was logged in
    std::uint64_t logins_invalid = 0;    ///< passed on as well, for the server to refuse
    std::uint64_t logins_refused = 0;    ///< by a fault, with a reply
    std::uint64_t logins_silenced = 0;   ///< by a fault, without one
    std::uint64_t logins_cut = 0;        ///< by a fault, with the first bytes of an answer
    std::uint64_t logins_delayed = 0;    ///< whatever became of them
    std::uint64_t logins_waiting = 0;    ///< delayed, now
    std::uint64_t most_logins_waiting = 0;
    std::uint64_t cut_by_age = 0;  ///< connections
};

/// A TLS front before a Valkey: every client gets a connection of its own to the server, and every byte passes
/// unchanged, but for the answers to logins that a fault is for.
///
/// Owner: a backend or a test. One thread of its own serves all connections; it ends with the object, and so do they.
/// Any thread may call.
class Front {
public:
    /// @errors `unavailable` if it cannot listen; `invalid_argument` for a certificate that cannot be used
    static Result<std::unique_ptr<Front>> start(FrontOptions options);
    ~Front();
    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    Address address() const;

    /// Shows this from the next connection on.
    /// @errors invalid_argument
    Result<void> show(const std::optional<tls::ServerOptions>& certificate);
    /// Connects the next clients to this server.
    Result<void> lead_to(Address server, bool has_tls);
    /// Listens on another port instead (0: any free one); open connections end.
    /// @errors unavailable
    Result<void> move(std::uint16_t port);

    /// The passwords with which the server lets `default` in; nothing: any. For the counts and for the age of logins.
    void set_logins(std::optional<std::vector<Secret>> logins);
    void add_fault(LoginFault fault);
    void clear_faults();
    std::vector<LoginFault> faults() const;
    /// For open connections, too.
    void limit_age(LoginAge age);
    LoginAge age() const;
    /// Ends all connections, as CLIENT KILL does; they are closed when it returns.
    void cut_all();

    FrontCounts counts() const;

private:
    struct Impl;
    explicit Front(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::emulator
