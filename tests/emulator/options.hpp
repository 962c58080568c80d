#pragma once

#include <string>
#include <variant>

#include "tests/emulator/emulator.hpp"

namespace cvp::emulator {

/// What the command line comes to when nothing is to be run: a text for stdout or stderr and an exit code.
struct Exit {
    int code = 0;
    std::string text;
};

/// Reads the command line of cloud-valkey-emulator.
std::variant<EmulatorOptions, Exit> parse_options(int argc, const char* const* argv);

}  // namespace cvp::emulator
