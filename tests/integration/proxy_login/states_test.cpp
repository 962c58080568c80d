// The states that a client's connection can be in while its login is renewed under it: nobody can tell by one byte.
#include <future>
#include <regex>

#include <gtest/gtest.h>

#include "tests/integration/proxy_login/fixture.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

struct Step {
    enum class Kind { say, wait, administrate };
    Kind kind;
    Words words;
};

Step say(Words words) {
    return {Step::Kind::say, std::move(words)};
}

/// Long enough for some logins to be due.
Step wait() {
    return {Step::Kind::wait, {}};
}

/// From outside, once what was said is done.
Step administrate(Words words) {
    return {Step::Kind::administrate, std::move(words)};
}

struct Script {
    const char* name;
    std::vector<Step> steps;
};

const std::vector<Script>& scripts() {
    static const std::vector<Script> all = {
        {"plain", {say({"SET", "p", "1"}), wait(), say({"INCR", "p"}), say({"GET", "none"})}},
        {"database", {say({"SELECT", "3"}), say({"SET", "d", "in 3"}), wait(), say({"GET", "d"})}},
        {"name",
         {say({"CLIENT", "SETNAME", "me"}), say({"CLIENT", "NO-EVICT", "ON"}), say({"CLIENT", "NO-TOUCH", "ON"}),
          wait(), say({"CLIENT", "GETNAME"})}},
        {"watch, touched",
         {say({"SET", "w", "1"}), say({"WATCH", "w"}), wait(), administrate({"SET", "w", "2"}), wait(), say({"MULTI"}),
          say({"INCR", "w"}), say({"EXEC"})}},
        {"watch, untouched",
         {say({"SET", "u", "1"}), say({"WATCH", "u"}), wait(), say({"MULTI"}), say({"INCR", "u"}), say({"EXEC"})}},
        {"transaction",
         {say({"MULTI"}), say({"INCR", "t"}), wait(), say({"INCR", "t"}), wait(), say({"EXEC"}), wait(),
          say({"GET", "t"})}},
        {"spoilt transaction", {say({"MULTI"}), say({"NO SUCH COMMAND"}), wait(), say({"EXEC"})}},
        {"reply off",
         {say({"CLIENT", "REPLY", "OFF"}), say({"SET", "o", "1"}), wait(), say({"GET", "o"}),
          say({"CLIENT", "REPLY", "ON"})}},
        {"reply skip", {say({"CLIENT", "REPLY", "SKIP"}), wait(), say({"PING", "hidden"}), say({"PING", "seen"})}},
        {"cached read",
         {say({"HELLO", "3"}), say({"SET", "c", "1"}), say({"CLIENT", "TRACKING", "ON", "OPTIN"}),
          say({"CLIENT", "CACHING", "YES"}), wait(), say({"GET", "c"}), wait(), administrate({"SET", "c", "2"}),
          wait()}},
        {"broadcast tracking",
         {say({"HELLO", "3"}), say({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "b:"}), wait(),
          administrate({"SET", "b:1", "x"}), wait()}},
        {"RESP2 subscriber",
         {say({"SUBSCRIBE", "news", "sport"}), say({"PSUBSCRIBE", "n*"}), wait(),
          administrate({"PUBLISH", "news", "one"}), wait(), administrate({"PUBLISH", "sport", "two"}), wait(),
          say({"PING", "x"}), say({"UNSUBSCRIBE", "news"}), say({"UNSUBSCRIBE", "sport"}), say({"PUNSUBSCRIBE", "n*"}),
          wait(), say({"GET", "none"})}},
        {"RESP3 subscriber",
         {say({"HELLO", "3"}), say({"SUBSCRIBE", "paper"}), say({"SSUBSCRIBE", "shard"}), wait(),
          administrate({"PUBLISH", "paper", "one"}), wait(), say({"GET", "none"}),
          administrate({"SPUBLISH", "shard", "two"}), wait()}},
        {"blocked",
         {say({"BLPOP", "q", "0"}), wait(), administrate({"RPUSH", "q", "one"}), wait(), say({"LLEN", "q"})}},
        {"blocked in a pipeline",
         {say({"SET", "before", "1"}), say({"BLPOP", "q2", "0"}), say({"SET", "behind", "2"}), wait(),
          administrate({"RPUSH", "q2", "one"}), wait(), say({"MGET", "before", "behind"})}},
        {"RESP3 and back",
         {say({"HELLO", "3"}), say({"GET", "none"}), wait(), say({"HELLO", "2"}), wait(), say({"GET", "none"})}},
    };
    return all;
}

class LoginStatesTest : public LoginFixture {
protected:
    /// All that a client is sent for a script, up to a last word of its own; what differs by nature is masked.
    std::string play(const Script& script, RespClient client, std::chrono::milliseconds pause) {
        constexpr std::string_view kEnd = "$3\r\nend\r\n";
        for (const auto& step : script.steps) {
            if (step.kind == Step::Kind::say && !client.send(encode_command(step.words))) return "cannot send";
            if (step.kind == Step::Kind::wait) std::this_thread::sleep_for(pause);
            if (step.kind == Step::Kind::administrate) {
                std::this_thread::sleep_for(50ms);
                admin(step.words);
            }
        }
        if (!client.send(encode_command({"ECHO", "end"}))) return "cannot send";
        std::string bytes;
        while (!bytes.ends_with(kEnd)) {
            const auto piece = client.stream().read_some(10s);
            if (!piece || piece->empty()) return bytes + "<" + (piece ? "end" : to_string(piece.error())) + ">";
            bytes += *piece;
        }
        static const std::regex kId("\\$2\r\nid\r\n:\\d+");
        return std::regex_replace(bytes, kId, "$2\r\nid\r\n:N");
    }
};

TEST_F(LoginStatesTest, a_login_renewed_in_any_state_shows_in_no_byte) {
    start(100ms);
    std::vector<std::string> expected;
    for (const auto& script : scripts())
        expected.push_back(play(script, direct(), 20ms));
    admin({"FLUSHALL"});

    const auto before = front("logins/passedLater");
    std::vector<std::future<std::string>> seen;
    for (const auto& script : scripts())
        seen.push_back(std::async(std::launch::async, [this, &script] { return play(script, client(), 450ms); }));
    for (std::size_t i = 0; i < seen.size(); ++i)
        EXPECT_EQ(seen[i].get(), expected[i]) << scripts()[i].name;
    EXPECT_GE(front("logins/passedLater"), before + scripts().size());
    EXPECT_GE(relogins("ok"), static_cast<double>(scripts().size()));
}

TEST_F(LoginStatesTest, a_client_that_monitors_sees_no_login_of_its_own_connection) {
    start(100ms);
    auto monitor = client();
    ASSERT_EQ(ask(monitor, {"MONITOR"}), "+OK");
    std::this_thread::sleep_for(500ms);
    admin({"SET", "k", "the last"});
    for (;;) {
        const auto line = next(monitor);
        ASSERT_TRUE(line.starts_with("+1")) << line << ": no line of MONITOR's";
        EXPECT_EQ(line.find("\"AUTH\""), std::string::npos) << line;
        if (line.find("the last") != std::string::npos) break;
    }
}

}  // namespace
}  // namespace cvp::test
