#pragma once

#include <string>

namespace cvp::op {

/// The machine's name: in Kubernetes the pod's. "" where there is none.
std::string host_name();

}  // namespace cvp::op
