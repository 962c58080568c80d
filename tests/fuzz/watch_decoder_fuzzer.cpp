// What an API server says in lists and watches: whatever it is, the decoders end with documents or with a fault, the
// same wherever the bytes are cut, and the watch machine keeps its promises.
//
// The first byte says how: 'l' a body of a list, 'w' a stream of a watch, else a script for the machine, one step a
// line.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "operator/runtime/json_lines.hpp"
#include "operator/runtime/list_decoder.hpp"
#include "operator/runtime/watch_fsm.hpp"
#include "tests/fuzz/invariant.hpp"

namespace cvp::test {
namespace {

using Json = nlohmann::json;
using op::WatchDelta;
using op::WatchFsm;

constexpr std::size_t kMaxItem = 256;

/// The items, and "end VERSION TOKEN" or "fault".
std::vector<std::string> decode_list(std::string_view body, std::size_t step) {
    op::ListDecoder decoder(kMaxItem);
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < body.size(); at += step) {
        decoder.feed(body.substr(at, step));
        while (true) {
            const auto item = decoder.next();
            if (!item) return {"fault"};  // what came before it depends on where the bytes were cut
            if (!*item) break;
            seen.push_back((*item)->dump(-1, ' ', false, Json::error_handler_t::replace));
        }
    }
    const auto end = decoder.finish();
    if (!end) return {"fault"};
    require(!end->resource_version.empty(), "a list has a version");
    require(Json::accept(body), "what is taken for a list is JSON");
    seen.push_back("end " + end->resource_version + " " + end->continue_token);
    return seen;
}

std::vector<std::string> decode_lines(std::string_view stream, std::size_t step) {
    op::JsonLines lines(kMaxItem);
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        lines.feed(stream.substr(at, step));
        while (true) {
            const auto document = lines.next();
            if (!document) return {"fault"};
            if (!*document) break;
            seen.push_back((*document)->dump(-1, ' ', false, Json::error_handler_t::replace));
        }
    }
    return seen;
}

/// Follows the machine as a store does.
class Watching {
public:
    void step(std::string_view line) {
        if (line.empty()) return;
        switch (line.front()) {
            case '{':
            case '[':
                return take_event(Json::parse(line, nullptr, false));
            case 'c':
                if (fsm_.is_watching()) fsm_.on_closed(now_);
                return;
            case 'f':
                return fail(line.substr(1));
            case 't':
                now_ += std::chrono::seconds(line.size() * 10);
                return;
            default:
                return act(line);
        }
    }

private:
    void act(std::string_view names) {
        if (fsm_.is_watching()) return;
        auto action = fsm_.next();
        if (std::holds_alternative<WatchFsm::Sleep>(action)) {
            require(std::get<WatchFsm::Sleep>(action).delay.count() > 0, "a sleep takes time");
            return;
        }
        if (const auto* watch = std::get_if<WatchFsm::Watch>(&action)) {
            require(watch->options.send_initial_events == watch->options.resource_version.empty(),
                    "a watch begins with a list or at a version");
            take(fsm_.on_opened(now_));
            return;
        }
        take(fsm_.on_list_opened());
        for (const char name : names)
            take(fsm_.on_item({{"metadata", {{"name", std::string(1, name)}}}}));
        take(fsm_.on_list_end({"7", names.back() == '+' ? "more" : ""}));
    }

    void take_event(Json event) {
        if (!fsm_.is_watching() || event.is_discarded()) return;
        const auto before = fsm_.resource_version();
        const bool was_listing = is_listing_;
        take(fsm_.on_event(std::move(event), now_));
        if (was_listing && is_listing_)
            require(fsm_.resource_version() == before, "a list is complete or has no version");
    }

    void fail(std::string_view code) {
        op::KubeError error;
        error.error.code = static_cast<ErrorCode>(code.empty() ? 0 : code.front() % 13);
        if (code.size() > 1) error.retry_after = std::chrono::seconds(code.size());
        fsm_.on_failure(error, now_);
        require(!fsm_.is_watching(), "a watch that failed has ended");
    }

    void take(const std::vector<WatchDelta>& deltas) {
        for (const auto& delta : deltas) {
            switch (delta.kind) {
                case WatchDelta::Kind::list_started:
                    is_listing_ = true;
                    break;
                case WatchDelta::Kind::listed:
                    require(is_listing_, "what is listed belongs to a list");
                    break;
                case WatchDelta::Kind::list_complete:
                    require(is_listing_, "a list that is complete was begun");
                    require(!fsm_.resource_version().empty(), "a list that is complete has a version");
                    is_listing_ = false;
                    break;
                case WatchDelta::Kind::applied:
                    require(!is_listing_, "nothing is applied before the list is complete");
                    break;
                case WatchDelta::Kind::deleted:
                    break;
            }
        }
    }

    WatchFsm fsm_{WatchFsm::Selection{"a=b", "c=d"}, 1};
    WatchFsm::TimePoint now_{std::chrono::seconds(1000)};
    bool is_listing_ = false;
};

void run_script(std::string_view script) {
    Watching watching;
    while (!script.empty()) {
        const auto end = std::min(script.find('\n'), script.size());
        watching.step(script.substr(0, end));
        script.remove_prefix(std::min(end + 1, script.size()));
    }
}

}  // namespace
}  // namespace cvp::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cvp::test;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (text.empty()) return 0;
    const auto body = text.substr(1);
    if (text.front() == 'l') {
        require(decode_list(body, 1) == decode_list(body, 7), "a list is the same wherever it is cut");
    } else if (text.front() == 'w') {
        require(decode_lines(body, 1) == decode_lines(body, 7), "a stream is the same wherever it is cut");
    } else {
        run_script(text);
    }
    return 0;
}
