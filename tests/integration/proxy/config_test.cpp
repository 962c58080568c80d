// A configuration that cannot work ends the process at once: exit code 64 and a message that says what to do.
#include <gtest/gtest.h>

#include "common/contract/resolved_connection.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::test {
namespace {

constexpr int kUsage = 64;

class ProxyConfigTest : public ::testing::Test {
protected:
    /// Runs the proxy on `file`; it must end by itself.
    CommandResult run(const std::filesystem::path& file) {
        ProcessOptions options;
        options.argv = {CVP_PROXY_BINARY, "--config", file.string(), "--admin-listen", "off"};
        auto result = run_command(options);
        if (!result) throw std::runtime_error(to_string(result.error()));
        return std::move(*result);
    }
    CommandResult run_text(const std::string& yaml) { return run(dir_.write("connection.yaml", yaml)); }

    std::string good() const {
        ResolvedConnection connection;
        connection.name = "sessions";
        connection.endpoints = {{EndpointRole::primary, "127.0.0.1", 6379}};
        connection.tls.identities = {"ip:127.0.0.1"};
        connection.tls.ca = TestCa().pem();
        connection.auth.mode = AuthMode::google_iam;
        connection.auth.username = "default";
        return write_resolved_connection(connection);
    }
    static std::string replaced(std::string text, const std::string& from, const std::string& to) {
        const auto at = text.find(from);
        if (at == std::string::npos) throw std::runtime_error("the document has no " + from);
        return text.replace(at, from.size(), to);
    }

    static void expect_refused(const CommandResult& result, const std::vector<std::string>& words) {
        EXPECT_EQ(result.status, kUsage) << result.err;
        for (const auto& word : words)
            EXPECT_NE(result.err.find(word), std::string::npos) << "no \"" << word << "\" in: " << result.err;
    }

    TempDir dir_;
};

TEST_F(ProxyConfigTest, a_missing_file) {
    expect_refused(run(dir_.path() / "nowhere.yaml"), {"nowhere.yaml", "No such file"});
}

TEST_F(ProxyConfigTest, an_empty_file) {
    expect_refused(run_text(""), {"connection.yaml", "empty"});
}

TEST_F(ProxyConfigTest, a_truncated_file) {
    const auto whole = good();
    expect_refused(run_text(whole.substr(0, whole.find("identities") + 14)), {"connection.yaml"});
}

TEST_F(ProxyConfigTest, a_wrong_type) {
    expect_refused(run_text(replaced(good(), "6379", "\"many\"")), {"connection.yaml", "endpoints[0].port"});
}

TEST_F(ProxyConfigTest, an_unknown_version) {
    expect_refused(run_text(replaced(good(), "cloudvalkey.dev/v1alpha1", "cloudvalkey.dev/v9")),
                   {"connection.yaml", "apiVersion", "cloudvalkey.dev/v9", "cloudvalkey.dev/v1alpha1"});
}

TEST_F(ProxyConfigTest, every_fault_at_once) {
    const auto twice = replaced(replaced(good(), "6379", "70000"), "mode: GoogleIAM", "mode: Guess");
    expect_refused(run_text(twice), {"endpoints[0].port", "auth.mode"});
}

TEST_F(ProxyConfigTest, a_directory_in_place_of_the_file) {
    expect_refused(run(dir_.path()), {dir_.path().string()});
}

}  // namespace
}  // namespace cvp::test
