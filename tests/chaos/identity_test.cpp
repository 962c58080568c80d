// Passwords, users and certificates that change while the proxy runs.
#include "tests/chaos/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

class Identity : public ChaosTest {
protected:
    static ProxiedValkeyOptions without_spares(std::string username = "") {
        return {.proxy = {.connect_hold = 300ms, .warm_spares = 0}, .username = std::move(username)};
    }
    /// What a new client gets that says PING: a line, and what follows if it is an error.
    std::string first_answer() {
        auto client = connect();
        if (!client.send(encode_command({"PING"}))) return "not even the question went out";
        const auto begin = client.stream().read_some(5s);
        if (!begin) return to_string(begin.error());
        return begin->starts_with('-') ? *begin + read_ending(client, 5s).bytes : *begin;
    }
    bool serves_new_clients(std::chrono::milliseconds limit = 10s) {
        return eventually([&] { return proxy().ask({"PING"}) == "+PONG"; }, limit);
    }
};

TEST_F(Identity, a_rotated_password_is_used_as_soon_as_it_is_mounted) {
    start(without_spares());
    start_journals();
    ASSERT_EQ(admin({"CONFIG", "SET", "requirepass", "battery-staple"}), "+OK");
    ASSERT_TRUE(journals_advance(20)) << "who is logged in stays so";
    const auto answer = first_answer();
    EXPECT_TRUE(is_local_error(answer, "LOADING", "LoginRefused") || is_local_error(answer, "ERR", "LoginRefused"))
        << answer;
    valkey().write_password("battery-staple");
    EXPECT_TRUE(serves_new_clients());
    ASSERT_TRUE(journals_advance(20));
    expect_journals_undisturbed();
}

TEST_F(Identity, a_password_that_is_mounted_before_it_is_set_is_tried_until_it_works) {
    start(without_spares());
    start_journals();
    valkey().write_password("battery-staple");
    ASSERT_TRUE(eventually([&] { return first_answer() != "+PONG\r\n"; })) << "the new file was never read";
    ASSERT_EQ(admin({"CONFIG", "SET", "requirepass", "battery-staple"}), "+OK");
    EXPECT_TRUE(serves_new_clients(40s));
    ASSERT_TRUE(journals_advance(20));
    expect_journals_undisturbed();
}

TEST_F(Identity, a_user_that_is_deleted_ends_its_connections_without_a_word_of_ours) {
    start_server(without_spares("app"));
    const auto create = [&] {
        return admin({"ACL", "SETUSER", "app", "on", "~*", "&*", "+@all", ">" + std::string(ProxiedValkey::kPassword)});
    };
    ASSERT_EQ(create(), "+OK");
    valkey().start_proxy();
    auto idle = connect();
    ASSERT_EQ(ask(idle, {"ACL", "WHOAMI"}), "\"app\"");
    auto subscriber = connect();
    ask(subscriber, {"SUBSCRIBE", "news"});
    start_journals();

    ASSERT_EQ(admin({"ACL", "DELUSER", "app"}), "1");
    for (auto* client : {&idle, &subscriber}) {
        const auto ending = read_ending(*client);
        EXPECT_TRUE(ending.has_ended);
        EXPECT_EQ(ending.bytes, "");
    }
    const auto answer = first_answer();
    EXPECT_TRUE(is_local_error(answer, "LOADING", "LoginRefused") || is_local_error(answer, "ERR", "LoginRefused"))
        << answer;
    ASSERT_EQ(create(), "+OK");
    EXPECT_TRUE(serves_new_clients(40s));
    ASSERT_TRUE(journals_advance(20, 40s));
    expect_journals_true();
}

TEST_F(Identity, a_leaf_that_is_renewed_disturbs_nobody) {
    start(without_spares());
    start_journals();
    for (int i = 0; i < 3; ++i) {
        const auto shown = server().show(valkey().ca().valkey());
        ASSERT_TRUE(shown) << to_string(shown.error());
        ASSERT_EQ(proxy().ask({"PING"}), "+PONG");
        ASSERT_TRUE(journals_advance(20));
    }
    expect_journals_undisturbed();
}

TEST_F(Identity, a_leaf_of_another_authority_is_refused_until_the_document_names_it) {
    start(without_spares());
    start_journals();
    const TestCa other("Other CA");
    ASSERT_TRUE(server().show(other.valkey()));
    EXPECT_TRUE(is_local_error(first_answer(), "ERR", "TlsChain"));
    ASSERT_TRUE(journals_advance(20)) << "who is connected stays so";
    auto document = valkey().document(server().port());
    document.tls.ca += other.pem();
    valkey().write(document);
    EXPECT_TRUE(serves_new_clients());
    expect_journals_undisturbed();
}

TEST_F(Identity, a_leaf_of_somebody_else_is_refused_also_where_a_session_could_be_resumed) {
    start(without_spares());
    ASSERT_EQ(proxy().ask({"PING"}), "+PONG");
    ASSERT_TRUE(server().show(valkey().ca().valkey(Leaf::other_identity)));
    EXPECT_TRUE(is_local_error(first_answer(), "ERR", "TlsIdentity"));
    ASSERT_TRUE(server().show(valkey().ca().valkey()));
    EXPECT_TRUE(serves_new_clients());
    // Now the other way round: the server stays, the document asks for somebody else.
    auto document = valkey().document(server().port());
    document.tls.identities = {"ip:10.9.8.7"};
    valkey().write(document);
    std::string answer;
    EXPECT_TRUE(eventually([&] { return (answer = first_answer()) != "+PONG\r\n"; }));
    EXPECT_TRUE(is_local_error(answer, "ERR", "TlsIdentity"));
}

}  // namespace
}  // namespace cvp::test
