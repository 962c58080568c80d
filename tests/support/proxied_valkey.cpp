#include "tests/support/proxied_valkey.hpp"

#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace cvp::test {

ProxiedValkey::ProxiedValkey(ProxiedValkeyOptions options) : options_(std::move(options)) {
    ValkeyOptions server;
    server.dir = dir_.path() / "server";
    std::filesystem::create_directories(server.dir);
    server.bind = "127.0.0.1 127.0.0.2";
    if (options_.tls) server.tls = ca_.valkey(Leaf::good, {"127.0.0.1", "127.0.0.2"});
    server.passwords = {Secret(kPassword)};
    server.extra_lines = options_.server_lines;
    auto started = ValkeyServer::start(server);
    if (!started) throw std::runtime_error(to_string(started.error()));
    server_ = std::move(*started);
}

ResolvedConnection ProxiedValkey::document(std::uint16_t port, const std::string& host) const {
    ResolvedConnection connection;
    connection.name = "sessions";
    connection.endpoints.push_back({EndpointRole::primary, host, port});
    if (options_.tls) {
        connection.tls.identities = {"ip:" + host};
        connection.tls.ca = ca_.pem();
    } else {
        connection.tls.mode = TlsMode::disabled;
    }
    connection.auth.mode = AuthMode::password;
    connection.auth.username = options_.username;
    connection.auth.password_file = "password";
    connection.proxy = options_.proxy;
    return connection;
}

void ProxiedValkey::replace(const std::string& name, const std::string& content) const {
    const auto draft = dir_.write("config/draft", content);
    std::filesystem::rename(draft, draft.parent_path() / name);
}

void ProxiedValkey::write(const ResolvedConnection& connection) const {
    replace("connection.yaml", write_resolved_connection(connection));
}

void ProxiedValkey::write_password(const std::string& password) const {
    replace("password", password);
}

void ProxiedValkey::start_proxy_alone(const ResolvedConnection& connection) {
    write_password(kPassword);
    write(connection);
    ProxyOptions options;
    options.binary = options_.proxy_binary;
    options.arguments = {"--config=" + (dir_.path() / "config/connection.yaml").string()};
    options.arguments.insert(options.arguments.end(), options_.proxy_arguments.begin(), options_.proxy_arguments.end());
    options.log_file = dir_.path() / "proxy.log";
    auto started = ProxyProcess::start(options);
    if (!started) throw std::runtime_error(to_string(started.error()));
    proxy_ = std::move(*started);
}

void ProxiedValkey::start_proxy(const ResolvedConnection& connection) {
    start_proxy_alone(connection);
    if (!eventually([&] { return proxy_->ask({"PING"}) == "+PONG"; }))
        throw std::runtime_error("the proxy never logged in:\n" + tail_of(proxy_->process().log_file(), 40));
}

RespClient ProxiedValkey::connect() const {
    auto client = proxy_->connect();
    if (!client) throw std::runtime_error(to_string(client.error()));
    return std::move(*client);
}

std::string ProxiedValkey::admin(const std::vector<std::string>& words) {
    const auto reply = server_->admin(words);
    return reply ? to_string(*reply) : to_string(reply.error());
}

std::string ProxiedValkey::info(const std::string& field) {
    const auto text = server_->admin_text({"INFO", "everything"});
    if (!text) return "";
    const auto begin = text->find("\n" + field + ":");
    if (begin == std::string::npos) return "";
    const auto value = begin + field.size() + 2;
    return text->substr(value, text->find('\r', value) - value);
}

bool ProxiedValkey::await_blocked(int count) {
    return eventually([&] { return info("blocked_clients") == std::to_string(count); }, std::chrono::seconds(10));
}

}  // namespace cvp::test
