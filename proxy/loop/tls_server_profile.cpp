#include "proxy/loop/tls_server_profile.hpp"

#include <utility>

#include <openssl/ssl.h>

namespace cvp::proxy {

namespace {

Result<tls::SslContext> make_context(const tls::ServerOptions& options) {
    auto context = tls::make_server_context(options);
    // A session that is resumed shows no certificate: nobody would look at its dates and its CA again.
    if (context && !options.client_ca_pem.empty()) {
        SSL_CTX_set_options(context->native(), SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context->native(), 0);
    }
    return context;
}

}  // namespace

Result<std::shared_ptr<TlsServerProfile>> TlsServerProfile::make(const tls::ServerOptions& options) {
    auto context = make_context(options);
    if (!context) return fail(std::move(context).error());
    return std::shared_ptr<TlsServerProfile>(new TlsServerProfile(*std::move(context)));
}

Result<void> TlsServerProfile::replace(const tls::ServerOptions& options) {
    auto context = make_context(options);
    if (!context) return fail(std::move(context).error());
    context_ = *std::move(context);
    return {};
}

}  // namespace cvp::proxy
