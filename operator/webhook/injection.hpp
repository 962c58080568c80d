#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/contract/connection_spec.hpp"

namespace cvp::op {

/// One connection that the pod asks for.
struct InjectedConnection {
    ConnectionSpec spec;
    std::string secret;  ///< name of the Secret with its credentials, which may not exist

    bool operator==(const InjectedConnection&) const = default;
};

/// The pod gets a sidecar that serves these connections, one to eight of them.
struct Inject {
    std::vector<InjectedConnection> connections;
    bool has_socket = false;  ///< each is served on a unix socket, too
};

/// Where a connection's unix socket is in every container of the pod.
std::string socket_path(std::string_view connection);

/// The pod is not admitted. CONTRACT section 2 lists the reasons.
struct Refuse {
    std::string_view reason;  ///< a constant, fit for a metric label: "PortClash", "HostNetwork", …
    std::string message;      ///< what is wrong and what to do, without the reason
};

/// The pod is admitted as it is.
struct Untouched {
    std::string_view reason;  ///< a constant, fit for a metric label: "NotAnnotated", "MirrorPod"
};

using Decision = std::variant<Inject, Refuse, Untouched>;

/// Decides from the pod alone, without any look-up, what becomes of it.
///
/// @param pod a v1 Pod as the API server sends it; absent, null or mistyped parts count as not there
Decision decide(const nlohmann::json& pod);

}  // namespace cvp::op
