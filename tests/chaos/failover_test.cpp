// Another server becomes the primary, behind the same address; and a server that is gone without a word.
#include <chrono>
#include <cstdlib>

#include "tests/chaos/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

class Failover : public ChaosTest {
protected:
    /// A replica of the server, in step with it.
    void start_replica() {
        ValkeyOptions options;
        options.dir = valkey().dir() / "replica";
        std::filesystem::create_directories(options.dir);
        options.tls = valkey().ca().valkey();
        options.passwords = {Secret(ProxiedValkey::kPassword)};
        options.admin_password = Secret(std::string(server().admin_password().reveal()));
        options.replica_of = {"127.0.0.1", server().port()};
        auto started = ValkeyServer::start(options);
        ASSERT_TRUE(started) << to_string(started.error());
        replica_.emplace(*std::move(started));
        ASSERT_TRUE(replica_is_in_step());
    }

    /// Waits until the replica has all that was written so far: WAIT knows only of writes of who asks.
    bool replica_is_in_step() {
        return admin({"SET", "step", "x"}) == "+OK" && eventually([&] { return admin({"WAIT", "1", "100"}) == "1"; });
    }

    /// The replica is the primary from now on, at the same address; the old primary follows it.
    void fail_over() {
        ASSERT_TRUE(replica_->admin_text({"REPLICAOF", "NO", "ONE"}));
        pipe().point_to(replica_->port());
        ASSERT_TRUE(server().admin_text({"CONFIG", "SET", "masteruser", "admin", "masterauth",
                                         std::string(server().admin_password().reveal()), "tls-replication", "yes"}));
        ASSERT_TRUE(server().admin_text({"REPLICAOF", "127.0.0.1", std::to_string(replica_->port())}));
    }

    /// Whether a client that is connected can write again, on the same connection. `refusals`: READONLY that it saw.
    ::testing::AssertionResult writes_again(RespClient& client, int& refusals) {
        std::string last;
        const bool done = eventually(
            [&] {
                last = ask(client, {"INCR", "n"});
                if (last.starts_with("-READONLY")) ++refusals;
                return !last.starts_with("-READONLY");
            },
            5s);
        if (!done || last.find_first_not_of("0123456789") != std::string::npos)
            return ::testing::AssertionFailure() << "refused " << refusals << " times, at last " << last;
        return ::testing::AssertionSuccess();
    }

    std::optional<ValkeyServer> replica_;
};

TEST_F(Failover, moves_clients_to_the_new_primary_without_their_knowing_but_for_the_first_refusal) {
    start_piped();
    ASSERT_NO_FATAL_FAILURE(start_replica());
    auto first = connect();
    auto second = connect();
    for (auto* client : {&first, &second}) {
        ASSERT_EQ(ask(*client, {"SELECT", "0"}), "+OK");
        ASSERT_EQ(ask(*client, {"CLIENT", "SETNAME", "worker"}), "+OK");
        ask(*client, {"INCR", "n"});
    }
    ASSERT_TRUE(replica_is_in_step());
    fail_over();
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ask(first, {"INCR", "n"}).substr(0, 9), "-READONLY") << "the server's word passes";
    int refusals = 1;
    EXPECT_TRUE(writes_again(first, refusals));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s) << "after " << refusals << " refusals";
    refusals = 0;
    EXPECT_TRUE(writes_again(second, refusals)) << "it was connected to the old primary too";
    EXPECT_EQ(ask(first, {"CLIENT", "GETNAME"}), "\"worker\"");
    EXPECT_EQ(to_string(*replica_->admin({"GET", "n"})), "\"4\"") << "executed once each, on the new primary";
    EXPECT_EQ(ask(first, {"PING"}), "+PONG") << "the client's own connection lives on";
}

TEST_F(Failover, a_new_client_after_a_failover_is_led_to_the_new_primary) {
    start_piped();
    ASSERT_NO_FATAL_FAILURE(start_replica());
    auto old = connect();
    ASSERT_EQ(ask(old, {"INCR", "n"}), "1");
    ASSERT_TRUE(replica_is_in_step());
    fail_over();
    EXPECT_EQ(ask(old, {"INCR", "n"}).substr(0, 9), "-READONLY");
    // Also the warm spare leads to the old one until then.
    EXPECT_TRUE(eventually([&] { return proxy().ask({"INCR", "m"}) == "1"; }, 5s));
}

TEST_F(Failover, a_client_that_waits_for_replicas_waits_for_what_it_wrote_before_its_connection_was_replaced) {
    start_piped();
    ASSERT_NO_FATAL_FAILURE(start_replica());
    auto client = connect();
    replica_->pause();
    ASSERT_EQ(ask(client, {"INCR", "n"}), "1");
    kill_upstreams();
    EXPECT_EQ(ask(client, {"WAIT", "1", "200"}), "0");
    ASSERT_TRUE(replica_->resume());
    EXPECT_EQ(ask(client, {"WAIT", "1", "10000"}), "1");
    EXPECT_EQ(to_string(*replica_->admin({"GET", "n"})), "\"1\"");
}

TEST_F(Failover, ends_a_client_that_counts_on_its_scripts) {
    start_piped();
    ASSERT_NO_FATAL_FAILURE(start_replica());
    auto client = connect();
    ASSERT_EQ(ask(client, {"EVAL", "return 1", "0"}), "1");
    ASSERT_TRUE(replica_is_in_step());
    fail_over();
    ASSERT_TRUE(client.send(encode_command({"INCR", "n"})));
    const auto ending = read_ending(client);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_EQ(ending.bytes.substr(0, 9), "-READONLY") << "and nothing after it";
    auto again = connect();
    EXPECT_EQ(ask(again, {"EVAL", "return redis.call('INCR', 'n')", "0"}), "1");
}

TEST_F(Failover, writes_go_on_after_it) {
    start_piped();
    ASSERT_NO_FATAL_FAILURE(start_replica());
    start_journals();
    for (const auto& journal : journals_)
        journal->stop();
    // Numbers in flight at a failover may be lost by the servers themselves, so the journals begin anew after it.
    journals_.clear();
    admin({"FLUSHALL"});
    ASSERT_TRUE(replica_is_in_step());
    fail_over();
    start_journals();
    for (const auto& journal : journals_) {
        journal->stop();
        const auto list = replica_->admin({"LRANGE", journal->key(), "0", "-1"});
        ASSERT_TRUE(list) << to_string(list.error());
        std::vector<std::string> numbers;
        for (const auto& element : list->elements)
            numbers.push_back(element.text);
        EXPECT_EQ(find_fault(journal->account(), numbers), "");
        EXPECT_EQ(journal->lost_connections(), 0u);
    }
}

TEST_F(Failover, a_server_that_is_gone_without_a_word_is_given_up_after_15_s) {
    start_server({.proxy = {.connect_hold = 300ms, .warm_spares = 0}});
    valkey().start_proxy(valkey().document(server().port(), "127.0.0.2"));
    auto client = connect();
    ASSERT_EQ(ask(client, {"SET", "k", "v"}), "+OK");
    // From now on no packet reaches the server, and none of its own comes back.
    ASSERT_EQ(std::system("ip route add table local blackhole 127.0.0.2/32"), 0);
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(client.send(encode_command({"INCR", "n"})));
    EXPECT_TRUE(is_local_error(proxy().ping_bytes(), "LOADING", "UpstreamUnreachable"));
    const auto ending = read_ending(client, 40s);
    const auto took = std::chrono::steady_clock::now() - begin;
    ASSERT_EQ(std::system("ip route del table local blackhole 127.0.0.2/32"), 0);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_EQ(ending.bytes, "");
    EXPECT_GE(took, 10s);
    EXPECT_LT(took, 25s);
    EXPECT_TRUE(eventually([&] { return proxy().ask({"PING"}) == "+PONG"; }));
    EXPECT_EQ(admin({"GET", "n"}), "(null)") << "it was never executed, and never sent again";
}

}  // namespace
}  // namespace cvp::test
