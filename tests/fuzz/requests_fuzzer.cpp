// What clients send: whatever it is, every byte comes out once and in order, and the same commands are found wherever
// the stream is cut.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/framing_cuts.hpp"
#include "tests/fuzz/invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cvp::test;
    const auto input = read_cut_stream(data, size);
    // frame_requests() throws where a promise that holds for each step is broken.
    const auto found = frame_requests(cut_by(input.stream, input.first));
    require(found == frame_requests(cut_by(input.stream, input.second)), "the same is found wherever it is cut");
    std::string out;
    for (const auto& event : found.events)
        out += event.bytes;
    require(out + found.kept == input.stream, "what comes out is what came in");
    return 0;
}
