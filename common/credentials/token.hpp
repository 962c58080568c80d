#pragma once

#include <string>

#include "common/async/asio.hpp"
#include "common/result.hpp"
#include "common/secret.hpp"

namespace cvp {

/// An OAuth access token and when it ends.
struct Token {
    Secret value;
    SystemClock::time_point expires_at;  ///< UTC, wall clock: the issuer counts that way
};

/// Mints IAM tokens. Implementations make one round trip per call and never cache.
///
/// Lifecycle: created by an App, outlives every user. Runs on the main loop; not thread safe.
class TokenSource {
public:
    virtual ~TokenSource() = default;

    /// Requests a fresh token.
    ///
    /// @return the token; `expires_at` is at least 1 s ahead
    /// @errors permission_denied if the issuer refuses us (403: retry slowly, bindings propagate); not_found on 404 (a
    ///         pod's first seconds, or an account that does not exist); unavailable on network failure, 499 and 5xx;
    ///         resource_exhausted on 429; timeout after 5 s; protocol_error on an odd body; cancelled at stop
    virtual Awaitable<Result<Token>> fetch() = 0;
};

}  // namespace cvp
