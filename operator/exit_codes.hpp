#pragma once

namespace cvp::op {

/// How the process ends. CONTRACT section 7; the numbers are those of sysexits.h.
enum ExitCode : int {
    kExitOk = 0,           ///< after SIGTERM or SIGINT
    kExitFailed = 1,       ///< resolve: the cloud gave no usable answer; selftest: pods are not injected
    kExitUsage = 64,       ///< flags, environment or a file are wrong
    kExitCannotBind = 69,  ///< a port cannot be bound
    kExitLeaseLost = 75,   ///< no longer the leader: whoever restarts us gets a follower
};

}  // namespace cvp::op
