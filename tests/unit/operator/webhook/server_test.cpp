#include "operator/webhook/server.hpp"

#include <gmock/gmock.h>

#include "common/async/event.hpp"
#include "common/http/client.hpp"
#include "tests/support/async.hpp"
#include "tests/support/raw_peer.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/unit/operator/webhook/admission.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using cvp::test::RawPeer;
using cvp::test::run;
using cvp::test::TestCa;
using cvp::test::wait_until;
using testing::HasSubstr;

constexpr auto kPatience = 200ms;

/// The webhook as any pod of the cluster can reach it, against clients that mean no good.
class WebhookServer : public testing::Test {
protected:
    /// @param is_tls plain is enough where it is not about the handshake
    void start(bool is_tls, SteadyClock::duration request_timeout = kPatience) {
        auto options = webhook_server_options();
        options.request_timeout = request_timeout;
        server = make_webhook_server(io, test::kConfig, counters, options);
        if (is_tls) {
            const auto leaf = TestCa().sign(cvp::test::Leaf::good);
            ASSERT_TRUE(server->set_tls({leaf.certificate_pem, leaf.key_pem, {}}));
        }
        ASSERT_TRUE(server->listen("127.0.0.1:0"));
        client = RawPeer::connect(io, server->port());
    }

    /// Sends a byte every 10 ms until the server has enough of it.
    void dribble(const std::string& bytes) {
        const auto begin = SteadyClock::now();
        for (std::size_t at = 0; !client->has_ended; ++at) {
            ASSERT_LT(SteadyClock::now() - begin, 5s) << "nobody cuts it off";
            client->write(bytes.substr(at % bytes.size(), 1));
            run(io, sleep_for(10ms));
        }
        EXPECT_GE(SteadyClock::now() - begin, kPatience);
    }

    /// Sends a review as an API server does.
    http::Response post(std::string body) {
        http::Client sender(io, http::Origin{false, "127.0.0.1", server->port()}, {});
        http::Request request;
        request.method = "POST";
        request.target = "/mutate-pods";
        request.headers.set("Content-Type", "application/json");
        request.body = std::move(body);
        auto response = run(io, sender.send(std::move(request), SteadyClock::now() + 30s));
        sender.close();
        return response ? std::move(*response) : throw std::runtime_error(to_string(response.error()));
    }

    void until(const char* text) {
        wait_until(io, [&] { return client->received.find(text) != std::string::npos; });
    }

    asio::io_context io{1};
    InjectionCounters counters;
    std::unique_ptr<http::Server> server;
    std::shared_ptr<RawPeer> client;
};

TEST_F(WebhookServer, has_the_bounds_of_its_peers) {
    const auto options = webhook_server_options();
    EXPECT_EQ(options.max_body_bytes, 7U * 1024 * 1024);
    EXPECT_LE(options.request_timeout, 10s);
    EXPECT_GT(options.idle_timeout, 90s) << "an API server must find its connections open";
}

TEST_F(WebhookServer, cuts_off_a_silent_handshake) {
    start(true);
    const auto begin = SteadyClock::now();
    wait_until(io, [&] { return client->has_ended; });
    EXPECT_GE(SteadyClock::now() - begin, kPatience);
}

TEST_F(WebhookServer, cuts_off_a_slow_handshake) {
    start(true);
    dribble(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(500, 'x'));
}

/// The alert in answer to a bare ClientHello tells. @source RFC 5246 sections 6.2.1, 7.2, 7.4.1.2
TEST_F(WebhookServer, speaks_no_tls_below_1_2) {
    const auto alert_to = [&](char minor) {
        start(true, 10s);
        const std::string suites("\x00\x06\xc0\x2b\xc0\x2f\xc0\x13", 8);
        const auto body = std::string("\x03") + minor + std::string(32, 'r') + '\0' + suites + "\x01" + '\0';
        const auto length = static_cast<char>(body.size());
        const auto handshake = std::string("\x01\x00\x00", 3) + length + body;
        client->write(std::string("\x16\x03\x01\x00", 4) + static_cast<char>(handshake.size()) + handshake);
        wait_until(io, [&] { return client->received.size() >= 7; });
        return client->received[0] == '\x15' ? static_cast<int>(client->received[6]) : 0;
    };
    constexpr int kProtocolVersion = 70;
    EXPECT_EQ(alert_to('\x01'), kProtocolVersion) << "TLS 1.0";
    EXPECT_EQ(alert_to('\x02'), kProtocolVersion) << "TLS 1.1";
    EXPECT_NE(alert_to('\x03'), kProtocolVersion) << "TLS 1.2";
}

TEST_F(WebhookServer, cuts_off_a_slow_header) {
    start(false);
    dribble("POST /mutate-pods HTTP/1.1\r\nX: " + std::string(1000, 'y'));
    EXPECT_EQ(client->received, "");
}

TEST_F(WebhookServer, cuts_off_a_slow_body) {
    start(false);
    client->write("POST /mutate-pods HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
    dribble(std::string(1000, ' '));
    EXPECT_EQ(client->received, "");
}

TEST_F(WebhookServer, cuts_off_a_body_of_slow_chunks) {
    start(false);
    client->write("POST /mutate-pods HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    dribble("1\r\nx\r\n");
}

TEST_F(WebhookServer, takes_seven_megabytes_and_not_a_byte_more) {
    start(false, 10s);
    EXPECT_EQ(post(std::string(7U * 1024 * 1024, ' ')).body, "AdmissionReview: not valid JSON\n");
    client->write("POST /mutate-pods HTTP/1.1\r\nContent-Length: 7340033\r\n\r\n");
    until("HTTP/1.1 413 ");
}

TEST_F(WebhookServer, answers_a_bomb_and_lives) {
    start(false, 10s);
    const auto answer = post(std::string(7'000'000, '['));
    EXPECT_EQ(answer.status, 400U);
    EXPECT_THAT(answer.body, HasSubstr("nested too deeply"));
    EXPECT_THAT(post(test::make_review(test::make_pod("sessions")).dump()).body, HasSubstr("\"allowed\":true"));
}

TEST_F(WebhookServer, counts_and_times_its_answers) {
    start(false);
    EXPECT_EQ(post("{}").status, 400U);
    EXPECT_EQ(post(test::make_review(test::make_pod("sessions")).dump()).status, 200U);
    client->write("GET /elsewhere HTTP/1.1\r\n\r\nP");
    until("HTTP/1.1 404 ");
    wait_until(io, [&] { return server->in_flight() == 1; });
    metrics::Page page;
    counters.describe(page, server->in_flight());
    EXPECT_THAT(page.render(), HasSubstr(R"(_requests_total{webhook="/mutate-pods",code="200"} 1)"));
    EXPECT_THAT(page.render(), HasSubstr(R"(_requests_total{webhook="/mutate-pods",code="400"} 1)"));
    EXPECT_THAT(page.render(), HasSubstr(R"(_latency_seconds_count{webhook="/mutate-pods"} 2)"));
    EXPECT_THAT(page.render(), HasSubstr(R"(_requests_in_flight{webhook="/mutate-pods"} 1)"));
}

}  // namespace
}  // namespace cvp::op
