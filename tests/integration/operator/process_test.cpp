// The operator's binary where no cluster is needed.
#include "tests/support/process.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/async/asio.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using asio::ip::tcp;
using testing::HasSubstr;

CommandResult run_operator(const std::vector<std::string>& arguments) {
    ProcessOptions options;
    options.argv = {CVP_OPERATOR_BINARY, "--proxy-image=proxy:1"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    const auto result = run_command(options);
    if (!result) throw std::runtime_error(to_string(result.error()));
    return *result;
}

TEST(OperatorProcess, exits_69_and_names_the_port_that_is_taken) {
    const TempDir dir;
    const auto kubeconfig = dir.write("kubeconfig", R"({"current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}]})");
    asio::io_context io;
    tcp::acceptor taken(io, {tcp::v6(), 0});
    const auto taken_port = std::to_string(taken.local_endpoint().port());
    const std::vector<std::string> flags{"--webhook-port=", "--metrics-port=", "--probe-port="};
    for (const auto& flag : flags) {
        std::vector<std::string> arguments{"--kubeconfig=" + kubeconfig.string()};
        for (const auto& other : flags)
            arguments.push_back(other + (other == flag ? taken_port : std::to_string(free_port().value())));
        const auto result = run_operator(arguments);
        EXPECT_EQ(result.status, 69) << flag << result.err;
        EXPECT_THAT(result.err, HasSubstr(":" + taken_port + ": Address already in use")) << flag;
    }
}

TEST(OperatorProcess, exits_64_with_every_fault_of_the_command_line) {
    const auto result = run_operator({"--webhook-port=70000", "--log-level=loud"});
    EXPECT_EQ(result.status, 64);
    EXPECT_THAT(result.err, testing::AllOf(HasSubstr("--webhook-port: "), HasSubstr("--log-level: ")));
}

}  // namespace
}  // namespace cvp::test
