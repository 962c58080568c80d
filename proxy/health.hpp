#pragma once

#include <string>

#include "proxy/view.hpp"

namespace cvp::proxy {

/// The answer of a probe: whether all is well, and one line of text for a human.
struct Verdict {
    bool ok = true;
    std::string text = "ok";

    bool operator==(const Verdict&) const = default;
};

/// /startup: every connection's first login is done, or 10 s have gone: a metadata server is late on GKE, and a mesh
/// that starts after us must not wait for us for ever.
Verdict judge_startup(const View& view);

/// /livez: the data path's loop turned within 5 s.
Verdict judge_live(const View& view);

/// /readyz: every connection's primary was reached less than 60 s ago, and we are not draining; else the names and why.
Verdict judge_ready(const View& view);

}  // namespace cvp::proxy
