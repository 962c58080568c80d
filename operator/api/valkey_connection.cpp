#include "operator/api/valkey_connection.hpp"

#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/connection_spec.hpp"
#include "common/contract/host.hpp"
#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "common/printable.hpp"
#include "common/providers/instance_name.hpp"
#include "common/yaml/parser.hpp"
#include "common/yaml/reader.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using providers::AuthChoice;
using yaml::Value;

/// spec.auth.unprotectedToken.
enum class UnprotectedToken { refuse, allow };

std::string_view to_string(UnprotectedToken value) {
    return value == UnprotectedToken::allow ? "Allow" : "Refuse";
}

/// Longer values of the refresh annotation are cut: they only have to differ.
constexpr std::size_t kMaxRefreshValue = 200;
/// Stand in for what a short name leaves open, where only the form of a name is checked.
constexpr std::string_view kAnyProject = "project";
constexpr std::string_view kAnyLocation = "region";

/// JSON in the reader's form, so that manifests and API objects are read by the same code.
yaml::Node node_of(const json& value) {
    yaml::Node node;
    if (value.is_object()) {
        node.kind = yaml::Node::Kind::map;
        for (const auto& [key, member] : value.items())
            node.fields.emplace_back(key, node_of(member));
    } else if (value.is_array()) {
        node.kind = yaml::Node::Kind::list;
        for (const auto& element : value)
            node.items.push_back(node_of(element));
    } else if (!value.is_null()) {
        node.kind = yaml::Node::Kind::scalar;
        node.is_plain = !value.is_string();
        node.scalar = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return node;
}

void read_memorystore(const Value& member, MemorystoreValkeySpec& instance) {
    const auto name = member["name"];
    if (member) name.required("an instance's short name or full resource name");
    name.read(instance.name);
    member["network"].read(instance.network);
    if (!name) return;
    const auto checked = providers::parse_instance_name(instance.name, kAnyProject, kAnyLocation);
    if (!checked) name.fault(checked.error().context);
}

void read_endpoints(const Value& member, providers::endpoints::Instance& instance) {
    const auto addresses = member["addresses"];
    for (const auto& item : addresses.required("a list of HOST:PORT").items(providers::endpoints::kMaxAddresses)) {
        std::string address;
        if (!item.read(address)) continue;
        const auto role = instance.endpoints.empty() ? EndpointRole::primary : EndpointRole::reader;
        auto endpoint = providers::endpoints::parse_address(address, role);
        if (endpoint) {
            instance.endpoints.push_back(std::move(*endpoint));
        } else {
            item.fault(std::move(endpoint).error().context);
        }
    }
    if (addresses.is_list() && addresses.items().empty()) addresses.fault("must hold at least one address");
    auto topology = Topology::standalone;
    member["topology"].read(topology, {Topology::standalone});
    member["tls"].read(instance.tls, {TlsMode::required, TlsMode::disabled});
}

void read_instance(const Value& value, ValkeyConnectionSpec& spec) {
    const auto memorystore = value["memorystoreValkey"];
    const auto endpoints = value["endpoints"];
    if (memorystore && endpoints) value.fault("exactly one member must be set: memorystoreValkey or endpoints");
    if (endpoints) {
        read_endpoints(endpoints, spec.instance.emplace<providers::endpoints::Instance>());
    } else {
        memorystore.required("the instance, as memorystoreValkey: {name: my-valkey}");
        read_memorystore(memorystore, spec.instance.emplace<MemorystoreValkeySpec>());
    }
}

void read_proxy(const Value& value, ProxySettings& proxy) {
    value["clientAuth"].read(proxy.client_auth, {ClientAuth::accept, ClientAuth::require, ClientAuth::reject});
    value["connectHold"].read(proxy.connect_hold, 0ms, 60s);
    value["maxConnections"].read(proxy.max_connections, 1, 1'000'000);
}

void read_spec(const Value& value, ValkeyConnectionSpec& spec) {
    read_instance(value["instance"], spec);
    const auto auth = value["auth"]["mode"];
    auth.read(spec.auth, {AuthChoice::automatic, AuthChoice::google_iam, AuthChoice::password, AuthChoice::none});
    if (spec.auth == AuthChoice::google_iam && std::holds_alternative<providers::endpoints::Instance>(spec.instance)) {
        auth.fault("must be Password or None for endpoints: a self-hosted server knows no GoogleIAM");
    }
    value["auth"]["username"].read(spec.username);
    auto unprotected = UnprotectedToken::refuse;
    value["auth"]["unprotectedToken"].read(unprotected, {UnprotectedToken::refuse, UnprotectedToken::allow});
    spec.allow_unprotected_token = unprotected == UnprotectedToken::allow;
    value["tls"]["verify"].read(spec.verify, {tls::Verify::full, tls::Verify::chain_only, tls::Verify::none});
    value["tls"]["minVersion"].read(spec.min_version, {tls::MinVersion::tls1_2, tls::MinVersion::tls1_3});
    const auto server_name = value["tls"]["serverName"];
    server_name.read(spec.server_name);
    if (!spec.server_name.empty() && !is_dns_name(spec.server_name) && !is_ip(spec.server_name)) {
        server_name.fault(fmt::format("must be a DNS name or an IP address, not {}", in_quotes(spec.server_name)));
    }
    read_proxy(value["proxy"], spec.proxy);
    value["refreshInterval"].read(spec.refresh_interval, 1min, 24h);
}

void read_form(const Value& root) {
    const auto expect = [&](const char* key, std::string_view expected) {
        std::string text;
        const auto value = root[key];
        if (value.required(expected).read(text) && text != expected) {
            value.fault(fmt::format("must be {}, not {}", expected, in_quotes(text)));
        }
    };
    expect("apiVersion", names::kApiVersion);
    expect("kind", names::kConnectionKind);
}

void read_name(const Value& value, std::string& name) {
    if (!value.required("the name of the connection").read(name) || is_connection_name(name)) return;
    value.fault(
        fmt::format("must be a DNS label of at most {} characters, not {}", kMaxConnectionName, in_quotes(name)));
}

}  // namespace

providers::Wishes ValkeyConnection::wishes() const {
    providers::Wishes wishes;
    wishes.connection_name = name;
    wishes.generation = generation;
    if (const auto* instance = memorystore()) wishes.network = instance->network;
    wishes.auth = spec.auth;
    wishes.username = spec.username;
    wishes.allow_unprotected_token = spec.allow_unprotected_token;
    wishes.verify = spec.verify;
    wishes.min_version = spec.min_version;
    wishes.server_name = spec.server_name;
    wishes.proxy = spec.proxy;
    return wishes;
}

std::string ValkeyConnection::config_map_name() const {
    return std::string(names::kConfigMapPrefix) + name;
}

ParsedValkeyConnection parse_valkey_connection(const json& object) {
    ParsedValkeyConnection parsed;
    auto& connection = parsed.connection;
    connection.namespace_name = find_string(object, {"metadata", "namespace"});
    connection.name = find_string(object, {"metadata", "name"});
    connection.uid = find_string(object, {"metadata", "uid"});
    if (const auto* generation = find_value(object, {"metadata", "generation"});
        generation != nullptr && generation->is_number_integer()) {
        connection.generation = generation->get<std::int64_t>();
    }
    connection.is_being_deleted = find_value(object, {"metadata", "deletionTimestamp"}) != nullptr;
    connection.refresh =
        printable(find_string(object, {"metadata", "annotations", names::kRefreshAnnotation}), kMaxRefreshValue);
    connection.status = read_connection_status(object);

    const auto* spec = find_value(object, {"spec"});
    yaml::Reader reader(node_of({{"spec", spec != nullptr ? *spec : json::object()}}));
    read_spec(reader.root()["spec"], connection.spec);
    auto findings = reader.finish();
    parsed.faults = std::move(findings.faults);
    parsed.warnings = std::move(findings.warnings);
    return parsed;
}

ParsedValkeyConnection parse_valkey_connection_manifest(std::string_view yaml) {
    ParsedValkeyConnection parsed;
    auto document = yaml::parse(yaml);
    if (!document) {
        parsed.faults.push_back(std::move(document).error());
        return parsed;
    }
    yaml::Reader reader(std::move(*document));
    const auto root = reader.root();
    if (root) {
        read_form(root);
        const auto metadata = root["metadata"];
        read_name(metadata["name"], parsed.connection.name);
        metadata["namespace"].read(parsed.connection.namespace_name);
        (void)metadata["annotations"], (void)metadata["labels"], (void)root["status"];
        read_spec(root["spec"], parsed.connection.spec);
    }
    auto findings = reader.finish();
    parsed.faults = std::move(findings.faults);
    parsed.warnings = std::move(findings.warnings);
    return parsed;
}

}  // namespace cvp::op
