#include "tests/integration/proxy/fixture.hpp"

#include <iostream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "common/http/url.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"

namespace cvp::test {
namespace {

using Json = nlohmann::json;

}  // namespace

ProxyFixture::ProxyFixture(const std::string& instance_options) {
    std::filesystem::create_directories(dir_.path() / "emulator");
    auto emulator = EmulatorProcess::start(CVP_EMULATOR_BINARY, dir_.path() / "emulator",
                                           {"--instance", kInstance + instance_options});
    if (!emulator) throw std::runtime_error(to_string(emulator.error()));
    emulator_ = std::move(*emulator);
}

void ProxyFixture::TearDown() {
    if (!proxy_) return;
    const auto tokens = emulator_->tokens();
    ASSERT_TRUE(tokens) << to_string(tokens.error());
    auto evidence = proxy_->evidence();
    evidence.insert(evidence.end(), seen_.begin(), seen_.end());
    EXPECT_FALSE(evidence.front().text.empty()) << "the proxy logged nothing: the search would prove nothing";
    for (const auto& leak : find_leaks(evidence, *tokens))
        ADD_FAILURE() << leak;
    if (HasFailure()) std::cerr << "proxy's log:\n" << tail_of(proxy_->process().log_file(), 40) << '\n';
}

Json ProxyFixture::api(const std::string& path) const {
    const auto token = emulator_->mint();
    if (!token) throw std::runtime_error(to_string(token.error()));
    http::Request request;
    request.target = "/v1/" + path;
    request.headers.set("Authorization", "Bearer " + *token);
    const auto url = http::parse_url(emulator_->rest_base());
    const auto response = http_call(url->origin.host, url->origin.port, request);
    if (!response || response->status != 200) throw std::runtime_error("the emulated API does not answer " + path);
    return Json::parse(response->body);
}

ResolvedConnection ProxyFixture::document() const {
    const auto instance = api(kInstance);
    ResolvedConnection connection;
    connection.name = "sessions";
    for (const auto& detail : instance.at("endpoints").at(0).at("connections")) {
        const auto& psc = detail.at("pscAutoConnection");
        if (psc.at("connectionType") != "CONNECTION_TYPE_PRIMARY") continue;
        connection.endpoints.push_back({EndpointRole::primary, psc.at("ipAddress"), psc.at("port")});
        connection.tls.identities = {"ip:" + psc.at("ipAddress").get<std::string>()};
    }
    const auto authority = api(std::string(kInstance) + "/certificateAuthority");
    for (const auto& chain : authority.at("managedServerCa").at("caCerts"))
        connection.tls.ca += chain.at("certificates").at(0).get<std::string>();
    connection.instance.provider = "memorystoreValkey";
    connection.instance.full_name = kInstance;
    connection.auth.mode = AuthMode::google_iam;
    connection.auth.username = "default";
    connection.auth.scope = "https://www.googleapis.com/auth/cloud-platform";
    return connection;
}

void ProxyFixture::write_text(const std::string& yaml) const {
    const auto draft = dir_.write("config/draft", yaml);
    std::filesystem::rename(draft, draft.parent_path() / "connection.yaml");
}

ProxyProcess& ProxyFixture::start_proxy(const std::vector<std::string>& arguments) {
    return start_proxy_from(CVP_PROXY_BINARY, arguments);
}

ProxyProcess& ProxyFixture::start_proxy_from(const std::filesystem::path& binary,
                                             const std::vector<std::string>& arguments) {
    ProxyOptions options;
    options.binary = binary;
    options.arguments = {"--config=" + (dir_.path() / "config/connection.yaml").string()};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.env = env_;
    options.env.push_back("GCE_METADATA_HOST=" + emulator_->metadata_host());
    options.log_file = dir_.path() / "proxy.log";
    auto proxy = ProxyProcess::start(options);
    if (!proxy) throw std::runtime_error(to_string(proxy.error()));
    proxy_ = std::move(*proxy);
    return *proxy_;
}

void ProxyFixture::await_login() {
    ASSERT_TRUE(answers_pong_within(std::chrono::seconds(20))) << "no login:\n"
                                                               << tail_of(proxy_->process().log_file(), 40);
}

void ProxyFixture::await_token() {
    ASSERT_TRUE(eventually([&] { return proxy_->metric("cloudvalkey_proxy_token_refreshes_total") >= 1; }))
        << "no token:\n"
        << tail_of(proxy_->process().log_file(), 40);
}

void ProxyFixture::act(const std::string& verb, const nlohmann::json& body) const {
    const auto done = emulator_->admin("POST", std::string("instances/") + kInstance + ":" + verb, body);
    if (!done) throw std::runtime_error(to_string(done.error()));
}

void ProxyFixture::act(const std::string& verb) const {
    act(verb, nlohmann::json());
}

std::string ProxyFixture::ask(const std::vector<std::string>& words, std::chrono::milliseconds limit) {
    auto answer = proxy_->ask(words, limit);
    keep("answer to a client", answer);
    return answer;
}

bool ProxyFixture::answers_pong_within(std::chrono::milliseconds limit) {
    return eventually([&] { return ask({"PING"}) == "+PONG"; }, limit);
}

}  // namespace cvp::test
