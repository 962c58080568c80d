#include "tests/chaos/journal.hpp"

#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kReplyLimit = 30s;
constexpr auto kRetry = 5ms;

}  // namespace

Journal::Journal(std::string key, std::size_t depth, Connect connect)
    : key_(std::move(key)),
      depth_(depth),
      connect_(std::move(connect)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Journal::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        auto client = connect_();
        while (client && !stop.stop_requested() && write_batch(*client)) {
        }
        if (stop.stop_requested()) return;
        if (client) ++lost_count_;
        std::this_thread::sleep_for(kRetry);
    }
}

bool Journal::write_batch(RespClient& client) {
    std::string bytes;
    const auto first = account_.next;
    for (std::size_t i = 0; i < depth_; ++i)
        bytes += encode_command({"RPUSH", key_, std::to_string(account_.next++)});
    if (!client.send(bytes, kReplyLimit)) return false;
    for (auto number = first; number < account_.next; ++number) {
        const auto reply = client.read_reply(kReplyLimit);
        if (!reply) return false;
        if (reply->is_error()) {
            account_.refused.insert(number);
            last_refusal_ = reply->text;
            ++refused_count_;
        } else {
            account_.done.insert(number);
            ++done_count_;
        }
    }
    return true;
}

bool Journal::advances(std::size_t count, std::chrono::milliseconds limit) const {
    const auto goal = done_count_ + count;
    return eventually([&] { return done_count_ >= goal; }, limit);
}

void Journal::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace cvp::test
