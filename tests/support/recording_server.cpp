#include "tests/support/recording_server.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cvp::test {
namespace {

constexpr ByteStream::Limit kForEver = std::chrono::hours(1);
constexpr ByteStream::Limit kDrainLimit = std::chrono::seconds(1);

Result<int> listen_on(const std::string& host, std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 64) != 0) {
        const auto reason = std::generic_category().message(errno);
        ::close(fd);
        return fail(ErrorCode::unavailable, host + ":" + std::to_string(port) + ": " + reason);
    }
    return fd;
}

}  // namespace

struct RecordingServer::Impl {
    struct Peer {
        explicit Peer(int fd) : stream(fd) {}
        ByteStream stream;
        RecordedConnection seen;  ///< under `mutex`
        std::thread thread;
    };

    ~Impl() {
        ::shutdown(listener, SHUT_RDWR);
        if (acceptor.joinable()) acceptor.join();
        ::close(listener);
        for (auto& peer : peers) {
            peer.stream.shutdown();
            peer.thread.join();
        }
    }

    template <class Change>
    void record(Change change) {
        const std::lock_guard lock(mutex);
        change();
        changed.notify_all();
    }

    void accept_peers() {
        for (;;) {
            const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) {
                if (errno == EINTR || errno == ECONNABORTED) continue;
                return;
            }
            Peer* peer = nullptr;
            record([&] { peer = &peers.emplace_back(fd); });
            peer->thread = std::thread([this, peer] { serve(*peer); });
        }
    }

    void serve(Peer& peer) {
        std::string wire;
        if (options.tls) {
            const auto accepted = peer.stream.accept_tls(options.certificate, kForEver, &wire);
            record([&] {
                peer.seen.wire = wire;
                peer.seen.handshake_done = accepted.has_value();
                peer.seen.tls_version = accepted ? peer.stream.tls_version() : "";
                if (!accepted) peer.seen.failure = accepted.error().context;
            });
            if (!accepted) return drain(peer);
        }
        for (;;) {
            auto bytes = peer.stream.read_some(kForEver);
            if (!bytes || bytes->empty()) {
                record([&] {
                    peer.seen.wire = options.tls ? wire : peer.seen.application;
                    if (!bytes) peer.seen.failure = bytes.error().context;
                });
                return end(peer);
            }
            record([&] {
                peer.seen.application += *bytes;
                peer.seen.wire = options.tls ? wire : peer.seen.application;
            });
            if (!options.answer) continue;
            if (const auto reply = options.answer(*bytes); !reply.empty() && !peer.stream.write_all(reply, kForEver))
                return end(peer);
        }
    }

    /// Takes what a peer sent although the handshake failed: a token in the clear, say.
    void drain(Peer& peer) {
        ::shutdown(peer.stream.fd(), SHUT_WR);
        for (;;) {
            const auto bytes = peer.stream.read_wire(kDrainLimit);
            if (!bytes || bytes->empty()) return end(peer);
            record([&] { peer.seen.wire += *bytes; });
        }
    }

    void end(Peer& peer) {
        peer.stream.shutdown();
        record([&] { peer.seen.ended = true; });
    }

    template <class Condition>
    bool wait(std::chrono::milliseconds limit, Condition condition) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, limit, condition);
    }

    std::size_t total_application_bytes() const {
        std::size_t sum = 0;
        for (const auto& peer : peers)
            sum += peer.seen.application.size();
        return sum;
    }

    RecordingOptions options;
    int listener = -1;
    std::uint16_t port = 0;
    std::thread acceptor;
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::list<Peer> peers;
};

RecordingServer::RecordingServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordingServer::~RecordingServer() = default;

Result<std::unique_ptr<RecordingServer>> RecordingServer::start(RecordingOptions options) {
    const auto listener = listen_on(options.bind, options.port);
    if (!listener) return fail(listener.error());
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    impl->listener = *listener;
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(*listener, reinterpret_cast<sockaddr*>(&address), &size);
    impl->port = ntohs(address.sin_port);
    impl->acceptor = std::thread([raw = impl.get()] { raw->accept_peers(); });
    return std::unique_ptr<RecordingServer>(new RecordingServer(std::move(impl)));
}

std::uint16_t RecordingServer::port() const {
    return impl_->port;
}

std::vector<RecordedConnection> RecordingServer::connections() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<RecordedConnection> copy;
    for (const auto& peer : impl_->peers)
        copy.push_back(peer.seen);
    return copy;
}

std::size_t RecordingServer::application_bytes() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->total_application_bytes();
}

bool RecordingServer::wait_for_ended(std::size_t count, std::chrono::milliseconds limit) const {
    return impl_->wait(limit, [&] {
        return static_cast<std::size_t>(std::count_if(impl_->peers.begin(), impl_->peers.end(),
                                                      [](const auto& peer) { return peer.seen.ended; })) >= count;
    });
}

bool RecordingServer::wait_for_application_bytes(std::size_t count, std::chrono::milliseconds limit) const {
    return impl_->wait(limit, [&] { return impl_->total_application_bytes() >= count; });
}

}  // namespace cvp::test
