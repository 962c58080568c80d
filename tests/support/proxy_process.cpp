#include "tests/support/proxy_process.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"
#include "tests/support/read_file.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

constexpr auto kStartLimit = std::chrono::seconds(20);
constexpr int kPortTaken = 69;
constexpr int kPortAttempts = 3;
constexpr auto kPages = {"/status", "/metrics", "/startup", "/readyz", "/livez"};

Result<std::set<std::uint16_t>> free_ports(std::size_t count) {
    std::set<std::uint16_t> ports;
    while (ports.size() < count) {
        const auto port = free_port();
        if (!port) return fail(port.error());
        ports.insert(*port);
    }
    return ports;
}

}  // namespace

Result<ProxyProcess> ProxyProcess::start(const ProxyOptions& options) {
    for (int attempt = 1;; ++attempt) {
        auto proxy = start_once(options);
        if (!proxy) return proxy;
        auto& process = proxy->process_;
        if (eventually([&] { return !process.is_running() || http_get("127.0.0.1", proxy->admin_port_, "/livez"); },
                       kStartLimit) &&
            process.is_running())
            return proxy;
        // Between finding a free port and binding it somebody else may take it.
        if (process.wait(std::chrono::milliseconds(0)) != kPortTaken || attempt == kPortAttempts)
            return fail(ErrorCode::unavailable, "cloud-valkey-proxy did not start:\n" + tail_of(options.log_file));
    }
}

Result<ProxyProcess> ProxyProcess::start_once(const ProxyOptions& options) {
    const auto ports = free_ports(3);
    if (!ports) return fail(ports.error());
    const std::vector<std::uint16_t> chosen(ports->begin(), ports->end());
    ProcessOptions child;
    child.argv = {options.binary.string(), "--port=" + std::to_string(chosen[0]),
                  "--readers-port=" + std::to_string(chosen[1]),
                  "--admin-listen=127.0.0.1:" + std::to_string(chosen[2]), "--log-level=" + options.log_level};
    child.argv.insert(child.argv.end(), options.arguments.begin(), options.arguments.end());
    child.env = options.env;
    child.log_file = options.log_file;
    auto process = Process::start(child);
    if (!process) return fail(std::move(process).error());
    ProxyProcess proxy(std::move(*process));
    proxy.port_ = chosen[0];
    proxy.readers_port_ = chosen[1];
    proxy.admin_port_ = chosen[2];
    return proxy;
}

std::string ProxyProcess::ask(const std::vector<std::string>& words, std::chrono::milliseconds limit) const {
    auto client = connect();
    if (!client) return to_string(client.error());
    const auto reply = client->command(words, limit);
    return reply ? to_string(*reply) : to_string(reply.error());
}

std::string ProxyProcess::ping_bytes(std::chrono::milliseconds limit) const {
    auto client = connect();
    if (!client) return to_string(client.error());
    if (const auto sent = client->send(encode_command({"PING"}), limit); !sent) return to_string(sent.error());
    const auto bytes = client->read_to_end(limit);
    return bytes ? *bytes : to_string(bytes.error());
}

std::string ProxyProcess::page(const std::string& path) const {
    const auto response = http_get("127.0.0.1", admin_port_, path);
    return response && response->status == 200 ? response->body : "";
}

nlohmann::json ProxyProcess::status() const {
    return nlohmann::json::parse(page("/status"), nullptr, false);
}

double ProxyProcess::metric(const std::string& name, const std::vector<std::string>& labels) const {
    std::istringstream lines(page("/metrics"));
    double sum = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(name + "{") && !line.starts_with(name + " ")) continue;
        if (std::all_of(labels.begin(), labels.end(),
                        [&](const auto& label) { return line.find(label) != std::string::npos; }))
            sum += std::stod(line.substr(line.rfind(' ') + 1));
    }
    return sum;
}

bool ProxyProcess::is_started() const {
    const auto response = http_get("127.0.0.1", admin_port_, "/startup");
    return response && response->status == 200;
}

std::size_t ProxyProcess::memory(const std::string& field) const {
    std::istringstream lines(read_file("/proc/" + std::to_string(process_.pid()) + "/status"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(field + ":")) return std::stoul(line.substr(field.size() + 1)) * 1024;
    return 0;
}

std::vector<Evidence> ProxyProcess::evidence() const {
    std::vector<Evidence> evidence = {
        {"log", read_file(process_.log_file())},
        {"argv", read_file("/proc/" + std::to_string(process_.pid()) + "/cmdline")},
    };
    for (const auto* path : kPages) {
        const auto response = http_get("127.0.0.1", admin_port_, path);
        evidence.push_back({path, response ? response->body : ""});
    }
    return evidence;
}

}  // namespace cvp::test
