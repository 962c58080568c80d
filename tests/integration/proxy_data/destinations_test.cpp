// Where clients go when they are to go elsewhere.
#include <future>
#include <list>

#include "tests/integration/proxy_data/faults_fixture.hpp"

namespace cvp::test {
namespace {

using proxy::Destination;

class Destinations : public FaultsTest {
protected:
    /// One more server, with data of its own.
    ValkeyServer& start_another() {
        return others_.emplace_back(start("other-" + std::to_string(others_.size()), 0, {kToken}));
    }

private:
    std::list<ValkeyServer> others_;
};

TEST_F(Destinations, clients_follow_a_new_destination_and_running_sessions_move_there_unnoticed) {
    auto& first = start_valkey();
    auto& second = start_another();
    ASSERT_TRUE(first.admin({"SET", "where", "first"}));
    ASSERT_TRUE(second.admin({"SET", "where", "second"}));

    proxy_.point_to(tls_target(first.port(), ca_, login_));
    auto old = proxy_.connect();
    EXPECT_EQ(ask(old, {"GET", "where"}), "\"first\"");
    auto busy = proxy_.connect();
    EXPECT_EQ(ask(busy, {"WATCH", "where"}), "+OK");
    proxy_.point_to(tls_target(second.port(), ca_, login_));
    auto fresh = proxy_.connect();
    EXPECT_EQ(ask(fresh, {"GET", "where"}), "\"second\"");
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.moves_ok == 1; }));
    EXPECT_EQ(ask(old, {"GET", "where"}), "\"second\"");
    EXPECT_EQ(ask(busy, {"GET", "where"}), "\"first\"") << "its WATCH stands there";
    EXPECT_EQ(ask(busy, {"UNWATCH"}), "+OK");
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.moves_ok == 2; }));
    EXPECT_EQ(ask(busy, {"GET", "where"}), "\"second\"");
}

TEST_F(Destinations, a_client_that_counts_on_its_scripts_is_ended_where_others_are_moved) {
    auto& first = start_valkey();
    auto& second = start_another();
    proxy_.point_to(tls_target(first.port(), ca_, login_));
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"EVAL", "return 1", "0"}), "1");
    auto blocked = proxy_.connect();
    EXPECT_EQ(ask(blocked, {"EVAL", "return 1", "0"}), "1");
    EXPECT_EQ(ask(blocked, {"WATCH", "k"}), "+OK");
    auto knowing = proxy_.connect();
    EXPECT_EQ(ask(knowing, {"EVAL", "return 2", "0"}), "2");
    ASSERT_TRUE(second.admin({"SCRIPT", "LOAD", "return 2"}));
    proxy_.point_to(tls_target(second.port(), ca_, login_));
    EXPECT_EQ(client.read_to_end().value(), "");
    EXPECT_EQ(ask(blocked, {"UNWATCH"}), "+OK") << "it ends at a clean point";
    EXPECT_EQ(blocked.read_to_end().value(), "");
    EXPECT_EQ(proxy_.stats().clients_cut.at("scripts"), 2u);
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.moves_ok == 1; }));
    EXPECT_EQ(ask(knowing, {"EVALSHA", "7f923f79fe76194c868d7e1d0820de36700eb649", "0"}), "2");
}

TEST_F(Destinations, a_move_that_was_overtaken_by_another_destination_goes_on_to_it) {
    auto& first = start_valkey();
    auto& second = start_another();
    auto& third = start_another();
    ASSERT_TRUE(third.admin({"SET", "where", "third"}));
    proxy_.point_to(tls_target(first.port(), ca_, login_));
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"GET", "where"}), "(null)");
    second.pause();
    proxy_.point_to(tls_target(second.port(), ca_, login_));
    proxy_.point_to(tls_target(third.port(), ca_, login_));
    EXPECT_EQ(ask(client, {"GET", "where"}), "(null)") << "served where it is";
    ASSERT_TRUE(second.resume());
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.moves_ok == 2; }));
    EXPECT_EQ(ask(client, {"GET", "where"}), "\"third\"");
}

TEST_F(Destinations, a_client_that_waits_for_a_server_that_hangs_is_led_to_a_new_destination_at_once) {
    auto& first = start_valkey();
    auto& second = start_another();
    first.pause();
    proxy_.point_to(tls_target(first.port(), ca_, login_));
    auto client = proxy_.connect();
    auto reply = std::async(std::launch::async, [&] { return ask(client, {"SET", "a", "1"}); });
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.bytes_from_clients > 0; }));
    proxy_.point_to(tls_target(second.port(), ca_, login_));
    EXPECT_EQ(reply.get(), "+OK");
    EXPECT_EQ(to_string(*second.admin({"GET", "a"})), "\"1\"");
}

TEST_F(Destinations, a_destination_that_is_the_same_server_moves_nobody) {
    auto& valkey = start_valkey();
    proxy_.point_to(tls_target(valkey.port(), ca_, login_));
    auto client = proxy_.connect();
    const auto id = ask(client, {"CLIENT", "INFO"}).substr(0, 8);
    proxy_.point_to(Destination{.to = tls_target(valkey.port(), ca_, login_), .max_connections = 7});
    ASSERT_TRUE(proxy_.wait_until_proven());
    EXPECT_EQ(ask(client, {"CLIENT", "INFO"}).substr(0, 8), id);
    EXPECT_EQ(proxy_.stats().moves_ok, 0u);
}

TEST_F(Destinations, a_held_client_follows_a_new_destination) {
    auto& valkey = start_valkey();
    proxy_.point_to(tls_target(free_port().value(), ca_, login_));
    auto client = proxy_.connect();
    auto reply = std::async(std::launch::async, [&] { return ask(client, {"PING"}); });
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.dials_failed >= 2; }));
    proxy_.point_to(tls_target(valkey.port(), ca_, login_));
    EXPECT_EQ(reply.get(), "+PONG");
}

TEST_F(Destinations, a_destination_whose_ca_cannot_be_read_leaves_the_old_one_in_place) {
    auto& valkey = start_valkey();
    proxy_.point_to(tls_target(valkey.port(), ca_, login_));
    auto bad = tls_target(valkey.port(), ca_, login_);
    bad.tls->ca_pem = "no certificate";
    EXPECT_THROW(proxy_.point_to(std::move(bad)), std::runtime_error);
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"PING"}), "+PONG");
}

}  // namespace
}  // namespace cvp::test
