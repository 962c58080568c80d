#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cvp::oracle {

/// One whole reply or push inside a stream. An attribute belongs to the frame that follows it.
struct Frame {
    std::size_t begin = 0;
    std::size_t size = 0;
};

/// A stream taken apart by a parser of the oracle's own, so that a fault of the product's parser is not shared.
struct Frames {
    std::vector<Frame> whole;
    std::size_t rest = 0;    ///< where the bytes begin that are no whole frame
    bool is_broken = false;  ///< those bytes are no RESP
};

Frames split_frames(std::string_view stream);

/// The end of the frame that begins at `at`, npos where it is not whole; `broken` is set for what is no RESP.
std::size_t frame_end(std::string_view stream, std::size_t at, bool& broken);

/// One header line: type, number or text. `next` is where the body or the next header begins.
struct Header {
    char type = 0;
    std::string_view text;
    std::size_t next = 0;
};
/// @param at inside a whole frame
Header header_at(std::string_view frame, std::size_t at);
bool is_bulk(char type);
bool is_aggregate(char type);
/// How many frames belong to an aggregate of that type and count.
std::size_t elements_of(char type, long long count);
long long number_of(std::string_view text);

/// The first element of an array or push if it is a bulk string: the kind of a message. Else "".
std::string_view kind_of(std::string_view frame);

/// Whether a frame comes of itself and answers no command: messages, invalidations, lines of MONITOR.
bool is_out_of_band(std::string_view frame);
bool is_monitor_line(std::string_view frame);

/// For people: escapes what does not print, cuts what is long.
std::string escape(std::string_view bytes, std::size_t limit = 300);

}  // namespace cvp::oracle
