#include "tests/emulator/enum_numbers.hpp"

#include <map>
#include <vector>

#include <nlohmann/json.hpp>

namespace cvp::emulator {
namespace {

using Json = nlohmann::ordered_json;

/// Numbers of the enum values, by the path of their field. @source google/cloud/memorystore/v1/memorystore.proto
using EnumNames = std::map<std::string, std::vector<std::string>>;

const EnumNames& enum_names() {
    static const std::vector<std::string> kConnectionType = {"CONNECTION_TYPE_UNSPECIFIED", "CONNECTION_TYPE_DISCOVERY",
                                                             "CONNECTION_TYPE_PRIMARY", "CONNECTION_TYPE_READER"};
    static const std::vector<std::string> kPscStatus = {"PSC_CONNECTION_STATUS_UNSPECIFIED", "ACTIVE", "NOT_FOUND"};
    static const EnumNames kNames = {
        {"state", {"STATE_UNSPECIFIED", "CREATING", "ACTIVE", "UPDATING", "DELETING", "", "MIGRATING"}},
        {"mode", {"MODE_UNSPECIFIED", "STANDALONE", "CLUSTER", "", "CLUSTER_DISABLED"}},
        {"authorizationMode", {"AUTHORIZATION_MODE_UNSPECIFIED", "AUTH_DISABLED", "IAM_AUTH", "TOKEN_AUTH"}},
        {"transitEncryptionMode",
         {"TRANSIT_ENCRYPTION_MODE_UNSPECIFIED", "TRANSIT_ENCRYPTION_DISABLED", "SERVER_AUTHENTICATION"}},
        {"serverCaMode",
         {"SERVER_CA_MODE_UNSPECIFIED", "GOOGLE_MANAGED_PER_INSTANCE_CA", "GOOGLE_MANAGED_SHARED_CA",
          "CUSTOMER_MANAGED_CAS_CA"}},
        {"nodeType",
         {"NODE_TYPE_UNSPECIFIED", "SHARED_CORE_NANO", "HIGHMEM_MEDIUM", "HIGHMEM_XLARGE", "STANDARD_SMALL",
          "CUSTOM_MICRO", "CUSTOM_MINI", "HIGHCPU_MEDIUM", "STANDARD_LARGE", "HIGHMEM_2XLARGE", "CUSTOM_PICO"}},
        {"automatedBackupConfig.automatedBackupMode", {"AUTOMATED_BACKUP_MODE_UNSPECIFIED", "DISABLED", "ENABLED"}},
        {"encryptionInfo.encryptionType",
         {"TYPE_UNSPECIFIED", "GOOGLE_DEFAULT_ENCRYPTION", "CUSTOMER_MANAGED_ENCRYPTION"}},
        {"persistenceConfig.mode", {"PERSISTENCE_MODE_UNSPECIFIED", "DISABLED", "RDB", "AOF"}},
        {"persistenceConfig.aofConfig.appendFsync", {"APPEND_FSYNC_UNSPECIFIED", "NEVER", "EVERY_SEC", "ALWAYS"}},
        {"zoneDistributionConfig.mode", {"ZONE_DISTRIBUTION_MODE_UNSPECIFIED", "MULTI_ZONE", "SINGLE_ZONE"}},
        {"crossInstanceReplicationConfig.instanceRole", {"INSTANCE_ROLE_UNSPECIFIED", "NONE", "PRIMARY", "SECONDARY"}},
        {"endpoints.connections.pscAutoConnection.connectionType", kConnectionType},
        {"endpoints.connections.pscAutoConnection.pscConnectionStatus", kPscStatus},
        {"endpoints.connections.pscConnection.connectionType", kConnectionType},
        {"endpoints.connections.pscConnection.pscConnectionStatus", kPscStatus},
        {"pscAttachmentDetails.connectionType", kConnectionType},
    };
    return kNames;
}

void number_enums(Json& value, const std::string& path) {
    if (value.is_array()) {
        for (auto& element : value)
            number_enums(element, path);
    } else if (value.is_object()) {
        for (auto& [name, member] : value.items())
            number_enums(member, path.empty() ? name : path + "." + name);
    } else if (value.is_string()) {
        const auto names = enum_names().find(path);
        if (names == enum_names().end()) return;
        const auto& list = names->second;
        // A name that is not in the list was planted by a test; protobuf has no number for it.
        for (std::size_t number = 0; number < list.size(); ++number)
            if (value == list[number]) {
                value = number;
                return;
            }
    }
}

}  // namespace

std::string with_enum_numbers(std::string_view document) {
    auto json = Json::parse(document);
    number_enums(json, "");
    return json.dump(2);
}

}  // namespace cvp::emulator
