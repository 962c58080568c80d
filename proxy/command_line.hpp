#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/settings.hpp"

namespace cvp::proxy {

/// The command line taken apart, before any value is looked at.
struct CommandLine {
    std::string subcommand;  ///< "", "probe" or "version"
    bool ready = false;      ///< probe --ready
    bool wants_help = false;
    bool wants_version = false;
    std::string help_text;
    /// Values of the flags that were written, by name without dashes. One value each but for `connection`.
    Flags flags;
    Faults faults;  ///< unknown flags and words, missing values
};

/// Takes the arguments apart. The only user of CLI11.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace cvp::proxy
