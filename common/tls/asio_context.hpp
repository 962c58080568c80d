#pragma once

#include <boost/asio/ssl/context.hpp>

#include "common/tls/context.hpp"

namespace cvp::tls {

/// Asio's view of a context: shares its SSL_CTX, which must not be changed through it.
boost::asio::ssl::context to_asio(const SslContext& context);

/// What ERR_get_error() said, out of the error code of an Asio TLS operation; 0 if it was not OpenSSL's error.
unsigned long openssl_error_of(const boost::system::error_code& ec);

}  // namespace cvp::tls
