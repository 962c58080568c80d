#include "proxy/resp/inline_words.hpp"

#include <cstddef>

namespace cvp::proxy {
namespace {

/// isspace() in the C locale. Not all of them end a word.
bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool ends_bare_word(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// The value of a hexadecimal digit, or -1.
int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char unescape(char c) {
    switch (c) {
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'b':
            return '\b';
        case 'a':
            return '\a';
        default:
            return c;
    }
}

}  // namespace

InlineWords::Next InlineWords::next() {
    while (!rest_.empty() && is_space(rest_.front()))
        rest_.remove_prefix(1);
    if (rest_.empty()) return Next::end;

    std::size_t bare = 0;
    while (bare < rest_.size() && !ends_bare_word(rest_[bare]) && rest_[bare] != '"' && rest_[bare] != '\'')
        ++bare;
    word_ = rest_.substr(0, bare);
    rest_.remove_prefix(bare);
    if (rest_.empty() || ends_bare_word(rest_.front())) return Next::word;

    // A quote, perhaps in the middle of a word. What it holds is never longer than the line: the words stay in place.
    if (scratch_.empty()) scratch_.reserve(bare + rest_.size());
    const auto begin = scratch_.size();
    scratch_.append(word_);
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    if (!(quote == '"' ? read_double_quoted() : read_single_quoted())) return Next::unbalanced;
    word_ = std::string_view(scratch_).substr(begin);
    return Next::word;
}

/// Behind the closing quote only a blank or nothing may follow.
bool InlineWords::is_at_word_end() const {
    return rest_.empty() || is_space(rest_.front());
}

bool InlineWords::read_double_quoted() {
    while (!rest_.empty()) {
        const char c = rest_.front();
        if (c == '"') {
            rest_.remove_prefix(1);
            return is_at_word_end();
        }
        if (c != '\\' || rest_.size() == 1) {
            scratch_.push_back(c);
            rest_.remove_prefix(1);
        } else if (rest_.size() >= 4 && rest_[1] == 'x' && hex_value(rest_[2]) >= 0 && hex_value(rest_[3]) >= 0) {
            scratch_.push_back(static_cast<char>(hex_value(rest_[2]) * 16 + hex_value(rest_[3])));
            rest_.remove_prefix(4);
        } else {
            scratch_.push_back(unescape(rest_[1]));
            rest_.remove_prefix(2);
        }
    }
    return false;
}

bool InlineWords::read_single_quoted() {
    while (!rest_.empty()) {
        const char c = rest_.front();
        if (c == '\'') {
            rest_.remove_prefix(1);
            return is_at_word_end();
        }
        if (c == '\\' && rest_.size() > 1 && rest_[1] == '\'') rest_.remove_prefix(1);
        scratch_.push_back(rest_.front());
        rest_.remove_prefix(1);
    }
    return false;
}

}  // namespace cvp::proxy
