#include "tests/integration/lone/fixture.hpp"

#include <csignal>
#include <iostream>
#include <stdexcept>

#include "tests/support/canary.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"
#include "tests/support/read_file.hpp"
#include "tests/support/resp_client.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

}  // namespace

void LoneProxy::TearDown() {
    if (!cloud_) return;
    if (proxy_ && proxy_->is_running()) {
        for (const auto* path : {"/status", "/metrics", "/startup", "/readyz", "/livez"})
            page(path);
    }
    const auto tokens = cloud_->tokens();
    ASSERT_TRUE(tokens) << to_string(tokens.error());
    for (const auto& leak : find_leaks({{"log", log()}, {"answers", seen_}}, *tokens))
        ADD_FAILURE() << leak;
    if (HasFailure()) std::cerr << "proxy's log:\n" << tail_of(dir_.path() / "proxy.log", 40) << '\n';
}

void LoneProxy::start_cloud(const std::string& instance_options, std::vector<std::string> more) {
    std::filesystem::create_directories(dir_.path() / "cloud");
    more.insert(more.end(), {"--instance", kName + instance_options});
    auto cloud = EmulatorProcess::start(CVP_EMULATOR_BINARY, dir_.path() / "cloud", more);
    if (!cloud) throw std::runtime_error(to_string(cloud.error()));
    cloud_ = std::move(*cloud);
}

std::vector<std::string> LoneProxy::environment(const std::vector<std::string>& more) const {
    auto env = more;
    if (!cloud_) return env;
    env.push_back("CVP_GOOGLE_API_BASE=" + cloud_->rest_base());
    env.push_back("GCE_METADATA_HOST=" + cloud_->metadata_host());
    return env;
}

void LoneProxy::start_proxy(const std::vector<std::string>& arguments, const std::vector<std::string>& env) {
    ProcessOptions options;
    options.argv = {CVP_PROXY_BINARY, "--log-level=debug"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.env = environment(env);
    options.log_file = dir_.path() / "proxy.log";
    auto proxy = Process::start(options);
    if (!proxy) throw std::runtime_error(to_string(proxy.error()));
    proxy_ = std::move(*proxy);
    if (!eventually([&] { return !proxy_->is_running() || is_open(kAdminPort); }, 20s) || !proxy_->is_running()) {
        throw std::runtime_error("the proxy did not start:\n" + tail_of(options.log_file));
    }
}

int LoneProxy::stop_proxy() {
    const int status = proxy_->stop();
    proxy_.reset();
    return status;
}

CommandResult LoneProxy::run_proxy(const std::vector<std::string>& arguments, const std::vector<std::string>& env) {
    ProcessOptions options;
    options.argv = {CVP_PROXY_BINARY};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.env = environment(env);
    const auto result = run_command(options);
    if (!result) throw std::runtime_error(to_string(result.error()));
    seen_ += result->out + result->err;
    return *result;
}

std::string LoneProxy::ask(std::uint16_t port, const std::vector<std::string>& words) {
    auto client = RespClient::connect("127.0.0.1", port);
    if (!client) return to_string(client.error());
    const auto reply = client->command(words);
    const auto text = reply ? to_string(*reply) : to_string(reply.error());
    seen_ += text;
    return text;
}

void LoneProxy::expect_answer(std::uint16_t port, const std::vector<std::string>& words, const std::string& answer) {
    std::string last;
    EXPECT_TRUE(eventually([&] { return (last = ask(port, words)) == answer; }, 20s)) << "last answer: " << last;
}

std::string LoneProxy::ping_bytes(std::uint16_t port) {
    auto client = RespClient::connect("127.0.0.1", port);
    if (!client) return to_string(client.error());
    if (const auto sent = client->send(encode_command({"PING"})); !sent) return to_string(sent.error());
    const auto bytes = client->read_to_end();
    const auto text = bytes ? *bytes : to_string(bytes.error());
    seen_ += text;
    return text;
}

bool LoneProxy::is_open(std::uint16_t port) {
    return RespClient::connect("127.0.0.1", port).has_value();
}

std::string LoneProxy::page(const std::string& path) {
    const auto response = http_get("127.0.0.1", kAdminPort, path);
    const auto body = response ? response->body : to_string(response.error());
    seen_ += body;
    return body;
}

std::string LoneProxy::log() const {
    return read_file(dir_.path() / "proxy.log");
}

}  // namespace cvp::test
