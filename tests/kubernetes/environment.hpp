#pragma once

#include "tests/support/control_plane.hpp"

namespace cvp::test {

/// The control plane that the tests of this process share; the CRDs are there. Each test works in namespaces of its
/// own (make_namespace()) and removes what it made outside them.
ControlPlane& control_plane();

/// Makes a namespace that no other test has, "PREFIX-N", and returns its name.
std::string make_fresh_namespace(const std::string& prefix);

}  // namespace cvp::test
