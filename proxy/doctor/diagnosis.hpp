#pragma once

#include <string>
#include <vector>

#include "proxy/view.hpp"

namespace cvp::proxy {

/// What the doctor says of one connection.
struct Diagnosis {
    std::string connection;
    /// Stable: config, resolve, identity, token, name, network, tls, tls-chain, tls-identity, login, topology, reader
    /// or, where nothing is wrong, ok.
    std::string id;
    std::string text;    ///< what is wrong, or what was proven
    std::string remedy;  ///< a command that mends it, or shows more; empty for "ok"

    bool is_ok() const { return id == "ok"; }
    bool operator==(const Diagnosis&) const = default;
};

/// What the doctor cannot read from a View.
struct Patient {
    std::string instance;  ///< of --instance, as it was given; empty: the document is a file
    std::string project;   ///< of --project, or of a full name; empty: not known
    std::string location;
    bool in_kubernetes = false;  ///< remedies are then about the pod's objects
};

/// Whether nothing more is to be learnt by waiting: every port reached its server, or cannot.
bool is_settled(const View& view);

/// Finds, for every connection, the first link of the chain that is broken: configuration, resolution, identity, token,
/// name, network, TLS, login. Pure; those that fail come first.
std::vector<Diagnosis> diagnose(const View& view, const Patient& patient);

/// "✗ sessions: login: …" with the remedy on a line of its own, "✓ sessions: …".
std::string to_string(const std::vector<Diagnosis>& diagnoses);

/// {"connections": [{"name", "id", "ok", "text", "remedy"}]}
std::string to_json(const std::vector<Diagnosis>& diagnoses);

}  // namespace cvp::proxy
