// Every way in which a client can tell the proxy from the server: docs/differences.md names these tests.
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/integration/proxy_data/running_proxy.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using proxy::Destination;

const Secret kToken("ya29.Zmlyc3Q");

class Differences : public ::testing::Test {
protected:
    Differences() {
        ValkeyOptions options;
        options.dir = dir_.path();
        options.tls = ca_.valkey();
        options.passwords = {kToken};
        auto started = ValkeyServer::start(options);
        if (!started) throw std::runtime_error(to_string(started.error()));
        valkey_.emplace(*std::move(started));
        go({});
    }

    /// Points the proxy to the server, with logins that age so.
    /// @param name another one of the same machine is another server to the proxy
    void go(std::optional<proxy::AgeLimits> age, const std::string& name = "127.0.0.1") {
        auto target = tls_target(valkey_->port(), ca_, login_, name);
        target.age = age;
        proxy_.point_to(std::move(target));
        if (!proxy_.wait_until_proven()) throw std::runtime_error("the server is not reached");
    }

    /// A client that is connected to the server itself and logged in.
    RespClient direct() {
        TlsClientSettings tls;
        tls.ca_pem = ca_.pem();
        auto client = RespClient::connect_tls("127.0.0.1", valkey_->port(), tls).value();
        EXPECT_EQ(ask(client, {"AUTH", std::string(kToken.reveal())}), "+OK");
        return client;
    }

    std::string admin(const std::vector<std::string>& words) { return to_string(valkey_->admin(words).value()); }
    std::size_t count(const std::string& text, const std::string& part) {
        std::size_t found = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
            ++found;
        return found;
    }

    TempDir dir_;
    TestCa ca_;
    std::optional<ValkeyServer> valkey_;
    std::shared_ptr<TestLogin> login_ = std::make_shared<TestLogin>(kToken);
    RunningProxy proxy_;
};

TEST_F(Differences, any_login_is_accepted_and_goes_no_further) {
    auto there = direct(), here = proxy_.connect();
    EXPECT_EQ(ask(there, {"AUTH", "nonsense"}).substr(0, 10), "-WRONGPASS");
    EXPECT_EQ(ask(here, {"AUTH", "nonsense"}), "+OK");
    EXPECT_EQ(ask(here, {"AUTH", "joe", "nonsense"}), "+OK");
    EXPECT_EQ(ask(here, {"AUTH"}), ask(there, {"AUTH"}));
    EXPECT_EQ(ask(here, {"AUTH", "a", "b", "c"}), ask(there, {"AUTH", "a", "b", "c"}));
    EXPECT_EQ(ask(here, {"ACL", "WHOAMI"}), "\"default\"");
    EXPECT_EQ(ask(here, {"MULTI"}), "+OK");
    EXPECT_EQ(ask(here, {"AUTH", "nonsense"}), "+OK");
    EXPECT_EQ(ask(here, {"EXEC"}), "[+PONG]");
    EXPECT_EQ(admin({"ACL", "LOG"}).find("joe"), std::string::npos) << "the server has not heard of it";
}

TEST_F(Differences, hello_is_the_servers_but_for_its_login) {
    auto there = direct(), here = proxy_.connect();
    const auto without_id = [](std::string text) {
        const auto id = text.find("\"id\", ");
        return text.erase(id, text.find(',', id + 6) - id);
    };
    const std::string password(kToken.reveal());
    EXPECT_EQ(without_id(ask(here, {"HELLO", "3", "AUTH", "joe", "nonsense", "SETNAME", "app"})),
              without_id(ask(there, {"HELLO", "3", "AUTH", "default", password, "SETNAME", "app"})));
    EXPECT_EQ(ask(here, {"CLIENT", "GETNAME"}), "\"app\"");
    for (const auto& odd : std::vector<std::vector<std::string>>{
             {"HELLO", "4"}, {"HELLO", "x"}, {"HELLO", "3", "AUTH", "a"}, {"HELLO", "3", "WHAT"}}) {
        EXPECT_EQ(ask(here, odd), ask(there, odd)) << odd[1];
    }
}

TEST_F(Differences, a_reset_leaves_the_client_logged_in) {
    auto there = direct(), here = proxy_.connect();
    for (auto* client : {&there, &here}) {
        EXPECT_EQ(ask(*client, {"SELECT", "3"}), "+OK");
        EXPECT_EQ(ask(*client, {"RESET"}), "+RESET");
    }
    EXPECT_EQ(ask(there, {"GET", "a"}), "-NOAUTH Authentication required.");
    EXPECT_EQ(ask(here, {"GET", "a"}), "(null)");
    EXPECT_NE(ask(here, {"CLIENT", "INFO"}).find(" db=0 "), std::string::npos);

    // Also where a command before it was too long to be understood.
    EXPECT_EQ(ask(here, {"CLIENT", "SETNAME", std::string(100'000, 'n')}), "+OK");
    EXPECT_EQ(ask(here, {"RESET"}), "+RESET");
    EXPECT_EQ(ask(here, {"GET", "a"}), "(null)");
}

TEST_F(Differences, credentials_of_more_than_64_KiB_end_the_connection) {
    auto there = direct(), here = proxy_.connect();
    const auto auth = encode_command({"AUTH", std::string(100'000, 'p')});
    ASSERT_TRUE(there.send(auth));
    EXPECT_TRUE(there.read_reply().has_value()) << "an error, but an answer";
    ASSERT_TRUE(here.send(auth));
    EXPECT_EQ(here.read_to_end(10s).value_or("reset"), "");
}

TEST_F(Differences, maintenance_notifications_are_unknown) {
    auto there = direct(), here = proxy_.connect();
    EXPECT_EQ(ask(here, {"CLIENT", "MAINT_NOTIFICATIONS", "ON"}), ask(there, {"CLIENT", "MAINT_NOTIFICATIONS", "ON"}))
        << "this server does not know them either";
    EXPECT_EQ(count(admin({"INFO", "errorstats"}), "errorstat_ERR:count=1"), 1u) << "only the direct one reached it";
}

TEST_F(Differences, the_capability_to_be_redirected_is_swallowed) {
    auto there = direct(), here = proxy_.connect();
    EXPECT_EQ(ask(there, {"CLIENT", "CAPA", "redirect"}), "+OK");
    EXPECT_EQ(ask(here, {"CLIENT", "CAPA", "redirect"}), "+OK");
    EXPECT_EQ(count(admin({"INFO", "commandstats"}), "client|capa:calls=1,"), 1u);
}

TEST_F(Differences, the_server_sees_the_proxys_address_and_user) {
    auto here = proxy_.connect();
    const auto info = ask(here, {"CLIENT", "INFO"});
    EXPECT_EQ(info.find(" addr=" + here.stream().local_address() + " "), std::string::npos) << info;
    EXPECT_NE(info.find(" user=default "), std::string::npos) << info;
}

TEST_F(Differences, a_spare_is_listed_and_a_silent_client_is_not) {
    ASSERT_TRUE(eventually([&] { return proxy_.upstream().spares == 1; }, 10s));
    const auto before = count(admin({"CLIENT", "LIST"}), " user=default ");
    EXPECT_EQ(before, 1u) << "the spare";
    auto silent = proxy_.connect();
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.clients_open == 1; }));
    EXPECT_EQ(count(admin({"CLIENT", "LIST"}), " user=default "), before);
}

TEST_F(Differences, our_login_is_counted_among_the_servers_commands) {
    go(proxy::AgeLimits{20ms, 20ms, 1h});
    auto here = proxy_.connect();
    EXPECT_EQ(ask(here, {"GET", "a"}), "(null)");
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.relogins_ok >= 5; }));
    const auto stats = admin({"INFO", "commandstats"});
    EXPECT_NE(stats.find("cmdstat_auth:calls="), std::string::npos);
    EXPECT_NE(stats.find("cmdstat_ping:calls="), std::string::npos) << "this client has sent none";
    EXPECT_EQ(ask(here, {"GET", "a"}), "(null)");
}

TEST_F(Differences, an_idle_client_survives_the_end_of_its_connection) {
    auto there = direct(), plain = proxy_.connect(), watching = proxy_.connect(), scripting = proxy_.connect();
    EXPECT_EQ(ask(plain, {"SELECT", "5"}), "+OK");
    EXPECT_EQ(ask(plain, {"CLIENT", "SETNAME", "app"}), "+OK");
    EXPECT_EQ(ask(watching, {"WATCH", "a"}), "+OK");
    EXPECT_EQ(ask(scripting, {"EVAL", "return 1", "0"}), "1");
    ASSERT_TRUE(valkey_->admin({"SCRIPT", "FLUSH"}));
    ASSERT_TRUE(valkey_->admin({"CLIENT", "KILL", "TYPE", "normal"}));
    EXPECT_EQ(there.read_to_end().value_or("reset"), "");
    EXPECT_EQ(watching.read_to_end().value_or("reset"), "") << "a WATCH cannot be repeated";
    EXPECT_EQ(scripting.read_to_end().value_or("reset"), "") << "it may count on its script";
    EXPECT_EQ(ask(plain, {"CLIENT", "GETNAME"}), "\"app\"");
    EXPECT_NE(ask(plain, {"CLIENT", "INFO"}).find(" db=5 "), std::string::npos);
    EXPECT_EQ(proxy_.stats().resumes, 1u);
}

TEST_F(Differences, a_client_that_asks_for_its_end_gets_it) {
    auto quitting = proxy_.connect(), killing = proxy_.connect();
    EXPECT_EQ(ask(quitting, {"QUIT"}), "+OK");
    EXPECT_EQ(quitting.read_to_end().value_or("reset"), "");
    EXPECT_NE(ask(killing, {"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"}), "0");
    EXPECT_EQ(killing.read_to_end().value_or("reset"), "");
}

TEST_F(Differences, a_client_that_asked_for_its_id_keeps_its_connection) {
    auto asked = proxy_.connect(), other = proxy_.connect();
    const auto id = ask(asked, {"CLIENT", "ID"});
    EXPECT_EQ(ask(other, {"PING"}), "+PONG");
    go({}, "localhost");  // everybody who can is moved
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.moves_ok == 1; }));
    EXPECT_EQ(ask(asked, {"CLIENT", "ID"}), id);
}

TEST_F(Differences, a_write_of_ours_precedes_the_first_wait_of_a_client_that_was_moved) {
    auto monitor = direct(), here = proxy_.connect();
    EXPECT_EQ(ask(here, {"SET", "a", "1"}), "+OK");
    go({}, "localhost");
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.moves_ok == 1; }));
    EXPECT_EQ(ask(monitor, {"MONITOR"}), "+OK");
    EXPECT_EQ(ask(here, {"WAIT", "0", "0"}), "0");
    EXPECT_EQ(ask(here, {"WAIT", "0", "0"}), "0");
    EXPECT_EQ(ask(here, {"ECHO", "end"}), "\"end\"");
    std::string seen;
    while (seen.find("end") == std::string::npos)
        seen += to_string(monitor.read_reply().value()) + "\n";
    EXPECT_THAT(seen, testing::ContainsRegex("SPUBLISH.*cvp:wait.*\n.*WAIT.*\n.*WAIT.*\n.*end"));
}

TEST_F(Differences, a_subscriber_is_moved_by_a_marker_of_our_own) {
    auto monitor = direct();
    EXPECT_EQ(ask(monitor, {"MONITOR"}), "+OK");
    auto here = proxy_.connect();
    EXPECT_EQ(ask(here, {"SUBSCRIBE", "news"}), "[\"subscribe\", \"news\", 1]");
    go({}, "localhost");
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.moves_ok == 1; }));
    std::string seen;
    while (seen.find("\"spublish\" \"cvp:") == std::string::npos &&
           seen.find("\"SPUBLISH\" \"cvp:") == std::string::npos)
        seen += to_string(monitor.read_reply().value());
    EXPECT_EQ(admin({"PUBLISH", "news", "hi"}), "1");
    EXPECT_EQ(to_string(here.read_reply().value()), "[\"message\", \"news\", \"hi\"]");
    EXPECT_EQ(admin({"PUBSUB", "SHARDCHANNELS"}), "[]");
}

TEST_F(Differences, a_client_in_the_midst_of_a_command_is_moved_after_it) {
    auto here = proxy_.connect();
    EXPECT_EQ(ask(here, {"SUBSCRIBE", "news"}), "[\"subscribe\", \"news\", 1]");
    const auto ping = encode_command({"PING", "hello"});
    ASSERT_TRUE(here.send(ping.substr(0, ping.size() - 4)));
    ASSERT_TRUE(eventually([&] { return count(admin({"CLIENT", "LIST"}), " cmd=subscribe ") == 1; }, 10s));
    go({}, "localhost");
    ASSERT_TRUE(eventually([&] { return count(admin({"CLIENT", "LIST"}), " cmd=ssubscribe ") == 1; }, 10s)) << "ready";
    ASSERT_TRUE(here.send(ping.substr(ping.size() - 4)));
    EXPECT_EQ(to_string(here.read_reply().value()), "[\"pong\", \"hello\"]");
    EXPECT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.moves_ok == 1; }));
    EXPECT_EQ(admin({"PUBLISH", "news", "hi"}), "1");
    EXPECT_EQ(to_string(here.read_reply().value()), "[\"message\", \"news\", \"hi\"]");
}

TEST_F(Differences, without_a_server_the_first_command_gets_an_error_of_ours) {
    proxy_.point_to(Destination{.to = tls_target(free_port().value(), ca_, login_), .connect_hold = 100ms});
    auto here = proxy_.connect();
    ASSERT_TRUE(here.send(encode_command({"GET", "a"}) + encode_command({"GET", "b"})));
    const auto all = here.read_to_end().value();
    EXPECT_TRUE(all.starts_with("-LOADING cloud-valkey-proxy sessions: UpstreamUnreachable: ")) << all;
    EXPECT_EQ(count(all, "\r\n"), 1u) << "one answer, whatever was asked";
}

TEST_F(Differences, replies_that_are_owed_reach_a_client_that_half_closed) {
    auto here = proxy_.connect();
    EXPECT_EQ(ask(here, {"SET", "big", std::string(3'000'000, 'x')}), "+OK");
    std::string pipeline;
    for (int i = 0; i < 5; ++i)
        pipeline += encode_command({"GET", "big"});
    ASSERT_TRUE(here.send(pipeline));
    here.stream().finish_writing();
    EXPECT_EQ(here.read_to_end().value().size(), 5 * (3'000'000 + 12u));

    auto blocked = proxy_.connect();
    EXPECT_EQ(ask(blocked, {"PING"}), "+PONG");
    ASSERT_TRUE(blocked.send(encode_command({"BLPOP", "jobs", "0"})));
    ASSERT_TRUE(eventually([&] { return count(admin({"INFO", "clients"}), "blocked_clients:1") == 1; }, 10s));
    blocked.stream().finish_writing();
    ASSERT_TRUE(eventually([&] { return count(admin({"INFO", "clients"}), "blocked_clients:0") == 1; }, 10s));
    EXPECT_EQ(admin({"RPUSH", "jobs", "one"}), "1");
    EXPECT_EQ(admin({"LLEN", "jobs"}), "1") << "nobody took the job";
}

TEST_F(Differences, a_slow_subscriber_is_still_cut_by_the_servers_limit) {
    ASSERT_TRUE(valkey_->admin({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 1mb 0"}));
    auto here = proxy_.connect();
    EXPECT_EQ(ask(here, {"SUBSCRIBE", "news"}), "[\"subscribe\", \"news\", 1]");
    const std::string message(100'000, 'x');
    std::size_t sent = 0;
    while (admin({"PUBLISH", "news", message}) == "1" && sent < 100'000'000)
        sent += message.size();
    EXPECT_LT(sent, 30'000'000u) << "it was never cut";
    EXPECT_TRUE(here.read_to_end(30s)) << "what was on its way, and then the end";
}

}  // namespace
}  // namespace cvp::test
