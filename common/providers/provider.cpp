#include "common/providers/provider.hpp"

namespace cvp::providers {

std::string_view to_string(Reason reason) {
    switch (reason) {
        case Reason::resolved:
            return "Resolved";
        case Reason::instance_not_found:
            return "InstanceNotFound";
        case Reason::permission_denied:
            return "PermissionDenied";
        case Reason::api_disabled:
            return "ApiDisabled";
        case Reason::quota_exhausted:
            return "QuotaExhausted";
        case Reason::cloud_unavailable:
            return "CloudUnavailable";
        case Reason::instance_not_ready:
            return "InstanceNotReady";
        case Reason::network_ambiguous:
            return "NetworkAmbiguous";
        case Reason::cluster_mode_not_supported:
            return "ClusterModeNotSupported";
        case Reason::token_unprotected:
            return "TokenUnprotected";
    }
    return "CloudUnavailable";
}

bool needs_an_edit(Reason reason) {
    switch (reason) {
        case Reason::network_ambiguous:
        case Reason::cluster_mode_not_supported:
        case Reason::token_unprotected:
            return true;
        case Reason::resolved:
        case Reason::instance_not_found:
        case Reason::permission_denied:
        case Reason::api_disabled:
        case Reason::quota_exhausted:
        case Reason::cloud_unavailable:
        case Reason::instance_not_ready:
            return false;
    }
    return false;
}

std::string_view to_string(AuthChoice choice) {
    switch (choice) {
        case AuthChoice::automatic:
            return "Auto";
        case AuthChoice::google_iam:
            return "GoogleIAM";
        case AuthChoice::password:
            return "Password";
        case AuthChoice::none:
            return "None";
    }
    return "Auto";
}

}  // namespace cvp::providers
