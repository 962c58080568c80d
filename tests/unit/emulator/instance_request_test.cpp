#include "tests/emulator/instance_request.hpp"

#include <gtest/gtest.h>

#include "tests/emulator/options.hpp"

namespace cvp::emulator {
namespace {

constexpr auto kName = "projects/p/locations/l/instances/my-valkey";

TEST(InstanceRequest, a_name_alone_is_a_record) {
    const auto request = parse_instance_request(kName).value();
    EXPECT_EQ(request.name.full(), kName);
    EXPECT_FALSE(request.has_valkey);
    EXPECT_TRUE(request.has_tls);
    EXPECT_TRUE(request.has_auth);
}

TEST(InstanceRequest, options_follow_a_colon) {
    const auto request =
        parse_instance_request(std::string(kName) +
                               ":valkey,replica,port=16380,tls=off,auth=off,mode=cluster,ca=shared,leaf=expired,"
                               "network=other,state=CREATING")
            .value();
    EXPECT_TRUE(request.has_valkey);
    EXPECT_EQ(request.reader, ReaderKind::replica);
    EXPECT_EQ(request.port, 16380);
    EXPECT_EQ(request.leaf, test::Leaf::expired);
    const auto shape = shape_of(request);
    EXPECT_EQ(shape.mode, "CLUSTER");
    EXPECT_EQ(shape.authorization_mode, "AUTH_DISABLED");
    EXPECT_EQ(shape.transit_encryption_mode, "TRANSIT_ENCRYPTION_DISABLED");
    EXPECT_EQ(shape.server_ca_mode, "GOOGLE_MANAGED_SHARED_CA");
    EXPECT_EQ(shape.network, "other");
    EXPECT_EQ(shape.state, "CREATING");
    EXPECT_EQ(shape.replica_count, 1);
}

TEST(InstanceRequest, its_servers_listen_on_loopback_unless_it_names_an_address) {
    const auto local = parse_instance_request(std::string(kName) + ":valkey").value();
    EXPECT_EQ(local.primary_ip, "127.0.0.1");
    EXPECT_EQ(local.reader_ip, "127.0.0.2");
    const auto reachable = parse_instance_request(std::string(kName) + ":valkey,address=10.0.0.7").value();
    EXPECT_EQ(reachable.primary_ip, "10.0.0.7");
    EXPECT_EQ(reachable.reader_ip, "10.0.0.7");
}

TEST(InstanceRequest, names_what_it_does_not_understand) {
    for (const auto& [options, named] :
         {std::pair{":valkey,replicas", "'replicas'"}, std::pair{":valkey,port=0", "port=0"},
          std::pair{":valkey,port=70000", "port=70000"}, std::pair{":leaf=rotten", "rotten"},
          std::pair{":port=6379", "need the option valkey"}, std::pair{":front", "need the option valkey"},
          std::pair{":network=", "'network='"}, std::pair{":valkey,address=", "'address='"}}) {
        const auto request = parse_instance_request(std::string(kName) + options);
        ASSERT_FALSE(request) << options;
        EXPECT_NE(request.error().context.find(named), std::string::npos) << request.error().context;
    }
    EXPECT_FALSE(parse_instance_request("my-valkey:valkey"));
}

TEST(InstanceRequest, asks_for_a_front_only_by_name) {
    EXPECT_FALSE(parse_instance_request(std::string(kName) + ":valkey")->has_front);
    EXPECT_TRUE(parse_instance_request(std::string(kName) + ":valkey,front")->has_front);
}

TEST(FrontRequest, is_an_address_with_options) {
    const auto bare = parse_front_request("127.0.0.1:6379").value();
    EXPECT_EQ(bare.server.ip, "127.0.0.1");
    EXPECT_EQ(bare.server.port, 6379);
    EXPECT_FALSE(bare.server_has_tls);
    EXPECT_TRUE(bare.clients_use_tls);
    EXPECT_EQ(bare.port, 0);
    const auto full = parse_front_request("10.0.0.3:6380,tls,plain,listen=16379").value();
    EXPECT_TRUE(full.server_has_tls);
    EXPECT_FALSE(full.clients_use_tls);
    EXPECT_EQ(full.port, 16379);
    for (const auto* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "h:1,listen=x", "h:1,odd"})
        EXPECT_FALSE(parse_front_request(bad)) << bad;
}

TEST(EmulatorOptions, read_the_command_line) {
    const char* argv[] = {"cloud-valkey-emulator",
                          "--dir",
                          "/tmp/x",
                          "--instance",
                          "projects/p/locations/l/instances/a:valkey",
                          "--instance",
                          "projects/p/locations/l/instances/b",
                          "--token-lifetime",
                          "5",
                          "--vm"};
    const auto options = std::get<EmulatorOptions>(parse_options(10, argv));
    EXPECT_EQ(options.instances.size(), 2U);
    EXPECT_EQ(options.token_lifetime, std::chrono::seconds(5));
    EXPECT_FALSE(options.metadata.is_gke);
    EXPECT_EQ(options.listen, "127.0.0.1:0");
}

TEST(EmulatorOptions, bad_ones_end_with_64_and_a_message) {
    const char* missing[] = {"cloud-valkey-emulator"};
    EXPECT_EQ(std::get<Exit>(parse_options(1, missing)).code, 64);
    const char* odd[] = {"cloud-valkey-emulator", "--dir", "/tmp/x", "--instance", "short"};
    const auto exit = std::get<Exit>(parse_options(5, odd));
    EXPECT_EQ(exit.code, 64);
    EXPECT_NE(exit.text.find("projects/P/locations/L/instances/I"), std::string::npos);
    const char* help[] = {"cloud-valkey-emulator", "--help"};
    EXPECT_EQ(std::get<Exit>(parse_options(2, help)).code, 0);
}

}  // namespace
}  // namespace cvp::emulator
