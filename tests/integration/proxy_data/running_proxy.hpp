#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "proxy/data_plane.hpp"
#include "tests/support/resp_client.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::test {

/// A login that the test hands out and takes back. Any thread.
class TestLogin final : public proxy::LoginSource {
public:
    explicit TestLogin(std::optional<Secret> password = std::nullopt) : password_(std::move(password)) {}

    std::optional<Secret> password() override;
    proxy::LocalError why_not() override { return make_local_error(proxy::Cause::no_token, "no token has come yet"); }
    void refused() override;

    void set(std::optional<Secret> password);
    int refusals() const;

private:
    mutable std::mutex mutex_;
    std::optional<Secret> password_;
    int refusals_ = 0;
};

/// A data plane with one port, on a thread of its own, for clients that block.
class RunningProxy {
public:
    /// Throws std::runtime_error if the port cannot be opened.
    explicit RunningProxy(const std::string& address = "127.0.0.1");
    ~RunningProxy();

    std::uint16_t port() const { return port_; }

    /// Throws if the destination is refused.
    void point_to(proxy::Destination destination);
    void point_to(proxy::Target target) { point_to(proxy::Destination{.to = std::move(target)}); }

    proxy::PortStats stats();
    proxy::UpstreamState upstream();

    /// Polls until `condition` holds of the counters.
    bool wait_for(const std::function<bool(const proxy::PortStats&)>& condition,
                  std::chrono::milliseconds limit = std::chrono::seconds(10));
    /// Until a dial to the present destination succeeded.
    bool wait_until_proven(std::chrono::milliseconds limit = std::chrono::seconds(10));

    /// A new client. Throws if the proxy does not accept it.
    RespClient connect();

    /// Begins to drain; the future is done when all sessions ended.
    std::future<void> drain(std::chrono::milliseconds limit);

    /// Calls `call` on the proxy's thread.
    template <class Call>
    auto on_loop(Call call) {
        std::packaged_task<decltype(call())()> task(std::move(call));
        auto result = task.get_future();
        asio::post(io_, [&task] { task(); });
        return result.get();
    }

private:
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    std::unique_ptr<proxy::DataPlane> plane_;
    proxy::Port* port_handle_ = nullptr;
    std::string address_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

/// A target on loopback that is verified in full against `ca`.
proxy::Target tls_target(std::uint16_t port, const TestCa& ca, std::shared_ptr<proxy::LoginSource> login,
                         const std::string& host = "127.0.0.1");
proxy::Target plain_target(std::uint16_t port, std::shared_ptr<proxy::LoginSource> login = nullptr);

/// The reply, or the error, as one line of text.
std::string ask(RespClient& client, const std::vector<std::string>& words,
                RespClient::Limit limit = RespClient::kLimit);

}  // namespace cvp::test
