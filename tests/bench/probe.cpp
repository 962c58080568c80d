// The bare probe: the least that a proxy with a TLS connection per client can do, the floor of every comparison. One
// thread, level-triggered epoll, OpenSSL over strings; a short read means empty. It logs in nowhere and bounds nothing.
//
//   bench_probe LISTEN_PORT|LISTEN_PATH UPSTREAM_PORT CA_FILE
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {
struct Pair;
struct Side {
    int fd = -1;
    Pair* pair = nullptr;
    std::string unsent;
};
struct Pair {
    Side client, server;
    SSL* ssl = nullptr;
    std::string held;  // what the client said before the handshake was over
    bool is_over = false;
};
int epoll = -1;
SSL_CTX* context = nullptr;
SSL_SESSION* session = nullptr;
std::vector<Pair*> over;
char bytes[65536], plain[65536 + 16384];
std::string_view input;  // what recv() brought from the server, not yet read by OpenSSL
std::string output;      // what OpenSSL wrote, not yet sent to the server

int bio_read(BIO* bio, char* to, int size) {
    BIO_clear_retry_flags(bio);
    if (input.empty()) return BIO_set_retry_read(bio), -1;
    const auto part = input.copy(to, static_cast<std::size_t>(size));
    input.remove_prefix(part);
    return static_cast<int>(part);
}
int bio_write(BIO*, const char* from, int size) {
    return output.append(from, static_cast<std::size_t>(size)), size;
}

void watch(Side& side, int operation, std::uint32_t events) {
    epoll_event event{events, {&side}};
    ::epoll_ctl(epoll, operation, side.fd, &event);
}
void end(Pair& pair, std::string_view) {
    if (!pair.is_over) over.push_back(&pair);
    pair.is_over = true;
}
void send_to(Side& side, std::string_view what) {
    if (side.unsent.empty() && !what.empty()) {
        const auto sent = ::send(side.fd, what.data(), what.size(), MSG_NOSIGNAL);
        if (sent > 0) what.remove_prefix(static_cast<std::size_t>(sent));
        if (!what.empty()) watch(side, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    side.unsent.append(what);
}
void flush(Side& side) {
    const auto sent = ::send(side.fd, side.unsent.data(), side.unsent.size(), MSG_NOSIGNAL);
    if (sent > 0) side.unsent.erase(0, static_cast<std::size_t>(sent));
    if (side.unsent.empty()) watch(side, EPOLL_CTL_MOD, EPOLLIN);
}
void on_client(Pair& pair, std::string_view what) {
    if (!SSL_is_init_finished(pair.ssl)) return static_cast<void>(pair.held.append(what));
    SSL_write(pair.ssl, what.data(), static_cast<int>(what.size()));
    send_to(pair.server, output), output.clear();
}
void on_server(Pair& pair, std::string_view what) {
    input = what;
    if (!SSL_is_init_finished(pair.ssl) && SSL_do_handshake(pair.ssl) == 1 && !pair.held.empty())
        on_client(pair, std::exchange(pair.held, {}));
    int total = 0, part = 0;
    while ((part = SSL_read(pair.ssl, plain + total, static_cast<int>(sizeof plain) - total)) > 0)
        total += part;
    if (SSL_get_error(pair.ssl, part) != SSL_ERROR_WANT_READ) end(pair, {});
    send_to(pair.client, {plain, static_cast<std::size_t>(total)});
    send_to(pair.server, output), output.clear();
}
void accept_client(int listener, const sockaddr_in& upstream, BIO_METHOD* method) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK), on = 1;
    if (fd < 0) return;
    auto* pair = new Pair;
    pair->client = {fd, pair, {}};
    pair->server = {::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), pair, {}};
    for (const auto* side : {&pair->client, &pair->server})
        ::setsockopt(side->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::connect(pair->server.fd, reinterpret_cast<const sockaddr*>(&upstream), sizeof upstream);
    pair->ssl = SSL_new(context);
    auto* bio = BIO_new(method);
    BIO_set_init(bio, 1), SSL_set_bio(pair->ssl, bio, bio);
    if (session != nullptr) SSL_set_session(pair->ssl, session);
    SSL_set_connect_state(pair->ssl), SSL_do_handshake(pair->ssl);
    watch(pair->client, EPOLL_CTL_ADD, EPOLLIN);
    pair->server.unsent.swap(output);  // goes out when the connect succeeds
    watch(pair->server, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}
}  // namespace

int main(int argc, char** argv) {
    context = SSL_CTX_new(TLS_client_method());
    if (argc != 4 || SSL_CTX_load_verify_locations(context, argv[3], nullptr) != 1) return 64;
    X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context), "127.0.0.1");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, [](SSL*, SSL_SESSION* s) { return SSL_SESSION_free(session), session = s, 1; });
    auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "strings");
    BIO_meth_set_read(method, bio_read), BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH; });
    sockaddr_in at{AF_INET, htons(std::uint16_t(std::atoi(argv[1]))), {htonl(INADDR_LOOPBACK)}, {}}, upstream = at;
    upstream.sin_port = htons(std::uint16_t(std::atoi(argv[2])));
    sockaddr_un path{AF_UNIX, {}};
    ::snprintf(path.sun_path, sizeof path.sun_path, "%s", argv[1]);
    const bool is_path = argv[1][0] == '/';
    const auto* place = is_path ? reinterpret_cast<sockaddr*>(&path) : reinterpret_cast<sockaddr*>(&at);
    Side listener{::socket(place->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0), nullptr, {}};
    if (::bind(listener.fd, place, is_path ? sizeof path : sizeof at) != 0 || ::listen(listener.fd, 512) != 0)
        return std::perror("listen"), 69;
    epoll = ::epoll_create1(0), watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    epoll_event ready[128];
    while (true) {
        const int count = ::epoll_wait(epoll, ready, 128, -1);
        for (int i = 0; i < count; ++i) {
            auto& side = *static_cast<Side*>(ready[i].data.ptr);
            if (side.pair == nullptr) accept_client(listener.fd, upstream, method);
            if (side.pair == nullptr || side.pair->is_over) continue;
            if ((ready[i].events & EPOLLOUT) != 0) flush(side);
            if ((ready[i].events & ~EPOLLOUT) == 0) continue;
            const auto got = ::recv(side.fd, bytes, sizeof bytes, 0);
            const auto take = got <= 0 ? end : &side == &side.pair->client ? on_client : on_server;
            take(*side.pair, {bytes, static_cast<std::size_t>(got)});
        }
        for (auto* pair : std::exchange(over, {})) {
            SSL_set_shutdown(pair->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN), SSL_free(pair->ssl);
            ::close(pair->client.fd), ::close(pair->server.fd);
            delete pair;
        }
    }
}
