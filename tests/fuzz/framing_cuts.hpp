#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/framing.hpp"

namespace cvp::test {

/// An input of the fuzz targets of framing: two bytes that say how the stream is cut, then the stream.
struct CutStream {
    std::uint8_t first = 0;
    std::uint8_t second = 0;
    std::string stream;
};

/// Reads it. So that a short input can make a long stream, 0xff, n, c stands for n * 1000 times c.
/// @return an empty stream for an input that is too short
inline CutStream read_cut_stream(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kMost = 70'000;
    CutStream cut;
    if (size < 2) return cut;
    cut.first = data[0];
    cut.second = data[1];
    for (std::size_t i = 2; i < size && cut.stream.size() < kMost; ++i) {
        if (data[i] == 0xff && i + 2 < size) {
            // Line feeds are commands of their own: thousands of them show nothing but take long.
            cut.stream.append(data[i + 1] * std::size_t{data[i + 2] == '\n' ? 1U : 1000U},
                              static_cast<char>(data[i + 2]));
            i += 2;
        } else {
            cut.stream.push_back(static_cast<char>(data[i]));
        }
    }
    return cut;
}

/// 0: in one piece; else pieces of up to so many bytes, 1: of one. A long stream has larger ones: not more than
/// some hundred, or a run takes too long.
inline Pieces cut_by(std::string_view stream, std::uint8_t how) {
    if (how == 0) return in_one(stream);
    const auto scale = 1 + stream.size() / 500;
    return in_odd_pieces(stream, how * scale, how);
}

}  // namespace cvp::test
