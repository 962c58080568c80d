#pragma once

#include <string>
#include <vector>

#include "common/config/settings.hpp"

namespace cvp::op {

/// The command line taken apart, before any value is looked at.
struct CommandLine {
    std::string subcommand;  ///< "", "resolve" or "version"
    bool wants_help = false;
    bool wants_version = false;
    std::string help_text;
    Flags flags;    ///< one value each
    Faults faults;  ///< unknown flags and words, missing values
};

/// Takes the arguments apart. The only user of CLI11.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace cvp::op
