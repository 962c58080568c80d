#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/http/client.hpp"
#include "common/token_bucket.hpp"
#include "operator/kube/api.hpp"
#include "operator/kube/kubeconfig.hpp"

namespace cvp::op {

/// How hard one client may press the API server. Not an aggregate.
struct KubeLimits {
    KubeLimits() = default;

    double calls_per_second = 100;
    double burst = 200;
    SteadyClock::duration call = std::chrono::seconds(15);  ///< of one call; the server gives a webhook up to 10 s
};

/// The Kubernetes API over HTTP.
///
/// Calls beyond the limits wait their turn, and all do while the server said Retry-After with a 429.
/// Owner: the App (and podrun's main). Token, CA and client certificate are read again from their files every 10 s, and
/// after a 401 or a certificate that we do not trust; the call is then made once more. If they cannot be read the last
/// good ones are kept. One io_context, one thread.
class KubeClient final : public KubeApi {
public:
    /// Told of every answer, for metrics: method, host, HTTP status (0: none) and the time until its header or, of a
    /// call, its end came.
    using OnAnswer = std::function<void(std::string_view method, std::string_view host, unsigned status,
                                        SteadyClock::duration latency)>;

    /// @param credentials what load_kube_credentials(config) gave at start, so that a wrong file fails early
    KubeClient(asio::io_context& io, KubeConfig config, KubeCredentials credentials, std::string user_agent,
               KubeLimits limits = KubeLimits());
    ~KubeClient() override;

    /// Ends every call and watch with `cancelled`.
    void close();

    void set_on_answer(OnAnswer on_answer) { on_answer_ = std::move(on_answer); }

    Awaitable<KubeResult<nlohmann::json>> get(ResourcePath path) override;
    Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> list(ResourcePath path, ListOptions options) override;
    Awaitable<KubeResult<nlohmann::json>> create(ResourcePath path, nlohmann::json object) override;
    /// Asks what create() would store: admission runs, nothing is kept.
    Awaitable<KubeResult<nlohmann::json>> create_dry(ResourcePath path, nlohmann::json object);
    Awaitable<KubeResult<nlohmann::json>> replace(ResourcePath path, nlohmann::json object) override;
    Awaitable<KubeResult<nlohmann::json>> apply(ResourcePath path, nlohmann::json object,
                                                ApplyOptions options) override;
    Awaitable<KubeResult<nlohmann::json>> patch(ResourcePath path, PatchType type, nlohmann::json patch) override;
    Awaitable<KubeResult<void>> remove(ResourcePath path) override;
    Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> watch(ResourcePath path, WatchOptions options) override;

private:
    http::Request make_request(std::string method, std::string target, std::string body,
                               std::string content_type) const;
    Awaitable<KubeResult<nlohmann::json>> call(std::string what, http::Request request);
    Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> open(std::string what, std::string target);
    Awaitable<void> wait_for_turn();
    void tell(std::string_view method, unsigned status, SteadyClock::time_point begun) const;
    KubeError refused(const std::string& what, const http::Response& response);
    void authorize(http::Request& request) const;
    bool must_reload(const Error& error);
    bool reload_credentials(bool now);

    KubeConfig config_;
    KubeCredentials credentials_;
    std::string user_agent_;
    SteadyClock::duration call_limit_;
    TokenBucket turns_;
    Event closing_;
    bool closed_ = false;
    SteadyClock::time_point loaded_at_;
    std::string reload_error_;  ///< logged already
    http::Client http_;
    OnAnswer on_answer_;
};

}  // namespace cvp::op
