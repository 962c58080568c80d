#include "common/http/server.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/async/event.hpp"
#include "tests/support/async.hpp"
#include "tests/support/raw_peer.hpp"

namespace cvp::http {
namespace {

using namespace std::chrono_literals;
using test::RawPeer;
using test::run;
using test::Started;
using test::wait_until;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

using Client = std::shared_ptr<RawPeer>;

/// The server against clients that the test plays by hand. The handler echoes, waits or throws, as the path says.
class HttpServer : public testing::Test {
protected:
    HttpServer() { start({}); }

    void start(ServerOptions options) {
        server = std::make_unique<Server>(
            io, [this](Request request, Peer peer) { return handle(std::move(request), std::move(peer)); }, options);
        ASSERT_TRUE(server->listen("127.0.0.1:0"));
    }

    Awaitable<Response> handle(Request request, Peer peer) {
        ++handled;
        if (request.target == "/wait") co_await released.wait();
        if (request.target == "/throw") throw std::runtime_error("a bug");
        if (request.target == "/large") co_return make_response(200, "text/plain", std::string(64 * 1024 * 1024, 'x'));
        auto text = request.method + " " + request.target + " [" + request.body + "] " + peer.address +
                    (peer.is_loopback ? " loopback" : "");
        co_return make_response(200, "text/plain", std::move(text));
    }

    Client connect() { return RawPeer::connect(io, server->port()); }

    /// Waits until the client has received `count` answers whole, as far as `end` says.
    static bool has(const Client& client, std::string_view end) {
        return client->received.find(end) != std::string::npos;
    }
    void until(const Client& client, std::string_view end) {
        wait_until(io, [&] { return has(client, end); });
    }
    void until_ended(const Client& client, SteadyClock::duration limit = 10s) {
        wait_until(
            io, [&] { return client->has_ended; }, limit);
    }
    /// One request on a connection of its own, which the server is asked to close.
    std::string ask(std::string_view request) {
        const auto client = connect();
        client->write(request);
        until_ended(client);
        return client->received;
    }

    asio::io_context io{1};
    Event released;
    int handled = 0;
    std::unique_ptr<Server> server;
};

TEST_F(HttpServer, answers_with_length_and_status) {
    EXPECT_EQ(ask("GET /a?b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 30\r\n\r\n"
              "GET /a?b [] 127.0.0.1 loopback");
}

TEST_F(HttpServer, keeps_the_connection) {
    const auto client = connect();
    for (const std::string path : {"/1", "/2", "/3"}) {
        client->write("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
        until(client, "GET " + path + " []");
    }
    EXPECT_THAT(client->received, testing::Not(HasSubstr("Connection: close")));
    EXPECT_FALSE(client->has_ended);
}

TEST_F(HttpServer, answers_pipelined_requests_in_order) {
    const auto client = connect();
    client->write(
        "POST /1 HTTP/1.1\r\nContent-Length: 1\r\n\r\naGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nConnection: "
        "close\r\n\r\n");
    until_ended(client);
    const auto one = client->received.find("POST /1 [a]");
    const auto two = client->received.find("GET /2 []");
    const auto three = client->received.find("GET /3 []");
    EXPECT_LT(one, two);
    EXPECT_LT(two, three);
    EXPECT_NE(three, std::string::npos);
}

TEST_F(HttpServer, answers_pipelined_requests_that_wait_for_the_first) {
    const auto client = connect();
    client->write("GET /wait HTTP/1.1\r\n\r\n");
    wait_until(io, [&] { return handled == 1; });
    client->write("GET /2 HTTP/1.1\r\n\r\n");
    io.poll();
    EXPECT_EQ(client->received, "");
    released.notify_all();
    until(client, "GET /2 []");
    EXPECT_LT(client->received.find("GET /wait []"), client->received.find("GET /2 []"));
}

TEST_F(HttpServer, reads_bodies_in_pieces_and_chunks) {
    const auto client = connect();
    client->write("POST / HTTP/1.1\r\nContent-Le");
    io.poll();
    client->write("ngth: 6\r\n\r\nabc");
    io.poll();
    client->write("def");
    until(client, "[abcdef]");
    client->write("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nuvw\r\n2\r\nxy\r\n0\r\n\r\n");
    until(client, "[uvwxy]");
}

TEST_F(HttpServer, closes_after_an_http_1_0_request) {
    EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), EndsWith("GET / [] 127.0.0.1 loopback"));
}

TEST_F(HttpServer, answers_head_without_a_body) {
    EXPECT_THAT(ask("HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("Content-Length: 28\r\n\r\n"));
}

TEST_F(HttpServer, tells_a_waiting_client_to_continue) {
    const auto client = connect();
    client->write("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    until(client, "HTTP/1.1 100 Continue\r\n\r\n");
    client->write("ab");
    until(client, "[ab]");
}

TEST_F(HttpServer, answers_nonsense_with_400_and_closes) {
    for (const char* nonsense : {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/3.1\r\n\r\n",
                                 "GET / HTTP/1.1\r\nbad header\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
                                 "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                                 "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"}) {
        const auto answer = ask(nonsense);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << nonsense;
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    }
    EXPECT_EQ(handled, 0);
}

TEST_F(HttpServer, answers_what_is_too_large_with_413_or_431_and_closes) {
    EXPECT_THAT(ask("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n"), StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'x')), StartsWith("HTTP/1.1 431 "));
    EXPECT_EQ(handled, 0);
}

TEST_F(HttpServer, the_answer_arrives_though_the_client_goes_on_sending) {
    const auto client = connect();
    client->write("POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + std::string(100'000, 'x'));
    until_ended(client);
    EXPECT_THAT(client->received, StartsWith("HTTP/1.1 413 "));
    EXPECT_FALSE(client->was_reset);
}

TEST_F(HttpServer, an_exception_of_the_handler_becomes_500) {
    EXPECT_THAT(ask("GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n"),
                StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
}

TEST_F(HttpServer, cuts_a_client_that_sends_its_request_too_slowly) {
    ServerOptions options;
    options.request_timeout = 100ms;
    start(options);
    const auto client = connect();
    const auto begin = SteadyClock::now();
    for (const char c : std::string_view("GET / HTTP/1.1\r\nX: yyyyyyyyyyyyyyyyyyyy")) {
        client->write({&c, 1});
        run(io, sleep_for(10ms));
        if (client->has_ended) break;
    }
    EXPECT_TRUE(client->has_ended);
    EXPECT_GE(SteadyClock::now() - begin, 100ms);
    EXPECT_EQ(client->received, "");
}

TEST_F(HttpServer, cuts_a_client_that_does_not_take_its_answer) {
    ServerOptions options;
    options.request_timeout = 100ms;
    start(options);
    const auto client = connect();
    client->stall();
    client->write("GET /large HTTP/1.1\r\n\r\n");
    wait_until(io, [&] { return handled == 1; });
    const auto begin = SteadyClock::now();
    server->stop_accepting();
    run(io, server->drain(SteadyClock::now() + 5s));
    EXPECT_LT(SteadyClock::now() - begin, 2s);
}

TEST_F(HttpServer, closes_an_idle_connection_after_its_time) {
    ServerOptions options;
    options.idle_timeout = 50ms;
    start(options);
    const auto client = connect();
    client->write("GET / HTTP/1.1\r\n\r\n");
    until(client, "loopback");
    until_ended(client, 2s);
}

TEST_F(HttpServer, closes_the_newest_connection_beyond_the_limit) {
    ServerOptions options;
    options.max_connections = 2;
    start(options);
    const auto one = connect();
    const auto two = connect();
    const auto three = connect();
    until_ended(three, 2s);
    EXPECT_FALSE(one->has_ended);
    one->close();
    two->write("GET / HTTP/1.1\r\n\r\n");
    until(two, "loopback");
    const auto four = connect();
    four->write("GET / HTTP/1.1\r\n\r\n");
    until(four, "loopback");
}

TEST_F(HttpServer, accepts_again_when_descriptors_are_free_again) {
    const auto waiting = connect();
    waiting->write("GET /wait HTTP/1.1\r\n\r\n");
    wait_until(io, [&] { return handled == 1; });
    const auto client = connect();
    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    rlimit none = old;
    none.rlim_cur = 3;  // no new descriptor
    ::setrlimit(RLIMIT_NOFILE, &none);
    client->write("GET / HTTP/1.1\r\n\r\n");
    run(io, sleep_for(50ms));
    EXPECT_EQ(handled, 1);
    ::setrlimit(RLIMIT_NOFILE, &old);
    until(client, "loopback");
}

TEST_F(HttpServer, asks_clients_to_leave_with_their_next_answer) {
    const auto client = connect();
    client->write("GET /1 HTTP/1.1\r\n\r\n");
    until(client, "GET /1 []");
    server->ask_clients_to_leave();
    client->write("GET /2 HTTP/1.1\r\n\r\n");
    until_ended(client);
    EXPECT_THAT(client->received, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(client->received, EndsWith("GET /2 [] 127.0.0.1 loopback"));
    EXPECT_THAT(ask("GET /3 HTTP/1.1\r\n\r\n"), HasSubstr("GET /3 []")) << "it goes on accepting";
}

TEST_F(HttpServer, drains_what_is_in_flight_and_closes_what_is_idle) {
    const auto idle = connect();
    const auto busy = connect();
    busy->write("GET /wait HTTP/1.1\r\n\r\n");
    wait_until(io, [&] { return handled == 1; });
    server->stop_accepting();
    EXPECT_THROW(connect(), boost::system::system_error);
    Started<bool> drained(io, test::then_true(server->drain(SteadyClock::now() + 5s)));
    io.poll();
    EXPECT_FALSE(drained.is_done());
    EXPECT_FALSE(busy->has_ended);
    released.notify_all();
    EXPECT_TRUE(drained.get(2s));
    until_ended(busy);
    EXPECT_THAT(busy->received, EndsWith("GET /wait [] 127.0.0.1 loopback"));
    until_ended(idle);
}

TEST_F(HttpServer, drains_no_longer_than_its_deadline) {
    const auto busy = connect();
    busy->write("GET /wait HTTP/1.1\r\n\r\n");
    wait_until(io, [&] { return handled == 1; });
    server->stop_accepting();
    run(io, server->drain(SteadyClock::now() + 50ms), 2s);
    until_ended(busy);
    EXPECT_EQ(busy->received, "");
    released.notify_all();
    io.poll();
}

TEST_F(HttpServer, may_be_destroyed_under_a_request) {
    const auto busy = connect();
    busy->write("GET /wait HTTP/1.1\r\n\r\n");
    wait_until(io, [&] { return handled == 1; });
    server.reset();
    until_ended(busy);
    released.notify_all();
    io.poll();
    EXPECT_EQ(busy->received, "");
}

TEST_F(HttpServer, says_why_it_cannot_listen) {
    Server second(io, [this](Request request, Peer peer) { return handle(std::move(request), std::move(peer)); });
    const auto address = "127.0.0.1:" + std::to_string(server->port());
    EXPECT_EQ(second.listen(address).error(),
              (Error{ErrorCode::unavailable, "listening on " + address + ": Address already in use"}));
    EXPECT_EQ(second.listen("nonsense").error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(second.port(), 0);
}

TEST_F(HttpServer, listens_on_all_addresses_and_names_ipv4_peers_as_such) {
    ASSERT_TRUE(server->listen(":0"));
    EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), EndsWith(" 127.0.0.1 loopback"));
}

}  // namespace
}  // namespace cvp::http
