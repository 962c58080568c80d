#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/approach.hpp"
#include "proxy/loop/channel.hpp"
#include "proxy/move.hpp"
#include "proxy/session/client_gate.hpp"
#include "proxy/session/conversation.hpp"
#include "proxy/session/relogin.hpp"
#include "proxy/session/session.hpp"
#include "proxy/upstream/upstream.hpp"

namespace cvp::proxy {

/// One client connection: performs what its Session and its Conversation say, on the client's channel and the upstream
/// one. The Session decides when to dial, hold, answer and end; the Conversation what the bytes mean; a Move carries
/// the client to another upstream connection.
///
/// Owner: its Host, who gives it to EventLoop::dispose() when it ended.
class Relay final : public Disposable,
                    private Conversation::Wire,
                    private Approach::Owner,
                    private Move::Owner,
                    private LoginSlots::Waiter,
                    private Timed {
public:
    /// Where a relay belongs: its port.
    class Host {
    public:
        virtual ~Host() = default;
        /// Where clients go that speak now; null: answer verdict().
        virtual std::shared_ptr<Upstream> upstream() = 0;
        /// What a client that speaks now is answered with, if it is not to be held.
        virtual std::optional<LocalError> verdict() = 0;
        virtual std::chrono::milliseconds connect_hold() const = 0;
        virtual const ClientPolicy& client_policy() const = 0;
        virtual const std::string& connection() const = 0;
        virtual PortStats& stats() = 0;
        /// The server says that it is no primary (any more).
        virtual void on_demoted() = 0;
        /// The relay is over: closed, and only to be disposed of.
        virtual void on_ended(Relay& relay) = 0;
    };

    /// @param client open: TLS, if the client has to do it, is done
    Relay(EventLoop& loop, Host& host, std::unique_ptr<Channel> client);
    ~Relay() override;

    /// Begins to listen to the client.
    void start();
    /// Sends the client away at once, in the server's own words for "too many clients".
    void start_full();

    /// The host's upstream is a new one: where it leads elsewhere, or with another TLS, the client goes there at the
    /// next clean point.
    void follow();
    /// The host's upstream leads to another server since `since`: where the client's connection is older, the client
    /// goes there at the next clean point.
    void leave_server(SteadyClock::time_point since);
    /// Ends it now, whatever is pending.
    void abort();
    void retire() override {}  // close() comes before it
    /// Ends it if the client waits for nothing: since the last call no byte came either way, and no reply is owed.
    void end_if_quiet();

    /// Its place in the host's list.
    std::list<std::unique_ptr<Relay>>::iterator place;

private:
    /// The client's channel and the upstream one report through the same interface.
    struct ClientSide final : Channel::Owner {
        explicit ClientSide(Relay& relay) : relay_(relay) {}
        void on_open() override {}
        void on_bytes(std::string_view bytes) override { relay_.on_client_bytes(bytes); }
        void on_eof() override { relay_.on_client_eof(); }
        void on_broken(const ChannelFault&) override { relay_.apply(relay_.session_.on_client_broken()); }
        void on_sent() override { relay_.on_client_sent(); }
        void on_hangup() override { relay_.apply(relay_.session_.on_client_broken()); }
        void on_unread_end() override { relay_.on_client_unread_end(); }
        Relay& relay_;
    };
    struct UpstreamSide final : Channel::Owner {
        explicit UpstreamSide(Relay& relay) : relay_(relay) {}
        void on_open() override {}
        void on_bytes(std::string_view bytes) override { relay_.on_upstream_bytes(bytes); }
        void on_eof() override { relay_.on_upstream_end(); }
        void on_broken(const ChannelFault&) override { relay_.on_upstream_end(); }
        void on_sent() override { relay_.update_windows(); }
        void on_hangup() override {}  // what it said before is read once the client has room for it
        Relay& relay_;
    };

    // The channels
    void on_client_bytes(std::string_view bytes);
    void on_client_eof();
    void on_client_unread_end();
    Session::ClientEnd meaning_of_end() const;
    bool is_over() const;
    void on_client_sent();
    void on_upstream_bytes(std::string_view bytes);
    void on_upstream_end();
    void count_cut();
    void on_time(SteadyClock::time_point now) override;

    // The session
    void apply(Do what);
    void dial();
    void on_arrived(LoggedIn connection) override;
    void on_approach_failed(LocalError error) override;
    void on_script_unknown() override;
    void end_for_scripts();
    void admit(std::string_view bytes);
    void first_bytes(std::string_view bytes);
    void send_held();
    void drop_upstream();
    void answer();
    void close();
    void update_windows();
    void set_timer(SteadyClock::time_point now);

    // The conversation
    void to_server(std::string_view bytes) override { upstream_->write(bytes); }
    void to_client(std::string_view bytes) override;
    void on_command(const CommandInfo& command) override;
    void on_replies(std::uint16_t command, std::uint32_t count, SteadyClock::duration took) override;
    void on_server_error(std::string_view head) override;
    std::optional<Conversation::Login> login_after_reset() override;
    void on_login_answer(std::string_view line) override;
    void on_marker_subscribed(bool is_refused) override;
    void on_marker() override { news_.marker = true; }
    void on_opaque() override { ++host_.stats().opaque; }
    void on_lost(std::string_view why) override;
    void converse(std::string_view bytes, SteadyClock::time_point now);
    void follow_up(SteadyClock::time_point now);

    // The age of the login, and other reasons for a new connection (relay_renewal.cpp)
    void take_over(LoggedIn connection, std::shared_ptr<Upstream> way);
    void seek_renewal(SteadyClock::time_point now);
    void log_in_again(SteadyClock::time_point now);
    void note_missed();
    void take_way_of_today();
    void renew();
    void begin_move(SteadyClock::time_point now);
    void end_move();
    void on_moved(LoggedIn connection, std::string first) override;
    void on_move_failed(bool is_fatal) override;
    void on_move_in_vain() override;
    void seek_end();
    void on_login_turn() override;

    /// What the conversation told while it was at work, to be acted on afterwards.
    struct News {
        bool lost = false;
        bool marker = false;
        std::optional<bool> marker_refused;
    };

    EventLoop& loop_;
    Host& host_;
    ClientSide client_side_{*this};
    UpstreamSide upstream_side_{*this};
    std::unique_ptr<Channel> client_;
    Session session_;
    Conversation conversation_;
    std::unique_ptr<ClientGate> gate_;  ///< until the client logged in, where it must
    News news_;
    Timer timer_;
    ByteQueue held_;                 ///< the client's, while there is no server or the conversation pauses
    std::shared_ptr<Upstream> way_;  ///< of the newest dial
    std::unique_ptr<Approach> approach_;
    std::unique_ptr<Channel> upstream_;
    Relogin relogin_;
    std::unique_ptr<LoginSlots::Claim> claim_;  ///< for an AUTH on the connection in use
    SteadyClock::time_point claim_until_{};
    SteadyClock::time_point connected_at_{};
    bool is_renewal_wanted_ = false;
    bool is_end_wanted_ = false;              ///< at a clean point: the client cannot go where it has to
    SteadyClock::time_point server_since_{};  ///< connections that are older lead to another one
    SteadyClock::time_point next_move_{};     ///< not before, after one that failed
    SteadyClock::duration move_wait_{};
    std::unique_ptr<Move> move_;
    bool is_full_ = false;
    bool is_quiet_ = false;
    bool has_server_spoken_last_ = true;
};

}  // namespace cvp::proxy
