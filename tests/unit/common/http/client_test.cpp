#include "common/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/async.hpp"
#include "tests/support/raw_peer.hpp"

namespace cvp::http {
namespace {

using namespace std::chrono_literals;
using test::RawListener;
using test::Started;
using test::wait_until;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

SteadyClock::time_point in(SteadyClock::duration duration) {
    return SteadyClock::now() + duration;
}

Request get(std::string target = "/") {
    Request request;
    request.target = std::move(target);
    return request;
}

/// The client against a server that the test plays by hand.
class HttpClient : public testing::Test {
protected:
    HttpClient() {
        client = std::make_unique<Client>(io, Origin{false, "127.0.0.1", listener.port()}, tls::ClientOptions{});
    }

    Started<Result<Response>> send(Request request, SteadyClock::duration limit = 5s) {
        return {io, client->send(std::move(request), in(limit))};
    }
    Started<Result<std::unique_ptr<BodyStream>>> open(Request request) {
        return {io, client->open(std::move(request), in(5s))};
    }
    /// Waits until connection `index` has received `count` whole requests (without bodies).
    test::RawPeer& requests(std::size_t index, int count = 1) {
        wait_until(io, [=, this] {
            if (listener.peers().size() <= index) return false;
            int found = 0;
            const auto& text = listener.peers()[index]->received;
            for (auto at = text.find("\r\n\r\n"); at != text.npos; at = text.find("\r\n\r\n", at + 1))
                ++found;
            return found >= count;
        });
        return *listener.peers()[index];
    }

    asio::io_context io{1};
    RawListener listener{io};
    std::unique_ptr<Client> client;
};

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(HttpClient, sends_a_request_and_reads_its_response) {
    auto request = get("/a?b=c");
    request.headers.set("X-A", "1");
    auto sent = send(request);
    auto& server = requests(0);
    EXPECT_EQ(server.received, "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(listener.port()) +
                                   "\r\nUser-Agent: cloud-valkey-proxy/" CVP_VERSION "\r\nX-A: 1\r\n\r\n");
    server.write("HTTP/1.1 404 Not Found\r\nX-B: 2\r\nContent-Length: 4\r\n\r\nnone");
    const auto response = sent.get().value();
    EXPECT_EQ(response.status, 404U);
    EXPECT_EQ(response.headers.find("x-b"), "2");
    EXPECT_EQ(response.body, "none");
}

TEST_F(HttpClient, keeps_the_connection_for_the_next_request) {
    for (int i = 1; i <= 3; ++i) {
        auto sent = send(get());
        requests(0, i).write(kOk);
        ASSERT_TRUE(sent.get());
    }
    EXPECT_EQ(listener.peers().size(), 1U);
}

TEST_F(HttpClient, requests_side_by_side_have_connections_of_their_own) {
    auto one = send(get("/1"));
    auto two = send(get("/2"));
    requests(0);
    requests(1);
    listener.peers()[1]->write(kOk);
    EXPECT_TRUE(two.get());
    EXPECT_FALSE(one.is_done());
    listener.peers()[0]->write(kOk);
    EXPECT_TRUE(one.get());
}

TEST_F(HttpClient, does_not_reuse_a_connection_that_the_server_closes) {
    auto sent = send(get());
    requests(0).write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    ASSERT_TRUE(sent.get());
    auto again = send(get());
    requests(1).write(kOk);
    EXPECT_TRUE(again.get());
}

TEST_F(HttpClient, does_not_reuse_a_connection_whose_server_left_meanwhile) {
    auto sent = send(get());
    requests(0).write(kOk);
    ASSERT_TRUE(sent.get());
    listener.peers()[0]->close();
    Request post = get();
    post.method = "POST";
    post.body = "x";
    auto again = send(post);  // not idempotent: it must not even be tried there
    requests(1).write(kOk);
    EXPECT_TRUE(again.get());
}

TEST_F(HttpClient, does_not_reuse_a_connection_on_which_more_came_than_the_response) {
    auto sent = send(get());
    requests(0).write(std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    EXPECT_EQ(sent.get()->body, "ok");
    auto again = send(get());
    requests(1).write(kOk);
    EXPECT_EQ(again.get()->body, "ok");
}

TEST_F(HttpClient, tries_an_idempotent_request_once_more_when_a_reused_connection_was_stale) {
    auto sent = send(get());
    requests(0).write(kOk);
    ASSERT_TRUE(sent.get());
    auto again = send(get("/again"));
    requests(0, 2).close();  // after the request came
    requests(1).write(kOk);
    EXPECT_TRUE(again.get());
    EXPECT_THAT(listener.peers()[1]->received, StartsWith("GET /again"));
}

TEST_F(HttpClient, tries_it_once_more_only_and_on_a_new_connection) {
    auto one = send(get());
    auto two = send(get());
    requests(0).write(kOk);
    requests(1).write(kOk);
    ASSERT_TRUE(one.get());
    ASSERT_TRUE(two.get());
    auto again = send(get());
    wait_until(io, [&] { return listener.peers()[0]->received.size() != listener.peers()[1]->received.size(); });
    const bool is_first = listener.peers()[0]->received.size() > listener.peers()[1]->received.size();
    listener.peers()[is_first ? 0 : 1]->close();
    requests(2).close();
    const auto result = again.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unavailable);
    EXPECT_EQ(listener.peers().size(), 3U);
}

TEST_F(HttpClient, never_sends_a_post_twice) {
    auto sent = send(get());
    requests(0).write(kOk);
    ASSERT_TRUE(sent.get());
    Request post = get();
    post.method = "POST";
    auto again = send(post);
    requests(0, 2).close();
    EXPECT_EQ(again.get().error().code, ErrorCode::unavailable);
    EXPECT_EQ(listener.peers().size(), 1U);
}

TEST_F(HttpClient, never_sends_twice_what_was_answered_in_part) {
    auto sent = send(get());
    requests(0).write(kOk);
    ASSERT_TRUE(sent.get());
    auto again = send(get());
    requests(0, 2).write("HTTP/1.1 200");
    listener.peers()[0]->close();
    EXPECT_EQ(again.get().error().code, ErrorCode::unavailable);
    EXPECT_EQ(listener.peers().size(), 1U);
}

TEST_F(HttpClient, does_not_use_a_connection_that_was_idle_for_too_long) {
    ClientOptions options;
    options.idle_timeout = 0s;
    client = std::make_unique<Client>(io, client->origin(), tls::ClientOptions{}, options);
    auto sent = send(get());
    requests(0).write(kOk);
    ASSERT_TRUE(sent.get());
    auto again = send(get());
    requests(1).write(kOk);
    EXPECT_TRUE(again.get());
    wait_until(io, [&] { return listener.peers()[0]->has_ended; });
}

TEST_F(HttpClient, keeps_no_more_idle_connections_than_allowed) {
    ClientOptions options;
    options.max_idle_connections = 1;
    client = std::make_unique<Client>(io, client->origin(), tls::ClientOptions{}, options);
    auto one = send(get());
    auto two = send(get());
    requests(0).write(kOk);
    requests(1).write(kOk);
    ASSERT_TRUE(one.get());
    ASSERT_TRUE(two.get());
    wait_until(io, [&] { return listener.peers()[0]->has_ended != listener.peers()[1]->has_ended; });
}

TEST_F(HttpClient, reads_chunks_and_bodies_that_end_with_the_connection) {
    auto chunked = send(get());
    requests(0).write(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n");
    EXPECT_EQ(chunked.get()->body, "abcde");
    auto until_end = send(get());
    requests(0, 2).write("HTTP/1.1 200 OK\r\n\r\nall of it");
    listener.peers()[0]->finish_writing();
    EXPECT_EQ(until_end.get()->body, "all of it");
}

TEST_F(HttpClient, reads_no_body_after_head) {
    Request head = get();
    head.method = "HEAD";
    auto sent = send(head);
    requests(0).write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    EXPECT_EQ(sent.get()->body, "");
    auto again = send(get());
    requests(0, 2).write(kOk);
    EXPECT_EQ(again.get()->body, "ok");
}

TEST_F(HttpClient, skips_interim_responses) {
    auto sent = send(get());
    requests(0).write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n");
    listener.peers()[0]->write(kOk);
    const auto response = sent.get().value();
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.headers.find("X"), std::nullopt);
}

TEST_F(HttpClient, refuses_a_body_that_is_too_large_announced_or_not) {
    ClientOptions options;
    options.max_body_bytes = 4;
    client = std::make_unique<Client>(io, client->origin(), tls::ClientOptions{}, options);
    auto announced = send(get());
    requests(0).write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(announced.get().error().code, ErrorCode::resource_exhausted);
    auto chunked = send(get());
    requests(1).write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n");
    EXPECT_EQ(chunked.get().error().code, ErrorCode::resource_exhausted);
    auto until_end = send(get());
    requests(2).write("HTTP/1.1 200 OK\r\n\r\nabcdef");
    EXPECT_EQ(until_end.get().error().code, ErrorCode::resource_exhausted);
    auto header = send(get());
    requests(3).write("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'));
    EXPECT_EQ(header.get().error().code, ErrorCode::resource_exhausted);
}

TEST_F(HttpClient, names_the_origin_and_the_reason_of_a_failure) {
    auto nonsense = send(get());
    requests(0).write("SSH-2.0-OpenSSH\r\n\r\n");
    auto error = nonsense.get().error();
    EXPECT_EQ(error.code, ErrorCode::protocol_error);
    EXPECT_THAT(error.context, StartsWith(client->origin().to_string() + ": not HTTP/1.1: "));

    auto cut = send(get());
    requests(1).write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    listener.peers()[1]->close();
    error = cut.get().error();
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_THAT(error.context, EndsWith("the server closed before its response ended"));

    listener.close();
    error = send(get()).get().error();
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_THAT(error.context, EndsWith("connecting: Connection refused"));
}

TEST_F(HttpClient, gives_up_at_its_deadline) {
    auto silent = send(get(), 50ms);
    EXPECT_EQ(silent.get(1s).error().code, ErrorCode::timeout);
    auto in_body = send(get(), 50ms);
    requests(1).write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    EXPECT_EQ(in_body.get(1s).error().code, ErrorCode::timeout);
    EXPECT_EQ(send(get(), -1s).get(1s).error().code, ErrorCode::timeout);
}

TEST_F(HttpClient, gives_up_connecting_at_the_connect_timeout) {
    ClientOptions options;
    options.connect_timeout = 50ms;
    // A full backlog swallows further connection requests.
    asio::ip::tcp::acceptor full(io, {asio::ip::address_v4::loopback(), 0});
    full.listen(0);
    std::vector<std::unique_ptr<asio::ip::tcp::socket>> fillers;
    for (int i = 0; i < 4; ++i) {
        fillers.push_back(std::make_unique<asio::ip::tcp::socket>(io));
        fillers.back()->async_connect(full.local_endpoint(), [](const boost::system::error_code&) {});
    }
    io.poll();
    client = std::make_unique<Client>(io, Origin{false, "127.0.0.1", full.local_endpoint().port()},
                                      tls::ClientOptions{}, options);
    EXPECT_EQ(send(get(), 5s).get(2s).error().code, ErrorCode::timeout);
}

TEST_F(HttpClient, looks_names_up) {
    client = std::make_unique<Client>(io, Origin{false, "localhost", listener.port()}, tls::ClientOptions{});
    auto sent = send(get());
    requests(0).write(kOk);
    EXPECT_TRUE(sent.get());
    client = std::make_unique<Client>(io, Origin{false, "nowhere.invalid", 1}, tls::ClientOptions{});
    const auto error = send(get()).get().error();
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_THAT(error.context, StartsWith("http://nowhere.invalid:1: looking up nowhere.invalid: "));
}

TEST_F(HttpClient, refuses_what_would_break_the_header_and_does_not_show_it) {
    auto request = get();
    request.headers.set("Authorization", "Bearer canary\r\nX: y");
    const auto error = send(request).get().error();
    EXPECT_EQ(error.code, ErrorCode::invalid_argument);
    EXPECT_THAT(error.context, testing::Not(HasSubstr("canary")));
    EXPECT_TRUE(listener.peers().empty());
}

TEST_F(HttpClient, close_ends_what_is_in_flight_and_all_that_comes) {
    auto idle = send(get());
    requests(0).write(kOk);
    ASSERT_TRUE(idle.get());
    auto one = send(get());
    auto two = send(get());
    requests(0, 2);
    requests(1);
    auto dialling = send(get());
    client->close();
    EXPECT_EQ(one.get(1s).error().code, ErrorCode::cancelled);
    EXPECT_EQ(two.get(1s).error().code, ErrorCode::cancelled);
    EXPECT_EQ(dialling.get(1s).error().code, ErrorCode::cancelled);
    EXPECT_EQ(send(get()).get(1s).error().code, ErrorCode::cancelled);
    wait_until(io, [&] { return listener.peers()[0]->has_ended && listener.peers()[1]->has_ended; });
}

TEST_F(HttpClient, may_be_destroyed_under_a_request) {
    auto sent = send(get());
    requests(0);
    client.reset();
    EXPECT_EQ(sent.get(1s).error().code, ErrorCode::cancelled);
}

class HttpStream : public HttpClient {
protected:
    /// A response that is open after its header.
    std::unique_ptr<BodyStream> begin() {
        auto opened = open(get("/watch"));
        requests(0).write("HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
        return opened.get().value();
    }
    Started<Result<std::string>> read(BodyStream& body, SteadyClock::duration limit = 5s) {
        return {io, body.read_some(in(limit))};
    }
    void write(std::string_view bytes) { listener.peers()[0]->write(bytes); }
};

TEST_F(HttpStream, hands_on_each_piece_when_it_comes) {
    const auto body = begin();
    EXPECT_EQ(body->status(), 200U);
    EXPECT_EQ(body->headers().find("X-A"), "1");
    auto first = read(*body);
    io.poll();
    EXPECT_FALSE(first.is_done());
    write("6\r\nfirst\n\r\n");
    EXPECT_EQ(first.get(), "first\n");
    auto half = read(*body);
    write("6\r\nsec");
    EXPECT_EQ(half.get(), "sec");
    auto rest = read(*body);
    write("ond\r\n");
    EXPECT_EQ(rest.get(), "ond");
    auto end = read(*body);
    write("0\r\n\r\n");
    EXPECT_EQ(end.get(), "");
    EXPECT_EQ(read(*body).get(), "");
}

TEST_F(HttpStream, gives_its_connection_back_at_the_end) {
    auto body = begin();
    write("0\r\n\r\n");
    ASSERT_EQ(read(*body).get(), "");
    body.reset();
    auto sent = send(get());
    requests(0, 2).write(kOk);
    EXPECT_TRUE(sent.get());
}

TEST_F(HttpStream, hands_on_what_came_with_the_header) {
    auto opened = open(get());
    requests(0).write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    const auto body = opened.get().value();
    EXPECT_EQ(read(*body).get(), "abc");
}

TEST_F(HttpStream, may_be_longer_than_any_response_that_is_read_whole) {
    ClientOptions options;
    options.max_body_bytes = 1;
    client = std::make_unique<Client>(io, client->origin(), tls::ClientOptions{}, options);
    const auto body = begin();
    write("3\r\nabc\r\n");
    EXPECT_EQ(read(*body).get(), "abc");
}

TEST_F(HttpStream, tells_a_broken_connection_from_its_end) {
    const auto body = begin();
    auto cut = read(*body);
    listener.peers()[0]->close();
    EXPECT_EQ(cut.get().error().code, ErrorCode::unavailable);
    EXPECT_FALSE(read(*body).get());
}

TEST_F(HttpStream, gives_up_at_its_deadline) {
    const auto body = begin();
    EXPECT_EQ(read(*body, 30ms).get(1s).error().code, ErrorCode::timeout);
}

TEST_F(HttpStream, ends_a_pending_read_when_it_is_closed) {
    const auto body = begin();
    auto pending = read(*body);
    io.poll();
    body->close();
    EXPECT_EQ(pending.get(1s).error().code, ErrorCode::cancelled);
    EXPECT_EQ(read(*body).get(1s).error().code, ErrorCode::cancelled);
}

TEST_F(HttpStream, ends_a_pending_read_when_it_is_destroyed) {
    auto body = begin();
    auto pending = read(*body);
    io.poll();
    body.reset();
    EXPECT_EQ(pending.get(1s).error().code, ErrorCode::cancelled);
    wait_until(io, [&] { return listener.peers()[0]->has_ended; });
}

TEST_F(HttpStream, ends_a_pending_read_when_its_client_is_closed) {
    const auto body = begin();
    auto pending = read(*body);
    io.poll();
    client->close();
    EXPECT_EQ(pending.get(1s).error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace cvp::http
