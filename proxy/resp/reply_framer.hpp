#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/resp/length_line.hpp"

namespace cvp::proxy {

/// Finds the frames in what a server sends, incrementally: replies and pushes of RESP2 and RESP3.
///
/// Expected flow: step(input) with all bytes that were not taken yet, again and again until none is left.
///
/// Guarantees: no allocation and no recursion, whatever the depth of nesting: one counter of the elements that are
/// still owed. Bulk bodies are skipped by length. An attribute ("|1…") belongs to the frame that it precedes. What no
/// server sends (streamed strings and aggregates, an unknown type, a length that is none) makes it `broken` for good.
/// @source RESP3 specification; data-plane 2.1
class ReplyFramer {
public:
    static constexpr std::size_t kHead = 128;

    struct Step {
        std::size_t taken =
            0;  ///< bytes of the input that belong to the current frame; 0 only for empty input or broken
        bool is_whole = false;   ///< the frame ends with them
        bool is_broken = false;  ///< not RESP from here on: nothing more is taken
    };
    /// Goes on to the end of the current frame, or of the input.
    Step step(std::string_view input);

    /// Frames that need no look at them.
    struct Run {
        std::size_t frames = 0;
        std::size_t bytes = 0;
    };
    /// Takes the frames that the input begins with, `most` of them at most, as long as they are lines or bulks, no
    /// errors, and all there. Between two frames only; type() and head() do not tell of them.
    Run take_usual(std::string_view input, std::size_t most) const;

    /// The type of the frame that the last step was in, attributes apart: '+', '-', ':', '$', '*', '_', '#', ',', '(',
    /// '!', '=', '%', '~' or '>'. 0 while that is not known yet.
    char type() const { return type_; }

    /// Its first bytes, kHead at most, an attribute before it left out, for a look at an error's code, a push's kind or
    /// a nonce; valid until the next step(), and no longer than its input.
    std::string_view head() const { return whole_.empty() ? std::string_view(head_.data(), head_size_) : whole_; }

    /// Whether nothing of the next frame was taken yet.
    bool is_at_boundary() const { return owed_ == 0 && phase_ != Phase::broken; }

private:
    enum class Phase : std::uint8_t { type, line, length, bulk, broken };

    static std::size_t measure(std::string_view input);
    std::size_t read(std::string_view bytes);
    std::size_t read_type(char type);
    std::size_t read_line(std::string_view bytes);
    std::size_t read_length(std::string_view bytes);
    void finish_length();
    void finish_element();
    void keep_head(std::string_view bytes);

    char type_ = 0;
    std::array<char, kHead> head_;  // not initialised on purpose: head_size_ says what is there
    std::size_t head_size_ = 0;
    std::string_view whole_;  ///< the head instead, of a frame that one step took

    Phase phase_ = Phase::type;
    std::uint64_t owed_ = 0;  ///< elements of the frame that are not whole yet; 0 between two frames

    // The element at hand.
    char element_ = 0;
    bool was_return_ = false;      ///< the last byte of its line was a carriage return
    LengthLine length_;            ///< of its body, or how many elements it holds
    std::uint64_t bulk_left_ = 0;  ///< of its body, with the terminator
};

}  // namespace cvp::proxy
