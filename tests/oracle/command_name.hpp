#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/oracle/program.hpp"

namespace cvp::oracle {

/// Lower case, with the subcommand of a container: "get", "client|id"; "" for what is no command (noise, garbage).
std::string full_name(const Command& command);

/// ASCII letters in lower case.
std::string lower(std::string_view text);

/// Whether it changes its connection's state, as GOALS count it: transactions, subscriptions, protocol, database, …
bool changes_state(std::string_view full_name);

}  // namespace cvp::oracle
