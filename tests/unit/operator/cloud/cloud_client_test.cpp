#include "operator/cloud/cloud_client.hpp"

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/http/server.hpp"
#include "tests/support/async.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using cvp::test::run;
using cvp::test::Started;
using cvp::test::wait_until;

/// Hands out "token-1", "token-2", … or fails.
class CountingSource final : public TokenSource {
public:
    Awaitable<Result<Token>> fetch() override {
        if (failure) co_return fail(*failure);
        Token token;
        token.value = Secret("token-" + std::to_string(++count));
        token.expires_at = SystemClock::now() + 1h;
        co_return token;
    }

    int count = 0;
    std::optional<Error> failure;
};

/// The client against a plain server on loopback, on one loop.
class CloudClientTest : public testing::Test {
protected:
    CloudClientTest()
        : tokens("test", source),
          server(
              io, [this](http::Request request, http::Peer) { return handle(std::move(request)); },
              http::ServerOptions{}) {
        EXPECT_TRUE(server.listen("127.0.0.1:0"));
        client = std::make_unique<CloudClient>(io, http::Origin{false, "127.0.0.1", server.port()}, tokens);
        loop = std::make_unique<Started<bool>>(io, cvp::test::then_true(tokens.run()));
    }

    ~CloudClientTest() override {
        released.notify_all();
        tokens.stop();
        wait_until(io, [&] { return loop->is_done(); });
        client.reset();
    }

    Awaitable<http::Response> handle(http::Request request) {
        requests.push_back(request);
        if (request.target == "/slow") co_await released.wait();
        if (request.target == "/large")
            co_return http::make_response(200, "text/plain", std::string(1024 * 1024 + 1, 'x'));
        if (request.target == "/full") co_return http::make_response(200, "text/plain", std::string(1024 * 1024, 'x'));
        const bool is_revoked = !revoked.empty() && request.headers.find("Authorization") == revoked;
        auto response = http::make_response(is_revoked ? 401 : status, "application/json", body);
        response.headers.set("Retry-After", "7");
        if (status == 302) response.headers.set("Location", "/elsewhere");
        co_return response;
    }

    Result<http::Response> get(std::string target) { return run(io, client->get(std::move(target)), 30s); }

    asio::io_context io{1};
    CountingSource source;
    TokenCache tokens;
    http::Server server;
    std::unique_ptr<CloudClient> client;
    std::unique_ptr<Started<bool>> loop;
    std::string revoked;
    Event released;
    std::vector<http::Request> requests;
    unsigned status = 200;
    std::string body = "{\"a\":1}";
};

TEST_F(CloudClientTest, sends_a_get_with_the_token_and_hands_back_the_answer_whole) {
    const auto response = get("/v1/projects/p%2Fq/x?y=1");
    ASSERT_TRUE(response) << to_string(response.error());
    EXPECT_EQ(response->status, 200u);
    EXPECT_EQ(response->body, "{\"a\":1}");
    EXPECT_EQ(response->headers.find("retry-after"), "7");
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests[0].method, "GET");
    EXPECT_EQ(requests[0].target, "/v1/projects/p%2Fq/x?y=1");
    EXPECT_EQ(requests[0].headers.find("Authorization"), "Bearer token-1");
}

TEST_F(CloudClientTest, every_status_is_an_answer) {
    for (const unsigned code : {403u, 404u, 429u, 500u, 503u}) {
        status = code;
        body = "<html>odd</html>";
        const auto response = get("/v1/x");
        ASSERT_TRUE(response) << code;
        EXPECT_EQ(response->status, code);
        EXPECT_EQ(response->body, "<html>odd</html>");
    }
    EXPECT_EQ(source.count, 1);
}

TEST_F(CloudClientTest, a_redirection_is_an_answer_and_not_followed) {
    status = 302;
    const auto response = get("/v1/x");
    ASSERT_TRUE(response) << to_string(response.error());
    EXPECT_EQ(response->status, 302u);
    EXPECT_EQ(requests.size(), 1u);
}

TEST_F(CloudClientTest, a_401_asks_for_a_fresh_token) {
    status = 401;
    ASSERT_TRUE(get("/v1/x"));
    wait_until(io, [&] { return source.count == 2; });
    status = 200;
    ASSERT_TRUE(get("/v1/x"));
    EXPECT_EQ(requests.back().headers.find("Authorization"), "Bearer token-2");
}

TEST_F(CloudClientTest, a_token_that_was_revoked_is_replaced_within_the_call) {
    revoked = "Bearer token-1";
    const auto response = get("/v1/x");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200U);
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests.back().headers.find("Authorization"), "Bearer token-2");
}

TEST_F(CloudClientTest, answers_are_bounded) {
    const auto full = get("/full");
    ASSERT_TRUE(full) << to_string(full.error());
    EXPECT_EQ(full->body.size(), 1024u * 1024);
    const auto large = get("/large");
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, ErrorCode::resource_exhausted) << to_string(large.error());
}

TEST_F(CloudClientTest, calls_overlap) {
    Started<Result<http::Response>> slow(io, client->get("/slow"));
    wait_until(io, [&] { return requests.size() == 1; });
    EXPECT_TRUE(get("/v1/fast"));
    EXPECT_FALSE(slow.is_done());
    released.notify_all();
    EXPECT_TRUE(slow.get());
}

TEST_F(CloudClientTest, close_ends_calls_in_flight) {
    Started<Result<http::Response>> slow(io, client->get("/slow"));
    wait_until(io, [&] { return requests.size() == 1; });
    client->close();
    const auto response = slow.get();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::cancelled);
    EXPECT_EQ(get("/v1/x").error().code, ErrorCode::cancelled);
}

TEST_F(CloudClientTest, nobody_listens) {
    client = std::make_unique<CloudClient>(io, http::Origin{false, "127.0.0.1", 1}, tokens);
    const auto response = get("/v1/x");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::unavailable);
    EXPECT_NE(response.error().context.find("127.0.0.1:1"), std::string::npos) << response.error().context;
    EXPECT_EQ(response.error().context.find("token-"), std::string::npos);
}

TEST_F(CloudClientTest, a_server_without_tls_fails_the_handshake) {
    client = std::make_unique<CloudClient>(io, http::Origin{true, "127.0.0.1", server.port()}, tokens);
    const auto response = get("/v1/x");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::tls_failed) << to_string(response.error());
    EXPECT_TRUE(requests.empty());
}

TEST(CloudClientWithoutToken, says_why_there_is_none) {
    asio::io_context io{1};
    CountingSource source;
    source.failure = Error{ErrorCode::permission_denied, "grant roles/iam.workloadIdentityUser"};
    TokenCache tokens("test", source);
    CloudClient client(io, http::Origin{false, "127.0.0.1", 1}, tokens);
    Started<bool> loop(io, cvp::test::then_true(tokens.run()));
    const auto response = run(io, client.get("/v1/x"));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error(),
              (Error{ErrorCode::permission_denied, "there is no access token: grant roles/iam.workloadIdentityUser"}));
    tokens.stop();
    wait_until(io, [&] { return loop.is_done(); });
}

}  // namespace
}  // namespace cvp::op
