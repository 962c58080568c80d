#pragma once

#include <string>
#include <vector>

#include "operator/webhook/injection.hpp"

namespace cvp::op {

/// A variable that tells the application where a connection is.
struct ApplicationVariable {
    std::string name;
    std::string value;
    bool needs_socket = false;  ///< only for a container in which the sockets' directory is mounted

    bool operator==(const ApplicationVariable&) const = default;
};

/// Builds the variables for every container that starts after the sidecar, in order. CONTRACT section 5.
///
/// Where two connections want one name ("a" with readers: VALKEY_A_READERS_PORT, and "a-readers": the same as its
/// _PORT) the first one in the list has it.
std::vector<ApplicationVariable> build_variables(const Inject& inject);

/// Names that two connections want, see build_variables().
std::vector<std::string> find_ambiguous_variables(const Inject& inject);

}  // namespace cvp::op
