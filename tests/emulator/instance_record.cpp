#include "tests/emulator/instance_record.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>

namespace cvp::emulator {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint16_t kPort = 6379;

/// Sixteen hexadecimal digits that follow from a text.
std::string digest_of(const std::string& text) {
    std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
    return digits;
}

std::string uuid_of(const std::string& text) {
    const auto a = digest_of(text);
    const auto b = digest_of(text + "#");
    return a.substr(0, 8) + "-" + a.substr(8, 4) + "-4" + a.substr(13, 3) + "-8" + b.substr(1, 3) + "-" +
           b.substr(4, 12);
}

std::string decimal_of(const std::string& text) {
    return std::to_string(std::stoull(digest_of(text), nullptr, 16) % 1'000'000'000'000'000'000U);
}

PscConnection make_connection(const InstanceName& name, std::string type, std::string ip, std::uint16_t port,
                              int position) {
    const auto seed = name.full() + "/" + std::to_string(position);
    PscConnection connection;
    connection.type = std::move(type);
    connection.ip = std::move(ip);
    connection.port = port;
    connection.connection_id = decimal_of(seed);
    connection.forwarding_rule = "https://www.googleapis.com/compute/v1/projects/" + name.project + "/regions/" +
                                 name.location + "/forwardingRules/sca-auto-fr-" + uuid_of(seed);
    connection.service_attachment = "projects/1063151100729/regions/" + name.location +
                                    "/serviceAttachments/gcp-memorystore-auto-" + digest_of(name.full()) + "-psc-sa" +
                                    (position == 1 ? "" : "-" + std::to_string(position));
    return connection;
}

/// Adds a field unless it is empty, which the API leaves out.
void put(Json& object, const char* name, const std::string& value) {
    if (!value.empty()) object[name] = value;
}

Json build_connection(const InstanceShape& shape, const PscConnection& connection) {
    Json auto_connection;
    put(auto_connection, "connectionType", connection.type);
    put(auto_connection, "ipAddress", connection.ip);
    if (connection.port != 0) auto_connection["port"] = connection.port;
    auto_connection["network"] = "projects/" + shape.name.project + "/global/networks/" + shape.network;
    auto_connection["projectId"] = shape.name.project;
    put(auto_connection, "pscConnectionId", connection.connection_id);
    put(auto_connection, "forwardingRule", connection.forwarding_rule);
    put(auto_connection, "serviceAttachment", connection.service_attachment);
    return {{"pscAutoConnection", std::move(auto_connection)}};
}

}  // namespace

std::string InstanceName::parent() const {
    return "projects/" + project + "/locations/" + location;
}

std::string InstanceName::full() const {
    return parent() + "/instances/" + instance;
}

Result<InstanceName> parse_instance_name(std::string_view full_name) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= full_name.size();) {
        const auto end = std::min(full_name.find('/', from), full_name.size());
        parts.emplace_back(full_name.substr(from, end - from));
        from = end + 1;
    }
    if (parts.size() != 6 || parts[0] != "projects" || parts[2] != "locations" || parts[4] != "instances" ||
        parts[1].empty() || parts[3].empty() || parts[5].empty())
        return fail(ErrorCode::invalid_argument,
                    std::string(full_name) + ": expected projects/P/locations/L/instances/I");
    return InstanceName{parts[1], parts[3], parts[5]};
}

InstanceShape default_shape(InstanceName name, bool cluster) {
    InstanceShape shape;
    shape.uid = uuid_of(name.full());
    shape.create_time = "2026-09-21T17:33:41.704318846Z";
    shape.update_time = "2026-09-21T17:39:12.018803673Z";
    shape.zone = name.location + "-a";
    if (cluster) {
        shape.mode = "CLUSTER";
        shape.shard_count = 3;
        shape.connections = {make_connection(name, "CONNECTION_TYPE_DISCOVERY", "10.128.0.3", kPort, 1),
                             make_connection(name, "", "10.128.0.2", 0, 2)};
    } else {
        shape.connections = {make_connection(name, "CONNECTION_TYPE_PRIMARY", "10.128.0.8", kPort, 1),
                             make_connection(name, "CONNECTION_TYPE_READER", "10.128.0.13", kPort, 2)};
    }
    shape.name = std::move(name);
    return shape;
}

std::string build_instance(const InstanceShape& shape) {
    const bool has_tls = shape.transit_encryption_mode == "SERVER_AUTHENTICATION";
    Json document;
    document["name"] = shape.name.full();
    document["uid"] = shape.uid;
    document["createTime"] = shape.create_time;
    document["updateTime"] = shape.update_time;
    document["state"] = shape.state;
    document["mode"] = shape.mode;
    document["shardCount"] = shape.shard_count;
    document["replicaCount"] = shape.replica_count;
    document["nodeType"] = shape.node_type;
    const auto whole_gb = static_cast<int>(shape.node_size_gb);
    document["nodeConfig"]["sizeGb"] = whole_gb == shape.node_size_gb ? Json(whole_gb) : Json(shape.node_size_gb);
    document["engineVersion"] = shape.engine_version;
    document["authorizationMode"] = shape.authorization_mode;
    document["transitEncryptionMode"] = shape.transit_encryption_mode;
    document["serverCaMode"] = has_tls ? shape.server_ca_mode : "SERVER_CA_MODE_UNSPECIFIED";
    document["automatedBackupConfig"]["automatedBackupMode"] = "DISABLED";
    document["deletionProtectionEnabled"] = false;
    document["satisfiesPzi"] = false;
    document["effectiveMaintenanceVersion"] = shape.maintenance_version;
    document["encryptionInfo"]["encryptionType"] = "GOOGLE_DEFAULT_ENCRYPTION";
    document["persistenceConfig"]["mode"] = "DISABLED";
    document["zoneDistributionConfig"] = {{"mode", "SINGLE_ZONE"}, {"zone", shape.zone}};
    auto connections = Json::array();
    auto attachments = Json::array();
    for (const auto& connection : shape.connections) {
        connections.push_back(build_connection(shape, connection));
        Json attachment;
        put(attachment, "connectionType", connection.type);
        attachment["serviceAttachment"] = connection.service_attachment;
        attachments.push_back(std::move(attachment));
    }
    // The API leaves empty lists out.
    if (!connections.empty()) document["endpoints"].push_back({{"connections", std::move(connections)}});
    if (!attachments.empty()) document["pscAttachmentDetails"] = std::move(attachments);
    return document.dump(2);
}

Result<std::string> merge_instance(std::string_view document, std::string_view patch) {
    auto target = Json::parse(document, nullptr, false);
    const auto change = Json::parse(patch, nullptr, false);
    if (!target.is_object() || !change.is_object())
        return fail(ErrorCode::invalid_argument, "an instance and its patch are JSON objects");
    target.merge_patch(change);
    return target.dump(2);
}

std::string with_endpoint(std::string_view document, std::string_view type, const std::string& ip, std::uint16_t port) {
    auto json = Json::parse(document);
    if (!json.contains("endpoints")) return std::string(document);
    for (auto& endpoint : json["endpoints"])
        for (auto& connection : endpoint["connections"])
            for (auto& [kind, detail] : connection.items())
                if (detail.value("connectionType", "") == type) {
                    detail["ipAddress"] = ip;
                    detail["port"] = port;
                }
    return json.dump(2);
}

std::string instance_field(std::string_view document, std::string_view field) {
    const auto json = Json::parse(document, nullptr, false);
    const auto found = json.find(std::string(field));
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace cvp::emulator
