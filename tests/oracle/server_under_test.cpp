#include "tests/oracle/server_under_test.hpp"

#include <charconv>
#include <chrono>
#include <fstream>
#include <thread>

#include "tests/support/eventually.hpp"

namespace cvp::oracle {
namespace {

using namespace std::chrono_literals;

constexpr auto kLeaveLimit = 10s;

/// What would make a pass depend on time, on the one before or on chance.
const std::vector<std::string> kLines = {
    "hz 1",
    "activerehashing no",
    "enable-debug-command local",
    "notify-keyspace-events KEA",
    "latency-monitor-threshold 0",
    "slowlog-log-slower-than -1",
    "slowlog-max-len 1",
    "maxclients 2000",
    "client-output-buffer-limit pubsub 0 0 0",
    "loglevel warning",
    "dbfilename dump.rdb",
    "lazyfree-lazy-user-flush no",
    "timeout 0",
};

const std::vector<std::vector<std::string>> kCleaning = {
    {"FLUSHALL", "SYNC"},        {"FUNCTION", "FLUSH", "SYNC"},
    {"SCRIPT", "FLUSH", "SYNC"}, {"ACL", "DELUSER", "u0", "u1", "u2", "u3"},
    {"ACL", "LOG", "RESET"},     {"DEBUG", "SET-ACTIVE-EXPIRE", "0"},
    {"CONFIG", "RESETSTAT"},
};

}  // namespace

Result<ServerUnderTest> ServerUnderTest::start(const std::vector<std::string>& command) {
    ServerUnderTest under_test;
    under_test.dir_ = std::make_unique<test::TempDir>("cvp-oracle");
    under_test.ca_ = std::make_unique<test::TestCa>();
    test::ValkeyOptions options;
    options.command = command;
    options.dir = under_test.dir_->path();
    options.tls = under_test.ca_->valkey();
    options.passwords = {under_test.password_};
    options.extra_lines = kLines;
    auto server = test::ValkeyServer::start(std::move(options));
    if (!server) return fail(std::move(server).error());
    under_test.server_ = std::make_unique<test::ValkeyServer>(std::move(*server));
    // Logs of what was slow or large, from 8.1 on.
    for (const char* log : {"execution-slower-than", "request-larger-than", "reply-larger-than"})
        (void)under_test.server_->admin({"CONFIG", "SET", std::string("commandlog-") + log, "-1"});
    return under_test;
}

Result<std::map<std::string, std::uint64_t>> ServerUnderTest::client_counts() {
    const auto info = server_->admin_text({"INFO", "clients"});
    if (!info) return fail(info.error());
    std::map<std::string, std::uint64_t> counts;
    for (std::size_t at = 0; at < info->size();) {
        const auto end = std::min(info->find('\n', at), info->size());
        const auto line = info->substr(at, end - at);
        at = end + 1;
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        std::from_chars(line.data() + colon + 1, line.data() + line.size(), counts[line.substr(0, colon)]);
    }
    return counts;
}

Result<void> ServerUnderTest::clean(bool wants_password) {
    // Clients that are left over could take or watch what the next pass writes.
    const auto deadline = std::chrono::steady_clock::now() + kLeaveLimit;
    for (;;) {
        auto counts = client_counts();
        if (!counts) return fail(counts.error());
        if ((*counts)["blocked_clients"] + (*counts)["pubsub_clients"] + (*counts)["watching_clients"] +
                (*counts)["tracking_clients"] ==
            0)
            break;
        if (std::chrono::steady_clock::now() > deadline)
            return fail(ErrorCode::timeout, "clients of the last pass are still blocked, subscribed or watching");
        std::this_thread::sleep_for(1ms);
    }
    const std::string password = ">" + std::string(password_.reveal());
    auto commands = kCleaning;
    if (wants_password)
        commands.push_back({"ACL", "SETUSER", "default", "resetpass", password});
    else
        commands.push_back({"ACL", "SETUSER", "default", "nopass"});
    for (const auto& words : commands)
        if (auto done = server_->admin_text(words); !done) return fail(done.error());
    return {};
}

Result<std::size_t> ServerUnderTest::blocked_clients() {
    auto counts = client_counts();
    if (!counts) return fail(counts.error());
    return (*counts)["blocked_clients"];
}

void ServerUnderTest::poke() {
    (void)server_->admin({"PING"});
}

std::string ServerUnderTest::clients() {
    return server_->admin_text({"CLIENT", "LIST"}).value_or("nobody can be asked");
}

std::string ServerUnderTest::crash() {
    if (server_->is_running()) return {};
    std::ifstream log(server_->log_file());
    std::string text = "the server ended:\n";
    bool is_of_client = false;
    for (std::string line; std::getline(log, line);) {
        if (line.starts_with("------")) is_of_client = line.find("CURRENT CLIENT") != std::string::npos;
        if (is_of_client || line.find("crashed by") != std::string::npos) text += "  " + line.substr(0, 300) + "\n";
    }
    return text;
}

std::uint64_t ServerUnderTest::calls(const std::string& command) {
    const auto info = server_->admin_text({"INFO", "commandstats"});
    if (!info) return 0;
    const auto name = "cmdstat_" + command + ":calls=";
    const auto found = info->find(name);
    if (found == std::string::npos) return 0;
    std::uint64_t calls = 0;
    std::from_chars(info->data() + found + name.size(), info->data() + info->size(), calls);
    return calls;
}

}  // namespace cvp::oracle
