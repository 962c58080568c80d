#include "tests/chaos/journal.hpp"

#include <algorithm>

#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kReplyLimit = 30s;
constexpr auto kRetry = 5ms;

}  // namespace

std::string find_fault(const Account& account, const std::vector<std::string>& list) {
    std::size_t last = 0;
    std::set<std::size_t> there;
    for (const auto& text : list) {
        const auto number = std::stoul(text);
        if (!there.insert(number).second) return text + " was executed twice";
        if (number < last) return text + " came after " + std::to_string(last);
        if (number >= account.next) return text + " was never sent";
        if (account.refused.contains(number)) return text + " was refused and executed";
        last = number;
    }
    const auto lost = std::find_if(account.done.begin(), account.done.end(),
                                   [&](const auto number) { return !there.contains(number); });
    return lost == account.done.end() ? "" : std::to_string(*lost) + " was acknowledged and is lost";
}

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
