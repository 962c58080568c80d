#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "tests/oracle/server_under_test.hpp"
#include "tests/support/proxy_process.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::oracle {

/// The real proxy in front of the server under test, or of what stands before that: TLS with full verification, and a
/// password.
class ProxyUnderTest {
public:
    /// @param port where the server, or what stands before it, is reached
    /// @param environment on top of ours: "NAME=value"
    static Result<ProxyUnderTest> start(const std::filesystem::path& binary, const ServerUnderTest& server,
                                        std::uint16_t port, const std::vector<std::string>& environment);

    std::uint16_t port() const { return process_->port(); }
    /// The end of its log, for a report.
    std::string log() const;

private:
    ProxyUnderTest() = default;

    std::unique_ptr<test::TempDir> dir_;
    std::unique_ptr<test::ProxyProcess> process_;
};

}  // namespace cvp::oracle
