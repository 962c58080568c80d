#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/approach.hpp"
#include "proxy/session/conversation.hpp"
#include "proxy/session/subscriber_move.hpp"

namespace cvp::proxy {

/// Brings a client to another upstream connection while its old one still serves: make before break.
///
/// Expected flow: a new connection is dialled and brought to the client's state; at the next clean point of the
/// conversation, which is paused for it if need be, the owner takes it over. A subscriber changes over at a marker
/// instead (SubscriberMove).
/// Guarantees: the client notices nothing. Until the marker is out, giving up leaves everything as it was; after that
/// only the end of the client's connection is honest (on_move_failed(true)).
/// Owner: a Relay, who calls on_progress() when its conversation went on. Main loop only.
class Move final : public Disposable, private Approach::Owner, private Channel::Owner, private Timed {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        /// @param first what the new server has said to the client already
        virtual void on_moved(LoggedIn connection, std::string first) = 0;
        /// @param is_fatal whether the client would miss something if it stayed
        virtual void on_move_failed(bool is_fatal) = 0;
        /// The new server does not know scripts that the client counts on.
        virtual void on_move_in_vain() = 0;
    };

    Move(EventLoop& loop, Owner& owner, std::shared_ptr<Upstream> way, Conversation& conversation);

    /// Begins. May end at once, by a call of on_moved() from within.
    /// @return false if no connection can be made now: no call follows
    bool start();

    /// The conversation went on: it may have come to a clean point.
    void on_progress();
    void on_marker_subscribed(bool is_refused);
    void on_marker();

    /// Whether the old connection has said all that it had to say.
    bool has_marker() const { return has_marker_; }
    const std::shared_ptr<Upstream>& way() const { return way_; }
    void retire() override;

private:
    enum class Phase { approaching, ready, subscribing, waiting, marking, crossing, over };

    void subscribe();
    void cross();
    void hand_over(std::string first);
    void fail();

    void on_arrived(LoggedIn connection) override;
    void on_approach_failed(LocalError) override { fail(); }
    void on_script_unknown() override;
    void on_time(SteadyClock::time_point) override { fail(); }
    void on_open() override {}
    void on_bytes(std::string_view bytes) override;
    void on_eof() override { fail(); }
    void on_broken(const ChannelFault&) override { fail(); }
    void on_sent() override {}
    void on_hangup() override { fail(); }

    EventLoop& loop_;
    Move::Owner& owner_;
    std::shared_ptr<Upstream> way_;
    Conversation& conversation_;
    Timer timer_;
    Phase phase_ = Phase::approaching;
    ClientState reached_;  ///< what the new connection was brought to
    std::unique_ptr<Approach> approach_;
    LoggedIn connection_;
    std::optional<SubscriberMove> subscriber_;
    bool has_arrived_ = false;  ///< the new connection is past the marker
    bool has_marker_ = false;   ///< the old one is
};

}  // namespace cvp::proxy
