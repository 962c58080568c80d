#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/proxy/session/fake_wire.hpp"

namespace cvp::proxy {

inline const SteadyClock::time_point kNow{std::chrono::hours(1)};
inline constexpr const char* kPing = "*1\r\n$4\r\nPING\r\n";
inline const std::string kLogin =
    std::string("*2\r\n$4\r\nAUTH\r\n$5\r\ntoken\r\n*2\r\n$4\r\nPING\r\n$16\r\n") + FakeWire::kNonce + "\r\n";
inline const std::string kNonceReply = std::string("$16\r\n") + FakeWire::kNonce + "\r\n";

inline std::string words(const std::vector<std::string_view>& list) {
    std::string command;
    append_command(command, list);
    return command;
}

/// A client and a server that talk.
struct ConversationTest : ::testing::Test {
    /// The client sends a command; what reaches the server.
    std::string client(const std::vector<std::string_view>& command) { return client_bytes(words(command)); }
    std::string client_bytes(std::string_view bytes) {
        EXPECT_EQ(talk.on_client_bytes(bytes, kNow), bytes.size());
        return wire.take_server();
    }
    /// The server answers; what reaches the client.
    std::string server(std::string_view bytes) {
        talk.on_server_bytes(bytes, kNow);
        return wire.take_client();
    }
    void inject_login() {
        ASSERT_TRUE(talk.can_log_in());
        talk.inject_login(*wire.login_after_reset(), kNow);
        EXPECT_EQ(wire.take_server(), kLogin);
    }

    FakeWire wire;
    Conversation talk{wire, ClientPolicy{}};
};

}  // namespace cvp::proxy
