#pragma once

#include <string>

#include "proxy/view.hpp"

namespace cvp::proxy {

/// The page of /metrics, in Prometheus' text format.
std::string render_metrics(const View& view);

/// The document of /status: JSON for a human with curl. Its keys may grow; nothing in it is a secret.
std::string render_status(const View& view);

}  // namespace cvp::proxy
