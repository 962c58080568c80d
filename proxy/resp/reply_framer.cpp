#include "proxy/resp/reply_framer.hpp"

#include <algorithm>
#include <cstring>

namespace cvp::proxy {
namespace {

constexpr std::uint64_t kTerminator = 2;
/// No server owes more elements or bytes; what is counted stays within 64 bits.
constexpr std::uint64_t kMost = std::uint64_t{1} << 61;

}  // namespace

ReplyFramer::Step ReplyFramer::step(std::string_view input) {
    whole_ = {};
    if (is_at_boundary() && !input.empty()) {
        if (const auto size = measure(input); size > 0) {
            type_ = input.front();
            whole_ = input.substr(0, std::min(size, kHead));
            return {.taken = size, .is_whole = true, .is_broken = false};
        }
        owed_ = 1;
        type_ = 0;
        head_size_ = 0;
    }
    std::size_t taken = 0;
    while (taken < input.size() && owed_ > 0 && phase_ != Phase::broken) {
        const auto rest = input.substr(taken);
        auto part = phase_ == Phase::type && type_ != 0 ? measure(rest) : 0;
        if (part > 0) {
            finish_element();
        } else {
            part = read(rest);
        }
        if (type_ != 0) keep_head(rest.substr(0, part));
        taken += part;
    }
    return {.taken = taken, .is_whole = taken > 0 && owed_ == 0, .is_broken = phase_ == Phase::broken};
}

ReplyFramer::Run ReplyFramer::take_usual(std::string_view input, std::size_t most) const {
    Run run;
    while (run.frames < most && run.bytes < input.size()) {
        const auto size = measure(input.substr(run.bytes));
        if (size == 0) break;
        run.bytes += size;
        ++run.frames;
    }
    return run;
}

/// How long the element is that the input begins with, if it is one of the most common and all there: a line or a bulk.
/// @return 0: it is to be read step by step
std::size_t ReplyFramer::measure(std::string_view input) {
    switch (input.front()) {
        case '$': {
            LengthLine line;
            const auto size = line.take_short(input.substr(1));
            if (input.starts_with("$-1\r\n")) return 5;
            if (size == 0 || input[size] != '\n') return 0;
            const auto whole = 1 + size + line.magnitude() + kTerminator;
            return whole <= input.size() ? whole : 0;
        }
        case '+':
        case ':': {
            const auto at = input.find('\n');
            return at != std::string_view::npos && input[at - 1] == '\r' ? at + 1 : 0;
        }
        default:
            return 0;
    }
}

/// Reads a part of an element.
/// @param bytes at least one
/// @return how many of them the part has; none with what no server sends
std::size_t ReplyFramer::read(std::string_view bytes) {
    switch (phase_) {
        case Phase::type:
            return read_type(bytes.front());
        case Phase::line:
            return read_line(bytes);
        case Phase::length:
            return read_length(bytes);
        case Phase::bulk: {
            const auto part = std::min<std::uint64_t>(bulk_left_, bytes.size());
            bulk_left_ -= part;
            if (bulk_left_ == 0) finish_element();
            return part;
        }
        default:
            return 0;
    }
}

std::size_t ReplyFramer::read_type(char type) {
    switch (type) {
        case '+':
        case '-':
        case ':':
        case '_':
        case '#':
        case ',':
        case '(':
            phase_ = Phase::line;
            was_return_ = false;
            break;
        case '$':
        case '!':
        case '=':
        case '*':
        case '~':
        case '>':
        case '%':
        case '|':
            phase_ = Phase::length;
            length_ = {};
            break;
        default:
            phase_ = Phase::broken;
            return 0;
    }
    element_ = type;
    // Elements of an attribute are owed besides that which it precedes.
    if (type_ == 0 && owed_ == 1 && type != '|') type_ = type;
    return 1;
}

/// A line ends with both: a line feed alone may stand in it.
std::size_t ReplyFramer::read_line(std::string_view bytes) {
    const auto at = bytes.find('\n');
    if (at == std::string_view::npos) {
        was_return_ = bytes.back() == '\r';
        return bytes.size();
    }
    const bool is_end = at == 0 ? was_return_ : bytes[at - 1] == '\r';
    was_return_ = false;
    if (is_end) finish_element();
    return at + 1;
}

std::size_t ReplyFramer::read_length(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const auto state = length_.take(bytes[at]);
        if (state == LengthLine::State::more) continue;
        if (state == LengthLine::State::done && bytes[at] == '\n') finish_length();
        if (phase_ == Phase::length) phase_ = Phase::broken;
        return phase_ == Phase::broken ? at : at + 1;
    }
    return bytes.size();
}

/// Goes on with what the length announces, or leaves the phase as it is if it is none.
void ReplyFramer::finish_length() {
    const auto length = length_.magnitude();
    if (length_.is_negative()) {
        const bool is_null = length == 1 && (element_ == '$' || element_ == '*');
        if (is_null) finish_element();
        return;
    }
    const bool is_bulk = element_ == '$' || element_ == '!' || element_ == '=';
    // How many elements are owed says nothing of a body's bytes: measure() does not ask for it either.
    if (length > (is_bulk ? kMost : kMost - owed_) / 2) return;
    if (is_bulk) {
        bulk_left_ = length + kTerminator;
        phase_ = Phase::bulk;
        return;
    }
    switch (element_) {
        case '*':
        case '~':
        case '>':
            owed_ += length;
            break;
        default:
            owed_ += 2 * length;
            break;
    }
    if (element_ == '|') ++owed_;  // it is no element itself
    finish_element();
}

void ReplyFramer::finish_element() {
    --owed_;
    phase_ = Phase::type;
}

void ReplyFramer::keep_head(std::string_view bytes) {
    const auto size = std::min(bytes.size(), kHead - head_size_);
    std::memcpy(head_.data() + head_size_, bytes.data(), size);
    head_size_ += size;
}

}  // namespace cvp::proxy
