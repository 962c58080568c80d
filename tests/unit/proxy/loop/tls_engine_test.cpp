#include "proxy/loop/tls_engine.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "proxy/loop/socket.hpp"
#include "tests/support/byte_stream.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

/// The engine on one end of a socket pair, blocking; a server of OpenSSL's own on the other, on a thread.
class TlsEngineTest : public ::testing::Test {
protected:
    static tls::ClientOptions options(const test::TestCa& ca) {
        tls::ClientOptions made;
        made.ca_pem = ca.pem();
        made.identities = {"ip:127.0.0.1"};
        return made;
    }

    /// Starts a server that echoes until the client ends.
    void start_server(test::TlsServerSettings settings) {
        std::array<int, 2> fds{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
        ours_ = Socket(fds[0]);
        server_ = std::thread([fd = fds[1], settings = std::move(settings)] {
            test::ByteStream stream(fd);
            if (!stream.accept_tls(settings, 10s)) return;
            while (true) {
                const auto got = stream.read_some(10s);
                if (!got || got->empty()) break;
                if (!stream.write_all(*got, 10s)) break;
            }
            stream.finish_writing();
        });
    }

    void TearDown() override {
        ours_.close();
        if (server_.joinable()) server_.join();
    }

    void send_output() {
        if (!output_.empty()) send(ours_, output_);
        output_.clear();
    }

    /// Receives once, hands the bytes to the engine in pieces of `step`, and sends what it answers.
    /// @return false at the end of the stream
    bool pump(TlsEngine& engine, std::size_t step) {
        const auto got = receive(ours_, input_.data(), input_.size());
        if (got.state != Transfer::State::moved) return false;
        for (std::size_t at = 0; at < got.bytes; at += step) {
            const std::string_view piece(input_.data() + at, std::min(step, got.bytes - at));
            const auto size = engine.receive(piece, plain_.data(), plain_.size(), output_);
            plaintext_.append(plain_.data(), size);
        }
        send_output();
        return true;
    }

    void handshake(TlsEngine& engine, std::size_t step) {
        engine.start(output_);
        send_output();
        while (engine.state() == TlsEngine::State::handshaking && pump(engine, step)) {
        }
    }

    std::array<char, 64 * 1024> input_{};
    std::vector<char> plain_ = std::vector<char>(80 * 1024);
    std::string output_, plaintext_;
    Socket ours_;
    std::thread server_;
};

TEST_F(TlsEngineTest, takes_its_input_in_pieces_of_any_size) {
    const test::TestCa ca;
    auto profile = TlsProfile::make(options(ca), "127.0.0.1");
    ASSERT_TRUE(profile);
    for (const std::size_t step : {1u, 7u, 5000u, 65536u}) {
        start_server(ca.server());
        TlsEngine engine(*profile);
        handshake(engine, step);
        ASSERT_EQ(engine.state(), TlsEngine::State::open) << step;
        std::string sent;
        for (int round = 0; round < 3; ++round) {
            const std::string part(30'000, static_cast<char>('a' + round));
            sent += part;
            engine.send(part, output_);
            send_output();
            while (plaintext_.size() < sent.size() && pump(engine, step)) {
            }
        }
        EXPECT_TRUE(plaintext_ == sent) << step;
        engine.finish(output_);
        send_output();
        while (engine.state() == TlsEngine::State::open && pump(engine, step)) {
        }
        EXPECT_EQ(engine.state(), TlsEngine::State::ended) << step;
        plaintext_.clear();
        TearDown();
    }
}

TEST_F(TlsEngineTest, knows_whom_it_verified) {
    const test::TestCa ca;
    auto profile = TlsProfile::make(options(ca), "127.0.0.1");
    ASSERT_TRUE(profile);
    start_server(ca.server());
    TlsEngine engine(*profile);
    handshake(engine, 65536);
    ASSERT_EQ(engine.state(), TlsEngine::State::open);
    const auto peer = engine.take_peer();
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->tls_version, "TLSv1.3");
    EXPECT_EQ(peer->identity, "ip:127.0.0.1");
    EXPECT_FALSE(peer->resumed);
    EXPECT_EQ(engine.take_peer(), std::nullopt) << "it is not carried along";
}

TEST_F(TlsEngineTest, yields_nothing_of_a_server_that_is_somebody_else) {
    const test::TestCa ca;
    auto profile = TlsProfile::make(options(ca), "127.0.0.1");
    ASSERT_TRUE(profile);
    start_server(ca.server());
    TlsEngine good(*profile);
    handshake(good, 65536);
    ASSERT_EQ(good.state(), TlsEngine::State::open);
    TearDown();
    start_server(ca.server(test::Leaf::other_identity));
    TlsEngine engine(*profile);
    handshake(engine, 65536);
    ASSERT_EQ(engine.state(), TlsEngine::State::failed) << "also where another one was verified before";
    EXPECT_EQ(engine.failure().kind, tls::FailureKind::identity);
    EXPECT_EQ(engine.take_peer(), std::nullopt);
    EXPECT_EQ(engine.receive("more", plain_.data(), plain_.size(), output_), 0u);
}

TEST_F(TlsEngineTest, broken_records_end_it_and_hand_out_nothing) {
    const test::TestCa ca;
    auto profile = TlsProfile::make(options(ca), "127.0.0.1");
    ASSERT_TRUE(profile);
    start_server(ca.server());
    TlsEngine engine(*profile);
    handshake(engine, 65536);
    ASSERT_EQ(engine.state(), TlsEngine::State::open);
    const std::string forged = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
    EXPECT_EQ(engine.receive(forged, plain_.data(), plain_.size(), output_), 0u);
    EXPECT_EQ(engine.state(), TlsEngine::State::failed);
}

TEST(TlsProfile, names_the_faulty_part_of_its_options) {
    tls::ClientOptions options;
    options.ca_pem = "no certificate";
    const auto profile = TlsProfile::make(options, "127.0.0.1");
    ASSERT_FALSE(profile);
    EXPECT_EQ(profile.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(profile.error().context.substr(0, 3), "CA:");
}

}  // namespace
}  // namespace cvp::proxy
