#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/async/asio.hpp"
#include "common/http/client.hpp"
#include "operator/kube/api.hpp"
#include "operator/kube/kubeconfig.hpp"

namespace cvp::op {

/// The Kubernetes API over HTTP.
///
/// Owner: the App (and podrun's main). Token, CA and client certificate are read again from their files every 10 s and
/// after a 401, which is then tried once more; if that fails the last good ones are kept. One io_context, one thread.
class KubeClient final : public KubeApi {
public:
    /// Told of every answer, for metrics: method, host and HTTP status (0: none).
    using OnAnswer = std::function<void(std::string_view method, std::string_view host, unsigned status)>;

    /// @param credentials what load_kube_credentials(config) gave at start, so that a wrong file fails early
    KubeClient(asio::io_context& io, KubeConfig config, KubeCredentials credentials, std::string user_agent);
    ~KubeClient() override;

    /// Ends every call and watch with `cancelled`.
    void close();

    void set_on_answer(OnAnswer on_answer) { on_answer_ = std::move(on_answer); }

    Awaitable<KubeResult<nlohmann::json>> get(ResourcePath path) override;
    Awaitable<KubeResult<nlohmann::json>> list(ResourcePath path, ListOptions options) override;
    Awaitable<KubeResult<nlohmann::json>> create(ResourcePath path, nlohmann::json object) override;
    Awaitable<KubeResult<nlohmann::json>> apply(ResourcePath path, nlohmann::json object,
                                                ApplyOptions options) override;
    Awaitable<KubeResult<nlohmann::json>> patch(ResourcePath path, PatchType type, nlohmann::json patch) override;
    Awaitable<KubeResult<void>> remove(ResourcePath path) override;
    Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> watch(ResourcePath path, WatchOptions options) override;

private:
    http::Request make_request(std::string method, std::string target, std::string body,
                               std::string content_type) const;
    Awaitable<KubeResult<nlohmann::json>> call(std::string what, http::Request request,
                                               SteadyClock::duration time_limit);
    void authorize(http::Request& request) const;
    bool reload_credentials(bool now);

    KubeConfig config_;
    KubeCredentials credentials_;
    std::string user_agent_;
    SteadyClock::time_point loaded_at_;
    std::string reload_error_;  ///< logged already
    http::Client http_;
    OnAnswer on_answer_;
};

}  // namespace cvp::op
