#include "tests/integration/proxy_data/running_proxy.hpp"

#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/loop/socket.hpp"

namespace cvp::test {

namespace {

using namespace std::chrono_literals;

Awaitable<void> drain_plane(proxy::DataPlane& plane, SteadyClock::time_point deadline) {
    co_await plane.drain(deadline);
}

}  // namespace

std::optional<Secret> TestLogin::password() {
    const std::lock_guard lock(mutex_);
    return password_;
}

void TestLogin::refused() {
    const std::lock_guard lock(mutex_);
    ++refusals_;
}

void TestLogin::set(std::optional<Secret> password) {
    const std::lock_guard lock(mutex_);
    password_ = std::move(password);
}

int TestLogin::refusals() const {
    const std::lock_guard lock(mutex_);
    return refusals_;
}

RunningProxy::RunningProxy(const std::string& address)
    : plane_(std::make_unique<proxy::DataPlane>(io_)), address_(address) {
    auto opened = plane_->open({.connection = "sessions", .address = address, .port = 0});
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    port_handle_ = *opened;
    port_ = port_handle_->port();
    thread_ = std::thread([this] { io_.run(); });
}

RunningProxy::~RunningProxy() {
    on_loop([this] { plane_.reset(); });
    work_.reset();
    thread_.join();
}

void RunningProxy::point_to(proxy::Destination destination) {
    const auto set = on_loop([&] { return port_handle_->set_destination(std::move(destination)); });
    if (!set) throw std::runtime_error(to_string(set.error()));
}

proxy::PortStats RunningProxy::stats() {
    return on_loop([this] { return std::as_const(*port_handle_).stats(); });
}

proxy::UpstreamState RunningProxy::upstream() {
    return on_loop([this] { return std::as_const(*port_handle_).upstream(); });
}

bool RunningProxy::wait_for(const std::function<bool(const proxy::PortStats&)>& condition,
                            std::chrono::milliseconds limit) {
    const auto deadline = SteadyClock::now() + limit;
    while (!condition(stats())) {
        if (SteadyClock::now() >= deadline) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

bool RunningProxy::wait_until_proven(std::chrono::milliseconds limit) {
    return wait_for([this](const auto&) { return upstream().last_success.has_value(); }, limit);
}

RespClient RunningProxy::connect() {
    const auto address = proxy::SocketAddress::parse(address_, port_).value();
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, address.data(), address.size()) != 0) {
        ::close(fd);
        throw std::runtime_error("cannot connect to the proxy at " + address.text());
    }
    return RespClient(ByteStream(fd));
}

std::future<void> RunningProxy::drain(std::chrono::milliseconds limit) {
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    asio::post(io_, [this, done, limit] {
        asio::co_spawn(io_, drain_plane(*plane_, SteadyClock::now() + limit),
                       [done](const std::exception_ptr&) { done->set_value(); });
    });
    return future;
}

proxy::Target tls_target(std::uint16_t port, const TestCa& ca, std::shared_ptr<proxy::LoginSource> login,
                         const std::string& host) {
    proxy::Target target;
    target.endpoint = {EndpointRole::primary, host, port};
    target.tls.emplace();
    target.tls->ca_pem = ca.pem();
    target.tls->identities = {"ip:127.0.0.1"};
    target.login = std::move(login);
    return target;
}

proxy::Target plain_target(std::uint16_t port, std::shared_ptr<proxy::LoginSource> login) {
    proxy::Target target;
    target.endpoint = {EndpointRole::primary, "127.0.0.1", port};
    target.login = std::move(login);
    return target;
}

std::string ask(RespClient& client, const std::vector<std::string>& words, RespClient::Limit limit) {
    const auto reply = client.command(words, limit);
    return reply ? to_string(*reply) : to_string(reply.error());
}

}  // namespace cvp::test
