#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cvp::proxy {

/// Reads the rest of a line such as "$12\r\n" or "*-1\r\n" behind its type, byte by byte, as string2ll of the server
/// does: "0", or a number without plus, leading zeros or blanks, within 64 bits.
class LengthLine {
public:
    enum class State : std::uint8_t { more, done, bad };

    /// Takes the next byte. Behind the carriage return any byte is taken for the line feed: the server does not look.
    State take(char c) {
        if (has_ended_) return State::done;
        if (c >= '0' && c <= '9') {
            // A zero stands alone; 19 digits fit into 64 bits.
            if (digits_ == kMaxDigits || (c == '0' && digits_ == 0 && is_negative_)) return State::bad;
            if (digits_ > 0 && magnitude_ == 0) return State::bad;
            magnitude_ = magnitude_ * 10 + static_cast<std::uint64_t>(c - '0');
            ++digits_;
            return State::more;
        }
        if (c == '\r') {
            has_ended_ = true;
            const auto limit = static_cast<std::uint64_t>(INT64_MAX) + (is_negative_ ? 1 : 0);
            return digits_ > 0 && magnitude_ <= limit ? State::more : State::bad;
        }
        if (c == '-' && digits_ == 0 && !is_negative_) {
            is_negative_ = true;
            return State::more;
        }
        return State::bad;
    }

    /// Takes the whole line at once where that is simple: up to nine digits, and both bytes of the end are at hand.
    /// @param bytes behind the type
    /// @return how many of them the line has; 0: it is for take(), which has seen nothing yet
    std::size_t take_short(std::string_view bytes) {
        std::uint64_t number = 0;
        std::size_t at = 0;
        for (; at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9'; ++at) {
            if (at == kShortDigits) return 0;
            number = number * 10 + static_cast<std::uint64_t>(bytes[at] - '0');
        }
        if (at == 0 || at + 1 >= bytes.size() || bytes[at] != '\r' || (at > 1 && bytes[0] == '0')) return 0;
        magnitude_ = number;
        return at + 2;
    }

    bool is_negative() const { return is_negative_; }
    /// The number without its sign.
    std::uint64_t magnitude() const { return magnitude_; }
    /// How many bytes the line lacks at least.
    unsigned lacks() const { return has_ended_ ? 1 : 2; }

private:
    static constexpr unsigned kMaxDigits = 19;
    static constexpr unsigned kShortDigits = 9;

    std::uint64_t magnitude_ = 0;
    std::uint8_t digits_ = 0;
    bool is_negative_ = false;
    bool has_ended_ = false;
};

}  // namespace cvp::proxy
