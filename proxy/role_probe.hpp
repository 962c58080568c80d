#pragma once

#include <memory>
#include <optional>

#include "proxy/approach.hpp"

namespace cvp::proxy {

/// Finds out, after a server said that it is read-only, whether the endpoint leads to a primary again: dials it (its
/// name is resolved anew), asks for its ROLE, and asks again while it is a replica, after 250 ms, then twice as long up
/// to 10 s, for a minute after the last call of ask(). A server that does not say is believed, once in 10 s.
///
/// Owner: a Listener. Main loop only.
class RoleProbe final : private Approach::Owner, private Channel::Owner, private Timed {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        /// @param asked connections from before may lead to the wrong server
        virtual void on_primary_found(SteadyClock::time_point asked) = 0;
    };

    RoleProbe(EventLoop& loop, Owner& owner);
    ~RoleProbe() override { stop(); }

    /// The server of `way` says that it is read-only.
    void ask(std::shared_ptr<Upstream> way);
    void stop();

private:
    void dial();
    void try_later();
    void end();
    void found();

    void on_arrived(LoggedIn connection) override;
    void on_approach_failed(LocalError) override;
    void on_script_unknown() override {}  // it has none
    void on_open() override {}
    void on_bytes(std::string_view bytes) override;
    void on_eof() override { try_later(); }
    void on_broken(const ChannelFault&) override { try_later(); }
    void on_sent() override {}
    void on_hangup() override { try_later(); }
    void on_time(SteadyClock::time_point now) override;

    EventLoop& loop_;
    RoleProbe::Owner& owner_;
    Timer timer_;
    std::shared_ptr<Upstream> way_;
    SteadyClock::time_point asked_{};       ///< begin of the dial under way
    SteadyClock::time_point until_{};       ///< nobody cares after that
    SteadyClock::time_point not_before_{};  ///< of the next dial
    SteadyClock::duration wait_{};
    std::unique_ptr<Approach> approach_;
    std::unique_ptr<Channel> channel_;
    std::string answer_;
};

}  // namespace cvp::proxy
