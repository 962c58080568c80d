#pragma once

#include <memory>

#include "common/http/server.hpp"
#include "operator/webhook/injection_config.hpp"
#include "operator/webhook/injection_counters.hpp"

namespace cvp::op {

/// The bounds of the webhook's server: bodies of 7 MB, and clients that may be slow for 10 s and idle for 95 s.
http::ServerOptions webhook_server_options();

/// Makes the webhook's server. The owner gives it the certificate, lets it listen and drains it; `counters` outlives
/// it.
std::unique_ptr<http::Server> make_webhook_server(asio::io_context& io, InjectionConfig config,
                                                  InjectionCounters& counters,
                                                  http::ServerOptions options = webhook_server_options());

}  // namespace cvp::op
