#pragma once

#include <string>
#include <vector>

#include "common/config/command_line.hpp"

namespace cvp::op {

/// Takes the arguments apart: the operator's flags, and its subcommands "resolve" and "version".
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace cvp::op
