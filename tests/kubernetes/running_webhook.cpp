#include "tests/kubernetes/running_webhook.hpp"

#include <future>
#include <stdexcept>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>

#include "operator/certs/certificate_keeper.hpp"
#include "operator/kube/client.hpp"
#include "operator/webhook/server.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/operator_account.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

constexpr auto kTimeLimit = std::chrono::seconds(30);
constexpr auto kPoll = std::chrono::milliseconds(10);

}  // namespace

struct RunningWebhook::Impl {
    explicit Impl(const op::KubeConfig& config)
        : kube(io, config, value_or_throw(op::load_kube_credentials(config)), "test"),
          server(op::make_webhook_server(io, {.version = "1.2.3", .proxy_image = "proxy:1", .image_pull_secrets = {}},
                                         counters)),
          keeper(io, kube, kOperatorNamespace, [this](const auto& leaf) { serve(leaf); }) {
        keeper.set_leader(true);
        tasks.spawn("keeper", keeper.run());
        thread = std::thread([this] { io.run(); });
    }

    ~Impl() {
        asio::post(io, [this] {
            keeper.stop();
            kube.close();
            server->stop_accepting();
            tasks.spawn("drain", server->drain(SteadyClock::now() + std::chrono::seconds(5)));
        });
        work.reset();
        thread.join();
    }

    void serve(const crypto::CertificateAndKey& leaf) {
        auto done = server->set_tls({leaf.certificate_pem, leaf.key_pem, ""});
        if (done && server->port() == 0) {
            done = server->listen("127.0.0.1:0");
            if (done) port.set_value(server->port());
        }
        if (!done) throw std::runtime_error(done.error().context);
    }

    /// Asks on the webhook's own thread.
    template <class Function>
    auto ask(Function function) {
        return asio::post(io, std::packaged_task<decltype(function())()>(function)).get();
    }

    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    op::InjectionCounters counters;
    op::KubeClient kube;
    std::unique_ptr<http::Server> server;
    op::CertificateKeeper keeper;
    TaskGroup tasks{io};
    std::promise<std::uint16_t> port;
    std::thread thread;
};

RunningWebhook::RunningWebhook() : impl_(std::make_unique<Impl>(install_operator_account())) {
    auto port = impl_->port.get_future();
    if (port.wait_for(kTimeLimit) != std::future_status::ready) throw std::runtime_error("no leaf was made in time");
    configuration_ =
        std::make_unique<WebhookConfiguration>("https://127.0.0.1:" + std::to_string(port.get()) + "/mutate-pods");
    const auto deadline = SteadyClock::now() + kTimeLimit;
    while (!is_trusted()) {
        if (SteadyClock::now() > deadline) throw std::runtime_error("the API server did not trust the webhook in time");
        std::this_thread::sleep_for(kPoll);
    }
}

RunningWebhook::~RunningWebhook() {
    configuration_.reset();
    impl_.reset();
    (void)control_plane().kubectl({"delete", "clusterrole,clusterrolebinding", "cloud-valkey-operator"});
}

bool RunningWebhook::is_trusted() const {
    return impl_->ask([this] { return impl_->keeper.is_trusted(); });
}

std::string RunningWebhook::counters() const {
    return impl_->ask([this] {
        metrics::Page page;
        impl_->counters.describe(page);
        return page.render();
    });
}

}  // namespace cvp::test
