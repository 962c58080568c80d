#pragma once

#include <string>
#include <vector>

#include "common/config/settings.hpp"

namespace cvp {

/// One flag of a program, as --help shows it. The strings outlive the parsing.
struct FlagSpec {
    const char* group;
    const char* name;   ///< without dashes
    const char* value;  ///< what stands for its value in --help; nullptr: a switch
    const char* help;
    const char* letter = "";  ///< "f" where -f is the same
};

struct SubcommandSpec {
    const char* name;
    const char* help;
    std::vector<FlagSpec> flags;
};

/// What a program understands, besides --help and --version.
struct ProgramSpec {
    const char* name;
    const char* description;
    const char* footer;
    std::vector<FlagSpec> flags;  ///< understood before and after a subcommand
    std::vector<SubcommandSpec> subcommands;
};

/// A command line taken apart, before any value is looked at.
struct CommandLine {
    std::string subcommand;  ///< "" or one of the program's
    bool wants_help = false;
    bool wants_version = false;
    std::string help_text;
    Flags flags;    ///< what was written, as often as it was written
    Faults faults;  ///< unknown flags and words
};

/// Takes the arguments (without the program's name) apart. A flag without its value gets no value and is no fault here:
/// whoever reads the settings reports it beside all that is wrong with the others.
CommandLine parse_command_line(const ProgramSpec& program, const std::vector<std::string>& arguments);

}  // namespace cvp
