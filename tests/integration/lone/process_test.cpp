#include <csignal>

#include <gmock/gmock.h>

#include "tests/integration/lone/fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/resp_client.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(LoneProxy, exits_64_with_every_fault_of_its_flags) {
    const auto result = run_proxy({"--instance=Nope!", "--port=0", "--listen=0.0.0.0"}, {"CVP_LOG_LEVEL=loud"});
    EXPECT_EQ(result.status, 64);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, AllOf(HasSubstr("--instance: "), HasSubstr("--port: "), HasSubstr("--allow-open-listen"),
                                  HasSubstr("CVP_LOG_LEVEL: ")));
}

TEST_F(LoneProxy, opens_itself_beyond_loopback_to_those_that_log_in) {
    const TempDir dir;
    const auto file = dir.write("password", "canary-lone\n");
    start_cloud(":valkey");
    start_proxy({"--instance=my-valkey", "--listen=0.0.0.0", "--client-auth=require",
                 "--client-password-file=" + file.string()});
    EXPECT_EQ(ask(kPort, {"PING"}), "-NOAUTH Authentication required.");
    const auto log_in = [&] {
        auto client = RespClient::connect("127.0.0.1", kPort).value();
        const auto verdict = client.command({"AUTH", "canary-lone"});
        const auto reply = client.command({"PING"});
        return (verdict ? to_string(*verdict) : "") + " " + (reply ? to_string(*reply) : to_string(reply.error()));
    };
    std::string last;
    EXPECT_TRUE(eventually([&] { return (last = log_in()) == "+OK +PONG"; }, 20s)) << last;
    EXPECT_THAT(log(), AllOf(HasSubstr("travels in clear text"), ::testing::Not(HasSubstr("canary-lone"))));
}

TEST_F(LoneProxy, exits_64_with_the_faults_of_all_documents) {
    const auto result = run_proxy({"--connection=ghost:7000", "--connection=spirit:7001"});
    EXPECT_EQ(result.status, 64);
    EXPECT_THAT(
        result.err,
        AllOf(HasSubstr("cloud-valkey-proxy: /etc/cloudvalkey/ghost/connection.yaml: No such file or directory\n"),
              HasSubstr("cloud-valkey-proxy: /etc/cloudvalkey/spirit/connection.yaml: No such file")));
}

TEST_F(LoneProxy, exits_69_when_a_port_is_taken) {
    start_cloud("");
    start_proxy({"--instance=my-valkey"});
    const auto client_port = run_proxy({"--instance=my-valkey", "--admin-listen=off"});
    EXPECT_EQ(client_port.status, 69);
    EXPECT_THAT(client_port.err, AllOf(HasSubstr("127.0.0.1:6379"), HasSubstr("in use")));
    const auto admin_port = run_proxy({"--instance=my-valkey", "--port=7000"});
    EXPECT_EQ(admin_port.status, 69);
    EXPECT_THAT(admin_port.err, AllOf(HasSubstr("127.0.0.1:9379"), HasSubstr("in use")));
}

TEST_F(LoneProxy, is_asked_by_its_own_probe) {
    const auto before = run_proxy({"probe"});
    EXPECT_EQ(before.status, 1);
    EXPECT_THAT(before.err, HasSubstr("refused"));
    start_cloud(":valkey");
    start_proxy({"--instance=my-valkey", "--admin-listen=:9379"});
    EXPECT_TRUE(eventually([&] { return run_proxy({"probe"}, {"CVP_ADMIN_LISTEN=:9379"}).status == 0; }));
    EXPECT_EQ(run_proxy({"probe", "--ready"}).status, 0);
    EXPECT_EQ(run_proxy({"probe", "--admin-listen=off"}).status, 64);
}

TEST_F(LoneProxy, waits_for_its_clients_when_told_to_end_and_ends_at_once_when_told_twice) {
    start_cloud(":valkey");
    start_proxy({"--instance=my-valkey", "--max-drain=60s"});
    expect_answer(kPort, {"PING"}, "+PONG");
    auto client = RespClient::connect("127.0.0.1", kPort);
    ASSERT_TRUE(client);
    ASSERT_TRUE(client->send(encode_command({"BLPOP", "queue", "0"})));
    const std::string one_client = "clients_open{connection=\"my-valkey\",role=\"primary\"} 1\n";
    ASSERT_TRUE(eventually([&] { return page("/metrics").find(one_client) != std::string::npos; }));
    proxy().signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return !is_open(kPort); })) << "it still accepts";
    EXPECT_FALSE(proxy().wait(1s)) << "it left its client alone";
    proxy().signal(SIGINT);
    EXPECT_EQ(proxy().wait(5s), 0);
}

TEST_F(LoneProxy, goes_on_accepting_for_min_drain) {
    start_cloud(":valkey");
    start_proxy({"--instance=my-valkey", "--min-drain=2s"});
    expect_answer(kPort, {"PING"}, "+PONG");
    proxy().signal(SIGTERM);
    ASSERT_TRUE(eventually([&] { return page("/readyz") == "draining\n"; }));
    EXPECT_EQ(ask(kPort, {"PING"}), "+PONG");
    EXPECT_EQ(proxy().wait(20s), 0);
}

}  // namespace
}  // namespace cvp::test
