// What it costs to find the frames in what clients and servers send, one buffer of the event loop at a time. The aim:
// well under 100 ns for a small command, so that it does not show beside the calls of the kernel.

#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "proxy/resp/reply_framer.hpp"
#include "proxy/resp/request_framer.hpp"
#include "proxy/session/conversation.hpp"

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

/// Both ends of a conversation, as cheap as they can be.
struct Counting final : Conversation::Wire {
    void to_server(std::string_view bytes) override { sent += bytes.size(); }
    void to_client(std::string_view bytes) override { sent += bytes.size(); }
    void on_command(const CommandInfo& command) override { ++commands[command.index]; }
    void on_replies(std::uint16_t, std::uint32_t count, SteadyClock::duration) override { replies += count; }
    void on_server_error(std::string_view) override {}
    std::optional<Conversation::Login> login_after_reset() override { return std::nullopt; }
    void on_login_answer(std::string_view) override {}
    void on_marker_subscribed(bool) override {}
    void on_marker() override {}
    void on_opaque() override {}
    void on_lost(std::string_view) override {}

    std::vector<std::uint64_t> commands = std::vector<std::uint64_t>(kCommands);
    std::size_t sent = 0;
    std::size_t replies = 0;
};

/// All that understanding costs: a pipeline of `depth` commands in one read, their replies in another.
void converse(benchmark::State& state, const std::string& request, const std::string& reply, std::size_t depth) {
    std::string requests;
    std::string replies;
    for (std::size_t i = 0; i < depth; ++i) {
        requests += request;
        replies += reply;
    }
    Counting wire;
    Conversation conversation(wire, ClientPolicy{});
    SteadyClock::time_point now{};
    for (auto _ : state) {
        now += std::chrono::microseconds(10);
        conversation.on_client_bytes(requests, now);
        conversation.on_server_bytes(replies, now);
    }
    const auto exchanges = static_cast<std::uint64_t>(state.iterations()) * depth;
    if (wire.replies != exchanges || !conversation.is_idle()) return state.SkipWithError("replies are missing");
    state.counters["per_exchange"] =
        benchmark::Counter(double(exchanges), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

const std::string kValue64 = "$64\r\n" + std::string(64, 'v') + "\r\n";

BENCHMARK_CAPTURE(converse, get, "*2\r\n$3\r\nGET\r\n$7\r\nkey:042\r\n", kValue64, 1);
BENCHMARK_CAPTURE(converse, get_pipeline_16, "*2\r\n$3\r\nGET\r\n$7\r\nkey:042\r\n", kValue64, 16);
BENCHMARK_CAPTURE(converse, set_pipeline_16, "*3\r\n$3\r\nSET\r\n$7\r\nkey:042\r\n" + kValue64, "+OK\r\n", 16);
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
