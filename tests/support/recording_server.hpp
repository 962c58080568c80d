#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "tests/support/byte_stream.hpp"

namespace cvp::test {

struct RecordingOptions {
    std::string bind = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any free one
    bool tls = true;         ///< with `certificate`; else plain TCP
    TlsServerSettings certificate;
    /// Says what to answer to the application bytes that just came; empty: listens only.
    std::function<std::string(std::string_view)> answer;
};

/// What one peer did.
struct RecordedConnection {
    std::string wire;         ///< every byte as it came, TLS records and alerts included
    std::string application;  ///< what was inside TLS (or all of it on a plain server)
    bool handshake_done = false;
    std::string tls_version;
    std::string failure;  ///< why the handshake or a read failed, in OpenSSL's words
    bool ended = false;
};

/// A server that believes everybody and writes down every byte it is given: what a thief of tokens would be.
///
/// Owner: the test. Its threads end with the object. Everything here may be called from the test's thread.
class RecordingServer {
public:
    static Result<std::unique_ptr<RecordingServer>> start(RecordingOptions options);
    ~RecordingServer();
    RecordingServer(const RecordingServer&) = delete;
    RecordingServer& operator=(const RecordingServer&) = delete;

    std::uint16_t port() const;

    /// A copy of what was recorded so far, in order of arrival.
    std::vector<RecordedConnection> connections() const;
    /// Sum over all connections.
    std::size_t application_bytes() const;

    /// Waits until `count` connections have come and ended.
    /// @return whether they did within `limit`
    bool wait_for_ended(std::size_t count, std::chrono::milliseconds limit) const;
    /// Waits until `count` application bytes have come in all.
    bool wait_for_application_bytes(std::size_t count, std::chrono::milliseconds limit) const;

private:
    struct Impl;
    explicit RecordingServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::test
