// What clients see while the upstream, the token or the destination is not there, and how it heals.
#include <future>

#include <gtest/gtest.h>

#include "tests/integration/proxy_data/faults_fixture.hpp"
#include "tests/support/recording_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using proxy::Cause;
using proxy::Destination;
using proxy::LocalError;
using proxy::make_local_error;

const Secret kNext("ya29.c2Vjb25k");

constexpr std::string_view kDown = "-LOADING cloud-valkey-proxy sessions: UpstreamUnreachable: ";

TEST_F(FaultsTest, a_destination_that_is_an_error_is_answered_to_the_first_bytes_and_never_dialled) {
    auto early = proxy_.connect();
    EXPECT_EQ(ask(early, {"PING"}), "-LOADING cloud-valkey-proxy sessions: NotResolved: the instance is not known yet");
    EXPECT_EQ(early.read_to_end().value_or("?"), "");

    for (const auto cause : {Cause::cluster_mode_not_supported, Cause::no_reader, Cause::not_resolved}) {
        proxy_.point_to(Destination{.to = make_local_error(cause, "because")});
        auto client = proxy_.connect();
        // Commands in one write: one answer, then the end.
        ASSERT_TRUE(client.send(encode_command({"HELLO", "3"}) + encode_command({"PING"})));
        const auto all = client.read_to_end();
        EXPECT_EQ(all.value_or("?"), render(make_local_error(cause, "because"), "sessions"));
    }
    const auto stats = proxy_.stats();
    EXPECT_EQ(stats.dials_total, 0u);
    EXPECT_EQ(stats.local_errors[static_cast<std::size_t>(Cause::not_resolved)], 2u);
    EXPECT_EQ(stats.local_errors[static_cast<std::size_t>(Cause::no_reader)], 1u);
}

TEST_F(FaultsTest, clients_wait_for_an_upstream_that_comes_back_within_the_hold) {
    const auto port = free_port().value();
    proxy_.point_to(tls_target(port, ca_, login_));
    auto client = proxy_.connect();
    auto reply = std::async(std::launch::async, [&] { return ask(client, {"PING"}); });
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.dials_failed >= 3; }));
    start_valkey(port);
    EXPECT_EQ(reply.get(), "+PONG");
}

TEST_F(FaultsTest, clients_are_answered_after_the_hold_then_at_once_until_the_upstream_is_back) {
    const auto port = free_port().value();
    proxy_.point_to(tls_target(port, ca_, login_));
    auto first = proxy_.connect();
    std::string reply;
    const auto held = took([&] { reply = ask(first, {"PING"}); });
    EXPECT_EQ(reply.substr(0, kDown.size()), kDown) << reply;
    EXPECT_GE(held, 1400ms);
    EXPECT_LE(held, 2000ms) << "jedis gives up after 2 s";
    EXPECT_EQ(first.read_to_end().value_or("?"), "");
    EXPECT_TRUE(proxy_.upstream().cooling_down);

    auto second = proxy_.connect();
    EXPECT_LE(took([&] { reply = ask(second, {"PING"}); }), 500ms);
    EXPECT_EQ(reply.substr(0, kDown.size()), kDown) << reply;

    start_valkey(port);
    ASSERT_TRUE(proxy_.wait_for([this](const auto&) { return !proxy_.upstream().cooling_down; }, 5s));
    auto third = proxy_.connect();
    EXPECT_EQ(ask(third, {"PING"}), "+PONG");
}

TEST_F(FaultsTest, the_bytes_of_a_client_that_left_while_held_are_dropped) {
    const auto port = free_port().value();
    proxy_.point_to(tls_target(port, ca_, login_));
    {
        auto client = proxy_.connect();
        ASSERT_TRUE(client.send(encode_command({"SET", "ghost", "1"})));
        ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.dials_failed >= 2; }));
    }
    auto& valkey = start_valkey(port);
    ASSERT_TRUE(proxy_.wait_until_proven());
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"EXISTS", "ghost"}), "0");
    EXPECT_EQ(to_string(*valkey.admin({"EXISTS", "ghost"})), "0");
}

TEST_F(FaultsTest, a_client_that_half_closed_is_told_at_once_that_the_upstream_is_down) {
    proxy_.point_to(tls_target(free_port().value(), ca_, login_));
    auto client = proxy_.connect();
    ASSERT_TRUE(client.send(encode_command({"PING"})));
    client.stream().finish_writing();
    std::string all;
    EXPECT_LE(took([&] { all = client.read_to_end().value_or("?"); }), 700ms);
    EXPECT_TRUE(all.empty() || all.substr(0, kDown.size()) == kDown) << all;
}

TEST_F(FaultsTest, a_server_that_accepts_and_says_nothing_is_answered_for_when_the_hold_is_over) {
    auto& valkey = start_valkey();
    valkey.pause();
    proxy_.point_to(Destination{.to = tls_target(valkey.port(), ca_, login_), .connect_hold = 300ms});
    auto client = proxy_.connect();
    std::string reply;
    EXPECT_GE(took([&] { reply = ask(client, {"PING"}); }), 290ms);
    EXPECT_EQ(reply, std::string(kDown) + "no connection to the server was made in time");
    ASSERT_TRUE(valkey.resume());
    ASSERT_TRUE(proxy_.wait_until_proven(15s));
}

TEST_F(FaultsTest, a_token_that_ended_is_replaced_by_the_next_one) {
    auto& valkey = start_valkey();
    auto target = tls_target(valkey.port(), ca_, login_);
    target.spares = 0;  // one would serve the client with the login that it has
    proxy_.point_to(std::move(target));
    ASSERT_TRUE(proxy_.wait_until_proven());
    auto live = proxy_.connect();
    ASSERT_EQ(ask(live, {"PING"}), "+PONG");
    ASSERT_TRUE(valkey.refuse(kToken));

    auto client = proxy_.connect();
    auto reply = std::async(std::launch::async, [&] { return ask(client, {"PING"}); });
    ASSERT_TRUE(proxy_.wait_for([this](const auto&) { return login_->refusals() > 0; }));
    ASSERT_TRUE(valkey.allow(kNext));
    login_->set(kNext);
    EXPECT_EQ(reply.get(), "+PONG") << "within the hold";
    EXPECT_EQ(ask(live, {"PING"}), "+PONG");
    EXPECT_EQ(proxy_.stats().logins_refused, 1u) << "refused logins are paced";
}

TEST_F(FaultsTest, a_login_that_is_refused_is_paced_and_said_to_be_transient_at_first) {
    auto& valkey = start_valkey(0, {kNext});
    proxy_.point_to(Destination{.to = tls_target(valkey.port(), ca_, login_), .connect_hold = 300ms});
    for (int i = 0; i < 10; ++i) {
        auto client = proxy_.connect();
        const auto reply = ask(client, {"PING"});
        EXPECT_EQ(reply.substr(0, 53), "-LOADING cloud-valkey-proxy sessions: LoginRefused: t") << reply;
        EXPECT_EQ(reply.find(kToken.reveal()), std::string::npos);
    }
    EXPECT_LE(proxy_.stats().logins_refused, 2u);
}

TEST_F(FaultsTest, without_a_token_nothing_is_dialled_until_it_comes) {
    auto& valkey = start_valkey();
    login_->set(std::nullopt);
    proxy_.point_to(tls_target(valkey.port(), ca_, login_));
    auto client = proxy_.connect();
    auto reply = std::async(std::launch::async, [&] { return ask(client, {"PING"}); });
    ASSERT_TRUE(proxy_.wait_for([this](const auto&) {
        const auto state = proxy_.upstream();
        return state.last_error && state.last_error->cause == Cause::no_token;
    }));
    EXPECT_EQ(proxy_.stats().dials_total, 0u);
    login_->set(kToken);
    EXPECT_EQ(reply.get(), "+PONG");
}

TEST_F(FaultsTest, says_so_when_no_token_comes_within_the_hold) {
    login_->set(std::nullopt);
    proxy_.point_to(Destination{.to = tls_target(free_port().value(), ca_, login_), .connect_hold = 200ms});
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"PING"}), "-LOADING cloud-valkey-proxy sessions: NoToken: no token has come yet");
}

TEST_F(FaultsTest, a_throttled_login_is_said_to_be_one) {
    RecordingOptions options;
    options.certificate = ca_.server();
    options.answer = [](std::string_view) {
        return "-ERR (ERR_IAM_EXHAUSTED) Memorystore IAM authentication backend quota exceeded.\r\n";
    };
    auto server = RecordingServer::start(options);
    ASSERT_TRUE(server);
    proxy_.point_to(Destination{.to = tls_target((*server)->port(), ca_, login_), .connect_hold = 200ms});
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"PING"}),
              "-LOADING cloud-valkey-proxy sessions: LoginThrottled: the provider's login service is over its quota or "
              "failing");
    EXPECT_LE(proxy_.stats().logins_throttled, 2u) << "the proof's and the client's";
}

TEST_F(FaultsTest, more_clients_than_allowed_hear_the_servers_own_words) {
    auto& valkey = start_valkey();
    proxy_.point_to(Destination{.to = tls_target(valkey.port(), ca_, login_), .max_connections = 2});
    auto one = proxy_.connect(), two = proxy_.connect();
    EXPECT_EQ(ask(one, {"PING"}), "+PONG");
    EXPECT_EQ(ask(two, {"PING"}), "+PONG");
    auto three = proxy_.connect();
    EXPECT_EQ(three.read_to_end().value_or("?"), "-ERR max number of clients reached\r\n");
    EXPECT_EQ(proxy_.stats().clients_refused, 1u);
    EXPECT_EQ(ask(one, {"PING"}), "+PONG");
}

TEST_F(FaultsTest, a_client_that_half_closes_while_nothing_is_owed_is_closed_at_once) {
    auto& valkey = start_valkey();
    proxy_.point_to(tls_target(valkey.port(), ca_, login_));
    auto client = proxy_.connect();
    ASSERT_EQ(ask(client, {"PING"}), "+PONG");
    client.stream().finish_writing();
    EXPECT_LE(took([&] { EXPECT_EQ(client.read_to_end().value_or("?"), ""); }), 500ms);
}

TEST_F(FaultsTest, a_server_that_ignores_a_half_close_has_a_second) {
    auto& valkey = start_valkey();
    proxy_.point_to(tls_target(valkey.port(), ca_, login_));
    auto client = proxy_.connect();
    ASSERT_EQ(ask(client, {"PING"}), "+PONG");
    valkey.pause();
    ASSERT_TRUE(client.send(encode_command({"BLPOP", "jobs", "0"})));
    client.stream().finish_writing();
    const auto waited = took([&] { EXPECT_EQ(client.read_to_end().value_or("?"), ""); });
    EXPECT_GE(waited, 900ms);
    EXPECT_LE(waited, 3s);
    EXPECT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.clients_open == 0; }));
    ASSERT_TRUE(valkey.resume());
}

TEST_F(FaultsTest, draining_ends_quiet_sessions_at_once_and_waits_for_busy_ones) {
    auto& valkey = start_valkey();
    proxy_.point_to(tls_target(valkey.port(), ca_, login_));
    auto quiet = proxy_.connect(), silent = proxy_.connect(), busy = proxy_.connect();
    ASSERT_EQ(ask(quiet, {"PING"}), "+PONG");
    ASSERT_TRUE(busy.send(encode_command({"BLPOP", "jobs", "0"})));
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.upstream_open == 2; }));

    auto drained = proxy_.drain(8s);
    EXPECT_EQ(quiet.read_to_end().value_or("?"), "");
    EXPECT_EQ(silent.read_to_end().value_or("?"), "");
    EXPECT_THROW(proxy_.connect(), std::runtime_error);
    EXPECT_EQ(drained.wait_for(500ms), std::future_status::timeout);
    ASSERT_TRUE(valkey.admin({"RPUSH", "jobs", "one"}));
    EXPECT_EQ(to_string(*busy.read_reply()), "[\"jobs\", \"one\"]");
    EXPECT_EQ(drained.wait_for(3s), std::future_status::ready);
}

TEST_F(FaultsTest, draining_cuts_what_is_left_at_its_deadline) {
    auto& valkey = start_valkey();
    proxy_.point_to(tls_target(valkey.port(), ca_, login_));
    auto busy = proxy_.connect();
    ASSERT_TRUE(busy.send(encode_command({"BLPOP", "jobs", "0"})));
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.upstream_open == 1; }));
    auto drained = proxy_.drain(300ms);
    EXPECT_EQ(busy.read_to_end().value_or("reset"), "");
    EXPECT_EQ(drained.wait_for(3s), std::future_status::ready);
}

TEST_F(FaultsTest, a_server_without_tls_and_password_is_simply_relayed) {
    ValkeyOptions options;
    options.dir = dir_.path();
    options.require_password = false;
    auto plain = ValkeyServer::start(options);
    ASSERT_TRUE(plain) << to_string(plain.error());
    proxy_.point_to(plain_target(plain->port()));
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"PING"}), "+PONG");
    EXPECT_EQ(proxy_.upstream().tls_version, "");
}

}  // namespace
}  // namespace cvp::test
