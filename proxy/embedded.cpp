#include "proxy/embedded.hpp"

#include <atomic>
#include <cstdlib>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "proxy/app.hpp"
#include "proxy/config.hpp"
#include "proxy/health.hpp"
#include "proxy/status.hpp"

namespace cvp {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookEvery = 20ms;

std::string joined(const Faults& faults) {
    std::string text;
    for (const auto& fault : faults)
        text += (text.empty() ? "" : "\n") + fault;
    return text;
}

bool has_flag(const std::vector<std::string>& flags, const std::string& name) {
    for (const auto& flag : flags)
        if (flag == name || flag.starts_with(name + "=")) return true;
    return false;
}

/// Where Google is: the same for every program of a machine, as Google's own libraries have it.
Environment environment() {
    Environment found;
    for (const auto* name : {"GCE_METADATA_HOST", "CVP_GOOGLE_API_BASE"})
        if (const auto* value = std::getenv(name)) found.emplace(name, value);
    return found;
}

proxy::Config read(std::vector<std::string> flags) {
    const bool has_port = has_flag(flags, "--port");
    const bool has_readers_port = has_flag(flags, "--readers-port");
    if (!has_flag(flags, "--admin-listen")) flags.emplace_back("--admin-listen=off");
    auto command = proxy::parse_command(flags, environment());
    if (!command) throw std::invalid_argument(joined(command.error()));
    if (command->action != proxy::Action::serve)
        throw std::invalid_argument("flags that make the proxy serve are wanted: --instance, --config or --connection");
    auto& config = command->config;
    const auto free = [&](proxy::LocalPorts& ports) {
        if (!has_port) ports.primary = 0;
        if (!has_readers_port && ports.readers) ports.readers = 0;
    };
    if (config.instance) free(config.instance->ports);
    if (has_flag(flags, "--config"))  // --connection says its ports itself
        for (auto& source : config.documents)
            free(source.ports);
    config.owns_process = false;
    return std::move(config);
}

}  // namespace

struct EmbeddedProxy::Impl {
    explicit Impl(proxy::Config config) : app(std::move(config)) {}

    void loop() {
        app.loop();
        has_ended = true;
    }

    /// As the loop's thread sees it; once there is none, nobody else looks.
    proxy::View view() {
        const auto seen = std::make_shared<std::promise<proxy::View>>();
        auto answer = seen->get_future();
        app.post([this, seen] { seen->set_value(app.view()); });
        while (answer.wait_for(kLookEvery) != std::future_status::ready)
            if (has_ended) return app.view();
        return answer.get();
    }

    proxy::App app;
    std::uint16_t port = 0;
    std::atomic<bool> has_ended = false;  ///< by stop(), or by POST /quitquitquit
    bool is_stopped = false;
    std::mutex mutex;  ///< of calls from several threads: stop() ends what the others ask
    std::thread thread;
};

EmbeddedProxy::EmbeddedProxy(const std::vector<std::string>& flags) {
    auto config = read(flags);
    static std::once_flag is_configured;  // loops that run read it
    std::call_once(is_configured, [&] { log::configure(config.log_level, config.log_format); });
    impl_ = std::make_unique<Impl>(std::move(config));
    Faults faults;
    const auto code = impl_->app.start(faults);
    if (code == proxy::kExitUsage) throw std::invalid_argument(joined(faults));
    if (code != proxy::kExitOk) throw std::runtime_error(joined(faults));
    const auto view = impl_->app.view();
    const auto& address = view.connections.at(0).ports.at(0).address;
    impl_->port = static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
    impl_->thread = std::thread([&impl = *impl_] { impl.loop(); });
}

EmbeddedProxy::~EmbeddedProxy() {
    stop();
}

std::uint16_t EmbeddedProxy::port() const {
    return impl_->port;
}

std::string EmbeddedProxy::wait_until_ready(std::chrono::milliseconds limit) const {
    const auto deadline = SteadyClock::now() + limit;
    for (;;) {
        proxy::View view;
        {
            const std::lock_guard lock(impl_->mutex);
            view = impl_->view();
        }
        const auto verdict = proxy::judge_ready(view);
        if (verdict.ok) return {};
        if (SteadyClock::now() >= deadline) return verdict.text;
        std::this_thread::sleep_for(kLookEvery);
    }
}

std::string EmbeddedProxy::status() const {
    const std::lock_guard lock(impl_->mutex);
    return proxy::render_status(impl_->view());
}

void EmbeddedProxy::stop() {
    const std::lock_guard lock(impl_->mutex);
    if (std::exchange(impl_->is_stopped, true)) return;
    impl_->app.post([&app = impl_->app] { app.quit(); });
    impl_->thread.join();
}

}  // namespace cvp
