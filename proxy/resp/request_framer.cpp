#include "proxy/resp/request_framer.hpp"

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

#include "proxy/resp/inline_words.hpp"

namespace cvp::proxy {
namespace {

constexpr std::uint64_t kTerminator = 2;
/// Whatever proto-max-bulk-len is; with a terminator it stays within 64 bits.
constexpr std::uint64_t kMaxBulk = std::uint64_t{1} << 62;
/// What an idle client may hold of the memory that a long head took, and for how many arguments.
constexpr std::size_t kRetainedBytes = 1024;
constexpr std::size_t kRetainedArguments = 64;

}  // namespace

void RequestFramer::feed(std::string_view input) {
    release();
    input_ = input;
}

RequestFramer::Step RequestFramer::step() {
    release();
    if (input_.empty()) return {};
    if (phase_ == Phase::boundary) {
        if (const auto size = take_usual(); size > 0) return {Event::command, hand_out(size), true};
        phase_ = input_.front() == '*' ? Phase::head : Phase::line;
        // Valkey 8 takes it for a line then, other servers do not.
        if (is_after_blanks_ && phase_ == Phase::head) return give_up();
        part_ = Part::count;
        head_at_ = 0;
        captures_ = 0;
    }
    switch (phase_) {
        case Phase::line:
            return step_line();
        case Phase::body:
            return step_body();
        case Phase::broken:
            return give_up();
        default:
            return step_head();
    }
}

std::string_view RequestFramer::take_rest() {
    return std::exchange(input_, {});
}

bool RequestFramer::is_at_boundary() const {
    return phase_ == Phase::boundary;
}

/// Takes a command of the usual form, which most are: one digit each for the number of its bulks and the length of its
/// name, nothing to be captured, and all of it at hand.
/// @return its size; 0: it is to be read step by step, as if nothing had been tried
std::size_t RequestFramer::take_usual() {
    constexpr std::size_t kNameAt = 8;  // behind "*2\r\n$3\r\n"
    const auto* head = input_.data();
    if (input_.size() <= kNameAt || std::memcmp(head + 2, "\r\n$", 3) != 0 || std::memcmp(head + 6, "\r\n", 2) != 0)
        return 0;
    if (head[0] != '*' || head[1] < '1' || head[1] > '9' || head[5] < '1' || head[5] > '9' || is_after_blanks_)
        return 0;
    const auto arguments = static_cast<std::size_t>(head[1] - '1');
    const auto length = static_cast<std::size_t>(head[5] - '0');
    auto size = kNameAt + length + kTerminator;
    if (size > input_.size()) return 0;
    const auto name = input_.substr(kNameAt, length);
    const auto& command = equals_ignoring_case(name, command_->name) ? *command_ : find_command(name);
    if (command.captured > 0) return 0;
    for (std::size_t i = 0; i < arguments; ++i) {
        LengthLine line;
        if (size >= input_.size() || input_[size] != '$') return 0;
        const auto digits = line.take_short(input_.substr(size + 1));
        if (digits == 0) return 0;
        size += 1 + digits + line.magnitude() + kTerminator;
    }
    if (size > input_.size()) return 0;
    command_ = &command;
    argument_count_ = arguments;
    is_cut_short_ = false;
    return size;
}

RequestFramer::Step RequestFramer::step_line() {
    const bool is_kept = !kept_.empty();
    const auto window = input_.substr(0, kMaxHead + 1 - kept_.size());
    const auto end = std::min(window.find('\n'), window.size());
    // With a NUL before its line feed the server waits for ever: it looks for that as in a C string.
    const bool has_nul = window.substr(0, end).find('\0') != std::string_view::npos;
    if (has_nul || kept_.size() + end > kMaxHead) return give_up();
    if (end == window.size()) {
        kept_.append(window);
        input_ = {};
        return {};
    }
    if (!is_kept) return split_line(window.substr(0, end + 1));
    kept_.append(window.substr(0, end + 1));
    input_.remove_prefix(end + 1);
    return split_line(kept_);
}

/// @param line with its end
RequestFramer::Step RequestFramer::split_line(std::string_view line) {
    auto text = line.substr(0, line.size() - 1);
    if (text.ends_with('\r')) text.remove_suffix(1);

    InlineWords words(text, words_);
    const CommandInfo* command = nullptr;
    std::size_t arguments = 0;
    auto next = words.next();
    for (; next == InlineWords::Next::word; next = words.next()) {
        if (command == nullptr) {
            command = &find_command(words.word());
        } else if (++arguments <= command->captured) {
            arguments_.push_back(words.word());
        }
    }
    if (next == InlineWords::Next::unbalanced) return give_up();

    phase_ = Phase::boundary;
    const auto bytes = hand_out(line.size());
    is_after_blanks_ = command == nullptr && !text.empty();
    if (command == nullptr) return {Event::noise, bytes, false};
    command_ = command;
    is_cut_short_ = false;
    argument_count_ = arguments;
    return {Event::command, bytes, true};
}

RequestFramer::Step RequestFramer::step_head() {
    auto found = Found::less;
    const bool is_kept = !kept_.empty();
    if (!is_kept) {
        found = read_head(input_);
        if (found == Found::less) {
            kept_ = input_;
            input_ = {};
        }
    } else {
        // No more than belongs to the head: what follows is not copied.
        while (found == Found::less && !input_.empty()) {
            const auto part = input_.substr(0, lacks_);
            kept_.append(part);
            input_.remove_prefix(part.size());
            found = read_head(kept_);
        }
    }
    if (found == Found::less) return {};
    if (found == Found::broken) return give_up();
    if (found == Found::noise) {
        phase_ = Phase::boundary;
        return {Event::noise, hand_out(head_at_), false};
    }

    command_ = next_;
    argument_count_ = next_argument_count_;
    is_cut_short_ = captures_ > 0;
    const auto captured = std::min(command_->captured, argument_count_) - captures_;
    if (captured > 0) capture_arguments(is_kept ? std::string_view(kept_) : input_, captured);
    phase_ = Phase::body;
    // Where it is at hand and nobody wants to look at the head alone, the body comes with it: one step a command.
    auto size = head_at_;
    if (!is_kept && command_->captured == 0) size += walk_body(input_.substr(head_at_));
    const bool is_whole = bulks_left_ == 0 && body_left_ == 0;
    if (is_whole) phase_ = Phase::boundary;
    return {Event::command, hand_out(size), is_whole};
}

RequestFramer::Step RequestFramer::step_body() {
    const auto size = walk_body(input_);
    if (size == 0) return give_up();
    const bool is_whole = bulks_left_ == 0 && body_left_ == 0;
    if (is_whole) phase_ = Phase::boundary;
    return {Event::body, hand_out(size), is_whole};
}

RequestFramer::Step RequestFramer::give_up() {
    phase_ = Phase::broken;
    is_broken_ = true;
    arguments_.clear();
    return {Event::broken, hand_out(input_.size()), false};
}

/// Reads on in a head of which all bytes so far are given. What it knows already it does not read again.
RequestFramer::Found RequestFramer::read_head(std::string_view head) {
    while (true) {
        if (part_ == Part::name || part_ == Part::argument) {
            const auto end = head_at_ + bulk_ + kTerminator;
            if (head.size() < end) {
                lacks_ = end - head.size();
                return Found::less;
            }
            if (part_ == Part::name) {
                next_ = &find_command(head.substr(head_at_, bulk_));
                captures_ = std::min<std::uint64_t>(next_->captured, bulks_left_);
            } else {
                --captures_;
            }
            head_at_ = end;
            if (captures_ == 0) return Found::command;
            part_ = Part::argument_length;
            continue;
        }
        LengthLine line;
        const auto state = read_line(head, part_ == Part::count ? '*' : '$', line);
        if (state == LengthLine::State::more) return Found::less;
        if (state == LengthLine::State::bad) return Found::broken;
        if (part_ == Part::count) {
            if (line.is_negative() || line.magnitude() == 0) return Found::noise;
            if (line.magnitude() > INT_MAX) return Found::broken;
            bulks_left_ = line.magnitude();
            next_argument_count_ = bulks_left_ - 1;
            part_ = Part::name_length;
            continue;
        }
        if (line.is_negative() || line.magnitude() > kMaxBulk) return Found::broken;
        bulk_ = line.magnitude();
        --bulks_left_;
        if (part_ == Part::argument_length) {
            if (head_at_ + bulk_ + kTerminator > kMaxHead) {
                body_left_ = bulk_ + kTerminator;
                return Found::command;
            }
            part_ = Part::argument;
        } else if (bulk_ <= kLongestCommand) {
            part_ = Part::name;
        } else {
            next_ = &command_at(0);
            body_left_ = bulk_ + kTerminator;
            return Found::command;
        }
    }
}

/// Reads the line at head_at_, and goes behind it once it is there as a whole.
LengthLine::State RequestFramer::read_line(std::string_view head, char type, LengthLine& line) {
    if (head_at_ < head.size() && head[head_at_] != type) return LengthLine::State::bad;
    if (const auto size = head_at_ < head.size() ? line.take_short(head.substr(head_at_ + 1)) : 0; size > 0) {
        head_at_ += 1 + size;
        return LengthLine::State::done;
    }
    for (auto at = head_at_ + 1; at < head.size(); ++at) {
        const auto state = line.take(head[at]);
        if (state == LengthLine::State::done) head_at_ = at + 1;
        if (state != LengthLine::State::more) return state;
    }
    lacks_ = line.lacks();
    return LengthLine::State::more;
}

/// @param head as read_head() has found it
void RequestFramer::capture_arguments(std::string_view head, std::size_t count) {
    auto at = head.find('\r') + 2;
    for (std::size_t i = 0; i <= count; ++i) {
        LengthLine line;
        do {
            ++at;
        } while (line.take(head[at]) == LengthLine::State::more);
        ++at;
        if (i > 0) arguments_.push_back(head.substr(at, line.magnitude()));
        at += line.magnitude() + kTerminator;
    }
}

/// Goes through what belongs to the command.
/// @return how many of the bytes do; fewer than there are behind its end, or where it breaks
std::size_t RequestFramer::walk_body(std::string_view bytes) {
    std::size_t at = 0;
    while (true) {
        const auto part = std::min<std::uint64_t>(body_left_, bytes.size() - at);
        at += part;
        body_left_ -= part;
        if (bulks_left_ == 0) return at;
        if (LengthLine line; !is_in_length_ && at < bytes.size() && bytes[at] == '$') {
            if (const auto size = line.take_short(bytes.substr(at + 1)); size > 0) {
                at += 1 + size;
                body_left_ = line.magnitude() + kTerminator;
                --bulks_left_;
                continue;
            }
        }
        for (auto state = LengthLine::State::more; state != LengthLine::State::done; ++at) {
            if (at == bytes.size()) return at;
            if (is_in_length_) {
                state = length_.take(bytes[at]);
            } else {
                is_in_length_ = true;
                length_ = {};
                if (bytes[at] != '$') state = LengthLine::State::bad;
            }
            const bool is_none =
                state == LengthLine::State::done && (length_.is_negative() || length_.magnitude() > kMaxBulk);
            if (state == LengthLine::State::bad || is_none) {
                phase_ = Phase::broken;
                return at;
            }
        }
        is_in_length_ = false;
        body_left_ = length_.magnitude() + kTerminator;
        --bulks_left_;
    }
}

/// Takes what a step hands out from where it is.
/// @param size if it is in the input; what is kept goes as a whole
std::string_view RequestFramer::hand_out(std::size_t size) {
    if (!kept_.empty()) {
        kept_is_out_ = true;
        return kept_;
    }
    const auto bytes = input_.substr(0, size);
    input_.remove_prefix(size);
    return bytes;
}

/// Ends what the step before has handed out.
void RequestFramer::release() {
    arguments_.clear();
    if (arguments_.capacity() > kRetainedArguments) arguments_ = std::vector<std::string_view>();
    if (words_.capacity() > kRetainedBytes) words_ = std::string();
    if (!kept_is_out_) return;
    kept_is_out_ = false;
    kept_.clear();
    if (kept_.capacity() > kRetainedBytes) kept_ = std::string();
}

}  // namespace cvp::proxy
