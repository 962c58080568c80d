// Clients that leave, half or whole, and clients that do not read: the server hears of it as if they were its own.
#include "tests/chaos/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMegabyte = std::size_t{1024} * 1024;

class Leaving : public ChaosTest {};

/// The first words of a consumer, how its job is given, and what shows that the job is still there.
struct Consumer {
    std::vector<std::vector<std::string>> words;
    std::vector<std::string> give;
    std::vector<std::string> count;
};

TEST_F(Leaving, a_consumer_that_leaves_swallows_no_job) {
    start();
    const std::vector<Consumer> consumers = {
        {{{"BLPOP", "jobs", "0"}}, {"RPUSH", "jobs", "job"}, {"LLEN", "jobs"}},
        {{{"HELLO", "3"}, {"PING"}, {"BLPOP", "jobs", "0"}}, {"RPUSH", "jobs", "job"}, {"LLEN", "jobs"}},
        {{{"BLMOVE", "jobs", "taken", "LEFT", "RIGHT", "0"}}, {"RPUSH", "jobs", "job"}, {"LLEN", "jobs"}},
        {{{"BLMPOP", "0", "1", "jobs", "LEFT"}}, {"RPUSH", "jobs", "job"}, {"LLEN", "jobs"}},
        {{{"BZPOPMIN", "jobs", "0"}}, {"ZADD", "jobs", "1", "job"}, {"ZCARD", "jobs"}},
        {{{"BLPOP", "jobs", "0"}, {"BLPOP", "jobs", "0"}}, {"RPUSH", "jobs", "job"}, {"LLEN", "jobs"}},
    };
    for (const auto& consumer : consumers) {
        for (const bool is_reset : {false, true}) {
            {
                auto client = connect();
                std::string bytes;
                for (const auto& command : consumer.words)
                    bytes += encode_command(command);
                ASSERT_TRUE(client.send(bytes));
                ASSERT_TRUE(valkey().await_blocked(1)) << consumer.words.back().front();
                if (is_reset) client.stream().reset_on_close();
            }
            ASSERT_TRUE(valkey().await_blocked(0)) << consumer.words.back().front() << ": the server was never told";
            ASSERT_EQ(admin(consumer.give), "1");
            EXPECT_EQ(admin(consumer.count), "1") << consumer.words.back().front() << " swallowed the job";
            admin({"DEL", "jobs"});
        }
    }
}

TEST_F(Leaving, a_consumer_of_a_stream_that_leaves_takes_no_entry) {
    start();
    ASSERT_EQ(admin({"XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"}), "+OK");
    {
        auto client = connect();
        ASSERT_TRUE(client.send(encode_command({"XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"})));
        ASSERT_TRUE(valkey().await_blocked(1));
    }
    ASSERT_TRUE(valkey().await_blocked(0));
    admin({"XADD", "s", "1-1", "k", "v"});
    EXPECT_EQ(admin({"XPENDING", "s", "g"}).substr(0, 2), "[0");
}

TEST_F(Leaving, is_noticed_of_a_consumer_that_reads_nothing) {
    start();
    ASSERT_EQ(admin({"SET", "big", std::string(2 * kMegabyte, 'x')}), "+OK");
    {
        auto client = connect();
        std::string bytes;
        for (int i = 0; i < 5; ++i)
            bytes += encode_command({"GET", "big"});
        ASSERT_TRUE(client.send(bytes + encode_command({"BLPOP", "jobs", "0"})));
        ASSERT_TRUE(valkey().await_blocked(1));
    }
    ASSERT_TRUE(valkey().await_blocked(0)) << "a reader that is stopped hides that its client left";
    ASSERT_EQ(admin({"RPUSH", "jobs", "job"}), "1");
    EXPECT_EQ(admin({"LLEN", "jobs"}), "1");
}

/// The server is slow to read, so that of some of them more is on its way than sockets hold when they have gone.
TEST_F(Leaving, after_writes_that_nobody_answers_takes_none_of_them_back) {
    start();
    constexpr std::size_t kStep = kMegabyte / 5;  // less than the proxy keeps beyond what the socket takes
    const std::string value(2000, 'v');
    std::vector<std::pair<RespClient, std::size_t>> clients;
    for (std::size_t bytes = kStep; bytes <= 6 * kMegabyte; bytes += kStep) {
        clients.emplace_back(connect(), bytes / value.size());
        ASSERT_EQ(ask(clients.back().first, {"PING"}), "+PONG");
        ASSERT_TRUE(clients.back().first.send(encode_command({"CLIENT", "REPLY", "OFF"})));
    }
    server().pause();
    std::vector<std::size_t> written;
    for (auto& [stays, count] : clients) {
        auto client = std::move(stays);
        const auto key = "log" + std::to_string(written.size());
        std::string writes;
        for (std::size_t i = 0; i < count; ++i)
            writes += encode_command({"APPEND", key, value});
        if (!client.send(writes, 300ms)) break;  // that is more than all sockets on the way hold
        written.push_back(count * value.size());
    }
    ASSERT_TRUE(server().resume());
    ASSERT_GT(written.size(), 5u);
    for (std::size_t i = 0; i < written.size(); ++i) {
        const auto length = [&] { return admin({"STRLEN", "log" + std::to_string(i)}); };
        EXPECT_TRUE(eventually([&] { return length() == std::to_string(written[i]); }, 5s))
            << length() << " of " << written[i];
    }
}

TEST_F(Leaving, by_half_gets_the_replies_that_are_owed) {
    start();
    auto client = connect();
    std::string commands;
    std::string replies;
    for (int i = 0; i < 200; ++i) {
        const auto text = std::to_string(i);
        commands += encode_command({"ECHO", text});
        replies += "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
    }
    ASSERT_TRUE(client.send(commands));
    client.stream().finish_writing();
    const auto ending = read_ending(client);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_FALSE(ending.was_reset);
    EXPECT_EQ(ending.bytes, replies);
}

TEST_F(Leaving, by_half_while_it_waits_is_leaving) {
    start();
    auto client = connect();
    ASSERT_TRUE(client.send(encode_command({"BLPOP", "jobs", "0"}) + encode_command({"PING"})));
    ASSERT_TRUE(valkey().await_blocked(1));
    client.stream().finish_writing();
    const auto ending = read_ending(client);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_EQ(ending.bytes, "");
    ASSERT_TRUE(valkey().await_blocked(0));
    ASSERT_EQ(admin({"RPUSH", "jobs", "job"}), "1");
    EXPECT_EQ(admin({"LLEN", "jobs"}), "1");
}

TEST_F(Leaving, by_quit_ends_the_connection_also_where_the_servers_end_comes_after_its_answer) {
    start_server({.proxy = {.warm_spares = 0}});
    pipe().set({.slice = 1});
    valkey().start_proxy(valkey().document(pipe().port()));
    auto client = connect();
    ASSERT_EQ(ask(client, {"PING"}), "+PONG");
    ASSERT_TRUE(client.send(encode_command({"QUIT"})));
    const auto ending = read_ending(client, 5s);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_FALSE(ending.was_reset);
    EXPECT_EQ(ending.bytes, "+OK\r\n");
}

TEST_F(Leaving, a_transaction_that_is_left_is_not_executed) {
    start();
    {
        auto client = connect();
        ASSERT_TRUE(client.send(encode_command({"MULTI"}) + encode_command({"INCR", "n"})));
        ASSERT_TRUE(client.read_reply());
        ASSERT_TRUE(client.read_reply());
    }
    let_proxy_catch_up();
    EXPECT_EQ(admin({"GET", "n"}), "(null)");
}

TEST_F(Leaving, a_subscriber_that_left_is_counted_no_more) {
    start();
    {
        auto client = connect();
        ask(client, {"SUBSCRIBE", "news"});
        ASSERT_EQ(admin({"PUBLISH", "news", "1"}), "1");
    }
    EXPECT_TRUE(eventually([&] { return admin({"PUBLISH", "news", "2"}) == "0"; }, 5s));
}

// Without TLS: with it Valkey 8.0 itself ends such a client now and then, directly too ("SSL routines::bad length" in
// its log, when a write that found no room is repeated with fewer bytes).
TEST_F(Leaving, writing_everything_before_reading_anything_works) {
    start({.tls = false});
    constexpr int kCommands = 10'000;
    const std::string value(8 * 1024, 'v');
    ASSERT_EQ(admin({"SET", "big", value}), "+OK");
    auto client = connect();
    std::string piece;
    std::size_t sent = 0;
    for (int i = 0; i < kCommands; ++i) {
        piece += encode_command({"SET", "junk", std::string(3000, 'j')}) + encode_command({"GET", "big"});
        if (piece.size() < kMegabyte && i + 1 < kCommands) continue;
        const auto written = client.send(piece, 60s);
        ASSERT_TRUE(written) << to_string(written.error()) << " after " << sent << " bytes";
        sent += piece.size();
        piece.clear();
    }
    EXPECT_GE(sent, 30'000'000u);
    const auto reply = "+OK\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
    std::size_t received = 0;
    const auto wanted = reply.size() * kCommands;
    EXPECT_GE(wanted, 80'000'000u);
    std::string rest;
    while (received < wanted) {
        const auto bytes = client.stream().read_some(60s, kMegabyte);
        ASSERT_TRUE(bytes) << to_string(bytes.error()) << " after " << received << " bytes";
        ASSERT_FALSE(bytes->empty()) << "the end after " << received << " bytes";
        received += bytes->size();
        rest += *bytes;
        std::size_t whole = 0;
        while (rest.size() - whole >= reply.size()) {
            ASSERT_EQ(rest.compare(whole, reply.size(), reply), 0) << "not the reply, before byte " << received;
            whole += reply.size();
        }
        rest.erase(0, whole);
    }
    EXPECT_EQ(rest, "");
}

TEST_F(Leaving, a_subscriber_that_does_not_read_is_cut_by_the_servers_own_limit) {
    start({.server_lines = {"client-output-buffer-limit pubsub 1mb 0 0"}});
    auto client = connect();
    ask(client, {"SUBSCRIBE", "news"});
    const std::string message(64 * 1024, 'm');
    std::size_t published = 0;
    while (published < 64 * kMegabyte && admin({"PUBLISH", "news", message}) == "1")
        published += message.size();
    EXPECT_LT(published, 20 * kMegabyte) << "the proxy keeps what its client does not read";
    EXPECT_TRUE(read_ending(client).has_ended);
}

}  // namespace
}  // namespace cvp::test
