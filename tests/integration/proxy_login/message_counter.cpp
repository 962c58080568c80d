#include "tests/integration/proxy_login/message_counter.hpp"

#include <stdexcept>

namespace cvp::test {
namespace {

constexpr auto kLimit = std::chrono::seconds(20);

}  // namespace

MessageCounter::MessageCounter(RespClient client, Settings settings)
    : client_(std::move(client)), settings_(std::move(settings)) {
    const auto expect = [](const Result<RespReply>& reply, std::string_view begin) {
        const auto text = reply ? to_string(*reply) : to_string(reply.error());
        if (!text.starts_with(begin)) throw std::runtime_error("a subscriber's " + std::string(begin) + ": " + text);
    };
    if (settings_.protocol == 3) expect(client_.command({"HELLO", "3"}), "[\"server\"");
    expect(client_.command({"SUBSCRIBE", settings_.channel}), "[\"subscribe\"");
    expect(client_.command({"PSUBSCRIBE", settings_.channel + "*"}), "[\"psubscribe\"");
    thread_ = std::thread([this] {
        run();
        is_over_ = true;
    });
}

MessageCounter::~MessageCounter() {
    client_.stream().shutdown();
    if (thread_.joinable()) thread_.join();
}

std::string MessageCounter::finish() {
    if (thread_.joinable()) thread_.join();
    return wrong_;
}

void MessageCounter::run() {
    const auto& channel = settings_.channel;
    const char type = settings_.protocol == 3 ? '>' : '*';
    for (std::uint64_t number = 0; number <= settings_.last; ++number) {
        const auto text = std::to_string(number) + settings_.padding;
        if (number % 50 == 0 && settings_.pause.count() > 0) std::this_thread::sleep_for(settings_.pause);
        for (const auto& expected : {"[\"message\", \"" + channel + "\", \"" + text + "\"]",
                                     "[\"pmessage\", \"" + channel + "*\", \"" + channel + "\", \"" + text + "\"]"}) {
            const auto reply = client_.read_reply(kLimit);
            const auto seen = reply ? to_string(*reply) : to_string(reply.error());
            if (seen != expected || reply->type != type) {
                wrong_ = "after " + std::to_string(received_) + " messages: " + seen + " instead of " + expected;
                return;
            }
            ++received_;
        }
    }
}

}  // namespace cvp::test
