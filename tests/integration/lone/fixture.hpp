#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/emulator_process.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {

/// `cloud-valkey-proxy --instance` against the emulated cloud: no operator, no file, default ports.
///
/// Every test ends with the search for tokens in what the proxy wrote, served and answered.
class LoneProxy : public ::testing::Test {
protected:
    static constexpr auto kName = "projects/my-project/locations/us-central1/instances/my-valkey";
    static constexpr std::uint16_t kPort = 6379;
    static constexpr std::uint16_t kReadersPort = 6380;
    static constexpr std::uint16_t kAdminPort = 9379;

    void TearDown() override;

    /// Starts the emulated cloud with that instance: ":valkey", ":valkey,replica", "" (a record without a server).
    void start_cloud(const std::string& instance_options, std::vector<std::string> more = {});
    EmulatorProcess& cloud() { return *cloud_; }

    /// Starts the proxy; it has what it needs to find the emulated cloud.
    void start_proxy(const std::vector<std::string>& arguments, const std::vector<std::string>& env = {});
    Process& proxy() { return *proxy_; }
    /// Ends it in order and returns its exit code; its log so far is kept.
    int stop_proxy();
    /// Runs the proxy's program to its end, with all of its output.
    CommandResult run_proxy(const std::vector<std::string>& arguments, const std::vector<std::string>& env = {});

    /// One command on a new connection: the reply's text, or why there is none.
    std::string ask(std::uint16_t port, const std::vector<std::string>& words);
    /// Asks until the answer is that one; else the last answer is the failure.
    void expect_answer(std::uint16_t port, const std::vector<std::string>& words, const std::string& answer);
    /// All bytes that a client gets on PING, up to the end of the stream.
    std::string ping_bytes(std::uint16_t port);
    bool is_open(std::uint16_t port);
    std::string page(const std::string& path);
    std::string log() const;

private:
    std::vector<std::string> environment(const std::vector<std::string>& more) const;

    TempDir dir_;
    std::optional<EmulatorProcess> cloud_;
    std::optional<Process> proxy_;
    std::string seen_;  ///< everything that came out of the proxy but its log
};

}  // namespace cvp::test
