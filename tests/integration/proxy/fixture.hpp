#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/contract/resolved_connection.hpp"
#include "tests/support/emulator_process.hpp"
#include "tests/support/proxy_process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::test {

/// The real proxy in front of the emulated cloud's real Valkey, by a document as the operator writes it.
///
/// Every test ends with the search for tokens: none that the emulator ever minted may show, in any form, in what the
/// proxy wrote, served or answered.
class ProxyFixture : public ::testing::Test {
protected:
    static constexpr auto kInstance = "projects/my-project/locations/us-central1/instances/my-valkey";
    static constexpr auto kNoAuth = "-NOAUTH Authentication required.";

    /// @param instance_options of the emulated instance: instance_request.hpp
    explicit ProxyFixture(const std::string& instance_options = ":valkey");
    void TearDown() override;

    /// What the emulated API says of the instance at this moment: address, CA and identity, and an IAM login.
    ResolvedConnection document() const;
    /// Makes it the proxy's connection.yaml, in one step, as the kubelet would.
    void write(const ResolvedConnection& connection) const { write_text(write_resolved_connection(connection)); }
    void write_text(const std::string& yaml) const;

    /// Starts the proxy on the document that was written.
    ProxyProcess& start_proxy(const std::vector<std::string>& arguments = {});
    ProxyProcess& start_proxy_from(const std::filesystem::path& binary, const std::vector<std::string>& arguments = {});
    ProxyProcess& proxy() { return *proxy_; }
    /// Waits until the proxy has logged in for the first time, or fails the test.
    void await_login();

    /// Waits until the proxy has a token to log in with, or fails the test.
    void await_token();

    EmulatorProcess& emulator() { return *emulator_; }
    /// An action of the admin API on the instance: "kill", "start", "pause", "resume", "move", …
    void act(const std::string& verb, const nlohmann::json& body) const;
    void act(const std::string& verb) const;

    /// Text that was seen outside the proxy and must hold no token either.
    void keep(const std::string& name, const std::string& text) { seen_.push_back({name, text}); }
    /// One command on a new connection; what came back is kept as evidence.
    std::string ask(const std::vector<std::string>& words, std::chrono::milliseconds limit = std::chrono::seconds(10));
    /// Whether a new connection gets PONG within `limit`, however often it has to try.
    bool answers_pong_within(std::chrono::milliseconds limit);

    std::vector<std::string> env_;  ///< more environment of the proxy
    TempDir dir_;
    TestCa own_ca_;  ///< for servers of the test's own

private:
    nlohmann::json api(const std::string& path) const;

    std::optional<EmulatorProcess> emulator_;
    std::optional<ProxyProcess> proxy_;
    std::vector<Evidence> seen_;
};

}  // namespace cvp::test
