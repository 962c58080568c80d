#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"
#include "common/secret.hpp"
#include "proxy/resp/reply_framer.hpp"
#include "proxy/resp/request_framer.hpp"
#include "proxy/session/byte_run.hpp"
#include "proxy/session/client_login.hpp"
#include "proxy/session/client_state.hpp"
#include "proxy/session/reply_fifo.hpp"

namespace cvp::proxy {

/// What client and server say to each other over one pair of connections, without sockets: the bytes of both go through
/// here, framed, so that it is known at every moment what state the client's connection is in, whose the next reply is,
/// and where a command of ours may stand without being noticed.
///
/// Guarantees:
/// - Bytes pass unchanged and in order, but for the commands that are answered here (AUTH, HELLO's AUTH, two
///   subcommands of CLIENT that would lead clients past the proxy) and for our own. A command that is answered here
///   goes to the server as PING, so that its answer takes its place among the others and it uses up a CLIENT REPLY SKIP
///   as it would have.
/// - The two directions never wait for each other.
/// - What is not understood makes it *opaque*: bytes are copied as they are, and nothing of ours is sent, until a RESET
///   makes all known again.
///
/// Owner: a Relay. One for the life of the client; its server may be replaced (start_over()).
/// @source data-plane-verified sections 1 and 2
class Conversation {
    using Kind = ReplySlot::Kind;

public:
    /// Our AUTH, and the word that our PING behind it asks back.
    struct Login {
        Secret command;
        std::string nonce;
    };

    /// Who performs it. Calls come from within the conversation's own; none may end it.
    class Wire {
    public:
        virtual ~Wire() = default;
        virtual void to_server(std::string_view bytes) = 0;
        virtual void to_client(std::string_view bytes) = 0;
        /// A command came, to be counted.
        virtual void on_command(const CommandInfo& command) = 0;
        /// `count` replies came to commands that were sent at one moment.
        virtual void on_replies(std::uint16_t command, std::uint32_t count, SteadyClock::duration took) = 0;
        /// An error reply passed: its first bytes, from "-" on.
        virtual void on_server_error(std::string_view head) = 0;
        /// What a RESET must be followed by; nothing where the server wants no login.
        virtual std::optional<Login> login_after_reset() = 0;
        /// How our AUTH ended: the server's line, or "" where it answered nothing, as some do that refuse.
        virtual void on_login_answer(std::string_view line) = 0;
        /// Our SSUBSCRIBE (inject_marker) is confirmed, or refused: the server's line.
        virtual void on_marker_subscribed(bool is_refused) = 0;
        /// The marker's message came: nothing more of this server's passes.
        virtual void on_marker() = 0;
        /// From here on bytes are copied as they are.
        virtual void on_opaque() = 0;
        /// What comes next cannot be told apart any more, or must not pass: both connections are to be closed.
        virtual void on_lost(std::string_view why) = 0;
    };

    /// @param keeps_commands whether on_replies() tells each command's replies apart
    Conversation(Wire& wire, ClientPolicy policy, bool keeps_commands = false);

    /// Takes what the client sent.
    /// @return how much of it was taken: all of it, unless the conversation pauses (pause())
    std::size_t on_client_bytes(std::string_view bytes, SteadyClock::time_point now);
    void on_server_bytes(std::string_view bytes, SteadyClock::time_point now);

    /// Whether AUTH may be sent now without a trace: see data-plane-verified 1.1.
    bool can_log_in() const;
    /// Sends AUTH and PING. can_log_in() must hold; on_login_answer() tells the end.
    void inject_login(const Login& login, SteadyClock::time_point now);
    bool is_logging_in() const { return fifo_.owed(Kind::login) + fifo_.owed(Kind::vital_login) > 0; }

    /// Whether another server's connection can take this one's place now, once its state was repeated there: nothing is
    /// under way, and nothing is remembered that cannot be repeated. With subscriptions: only by way of a marker.
    bool can_move() const { return cannot_move_because().empty(); }
    /// Why not, in a word for a metric ("multi", "watch", "tracking", …); "busy" while only time is needed.
    std::string_view cannot_move_because() const;
    /// As can_move(), where the server is gone already: answers to our own logins are not waited for any more.
    bool can_resume() const;
    /// What the new connection must be brought to.
    const ClientState& state() const { return state_; }
    /// Takes no command from the next boundary on at which can_move() may come to hold, so that the replies run dry.
    void pause() { is_paused_ = true; }
    void resume() { is_paused_ = false; }
    bool is_paused() const { return is_paused_; }
    /// The server is another one, brought to state(). can_move() must hold, or the marker have come.
    void start_over();

    /// Subscribes to `channel`, of nobody's, on this connection.
    void inject_marker(std::string channel, SteadyClock::time_point now);

    /// There will be no marker, after all: it was refused.
    void drop_marker() { marker_.clear(); }

    /// Whether nothing is under way: no reply is owed and no command is cut.
    bool is_idle() const;
    /// Whether the server should learn at once that the client ended: a command in flight may block, or what comes is
    /// not the reply to anything.
    bool must_hear_of_end() const;
    /// Whether the server answers nothing now (CLIENT REPLY OFF, or SKIP for the newest command): what it was sent may
    /// be on its way still, although no reply is owed.
    bool is_silent() const { return is_reply_off_ || is_reply_skipped_; }
    bool is_opaque() const { return is_opaque_; }
    bool is_subscribed() const;

private:
    // Requests (conversation_requests.cpp)
    void on_command(std::string_view head, bool is_whole);
    void use_up_one_shots();
    bool is_in_one_shot() const;
    bool is_answered_here(const CommandInfo& command);
    bool answer_client(const std::vector<std::string_view>& arguments);
    void replace(std::string_view answer);
    void note_request(const CommandInfo& command);
    void note_client(const std::vector<std::string_view>& arguments);
    void note_reply_mode(const std::vector<std::string_view>& arguments);
    void expect_reply(const CommandInfo& command);
    void pass_long(std::string_view head);
    void pass_unseen(std::string_view head);
    void note_ties(const CommandInfo& command);
    void write_before_wait();
    void forward_reset(std::string_view head);
    void push(Kind kind, std::uint32_t count = 1);
    void become_opaque();
    void copy_from_here();
    bool is_bound_by_resp2() const;
    bool will_refuse_hello() const;

    // Replies (conversation_replies.cpp)
    std::size_t pass_usual_replies(std::string_view bytes);
    bool must_hold() const;
    void take_frame(std::string_view frame);
    bool is_out_of_band(std::string_view head) const;
    void take_reply(std::string_view frame);
    void take_change(bool is_refused);
    void take_confirmation(std::string_view frame);
    void take_login(std::string_view frame);
    void take_push(std::string_view frame);
    void finish_slot();
    void report_answered();
    void lose(std::string_view why);

    void send_ours(const std::vector<std::string_view>& words, Kind kind);
    void send_login(std::string_view before, const Login& login, Kind kind);
    void pass_to_server(std::string_view bytes);
    void pass_to_client(std::string_view bytes);
    void send_to_server(std::string_view bytes);
    void send_to_client(std::string_view bytes);

    Wire& wire_;
    ClientPolicy policy_;
    ClientState state_;
    RequestFramer requests_;
    ReplyFramer replies_;
    ReplyFifo fifo_;
    SteadyClock::time_point now_{};
    std::string_view input_;  ///< what is being taken, of either side
    ByteRun server_run_;
    ByteRun client_run_;

    // As of the last command that was taken:
    int protocol_asked_ = 2;  ///< that the server speaks by then, if it takes the HELLO
    bool has_subscribed_since_reset_ = false;
    bool is_logged_in_ = true;      ///< the client, with us
    bool is_command_open_ = false;  ///< the server has part of a command
    bool is_body_dropped_ = false;  ///< what is left of a command that was answered here
    bool is_in_multi_ = false;
    bool is_watching_ = false;
    bool is_reply_off_ = false;
    bool is_reply_skipped_ = false;  ///< this command's reply
    bool is_next_skipped_ = false;
    bool is_end_asked_for_ = false;  ///< QUIT, or CLIENT KILL, which may have meant itself
    bool is_one_shot_set_ = false;   ///< CLIENT CACHING, ASKING: used up by the next command, whosoever it is
    bool has_tracked_reads_ = false;
    bool has_asked_id_ = false;
    bool may_have_written_ = false;
    bool was_moved_ = false;  ///< since it may have written: see write_before_wait()
    bool is_known_ = true;    ///< nothing changed out of our sight
    bool is_opaque_ = false;
    bool is_muddled_ = false;  ///< frames come inside EXEC's that nobody counts: not even a RESET's reply can be found
    bool is_copied_ = false;   ///< not even commands are looked for any more
    bool is_paused_ = false;

    // Of the server's stream:
    bool is_raw_ = false;      ///< frames are not looked for any more
    bool is_cut_ = false;      ///< the marker came
    bool is_holding_ = false;  ///< this frame is kept until it is whole
    std::string held_;
    std::uint32_t answered_ = 0;  ///< of the front slot, not reported yet
    std::string nonce_;
    std::string marker_;
    std::vector<std::string> answers_;  ///< of the `replaced` slots
    std::vector<StateChange> changes_;  ///< of the `change` slots
};

}  // namespace cvp::proxy
