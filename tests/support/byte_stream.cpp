#include "tests/support/byte_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace cvp::test {
namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Deleter<SSL_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

int number_of(TlsVersion version) {
    switch (version) {
        case TlsVersion::v1_0:
            return TLS1_VERSION;
        case TlsVersion::v1_1:
            return TLS1_1_VERSION;
        case TlsVersion::v1_2:
            return TLS1_2_VERSION;
        case TlsVersion::v1_3:
            return TLS1_3_VERSION;
    }
    return TLS1_3_VERSION;
}

std::string openssl_reason() {
    std::string text;
    while (const auto code = ERR_get_error()) {
        char line[256];
        ERR_error_string_n(code, line, sizeof line);
        if (!text.empty()) text += "; ";
        text += line;
    }
    return text.empty() ? "no reason given" : text;
}

std::string describe_errno(int number) {
    return std::generic_category().message(number);
}

Bio memory_of(std::string_view pem) {
    return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Result<Context> make_context(const SSL_METHOD* method, TlsVersion min, TlsVersion max) {
    Context context(SSL_CTX_new(method));
    // OpenSSL 3 signs TLS 1.0 and 1.1 handshakes with SHA-1, which only level 0 allows.
    if (min < TlsVersion::v1_2) SSL_CTX_set_security_level(context.get(), 0);
    if (SSL_CTX_set_min_proto_version(context.get(), number_of(min)) != 1 ||
        SSL_CTX_set_max_proto_version(context.get(), number_of(max)) != 1)
        return fail(ErrorCode::tls_failed, "TLS versions: " + openssl_reason());
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

Result<void> trust(SSL_CTX* context, std::string_view ca_pem) {
    const auto bio = memory_of(ca_pem);
    int certificates = 0;
    while (const Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
        ++certificates;
    }
    ERR_clear_error();  // the end of the file counts as an error
    if (certificates == 0) return fail(ErrorCode::invalid_argument, "the CA holds no certificate");
    return {};
}

Result<void> show(SSL_CTX* context, std::string_view certificate_pem, const Secret& key_pem) {
    const auto chain = memory_of(certificate_pem);
    const Certificate leaf{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)};
    const auto key_bio = memory_of(key_pem.reveal());
    const Key key{PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr)};
    if (!leaf || !key || SSL_CTX_use_certificate(context, leaf.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
        return fail(ErrorCode::invalid_argument, "certificate and key: " + openssl_reason());
    while (const Certificate issuer{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)})
        SSL_CTX_add1_chain_cert(context, issuer.get());
    ERR_clear_error();
    return {};
}

void expect_identity(SSL* ssl, const std::string& identity) {
    in6_addr ignored{};
    const bool is_ip =
        inet_pton(AF_INET, identity.c_str(), &ignored) == 1 || inet_pton(AF_INET6, identity.c_str(), &ignored) == 1;
    if (is_ip) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), identity.c_str());
    } else {
        SSL_set1_host(ssl, identity.c_str());
        SSL_set_tlsext_host_name(ssl, identity.c_str());
    }
}

/// Sees what the socket BIO has read and keeps a copy.
long keep_wire_bytes(BIO* bio, int operation, const char* data, std::size_t, int, long, int result,
                     std::size_t* processed) {
    if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result > 0 && processed != nullptr)
        reinterpret_cast<std::string*>(BIO_get_callback_arg(bio))->append(data, *processed);
    return result;
}

}  // namespace

struct ByteStream::Impl {
    explicit Impl(int socket) : fd(socket) {
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        // OpenSSL writes with write(2), which knows no MSG_NOSIGNAL.
        [[maybe_unused]] static const auto ignored = std::signal(SIGPIPE, SIG_IGN);
    }
    ~Impl() {
        ssl.reset();
        ::close(fd);
    }

    Result<void> wait_for(short events, Limit limit) const {
        pollfd entry{fd, events, 0};
        int ready = 0;
        do {
            ready = ::poll(&entry, 1, static_cast<int>(limit.count()));
        } while (ready < 0 && errno == EINTR);
        if (ready == 0)
            return fail(ErrorCode::timeout, "nothing happened for " + std::to_string(limit.count()) + " ms");
        return {};
    }

    /// Waits for what OpenSSL asked for, or says why it gave up.
    Result<void> wait_as_asked(int result, Limit limit) {
        const auto last_errno = errno;
        switch (SSL_get_error(ssl.get(), result)) {
            case SSL_ERROR_WANT_READ:
                return wait_for(POLLIN, limit);
            case SSL_ERROR_WANT_WRITE:
                return wait_for(POLLOUT, limit);
            case SSL_ERROR_SYSCALL:
                return fail(ErrorCode::unavailable,
                            last_errno == 0 ? "closed by the peer" : describe_errno(last_errno));
            default:
                return fail(ErrorCode::tls_failed, openssl_reason());
        }
    }

    Result<std::string> receive(std::size_t max, Limit limit) const {
        std::string buffer(max, '\0');
        for (;;) {
            const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (got >= 0) return buffer.substr(0, static_cast<std::size_t>(got));
            if (errno != EAGAIN && errno != EINTR) return fail(ErrorCode::unavailable, describe_errno(errno));
            if (auto waited = wait_for(POLLIN, limit); !waited) return fail(std::move(waited).error());
        }
    }

    Result<std::string> receive_tls(std::size_t max, Limit limit) {
        std::string buffer(max, '\0');
        for (;;) {
            ERR_clear_error();
            errno = 0;
            const int got = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
            if (got > 0) return buffer.substr(0, static_cast<std::size_t>(got));
            if (SSL_get_error(ssl.get(), got) == SSL_ERROR_ZERO_RETURN) return std::string();
            // A peer that closes without close_notify ends the stream all the same.
            if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return std::string();
            if (auto waited = wait_as_asked(got, limit); !waited) return fail(std::move(waited).error());
        }
    }

    Result<void> handshake(int (*step)(SSL*), Limit limit) {
        for (;;) {
            ERR_clear_error();
            errno = 0;
            const int result = step(ssl.get());
            if (result == 1) return {};
            if (auto waited = wait_as_asked(result, limit); !waited) return waited;
        }
    }

    int fd;
    Session ssl;
};

ByteStream::ByteStream(int fd) : impl_(std::make_unique<Impl>(fd)) {}
ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream& ByteStream::operator=(ByteStream&&) noexcept = default;
ByteStream::~ByteStream() = default;

namespace {

Result<ByteStream> connect_to(int family, const sockaddr* address, socklen_t size, const std::string& name,
                              ByteStream::Limit limit) {
    const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(ErrorCode::internal, "socket: " + describe_errno(errno));
    ByteStream stream(fd);
    if (::connect(fd, address, size) != 0) {
        if (errno != EINPROGRESS) return fail(ErrorCode::unavailable, name + ": " + describe_errno(errno));
        pollfd entry{fd, POLLOUT, 0};
        if (::poll(&entry, 1, static_cast<int>(limit.count())) <= 0)
            return fail(ErrorCode::timeout, name + ": no connection");
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) return fail(ErrorCode::unavailable, name + ": " + describe_errno(error));
    }
    return stream;
}

}  // namespace

Result<ByteStream> ByteStream::connect_tcp(const std::string& host, std::uint16_t port, Limit limit) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
        return fail(ErrorCode::invalid_argument, host + ": not an IPv4 address");
    auto stream = connect_to(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address,
                             host + ":" + std::to_string(port), limit);
    if (stream) {
        const int on = 1;
        ::setsockopt(stream->fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return stream;
}

Result<ByteStream> ByteStream::connect_unix(const std::filesystem::path& path, Limit limit) {
    // sun_path holds 107 characters; through a descriptor of its directory a socket is reached from any depth.
    const int directory = ::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return fail(ErrorCode::unavailable, path.string() + ": " + describe_errno(errno));
    const auto name = "/proc/self/fd/" + std::to_string(directory) + "/" + path.filename().string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, name.c_str(), sizeof address.sun_path - 1);
    auto stream =
        connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, path.string(), limit);
    ::close(directory);
    return stream;
}

Result<void> ByteStream::start_tls(const TlsClientSettings& settings, Limit limit) {
    auto context = make_context(TLS_client_method(), settings.min_version, settings.max_version);
    if (!context) return fail(std::move(context).error());
    if (!settings.ca_pem.empty()) {
        if (auto trusted = trust(context->get(), settings.ca_pem); !trusted) return trusted;
        SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
    }
    if (!settings.certificate_pem.empty()) {
        if (auto shown = show(context->get(), settings.certificate_pem, settings.key_pem); !shown) return shown;
    }
    impl_->ssl.reset(SSL_new(context->get()));
    if (!settings.identity.empty()) expect_identity(impl_->ssl.get(), settings.identity);
    SSL_set_fd(impl_->ssl.get(), impl_->fd);
    return impl_->handshake(SSL_connect, limit);
}

Result<void> ByteStream::accept_tls(const TlsServerSettings& settings, Limit limit, std::string* wire) {
    auto context = make_context(TLS_server_method(), settings.min_version, settings.max_version);
    if (!context) return fail(std::move(context).error());
    if (auto shown = show(context->get(), settings.certificate_pem, settings.key_pem); !shown) return shown;
    impl_->ssl.reset(SSL_new(context->get()));
    SSL_set_fd(impl_->ssl.get(), impl_->fd);
    if (wire != nullptr) {
        BIO* bio = SSL_get_rbio(impl_->ssl.get());
        BIO_set_callback_arg(bio, reinterpret_cast<char*>(wire));
        BIO_set_callback_ex(bio, keep_wire_bytes);
    }
    return impl_->handshake(SSL_accept, limit);
}

Result<std::string> ByteStream::read_some(Limit limit, std::size_t max) {
    return impl_->ssl ? impl_->receive_tls(max, limit) : impl_->receive(max, limit);
}

Result<std::string> ByteStream::read_wire(Limit limit) {
    return impl_->receive(64 * 1024, limit);
}

Result<void> ByteStream::write_all(std::string_view bytes, Limit limit) {
    while (!bytes.empty()) {
        if (impl_->ssl) {
            ERR_clear_error();
            errno = 0;
            const int piece = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20));
            const int sent = SSL_write(impl_->ssl.get(), bytes.data(), piece);
            if (sent > 0) {
                bytes.remove_prefix(static_cast<std::size_t>(sent));
            } else if (auto waited = impl_->wait_as_asked(sent, limit); !waited) {
                return waited;
            }
        } else {
            const auto sent = ::send(impl_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent >= 0) {
                bytes.remove_prefix(static_cast<std::size_t>(sent));
            } else if (errno != EAGAIN && errno != EINTR) {
                return fail(ErrorCode::unavailable, describe_errno(errno));
            } else if (auto waited = impl_->wait_for(POLLOUT, limit); !waited) {
                return waited;
            }
        }
    }
    return {};
}

void ByteStream::finish_writing() {
    if (impl_->ssl) SSL_shutdown(impl_->ssl.get());
    ::shutdown(impl_->fd, SHUT_WR);
}

void ByteStream::shutdown() {
    ::shutdown(impl_->fd, SHUT_RDWR);
}

void ByteStream::reset_on_close() {
    const linger at_once{1, 0};
    ::setsockopt(impl_->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::string ByteStream::tls_version() const {
    return impl_->ssl ? SSL_get_version(impl_->ssl.get()) : "";
}

std::string ByteStream::local_address() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(impl_->fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sin_family != AF_INET)
        return {};
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(address.sin_port));
}

int ByteStream::fd() const {
    return impl_->fd;
}

}  // namespace cvp::test
