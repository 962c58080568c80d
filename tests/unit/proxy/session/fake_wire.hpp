#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/session/conversation.hpp"

namespace cvp::proxy {

/// Both ends of a conversation: what was sent to whom, and what was told.
struct FakeWire final : Conversation::Wire {
    void to_server(std::string_view bytes) override { server += bytes; }
    void to_client(std::string_view bytes) override { client += bytes; }
    void on_command(const CommandInfo& command) override { commands.emplace_back(command.name); }
    void on_replies(std::uint16_t, std::uint32_t count, SteadyClock::duration took) override {
        replies += count;
        waits.emplace_back(count, took);
    }
    void on_server_error(std::string_view head) override { errors.emplace_back(head); }
    std::optional<Conversation::Login> login_after_reset() override {
        if (!has_login) return std::nullopt;
        return Conversation::Login{Secret("*2\r\n$4\r\nAUTH\r\n$5\r\ntoken\r\n"), kNonce};
    }
    void on_login_answer(std::string_view line) override { login_answers.emplace_back(line); }
    void on_marker_subscribed(bool is_refused) override { marker_subscribed = !is_refused; }
    void on_marker() override { ++markers; }
    void on_opaque() override { ++opaque; }
    void on_lost(std::string_view why) override { lost = why; }

    /// What was sent since the last call.
    std::string take_server() { return std::exchange(server, {}); }
    std::string take_client() { return std::exchange(client, {}); }

    static constexpr const char* kNonce = "0123456789abcdef";

    std::string server;
    std::string client;
    bool has_login = true;
    std::vector<std::string> commands;
    std::vector<std::string> errors;
    std::vector<std::string> login_answers;
    std::optional<bool> marker_subscribed;
    int markers = 0;
    int opaque = 0;
    std::uint64_t replies = 0;
    std::vector<std::pair<std::uint32_t, SteadyClock::duration>>
        waits;  ///< replies told at once, and how long they took
    std::string lost;
};

}  // namespace cvp::proxy
