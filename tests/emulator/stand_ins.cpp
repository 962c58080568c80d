#include "tests/emulator/stand_ins.hpp"

#include <algorithm>
#include <charconv>

namespace cvp::emulator {
namespace {

/// How many of the last bytes of `text` may be the beginning of `needle`.
std::size_t overlap(std::string_view text, std::string_view needle) {
    for (auto size = std::min(text.size(), needle.size() - 1); size > 0; --size)
        if (text.ends_with(needle.substr(0, size))) return size;
    return 0;
}

}  // namespace

StandIns::StandIns(const std::string& tag) : tag_(tag + "-"), needle_("-ERR unknown command '" + tag_) {}

std::string StandIns::add(std::string_view answer, bool is_last) {
    const auto name = tag_ + std::to_string(count_);
    pending_.push_back({count_++, std::string(answer), is_last});
    return "*1\r\n$" + std::to_string(name.size()) + "\r\n" + name + "\r\n";
}

bool StandIns::pass(std::string_view bytes, std::string& out) {
    if (pending_.empty() && kept_.empty()) {
        out += bytes;
        return true;
    }
    kept_ += bytes;
    for (;;) {
        const auto found = kept_.find(needle_);
        const auto whole =
            found != std::string::npos ? found : kept_.size() - (pending_.empty() ? 0 : overlap(kept_, needle_));
        out.append(kept_, 0, whole);
        kept_.erase(0, whole);
        const auto end = kept_.find("\r\n");
        if (found == std::string::npos || end == std::string::npos) return true;
        std::uint64_t number = 0;
        std::from_chars(kept_.data() + needle_.size(), kept_.data() + end, number);
        kept_.erase(0, end + 2);
        if (!answer(number, out)) return false;
    }
}

bool StandIns::answer(std::uint64_t number, std::string& out) {
    // Those before it had no answer: CLIENT REPLY hid it.
    while (!pending_.empty() && pending_.front().number < number)
        pending_.pop_front();
    if (pending_.empty()) return true;
    const auto pending = std::move(pending_.front());
    pending_.pop_front();
    out += pending.answer;
    return !pending.is_last;
}

}  // namespace cvp::emulator
