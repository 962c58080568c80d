#pragma once

#include <string_view>

namespace cvp::proxy {

/// Version of this build, e.g. "0.1.0"; it is the CMake project's.
std::string_view version();

}  // namespace cvp::proxy
