#pragma once

namespace cvp::proxy {

/// How the process ends. CONTRACT section 7; the numbers are those of sysexits.h.
enum ExitCode : int {
    kExitOk = 0,           ///< after SIGTERM, SIGINT or POST /quitquitquit; a probe that holds
    kExitProbeFailed = 1,  ///< a probe that does not hold
    kExitUsage = 64,       ///< flags, environment or a document are wrong
    kExitCannotBind = 69,  ///< a port or a unix socket cannot be bound
};

}  // namespace cvp::proxy
