#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace cvp::op {

/// status.pods.lastFailure: why a sidecar last ended or did not start.
struct PodFailure {
    std::string pod;
    std::string reason;  ///< the kubelet's: "OOMKilled", "Error", "CrashLoopBackOff", "ImagePullBackOff"
    std::string time;    ///< RFC 3339

    bool operator==(const PodFailure&) const = default;
};

/// status.pods: the injected pods of a connection.
struct PodStatus {
    std::int64_t total = 0;   ///< that are not finished
    std::int64_t ready = 0;   ///< whose sidecar is ready
    std::string versions;     ///< "1.4.0:40 1.3.2:2", the most frequent first
    PodFailure last_failure;  ///< empty: none

    /// "41/42".
    std::string summary() const;

    bool operator==(const PodStatus&) const = default;
};

/// Reads status.pods; what is absent or odd is empty.
PodStatus read_pod_status(const nlohmann::json& pods);

nlohmann::json write_pod_status(const PodStatus& pods);

}  // namespace cvp::op
