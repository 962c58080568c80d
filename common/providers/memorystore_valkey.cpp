#include "common/providers/memorystore_valkey.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/core.h>

#include "common/printable.hpp"

namespace cvp::providers::memorystore {
namespace {

constexpr std::size_t kMaxShownNetwork = 150;

/// All that map() decides about, so that its steps need no long lists of parameters.
struct Inputs {
    const InstanceName& name;
    const InstanceFacts& facts;
    const std::string& ca_pem;
    const Wishes& wishes;

    std::string what() const { return "instance " + name.full(); }
};

tl::unexpected<Refusal> refuse(Reason reason, std::string message) {
    return tl::unexpected<Refusal>(Refusal{reason, std::move(message), {}});
}

Resolved<void> check_state(const Inputs& in) {
    switch (in.facts.state) {
        case State::creating:
            return refuse(Reason::instance_not_ready,
                          fmt::format("the {} is being created; it is looked at again by itself", in.what()));
        case State::deleting:
            return refuse(Reason::instance_not_ready,
                          fmt::format("the {} is being deleted; name another one", in.what()));
        case State::unspecified:
        case State::unknown:
        case State::active:
        case State::updating:
        case State::migrating:
            break;
    }
    if (!in.facts.connections.empty()) return {};
    return refuse(Reason::instance_not_ready,
                  fmt::format("the {} has no endpoint: create a service connection policy for the class "
                              "gcp-memorystore in its network and region, or register a connection of your own",
                              in.what()));
}

std::string_view last_segment(std::string_view network) {
    const auto slash = network.rfind('/');
    return slash == std::string_view::npos ? network : network.substr(slash + 1);
}

/// Whether `wanted` ("N", "projects/P/global/networks/N" or its URL) means this network.
bool means(std::string_view wanted, std::string_view network) {
    if (wanted.find('/') == std::string_view::npos) return last_segment(network) == wanted;
    const auto projects = wanted.find("projects/");
    return projects != std::string_view::npos && wanted.substr(projects) == network;
}

/// CONTRACT section 6: the network that was named, else the only one there is; never the first of several.
Resolved<std::string> choose_network(const Inputs& in, const std::vector<Connection>& connections) {
    std::set<std::string> all;
    for (const auto& connection : connections)
        all.insert(connection.network);
    std::set<std::string> wanted;
    std::string list;
    for (const auto& network : all) {
        if (in.wishes.network.empty() || means(in.wishes.network, network)) wanted.insert(network);
        list.append(list.empty() ? "" : ", ").append(printable(network, kMaxShownNetwork));
    }
    if (wanted.size() == 1) return *wanted.begin();
    if (in.wishes.network.empty()) {
        return refuse(
            Reason::network_ambiguous,
            fmt::format("the {} has endpoints in several networks; set network to one of: {}", in.what(), list));
    }
    return refuse(Reason::network_ambiguous,
                  fmt::format("the {} has {} in the network {}; set network to one of: {}", in.what(),
                              wanted.empty() ? "no endpoint" : "several endpoints",
                              in_quotes(in.wishes.network, kMaxShownNetwork), list));
}

/// The connections that still exist, or all where none says so.
std::vector<Connection> living(const std::vector<Connection>& all) {
    std::vector<Connection> connections;
    std::copy_if(all.begin(), all.end(), std::back_inserter(connections), [](const auto& c) { return !c.is_gone; });
    return connections.empty() ? all : connections;
}

/// The best connection of that type: Google's before a user's, then the lowest address.
const Connection* find_best(const std::vector<Connection>& connections, ConnectionType type) {
    const auto rank = [](const Connection& c) { return std::tie(c.is_user_created, c.ip_address, c.port); };
    const Connection* best = nullptr;
    for (const auto& connection : connections) {
        if (connection.type != type) continue;
        if (best == nullptr || rank(connection) < rank(*best)) best = &connection;
    }
    return best;
}

Resolved<std::vector<Endpoint>> choose_endpoints(const Inputs& in, const std::vector<Connection>& connections) {
    const auto* primary = find_best(connections, ConnectionType::primary);
    if (primary == nullptr) primary = find_best(connections, ConnectionType::discovery);
    if (primary == nullptr) {
        return refuse(Reason::instance_not_ready,
                      fmt::format("the {} shows no primary endpoint yet; it is looked at again by itself", in.what()));
    }
    std::vector<Endpoint> endpoints{{EndpointRole::primary, primary->ip_address, primary->port}};
    if (const auto* reader = find_best(connections, ConnectionType::reader)) {
        endpoints.push_back({EndpointRole::reader, reader->ip_address, reader->port});
    }
    return endpoints;
}

Resolved<AuthSettings> choose_auth(const Inputs& in) {
    AuthSettings auth;
    switch (in.wishes.auth) {
        case AuthChoice::google_iam:
            auth.mode = AuthMode::google_iam;
            break;
        case AuthChoice::password:
            auth.mode = AuthMode::password;
            break;
        case AuthChoice::none:
            auth.mode = AuthMode::none;
            break;
        case AuthChoice::automatic:
            switch (in.facts.authorization) {
                case Authorization::iam:
                    auth.mode = AuthMode::google_iam;
                    break;
                case Authorization::token:
                    auth.mode = AuthMode::password;
                    break;
                case Authorization::unspecified:
                case Authorization::disabled:
                    auth.mode = AuthMode::none;
                    break;
                case Authorization::unknown:
                    return refuse(Reason::instance_not_ready,
                                  fmt::format("the {} has an authorization mode that this version does not know; set "
                                              "auth.mode to GoogleIAM, Password or None",
                                              in.what()));
            }
    }
    auth.username = in.wishes.username;
    if (auth.mode == AuthMode::google_iam) {
        if (auth.username.empty()) auth.username = "default";
        auth.scope = kScope;
    }
    if (auth.mode == AuthMode::password) {
        auth.username_file = "username";
        auth.password_file = "password";
    }
    return auth;
}

TlsSettings choose_tls(const Inputs& in, const std::vector<Connection>& connections) {
    TlsSettings tls;
    tls.verify = in.wishes.verify;
    tls.min_version = in.wishes.min_version;
    tls.server_name = in.wishes.server_name;
    if (!in.facts.has_tls()) {
        tls.mode = TlsMode::disabled;
        return tls;
    }
    std::set<std::string> identities;
    for (const auto& connection : connections)
        identities.insert("ip:" + connection.ip_address);
    tls.identities.assign(identities.begin(), identities.end());
    if (in.facts.ca_mode == CaMode::customer) {
        tls.ca_file = "ca.crt";
    } else {
        tls.ca = in.ca_pem;
    }
    return tls;
}

/// CONTRACT section 6, token safety: why a token would not be protected, or "".
std::string danger_of(const InstanceFacts& facts, tls::Verify verify) {
    if (!facts.has_tls()) return "its TLS is off (transitEncryptionMode): create it with TLS";
    if (verify == tls::Verify::none) return "tls.verify is None: set it to Full";
    const bool has_own_ca = facts.ca_mode == CaMode::per_instance || facts.ca_mode == CaMode::unspecified;
    if (verify == tls::Verify::chain_only && !has_own_ca) {
        return "tls.verify is ChainOnly and its CA signs other instances too: set tls.verify to Full";
    }
    return "";
}

Resolved<void> check_token_safety(const Inputs& in, const AuthSettings& auth) {
    if (auth.mode != AuthMode::google_iam || in.wishes.allow_unprotected_token) return {};
    const auto danger = danger_of(in.facts, in.wishes.verify);
    if (danger.empty()) return {};
    return refuse(Reason::token_unprotected,
                  fmt::format("an access token would not be protected on its way to the {}: {}", in.what(), danger));
}

/// The document of a cluster: the proxy never dials it, it tells its clients why.
std::vector<Endpoint> cluster_endpoints(const std::vector<Connection>& connections) {
    std::vector<Endpoint> endpoints;
    if (const auto* discovery = find_best(connections, ConnectionType::discovery)) {
        endpoints.push_back({EndpointRole::primary, discovery->ip_address, discovery->port});
    }
    return endpoints;
}

Resolved<ResolvedConnection> map_document(const Inputs& in) {
    if (const auto ready = check_state(in); !ready) return tl::unexpected<Refusal>(ready.error());
    const bool is_cluster = in.facts.is_cluster();
    auto connections = living(in.facts.connections);
    const auto network = choose_network(in, connections);
    if (!network && !is_cluster) return tl::unexpected<Refusal>(network.error());
    if (network) std::erase_if(connections, [&](const Connection& c) { return c.network != *network; });

    ResolvedConnection document;
    document.name = in.wishes.connection_name;
    document.instance = {std::string(kProvider), in.name.full(), in.wishes.generation, ""};
    document.tls = choose_tls(in, connections);
    document.proxy = in.wishes.proxy;
    const auto auth = choose_auth(in);
    if (auth) document.auth = *auth;
    if (is_cluster) {  // it is refused as such, whatever else may be wrong
        document.topology = Topology::cluster;
        document.endpoints = cluster_endpoints(connections);
        return document;
    }
    if (!auth) return tl::unexpected<Refusal>(auth.error());
    if (const auto safe = check_token_safety(in, *auth); !safe) return tl::unexpected<Refusal>(safe.error());
    auto endpoints = choose_endpoints(in, connections);
    if (!endpoints) return tl::unexpected<Refusal>(endpoints.error());
    document.endpoints = std::move(*endpoints);
    return document;
}

}  // namespace

bool InstanceFacts::is_cluster() const {
    if (mode == Mode::cluster) return true;
    if (mode == Mode::cluster_disabled || mode == Mode::standalone) return false;
    return find_best(connections, ConnectionType::primary) == nullptr;
}

GoogleCall describe_call(const InstanceName& name) {
    return {"instance " + name.full(), name.project, "memorystore.googleapis.com", "roles/memorystore.viewer",
            "memorystore.instances.get"};
}

std::string instance_target(const InstanceName& name) {
    return "/v1/" + name.full();
}

std::optional<std::string> ca_target(const InstanceName& name, const InstanceFacts& facts) {
    if (!facts.has_tls() || facts.ca_mode == CaMode::customer) return std::nullopt;
    if (facts.state == State::creating || facts.state == State::deleting) return std::nullopt;
    if (facts.ca_mode == CaMode::shared) {
        return fmt::format("/v1/projects/{}/locations/{}/sharedRegionalCertificateAuthority", name.project,
                           name.location);
    }
    return instance_target(name) + "/certificateAuthority";
}

Outcome map(const InstanceName& name, const InstanceFacts& facts, const std::string& ca_pem, const Wishes& wishes) {
    auto document = map_document({name, facts, ca_pem, wishes});
    if (!document) return {std::nullopt, std::move(document).error()};
    if (document->topology != Topology::cluster) return {std::move(*document), std::nullopt};
    Refusal refusal{Reason::cluster_mode_not_supported,
                    fmt::format("the instance {} is in cluster mode, which is not supported yet: use an instance with "
                                "cluster mode disabled",
                                name.full()),
                    {}};
    return {std::move(*document), std::move(refusal)};
}

}  // namespace cvp::providers::memorystore
