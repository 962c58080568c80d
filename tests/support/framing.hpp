#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/resp/reply_framer.hpp"
#include "proxy/resp/request_framer.hpp"

namespace cvp::test {

/// A stream cut into the pieces in which it arrives.
using Pieces = std::vector<std::string_view>;

/// All in one piece.
inline Pieces in_one(std::string_view stream) {
    return {stream};
}

/// Pieces of `size` bytes; the last one may be shorter.
inline Pieces in_pieces(std::string_view stream, std::size_t size) {
    Pieces pieces;
    for (; !stream.empty(); stream.remove_prefix(std::min(size, stream.size())))
        pieces.push_back(stream.substr(0, size));
    return pieces;
}

inline Pieces in_two(std::string_view stream, std::size_t at) {
    return {stream.substr(0, at), stream.substr(at)};
}

/// Pieces of 1 to `most` bytes, always the same ones for a seed.
inline Pieces in_odd_pieces(std::string_view stream, std::size_t most, std::uint32_t seed) {
    Pieces pieces;
    while (!stream.empty()) {
        seed = seed * 1664525 + 1013904223;
        const auto size = std::min(1 + (seed >> 8) % most, stream.size());
        pieces.push_back(stream.substr(0, size));
        stream.remove_prefix(size);
    }
    return pieces;
}

/// A piece in memory of its own size, so that a sanitizer sees who reads past its end or after it is gone.
class OwnMemory {
public:
    explicit OwnMemory(std::string_view bytes) : size_(bytes.size()), memory_(new char[bytes.size()]) {
        if (!bytes.empty()) std::memcpy(memory_.get(), bytes.data(), bytes.size());
    }
    std::string_view view() const { return {memory_.get(), size_}; }

private:
    std::size_t size_;
    std::unique_ptr<char[]> memory_;
};

/// Thrown where a framer breaks a promise that holds for whatever it is given.
struct BrokenPromise : std::logic_error {
    using std::logic_error::logic_error;
};
inline void promise(bool holds, const char* what) {
    if (!holds) throw BrokenPromise(what);
}

/// What RequestFramer found in a stream, wherever it was cut.
struct FramedRequests {
    struct Event {
        proxy::RequestFramer::Event kind = proxy::RequestFramer::Event::noise;
        std::string bytes;  ///< of a command with its body
        // Of a command.
        std::string name{};
        std::size_t head = 0;  ///< bytes that came with the command; 0 if it is not captured: that depends on the cut
        std::size_t argument_count = 0;
        std::vector<std::string> arguments{};
        bool is_cut_short = false;
        bool is_whole = false;

        bool operator==(const Event&) const = default;
    };
    std::vector<Event> events;
    std::string kept;  ///< the bytes that did not come out
    bool is_at_boundary = true;
    bool is_broken = false;

    bool operator==(const FramedRequests&) const = default;
};

/// Feeds the pieces and steps through each.
/// @throws BrokenPromise
inline FramedRequests frame_requests(const Pieces& pieces) {
    using Kind = proxy::RequestFramer::Event;
    proxy::RequestFramer framer;
    FramedRequests found;
    std::string in;
    std::size_t out = 0;
    for (const auto piece : pieces) {
        const OwnMemory memory(piece);
        in += piece;
        framer.feed(memory.view());
        while (true) {
            const auto step = framer.step();
            promise((step.event == Kind::starved) == step.bytes.empty(), "every step but the last has bytes");
            if (step.event == Kind::starved) break;
            promise(in.compare(out, step.bytes.size(), step.bytes) == 0, "all bytes come out in order");
            out += step.bytes.size();
            auto& events = found.events;
            const bool is_in_command =
                !events.empty() && events.back().kind == Kind::command && !events.back().is_whole;
            promise(is_in_command || step.event != Kind::body, "a body belongs to a command");
            promise(!is_in_command || step.event == Kind::body || step.event == Kind::broken,
                    "a command is whole or broken");
            promise(!found.is_broken || step.event == Kind::broken, "broken is for good");
            promise(framer.is_broken() == (step.event == Kind::broken), "is_broken says so");
            if (step.event == Kind::body) {
                events.back().bytes += step.bytes;
                events.back().is_whole = step.is_whole;
            } else if (found.is_broken) {
                events.back().bytes += step.bytes;
            } else {
                found.is_broken = step.event == Kind::broken;
                FramedRequests::Event event{.kind = step.event, .bytes = std::string(step.bytes)};
                if (event.kind == Kind::command) {
                    const auto& command = framer.command();
                    event.name = command.name;
                    event.argument_count = framer.argument_count();
                    event.arguments.assign(framer.arguments().begin(), framer.arguments().end());
                    event.is_whole = step.is_whole;
                    if (command.captured > 0) event.head = step.bytes.size();
                    promise(&command == &proxy::command_at(command.index), "an entry knows its place");
                    event.is_cut_short = framer.is_cut_short();
                    const auto expected = std::min(command.captured, event.argument_count);
                    promise(event.is_cut_short ? event.arguments.size() < expected && !event.is_whole
                                               : event.arguments.size() == expected,
                            "as many arguments as the table says");
                    promise(command.captured == 0 || event.head <= proxy::RequestFramer::kMaxHead + 32,
                            "a head has a limit");
                }
                events.push_back(std::move(event));
            }
        }
        promise(in.size() - out <= proxy::RequestFramer::kMaxHead + 32, "what is kept has a limit");
    }
    found.kept = in.substr(out);
    found.is_at_boundary = framer.is_at_boundary();
    promise(!found.is_at_boundary || found.kept.empty(), "nothing is kept between two commands");
    return found;
}

/// What ReplyFramer found in a stream, wherever it was cut.
struct FramedReplies {
    struct Frame {
        char type = 0;
        std::string bytes;
        std::string head;
        bool is_whole = false;

        bool operator==(const Frame&) const = default;
    };
    std::vector<Frame> frames;
    std::string rest;  ///< what is not RESP
    bool is_at_boundary = true;

    bool operator==(const FramedReplies&) const = default;
};

/// Steps through the pieces.
/// @throws BrokenPromise
inline FramedReplies frame_replies(const Pieces& pieces) {
    proxy::ReplyFramer framer;
    FramedReplies found;
    bool is_broken = false;
    for (const auto piece : pieces) {
        const OwnMemory memory(piece);
        auto rest = memory.view();
        while (!rest.empty()) {
            const bool is_new = framer.is_at_boundary();
            const auto usual = is_new ? framer.take_usual(rest, 1) : proxy::ReplyFramer::Run();
            const auto step = framer.step(rest);
            promise(usual.frames == 0 || (step.is_whole && step.taken == usual.bytes), "a usual frame is a frame");
            promise(usual.frames == 0 || (framer.type() != '-' && framer.type() != '>'), "and needs no look");
            promise(!is_broken || (step.is_broken && step.taken == 0), "broken is for good");
            promise(step.taken > 0 || step.is_broken, "every step takes something");
            promise(step.taken == rest.size() || step.is_whole || step.is_broken,
                    "a step ends with the frame or the input");
            promise(!step.is_whole || !step.is_broken, "a whole frame is not broken");
            promise(framer.is_at_boundary() == step.is_whole, "between two frames is where one is whole");
            promise(!step.is_whole || framer.type() != 0, "a whole frame has a type");
            is_broken = step.is_broken;
            if (step.taken > 0) {
                if (is_new) found.frames.emplace_back();
                auto& frame = found.frames.back();
                frame.type = framer.type();
                frame.bytes += rest.substr(0, step.taken);
                frame.head = framer.head();
                frame.is_whole = step.is_whole;
                promise(frame.head.size() <= proxy::ReplyFramer::kHead, "a head has a limit");
                promise(frame.head.empty() ? frame.type == 0 : frame.head.front() == frame.type,
                        "a head begins with its type");
            }
            rest.remove_prefix(step.taken);
            if (is_broken) {
                found.rest += rest;
                break;
            }
        }
    }
    found.is_at_boundary = framer.is_at_boundary();
    return found;
}

}  // namespace cvp::test
