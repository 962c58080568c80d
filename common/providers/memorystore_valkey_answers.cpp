#include <algorithm>
#include <initializer_list>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/host.hpp"
#include "common/json_access.hpp"
#include "common/providers/memorystore_valkey.hpp"

namespace cvp::providers::memorystore {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxConnections = 64;
constexpr std::size_t kMaxCertificates = 64;
constexpr std::string_view kCertificateBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kCertificateEnd = "-----END CERTIFICATE-----";

template <class E>
struct Named {
    int number;
    std::string_view word;
    E value;
};

/// Reads an enum in either form: "ACTIVE", or 2 where a client asked for enum-encoding=int.
template <class E>
E read_enum(const json& object, std::string_view key, std::initializer_list<Named<E>> names) {
    const auto* value = find_value(object, {key});
    if (value == nullptr) return E::unspecified;
    for (const auto& name : names) {
        if (value->is_string() && value->get_ref<const std::string&>() == name.word) return name.value;
        if (value->is_number_integer() && value->get<std::int64_t>() == name.number) return name.value;
    }
    const bool is_zero = value->is_number_integer() && value->get<std::int64_t>() == 0;
    const bool is_unspecified = value->is_string() && value->get_ref<const std::string&>().ends_with("_UNSPECIFIED");
    return is_zero || is_unspecified ? E::unspecified : E::unknown;
}

State read_state(const json& instance) {
    return read_enum<State>(instance, "state",
                            {{1, "CREATING", State::creating},
                             {2, "ACTIVE", State::active},
                             {3, "UPDATING", State::updating},
                             {4, "DELETING", State::deleting},
                             {6, "MIGRATING", State::migrating}});
}

Mode read_mode(const json& instance) {
    return read_enum<Mode>(instance, "mode",
                           {{1, "STANDALONE", Mode::standalone},
                            {2, "CLUSTER", Mode::cluster},
                            {4, "CLUSTER_DISABLED", Mode::cluster_disabled}});
}

Authorization read_authorization(const json& instance) {
    return read_enum<Authorization>(instance, "authorizationMode",
                                    {{1, "AUTH_DISABLED", Authorization::disabled},
                                     {2, "IAM_AUTH", Authorization::iam},
                                     {3, "TOKEN_AUTH", Authorization::token}});
}

Encryption read_encryption(const json& instance) {
    return read_enum<Encryption>(instance, "transitEncryptionMode",
                                 {{1, "TRANSIT_ENCRYPTION_DISABLED", Encryption::disabled},
                                  {2, "SERVER_AUTHENTICATION", Encryption::server_authentication}});
}

/// The API accepts and may print the longer aliases too.
CaMode read_ca_mode(const json& instance) {
    return read_enum<CaMode>(instance, "serverCaMode",
                             {{1, "GOOGLE_MANAGED_PER_INSTANCE_CA", CaMode::per_instance},
                              {1, "SERVER_CA_MODE_GOOGLE_MANAGED_PER_INSTANCE_CA", CaMode::per_instance},
                              {2, "GOOGLE_MANAGED_SHARED_CA", CaMode::shared},
                              {2, "SERVER_CA_MODE_GOOGLE_MANAGED_SHARED_CA", CaMode::shared},
                              {3, "CUSTOMER_MANAGED_CAS_CA", CaMode::customer},
                              {3, "SERVER_CA_MODE_CUSTOMER_MANAGED_CAS_CA", CaMode::customer}});
}

std::uint16_t read_port(const json& object) {
    constexpr std::uint16_t kDefault = 6379;
    const auto* port = find_value(object, {"port"});
    if (port == nullptr || !port->is_number_integer()) return kDefault;
    const auto value = port->get<std::int64_t>();
    return value > 0 && value <= 65535 ? static_cast<std::uint16_t>(value) : kDefault;
}

/// "projects/P/global/networks/N", also where the API gives its URL.
std::string read_network(const json& object) {
    const auto& network = find_string(object, {"network"});
    const auto projects = network.find("projects/");
    return projects == std::string::npos ? network : network.substr(projects);
}

/// One element of endpoints[].connections[]: made by Google (pscAutoConnection) or by the user (pscConnection).
std::optional<Connection> read_connection(const json& element) {
    const auto* made_by_google = find_value(element, {"pscAutoConnection"});
    const auto* made_by_user = find_value(element, {"pscConnection"});
    const auto* psc = made_by_google != nullptr ? made_by_google : made_by_user;
    if (psc == nullptr) return std::nullopt;

    Connection connection;
    connection.ip_address = find_string(*psc, {"ipAddress"});
    if (!is_ip(connection.ip_address)) return std::nullopt;
    connection.type = read_enum<ConnectionType>(*psc, "connectionType",
                                                {{1, "CONNECTION_TYPE_DISCOVERY", ConnectionType::discovery},
                                                 {2, "CONNECTION_TYPE_PRIMARY", ConnectionType::primary},
                                                 {3, "CONNECTION_TYPE_READER", ConnectionType::reader}});
    connection.port = read_port(*psc);
    connection.network = read_network(*psc);
    connection.is_user_created = made_by_google == nullptr;
    enum class Status { unspecified, unknown, active, not_found };
    connection.is_gone =
        read_enum<Status>(*psc, "pscConnectionStatus",
                          {{1, "ACTIVE", Status::active}, {2, "NOT_FOUND", Status::not_found}}) == Status::not_found;
    return connection;
}

/// The deprecated form: one address for everything, filled in for instances made before endpoints[] existed.
std::optional<Connection> read_discovery_endpoint(const json& element) {
    Connection connection;
    connection.type = ConnectionType::discovery;
    connection.ip_address = find_string(element, {"address"});
    connection.port = read_port(element);
    connection.network = read_network(element);
    if (!is_ip(connection.ip_address)) return std::nullopt;
    return connection;
}

std::vector<Connection> read_connections(const json& instance) {
    std::vector<Connection> connections;
    const auto add = [&](std::optional<Connection> connection) {
        if (connection && connections.size() < kMaxConnections) connections.push_back(std::move(*connection));
    };
    for (const auto& endpoint : find_array(instance, {"endpoints"})) {
        for (const auto& element : find_array(endpoint, {"connections"}))
            add(read_connection(element));
    }
    if (!connections.empty()) return connections;
    for (const auto& element : find_array(instance, {"discoveryEndpoints"}))
        add(read_discovery_endpoint(element));
    return connections;
}

/// The JSON object of a 200, or why it cannot be used.
Resolved<json> read_object(const http::Response& response, const GoogleCall& call) {
    if (response.status != 200) return tl::unexpected<Refusal>(interpret_google_error(response, call));
    auto document = json::parse(response.body, nullptr, false);
    if (document.is_object()) return document;
    return tl::unexpected<Refusal>(
        Refusal{Reason::cloud_unavailable,
                fmt::format("the answer for the {} is not a JSON object: is something else than {} answering?",
                            call.what, call.api),
                {}});
}

/// The certificates of a PEM text, each from BEGIN to END with one new line behind it.
std::vector<std::string> split_certificates(std::string_view pem) {
    std::vector<std::string> certificates;
    for (auto begin = pem.find(kCertificateBegin); begin != std::string_view::npos;
         begin = pem.find(kCertificateBegin)) {
        const auto end = pem.find(kCertificateEnd, begin);
        if (end == std::string_view::npos) break;
        const auto length = end + kCertificateEnd.size() - begin;
        std::string certificate(pem.substr(begin, length));
        std::erase(certificate, '\r');
        certificates.push_back(certificate + "\n");
        pem.remove_prefix(begin + length);
    }
    return certificates;
}

}  // namespace

Resolved<InstanceFacts> interpret_instance(const http::Response& response, const InstanceName& name) {
    const auto document = read_object(response, describe_call(name));
    if (!document) return tl::unexpected<Refusal>(document.error());
    InstanceFacts facts;
    facts.state = read_state(*document);
    facts.mode = read_mode(*document);
    facts.authorization = read_authorization(*document);
    facts.encryption = read_encryption(*document);
    facts.ca_mode = read_ca_mode(*document);
    facts.connections = read_connections(*document);
    return facts;
}

Resolved<std::string> interpret_ca(const http::Response& response, const InstanceName& name) {
    auto call = describe_call(name);
    call.what = "certificate authority of the " + call.what;
    const auto document = read_object(response, call);
    if (!document) return tl::unexpected<Refusal>(document.error());

    std::vector<std::string> all;
    for (const auto& chain : find_array(*document, {"managedServerCa", "caCerts"})) {
        for (const auto& pem : find_array(chain, {"certificates"})) {
            if (!pem.is_string()) continue;
            for (auto& certificate : split_certificates(pem.get_ref<const std::string&>())) {
                const bool is_new = std::find(all.begin(), all.end(), certificate) == all.end();
                if (is_new && all.size() < kMaxCertificates) all.push_back(std::move(certificate));
            }
        }
    }
    if (all.empty()) {
        return tl::unexpected<Refusal>(
            Refusal{Reason::cloud_unavailable,
                    fmt::format("the answer for the {} holds no certificate: tried again later", call.what),
                    {}});
    }
    std::sort(all.begin(), all.end());  // the API's order may change; the document must not
    std::string bundle;
    for (const auto& certificate : all)
        bundle += certificate;
    return bundle;
}

}  // namespace cvp::providers::memorystore
