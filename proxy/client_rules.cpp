#include "proxy/client_rules.hpp"

#include <utility>

#include <fmt/core.h>

namespace cvp::proxy {

ClientPolicy build_client_policy(ClientAuth mode, std::optional<Secret> password, const ClientRules& rules) {
    ClientPolicy policy;
    policy.mode = mode;
    policy.certificate_is_enough = rules.demands_certificate && !password;
    policy.password = std::move(password);
    return policy;
}

std::optional<std::string> find_exposure(ClientAuth mode, const ClientRules& rules) {
    if (!rules.is_exposed || rules.demands_certificate || mode == ClientAuth::require) return std::nullopt;
    return fmt::format(
        "other machines can reach the --listen address and clientAuth: {} asks them for nothing: set clientAuth: "
        "Require "
        "(--client-auth=require) with a password (--client-password-file), or demand client certificates "
        "(--listen-client-ca); or add --allow-open-listen if that is meant",
        to_string(mode));
}

}  // namespace cvp::proxy
