#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/http/message.hpp"
#include "tests/emulator/call_log.hpp"
#include "tests/emulator/faults.hpp"
#include "tests/emulator/quota.hpp"
#include "tests/emulator/token_mint.hpp"

namespace cvp::emulator {

inline constexpr auto kCloudPlatformScope = "https://www.googleapis.com/auth/cloud-platform";

/// One instance as the API knows it.
struct InstanceRecord {
    std::string document;                ///< JSON text as instances.get answers it, enums by name
    std::vector<std::string> ca_chains;  ///< certificateAuthority: PEM chains, one for each CA, oldest first
};

/// What the metadata server says of the machine or pod.
struct MetadataSettings {
    bool is_gke = true;  ///< GKE's server; false: a VM's
    bool is_down = false;
    std::string project = "my-project";
    std::string project_number = "123456789012";
    std::string zone = "us-central1-a";
    std::string cluster_name = "my-cluster";
    std::string cluster_location = "us-central1";
    std::string email = "valkey-client@my-project.iam.gserviceaccount.com";
    std::vector<std::string> scopes = {kCloudPlatformScope};
};

/// All that the emulated clouds know. Pure data: no sockets, no clock; one thread.
struct State {
    std::map<std::string, InstanceRecord> instances;             ///< by full name
    std::map<std::string, std::vector<std::string>> shared_cas;  ///< by "projects/P/locations/L"
    TokenMint tokens;
    MetadataSettings metadata;
    Faults rest_faults;
    Faults metadata_faults;
    Quota quota;
    CallLog calls;
};

/// What to answer, and after which wait.
struct Answer {
    http::Response response;
    std::chrono::milliseconds delay{0};
};

}  // namespace cvp::emulator
