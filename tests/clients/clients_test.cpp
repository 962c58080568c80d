// Real client libraries: what each of them prints through the proxy is what it prints directly.
//
// The direct run goes to a plain Valkey with its password; the other ones to 127.0.0.1 without any, or with one that is
// wrong (an application that is not yet moved: clientAuth Accept), and through the proxy to a Valkey with TLS.
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/clients/client_run.hpp"
#include "tests/support/process.hpp"
#include "tests/support/proxied_valkey.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

constexpr std::size_t kFewestOperations = 200;
constexpr auto kInstallLimit = std::chrono::minutes(10);
/// What was acknowledged before a kill -9 is there after it: the kernel has it. No fsync, for which a busy disk would
/// let the server, and so a client's time limits, wait.
const std::vector<std::string> kServerLines = {"appendonly yes", "appendfsync no"};

/// Where scripts/install-clients.sh keeps them; the first run installs them. Throws where it cannot.
std::string clients() {
    static const auto dir = [] {
        ProcessOptions install;
        install.argv = {source_path("scripts/install-clients.sh").string()};
        const auto result = run_command(install, {}, kInstallLimit);
        if (!result) throw std::runtime_error(to_string(result.error()));
        if (result->status != 0) throw std::runtime_error("scripts/install-clients.sh failed:\n" + result->err);
        return result->out.substr(0, result->out.find_last_not_of('\n') + 1);
    }();
    return dir;
}

std::string script(const std::string& name) {
    return source_path("tests/clients/" + name).string();
}

ClientRun python(const std::string& name, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {clients() + "/venv/bin/python", script("python/" + name)});
    return {.argv = arguments, .env = {"PYTHONDONTWRITEBYTECODE=1"}};
}

ClientRun node(const std::string& name) {
    return {.argv = {"node", script("node/" + name)}, .env = {"NODE_PATH=" + clients() + "/node_modules"}};
}

ClientRun go(const std::string& name) {
    return {.argv = {clients() + "/" + name}, .env = {"CVP_CLIENTS_DIR=" + script("")}};
}

Transcript played(ClientRun run, std::uint16_t port, const std::string& password, ValkeyServer& server) {
    run.port = port;
    run.password = password;
    auto transcript = run_client(run, server);
    if (!transcript) throw std::runtime_error(to_string(transcript.error()));
    return *std::move(transcript);
}

Transcript directly(const ClientRun& run) {
    const TempDir dir;
    ValkeyOptions options;
    options.dir = dir.path();
    options.passwords = {Secret(ProxiedValkey::kPassword)};
    options.extra_lines = kServerLines;
    auto server = ValkeyServer::start(options);
    if (!server) throw std::runtime_error(to_string(server.error()));
    return played(run, server->port(), ProxiedValkey::kPassword, *server);
}

Transcript through_proxy(const ClientRun& run, const std::string& password) {
    ProxiedValkey valkey({.proxy_binary = CVP_PROXY_BINARY, .server_lines = kServerLines});
    valkey.start_proxy();
    return played(run, valkey.proxy().port(), password, valkey.server());
}

::testing::AssertionResult are_equal(const Transcript& direct, const Transcript& proxied) {
    const auto difference = diff(direct, proxied);
    if (difference.empty()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "directly (-) and through the proxy (+):\n" << difference;
}

/// @param protocol 2 or 3; 0: the library's own choice, whatever it is
void expect_same_transcripts(ClientRun run, int protocol) {
    run.protocol = protocol;
    const auto expected = directly(run);
    EXPECT_GE(expected.operations(), kFewestOperations);
    EXPECT_TRUE(are_equal(expected, through_proxy(run, "")));
    EXPECT_TRUE(are_equal(expected, through_proxy(run, "a password of old"))) << "with a password of its own";
}

/// Ten clients whose first words come while the server is away for a second: none of them notices, then or later.
void expect_no_error_at_a_cold_start(const ClientRun& run) {
    const auto transcript = through_proxy(run, "");
    EXPECT_EQ(transcript.lines, (std::vector<std::string>{
                                    "errors -> []", "executed -> [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
                                    R"(protocols -> ["3", "3", "3", "3", "3", "3", "3", "3", "3", "3"])", "# end"}));
}

TEST(RedisPy, says_the_same_by_its_defaults) {
    expect_same_transcripts(python("redis_like.py", {"redis"}), 0);
}

TEST(RedisPy, says_the_same_in_resp2) {
    expect_same_transcripts(python("redis_like.py", {"redis"}), 2);
}

TEST(RedisPy, sees_no_error_while_the_server_is_away_for_a_second_and_speaks_resp3) {
    expect_no_error_at_a_cold_start(python("cold_start.py"));
}

TEST(ValkeyPy, says_the_same_by_its_defaults) {
    expect_same_transcripts(python("redis_like.py", {"valkey"}), 0);
}

TEST(ValkeyPy, says_the_same_in_resp3) {
    expect_same_transcripts(python("redis_like.py", {"valkey"}), 3);
}

TEST(ValkeyGlide, says_the_same_by_its_defaults) {
    expect_same_transcripts(python("valkey_glide.py"), 0);
}

TEST(ValkeyGlide, says_the_same_in_resp2) {
    expect_same_transcripts(python("valkey_glide.py"), 2);
}

TEST(Ioredis, says_the_same_by_its_defaults) {
    expect_same_transcripts(node("ioredis.js"), 0);
}

TEST(Ioredis, says_the_same_in_resp2) {
    expect_same_transcripts(node("ioredis.js"), 2);
}

TEST(Ioredis, sees_no_error_while_the_server_is_away_for_a_second_and_speaks_resp3) {
    expect_no_error_at_a_cold_start(node("cold_start.js"));
}

TEST(BullMq, says_the_same_by_its_defaults) {
    expect_same_transcripts(node("bullmq.js"), 0);
}

TEST(BullMq, says_the_same_in_resp2) {
    expect_same_transcripts(node("bullmq.js"), 2);
}

TEST(GoRedis, says_the_same_by_its_defaults) {
    expect_same_transcripts(go("goredis"), 0);
}

TEST(GoRedis, says_the_same_in_resp2) {
    expect_same_transcripts(go("goredis"), 2);
}

TEST(GoRedis, sees_no_error_while_the_server_is_away_for_a_second_and_speaks_resp3) {
    auto run = go("goredis");
    run.argv.emplace_back("cold-start");
    expect_no_error_at_a_cold_start(run);
}

TEST(ValkeyGo, says_the_same_by_its_defaults) {
    expect_same_transcripts(go("valkeygo"), 0);
}

TEST(ValkeyGo, says_the_same_in_resp2) {
    expect_same_transcripts(go("valkeygo"), 2);
}

TEST(ValkeyCli, says_the_same_by_its_defaults) {
    expect_same_transcripts({.argv = {script("cli/valkey_cli.sh")}, .env = {}}, 0);
}

TEST(ValkeyCli, says_the_same_in_resp3) {
    expect_same_transcripts({.argv = {script("cli/valkey_cli.sh")}, .env = {}}, 3);
}

TEST(TranscriptDiff, tells_what_differs_and_what_stands_around_it) {
    const Transcript direct{{"a -> 1", "b -> 2", "c -> 3", "d -> 4", "e -> 5", "f -> 6", "g -> 7"}};
    EXPECT_EQ(diff(direct, direct), "");
    const Transcript proxied{{"a -> 1", "b -> 2", "c -> 3", "d -> 5", "e -> 5", "f -> 6"}};
    EXPECT_EQ(diff(direct, proxied), "…\n  b -> 2\n  c -> 3\n- d -> 4\n+ d -> 5\n  e -> 5\n  f -> 6\n- g -> 7\n");
}

TEST(TranscriptDiff, tells_a_line_that_is_too_much_at_the_end) {
    EXPECT_EQ(diff(Transcript{{"a -> 1", "b -> 2", "c -> 3", "d -> 4"}},
                   Transcript{{"a -> 1", "b -> 2", "c -> 3", "d -> 4", "x"}}),
              "…\n  c -> 3\n  d -> 4\n+ x\n");
}

}  // namespace
}  // namespace cvp::test
