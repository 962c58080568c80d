#pragma once

#include <string>
#include <vector>

#include "common/config/command_line.hpp"

namespace cvp::proxy {

inline constexpr const char* kReadyFlag = "ready";  ///< of the subcommand probe

/// Takes the arguments apart: the proxy's flags, and its subcommands "probe" and "version".
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace cvp::proxy
