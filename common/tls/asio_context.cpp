#include "common/tls/asio_context.hpp"

#include <boost/asio/ssl/error.hpp>

namespace cvp::tls {

boost::asio::ssl::context to_asio(const SslContext& context) {
    SSL_CTX_up_ref(context.native());  // Asio frees the one it is given
    return boost::asio::ssl::context(context.native());
}

unsigned long openssl_error_of(const boost::system::error_code& ec) {
    return ec.category() == boost::asio::error::get_ssl_category() ? static_cast<unsigned>(ec.value()) : 0U;
}

}  // namespace cvp::tls
