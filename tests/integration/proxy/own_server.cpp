#include "tests/integration/proxy/own_server.hpp"

#include <iostream>
#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace cvp::test {

OwnServerFixture::OwnServerFixture() {
    secret(kPassword);
    write_beside("password", kPassword);
    write_beside("ca.crt", ca_.pem());
}

void OwnServerFixture::TearDown() {
    if (!proxy_) return;
    auto evidence = proxy_->process().is_running() ? proxy_->evidence() : std::vector<Evidence>();
    evidence.insert(evidence.end(), seen_.begin(), seen_.end());
    for (const auto& leak : find_leaks(evidence, secrets_))
        ADD_FAILURE() << leak;
    if (HasFailure()) std::cerr << "proxy's log:\n" << tail_of(proxy_->process().log_file(), 40) << '\n';
}

void OwnServerFixture::start_server(std::vector<std::string> lines) {
    ValkeyOptions options;
    options.dir = dir_.path() / "server";
    std::filesystem::create_directories(options.dir);
    options.tls = ca_.valkey();
    options.passwords = {Secret(kPassword)};
    options.extra_lines = std::move(lines);
    auto server = ValkeyServer::start(std::move(options));
    if (!server) throw std::runtime_error(to_string(server.error()));
    server_ = std::move(*server);
}

ResolvedConnection OwnServerFixture::document() const {
    ResolvedConnection connection;
    connection.name = "sessions";
    connection.endpoints = {{EndpointRole::primary, "127.0.0.1", server_->port()}};
    connection.instance.provider = "endpoints";
    connection.tls.ca_file = "ca.crt";
    connection.auth.mode = AuthMode::password;
    connection.auth.username_file = "username";
    connection.auth.password_file = "password";
    return connection;
}

void OwnServerFixture::write(const ResolvedConnection& connection) const {
    write_beside("connection.yaml", write_resolved_connection(connection));
}

void OwnServerFixture::write_beside(const std::string& name, std::string_view content) const {
    const auto draft = dir_.write("drafts/" + name, content);
    std::filesystem::create_directories(config_dir());
    std::filesystem::rename(draft, config_dir() / name);
}

void OwnServerFixture::show_certificate(const crypto::CertificateAndKey& certificate) const {
    write_beside("tls.crt", certificate.certificate_pem);
    write_beside("tls.key", certificate.key_pem.reveal());
}

ProxyProcess& OwnServerFixture::start_proxy(const std::vector<std::string>& arguments,
                                            const std::vector<std::string>& env) {
    ProxyOptions options;
    options.binary = CVP_PROXY_BINARY;
    options.arguments = {"--config=" + (config_dir() / "connection.yaml").string()};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.env = env;
    options.log_file = dir_.path() / "proxy.log";
    auto proxy = ProxyProcess::start(options);
    if (!proxy) throw std::runtime_error(to_string(proxy.error()));
    proxy_ = std::move(*proxy);
    return *proxy_;
}

std::string OwnServerFixture::ask(const std::vector<std::string>& words) {
    return keep(proxy_->ask(words));
}

std::string OwnServerFixture::ask(RespClient& client, const std::vector<std::string>& words) {
    const auto reply = client.command(words);
    return keep(reply ? to_string(*reply) : to_string(reply.error()));
}

void OwnServerFixture::expect_answer(const std::vector<std::string>& words, const std::string& answer) {
    std::string last;
    EXPECT_TRUE(eventually([&] { return (last = ask(words)) == answer; })) << "last answer: " << last;
}

std::string OwnServerFixture::keep(std::string text) {
    seen_.push_back({"answer", text});
    return text;
}

Secret OwnServerFixture::secret(const std::string& value) {
    secrets_.push_back(value);
    return Secret(value);
}

}  // namespace cvp::test
