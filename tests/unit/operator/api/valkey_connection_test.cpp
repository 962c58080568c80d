#include "operator/api/valkey_connection.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cvp::op::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using providers::AuthChoice;

json object() {
    return json::parse(R"({
        "apiVersion": "cloudvalkey.dev/v1alpha1", "kind": "ValkeyConnection",
        "metadata": {"name": "sessions", "namespace": "shop", "uid": "u-1", "generation": 3,
                     "annotations": {"cloudvalkey.dev/refresh": "now"}},
        "spec": {"instance": {"memorystoreValkey": {"name": "my-valkey", "network": "projects/p/global/networks/n"}},
                 "auth": {"mode": "GoogleIAM"}, "tls": {"verify": "ChainOnly"}, "refreshInterval": "1h30m",
                 "proxy": {"clientAuth": "Require", "connectHold": "2s500ms", "maxConnections": 50}},
        "status": {"observedGeneration": 2, "configMap": "cloudvalkey-sessions"}})");
}

TEST(ValkeyConnection, an_object_of_the_api_server_is_read_whole) {
    const auto parsed = parse_valkey_connection(object());
    EXPECT_TRUE(parsed.faults.empty()) << describe_faults("object", parsed.faults);
    EXPECT_TRUE(parsed.warnings.empty());
    const auto& connection = parsed.connection;
    EXPECT_EQ(connection.namespace_name, "shop");
    EXPECT_EQ(connection.name, "sessions");
    EXPECT_EQ(connection.uid, "u-1");
    EXPECT_EQ(connection.generation, 3);
    EXPECT_FALSE(connection.is_being_deleted);
    EXPECT_EQ(connection.refresh, "now");
    EXPECT_EQ(connection.config_map_name(), "cloudvalkey-sessions");
    EXPECT_EQ(connection.status.observed_generation, 2);

    ValkeyConnectionSpec spec;
    spec.instance = MemorystoreValkeySpec{"my-valkey", "projects/p/global/networks/n"};
    spec.auth = AuthChoice::google_iam;
    spec.verify = tls::Verify::chain_only;
    spec.refresh_interval = 90min;
    spec.proxy = {ClientAuth::require, 2500ms, 1, 50};
    EXPECT_EQ(connection.spec, spec);

    const auto wishes = connection.wishes();
    EXPECT_EQ(wishes.connection_name, "sessions");
    EXPECT_EQ(wishes.generation, 3);
    EXPECT_EQ(wishes.network, "projects/p/global/networks/n");
    EXPECT_EQ(wishes.auth, AuthChoice::google_iam);
    EXPECT_EQ(wishes.verify, tls::Verify::chain_only);
    EXPECT_EQ(wishes.proxy, spec.proxy);
}

TEST(ValkeyConnection, defaults_are_those_of_the_schema) {
    auto bare = object();
    bare["spec"] = {{"instance", {{"memorystoreValkey", {{"name", "i"}}}}}};
    bare["metadata"].erase("annotations");
    bare["metadata"]["deletionTimestamp"] = "2026-11-20T12:00:00Z";
    const auto parsed = parse_valkey_connection(bare);
    EXPECT_TRUE(parsed.faults.empty());
    EXPECT_EQ(parsed.connection.spec.auth, AuthChoice::automatic);
    EXPECT_EQ(parsed.connection.spec.verify, tls::Verify::full);
    EXPECT_EQ(parsed.connection.spec.refresh_interval, 10min);
    EXPECT_EQ(parsed.connection.spec.proxy, ProxySettings()) << "those of a document";
    EXPECT_EQ(parsed.connection.refresh, "");
    EXPECT_TRUE(parsed.connection.is_being_deleted);
}

TEST(ValkeyConnection, an_object_of_another_schema_has_faults_and_does_no_harm) {
    auto odd = object();
    odd["spec"] = json::parse(R"({"instance": {"memorystoreRedis": {"name": "x"}}, "auth": 5, "tls": {"verify": "Some"},
                                  "refreshInterval": 10, "cache": {},
                                  "proxy": {"clientAuth": "Maybe", "connectHold": "61s", "maxConnections": 0}})");
    odd["metadata"]["generation"] = "three";
    const auto parsed = parse_valkey_connection(odd);
    EXPECT_EQ(describe_faults("spec", parsed.faults),
              "spec: spec.instance.memorystoreValkey: is missing; expected the instance, as memorystoreValkey: {name: "
              "my-valkey}\n"
              "spec: spec.auth: must be a map, not \"5\"\n"
              "spec: spec.tls.verify: must be one of Full, ChainOnly, None, not \"Some\"\n"
              "spec: spec.proxy.clientAuth: must be one of Accept, Require, Reject, not \"Maybe\"\n"
              "spec: spec.proxy.connectHold: must be a duration from 0s to 1m, not \"61s\"\n"
              "spec: spec.proxy.maxConnections: must be a number from 1 to 1000000, not \"0\"\n"
              "spec: spec.refreshInterval: must be a duration from 1m to 24h, not \"10\"\n");
    EXPECT_EQ(parsed.warnings.size(), 2u);
    for (const auto* text : {"null", "[]", "{}", R"({"metadata":5,"spec":[],"status":7})"}) {
        EXPECT_FALSE(parse_valkey_connection(json::parse(text)).faults.empty()) << text;
    }
}

constexpr std::string_view kManifest = R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ValkeyConnection
metadata: {name: sessions, namespace: shop, labels: {a: b}, annotations: {c: d}}
spec:
  instance:
    memorystoreValkey: {name: projects/p/locations/us-central1/instances/i}
  refreshInterval: 5m
)";

TEST(ValkeyConnection, a_manifest_is_read) {
    const auto parsed = parse_valkey_connection_manifest(kManifest);
    EXPECT_EQ(describe_faults("f", parsed.faults), "");
    EXPECT_EQ(describe_faults("f", parsed.warnings), "");
    EXPECT_EQ(parsed.connection.name, "sessions");
    EXPECT_EQ(parsed.connection.namespace_name, "shop");
    EXPECT_EQ(parsed.connection.memorystore()->name, "projects/p/locations/us-central1/instances/i");
    EXPECT_EQ(parsed.connection.spec.refresh_interval, 5min);
    const auto as_json = parse_valkey_connection_manifest(object().dump());
    EXPECT_EQ(as_json.connection.spec, parse_valkey_connection(object()).connection.spec);
}

TEST(ValkeyConnection, all_faults_of_a_manifest_come_at_once) {
    const auto parsed = parse_valkey_connection_manifest(R"(
apiVersion: v1
kind: ConfigMap
metadata: {name: Big.Name}
spec: {instance: {memorystoreValkey: {name: My/valkey}}, refreshInterval: 10s, auth: {mode: IAM}}
)");
    EXPECT_EQ(describe_faults("f", parsed.faults),
              "f: apiVersion: must be cloudvalkey.dev/v1alpha1, not \"v1\"\n"
              "f: kind: must be ValkeyConnection, not \"ConfigMap\"\n"
              "f: metadata.name: must be a DNS label of at most 40 characters, not \"Big.Name\"\n"
              "f: spec.instance.memorystoreValkey.name: \"My/valkey\" must be an instance's short name or "
              "projects/PROJECT/locations/LOCATION/instances/INSTANCE\n"
              "f: spec.auth.mode: must be one of Auto, GoogleIAM, Password, None, not \"IAM\"\n"
              "f: spec.refreshInterval: must be a duration from 1m to 24h, not \"10s\"\n");
    EXPECT_EQ(parse_valkey_connection_manifest("").faults.at(0).message, "the document is empty");
    EXPECT_TRUE(parse_valkey_connection_manifest("a: [").faults.at(0).message.starts_with("line "));
}

TEST(ValkeyConnection, a_self_hosted_server_is_read) {
    auto self_hosted = object();
    self_hosted["spec"] = json::parse(R"({
        "instance": {"endpoints": {"addresses": ["10.1.2.3:6379", "[2001:db8::1]:6380", "valkey.example.com:1"],
                                   "topology": "Standalone", "tls": "Disabled"}},
        "tls": {"serverName": "valkey.internal"}})");
    const auto parsed = parse_valkey_connection(self_hosted);
    EXPECT_EQ(describe_faults("object", parsed.faults) + describe_faults("object", parsed.warnings), "");
    EXPECT_EQ(parsed.connection.memorystore(), nullptr);
    const auto* instance = parsed.connection.self_hosted();
    ASSERT_NE(instance, nullptr);
    const std::vector<Endpoint> endpoints{{EndpointRole::primary, "10.1.2.3", 6379},
                                          {EndpointRole::reader, "2001:db8::1", 6380},
                                          {EndpointRole::reader, "valkey.example.com", 1}};
    EXPECT_EQ(instance->endpoints, endpoints);
    EXPECT_EQ(instance->tls, TlsMode::disabled);
    EXPECT_EQ(parsed.connection.wishes().server_name, "valkey.internal");
}

TEST(ValkeyConnection, faults_of_a_self_hosted_server_name_their_keys) {
    auto wrong = object();
    wrong["spec"] = json::parse(R"({
        "instance": {"endpoints": {"addresses": ["10.1.2.3"], "topology": "Cluster", "tls": "Off"},
                     "memorystoreValkey": {"name": "i"}},
        "auth": {"mode": "GoogleIAM"}, "tls": {"serverName": "a b"}})");
    const auto faults = describe_faults("f", parse_valkey_connection(wrong).faults);
    for (const auto* key : {"spec.instance: exactly one", "spec.instance.endpoints.addresses[0]: must be HOST:PORT",
                            "spec.instance.endpoints.topology: ", "spec.instance.endpoints.tls: ",
                            "spec.auth.mode: must be Password or None", "spec.tls.serverName: "}) {
        EXPECT_NE(faults.find(key), std::string::npos) << key << " is not in\n" << faults;
    }
    wrong["spec"] = json::parse(R"({"instance": {"endpoints": {"addresses": []}}})");
    EXPECT_EQ(describe_faults("f", parse_valkey_connection(wrong).faults),
              "f: spec.instance.endpoints.addresses: must hold at least one address\n");
}

}  // namespace
}  // namespace cvp::op::test
