#pragma once

#include "common/tls/identity.hpp"

namespace cvp::tls {

/// Says why a client's handshake with us failed: chain where its certificate is the reason, or that it showed none.
/// @param openssl_error the value of ERR_peek_error() right after it; 0 if the connection just ended
Failure explain_accept(const ssl_st* ssl, unsigned long openssl_error);

}  // namespace cvp::tls
