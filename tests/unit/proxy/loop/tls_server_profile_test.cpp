#include "proxy/loop/tls_server_profile.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/loop/tls_engine.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::proxy {
namespace {

using ::testing::HasSubstr;
using State = TlsEngine::State;

/// Both ends of a connection, our own engine at each, joined by strings.
class Ends {
public:
    Ends(std::shared_ptr<TlsProfile> client, const TlsServerProfile& server)
        : client_(std::move(client)), server_(server) {
        client_.start(to_server_);
        server_.start(to_client_);
        EXPECT_EQ(to_client_, "") << "a server waits for the client";
        pump();
    }

    /// Carries bytes until both ends are silent.
    void pump() {
        while (!to_server_.empty() || !to_client_.empty()) {
            carry(to_server_, server_, at_server, to_client_);
            carry(to_client_, client_, at_client, to_server_);
        }
    }
    void say_to_server(std::string_view bytes) { client_.send(bytes, to_server_), pump(); }
    void say_to_client(std::string_view bytes) { server_.send(bytes, to_client_), pump(); }

    TlsEngine& client() { return client_; }
    TlsEngine& server() { return server_; }
    std::string at_server, at_client;  ///< what came

private:
    static void carry(std::string& wire, TlsEngine& to, std::string& heard, std::string& answer) {
        const auto input = std::exchange(wire, {});
        std::vector<char> plain(input.size() + 16 * 1024 + 1);
        heard.append(plain.data(), to.receive(input, plain.data(), plain.size(), answer));
    }

    TlsEngine client_;
    TlsEngine server_;
    std::string to_server_, to_client_;
};

class TlsServerProfileTest : public ::testing::Test {
protected:
    tls::ServerOptions shown_by(const test::TestCa& authority) const {
        const auto leaf = authority.sign(test::Leaf::good);
        return {leaf.certificate_pem, leaf.key_pem, {}};
    }
    tls::ServerOptions demanding() const {
        auto options = shown_by(ca);
        options.client_ca_pem = client_ca.pem();
        return options;
    }
    std::shared_ptr<TlsServerProfile> make(const tls::ServerOptions& options) const {
        return TlsServerProfile::make(options).value();
    }
    std::shared_ptr<TlsProfile> client(const test::TestCa& trusted,
                                       const crypto::CertificateAndKey& certificate = {}) const {
        tls::ClientOptions options;
        options.ca_pem = trusted.pem();
        options.certificate_pem = certificate.certificate_pem;
        options.key_pem = certificate.key_pem;
        return TlsProfile::make(options, "127.0.0.1").value();
    }

    test::TestCa ca{"Server CA"};
    test::TestCa client_ca{"Client CA"};
};

TEST_F(TlsServerProfileTest, carries_bytes_both_ways_and_ends_in_order) {
    const auto profile = make(shown_by(ca));
    Ends ends(client(ca), *profile);
    ASSERT_EQ(ends.server().state(), State::open);
    ASSERT_EQ(ends.client().state(), State::open);
    const std::string big(100'000, 'x');
    ends.say_to_server(big);
    ends.say_to_client("answer");
    EXPECT_TRUE(ends.at_server == big);
    EXPECT_EQ(ends.at_client, "answer");
    std::string end;
    ends.client().finish(end);
    std::vector<char> plain(64 * 1024);
    std::string answer;
    ends.server().receive(end, plain.data(), plain.size(), answer);
    EXPECT_EQ(ends.server().state(), State::ended);
}

TEST_F(TlsServerProfileTest, demands_a_certificate_of_the_client_ca) {
    const auto profile = make(demanding());
    Ends good(client(ca, client_ca.client_certificate()), *profile);
    ASSERT_EQ(good.server().state(), State::open);
    good.say_to_server("PING");
    EXPECT_EQ(good.at_server, "PING");

    struct Case {
        const char* name;
        crypto::CertificateAndKey certificate;
        const char* reason;
    };
    for (const auto& wrong :
         {Case{"none", {}, "showed no certificate"}, Case{"another CA's", ca.client_certificate(), "is not accepted"},
          Case{"expired", client_ca.client_certificate(test::Leaf::expired), "expired"},
          Case{"a server's", client_ca.sign(test::Leaf::good), "purpose"}}) {
        Ends ends(client(ca, wrong.certificate), *profile);
        ASSERT_EQ(ends.server().state(), State::failed) << wrong.name;
        EXPECT_EQ(ends.server().failure().kind, tls::FailureKind::chain) << wrong.name;
        EXPECT_THAT(ends.server().failure().sentence, HasSubstr(wrong.reason)) << wrong.name;
        EXPECT_EQ(ends.client().state(), State::failed) << wrong.name << ": an alert says so";
    }
}

TEST_F(TlsServerProfileTest, hears_nothing_of_a_client_that_was_refused) {
    const auto profile = make(demanding());
    Ends ends(client(ca), *profile);
    std::string wire;
    ends.client().send("SET stolen 1", wire);
    std::vector<char> plain(64 * 1024);
    std::string answer;
    EXPECT_EQ(ends.server().receive(wire, plain.data(), plain.size(), answer), 0u);
}

TEST_F(TlsServerProfileTest, resumes_sessions_unless_certificates_are_demanded) {
    const auto resumes = [](const std::shared_ptr<TlsProfile>& client, const TlsServerProfile& server) {
        Ends first(client, server);
        EXPECT_EQ(first.server().state(), State::open);
        Ends second(client, server);
        EXPECT_EQ(second.server().state(), State::open);
        const auto before = first.client().take_peer().value();
        const auto after = second.client().take_peer().value();
        EXPECT_EQ(after.to_string(), before.to_string());
        EXPECT_EQ(after.not_after, before.not_after);
        EXPECT_FALSE(before.resumed);
        return after.resumed;
    };
    EXPECT_TRUE(resumes(client(ca), *make(shown_by(ca))));
    EXPECT_FALSE(resumes(client(ca, client_ca.client_certificate()), *make(demanding())));
}

TEST_F(TlsServerProfileTest, shows_what_it_was_given_last_to_those_that_come_then) {
    const auto profile = make(shown_by(ca));
    Ends before(client(ca), *profile);
    ASSERT_EQ(before.server().state(), State::open);

    const test::TestCa next("Next CA");
    EXPECT_FALSE(profile->replace({"nonsense", {}, {}}));
    EXPECT_EQ(Ends(client(ca), *profile).server().state(), State::open) << "what cannot be shown changes nothing";
    ASSERT_TRUE(profile->replace(shown_by(next)));
    EXPECT_EQ(Ends(client(next), *profile).server().state(), State::open);
    Ends refused(client(ca), *profile);
    EXPECT_EQ(refused.server().state(), State::failed);
    EXPECT_THAT(refused.server().failure().sentence, HasSubstr("does not accept our certificate"));
    before.say_to_server("still here");
    EXPECT_EQ(before.at_server, "still here");
}

TEST_F(TlsServerProfileTest, knows_who_does_not_speak_tls) {
    const auto profile = make(shown_by(ca));
    for (const auto* hello : {"*1\r\n$4\r\nPING\r\n", "PING\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
        TlsEngine engine(*profile);
        std::vector<char> plain(64 * 1024);
        std::string answer;
        EXPECT_EQ(engine.receive(hello, plain.data(), plain.size(), answer), 0u);
        ASSERT_EQ(engine.state(), State::failed) << hello;
        EXPECT_EQ(engine.failure().sentence, "the client does not speak TLS") << hello;
    }
}

TEST(TlsServerProfileOptions, name_the_faulty_part) {
    const auto profile = TlsServerProfile::make({"nonsense", {}, {}});
    ASSERT_FALSE(profile);
    EXPECT_EQ(profile.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(profile.error().context, HasSubstr("certificate: "));
}

}  // namespace
}  // namespace cvp::proxy
