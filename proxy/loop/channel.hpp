#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "proxy/loop/byte_queue.hpp"
#include "proxy/loop/event_loop.hpp"
#include "proxy/loop/outbox.hpp"
#include "proxy/loop/socket.hpp"
#include "proxy/loop/tls_engine.hpp"

namespace cvp::proxy {

/// Why a channel is of no more use.
struct ChannelFault {
    enum class Phase { connecting, handshaking, open };
    Phase phase = Phase::open;
    std::string reason;               ///< for a human; empty once open
    std::optional<tls::Failure> tls;  ///< where TLS is the reason
};

/// A byte stream on the loop: a socket, TLS over it where a profile is given, and the bytes that the socket did not
/// take.
///
/// Expected flow: adopt(), accept() or connect(), on_open(), then write() and on_bytes() until on_eof() or on_broken();
/// finish() ends our direction after what is pending; close() ends everything now.
///
/// Guarantees: one recv(2) and at most one on_bytes() per wake-up; callbacks come from the loop only, never from within
/// a call of the owner's but read_at_once(); none comes after close(). What arrived before the end is delivered before
/// it, also when our own writes already fail: the last words of a server that closes on us reach its client.
///
/// Owner: whoever it reports to. It must be given to EventLoop::dispose(), not deleted, from within a callback.
class Channel final : public Disposable, private Watched, private Outbox::Sender {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void on_open() = 0;
        /// `bytes` are the loop's scratch memory: gone after the call.
        virtual void on_bytes(std::string_view bytes) = 0;
        /// The peer sends no more; we may still write.
        virtual void on_eof() = 0;
        virtual void on_broken(const ChannelFault& fault) = 0;
        /// The socket took bytes that were pending().
        virtual void on_sent() = 0;
        /// The peer is gone while reading is off; bytes of its may still be there to be read.
        virtual void on_hangup() = 0;
        /// The peer sends no more, while reading is off and bytes of its may still be there to be read. Told once.
        virtual void on_unread_end() {}
    };

    /// set_owner() comes before the first turn of the loop.
    explicit Channel(EventLoop& loop);
    Channel(EventLoop& loop, Owner& owner);
    ~Channel() override;

    /// Whom the next callback reaches.
    void set_owner(Owner& owner) { owner_ = &owner; }

    /// Takes a connected socket, plain: open at once, without on_open().
    void adopt(Socket socket);

    /// Takes a connected socket whose client has to do the TLS handshake first, as `tls` says.
    void accept(Socket socket, const TlsServerProfile& tls);

    /// Dials; null `tls` means plain TCP.
    /// @errors unavailable where it fails at once; no callback follows then
    Result<void> connect(const SocketAddress& address, std::shared_ptr<TlsProfile> tls);

    /// Sends `bytes` by the end of the loop's batch at the latest, in as few records and system calls as may be; what
    /// the socket does not take is queued without bound: mind pending(). Bytes for a peer that is gone are dropped;
    /// on_eof() or on_broken() tells of it in time.
    void write(std::string_view bytes);

    /// Bytes (ciphertext, under TLS) that wait for the socket, beside those that wait for the end of the batch.
    std::size_t pending() const { return pending_.size(); }

    /// Whether the socket has something to read, be it the end, that no callback has told of yet. A system call.
    bool has_input() const { return ahead_ || (socket_ && is_readable(socket_)); }

    /// Takes what has come already, as the next wake-up would: a callback may follow, and end everything. For whom the
    /// loop called, but not about this channel: what it is reading would be overtaken.
    void read_at_once() { handle(EPOLLIN); }

    /// How many bytes may be read per wake-up; 0 stops reading.
    void set_reading(std::size_t bytes);

    /// Ends our direction: close_notify and FIN follow what is pending. Nothing is written after that. To a peer that
    /// has ended its own it is close() that sends the FIN, and the owner's next step.
    void finish();
    /// Whether all that was sent.
    bool is_finished() const { return is_finished_; }

    void close();
    /// The same, of a peer that owes us nothing and whom we owe nothing. One of TLS is reset: it would answer a FIN
    /// with a close_notify, which nobody is there to take any more and the kernel answers with a reset, only later.
    void abandon();
    void retire() override { close(); }
    /// Whether TCP is there: TLS may not be.
    bool is_connected() const { return state_ != State::connecting; }

    /// Who was verified, once; nothing without TLS.
    std::optional<tls::VerifiedPeer> take_peer();

private:
    enum class State { connecting, handshaking, open };

    /// What was read before its turn, to be handled like what a recv(2) of then would bring: also where reading was
    /// turned off meanwhile.
    struct Ahead {
        Transfer outcome;
        const char* bytes;
    };

    void on_ready(std::uint32_t events) override;
    std::size_t read_ahead(std::span<char> room) override;
    void handle(std::uint32_t events);
    Result<void> greet();
    void on_connected();
    void read();
    void take(std::string_view bytes);
    void flush();
    void put(std::string_view bytes);
    void send_now(std::string_view bytes) override;
    void send_deferred();
    void shut_if_drained();
    void update_interest();
    void report_broken(std::string reason);

    EventLoop& loop_;
    Owner* owner_ = nullptr;
    Socket socket_;
    Watch watch_;
    State state_ = State::open;
    std::unique_ptr<TlsEngine> tls_;
    ByteQueue pending_;
    std::optional<Ahead> ahead_;
    std::size_t reading_ = 0;
    bool is_bulky_ = false;     ///< more comes at once than is worth reading ahead
    bool is_deferred_ = false;  ///< the outbox has something of ours
    bool is_server_ = false;    ///< of the two ends of a handshake
    bool has_peer_ended_ = false;
    bool is_unread_end_told_ = false;
    bool is_write_broken_ = false;
    bool is_finishing_ = false;
    bool is_finished_ = false;
};

}  // namespace cvp::proxy
