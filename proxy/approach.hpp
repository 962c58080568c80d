#pragma once

#include <memory>
#include <optional>

#include <tl/expected.hpp>

#include "proxy/session/replay.hpp"
#include "proxy/upstream/upstream.hpp"

namespace cvp::proxy {

/// The way of one client to an upstream connection of its own: a spare or a dial, and then whatever brings the
/// connection to the state that the client already has.
///
/// Lifecycle: start() once; the owner hears one of its calls once, from the loop, never from within start(). Giving it
/// to EventLoop::dispose() at any time ends it without a word.
class Approach final : public Disposable, private Dial::Owner, private Channel::Owner, private Timed {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void on_arrived(LoggedIn connection) = 0;
        virtual void on_approach_failed(LocalError error) = 0;
        /// The server there does not know scripts that the client counts on: trying again is of no use.
        virtual void on_script_unknown() = 0;
    };

    Approach(EventLoop& loop, Owner& owner, std::shared_ptr<Upstream> way, const ClientState& state);

    /// Begins.
    /// @return the connection, if one is ready and has nothing to be brought to; nothing while it is being made; or why
    ///         none can be made now
    tl::expected<std::optional<LoggedIn>, LocalError> start();
    /// Brings a connection that is there to the state.
    void start_on(LoggedIn connection);

    void retire() override;

private:
    void arrive();
    void fail(LocalError error);
    void replay();

    void on_dial_ended(DialResult result) override;
    void on_time(SteadyClock::time_point now) override;
    void on_open() override {}
    void on_bytes(std::string_view bytes) override;
    void on_eof() override;
    void on_broken(const ChannelFault&) override { on_eof(); }
    void on_sent() override {}
    void on_hangup() override { on_eof(); }

    EventLoop& loop_;
    Approach::Owner& owner_;
    std::shared_ptr<Upstream> way_;
    Replay replay_;
    Timer timer_;
    std::unique_ptr<Dial> dial_;
    LoggedIn connection_;
};

}  // namespace cvp::proxy
