#include "common/contract/resolved_connection.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPem =
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUc2hhcGUgb25seSwgbm90IGEgY2VydGlmaWNhdGU=\n-----END "
    "CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nc2Vjb25k\n-----END CERTIFICATE-----\n";

ResolvedConnection full() {
    ResolvedConnection c;
    c.name = "sessions";
    c.endpoints = {{EndpointRole::primary, "10.0.0.3", 6379}, {EndpointRole::reader, "10.0.0.4", 6380}};
    c.instance = {"memorystoreValkey", "projects/p/locations/us-central1/instances/i", 3, "2026-11-20T12:00:00Z"};
    c.tls.identities = {"ip:10.0.0.3", "dns:valkey.example"};
    c.tls.ca = kPem;
    c.auth = {AuthMode::google_iam, "default", "https://www.googleapis.com/auth/cloud-platform", {},
              "username",           "password"};
    return c;
}

ResolvedConnection parsed(std::string_view yaml) {
    const auto result = parse_resolved_connection(yaml);
    EXPECT_EQ(describe_faults("connection.yaml", result.faults), "");
    return result.connection;
}

/// All faults of a document, one per line, without the file's name.
std::string faults_of(std::string_view yaml) {
    std::string text;
    for (const auto& fault : parse_resolved_connection(yaml).faults) {
        text += fault.key_path + ": " + fault.message + "\n";
    }
    return text;
}

/// The faults of the minimal document with its `line` replaced by `other`.
std::string faults_with(std::string_view line, std::string_view other) {
    auto text = read_source("tests/golden/contract/minimal.yaml");
    const auto at = text.find(line);
    EXPECT_NE(at, std::string::npos) << line;
    return faults_of(text.replace(at, line.size(), other));
}

constexpr std::string_view kTls = "tls: {mode: Disabled}";
constexpr std::string_view kEndpoints = "endpoints: [{host: localhost}]";

TEST(ResolvedConnection, is_written_in_the_form_of_the_golden_file) {
    EXPECT_EQ(write_resolved_connection(full()), read_source("tests/golden/contract/full.yaml"));
    EXPECT_EQ(parsed(read_source("tests/golden/contract/full.yaml")), full());
}

TEST(ResolvedConnection, a_document_written_by_hand_reads_the_same_and_warns_of_unknown_keys) {
    const auto result = parse_resolved_connection(read_source("tests/golden/contract/written-by-hand.yaml"));
    EXPECT_EQ(describe_faults("f", result.faults), "");
    EXPECT_EQ(result.connection, full());
    EXPECT_EQ(result.warnings, (std::vector<Fault>{{"proxy.nearCache", "unknown key, ignored"}}));
}

TEST(ResolvedConnection, every_key_but_the_first_five_is_optional) {
    ResolvedConnection expected;
    expected.name = "local";
    expected.endpoints = {{EndpointRole::primary, "localhost", 6379}};
    expected.tls.mode = TlsMode::disabled;
    EXPECT_EQ(parsed(read_source("tests/golden/contract/minimal.yaml")), expected);

    EXPECT_EQ(faults_of("{}"),
              "apiVersion: is missing; expected cloudvalkey.dev/v1alpha1\n"
              "kind: is missing; expected ResolvedConnection\n"
              "name: is missing; expected the name of the connection\n"
              "topology: is missing; expected one of Standalone, Cluster, Sentinel\n"
              "endpoints: is missing; expected a list with at least one {role: primary, host, port}\n"
              "tls.ca: is missing; expected the PEM certificates of the server's CA (or tls.mode: Disabled where the "
              "server has no TLS)\n");
}

TEST(ResolvedConnection, reads_back_whatever_is_written) {
    const std::vector<std::function<void(ResolvedConnection&)>> changes{
        [](auto& c) { c.topology = Topology::cluster; },
        [](auto& c) { c.topology = Topology::sentinel; },
        [](auto& c) {
            c.endpoints = {{EndpointRole::primary, "2001:db8::1", 1}};
        },
        [](auto& c) {
            c.endpoints.assign(64, {EndpointRole::primary, "a.b", 65535});
        },
        [](auto& c) { c.instance = {}; },
        [](auto& c) { c.tls = {TlsMode::disabled, tls::Verify::none, tls::MinVersion::tls1_3, "a.b", {}, "", ""}; },
        [](auto& c) { c.tls.verify = tls::Verify::chain_only; },
        [](auto& c) { c.tls.ca.clear(), c.tls.ca_file = "ca.crt"; },
        [](auto& c) { c.tls.ca.pop_back(); },
        [](auto& c) { c.auth = {}; },
        [](auto& c) { c.auth = {AuthMode::password, "true", "", {}, "u", "dir/p"}; },
        [](auto& c) {
            c.auth.impersonate = {"a@b", "c@d"};
        },
        [](auto& c) {
            c.proxy = {ClientAuth::require, 0ms, 0, 1};
        },
        [](auto& c) {
            c.proxy = {ClientAuth::reject, 60s, 16, 1'000'000};
        },
        [](auto& c) { c.proxy.connect_hold = 1ms; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto connection = full();
        changes[i](connection);
        EXPECT_EQ(parsed(write_resolved_connection(connection)), connection) << i;
    }
}

TEST(ResolvedConnection, an_unknown_version_or_kind_is_refused_and_not_interpreted) {
    EXPECT_EQ(
        faults_of("apiVersion: cloudvalkey.dev/v2\nkind: ResolvedConnection\nendpoints: 5\n"),
        "apiVersion: \"cloudvalkey.dev/v2\" is not supported by this version; expected cloudvalkey.dev/v1alpha1\n");
    EXPECT_EQ(faults_of("apiVersion: v1\nkind: ConfigMap\n"),
              "apiVersion: \"v1\" is not supported by this version; expected cloudvalkey.dev/v1alpha1\n"
              "kind: \"ConfigMap\" is not what is read here; expected ResolvedConnection\n");
    EXPECT_EQ(faults_with("kind: ResolvedConnection", "kind: ValkeyConnection"),
              "kind: \"ValkeyConnection\" is not what is read here; expected ResolvedConnection\n");
}

TEST(ResolvedConnection, all_faults_come_at_once_with_their_paths) {
    const auto text = faults_of(R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ResolvedConnection
name: Sessions
topology: standalone
endpoints: [{role: master, host: "", port: 0}, {role: reader, port: "6379"}, {host: "redis://a"}, {host: "a:6379"}]
tls: {mode: On, verify: full, minVersion: 1.1, serverName: "a b", identities: ["10.0.0.3", "ip:x", "dns:", "ip:10.0.0.3"], ca: text}
auth: {mode: IAM, scope: cloud-platform, impersonate: [nobody], usernameFile: /etc/passwd, passwordFile: a/../../b}
proxy: {clientAuth: Maybe, connectHold: 61s, warmSpares: -1, maxConnections: 0}
instance: {sourceGeneration: x}
)");
    EXPECT_EQ(
        text,
        "name: must be lower-case letters, digits and inner '-', at most 40 characters, not \"Sessions\"\n"
        "topology: must be one of Standalone, Cluster, Sentinel, not \"standalone\"\n"
        "endpoints[0].role: must be one of primary, reader, not \"master\"\n"
        "endpoints[0].port: must be a number from 1 to 65535, not \"0\"\n"
        "endpoints[0].host: must be an IP address (IPv6 without brackets) or a DNS name, without port, not \"\"\n"
        "endpoints[1].port: must be a number from 1 to 65535, not \"6379\"\n"
        "endpoints[1].host: is missing; expected an IP address or a DNS name\n"
        "endpoints[2].host: must be an IP address (IPv6 without brackets) or a DNS name, without port, not "
        "\"redis://a\"\n"
        "endpoints[3].host: must be an IP address (IPv6 without brackets) or a DNS name, without port, not \"a:6379\"\n"
        "instance.sourceGeneration: must be a number from 0 to 9223372036854775807, not \"x\"\n"
        "tls.mode: must be one of Required, Disabled, not \"On\"\n"
        "tls.verify: must be one of Full, ChainOnly, None, not \"full\"\n"
        "tls.minVersion: must be one of 1.2, 1.3, not \"1.1\"\n"
        "tls.serverName: must be a DNS name or an IP address, not \"a b\"\n"
        "tls.identities[0]: must be \"ip:ADDRESS\" or \"dns:NAME\", not \"10.0.0.3\"\n"
        "tls.identities[1]: must be \"ip:ADDRESS\" or \"dns:NAME\", not \"ip:x\"\n"
        "tls.identities[2]: must be \"ip:ADDRESS\" or \"dns:NAME\", not \"dns:\"\n"
        "tls.ca: must hold at least one PEM certificate (-----BEGIN CERTIFICATE-----)\n"
        "auth.mode: must be one of GoogleIAM, Password, None, not \"IAM\"\n"
        "auth.scope: must be the URL of an OAuth scope, such as https://www.googleapis.com/auth/cloud-platform\n"
        "auth.impersonate[0]: must be the e-mail address of a service account\n"
        "auth.usernameFile: must be a path relative to the document's directory, without \"..\"\n"
        "auth.passwordFile: must be a path relative to the document's directory, without \"..\"\n"
        "proxy.clientAuth: must be one of Accept, Require, Reject, not \"Maybe\"\n"
        "proxy.connectHold: must be a duration from 0s to 1m, not \"61s\"\n"
        "proxy.warmSpares: must be a number from 0 to 16, not \"-1\"\n"
        "proxy.maxConnections: must be a number from 1 to 1000000, not \"0\"\n");
}

TEST(ResolvedConnection, needs_a_primary) {
    const auto* fault = "endpoints: must hold at least one endpoint with role: primary\n";
    EXPECT_EQ(faults_with(kEndpoints, "endpoints: [{role: reader, host: a}]"), fault);
    EXPECT_EQ(faults_with(kEndpoints, "endpoints: []"), fault);
    EXPECT_EQ(faults_with(kEndpoints, "endpoints: 5"), "endpoints: must be a list, not \"5\"\n");
}

TEST(ResolvedConnection, a_ca_is_needed_where_a_chain_is_verified) {
    EXPECT_TRUE(faults_with(kTls, "tls: {}").starts_with("tls.ca: is missing; "));
    EXPECT_TRUE(faults_with(kTls, "tls: {verify: ChainOnly}").starts_with("tls.ca: is missing; "));
    EXPECT_EQ(faults_with(kTls, "tls: {verify: None}"), "");
    EXPECT_EQ(faults_with(kTls, "tls: {caFile: ca.crt}"), "");
    EXPECT_EQ(faults_with(kTls, R"(tls: {ca: "-----BEGIN CERTIFICATE-----\nabc"})"),
              "tls.ca: holds a PEM certificate that is cut off\n");
    const std::string begin = R"(-----BEGIN CERTIFICATE-----\nabc\n)", end = R"(-----END CERTIFICATE-----\n)";
    EXPECT_EQ(faults_with(kTls, "tls: {ca: \"" + begin + begin + end + "\"}"),
              "tls.ca: holds a PEM certificate that is cut off\n");
    EXPECT_EQ(faults_with(kTls, "tls: {ca: \"" + begin + end + R"(-----BEGIN EC PRIVATE KEY-----\n"})"),
              "tls.ca: must hold certificates only, not a private key\n");
}

TEST(ResolvedConnection, text_that_is_no_document_is_one_fault) {
    EXPECT_EQ(faults_of(""), ": the document is empty\n");
    EXPECT_EQ(faults_of("- a\n"), ": the document must be a map of keys and values\n");
    EXPECT_TRUE(faults_of("a: [").starts_with(": line ")) << faults_of("a: [");
    EXPECT_EQ(describe_faults("connection.yaml", {{"", "the document is empty"}, {"a.b", "is missing"}}),
              "connection.yaml: the document is empty\nconnection.yaml: a.b: is missing\n");
}

TEST(ResolvedConnection, a_document_cut_off_before_its_ca_is_complete_is_not_usable) {
    const auto whole = read_source("tests/golden/contract/full.yaml");
    const auto complete = whole.find("-----END CERTIFICATE-----") + 25;
    for (std::size_t cut = 0; cut < complete; ++cut) {
        EXPECT_FALSE(parse_resolved_connection(whole.substr(0, cut)).faults.empty()) << whole.substr(0, cut);
    }
}

TEST(ResolvedConnection, finds_the_first_endpoint_of_a_role) {
    auto connection = full();
    EXPECT_EQ(connection.find(EndpointRole::primary)->host, "10.0.0.3");
    EXPECT_EQ(connection.find(EndpointRole::reader)->host, "10.0.0.4");
    connection.endpoints.pop_back();
    EXPECT_EQ(connection.find(EndpointRole::reader), nullptr);
}

TEST(ResolvedConnection, the_time_of_change_moves_only_with_something_else) {
    const auto old = full();
    auto fresh = full();
    fresh.instance.changed_at.clear();
    EXPECT_TRUE(same_but_for_time(old, fresh));
    carry_changed_at(&old, fresh, "2026-11-21T00:00:00Z");
    EXPECT_EQ(fresh, old);

    fresh.endpoints[0].port = 7000;
    EXPECT_FALSE(same_but_for_time(old, fresh));
    carry_changed_at(&old, fresh, "2026-11-21T00:00:00Z");
    EXPECT_EQ(fresh.instance.changed_at, "2026-11-21T00:00:00Z");

    carry_changed_at(nullptr, fresh, "2026-11-22T00:00:00Z");
    EXPECT_EQ(fresh.instance.changed_at, "2026-11-22T00:00:00Z");
}

}  // namespace
}  // namespace cvp::test
