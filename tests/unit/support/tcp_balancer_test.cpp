#include "tests/support/tcp_balancer.hpp"

#include <atomic>
#include <thread>

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>

#include "common/http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"

namespace cvp::test {
namespace {

/// A backend whose readiness the test sets and which says its name.
class Backend {
public:
    explicit Backend(std::string name)
        : name_(std::move(name)),
          server_(io_, [this](http::Request request, http::Peer) { return answer(std::move(request)); }) {
        if (!server_.listen("127.0.0.1:0")) throw std::runtime_error("cannot listen");
        port = server_.port();
        thread_ = std::thread([this] { io_.run(); });
    }
    ~Backend() {
        io_.stop();
        thread_.join();
    }

    std::atomic<bool> is_ready = false;
    std::uint16_t port = 0;

private:
    Awaitable<http::Response> answer(http::Request request) {
        if (request.target != "/readyz") co_return http::make_response(200, "text/plain", name_);
        co_return http::make_response(is_ready ? 200 : 503, "text/plain", "");
    }

    std::string name_;
    asio::io_context io_{1};
    http::Server server_;
    std::thread thread_;
};

std::string ask(const TcpBalancer& balancer) {
    const auto answer = http_get("127.0.0.1", balancer.port(), "/");
    return answer ? answer->body : "";
}

TEST(TcpBalancer, gives_connections_to_backends_that_are_ready) {
    TcpBalancer balancer;
    EXPECT_EQ(ask(balancer), "") << "there is none";
    Backend a("a");
    Backend b("b");
    const auto first = balancer.add({a.port, a.port});
    const auto second = balancer.add({b.port, b.port});
    a.is_ready = true;
    ASSERT_TRUE(eventually([&] { return balancer.is_ready(first); }));
    EXPECT_EQ(ask(balancer), "a");
    EXPECT_EQ(ask(balancer), "a");
    EXPECT_EQ(balancer.connections(second), 0U);

    b.is_ready = true;
    ASSERT_TRUE(eventually([&] { return balancer.ready() == 2; }));
    EXPECT_NE(ask(balancer), ask(balancer)) << "in turn";

    a.is_ready = false;
    const auto before = std::chrono::steady_clock::now();
    ASSERT_TRUE(eventually([&] { return !balancer.is_ready(first); }, std::chrono::seconds(5)));
    EXPECT_GE(balancer.turned_at(first), before);
    EXPECT_EQ(ask(balancer), "b");
    EXPECT_EQ(ask(balancer), "b");
}

TEST(TcpBalancer, drops_a_backend_that_is_gone) {
    TcpBalancer balancer;
    std::size_t number = 0;
    {
        Backend a("a");
        a.is_ready = true;
        number = balancer.add({a.port, a.port});
        ASSERT_TRUE(eventually([&] { return balancer.is_ready(number); }));
    }
    EXPECT_TRUE(eventually([&] { return !balancer.is_ready(number); }, std::chrono::seconds(5)));
}

}  // namespace
}  // namespace cvp::test
