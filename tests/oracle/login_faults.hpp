#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/result.hpp"
#include "tests/emulator/front.hpp"
#include "tests/oracle/server_under_test.hpp"

namespace cvp::oracle {

/// Refuses, delays and leaves unanswered what the proxy logs in with on connections in use: a TLS front between proxy
/// and server. Clients must not notice, whatever they are doing.
class LoginFaults {
public:
    static Result<LoginFaults> start(const ServerUnderTest& server);

    std::uint16_t port() const { return front_->address().port; }
    /// Before each program: the next kind of fault, and after each of them a program without one, so that the proxy
    /// does not come to wait for half a minute between two tries.
    void next();
    /// What was done, for the report.
    std::string to_string() const;

private:
    explicit LoginFaults(std::unique_ptr<emulator::Front> front) : front_(std::move(front)) {}

    std::unique_ptr<emulator::Front> front_;
    std::uint64_t turn_ = 0;
};

}  // namespace cvp::oracle
