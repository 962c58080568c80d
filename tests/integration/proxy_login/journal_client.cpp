#include "tests/integration/proxy_login/journal_client.hpp"

#include <algorithm>
#include <optional>

#include "common/clock.hpp"
#include "tests/support/resp_client.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kReplyLimit = 15s;
constexpr auto kRetry = 20ms;

}  // namespace

JournalClient::JournalClient(Settings settings) : settings_(std::move(settings)), thread_([this] { run(); }) {}

JournalClient::~JournalClient() {
    stop();
}

JournalClient::Journal JournalClient::stop() {
    stops_ = true;
    if (thread_.joinable()) thread_.join();
    return journal_;
}

void JournalClient::run() {
    std::optional<RespClient> client;
    const auto command = encode_command({"INCR", settings_.key});
    std::uint64_t value = 0;     // as of the last answer
    std::uint64_t in_doubt = 0;  // increments sent since, which may have been executed
    const auto give_up = [&](const std::string& why) {
        journal_.ends.push_back(why);
        client.reset();
        std::this_thread::sleep_for(kRetry);
    };
    while (!stops_) {
        if (!client) {
            auto connected = RespClient::connect("127.0.0.1", settings_.port);
            if (!connected) {
                give_up("connect: " + to_string(connected.error()));
                continue;
            }
            client = std::move(*connected);
            const auto now = client->command({"GET", settings_.key}, kReplyLimit);
            if (!now || now->is_error()) {
                give_up("GET: " + (now ? to_string(*now) : to_string(now.error())));
                continue;
            }
            const auto seen = now->is_null ? 0 : std::stoull(now->text);
            if (seen < value || seen > value + in_doubt)
                journal_.wrong.push_back("the server says " + std::to_string(seen) + " after " + std::to_string(value) +
                                         " acknowledged and " + std::to_string(in_doubt) + " in doubt");
            value = seen;
            in_doubt = 0;
        }
        const auto begin = SteadyClock::now();
        std::string bytes;
        for (int i = 0; i < settings_.depth; ++i)
            bytes += command;
        in_doubt = static_cast<std::uint64_t>(settings_.depth);
        if (auto sent = client->send(bytes, kReplyLimit); !sent) {
            journal_.failed += in_doubt;
            give_up("send: " + to_string(sent.error()));
            continue;
        }
        for (; in_doubt > 0; --in_doubt) {
            const auto reply = client->read_reply(kReplyLimit);
            if (!reply || reply->type != ':') {
                journal_.failed += in_doubt;
                give_up(reply ? to_string(*reply) : to_string(reply.error()));
                break;
            }
            if (reply->text != std::to_string(value + 1))
                journal_.wrong.push_back("answered " + reply->text + " instead of " + std::to_string(value + 1));
            value = std::stoull(reply->text);
            journal_.acknowledged = ++acknowledged_;
        }
        journal_.slowest = std::max(journal_.slowest,
                                    std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - begin));
        if (settings_.pause > 0ms) std::this_thread::sleep_for(settings_.pause);
    }
}

}  // namespace cvp::test
