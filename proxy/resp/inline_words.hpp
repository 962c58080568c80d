#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cvp::proxy {

/// Splits the line of an inline command into words, with quotes and escapes: as sdssplitargs of the server does.
class InlineWords {
public:
    enum class Next : std::uint8_t {
        word,        ///< see word()
        end,         ///< there is no further word
        unbalanced,  ///< quotes that do not close, or that something but a blank follows
    };

    /// @param line without its end and without NUL
    /// @param scratch where words that stood in quotes are written; theirs until the next line
    InlineWords(std::string_view line, std::string& scratch) : rest_(line), scratch_(scratch) { scratch_.clear(); }

    Next next();

    /// Of the line or of the scratch.
    std::string_view word() const { return word_; }

private:
    bool read_double_quoted();
    bool read_single_quoted();
    bool is_at_word_end() const;

    std::string_view rest_;
    std::string& scratch_;
    std::string_view word_;
};

}  // namespace cvp::proxy
