#include "operator/webhook/server.hpp"

#include "common/contract/names.hpp"
#include "operator/webhook/admission_http.hpp"

namespace cvp::op {
namespace {

/// An object is 3 MB at most, a review holds it and on updates its predecessor: what controller-runtime allows.
constexpr std::size_t kMaxReview = std::size_t{7} * 1024 * 1024;

/// The API server opens one per call in flight, and keeps them.
constexpr std::size_t kMaxConnections = 1024;

Awaitable<http::Response> ready(http::Response response) {
    co_return response;
}

}  // namespace

http::ServerOptions webhook_server_options() {
    http::ServerOptions options;
    options.max_body_bytes = kMaxReview;
    options.max_connections = kMaxConnections;
    return options;
}

std::unique_ptr<http::Server> make_webhook_server(asio::io_context& io, InjectionConfig config,
                                                  InjectionCounters& counters, http::ServerOptions options) {
    auto handler = [config = std::move(config), &counters](http::Request request, const http::Peer&) {
        const auto begin = SteadyClock::now();
        auto response = answer_admission(request, config, counters);
        if (http::path_of(request.target) == names::kWebhookPath)
            counters.count_answer(response.status, SteadyClock::now() - begin);
        return ready(std::move(response));
    };
    return std::make_unique<http::Server>(io, std::move(handler), options);
}

}  // namespace cvp::op
