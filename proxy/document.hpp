#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/contract/resolved_connection.hpp"
#include "common/fault.hpp"
#include "common/secret.hpp"

namespace cvp::proxy {

/// What we show to a server that asks who we are: PEM, the leaf first.
struct ClientCertificate {
    std::string certificate_pem;
    Secret key_pem;

    bool operator==(const ClientCertificate&) const = default;
};

/// A resolved connection that this version can serve, with what the files beside it hold.
struct Document {
    ResolvedConnection connection;   ///< tls.ca holds caFile's certificates too; auth.username is usernameFile's
    std::optional<Secret> password;  ///< passwordFile's, without its last newline; nothing while the file is not there
    std::vector<Fault> warnings;     ///< unknown keys
    std::optional<ClientCertificate> certificate = std::nullopt;  ///< of tls.crt and tls.key; nothing without TLS
    std::optional<Secret> client_password = std::nullopt;         ///< of client-password: what clients log in with

    bool operator==(const Document&) const = default;
};

/// What in a document this version cannot serve, or must not: an IAM token without a verified server would reach
/// whoever answers.
/// @param expected_name what --connection calls it; empty: any name
std::vector<Fault> find_unservable(const ResolvedConnection& connection, std::string_view expected_name);

/// Reads connection.yaml, checks it, and reads the files beside it: those that it names, tls.crt with tls.key, and
/// client-password. Files for credentials and CA may be missing: they come from a Secret that may not be there yet.
/// @return the document, or everything that is wrong with it, one line each, naming file and key path
tl::expected<Document, std::string> load_document(const std::filesystem::path& file, std::string_view expected_name);

}  // namespace cvp::proxy
