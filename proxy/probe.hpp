#pragma once

#include <string>
#include <string_view>

#include "common/http/url.hpp"
#include "proxy/health.hpp"

namespace cvp::proxy {

/// What a running proxy's admin server says, out of its raw HTTP answer: ok if the status is 200; the text is the
/// body's first line. Pure.
Verdict read_probe_answer(std::string_view answer);

/// Asks the admin server at `address` for `path` ("/startup", "/readyz") with one blocking request of at most 2 s: an
/// exec probe runs every second, so it must start and end fast.
Verdict ask_admin(const http::ListenAddress& address, std::string_view path);

}  // namespace cvp::proxy
