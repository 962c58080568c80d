#pragma once

#include <string>

#include "common/async/asio.hpp"
#include "common/http/message.hpp"
#include "common/result.hpp"

namespace cvp::op {

/// A Google API as the reconcilers use it: the process edge. Tests put a fake here; `CloudClient` is the real one.
///
/// One call is one request, or two where the first was refused with 401 and there is another token; who calls decides
/// about other retries and counts the quota. It outlives its users.
class Cloud {
public:
    virtual ~Cloud() = default;

    /// Sends one GET with our identity's access token. Any HTTP status is a success here.
    /// @param target origin form, already percent-encoded: "/v1/projects/…"
    /// @errors what the token's issuer said (permission_denied, …) while there is no token; unavailable, timeout,
    ///         tls_failed, resource_exhausted (the answer is too large), cancelled (close())
    virtual Awaitable<Result<http::Response>> get(std::string target) = 0;
};

}  // namespace cvp::op
