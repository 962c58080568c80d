#pragma once

#include <memory>
#include <string>

#include "common/async/asio.hpp"
#include "common/http/message.hpp"
#include "common/http/url.hpp"
#include "common/result.hpp"
#include "common/tls/options.hpp"

namespace cvp::http {

/// Bounds of one client.
struct ClientOptions {
    SteadyClock::duration connect_timeout = std::chrono::seconds(5);  ///< name, TCP and TLS together
    std::size_t max_body_bytes = 16UL * 1024 * 1024;                  ///< of a response that is read whole
    std::size_t max_idle_connections = 2;                             ///< kept alive between requests
    SteadyClock::duration idle_timeout = std::chrono::seconds(55);    ///< after which an idle one is not used again
};

/// A response whose body arrives piece by piece (a Kubernetes watch).
///
/// Owner: the caller. Destroying it closes its connection. Must not outlive the io_context.
class BodyStream {
public:
    virtual ~BodyStream() = default;
    virtual unsigned status() const = 0;
    virtual const Headers& headers() const = 0;

    /// The next piece of the body as soon as it comes, or an empty string at its end. After an error the stream is
    /// closed: every further call fails.
    /// @errors timeout when nothing came until `deadline`; unavailable when the connection broke; protocol_error;
    ///         cancelled by close(), by destruction or by the client's close()
    virtual Awaitable<Result<std::string>> read_some(SteadyClock::time_point deadline) = 0;

    /// Ends the stream from outside: a pending read_some() returns `cancelled`.
    virtual void close() = 0;
};

/// HTTP/1.1 client for one origin, plain or TLS, with keep-alive. Beast is behind it and shows nowhere else.
///
/// Owner: whoever talks to that origin. Runs on one io_context, which outlives it; not thread safe. Requests may run
/// side by side: each has its own connection from a small pool. A request on a reused connection that the server closed
/// before its first response byte is sent again once on a new connection (only if it is idempotent: GET, HEAD, PUT,
/// DELETE). Redirects are not followed. Destroying the client is close().
class Client {
public:
    /// @param tls ignored for a plain origin
    Client(asio::io_context& io, Origin origin, tls::ClientOptions tls, ClientOptions options = {});
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    const Origin& origin() const;

    /// Sends a request and reads the whole response. Any HTTP status is a success here.
    ///
    /// Host, Content-Length and User-Agent are added where missing.
    /// The context of an error begins with the origin and never holds a header or a body.
    /// @errors unavailable (name, connect, reset), timeout (connect_timeout or `deadline`), tls_failed (chain,
    /// identity,
    ///         version; the context says which), resource_exhausted (body too large), protocol_error, cancelled
    ///         (close()), invalid_argument (the TLS options, or a header that HTTP does not allow)
    Awaitable<Result<Response>> send(Request request, SteadyClock::time_point deadline);

    /// Sends a request and hands back the response as soon as its header is there.
    /// @errors as send()
    Awaitable<Result<std::unique_ptr<BodyStream>>> open(Request request, SteadyClock::time_point header_deadline);

    /// Takes new TLS options (CA or client certificate changed); idle connections are closed.
    void set_tls(tls::ClientOptions tls);

    /// Closes all connections: what is in flight ends with `cancelled`, and so does every later call.
    void close();

private:
    struct Impl;
    struct Exchange;
    class StreamedBody;
    std::shared_ptr<Impl> impl_;
};

}  // namespace cvp::http
