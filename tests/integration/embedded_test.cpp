// <cvp/proxy.hpp>: the proxy in another program's process, and as that program's CMake finds it.

#include "proxy/embedded.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/emulator_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/resp_client.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/valkey_server.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using testing::HasSubstr;

class Embedded : public testing::Test {
protected:
    static constexpr auto kName = "projects/my-project/locations/us-central1/instances/my-valkey";

    Embedded() {
        std::filesystem::create_directories(dir_.path() / "cloud");
        cloud_ = value_or_throw(EmulatorProcess::start(CVP_EMULATOR_BINARY, dir_.path() / "cloud",
                                                       {"--instance", std::string(kName) + ":valkey"}));
        ::setenv("CVP_GOOGLE_API_BASE", cloud_->rest_base().c_str(), 1);
        ::setenv("GCE_METADATA_HOST", cloud_->metadata_host().c_str(), 1);
    }

    static std::string ask(const EmbeddedProxy& proxy, const std::vector<std::string>& words) {
        auto client = RespClient::connect("127.0.0.1", proxy.port());
        if (!client) return to_string(client.error());
        const auto reply = client->command(words);
        return reply ? to_string(*reply) : to_string(reply.error());
    }

    TempDir dir_{"cvp-embedded"};
    std::optional<EmulatorProcess> cloud_;
    std::string last_;  ///< what a command printed
};

TEST_F(Embedded, serves_for_as_long_as_it_lives) {
    std::uint16_t port = 0;
    {
        EmbeddedProxy proxy({"--instance=my-valkey", "--log-level=error"});
        port = proxy.port();
        EXPECT_EQ(proxy.wait_until_ready(), "");
        EXPECT_EQ(ask(proxy, {"SET", "k", "v"}), "+OK");
        EXPECT_EQ(ask(proxy, {"GET", "k"}), "\"v\"");
        const auto status = nlohmann::json::parse(proxy.status());
        EXPECT_EQ(status["connections"][0]["name"], "my-valkey");
    }
    EXPECT_FALSE(RespClient::connect("127.0.0.1", port)) << "its port is free again";
}

TEST_F(Embedded, lives_beside_another_one_and_leaves_signals_to_the_program) {
    const auto before = std::signal(SIGTERM, SIG_DFL);
    EmbeddedProxy first({"--instance=my-valkey", "--log-level=error"});
    EmbeddedProxy second({"--instance=my-valkey", "--log-level=error"});
    EXPECT_EQ(std::signal(SIGTERM, before), SIG_DFL);
    EXPECT_NE(first.port(), second.port());
    EXPECT_EQ(first.wait_until_ready(), "");
    EXPECT_EQ(second.wait_until_ready(), "");
    first.stop();
    first.stop();
    EXPECT_THAT(first.status(), HasSubstr("my-valkey")) << "what was known at the end";
    EXPECT_EQ(ask(second, {"PING"}), "+PONG");
}

TEST_F(Embedded, may_be_asked_by_several_threads_while_it_ends) {
    EmbeddedProxy proxy({"--instance=my-valkey", "--log-level=error"});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int k = 0; k < 50; ++k)
                EXPECT_FALSE(proxy.status().empty());
        });
    proxy.stop();
    for (auto& thread : threads)
        thread.join();
}

TEST_F(Embedded, may_be_ended_by_its_admin_port) {
    const auto admin = value_or_throw(free_port());
    EmbeddedProxy proxy(
        {"--instance=my-valkey", "--log-level=error", "--admin-listen=127.0.0.1:" + std::to_string(admin)});
    EXPECT_EQ(proxy.wait_until_ready(), "");
    ProcessOptions options;
    options.argv = {"/usr/bin/env", "curl", "-sS",
                    "-X",           "POST", "http://127.0.0.1:" + std::to_string(admin) + "/quitquitquit"};
    EXPECT_EQ(value_or_throw(run_command(options)).status, 0);
    EXPECT_TRUE(eventually([&] { return !RespClient::connect("127.0.0.1", proxy.port()); }));
    EXPECT_THAT(proxy.status(), HasSubstr("my-valkey"));
    proxy.stop();
}

TEST_F(Embedded, says_why_it_is_not_ready) {
    EmbeddedProxy proxy({"--instance=other", "--log-level=error"});
    EXPECT_THAT(proxy.wait_until_ready(std::chrono::milliseconds(500)), HasSubstr("other"));
}

TEST_F(Embedded, throws_what_the_program_would_print) {
    try {
        EmbeddedProxy proxy({"--instance=x", "--refresh-interval=soon"});
        FAIL();
    } catch (const std::invalid_argument& fault) {
        EXPECT_THAT(fault.what(), HasSubstr("--refresh-interval"));
    }
    EXPECT_THROW(EmbeddedProxy({"version"}), std::invalid_argument);
    EXPECT_THROW(EmbeddedProxy({"--config=/nonexistent/connection.yaml"}), std::invalid_argument);
    EmbeddedProxy proxy({"--instance=my-valkey", "--log-level=error"});
    EXPECT_THROW(EmbeddedProxy({"--instance=my-valkey", "--port=" + std::to_string(proxy.port())}), std::runtime_error);
}

TEST_F(Embedded, is_found_by_cmake_where_it_is_installed) {
    const auto* release = std::getenv("CVP_RELEASE_DIR");
    const auto run = [&](std::vector<std::string> argv) {
        ProcessOptions options;
        options.argv = std::move(argv);
        const auto ended = value_or_throw(run_command(options, {}, std::chrono::minutes(3)));
        ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
        last_ = ended.out;
    };
    const auto prefix = (dir_.path() / "prefix").string();
    const auto build = (dir_.path() / "build").string();
    run({"/usr/bin/env", "cmake", "--install", release != nullptr ? release : CVP_RELEASE_DIR_DEFAULT,
         "--component=library", "--prefix=" + prefix});
    run({"/usr/bin/env", "cmake", "-S", source_path("examples/embedded").string(), "-B", build,
         "-DCMAKE_PREFIX_PATH=" + prefix});
    run({"/usr/bin/env", "cmake", "--build", build});
    run({build + "/embedded", "--instance=my-valkey", "--log-level=error"});
    EXPECT_THAT(last_, HasSubstr(" says +PONG"));
}

}  // namespace
}  // namespace cvp::test
