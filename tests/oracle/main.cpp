// cvp-oracle: is the proxy the server, byte by byte? CONTRIBUTING.md says how to read its reports.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "tests/oracle/command_name.hpp"
#include "tests/oracle/faulty_relay.hpp"
#include "tests/oracle/login_faults.hpp"
#include "tests/oracle/oracle.hpp"
#include "tests/oracle/proxy_under_test.hpp"

namespace {

using namespace cvp;
using namespace cvp::oracle;

constexpr auto kUsage =
    "usage: cvp-oracle [FLAG]…\n"
    "\n"
    "Runs generated programs on one Valkey: twice directly and once through the proxy, and compares every byte.\n"
    "  --proxy FILE          the proxy's binary; without it only the null test: direct against direct\n"
    "  --relay FAULT         instead of a proxy a relay in this process with that fault, or \"none\"\n"
    "  --without NAME,…      leave these commands out of all programs, to see what else there is\n"
    "  --list                print the program of --program\n"
    "  --server COMMAND      what starts a valkey-server, the configuration file is added to it (valkey-server)\n"
    "  --commands N          stop after so many commands of programs (100000)\n"
    "  --seed N              of the programs (1)\n"
    "  --program K           only this program, with all its commands shown if it differs\n"
    "  --programs K          begin with this program (0)\n"
    "  --failures N          stop after so many programs that differ (5)\n"
    "  --shrink N            run a program that differs up to N times with fewer and fewer commands (0)\n"
    "  --relogin-every TIME  the proxy logs in again all the time (CVP_TEST_RELOGIN_EVERY); logins are counted\n"
    "  --login-faults        some of those logins are refused, delayed or left unanswered, which nobody may notice\n"
    "  --limit SECONDS       how long a step may take (10)\n"
    "  --all                 a line for each command\n"
    "Ends with 1 if a program differs, a command came too rarely or more than 2 % of the bytes are masked.\n";

constexpr int kUsageStatus = 64;
constexpr int kUnavailable = 69;
constexpr double kMostMasked = 0.02;

struct Options {
    std::string proxy;
    std::optional<Fault> relay;
    bool list = false;
    std::set<std::string> without;
    std::vector<std::string> server = {"valkey-server"};
    std::uint64_t commands = 100'000;
    std::uint64_t seed = 1;
    std::optional<std::uint64_t> program;
    std::uint64_t first = 0;
    std::uint64_t failures = 5;
    std::uint64_t shrink = 0;
    std::uint64_t limit = 10;
    std::string relogin;
    bool login_faults = false;
    bool all = false;
};

bool parse_number(const std::string& text, std::uint64_t& number) {
    const char* const end = text.data() + text.size();
    return std::from_chars(text.data(), end, number).ptr == end && !text.empty();
}

std::optional<Options> parse_arguments(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string flag = argv[i];
        if (flag == "--all" || flag == "--list") {
            (flag == "--all" ? options.all : options.list) = true;
            continue;
        }
        if (flag == "--login-faults") {
            options.login_faults = true;
            options.without.insert("reset");  // whose login may not fail
            continue;
        }
        if (i + 1 == argc) return std::nullopt;
        const std::string value = argv[++i];
        bool fine = true;
        if (flag == "--proxy") {
            options.proxy = value;
        } else if (flag == "--relay") {
            options.relay = parse_fault(value);
            fine = options.relay.has_value();
        } else if (flag == "--without") {
            std::istringstream names(value);
            for (std::string name; std::getline(names, name, ',');)
                options.without.insert(name);
        } else if (flag == "--server") {
            std::istringstream words(value);
            options.server.assign(std::istream_iterator<std::string>(words), {});
            fine = !options.server.empty();
        } else if (flag == "--relogin-every") {
            options.relogin = value;
            options.without.insert("monitor");  // which would show what the proxy does for its logins
        } else if (flag == "--commands") {
            fine = parse_number(value, options.commands);
        } else if (flag == "--seed") {
            fine = parse_number(value, options.seed);
        } else if (flag == "--program") {
            fine = parse_number(value, options.program.emplace());
        } else if (flag == "--programs") {
            fine = parse_number(value, options.first);
        } else if (flag == "--failures") {
            fine = parse_number(value, options.failures);
        } else if (flag == "--shrink") {
            fine = parse_number(value, options.shrink);
        } else if (flag == "--limit") {
            fine = parse_number(value, options.limit);
        } else {
            fine = false;
        }
        if (!fine) return std::nullopt;
    }
    return options;
}

/// Leaves commands out. A connection that nothing ends any more is not waited for.
void leave_out(const std::set<std::string>& names, Program& program) {
    for (auto& step : program.steps) {
        for (auto& part : step) {
            std::vector<Command> kept;
            for (auto& command : part.commands) {
                const auto name = full_name(command);
                if (!names.contains(name)) {
                    kept.push_back(std::move(command));
                } else if (name == "reset") {  // what the rest of the program counts on
                    kept.push_back({{"DISCARD"}, Form::multibulk});
                    kept.push_back({{"CLIENT", "REPLY", "ON"}, Form::multibulk});
                }
            }
            const auto dropped = part.commands.size() - std::min(part.commands.size(), kept.size());
            part.commands = std::move(kept);
            if (dropped > 0 && part.wait == Wait::close) part.wait = Wait::nothing;
        }
    }
}

/// What is known about a program that failed.
void report(Oracle& oracle, const Program& program, const Verdict& verdict, const Options& options) {
    fmt::print("{}\n", verdict.report);
    if (options.shrink > 0 && verdict.kind != Verdict::Kind::unstable && oracle.differs(program)) {
        oracle.set_limit(std::chrono::seconds(2));
        const auto least = shrink(oracle, program, options.shrink);
        const auto again = oracle.check(least);
        oracle.set_limit(std::chrono::seconds(options.limit));
        fmt::print("what is left of it:\n{}{}\n", to_string(least), again.report);
    }
    std::fflush(stdout);
}

int run(const Options& options) {
    auto server = ServerUnderTest::start(options.server);
    if (!server) {
        fmt::print(stderr, "{}\n", to_string(server.error()));
        return kUnavailable;
    }
    const auto catalog = load_catalog(server->server());
    if (!catalog) {
        fmt::print(stderr, "{}\n", to_string(catalog.error()));
        return kUnavailable;
    }
    Oracle oracle(*server, *catalog, options.seed);
    oracle.set_limit(std::chrono::seconds(options.limit));
    std::optional<LoginFaults> login_faults;
    if (options.login_faults) {
        auto started = LoginFaults::start(*server);
        if (!started) {
            fmt::print(stderr, "{}\n", to_string(started.error()));
            return kUnavailable;
        }
        login_faults = std::move(*started);
    }
    std::optional<ProxyUnderTest> proxy;
    if (!options.proxy.empty()) {
        std::vector<std::string> environment;
        if (!options.relogin.empty()) environment.push_back("CVP_TEST_RELOGIN_EVERY=" + options.relogin);
        auto started = ProxyUnderTest::start(options.proxy, *server,
                                             login_faults ? login_faults->port() : server->tls_port(), environment);
        if (!started) {
            fmt::print(stderr, "{}\n", to_string(started.error()));
            return kUnavailable;
        }
        proxy = std::move(*started);
        oracle.set_subject(connect_to_port(proxy->port()));
        oracle.set_moves(!options.relogin.empty());
    }

    std::unique_ptr<FaultyRelay> relay;
    if (options.relay) {
        relay =
            std::make_unique<FaultyRelay>(*options.relay, server->socket(), std::string(server->password().reveal()));
        oracle.set_subject(connect_to_port(relay->port()));
    }

    std::uint64_t failures = 0;
    std::uint64_t programs = 0;
    std::uint64_t idle = 0;
    const auto begun = std::chrono::steady_clock::now();
    for (auto index = options.program.value_or(options.first); failures < options.failures; ++index) {
        auto program = oracle.make(index);
        leave_out(options.without, program);
        if (options.list) fmt::print("{}\n", to_string(program));
        if (login_faults) login_faults->next();
        const auto verdict = oracle.check(program);
        ++programs;
        // Where a command is left out that would have woken somebody, nobody does: there is nothing to compare.
        const bool waits_for_itself = verdict.kind == Verdict::Kind::idle && !options.without.empty();
        if (waits_for_itself) {
            ++idle;
        } else if (verdict.kind != Verdict::Kind::equal) {
            ++failures;
            report(oracle, program, verdict, options);
        }
        if (options.program || oracle.coverage().commands >= options.commands) break;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;

    const auto& coverage = oracle.coverage();
    fmt::print("Valkey {}, seed {}, {}: {} programs failed; {:.0f} s, {:.0f} commands a second (each run {})\n{}",
               catalog->version, options.seed, proxy ? "through the proxy" : "null test", failures, took.count(),
               static_cast<double>(coverage.commands) / took.count(), proxy ? "three times" : "twice",
               to_string(coverage, *catalog, options.all));
    if (idle > 0) fmt::print("{} programs wait for themselves without what is left out of them\n", idle);
    if (proxy) fmt::print("{} logins through the proxy\n", oracle.logins());
    if (login_faults) fmt::print("{}", login_faults->to_string());
    if (failures > 0 && proxy) fmt::print("the proxy's log:\n{}\n", proxy->log());
    const bool complete = options.program || coverage.rare(*catalog, options.without).empty();
    const bool is_most_compared = idle * 50 <= programs;
    return failures == 0 && is_most_compared && complete && coverage.masked_share() <= kMostMasked ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse_arguments(argc, argv);
    if (!options) {
        fmt::print(stderr, kUsage);
        return kUsageStatus;
    }
    return run(*options);
}
