#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/secret.hpp"

namespace cvp::test {

enum class TlsVersion { v1_0, v1_1, v1_2, v1_3 };

/// What a test's TLS client wants. The chain is checked when `ca_pem` is given, the identity when `identity` is.
struct TlsClientSettings {
    std::string ca_pem;
    std::string identity;         ///< IP literal or DNS name that the certificate must carry
    std::string certificate_pem;  ///< shown to a server that asks for one, with its key
    Secret key_pem;
    TlsVersion min_version = TlsVersion::v1_2;
    TlsVersion max_version = TlsVersion::v1_3;
};

/// What a test's TLS server shows. Below TLS 1.2 the security level is lowered, or OpenSSL 3 would refuse.
struct TlsServerSettings {
    std::string certificate_pem;
    Secret key_pem;
    TlsVersion min_version = TlsVersion::v1_2;
    TlsVersion max_version = TlsVersion::v1_3;
};

/// One connection of a test, TCP or unix, plain or TLS: blocking calls, each with a limit of its own.
///
/// Any thread, one at a time; shutdown() may come from another one. Errors: `timeout`, `unavailable` (refused, reset),
/// `tls_failed` (with OpenSSL's words).
class ByteStream {
public:
    using Limit = std::chrono::milliseconds;

    static Result<ByteStream> connect_tcp(const std::string& host, std::uint16_t port, Limit limit);
    static Result<ByteStream> connect_unix(const std::filesystem::path& path, Limit limit);
    /// Takes over a connected socket.
    explicit ByteStream(int fd);
    ByteStream(ByteStream&&) noexcept;
    ByteStream& operator=(ByteStream&&) noexcept;
    ~ByteStream();

    Result<void> start_tls(const TlsClientSettings& settings, Limit limit);
    /// The server's side of a handshake. With `wire`, every byte that the peer sends is appended to it as it came,
    /// before TLS looks at it; `wire` outlives the stream and is written by the thread that reads.
    Result<void> accept_tls(const TlsServerSettings& settings, Limit limit, std::string* wire = nullptr);

    /// What came, at least one byte; an empty string at the end of the stream.
    Result<std::string> read_some(Limit limit, std::size_t max = 64 * 1024);
    /// As read_some(), but past TLS: what the socket holds. For the rest after a handshake that failed.
    Result<std::string> read_wire(Limit limit);
    /// Writes all of it; the limit runs anew with each piece that the socket took.
    Result<void> write_all(std::string_view bytes, Limit limit);

    /// Says "no more bytes from here" (close_notify and FIN); reading goes on.
    void finish_writing();
    /// Ends both directions from any thread: a pending call returns.
    void shutdown();
    /// Makes the kernel send RST instead of FIN when the stream ends.
    void reset_on_close();

    /// "TLSv1.3", or "" on a plain stream.
    std::string tls_version() const;
    /// "ip:port" of our own end.
    std::string local_address() const;
    int fd() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::test
