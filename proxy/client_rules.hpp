#pragma once

#include <optional>
#include <string>

#include "common/contract/resolved_connection.hpp"
#include "common/secret.hpp"
#include "proxy/session/client_policy.hpp"

namespace cvp::proxy {

/// What the command line says about the clients of every connection, above what documents say.
struct ClientRules {
    std::optional<ClientAuth> mode;    ///< in place of proxy.clientAuth
    bool demands_certificate = false;  ///< TLS lets nobody in by TCP without a certificate of the client CA
    bool is_exposed = false;           ///< other machines can reach the ports, and nobody said that they may

    bool operator==(const ClientRules&) const = default;
};

/// What the clients of a connection must show. Pure.
/// @param mode of the document, overridden as the rules say
/// @param password the flag's, else the document's; nothing while there is none
ClientPolicy build_client_policy(ClientAuth mode, std::optional<Secret> password, const ClientRules& rules);

/// Why a connection must not be served: it would be open to everybody who can reach this machine. Pure.
/// @param mode as above
/// @return a sentence that names both ways out; nothing if it may be served
std::optional<std::string> find_exposure(ClientAuth mode, const ClientRules& rules);

}  // namespace cvp::proxy
