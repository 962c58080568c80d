#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/contract/resolved_connection.hpp"
#include "tests/support/proxy_process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {

/// The real proxy in front of a real Valkey that no cloud manages: it speaks TLS, and its login and CA come from files
/// beside the document, as from a Secret.
///
/// Every test ends with the search for passwords and keys in what the proxy wrote, served and answered.
class OwnServerFixture : public ::testing::Test {
protected:
    static constexpr auto kPassword = "canary-one";

    OwnServerFixture();
    void TearDown() override;

    /// Starts the server; `lines` are of valkey.conf.
    void start_server(std::vector<std::string> lines = {});
    ValkeyServer& server() { return *server_; }

    /// What the operator writes for `endpoints`: CA, username and password are files.
    ResolvedConnection document() const;
    /// Makes it the proxy's connection.yaml, in one step.
    void write(const ResolvedConnection& connection) const;
    /// A file beside the document, in one step.
    void write_beside(const std::string& name, std::string_view content) const;
    void show_certificate(const crypto::CertificateAndKey& certificate) const;

    ProxyProcess& start_proxy(const std::vector<std::string>& arguments = {}, const std::vector<std::string>& env = {});
    ProxyProcess& proxy() { return *proxy_; }
    std::filesystem::path config_dir() const { return dir_.path() / "config"; }

    /// One command on a new plain connection: the reply's text, or the error's.
    std::string ask(const std::vector<std::string>& words);
    /// One command on a client of the test's.
    std::string ask(RespClient& client, const std::vector<std::string>& words);
    /// Asks until the answer is that one; else the last answer is the failure.
    void expect_answer(const std::vector<std::string>& words, const std::string& answer);
    /// Text that was seen outside the proxy and must hold no secret.
    std::string keep(std::string text);
    /// A secret that must show nowhere.
    Secret secret(const std::string& value);

    TempDir dir_;
    TestCa ca_;

private:
    std::optional<ValkeyServer> server_;
    std::optional<ProxyProcess> proxy_;
    std::vector<Evidence> seen_;
    std::vector<std::string> secrets_;
};

}  // namespace cvp::test
