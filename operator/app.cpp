#include "operator/app.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

#include "common/log/log.hpp"
#include "common/metrics/process.hpp"
#include "common/providers/memorystore_valkey.hpp"
#include "operator/version.hpp"
#include "operator/webhook/server.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;
/// How long the webhook answers after SIGTERM: until the last API server has heard that our endpoint is gone.
constexpr SteadyClock::duration kFarewell = 10s;
/// Half of the renew deadline, so that a call that hangs leaves time for another.
constexpr SteadyClock::duration kLeaseCallLimit = 5s;

std::string on_all_addresses(std::uint16_t port) {
    return ":" + std::to_string(port);
}

}  // namespace

App::App(Config config)
    : config_(std::move(config)),
      metadata_(io_, config_.metadata_server),
      token_source_(metadata_, std::string(providers::memorystore::kScope)),
      tokens_("operator", token_source_),
      cloud_(io_, config_.api, tokens_),
      place_(metadata_),
      probes_(io_, [this](http::Request request,
                          http::Peer peer) { return answer_probes(std::move(request), std::move(peer)); }),
      metrics_(io_, [this](http::Request request, http::Peer peer) {
          return answer_metrics(std::move(request), std::move(peer));
      }) {}

ExitCode App::run(Faults& faults) {
    std::signal(SIGPIPE, SIG_IGN);
    if (const auto code = start(faults); code != kExitOk) return code;
    io_.run();
    log::info("the operator has ended");
    return exit_code_;
}

ExitCode App::start(Faults& faults) {
    auto kube_config = find_kube_config(config_.kubeconfig);
    if (!kube_config) {
        faults.push_back(kube_config.error().context);
        return kExitUsage;
    }
    auto credentials = load_kube_credentials(*kube_config);
    if (!credentials) {
        faults.push_back(credentials.error().context);
        return kExitUsage;
    }
    const auto own_namespace = kube_config->namespace_name;
    const auto api_server = kube_config->server.origin.to_string();
    const auto user_agent = "cloud-valkey-operator/" + std::string(version());
    KubeLimits lease_limits;
    lease_limits.call = kLeaseCallLimit;
    lease_kube_ = std::make_unique<KubeClient>(io_, *kube_config, *credentials, user_agent, lease_limits);
    kube_ = std::make_unique<KubeClient>(io_, std::move(*kube_config), std::move(*credentials), user_agent);
    for (auto* client : {kube_.get(), lease_kube_.get()}) {
        client->set_on_answer(
            [this](std::string_view method, std::string_view host, unsigned status, SteadyClock::duration latency) {
                rest_counters_.count(method, host, status, latency);
            });
    }
    webhook_ = make_webhook_server(io_, {std::string(version()), config_.proxy_image, config_.image_pull_secrets},
                                   injections_);
    if (const auto bound = listen(); !bound) {
        faults.push_back(bound.error().context);
        return kExitCannotBind;
    }

    if (injects()) {
        CertificateOptions options{config_.ca_settle, config_.ca_overlap, config_.webhook_tls_dir};
        certificates_ = std::make_unique<CertificateKeeper>(
            io_, *kube_, own_namespace, [this](const crypto::CertificateAndKey& leaf) { serve_leaf(leaf); },
            std::move(options));
        tasks_.spawn("certificates", certificates_->run());
    }
    cluster_objects_ = std::make_unique<ClusterObjects>(*kube_, own_namespace);
    tasks_.spawn("tokens", tokens_.run());
    tasks_.spawn("memory", memory_.run());
    connections_ = std::make_unique<ConnectionController>(*kube_, cloud_, place_, config_.watch_namespaces);
    connections_->watch(tasks_);
    LeaderElector::Callbacks callbacks;
    callbacks.on_started = [this] { lead(); };
    callbacks.on_lost = [this] {
        exit_code_ = kExitLeaseLost;
        begin_shutdown(kFarewell);
    };
    elector_ = std::make_unique<LeaderElector>(io_, *lease_kube_, own_namespace, std::string(names::kOperator),
                                               make_leader_identity(), std::move(callbacks));
    leading_.spawn("lease", elector_->run());
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    tasks_.spawn("signals", wait_for_signals());
    if (config_.api_is_overridden) {
        log::warn("CVP_GOOGLE_API_BASE is set: instances are resolved somewhere else than at Google",
                  {{"api", config_.api.to_string()}});
    }
    log::info("cloud-valkey-operator works", {{"version", version()},
                                              {"api_server", api_server},
                                              {"namespace", own_namespace},
                                              {"proxy_image", config_.proxy_image}});
    return kExitOk;
}

Result<void> App::listen() {
    if (auto bound = probes_.listen(on_all_addresses(config_.probe_port)); !bound) return bound;
    if (auto bound = metrics_.listen(on_all_addresses(config_.metrics_port)); !bound) return bound;
    if (!injects()) return {};
    return webhook_->bind(on_all_addresses(config_.webhook_port));
}

void App::lead() {
    if (is_shutting_down_) return;
    if (certificates_) certificates_->set_leader(true);
    connections_->reconcile(leading_);
    leading_.spawn("owner of the cluster's objects", cluster_objects_->run());
}

/// The first leaf opens the webhook's port: before it nobody could speak TLS with us, and callers are refused.
void App::serve_leaf(const crypto::CertificateAndKey& leaf) {
    tls::ServerOptions options;
    options.certificate_pem = leaf.certificate_pem;
    options.key_pem = leaf.key_pem;
    if (const auto set = webhook_->set_tls(std::move(options)); !set) {
        log::error("the webhook's certificate cannot be used", {{"error", to_string(set.error())}});
        return;
    }
    if (is_serving_) return;
    if (const auto begun = webhook_->start_accepting(); !begun) {
        log::error("the webhook cannot listen: nobody can be injected", {{"error", begun.error().context}});
        exit_code_ = kExitCannotBind;
        begin_shutdown(0s);
        return;
    }
    is_serving_ = true;
}

Readiness App::readiness() const {
    if (!injects()) return {true, true, is_shutting_down_};  // the API server itself does
    return {is_serving_, certificates_->is_trusted(), is_shutting_down_};
}

Awaitable<http::Response> App::answer_probes(http::Request request, http::Peer) {
    co_return answer_probe(request, readiness());
}

Awaitable<http::Response> App::answer_metrics(http::Request request, http::Peer) {
    if (http::path_of(request.target) != "/metrics") {
        co_return http::make_response(404, "text/plain; charset=utf-8", "not found; there is /metrics\n");
    }
    metrics::Page page;
    rest_counters_.describe(page);
    injections_.describe(page, webhook_->in_flight());
    describe_program(page, version());
    describe_leader(page, *elector_);
    describe_controller(page, connections_->controller(), SteadyClock::now());
    describe_reconciler(page, connections_->reconciler().counters());
    if (certificates_) certificates_->describe(page, SystemClock::now());
    describe_events(page, connections_->events().counters());
    metrics::add_process_metrics(page);
    co_return http::make_response(200, std::string(metrics::Page::kContentType), page.render());
}

Awaitable<void> App::wait_for_signals() {
    while (true) {
        boost::system::error_code ec;
        const int signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        if (is_shutting_down_) std::_Exit(exit_code_);  // the second one: at once
        log::info("shutting down", {{"signal", signal}});
        begin_shutdown(signal == SIGTERM && is_serving_ ? kFarewell : 0s);
    }
}

void App::begin_shutdown(SteadyClock::duration farewell) {
    if (std::exchange(is_shutting_down_, true)) return;
    webhook_->ask_clients_to_leave();
    connections_->stop();
    cluster_objects_->stop();
    if (certificates_) certificates_->set_leader(false);  // it goes on serving: the next leader may renew the leaf
    elector_->stop();
    ending_.spawn("shut down", shut_down(SteadyClock::now() + farewell));
}

Awaitable<void> App::shut_down(SteadyClock::time_point farewell_ends) {
    co_await leading_.join(SteadyClock::now() + kPatience);
    co_await elector_->release();
    co_await sleep_for(farewell_ends - SteadyClock::now());
    tokens_.stop();
    memory_.stop();
    if (certificates_) certificates_->stop();
    webhook_->stop_accepting();
    co_await webhook_->drain(SteadyClock::now() + kPatience);
    cloud_.close();
    metadata_.close();
    kube_->close();
    lease_kube_->close();
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    co_await tasks_.join(SteadyClock::now() + kPatience);
    co_await probes_.drain(SteadyClock::now() + kPatience);
    co_await metrics_.drain(SteadyClock::now() + kPatience);
    io_.stop();
}

}  // namespace cvp::op
