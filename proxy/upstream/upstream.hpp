#pragma once

#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "common/async/asio.hpp"
#include "common/result.hpp"
#include "proxy/loop/event_loop.hpp"
#include "proxy/upstream/dial.hpp"
#include "proxy/upstream/health.hpp"
#include "proxy/upstream/login_pacer.hpp"
#include "proxy/upstream/login_slots.hpp"
#include "proxy/upstream/spare_policy.hpp"
#include "proxy/upstream/spares.hpp"
#include "proxy/upstream/stats.hpp"
#include "proxy/upstream/target.hpp"

namespace cvp::proxy {

/// The way to one target: makes its dials, learns from every one of them, paces refused logins over all clients, keeps
/// spare connections, and proves in the background that the server can be reached where there is no spare to show it.
///
/// Owner: a Listener, until another destination replaces it; sessions share it until they end. Main loop only.
class Upstream final : private Dial::Owner, private Timed, private Spares::Owner {
public:
    /// @param connection for logs
    /// @param slots, stats outlive it
    /// @errors invalid_argument if no TLS context can be made of the target
    static Result<std::shared_ptr<Upstream>> make(EventLoop& loop, asio::io_context& io, LoginSlots& slots,
                                                  std::string connection, Target target, PortStats& stats);
    ~Upstream() override;

    /// Begins to prove and to keep spares, at once. stop() ends that: the target is no longer anybody's destination.
    void start();
    void stop();

    /// A connection that is ready, if there is one: better than a dial.
    std::optional<LoggedIn> take_spare();
    /// Those that there are lead to the wrong server.
    void renew_spares();

    /// Begins a dial for `owner`, who hands its result to settle().
    /// @return the dial; or why there is none now (no token, a refused login that is not due again)
    tl::expected<std::unique_ptr<Dial>, LocalError> dial(Dial::Owner& owner);

    /// Learns from a dial that ended.
    /// @return why it failed, or nothing if there is a channel
    std::optional<LocalError> settle(const DialResult& result);

    /// A client's hold ended in vain, because of `error`.
    void report_vain_hold(const LocalError& error);

    const Target& target() const { return target_; }
    /// Whether connections log in at all.
    bool has_login() const { return target_.login != nullptr; }
    /// The AUTH that a connection in use would send now; nothing if there is no token, or a refusal is too fresh.
    std::optional<Secret> login_command();
    /// How that AUTH ended: the server's line, or "" where it said nothing.
    /// @return whether it was accepted
    bool settle_login(std::string_view line);
    const std::optional<AgeLimits>& age_limits() const { return target_.age; }
    LoginSlots& login_slots() { return slots_; }

    /// What new clients are answered with instead of being held, while the upstream cools down.
    const std::optional<LocalError>& verdict() const { return health_.cooldown(); }

    const UpstreamState& state() const { return state_; }

private:
    Upstream(EventLoop& loop, asio::io_context& io, LoginSlots& slots, std::string connection, Target target,
             std::shared_ptr<TlsProfile> tls, PortStats& stats);

    void on_dial_ended(DialResult result) override;
    void on_time(SteadyClock::time_point now) override;
    void on_spare_lost(SteadyClock::time_point at) override;

    void pace(LoginPacer& pacer, Login::Outcome outcome, const Secret& refused, SteadyClock::time_point now);
    void count(const DialResult& result);
    void note_success(const DialResult& result, SteadyClock::time_point now);
    void note_failure(const LocalError& error);
    std::optional<LocalError> why_no_login(SteadyClock::time_point now);
    void schedule_proof();

    EventLoop& loop_;
    asio::io_context& io_;
    LoginSlots& slots_;
    std::string connection_;
    Target target_;
    std::shared_ptr<TlsProfile> tls_;
    PortStats& stats_;
    UpstreamState state_;
    LoginPacer pacer_;
    LocalError last_login_error_;  ///< what clients hear while the pacer lets no login through
    LoginPacer relogin_pacer_;     ///< a server that refuses to renew a login may well grant a first one
    Secret relogin_password_;      ///< of the newest login_command()
    Health health_;
    SparePolicy spare_policy_;
    Spares spares_;
    Timer timer_;
    std::unique_ptr<Dial> proof_;
    bool is_started_ = false;
    bool is_failing_ = false;
};

}  // namespace cvp::proxy
