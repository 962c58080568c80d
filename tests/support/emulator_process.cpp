#include "tests/support/emulator_process.hpp"

#include <stdexcept>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "tests/support/http_call.hpp"

namespace cvp::test {
namespace {

using Json = nlohmann::json;

constexpr auto kStartLimit = std::chrono::seconds(60);

/// The first line that comes from `fd`, or nothing if its writers end or the time is over.
std::string read_line(int fd, std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::string line;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd entry{fd, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) return {};
        char buffer[4096];
        const auto got = ::read(fd, buffer, sizeof buffer);
        if (got <= 0) return {};
        line.append(buffer, static_cast<std::size_t>(got));
        if (const auto end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
    }
}

EmulatedInstance parse_instance(const Json& json) {
    return {json.at("primary").at("host"), json.at("primary").at("port"), json.at("reader").at("host"),
            json.at("reader").at("port"), json.at("caFile").get<std::string>()};
}

EmulatedInstance parse_front(const Json& json) {
    EmulatedInstance front;
    front.host = json.at("host");
    front.port = json.at("port");
    front.ca_file = json.at("caFile").get<std::string>();
    return front;
}

std::uint16_t port_of(const std::string& url) {
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

}  // namespace

Result<EmulatorProcess> EmulatorProcess::start(const std::filesystem::path& binary, const std::filesystem::path& dir,
                                               const std::vector<std::string>& arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::internal, "pipe2 failed");
    ProcessOptions options;
    options.argv = {binary.string(), "--dir", dir.string()};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.log_file = dir / "emulator.log";
    options.stdout_fd = ends[1];
    auto process = Process::start(options);
    ::close(ends[1]);
    const auto line = process ? read_line(ends[0], kStartLimit) : std::string();
    ::close(ends[0]);
    if (!process) return fail(std::move(process).error());
    const auto json = Json::parse(line, nullptr, false);
    if (!json.is_object())
        return fail(ErrorCode::unavailable, "cloud-valkey-emulator did not start:\n" + tail_of(options.log_file));
    EmulatorProcess emulator(std::move(*process));
    emulator.rest_base_ = json.at("rest");
    emulator.metadata_host_ = json.at("metadata");
    emulator.admin_port_ = port_of(json.at("admin"));
    for (const auto& [name, instance] : json.at("instances").items())
        emulator.instances_.emplace_back(name, parse_instance(instance));
    for (const auto& [name, front] : json.at("fronts").items())
        emulator.fronts_.emplace_back(name, parse_front(front));
    return emulator;
}

const EmulatedInstance& EmulatorProcess::instance(const std::string& full_name) const {
    for (const auto& [name, instance] : instances_)
        if (name == full_name) return instance;
    throw std::out_of_range(full_name + " has no Valkey");
}

const EmulatedInstance& EmulatorProcess::front(const std::string& name) const {
    for (const auto& [entry, front] : fronts_)
        if (entry == name) return front;
    throw std::out_of_range(name + ": no such front");
}

Result<Json> EmulatorProcess::admin(const std::string& method, const std::string& path, const Json& body) const {
    http::Request request;
    request.method = method;
    request.target = "/admin/" + path;
    if (!body.is_null()) request.body = body.dump();
    const auto response = http_call("127.0.0.1", admin_port_, request, kStartLimit);
    if (!response) return fail(response.error());
    auto answer = Json::parse(response->body, nullptr, false);
    if (response->status != 200) return fail(ErrorCode::invalid_argument, method + " " + path + ": " + response->body);
    return answer;
}

Result<Json> EmulatorProcess::admin(const std::string& method, const std::string& path) const {
    return admin(method, path, Json());
}

Result<Json> EmulatorProcess::command(const std::string& full_name, const std::vector<std::string>& words,
                                      const std::string& node) const {
    auto answer = admin("POST", "instances/" + full_name + ":command", Json{{"words", words}, {"node", node}});
    if (!answer) return answer;
    return answer->at("reply");
}

Result<std::string> EmulatorProcess::mint(std::optional<std::chrono::seconds> lifetime) const {
    const auto answer =
        admin("POST", "tokens", lifetime ? Json{{"lifetimeSeconds", lifetime->count()}} : Json::object());
    if (!answer) return fail(answer.error());
    return answer->at("accessToken").get<std::string>();
}

Result<std::vector<std::string>> EmulatorProcess::tokens() const {
    const auto answer = admin("GET", "tokens");
    if (!answer) return fail(answer.error());
    std::vector<std::string> tokens;
    for (const auto& token : answer->at("tokens"))
        tokens.push_back(token.at("accessToken"));
    return tokens;
}

Result<std::uint64_t> EmulatorProcess::calls(const std::string& surface_and_kind) const {
    const auto answer = admin("GET", "calls");
    if (!answer) return fail(answer.error());
    return answer->at("counts").value(surface_and_kind, std::uint64_t{0});
}

}  // namespace cvp::test
