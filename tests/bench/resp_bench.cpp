// What it costs to find the frames in what clients and servers send, one buffer of the event loop at a time. The aim:
// well under 100 ns for a small command, so that it does not show beside the calls of the kernel.

#include <string>

#include <benchmark/benchmark.h>

#include "proxy/resp/reply_framer.hpp"
#include "proxy/resp/request_framer.hpp"

namespace cvp::proxy {
namespace {

constexpr std::size_t kBuffer = std::size_t{64} * 1024;

/// Copies of `frame` up to the size of a buffer; the last one is cut off, as it is in a read.
std::string fill_buffer(const std::string& frame) {
    std::string buffer;
    while (buffer.size() < kBuffer)
        buffer += frame;
    buffer.resize(kBuffer);
    return buffer;
}

void report(benchmark::State& state, std::uint64_t frames, std::size_t bytes) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
    state.counters["per_frame"] =
        benchmark::Counter(double(frames), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void frame_requests(benchmark::State& state, const std::string& request) {
    const auto buffer = fill_buffer(request);
    std::uint64_t commands = 0;
    std::size_t bytes = 0;
    for (auto _ : state) {
        // The buffers do not follow each other in the stream: each begins with a command.
        RequestFramer framer;
        framer.feed(buffer);
        while (true) {
            const auto step = framer.step();
            if (step.event == RequestFramer::Event::starved) break;
            if (step.event == RequestFramer::Event::command) ++commands;
            bytes += step.bytes.size();
            benchmark::DoNotOptimize(framer.command().index);
        }
    }
    benchmark::DoNotOptimize(bytes);
    report(state, commands, kBuffer);
}

void frame_replies(benchmark::State& state, const std::string& reply) {
    const auto buffer = fill_buffer(reply);
    std::uint64_t frames = 0;
    for (auto _ : state) {
        ReplyFramer framer;
        std::string_view rest = buffer;
        while (!rest.empty()) {
            const auto step = framer.step(rest);
            rest.remove_prefix(step.taken);
            if (step.is_whole) ++frames;
            if (step.is_broken) return state.SkipWithError("is broken");
        }
    }
    report(state, frames, kBuffer);
}

void look_up(benchmark::State& state, const std::string& name) {
    for (auto _ : state) {
        auto view = std::string_view(name);
        benchmark::DoNotOptimize(view);
        benchmark::DoNotOptimize(find_command(view).index);
    }
}

BENCHMARK_CAPTURE(frame_requests, get, "*2\r\n$3\r\nGET\r\n$7\r\nkey:042\r\n");
BENCHMARK_CAPTURE(frame_requests, set_64_bytes,
                  "*3\r\n$3\r\nSET\r\n$7\r\nkey:042\r\n$64\r\n" + std::string(64, 'v') + "\r\n");
BENCHMARK_CAPTURE(frame_requests, select, "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
BENCHMARK_CAPTURE(frame_requests, inline_get, "GET key:042\r\n");
BENCHMARK_CAPTURE(frame_requests, unknown, "*2\r\n$9\r\nJSON.NONE\r\n$7\r\nkey:042\r\n");
BENCHMARK_CAPTURE(frame_replies, ok, "+OK\r\n");
BENCHMARK_CAPTURE(frame_replies, bulk_64_bytes, "$64\r\n" + std::string(64, 'v') + "\r\n");
BENCHMARK_CAPTURE(frame_replies, array_of_10,
                  "*10\r\n:1\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n"
                  ":1\r\n$1\r\na\r\n");
BENCHMARK_CAPTURE(look_up, get, "GET");
BENCHMARK_CAPTURE(look_up, zremrangebyscore, "ZREMRANGEBYSCORE");

}  // namespace
}  // namespace cvp::proxy

BENCHMARK_MAIN();
