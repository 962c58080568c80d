#include "common/providers/memorystore_valkey.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using namespace providers;
using namespace providers::memorystore;
using nlohmann::json;

const InstanceName kName{"my-project", "us-central1", "my-valkey"};
constexpr std::string_view kDefaultNetwork = "projects/my-project/global/networks/default";

std::string pem(std::string_view body) {
    return "-----BEGIN CERTIFICATE-----\n" + std::string(body) + "\n-----END CERTIFICATE-----\n";
}

json golden(const std::string& name) {
    return json::parse(read_source("tests/golden/memorystore/" + name + ".json"));
}

/// The recorded standalone instance, made to ask for TLS and IAM.
json iam_instance() {
    auto instance = golden("instance-standalone-open");
    instance["authorizationMode"] = "IAM_AUTH";
    instance["transitEncryptionMode"] = "SERVER_AUTHENTICATION";
    instance["serverCaMode"] = "GOOGLE_MANAGED_PER_INSTANCE_CA";
    return instance;
}

json connection(std::string type, std::string ip, std::string network, json more = json::object()) {
    more["ipAddress"] = ip;
    more["network"] = network;
    if (!type.empty()) more["connectionType"] = "CONNECTION_TYPE_" + type;
    return {{"pscAutoConnection", more}};
}

json with_connections(std::vector<json> connections) {
    auto instance = iam_instance();
    instance["endpoints"] = json::array();
    for (auto& one : connections)
        instance["endpoints"].push_back({{"connections", json::array({std::move(one)})}});
    return instance;
}

InstanceFacts facts_of(const json& instance) {
    const auto facts = interpret_instance({200, {}, instance.dump()}, kName);
    EXPECT_TRUE(facts) << facts.error().message;
    return facts.value_or(InstanceFacts{});
}

Wishes wishes() {
    Wishes wished;
    wished.connection_name = "sessions";
    wished.generation = 3;
    return wished;
}

Outcome map_instance(const json& instance, const Wishes& wished = wishes()) {
    return map(kName, facts_of(instance), pem("Y2E="), wished);
}

ResolvedConnection document_of(const json& instance, const Wishes& wished = wishes()) {
    const auto outcome = map_instance(instance, wished);
    EXPECT_FALSE(outcome.refusal) << outcome.refusal->message;
    return outcome.document.value_or(ResolvedConnection{});
}

/// The refusal of a map that gives no document.
Refusal refusal_of(const json& instance, const Wishes& wished = wishes()) {
    const auto outcome = map_instance(instance, wished);
    EXPECT_FALSE(outcome.document);
    return outcome.refusal.value_or(Refusal{Reason::resolved, "", {}});
}

std::vector<Endpoint> endpoints(std::string primary, std::string reader = "") {
    std::vector<Endpoint> all{{EndpointRole::primary, primary, 6379}};
    if (!reader.empty()) all.push_back({EndpointRole::reader, reader, 6379});
    return all;
}

TEST(MemorystoreValkey, the_recorded_open_instance_becomes_a_plain_document) {
    ResolvedConnection expected;
    expected.name = "sessions";
    expected.endpoints = endpoints("10.128.0.8", "10.128.0.13");
    expected.instance = {"memorystoreValkey", kName.full(), 3, ""};
    expected.tls.mode = TlsMode::disabled;
    EXPECT_EQ(document_of(golden("instance-standalone-open")), expected);
}

TEST(MemorystoreValkey, an_iam_instance_becomes_a_document_that_verifies_and_logs_in) {
    const auto document = document_of(iam_instance());
    EXPECT_EQ(document.topology, Topology::standalone);
    EXPECT_EQ(document.endpoints, endpoints("10.128.0.8", "10.128.0.13"));
    EXPECT_EQ(document.tls.mode, TlsMode::required);
    EXPECT_EQ(document.tls.verify, tls::Verify::full);
    EXPECT_EQ(document.tls.identities, (std::vector<std::string>{"ip:10.128.0.13", "ip:10.128.0.8"}));
    EXPECT_EQ(document.tls.ca, pem("Y2E="));
    EXPECT_EQ(document.auth.mode, AuthMode::google_iam);
    EXPECT_EQ(document.auth.username, "default");
    EXPECT_EQ(document.auth.scope, "https://www.googleapis.com/auth/cloud-platform");

    const auto parsed = parse_resolved_connection(write_resolved_connection(document));
    EXPECT_EQ(describe_faults("written", parsed.faults), "");
    EXPECT_EQ(parsed.connection, document);
}

TEST(MemorystoreValkey, the_recorded_cluster_becomes_a_document_and_a_refusal) {
    const auto outcome = map_instance(golden("instance-cluster-iam-tls"));
    ASSERT_TRUE(outcome.document);
    EXPECT_EQ(outcome.document->topology, Topology::cluster);
    EXPECT_EQ(outcome.document->endpoints, endpoints("10.128.0.3")) << "the discovery endpoint, not the data one";
    ASSERT_TRUE(outcome.refusal);
    EXPECT_EQ(outcome.refusal->reason, Reason::cluster_mode_not_supported);
    EXPECT_NE(outcome.refusal->message.find("cluster mode disabled"), std::string::npos);
    const auto parsed = parse_resolved_connection(write_resolved_connection(*outcome.document));
    EXPECT_EQ(describe_faults("written", parsed.faults), "") << "the proxy must be able to read it";
}

TEST(MemorystoreValkey, enums_as_numbers_mean_the_same) {
    EXPECT_EQ(facts_of(golden("instance-cluster-iam-tls.enum-int")), facts_of(golden("instance-cluster-iam-tls")));
    EXPECT_EQ(facts_of(golden("instance-cluster-iam-tls")).connections.size(), 2u);
    auto instance = iam_instance();
    instance["state"] = 1;
    instance["mode"] = 4;
    instance["authorizationMode"] = 3;
    instance["transitEncryptionMode"] = 1;
    instance["serverCaMode"] = 2;
    const auto facts = facts_of(instance);
    EXPECT_EQ(facts.state, State::creating);
    EXPECT_EQ(facts.mode, Mode::cluster_disabled);
    EXPECT_EQ(facts.authorization, Authorization::token);
    EXPECT_EQ(facts.encryption, Encryption::disabled);
    EXPECT_EQ(facts.ca_mode, CaMode::shared);
}

TEST(MemorystoreValkey, values_that_are_newer_than_this_code_are_tolerated) {
    auto instance = iam_instance();
    for (const auto* key : {"state", "serverCaMode", "nodeType", "engineVersion"})
        instance[key] = "FROM_THE_FUTURE";
    instance["newField"] = {{"nested", 1}};
    EXPECT_EQ(document_of(instance).endpoints, endpoints("10.128.0.8", "10.128.0.13"));
    instance["state"] = 99;
    EXPECT_EQ(facts_of(instance).state, State::unknown);
    EXPECT_EQ(document_of(instance).tls.mode, TlsMode::required);

    instance["transitEncryptionMode"] = "MUTUAL_AUTHENTICATION";
    EXPECT_EQ(document_of(instance).tls.mode, TlsMode::required) << "never less than TLS because a word is new";
    instance["authorizationMode"] = "FROM_THE_FUTURE";
    EXPECT_EQ(refusal_of(instance).reason, Reason::instance_not_ready);
    auto wished = wishes();
    wished.auth = AuthChoice::google_iam;
    EXPECT_EQ(document_of(instance, wished).auth.mode, AuthMode::google_iam);
}

TEST(MemorystoreValkey, zero_and_absent_enums_are_unspecified) {
    auto instance = iam_instance();
    for (const auto* key : {"state", "authorizationMode", "transitEncryptionMode", "serverCaMode"})
        instance.erase(key);
    const auto absent = facts_of(instance);
    EXPECT_EQ(absent.state, State::unspecified);
    EXPECT_EQ(absent.encryption, Encryption::unspecified);
    EXPECT_TRUE(absent.has_tls()) << "TLS unless the instance says that it is off";
    instance["state"] = "STATE_UNSPECIFIED";
    instance["serverCaMode"] = 0;
    EXPECT_EQ(facts_of(instance), absent);
}

TEST(MemorystoreValkey, every_state_that_serves_is_served) {
    auto instance = iam_instance();
    for (const auto* state : {"ACTIVE", "UPDATING", "MIGRATING"}) {
        instance["state"] = state;
        EXPECT_EQ(document_of(instance).endpoints.size(), 2u) << state;
    }
    for (const auto* state : {"CREATING", "DELETING"}) {
        instance["state"] = state;
        EXPECT_EQ(refusal_of(instance).reason, Reason::instance_not_ready) << state;
    }
    instance["state"] = "ACTIVE";
    instance.erase("endpoints");
    const auto refusal = refusal_of(instance);
    EXPECT_EQ(refusal.reason, Reason::instance_not_ready);
    EXPECT_NE(refusal.message.find("service connection policy"), std::string::npos);
}

TEST(MemorystoreValkey, user_created_connections_and_all_elements_are_searched) {
    auto instance = iam_instance();
    const auto n = std::string(kDefaultNetwork);
    instance["endpoints"] = json::array(
        {{{"connections", json::array()}},
         {{"connections", json::array({{{"pscConnection",
                                         {{"connectionType", "CONNECTION_TYPE_PRIMARY"},
                                          {"ipAddress", "10.9.0.1"},
                                          {"port", 7000},
                                          {"network", n},
                                          {"pscConnectionStatus", "ACTIVE"}}}},
                                       {{"pscConnection", {{"ipAddress", "10.9.0.2"}, {"network", n}}}}})}}});
    const auto document = document_of(instance);
    EXPECT_EQ(document.endpoints, (std::vector<Endpoint>{{EndpointRole::primary, "10.9.0.1", 7000}}));
    EXPECT_EQ(document.tls.identities, (std::vector<std::string>{"ip:10.9.0.1", "ip:10.9.0.2"}));
}

TEST(MemorystoreValkey, the_choice_does_not_depend_on_the_order_of_the_answer) {
    const auto n = std::string(kDefaultNetwork);
    auto user_created = json{{"pscConnection", connection("PRIMARY", "10.0.0.1", n)["pscAutoConnection"]}};
    std::vector<json> all{connection("PRIMARY", "10.0.0.7", n), connection("PRIMARY", "10.0.0.5", n),
                          connection("READER", "10.0.0.9", n),  connection("READER", "10.0.0.8", n),
                          connection("", "10.0.0.2", n),        user_created};
    std::sort(all.begin(), all.end());
    do {
        const auto document = document_of(with_connections(all));
        ASSERT_EQ(document.endpoints, endpoints("10.0.0.5", "10.0.0.8"));
        ASSERT_EQ(document.tls.identities.size(), 6u);
    } while (std::next_permutation(all.begin(), all.end()));
}

TEST(MemorystoreValkey, connections_whose_rule_is_gone_are_passed_over) {
    const auto n = std::string(kDefaultNetwork);
    const json gone{{"pscConnectionStatus", "NOT_FOUND"}};
    auto document =
        document_of(with_connections({connection("PRIMARY", "10.0.0.1", n, gone), connection("PRIMARY", "10.0.0.2", n),
                                      connection("PRIMARY", "10.1.0.1", "projects/p/global/networks/old", gone)}));
    EXPECT_EQ(document.endpoints, endpoints("10.0.0.2"));
    EXPECT_EQ(document.tls.identities, (std::vector<std::string>{"ip:10.0.0.2"}));
    document = document_of(with_connections({connection("PRIMARY", "10.0.0.1", n, gone)}));
    EXPECT_EQ(document.endpoints, endpoints("10.0.0.1")) << "better than nothing";
}

TEST(MemorystoreValkey, the_deprecated_endpoints_count_only_where_nothing_else_exists) {
    auto instance = iam_instance();
    const json deprecated = json::array({{{"address", "10.5.0.1"}, {"port", 6380}, {"network", kDefaultNetwork}}});
    instance["discoveryEndpoints"] = deprecated;
    EXPECT_EQ(document_of(instance).endpoints, endpoints("10.128.0.8", "10.128.0.13"));
    instance.erase("endpoints");
    const auto document = document_of(instance);
    EXPECT_EQ(document.endpoints, (std::vector<Endpoint>{{EndpointRole::primary, "10.5.0.1", 6380}}));
    EXPECT_EQ(document.tls.identities, (std::vector<std::string>{"ip:10.5.0.1"}));
}

TEST(MemorystoreValkey, a_cluster_is_recognised_even_where_the_mode_is_not_printed) {
    auto cluster = golden("instance-cluster-iam-tls");
    cluster.erase("mode");
    EXPECT_TRUE(facts_of(cluster).is_cluster());
    cluster["mode"] = "CLUSTER_SHARDED_ANEW";
    EXPECT_TRUE(facts_of(cluster).is_cluster());
    auto standalone = iam_instance();
    standalone.erase("mode");
    EXPECT_FALSE(facts_of(standalone).is_cluster()) << "it shows a primary";
    standalone["mode"] = "STANDALONE";
    EXPECT_FALSE(facts_of(standalone).is_cluster());
}

TEST(MemorystoreValkey, a_cluster_is_refused_as_one_whatever_else_is_wrong) {
    auto cluster = golden("instance-cluster-iam-tls");
    cluster["endpoints"][0]["connections"].push_back(
        connection("DISCOVERY", "10.200.0.1", "projects/p/global/networks/x"));
    cluster["authorizationMode"] = "FROM_THE_FUTURE";
    auto wished = wishes();
    wished.verify = tls::Verify::none;
    const auto outcome = map_instance(cluster, wished);
    ASSERT_TRUE(outcome.refusal);
    EXPECT_EQ(outcome.refusal->reason, Reason::cluster_mode_not_supported);
    ASSERT_TRUE(outcome.document);
    EXPECT_EQ(outcome.document->topology, Topology::cluster);
}

class Networks : public ::testing::Test {
protected:
    Outcome choose(std::string network) {
        auto wished = wishes();
        wished.network = std::move(network);
        return map_instance(two_, wished);
    }
    std::string primary_of(std::string network) {
        const auto outcome = choose(network);
        EXPECT_FALSE(outcome.refusal) << outcome.refusal->message;
        return outcome.document ? outcome.document->endpoints.at(0).host : "";
    }

    json two_ = with_connections(
        {connection("PRIMARY", "10.0.0.1", "projects/p/global/networks/a"),
         connection("READER", "10.0.0.2", "projects/p/global/networks/a"),
         connection("PRIMARY", "10.1.0.1", "https://www.googleapis.com/compute/v1/projects/p/global/networks/b"),
         connection("READER", "10.1.0.2", "projects/p/global/networks/b")});
};

TEST_F(Networks, one_that_is_named_is_taken_with_its_identities_only) {
    for (const auto* name :
         {"a", "projects/p/global/networks/a", "https://www.googleapis.com/compute/v1/projects/p/global/networks/a"}) {
        EXPECT_EQ(primary_of(name), "10.0.0.1") << name;
    }
    EXPECT_EQ(primary_of("b"), "10.1.0.1");
    EXPECT_EQ(choose("b").document->tls.identities, (std::vector<std::string>{"ip:10.1.0.1", "ip:10.1.0.2"}));
}

TEST_F(Networks, several_and_none_named_is_refused_with_the_list) {
    const auto outcome = choose("");
    EXPECT_FALSE(outcome.document);
    ASSERT_TRUE(outcome.refusal);
    EXPECT_EQ(outcome.refusal->reason, Reason::network_ambiguous);
    EXPECT_EQ(outcome.refusal->message,
              "the instance projects/my-project/locations/us-central1/instances/my-valkey has endpoints in several "
              "networks; set network to one of: projects/p/global/networks/a, projects/p/global/networks/b");
}

TEST_F(Networks, one_that_is_not_there_is_refused_with_the_list) {
    for (const auto* name : {"c", "projects/other/global/networks/a", "global/networks/a", "/a"}) {
        const auto outcome = choose(name);
        ASSERT_TRUE(outcome.refusal) << name;
        EXPECT_EQ(outcome.refusal->reason, Reason::network_ambiguous);
        EXPECT_NE(outcome.refusal->message.find("no endpoint in the network"), std::string::npos);
        EXPECT_NE(outcome.refusal->message.find("projects/p/global/networks/b"), std::string::npos);
    }
}

TEST_F(Networks, a_short_name_that_means_two_is_refused) {
    two_ = with_connections({connection("PRIMARY", "10.0.0.1", "projects/p/global/networks/a"),
                             connection("PRIMARY", "10.1.0.1", "projects/q/global/networks/a")});
    const auto outcome = choose("a");
    ASSERT_TRUE(outcome.refusal);
    EXPECT_EQ(outcome.refusal->reason, Reason::network_ambiguous);
    EXPECT_EQ(primary_of("projects/q/global/networks/a"), "10.1.0.1");
}

TEST(MemorystoreValkey, the_login_follows_the_instance_unless_the_spec_says_so) {
    auto instance = iam_instance();
    const auto mode_of = [&](AuthChoice choice) {
        auto wished = wishes();
        wished.auth = choice;
        return document_of(instance, wished).auth.mode;
    };
    EXPECT_EQ(mode_of(AuthChoice::automatic), AuthMode::google_iam);
    EXPECT_EQ(mode_of(AuthChoice::none), AuthMode::none);
    EXPECT_EQ(mode_of(AuthChoice::password), AuthMode::password);
    instance["authorizationMode"] = "AUTH_DISABLED";
    EXPECT_EQ(mode_of(AuthChoice::automatic), AuthMode::none);
    EXPECT_EQ(mode_of(AuthChoice::google_iam), AuthMode::google_iam);
    instance["authorizationMode"] = "TOKEN_AUTH";
    EXPECT_EQ(mode_of(AuthChoice::automatic), AuthMode::password);
    const auto password = document_of(instance).auth;
    EXPECT_EQ(password.password_file, "password");
    EXPECT_EQ(password.username_file, "username");
    EXPECT_EQ(password.scope, "");
    auto wished = wishes();
    wished.username = "app";
    EXPECT_EQ(document_of(iam_instance(), wished).auth.username, "app");
}

TEST(MemorystoreValkey, a_token_is_never_sent_unprotected_unless_allowed) {
    struct Case {
        const char* encryption;
        const char* ca_mode;
        tls::Verify verify;
        bool is_safe;
    };
    const std::vector<Case> cases{
        {"SERVER_AUTHENTICATION", "GOOGLE_MANAGED_PER_INSTANCE_CA", tls::Verify::full, true},
        {"SERVER_AUTHENTICATION", "GOOGLE_MANAGED_SHARED_CA", tls::Verify::full, true},
        {"SERVER_AUTHENTICATION", "CUSTOMER_MANAGED_CAS_CA", tls::Verify::full, true},
        {"SERVER_AUTHENTICATION", "GOOGLE_MANAGED_PER_INSTANCE_CA", tls::Verify::chain_only, true},
        {"SERVER_AUTHENTICATION", "SERVER_CA_MODE_GOOGLE_MANAGED_PER_INSTANCE_CA", tls::Verify::chain_only, true},
        {"SERVER_AUTHENTICATION", "GOOGLE_MANAGED_SHARED_CA", tls::Verify::chain_only, false},
        {"SERVER_AUTHENTICATION", "SERVER_CA_MODE_GOOGLE_MANAGED_SHARED_CA", tls::Verify::chain_only, false},
        {"SERVER_AUTHENTICATION", "CUSTOMER_MANAGED_CAS_CA", tls::Verify::chain_only, false},
        {"SERVER_AUTHENTICATION", "FROM_THE_FUTURE", tls::Verify::chain_only, false},
        {"SERVER_AUTHENTICATION", "GOOGLE_MANAGED_PER_INSTANCE_CA", tls::Verify::none, false},
        {"TRANSIT_ENCRYPTION_DISABLED", "SERVER_CA_MODE_UNSPECIFIED", tls::Verify::full, false},
    };
    for (const auto& one : cases) {
        auto instance = iam_instance();
        instance["transitEncryptionMode"] = one.encryption;
        instance["serverCaMode"] = one.ca_mode;
        auto wished = wishes();
        wished.verify = one.verify;
        const auto outcome = map_instance(instance, wished);
        EXPECT_EQ(outcome.document.has_value(), one.is_safe) << one.encryption << one.ca_mode;
        if (!one.is_safe) {
            ASSERT_TRUE(outcome.refusal);
            EXPECT_EQ(outcome.refusal->reason, Reason::token_unprotected);
        }
        wished.allow_unprotected_token = true;
        EXPECT_TRUE(map_instance(instance, wished).document) << "allowed in so many words";
        wished.allow_unprotected_token = false;
        wished.auth = AuthChoice::password;
        EXPECT_TRUE(map_instance(instance, wished).document) << "a password is no token";
    }
}

TEST(MemorystoreValkey, the_ca_is_asked_for_where_it_is) {
    EXPECT_EQ(instance_target(kName), "/v1/projects/my-project/locations/us-central1/instances/my-valkey");
    InstanceFacts facts;
    facts.encryption = Encryption::server_authentication;
    for (const auto mode : {CaMode::per_instance, CaMode::unspecified, CaMode::unknown}) {
        facts.ca_mode = mode;
        EXPECT_EQ(ca_target(kName, facts),
                  "/v1/projects/my-project/locations/us-central1/instances/my-valkey/certificateAuthority");
    }
    facts.ca_mode = CaMode::shared;
    EXPECT_EQ(ca_target(kName, facts),
              "/v1/projects/my-project/locations/us-central1/sharedRegionalCertificateAuthority");
    facts.ca_mode = CaMode::customer;
    EXPECT_EQ(ca_target(kName, facts), std::nullopt);
    for (const auto state : {State::creating, State::deleting}) {
        auto coming = InstanceFacts(facts);
        coming.ca_mode = CaMode::per_instance;
        coming.state = state;
        EXPECT_EQ(ca_target(kName, coming), std::nullopt) << "map() says that it is not ready";
    }
    facts.ca_mode = CaMode::per_instance;
    facts.encryption = Encryption::disabled;
    EXPECT_EQ(ca_target(kName, facts), std::nullopt);
}

TEST(MemorystoreValkey, a_customers_ca_comes_from_its_secret) {
    auto instance = iam_instance();
    instance["serverCaMode"] = "CUSTOMER_MANAGED_CAS_CA";
    const auto document = document_of(instance);
    EXPECT_EQ(document.tls.ca, "");
    EXPECT_EQ(document.tls.ca_file, "ca.crt");
}

http::Response ca_answer(json chains) {
    return {200, {}, json{{"name", "x"}, {"managedServerCa", {{"caCerts", std::move(chains)}}}}.dump()};
}

TEST(MemorystoreValkey, all_certificates_of_all_chains_are_trusted_once) {
    const auto ca = interpret_ca(ca_answer({{{"certificates", {pem("bGVhZg=="), pem("cm9vdA==")}}},
                                            {{"certificates", {pem("bmV4dA=="), pem("cm9vdA==")}}}}),
                                 kName);
    ASSERT_TRUE(ca) << ca.error().message;
    EXPECT_EQ(*ca, pem("bGVhZg==") + pem("bmV4dA==") + pem("cm9vdA=="));
    const auto reordered =
        interpret_ca(ca_answer({{{"certificates", {pem("cm9vdA=="), pem("bmV4dA==") + pem("bGVhZg==")}}}}), kName);
    EXPECT_EQ(ca, reordered) << "order and grouping of the answer do not matter";
}

TEST(MemorystoreValkey, line_ends_and_odd_elements_of_a_ca_do_no_harm) {
    auto crlf = std::string("text before\r\n-----BEGIN CERTIFICATE-----\r\nYQ==\r\n-----END CERTIFICATE-----");
    const auto ca = interpret_ca(
        ca_answer({{{"certificates", {crlf, 5, nullptr, "no pem"}}}, "odd", {{"certificates", 1}}}), kName);
    ASSERT_TRUE(ca) << ca.error().message;
    EXPECT_EQ(*ca, pem("YQ=="));
}

TEST(MemorystoreValkey, a_ca_without_certificates_is_refused) {
    for (const auto& answer :
         {ca_answer(json::array()), ca_answer({{{"certificates", {"-----BEGIN CERTIFICATE-----\ncut"}}}}),
          http::Response{200, {}, "{}"}, http::Response{200, {}, "<html>"}, http::Response{503, {}, ""}}) {
        const auto ca = interpret_ca(answer, kName);
        ASSERT_FALSE(ca);
        EXPECT_EQ(ca.error().reason, Reason::cloud_unavailable);
        EXPECT_NE(ca.error().message.find("certificate authority of the instance"), std::string::npos);
    }
    EXPECT_EQ(interpret_ca({403, {}, ""}, kName).error().reason, Reason::permission_denied);
}

TEST(MemorystoreValkey, an_answer_that_is_no_instance_is_refused) {
    for (const auto* body : {"", "<html>", "[]", "\"x\"", "{\"a\":"}) {
        const auto facts = interpret_instance({200, {}, body}, kName);
        ASSERT_FALSE(facts) << body;
        EXPECT_EQ(facts.error().reason, Reason::cloud_unavailable);
    }
    const auto missing = interpret_instance({404, {}, golden("error-404").dump()}, kName);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().reason, Reason::instance_not_found);
    EXPECT_NE(missing.error().message.find(kName.full()), std::string::npos);
}

TEST(MemorystoreValkey, fields_of_another_type_are_as_good_as_absent) {
    const auto facts = facts_of(json::parse(R"({"state":[],"mode":{},"authorizationMode":true,"endpoints":[
        5, null, {"connections":{}}, {"connections":[null, 7, {"other":{}}, {"pscAutoConnection":5},
        {"pscAutoConnection":{"ipAddress":7}}, {"pscAutoConnection":{"ipAddress":"not an address"}},
        {"pscAutoConnection":{"ipAddress":"10.0.0.1","port":"6380","network":5,"connectionType":2}},
        {"pscAutoConnection":{"ipAddress":"10.0.0.2","port":70000,"connectionType":2}}]}]})"));
    ASSERT_EQ(facts.connections.size(), 2u);
    EXPECT_EQ(facts.connections[0].port, 6379);
    EXPECT_EQ(facts.connections[1].port, 6379);
    EXPECT_EQ(facts.state, State::unknown);
}

}  // namespace
}  // namespace cvp::test
