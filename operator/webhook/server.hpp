#pragma once

#include <memory>

#include "common/http/server.hpp"
#include "operator/webhook/injection_config.hpp"
#include "operator/webhook/injection_counters.hpp"

namespace cvp::op {

/// Makes the webhook's server. The owner gives it the certificate, lets it listen and drains it; `counters` outlives
/// it.
std::unique_ptr<http::Server> make_webhook_server(asio::io_context& io, InjectionConfig config,
                                                  InjectionCounters& counters);

}  // namespace cvp::op
