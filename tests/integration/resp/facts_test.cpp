// What proxy/resp/ takes for a command, for noise or for broken, held against a real server.

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/framing.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using proxy::Effect;
using proxy::RequestFramer;
using ::testing::Contains;
using ::testing::StartsWith;
using Words = std::vector<std::string>;
using Event = RequestFramer::Event;

constexpr auto kMaxHead = RequestFramer::kMaxHead;
constexpr auto kLimit = 10s;

/// How a stream ends, and what the server answered before that.
struct Verdict {
    std::size_t replies = 0;
    std::string protocol_error;  ///< the server's words; it has closed

    bool operator==(const Verdict&) const = default;
};

void PrintTo(const Verdict& verdict, std::ostream* out) {
    *out << verdict.replies << " replies " << verdict.protocol_error;
}

std::size_t count_commands(const FramedRequests& found) {
    std::size_t count = 0;
    for (const auto& event : found.events)
        count += event.kind == Event::command && event.is_whole ? 1 : 0;
    return count;
}

/// Whether it is broken by a "*" behind a line of blanks, where servers do not agree among themselves.
bool begins_behind_blanks(const FramedRequests& found) {
    if (!found.is_broken || found.events.size() < 2) return false;
    const auto& last = found.events.back().bytes;
    const auto& before = found.events[found.events.size() - 2];
    const bool is_blank =
        before.kind == Event::noise && before.bytes.front() != '*' && before.bytes != "\n" && before.bytes != "\r\n";
    return is_blank && last.front() == '*';
}

class RespFacts : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        dir_ = std::make_unique<TempDir>();
        ValkeyOptions options;
        options.dir = dir_->path();
        options.require_password = false;
        auto server = ValkeyServer::start(std::move(options));
        ASSERT_TRUE(server) << to_string(server.error());
        server_ = std::make_unique<ValkeyServer>(std::move(*server));
    }
    static void TearDownTestSuite() {
        server_.reset();
        dir_.reset();
    }

    /// Sends it on a connection of its own and reads up to the end, or up to the reply to `last`, a command.
    static Verdict ask(const std::string& stream, std::string_view last_reply) {
        auto connected = ByteStream::connect_tcp("127.0.0.1", server_->port(), kLimit);
        if (!connected) throw std::runtime_error(to_string(connected.error()));
        // The server may close before it has read all.
        (void)connected->write_all(stream, kLimit);
        Verdict verdict;
        std::string bytes;
        std::string frame;
        proxy::ReplyFramer framer;
        while (true) {
            auto more = connected->read_some(kLimit);
            if (!more && more.error().code == ErrorCode::timeout) throw std::runtime_error("the server says nothing");
            if (!more || more->empty()) break;
            std::string_view rest = *more;
            while (!rest.empty()) {
                const auto step = framer.step(rest);
                promise(!step.is_broken, "what the server sends is RESP");
                frame += rest.substr(0, step.taken);
                rest.remove_prefix(step.taken);
                if (!step.is_whole) continue;
                if (frame == last_reply) return verdict;
                if (frame.starts_with("-ERR Protocol error")) {
                    verdict.protocol_error = frame.substr(0, frame.size() - 2);
                } else {
                    ++verdict.replies;
                }
                frame.clear();
            }
        }
        promise(framer.is_at_boundary(), "the server ends between two replies");
        if (verdict.protocol_error.empty()) verdict.protocol_error = "closed without a word";
        return verdict;
    }

    /// What the server makes of a stream that the framer takes for broken. It says so at the end of a line, or, where
    /// it waits for ever, once the line is too long.
    static Verdict ask_broken(const std::string& stream) { return ask(stream + "\r\n" + std::string(70'000, 'x'), ""); }

    /// What it makes of one that ends with a command or with noise.
    static Verdict ask_whole(const std::string& stream) {
        return ask(stream + "\n*2\r\n$4\r\nECHO\r\n$6\r\nMARKER\r\n", "$6\r\nMARKER\r\n");
    }

    /// Whether the server and the framer agree.
    static void expect_agreement(const std::string& stream) {
        const auto found = frame_requests(in_one(stream));
        const auto commands = count_commands(found);
        if (found.is_broken) {
            const auto verdict = ask_broken(stream);
            EXPECT_EQ(verdict.replies, commands) << stream;
            EXPECT_THAT(verdict.protocol_error, StartsWith("-ERR Protocol error")) << stream;
            return;
        }
        ASSERT_TRUE(found.is_at_boundary) << "only whole streams can be asked about: " << stream;
        EXPECT_EQ(ask_whole(stream), (Verdict{commands, ""})) << stream;
    }

    /// That they agree, and on this.
    static void expect_broken(const std::string& stream, std::size_t commands = 0) {
        EXPECT_TRUE(frame_requests(in_one(stream)).is_broken) << stream;
        EXPECT_EQ(count_commands(frame_requests(in_one(stream))), commands) << stream;
        expect_agreement(stream);
    }
    static void expect_commands(const std::string& stream, std::size_t commands) {
        const auto found = frame_requests(in_one(stream));
        EXPECT_FALSE(found.is_broken) << stream;
        EXPECT_EQ(count_commands(found), commands) << stream;
        expect_agreement(stream);
    }

    static inline std::unique_ptr<TempDir> dir_;
    static inline std::unique_ptr<ValkeyServer> server_;
};

TEST_F(RespFacts, a_number_that_is_written_oddly_is_a_protocol_error) {
    for (const auto* count : {"01", "+1", " 1", "1 ", "", "-", "-0", "x", "1x", "0x1", "2147483648",
                              "9223372036854775808", "18446744073709551617", "99999999999999999999999"}) {
        expect_broken(fmt::format("*{}\r\n$4\r\nPING\r\n", count));
    }
    for (const auto* length : {"04", "+4", " 4", "4 ", "", "-1", "-0", "x", "4x", "9223372036854775808"}) {
        expect_broken(fmt::format("*1\r\n${}\r\nPING\r\n", length));
        expect_broken(fmt::format("*2\r\n$4\r\nECHO\r\n${}\r\nPING\r\n", length));
        expect_broken(fmt::format("*2\r\n$4\r\nAUTH\r\n${}\r\nPING\r\n", length));
    }
}

TEST_F(RespFacts, anything_but_a_bulk_string_in_a_command_is_a_protocol_error) {
    for (const auto* bulk : {"PING\r\n", ":4\r\nPING\r\n", "*1\r\n$4\r\nPING\r\n", "+PING\r\n", "\r\n$4\r\nPING\r\n"}) {
        expect_broken(std::string("*1\r\n") + bulk);
        expect_broken(std::string("*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n") + bulk, 1);
    }
}

TEST_F(RespFacts, the_bytes_behind_a_bulk_string_are_not_looked_at) {
    expect_commands("*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING$$", 2);
    expect_commands("*2\r\n$4\r\nECHO\n\r$1\r\nx\n\n", 1);
    expect_commands("*2\r\n$6\r\nSELECTab$1\r\n0cd", 1);
    expect_commands(std::string("*1\r\n$4\r\nPING\0\0", 14), 1);
}

TEST_F(RespFacts, the_byte_behind_a_carriage_return_is_not_looked_at_either) {
    expect_commands("*1\rx$4\rxPING\r\n", 1);
    expect_commands("*1\r\r$4\r$PING\r\n", 1);
}

TEST_F(RespFacts, a_line_feed_alone_ends_an_inline_command_but_no_length) {
    expect_commands("PING\nPING\r\nECHO a\n", 3);
    expect_broken("*1\n$4\nPING\n");
}

TEST_F(RespFacts, empty_commands_and_lines_have_no_reply) {
    expect_commands("*0\r\n*-1\r\n*-7\r\n*-9223372036854775808\r\n", 0);
    expect_commands("\r\n\n  \r\n\t\v\f\n", 0);
    expect_commands("*0\r\nPING\r\n\r\n*1\r\n$4\r\nPING\r\n*-1\r\n", 2);
}

TEST_F(RespFacts, behind_a_line_of_blanks_valkey_8_expects_another_line) {
    // Three lines: "*1", "$4" and "PING". Servers before it, and Redis, find one command.
    const std::string stream = " \r\n*1\r\n$4\r\nPING\r\n";
    EXPECT_EQ(ask_whole(stream), (Verdict{3, ""}));
    EXPECT_TRUE(frame_requests(in_one(stream)).is_broken);
    expect_commands(" \r\n\r\n*1\r\n$4\r\nPING\r\n", 1);
    expect_commands(" \r\nPING\r\n*1\r\n$4\r\nPING\r\n", 2);
}

TEST_F(RespFacts, an_empty_name_is_a_command) {
    expect_commands("*1\r\n$0\r\n\r\n''\r\n\"\" x\r\n", 3);
}

TEST_F(RespFacts, quotes_that_do_not_close_are_a_protocol_error) {
    for (const auto* line : {"\"PING", "'PING", "PING \"", "ECHO \"a\"b", "ECHO 'a'b", "ECHO \"a\\\"", "ECHO 'a\\'",
                             "ECHO '\\\\'", "ECHO a\"b", "ECHO \"a\"'b'"}) {
        expect_broken(std::string(line) + "\r\n");
        expect_broken("PING\r\n" + std::string(line) + "\n", 1);
    }
    expect_commands("\"PING\"\r\n'ping'\necho \"\\x41\\n\\\"\"\r\necho 'it\\'s'\necho a\" b\"\n", 5);
}

TEST_F(RespFacts, a_nul_in_a_line_is_never_understood) {
    expect_broken(std::string("PING\0\r\n", 7));
    expect_broken(std::string("\0PING\r\n", 7));
    expect_broken(std::string("*1\0\r\n", 5));
    expect_broken(std::string("*1\r\n$4\0\r\nPING\r\n", 15));
}

TEST_F(RespFacts, a_line_may_have_64_KiB) {
    expect_commands(std::string(kMaxHead, 'x') + "\n", 1);
    expect_commands("ECHO " + std::string(kMaxHead - 6, 'x') + "\r\n", 1);
    const std::string too_long(kMaxHead + 1, 'x');
    EXPECT_TRUE(frame_requests(in_one(too_long)).is_broken);
    EXPECT_EQ(ask(too_long, "").protocol_error, "-ERR Protocol error: too big inline request");
}

TEST_F(RespFacts, a_command_may_have_as_many_arguments_as_an_int_counts) {
    std::string many = "*1048577\r\n$3\r\nDEL\r\n";
    for (int i = 0; i < 1'048'576; ++i)
        many += "$1\r\nk\r\n";
    expect_commands(many, 1);
    // Whether a count is legal shows at the bulk that follows it.
    const auto wait = [](std::string_view count) { return fmt::format("*{}\r\n$4\r\nECHO\r\nx\r\n", count); };
    EXPECT_THAT(ask_broken(wait("2147483647")).protocol_error, StartsWith("-ERR Protocol error: expected '$'"));
    EXPECT_EQ(frame_requests(in_one(wait("2147483647"))).events.front().kind, Event::command);
    EXPECT_EQ(ask_broken(wait("2147483648")).protocol_error, "-ERR Protocol error: invalid multibulk length");
    EXPECT_EQ(frame_requests(in_one(wait("2147483648"))).events.front().kind, Event::broken);
}

TEST_F(RespFacts, the_length_of_a_bulk_string_is_for_the_server_to_limit) {
    const std::string large = "*2\r\n$4\r\nECHO\r\n$536870913\r\n";
    EXPECT_EQ(ask_broken(large).protocol_error, "-ERR Protocol error: invalid bulk length");
    EXPECT_FALSE(frame_requests(in_one(large)).is_broken);
}

TEST_F(RespFacts, the_framers_agree_with_the_server_on_streams_that_were_damaged_at_random) {
    const Words whole = {"*1\r\n$4\r\nPING\r\n",
                         "*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n",
                         "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
                         "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nline 1\r\nline\r\n",
                         "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n",
                         "PING\r\n",
                         "echo 'a \\'b' \r\n",
                         "SET k \"\\x41 \\\" \\n\"\n",
                         "*0\r\n",
                         "\r\n",
                         "*-1\r\n"};
    const std::string alphabet("*$0123-+ \t\r\n\"'\\xPING\0", 22);
    std::mt19937 random(20261125);
    std::size_t broken = 0;
    std::size_t commands = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string stream;
        for (auto count = 1 + random() % 4; count > 0; --count)
            stream += whole[random() % whole.size()];
        for (auto damages = random() % 3; damages > 0; --damages) {
            const auto at = random() % stream.size();
            const char c = alphabet[random() % alphabet.size()];
            const auto kind = random() % 3;
            if (kind == 0) stream[at] = c;
            if (kind == 1) stream.insert(at, 1, c);
            if (kind == 2 && stream.size() > 1) stream.erase(at, 1);
        }
        auto found = frame_requests(in_one(stream));
        if (!found.is_broken && !found.is_at_boundary) {
            // Of a command that is not whole the server says nothing.
            stream.resize(stream.size() - found.kept.size());
            if (!found.events.empty() && found.events.back().kind == Event::command && !found.events.back().is_whole) {
                stream.resize(stream.size() - found.events.back().bytes.size());
            }
            found = frame_requests(in_one(stream));
        }
        if (begins_behind_blanks(found)) continue;
        broken += found.is_broken ? 1 : 0;
        commands += count_commands(found);
        expect_agreement(stream);
        if (HasFailure()) break;
    }
    EXPECT_GT(broken, 500u);
    EXPECT_GT(commands, 3000u);
}

TEST_F(RespFacts, every_command_that_the_server_says_may_block_is_known_to) {
    auto client = RespClient::connect("127.0.0.1", server_->port());
    ASSERT_TRUE(client);
    const auto commands = client->command({"COMMAND"}, kLimit);
    ASSERT_TRUE(commands);
    ASSERT_GT(commands->elements.size(), 200u);
    std::size_t blocking = 0;
    for (const auto& command : commands->elements) {
        const auto& flags = command.elements.at(2).elements;
        const auto blocks = std::any_of(flags.begin(), flags.end(), [](const auto& f) { return f.text == "blocking"; });
        const auto& info = proxy::find_command(command.elements.at(0).text);
        const bool is_known =
            info.effect == Effect::blocks || info.effect == Effect::blocks_if_option || info.effect == Effect::waits;
        EXPECT_EQ(is_known, blocks) << command.elements.at(0).text;
        blocking += blocks ? 1 : 0;
    }
    EXPECT_GE(blocking, 10u);
}

TEST_F(RespFacts, every_command_of_the_table_is_one_of_the_server) {
    auto client = RespClient::connect("127.0.0.1", server_->port());
    ASSERT_TRUE(client);
    for (std::size_t i = 1; i < proxy::kCommands; ++i) {
        const std::string name(proxy::command_at(i).name);
        const auto info = client->command({"COMMAND", "INFO", name}, kLimit);
        ASSERT_TRUE(info);
        EXPECT_FALSE(info->elements.at(0).is_null) << name;
    }
}

}  // namespace
}  // namespace cvp::test
