// What servers send: whatever it is, the frames are the bytes that came in, and the same ones wherever the stream is
// cut.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/framing_cuts.hpp"
#include "tests/fuzz/invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cvp::test;
    const auto input = read_cut_stream(data, size);
    // frame_replies() throws where a promise that holds for each step is broken.
    const auto found = frame_replies(cut_by(input.stream, input.first));
    require(found == frame_replies(cut_by(input.stream, input.second)), "the same is found wherever it is cut");
    std::string out;
    for (std::size_t i = 0; i < found.frames.size(); ++i) {
        out += found.frames[i].bytes;
        require(found.frames[i].is_whole || i + 1 == found.frames.size(), "only the last frame may lack its end");
    }
    require(out + found.rest == input.stream, "what comes out is what came in");
    return 0;
}
