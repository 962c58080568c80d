#pragma once

#include "common/result.hpp"

namespace cvp::test {

/// Moves this process, and every child that it starts from now on, into an empty network namespace of its own with only
/// a loopback device that is up: well-known ports are free there and nobody else is disturbed. Works as root, and as
/// anyone where the kernel allows user namespaces. Must be called before the first thread.
/// @errors permission_denied where neither is allowed; internal
Result<void> enter_network_namespace();

}  // namespace cvp::test
