#include "proxy/listen_settings.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include <fmt/core.h>

#include "common/contract/host.hpp"
#include "common/contract/names.hpp"

namespace cvp::proxy {
namespace {

Result<std::string> parse_listen(std::string_view text) {
    if (!is_ip(text)) return fail(ErrorCode::invalid_argument, "must be an IP address such as 127.0.0.1 or ::1");
    return std::string(text);
}

Result<mode_t> parse_mode(std::string_view text) {
    unsigned mode = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (ec != std::errc{} || end != text.data() + text.size() || text.size() < 3 || mode > 0777) {
        return fail(ErrorCode::invalid_argument, "must be an octal mode such as 0600 or 0660");
    }
    return static_cast<mode_t>(mode);
}

Result<ClientAuth> parse_client_auth(std::string_view text) {
    for (const auto mode : {ClientAuth::accept, ClientAuth::require, ClientAuth::reject}) {
        const auto word = to_string(mode);
        const bool is_it = std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char given, char ours) {
            return given == ours || given == static_cast<char>(ours | 0x20);
        });
        if (is_it) return mode;
    }
    return fail(ErrorCode::invalid_argument, "must be accept, require or reject");
}

Result<std::filesystem::path> parse_path(std::string_view text) {
    if (text.empty()) return fail(ErrorCode::invalid_argument, "");
    return std::filesystem::path(text);
}

void read_listen_files(Settings& settings, ListenFileNames& names) {
    settings.read("listen-cert", names.certificate, parse_path);
    settings.read("listen-key", names.key, parse_path);
    settings.read("listen-client-ca", names.client_ca, parse_path);
    settings.read("client-password-file", names.password, parse_path);
    if (names.certificate.empty() != names.key.empty()) {
        settings.refuse("--listen-cert and --listen-key: give both, or none");
    } else if (names.certificate.empty() && !names.client_ca.empty()) {
        settings.refuse(
            "--listen-client-ca: clients show certificates in TLS only: give --listen-cert and --listen-key");
    }
}

}  // namespace

std::optional<UnixSocketOptions> read_socket(Settings& settings) {
    UnixSocketOptions unix_socket;
    settings.read("unix-socket-mode", unix_socket.mode, parse_mode);
    const auto path = settings.find("unix-socket");
    if (!path) return std::nullopt;
    if (auto checked = check_socket_path(path->value); !checked) settings.refuse(*path, checked.error().context);
    unix_socket.path = path->value;
    return unix_socket;
}

SocketDirectory::SocketDirectory(Settings& settings) : path_(settings.find("unix-socket")) {
    settings.read("unix-socket-mode", mode_, parse_mode);
    if (!path_ || !path_->value.empty()) return;
    settings.refuse(*path_, "");
    path_.reset();
}

std::optional<UnixSocketOptions> SocketDirectory::socket_of(Settings& settings, const std::string& connection) const {
    if (!path_) return std::nullopt;
    const auto file = connection + std::string(names::kSocketSuffix);
    auto path = (std::filesystem::path(path_->value) / file).string();
    if (auto checked = check_socket_path(path); !checked) {
        settings.refuse(fmt::format("{}: {} {}", path_->origin, path, checked.error().context));
    }
    return UnixSocketOptions{std::move(path), mode_};
}

void read_clients(Settings& settings, Config& config) {
    read_listen_files(settings, config.listen_files);
    auto& clients = config.clients;
    settings.read("client-auth", clients.mode, parse_client_auth);
    clients.demands_certificate = !config.listen_files.client_ca.empty();
    const bool has_document = !config.instance;
    const bool has_password = !config.listen_files.password.empty() || has_document;  // a key of the Secret
    if (clients.mode == ClientAuth::require && !clients.demands_certificate && !has_password) {
        settings.refuse(
            "--client-auth: require needs a password (--client-password-file) or client certificates "
            "(--listen-client-ca)");
    }
    settings.read("listen", config.listen, parse_listen);
    bool allow_open_listen = false;
    settings.read("allow-open-listen", allow_open_listen, parse_switch);
    clients.is_exposed = !is_loopback(config.listen) && !allow_open_listen;
    if (has_document && !clients.mode) return;
    if (const auto why = find_exposure(clients.mode.value_or(ClientAuth::accept), clients)) {
        settings.refuse(fmt::format("--listen: {}: {}", config.listen, *why));
    }
}

}  // namespace cvp::proxy
