#include "tests/support/valkey_server.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>
#include <system_error>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 20s;
constexpr auto kPollPeriod = 5ms;
constexpr int kPortAttempts = 5;

std::string random_hex(std::size_t bytes) {
    std::random_device source;
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) {
        constexpr char digits[] = "0123456789abcdef";
        const auto value = source();
        text += digits[value & 15U];
        text += digits[(value >> 4U) & 15U];
    }
    return text;
}

/// For its owner's eyes only: it may hold passwords or a key.
Result<void> write_private(const std::filesystem::path& file, std::string_view content) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    const auto mask = ::umask(0077);
    std::ofstream out(file, std::ios::binary);
    ::umask(mask);
    out << content;
    if (!out.flush()) return fail(ErrorCode::internal, "cannot write " + file.string());
    return {};
}

std::string first_of(const std::string& list) {
    return list.substr(0, list.find(' '));
}

std::string default_user(const ValkeyOptions& options) {
    std::string line = "user default on ~* &* +@all " + std::string(options.require_password ? "resetpass" : "nopass");
    if (options.require_password)
        for (const auto& password : options.passwords)
            line.append(" >").append(password.reveal());
    return line;
}

std::string build_config(const ValkeyOptions& options, std::uint16_t port) {
    std::ostringstream out;
    out << "dir " << options.dir.string() << "\nbind " << options.bind << "\nprotected-mode no\nsave \"\"\n"
        << "unixsocket admin.sock\nunixsocketperm 700\nlogfile \"\"\nrepl-diskless-sync-delay 0\n";
    if (options.tls) {
        out << "port 0\ntls-port " << port << "\ntls-cert-file tls.crt\ntls-key-file tls.key\n"
            << "tls-ca-cert-file ca.crt\ntls-auth-clients no\n";
    } else {
        out << "port " << port << '\n';
    }
    out << default_user(options) << "\nuser admin on ~* &* +@all >" << options.admin_password->reveal() << '\n';
    if (options.replica_of) {
        out << "replicaof " << options.replica_of->first << ' ' << options.replica_of->second << "\nmasteruser admin\n"
            << "masterauth " << options.admin_password->reveal() << '\n';
        if (options.tls) out << "tls-replication yes\n";
    }
    for (const auto& line : options.extra_lines)
        out << line << '\n';
    return out.str();
}

}  // namespace

Result<std::uint16_t> free_port(const std::string& host) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t size = sizeof address;
    const bool found = inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1 &&
                       ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    const auto reason = std::generic_category().message(errno);
    ::close(fd);
    if (!found) return fail(ErrorCode::unavailable, "no free port on " + host + ": " + reason);
    return ntohs(address.sin_port);
}

Result<ValkeyServer> ValkeyServer::start(ValkeyOptions options) {
    if (!options.admin_password) options.admin_password = Secret(random_hex(16));
    const auto port = options.port;
    ValkeyServer server(std::move(options));
    if (auto launched = server.launch(port); !launched) return fail(std::move(launched).error());
    return server;
}

Result<void> ValkeyServer::write_files() const {
    if (!options_.tls) return {};
    const auto& tls = *options_.tls;
    for (const auto& [name, content] : {std::pair<const char*, std::string_view>{"tls.crt", tls.certificate_pem},
                                        {"tls.key", tls.key_pem.reveal()},
                                        {"ca.crt", tls.ca_pem}})
        if (auto written = write_private(options_.dir / name, content); !written) return written;
    return {};
}

Result<void> ValkeyServer::launch(std::uint16_t port) {
    if (auto written = write_files(); !written) return written;
    Result<void> ready = fail(ErrorCode::internal, "never tried");
    // Between finding a free port and binding it somebody else may take it.
    for (int attempt = 0; attempt < (port == 0 ? kPortAttempts : 1); ++attempt) {
        const auto chosen = port != 0 ? Result<std::uint16_t>(port) : free_port(first_of(options_.bind));
        if (!chosen) return fail(chosen.error());
        port_ = *chosen;
        if (auto written = write_private(options_.dir / "valkey.conf", build_config(options_, port_)); !written)
            return written;
        ProcessOptions child;
        child.argv = options_.command;
        child.argv.push_back((options_.dir / "valkey.conf").string());
        child.log_file = log_file();
        auto process = Process::start(child);
        if (!process) return fail(std::move(process).error());
        process_ = std::move(*process);
        ready = wait_until_ready();
        if (ready) return ready;
        kill();
    }
    return ready;
}

Result<void> ValkeyServer::wait_until_ready() {
    const auto deadline = std::chrono::steady_clock::now() + kStartLimit;
    while (std::chrono::steady_clock::now() < deadline) {
        const auto answer = admin({"PING"});
        if (answer && answer->text == "PONG") return {};
        if (process_->wait(kPollPeriod)) break;
    }
    return fail(ErrorCode::unavailable, "valkey-server did not start:\n" + tail_of(log_file()));
}

Result<RespReply> ValkeyServer::admin(const std::vector<std::string>& words) {
    // A connection from before a restart is found dead by its first use.
    for (const bool fresh : {false, true}) {
        if (fresh) admin_.reset();
        if (!admin_) {
            auto client = RespClient::connect_unix(options_.dir / "admin.sock");
            if (!client) return fail(std::move(client).error());
            auto login = client->command({"AUTH", "admin", std::string(admin_password().reveal())});
            if (!login) return login;
            if (login->is_error()) return fail(ErrorCode::unauthenticated, "user admin: " + login->text);
            admin_ = std::move(*client);
        }
        auto reply = admin_->command(words);
        if (reply || fresh || reply.error().code != ErrorCode::unavailable) return reply;
    }
    return fail(ErrorCode::internal, "unreachable");
}

Result<std::string> ValkeyServer::admin_text(const std::vector<std::string>& words) {
    auto reply = admin(words);
    if (!reply) return fail(std::move(reply).error());
    if (reply->is_error()) return fail(ErrorCode::invalid_argument, words.front() + ": " + reply->text);
    return std::move(reply->text);
}

namespace {

Result<void> without_value(Result<std::string> result) {
    if (!result) return fail(std::move(result).error());
    return {};
}

}  // namespace

Result<void> ValkeyServer::allow(const Secret& password) {
    options_.passwords.push_back(password);
    if (!answers()) return {};
    return without_value(admin_text({"ACL", "SETUSER", "default", ">" + std::string(password.reveal())}));
}

Result<void> ValkeyServer::refuse(const Secret& password) {
    std::erase(options_.passwords, password);
    if (!answers()) return {};
    return without_value(admin_text({"ACL", "SETUSER", "default", "<" + std::string(password.reveal())}));
}

Result<void> ValkeyServer::require_password(bool required) {
    options_.require_password = required;
    if (!answers()) return {};
    std::vector<std::string> words = {"ACL", "SETUSER", "default", required ? "resetpass" : "nopass"};
    if (required)
        for (const auto& password : options_.passwords)
            words.push_back(">" + std::string(password.reveal()));
    return without_value(admin_text(words));
}

Result<void> ValkeyServer::show(ValkeyIdentity identity) {
    if (!options_.tls) return {};
    options_.tls = std::move(identity);
    if (auto written = write_files(); !written) return written;
    if (!answers()) return {};
    // Setting a file to the name that it has is no change to Valkey: two spellings of one name make it read again.
    const auto current = admin({"CONFIG", "GET", "tls-cert-file"});
    if (!current || current->elements.size() != 2) return fail(ErrorCode::protocol_error, "CONFIG GET tls-cert-file");
    const std::string prefix = current->elements[1].text.starts_with("./") ? "" : "./";
    return without_value(admin_text({"CONFIG", "SET", "tls-cert-file", prefix + "tls.crt", "tls-key-file",
                                     prefix + "tls.key", "tls-ca-cert-file", prefix + "ca.crt"}));
}

void ValkeyServer::kill() {
    admin_.reset();
    if (process_) process_->kill();
    process_.reset();
    paused_ = false;
}

void ValkeyServer::pause() {
    if (!answers()) return;
    process_->signal(SIGSTOP);
    paused_ = true;
}

Result<void> ValkeyServer::resume() {
    if (!paused_) return {};
    process_->signal(SIGCONT);
    paused_ = false;
    return require_password(options_.require_password);  // what was allowed and refused meanwhile
}

Result<void> ValkeyServer::restart(std::optional<std::uint16_t> port) {
    if (answers()) {
        // Nothing may be acknowledged any more that the file does not have.
        if (auto held = admin_text({"CLIENT", "PAUSE", "60000", "WRITE"}); !held) return fail(std::move(held).error());
        if (auto saved = admin_text({"SAVE"}); !saved) return fail(std::move(saved).error());
    }
    kill();
    return launch(port.value_or(port_));
}

}  // namespace cvp::test
