#pragma once

#include <string>

#include "proxy/document.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::proxy {

/// PEM of one certificate, made once per process.
inline const std::string& sample_ca() {
    static const std::string pem = test::TestCa().pem();
    return pem;
}

/// A connection as the operator resolves it: one primary, IAM, TLS verified in full.
inline ResolvedConnection sample_connection() {
    ResolvedConnection connection;
    connection.name = "sessions";
    connection.endpoints = {{EndpointRole::primary, "10.0.0.3", 6379}};
    connection.instance = {"memorystoreValkey", "projects/p/locations/l/instances/i", 3, "2026-11-20T12:00:00Z"};
    connection.tls.identities = {"ip:10.0.0.3"};
    connection.tls.ca = sample_ca();
    connection.auth.mode = AuthMode::google_iam;
    connection.auth.username = "default";
    connection.auth.scope = "https://www.googleapis.com/auth/cloud-platform";
    return connection;
}

inline Document sample_document() {
    Document document;
    document.connection = sample_connection();
    return document;
}

}  // namespace cvp::proxy
