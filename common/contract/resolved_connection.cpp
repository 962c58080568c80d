#include "common/contract/resolved_connection.hpp"

#include <algorithm>
#include <utility>

namespace cvp {

const Endpoint* ResolvedConnection::find(EndpointRole role) const {
    const auto found =
        std::find_if(endpoints.begin(), endpoints.end(), [role](const Endpoint& e) { return e.role == role; });
    return found == endpoints.end() ? nullptr : &*found;
}

bool same_but_for_time(const ResolvedConnection& a, const ResolvedConnection& b) {
    auto same_time = b;
    same_time.instance.changed_at = a.instance.changed_at;
    return a == same_time;
}

void carry_changed_at(const ResolvedConnection* old, ResolvedConnection& fresh, std::string now) {
    const bool unchanged = old != nullptr && same_but_for_time(*old, fresh);
    fresh.instance.changed_at = unchanged ? old->instance.changed_at : std::move(now);
}

std::string_view to_string(Topology value) {
    switch (value) {
        case Topology::standalone:
            return "Standalone";
        case Topology::cluster:
            return "Cluster";
        case Topology::sentinel:
            return "Sentinel";
    }
    return "Standalone";
}

std::string_view to_string(EndpointRole value) {
    return value == EndpointRole::primary ? "primary" : "reader";
}

std::string_view to_string(TlsMode value) {
    return value == TlsMode::required ? "Required" : "Disabled";
}

std::string_view to_string(AuthMode value) {
    switch (value) {
        case AuthMode::google_iam:
            return "GoogleIAM";
        case AuthMode::password:
            return "Password";
        case AuthMode::none:
            return "None";
    }
    return "None";
}

std::string_view to_string(ClientAuth value) {
    switch (value) {
        case ClientAuth::accept:
            return "Accept";
        case ClientAuth::require:
            return "Require";
        case ClientAuth::reject:
            return "Reject";
    }
    return "Accept";
}

}  // namespace cvp

namespace cvp::tls {

std::string_view to_string(Verify value) {
    switch (value) {
        case Verify::full:
            return "Full";
        case Verify::chain_only:
            return "ChainOnly";
        case Verify::none:
            return "None";
    }
    return "Full";
}

std::string_view to_string(MinVersion value) {
    return value == MinVersion::tls1_2 ? "1.2" : "1.3";
}

}  // namespace cvp::tls
