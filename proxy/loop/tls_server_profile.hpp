#pragma once

#include <memory>

#include "common/result.hpp"
#include "common/tls/context.hpp"
#include "common/tls/options.hpp"

namespace cvp::proxy {

/// What our TLS listeners show, and whose clients they take: with a client CA those alone that show a certificate of
/// its. Handshakes that begin after a replace() see the new, connections that are open stay as they are.
///
/// Owner: shared by the App, which replaces, and the listeners. Main loop only.
class TlsServerProfile {
public:
    /// @errors invalid_argument, naming the faulty part of `options`
    static Result<std::shared_ptr<TlsServerProfile>> make(const tls::ServerOptions& options);

    /// @errors as make(); what was shown before is shown on then
    Result<void> replace(const tls::ServerOptions& options);

private:
    friend class TlsEngine;
    explicit TlsServerProfile(tls::SslContext context) : context_(std::move(context)) {}

    tls::SslContext context_;
};

}  // namespace cvp::proxy
