#pragma once

#include <iosfwd>

#include "proxy/config.hpp"
#include "proxy/exit_codes.hpp"

namespace cvp::proxy {

/// The same configuration for a proxy that nobody uses: free ports, no admin server, no unix socket, no word to the
/// service manager, only errors in the log.
Config for_examination(Config config);

/// `cloud-valkey-proxy doctor`: does what serving does, by the same code and beside a proxy that runs, until every
/// connection has reached its server or cannot; then says which link of the chain is broken and prints the command that
/// mends it, on the first lines.
/// @return 0, or 1 if a connection does not reach its server
ExitCode run_doctor(const Config& config, std::ostream& out);

}  // namespace cvp::proxy
