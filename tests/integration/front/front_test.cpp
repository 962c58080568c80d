// The emulator's TLS front before a real Valkey: nobody can tell it from the server but by the faults that it was told.
#include "tests/emulator/front.hpp"

#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/support/resp_client.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::emulator {
namespace {

using namespace std::chrono_literals;
using test::encode_command;
using test::RespClient;

const Secret kToken("ya29.the-token");
const Secret kOther("ya29.nobody-knows-it");
constexpr auto kWrongPass = "-WRONGPASS invalid username-password pair or user is disabled";
constexpr auto kNoAuth = "-NOAUTH Authentication required.";

class FrontTest : public ::testing::Test {
protected:
    FrontTest() {
        test::ValkeyOptions options;
        options.dir = dir_.path();
        options.tls = ca_.valkey();
        options.passwords = {kToken};
        auto server = test::ValkeyServer::start(std::move(options));
        if (!server) throw std::runtime_error(to_string(server.error()));
        server_ = std::move(*server);
        FrontOptions front;
        front.server = {"127.0.0.1", server_->port()};
        front.server_has_tls = true;
        front.certificate.emplace();
        const auto shown = ca_.valkey();
        front.certificate->certificate_pem = shown.certificate_pem;
        front.certificate->key_pem = shown.key_pem;
        auto started = Front::start(std::move(front));
        if (!started) throw std::runtime_error(to_string(started.error()));
        front_ = std::move(*started);
        front_->set_logins(std::vector<Secret>{kToken});
    }

    /// A verified connection, not logged in.
    RespClient connect_to(std::uint16_t port) const {
        auto client = RespClient::connect_tls("127.0.0.1", port, ca_.client());
        if (!client) throw std::runtime_error(to_string(client.error()));
        return std::move(*client);
    }
    RespClient connect() const { return connect_to(front_->address().port); }
    RespClient connect_directly() const { return connect_to(server_->port()); }
    RespClient log_in() const {
        auto client = connect();
        EXPECT_EQ(ask(client, auth()), "+OK");
        return client;
    }

    static std::vector<std::string> auth(const Secret& token = kToken) { return {"AUTH", std::string(token.reveal())}; }
    static std::string ask(RespClient& client, const std::vector<std::string>& words) {
        const auto reply = client.command(words);
        return reply ? to_string(*reply) : to_string(reply.error());
    }
    static std::string next(RespClient& client) {
        const auto reply = client.read_reply();
        return reply ? to_string(*reply) : to_string(reply.error());
    }
    /// The bytes up to and with the answer to ECHO `mark`, which must have been sent.
    static std::string read_to_mark(RespClient& client, const std::string& mark) {
        const auto end = "$" + std::to_string(mark.size()) + "\r\n" + mark + "\r\n";
        std::string bytes;
        while (!bytes.ends_with(end)) {
            auto piece = client.stream().read_some(10s);
            if (!piece || piece->empty()) return bytes + "<" + (piece ? "end" : to_string(piece.error())) + ">";
            bytes += *piece;
        }
        return bytes;
    }

    test::TempDir dir_;
    test::TestCa ca_;
    std::optional<test::ValkeyServer> server_;
    std::unique_ptr<Front> front_;
};

/// Commands whose replies depend on nothing but the commands before them.
std::string random_command(std::mt19937& random) {
    const auto pick = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
    const auto key = "k" + std::to_string(pick(20));
    const auto list = "l" + std::to_string(pick(5));
    const auto value = std::string(pick(20) == 0 ? pick(40'000) : pick(60), static_cast<char>('a' + pick(26)));
    switch (pick(20)) {
        case 0:
            return "PING\r\n";
        case 1:
            return "*0\r\n" + encode_command({"ECHO", value});
        case 2:
            return encode_command({"GET", key});
        case 3:
            return encode_command({"RPUSH", list, value, "b"});
        case 4:
            return encode_command({"LRANGE", list, "-3", "-1"});
        case 5:
            return encode_command({"INCR", "number" + key});
        case 6:
            return encode_command({"MULTI"}) + encode_command({"SET", key, value}) + encode_command({"GET", key}) +
                   encode_command({pick(2) == 0 ? "EXEC" : "DISCARD"});
        case 7:
            return encode_command({"CLIENT", "REPLY", "SKIP"}) + encode_command({"SET", key, value});
        case 8:
            return encode_command({"AUTH", "default", std::string(kToken.reveal())});
        case 9:
            return encode_command({"SUBSCRIBE", "a", "b"}) + encode_command({"PING", value}) +
                   encode_command({"UNSUBSCRIBE"});
        case 10:
            return encode_command({"SELECT", std::to_string(pick(3))});
        case 11:
            return encode_command({"NO SUCH COMMAND", value.substr(0, 10)});
        case 12:
            return encode_command({"LPUSH", list, "first"}) + encode_command({"BLPOP", list, "0"});
        case 13:
            return encode_command({"EVAL", "return {1, {2, ARGV[1]}, 'x'}", "0", value});
        case 14:
            return encode_command({"WATCH", key}) + encode_command({"AUTH"});
        case 15:
            return encode_command({"DEL", list});
        default:
            return encode_command({"SET", key, value});
    }
}

TEST_F(FrontTest, ten_thousand_random_pipelined_commands_are_answered_by_the_same_bytes_as_directly) {
    std::size_t compared = 0;
    std::vector<std::string> seen;
    for (const auto port : {server_->port(), front_->address().port}) {
        ASSERT_TRUE(server_->admin({"FLUSHALL", "SYNC"}));
        auto client = connect_to(port);
        ASSERT_EQ(ask(client, auth()), "+OK");
        std::mt19937 random(20261120);
        std::string all;
        for (int sent = 0, batch = 0; sent < 10'000; ++batch) {
            std::string bytes;
            for (auto left = 1 + random() % 300; left > 0; --left, ++sent)
                bytes += random_command(random);
            const auto mark = "batch " + std::to_string(batch);
            bytes += encode_command({"ECHO", mark});
            for (std::size_t at = 0; at < bytes.size();) {
                const auto piece = std::min<std::size_t>(1 + random() % 9000, bytes.size() - at);
                ASSERT_TRUE(client.send(std::string_view(bytes).substr(at, piece)));
                at += piece;
            }
            all += read_to_mark(client, mark);
        }
        compared = all.size();
        seen.push_back(std::move(all));
    }
    EXPECT_TRUE(seen[0] == seen[1])
        << "first difference at byte "
        << std::mismatch(seen[0].begin(), seen[0].end(), seen[1].begin(), seen[1].end()).first - seen[0].begin();
    EXPECT_GT(compared, 1'000'000u);
    EXPECT_GT(front_->counts().relogins_passed, 100u);
}

TEST_F(FrontTest, resp3_pushes_and_hello_pass) {
    auto client = connect();
    const auto hello = ask(client, {"HELLO", "3", "AUTH", "default", std::string(kToken.reveal())});
    EXPECT_TRUE(hello.starts_with("[\"server\", \"valkey\"")) << hello;
    EXPECT_EQ(ask(client, {"SUBSCRIBE", "news"}), "[\"subscribe\", \"news\", 1]");
    ASSERT_TRUE(server_->admin({"PUBLISH", "news", "one"}));
    EXPECT_EQ(next(client), "[\"message\", \"news\", \"one\"]");
    EXPECT_EQ(ask(client, auth()), "+OK");
    ASSERT_TRUE(server_->admin({"PUBLISH", "news", "two"}));
    EXPECT_EQ(next(client), "[\"message\", \"news\", \"two\"]");
    const auto counts = front_->counts();
    EXPECT_EQ(counts.logins_passed, 2u);
    EXPECT_EQ(counts.relogins_passed, 1u);
}

TEST_F(FrontTest, a_client_may_write_everything_before_it_reads) {
    auto client = log_in();
    const std::string value(300'000, 'v');
    std::string bytes;
    for (int i = 0; i < 50; ++i)
        bytes += encode_command({"SET", "k", value}) + encode_command({"GET", "k"});
    ASSERT_TRUE(client.send(bytes + encode_command({"ECHO", "end"})));
    EXPECT_EQ(read_to_mark(client, "end").size(), 50 * (5 + 9 + value.size() + 2) + 9);
}

TEST_F(FrontTest, a_slow_reader_fills_the_servers_buffer_and_not_the_fronts) {
    auto client = log_in();
    ASSERT_EQ(ask(client, {"SET", "k", std::string(1'000'000, 'v')}), "+OK");
    std::string bytes;
    for (int i = 0; i < 40; ++i)
        bytes += encode_command({"GET", "k"});
    ASSERT_TRUE(client.send(bytes));
    const auto at_the_server = [&] {
        const auto list = server_->admin_text({"CLIENT", "LIST", "TYPE", "normal"}).value();
        std::size_t most = 0;
        for (auto at = list.find(" omem="); at != std::string::npos; at = list.find(" omem=", at + 1))
            most = std::max<std::size_t>(most, std::stoull(list.substr(at + 6)));
        return most;
    };
    EXPECT_TRUE(test::eventually([&] {
        const auto before = at_the_server();
        std::this_thread::sleep_for(200ms);
        return before > 20'000'000 && before == at_the_server();
    }));
    ASSERT_TRUE(client.send(encode_command({"ECHO", "end"})));
    EXPECT_EQ(read_to_mark(client, "end").size(), 40 * (10 + 1'000'000 + 2) + 9);
}

TEST_F(FrontTest, the_servers_last_words_arrive_before_its_end) {
    for (const auto* words : {"*1\r\n$x\r\n", "*3\r\n$3\r\nSET\r\n$-5\r\n", "QUIT\r\n"}) {
        const auto fate_of = [&](RespClient client) {
            EXPECT_EQ(ask(client, auth()), "+OK");
            EXPECT_TRUE(client.send(std::string("PING\r\n") + words));
            return client.read_to_end().value_or("reset");
        };
        const auto direct = fate_of(connect_directly());
        EXPECT_NE(direct, "+PONG\r\n");
        EXPECT_EQ(fate_of(connect()), direct);
    }
}

TEST_F(FrontTest, a_client_that_goes_on_sending_is_not_reset_over_the_servers_last_words) {
    auto client = log_in();
    ASSERT_TRUE(client.send("*1\r\n$x\r\n"));
    ASSERT_TRUE(test::eventually([&] {
        return server_->admin_text({"INFO", "clients"})->find("connected_clients:1\r") != std::string::npos;
    })) << "the server has closed the connection";
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(client.send(std::string(10'000, 'x'))) << "piece " << i;
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_EQ(client.read_to_end().value_or("reset"), "-ERR Protocol error: invalid bulk length\r\n");
}

TEST_F(FrontTest, a_clients_end_reaches_the_server_behind_its_last_command) {
    {
        auto client = log_in();
        ASSERT_TRUE(client.send(encode_command({"RPUSH", "jobs", "first"}) + encode_command({"BLPOP", "none", "0"})));
        client.stream().finish_writing();
        EXPECT_EQ(client.read_to_end().value_or("reset"), ":1\r\n");
    }
    {
        auto client = log_in();
        ASSERT_TRUE(client.send(encode_command({"BLPOP", "more jobs", "0"})));
        ASSERT_TRUE(test::eventually([&] {
            return server_->admin_text({"INFO", "clients"})->find("blocked_clients:1") != std::string::npos;
        }));
    }
    ASSERT_TRUE(test::eventually([&] {
        return server_->admin_text({"INFO", "clients"})->find("blocked_clients:0") != std::string::npos;
    }));
    ASSERT_TRUE(server_->admin({"RPUSH", "more jobs", "one"}));
    EXPECT_EQ(server_->admin_text({"LLEN", "more jobs"}).value(), "1");
    EXPECT_TRUE(test::eventually([&] { return front_->counts().connections_open == 0; }));
}

TEST_F(FrontTest, client_kill_at_the_server_is_an_end_without_a_word) {
    auto client = log_in();
    ASSERT_TRUE(server_->admin({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}));
    EXPECT_EQ(client.read_to_end().value_or("reset"), "");
}

TEST_F(FrontTest, a_client_of_a_paused_server_waits_for_its_handshake) {
    server_->pause();
    auto stream = test::ByteStream::connect_tcp("127.0.0.1", front_->address().port, 1s);
    ASSERT_TRUE(stream);
    const auto early = stream->start_tls(ca_.client(), 300ms);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, ErrorCode::timeout);
    ASSERT_TRUE(server_->resume());
    log_in();
}

TEST_F(FrontTest, a_client_of_a_dead_server_is_sent_away) {
    server_->kill();
    EXPECT_FALSE(RespClient::connect_tls("127.0.0.1", front_->address().port, ca_.client()));
    EXPECT_TRUE(test::eventually([&] { return front_->counts().connections_open == 0; }));
    ASSERT_TRUE(server_->restart());
    log_in();
}

TEST_F(FrontTest, a_refused_login_leaves_the_client_out_and_a_later_one_lets_it_in) {
    front_->add_fault({.answer = LoginAnswer::wrongpass, .remaining = 2});
    auto client = connect();
    EXPECT_EQ(ask(client, auth()), kWrongPass);
    EXPECT_EQ(ask(client, {"PING"}), kNoAuth);
    EXPECT_EQ(ask(client, {"HELLO", "3", "AUTH", "default", std::string(kToken.reveal())}), kWrongPass);
    EXPECT_EQ(ask(client, auth()), "+OK");
    EXPECT_EQ(ask(client, {"GET", "none"}), "(null)") << "still RESP2";
    const auto counts = front_->counts();
    EXPECT_EQ(counts.logins_seen, 3u);
    EXPECT_EQ(counts.logins_refused, 2u);
    EXPECT_EQ(counts.logins_passed, 1u);
    EXPECT_EQ(counts.relogins_passed, 0u);
}

TEST_F(FrontTest, a_refused_relogin_leaves_the_identity_as_it_was) {
    auto client = log_in();
    front_->add_fault({.answer = LoginAnswer::iam_exhausted, .turn = LoginTurn::later});
    EXPECT_EQ(ask(client, auth()), "-ERR (ERR_IAM_EXHAUSTED) Memorystore IAM authentication backend quota exceeded.");
    EXPECT_EQ(ask(client, {"PING"}), "+PONG");
    log_in();  // a first login is not hit
    front_->clear_faults();
    front_->add_fault({.answer = LoginAnswer::iam_other, .remaining = 1});
    EXPECT_EQ(ask(client, auth()), "-ERR (ERR_IAM_OTHER) Memorystore IAM authentication backend error.");
    EXPECT_EQ(ask(client, auth()), "+OK");
}

TEST_F(FrontTest, refusals_last_as_long_as_they_were_told_to) {
    front_->add_fault({.answer = LoginAnswer::wrongpass, .expiry = SteadyClock::now() + 400ms});
    auto client = connect();
    EXPECT_EQ(ask(client, auth()), kWrongPass);
    EXPECT_TRUE(test::eventually([&] { return ask(client, auth()) == "+OK"; }));
    EXPECT_TRUE(front_->faults().empty());
}

TEST_F(FrontTest, a_bad_password_is_refused_by_the_server_itself) {
    auto client = connect();
    EXPECT_EQ(ask(client, auth(kOther)), std::string(kWrongPass) + ".");
    EXPECT_EQ(front_->counts().logins_invalid, 1u);
    EXPECT_EQ(front_->counts().logins_refused, 0u);
}

TEST_F(FrontTest, a_silent_refusal_takes_its_reply_out_of_the_middle_of_a_pipeline) {
    auto client = log_in();
    front_->add_fault({.answer = LoginAnswer::silence, .remaining = 1});
    ASSERT_TRUE(client.send(encode_command({"PING"}) + encode_command(auth()) + encode_command({"PING", "nonce"}) +
                            encode_command({"ECHO", "end"})));
    EXPECT_EQ(read_to_mark(client, "end"), "+PONG\r\n$5\r\nnonce\r\n$3\r\nend\r\n");
    EXPECT_EQ(front_->counts().logins_silenced, 1u);
}

TEST_F(FrontTest, a_refusal_keeps_its_place_among_messages_to_a_subscriber) {
    auto client = connect();
    ASSERT_TRUE(
        ask(client, {"HELLO", "3", "AUTH", "default", std::string(kToken.reveal())}).starts_with("[\"server\""));
    EXPECT_EQ(ask(client, {"SUBSCRIBE", "news"}), "[\"subscribe\", \"news\", 1]");
    front_->add_fault({.answer = LoginAnswer::wrongpass});
    std::thread publisher([&] {
        for (int i = 0; i < 2000; ++i)
            ASSERT_TRUE(server_->admin({"PUBLISH", "news", std::to_string(i)}));
    });
    int refused = 0;
    int messages = 0;
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(client.send(encode_command(auth())));
        for (;;) {
            const auto reply = next(client);
            if (reply == kWrongPass) break;
            ASSERT_EQ(reply, "[\"message\", \"news\", \"" + std::to_string(messages++) + "\"]");
        }
        ++refused;
    }
    publisher.join();
    for (; messages < 2000; ++messages)
        ASSERT_EQ(next(client), "[\"message\", \"news\", \"" + std::to_string(messages) + "\"]");
    EXPECT_EQ(refused, 200);
}

TEST_F(FrontTest, a_slow_login_holds_back_what_is_behind_it_and_nothing_before) {
    auto client = log_in();
    front_->add_fault({.delay = 600ms, .remaining = 1});
    const auto begin = SteadyClock::now();
    ASSERT_TRUE(
        client.send(encode_command({"ECHO", "before"}) + encode_command(auth()) + encode_command({"ECHO", "behind"})));
    EXPECT_EQ(next(client), "\"before\"");
    EXPECT_TRUE(test::eventually([&] { return front_->counts().logins_waiting == 1; })) << "before the login";
    EXPECT_EQ(next(client), "+OK");
    EXPECT_GE(SteadyClock::now() - begin, 600ms);
    EXPECT_EQ(next(client), "\"behind\"");
    EXPECT_EQ(front_->counts().logins_delayed, 1u);
    EXPECT_TRUE(test::eventually([&] { return front_->counts().logins_waiting == 0; }));
    EXPECT_EQ(front_->counts().most_logins_waiting, 1u);
}

TEST_F(FrontTest, a_cut_comes_in_the_middle_of_the_answer) {
    front_->add_fault({.answer = LoginAnswer::cut, .remaining = 2});
    auto client = connect();
    ASSERT_TRUE(client.send(encode_command(auth()) + encode_command({"PING"})));
    EXPECT_EQ(client.read_to_end().value_or("reset"), "+O");
    auto hello = connect();
    ASSERT_TRUE(hello.send(encode_command({"HELLO", "3", "AUTH", "default", "x"})));
    EXPECT_EQ(hello.read_to_end().value_or("reset"), "%7\r\n$6\r\nser");
    EXPECT_EQ(front_->counts().logins_cut, 2u);
    log_in();
}

TEST_F(FrontTest, a_connection_is_cut_at_its_age_without_a_word) {
    auto early = log_in();
    front_->limit_age({.limit = 500ms});
    const auto begin = SteadyClock::now();
    auto never = connect();
    auto client = log_in();
    EXPECT_EQ(client.read_to_end().value_or("reset"), "");
    EXPECT_GE(SteadyClock::now() - begin, 450ms);
    EXPECT_LT(SteadyClock::now() - begin, 5s);
    EXPECT_EQ(early.read_to_end().value_or("reset"), "") << "of before the limit";
    EXPECT_EQ(ask(never, {"PING"}), kNoAuth) << "without a login there is no age";
    EXPECT_EQ(front_->counts().cut_by_age, 2u);
}

TEST_F(FrontTest, a_relogin_prolongs_a_connections_life_or_does_not) {
    for (const bool is_prolonged : {true, false}) {
        front_->limit_age({.limit = 800ms, .is_prolonged = is_prolonged});
        auto client = log_in();
        const auto begin = SteadyClock::now();
        std::string reply = "+OK";
        while (reply == "+OK" && SteadyClock::now() - begin < 2s) {
            std::this_thread::sleep_for(100ms);
            reply = ask(client, auth());
        }
        EXPECT_EQ(reply == "+OK", is_prolonged) << reply;
        EXPECT_EQ(client.read_to_end(5s).value_or("reset"), "") << "once it logs in no more";
    }
}

TEST_F(FrontTest, refused_relogins_do_not_prolong) {
    front_->limit_age({.limit = 800ms});
    auto client = log_in();
    front_->add_fault({.answer = LoginAnswer::wrongpass, .remaining = 3});
    std::string reply = kWrongPass;
    for (const auto begin = SteadyClock::now(); reply.starts_with(kWrongPass);) {
        ASSERT_LT(SteadyClock::now() - begin, 5s);
        std::this_thread::sleep_for(100ms);
        reply = ask(client, auth(kOther));
    }
    EXPECT_EQ(front_->counts().cut_by_age, 1u) << reply;
    EXPECT_EQ(front_->counts().logins_refused, 3u);
    EXPECT_GE(front_->counts().logins_invalid, 1u);
}

TEST_F(FrontTest, all_connections_can_be_cut_at_once) {
    auto one = log_in();
    auto two = log_in();
    front_->cut_all();
    EXPECT_EQ(one.read_to_end().value_or("reset"), "");
    EXPECT_EQ(two.read_to_end().value_or("reset"), "");
    EXPECT_EQ(front_->counts().connections_total, 2u);
    EXPECT_TRUE(test::eventually([&] { return front_->counts().connections_open == 0; }));
}

TEST_F(FrontTest, moves_to_another_port) {
    auto client = log_in();
    const auto old = front_->address().port;
    ASSERT_TRUE(front_->move(0));
    EXPECT_NE(front_->address().port, old);
    EXPECT_EQ(client.read_to_end().value_or("reset"), "");
    log_in();
    EXPECT_FALSE(RespClient::connect("127.0.0.1", old));
}

}  // namespace
}  // namespace cvp::emulator
