#include "tests/oracle/proxy_under_test.hpp"

#include "common/contract/resolved_connection.hpp"

namespace cvp::oracle {
namespace {

std::string document(const ServerUnderTest& server, std::uint16_t port) {
    ResolvedConnection connection;
    connection.name = "oracle";
    connection.endpoints.push_back({EndpointRole::primary, "127.0.0.1", port});
    connection.tls.identities = {"ip:127.0.0.1"};
    connection.tls.ca = server.ca().pem();
    connection.auth.mode = AuthMode::password;
    connection.auth.username = "default";
    connection.auth.password_file = "password";
    return write_resolved_connection(connection);
}

}  // namespace

Result<ProxyUnderTest> ProxyUnderTest::start(const std::filesystem::path& binary, const ServerUnderTest& server,
                                             std::uint16_t port, const std::vector<std::string>& environment) {
    ProxyUnderTest proxy;
    proxy.dir_ = std::make_unique<test::TempDir>("cvp-oracle-proxy");
    proxy.dir_->write("password", server.password().reveal());
    test::ProxyOptions options;
    options.binary = binary;
    options.arguments = {"--config=" + proxy.dir_->write("connection.yaml", document(server, port)).string()};
    options.env = environment;
    options.log_file = proxy.dir_->path() / "proxy.log";
    options.log_level = "info";
    auto process = test::ProxyProcess::start(options);
    if (!process) return fail(std::move(process).error());
    proxy.process_ = std::make_unique<test::ProxyProcess>(std::move(*process));
    return proxy;
}

std::string ProxyUnderTest::log() const {
    return test::tail_of(dir_->path() / "proxy.log", 10);
}

}  // namespace cvp::oracle
