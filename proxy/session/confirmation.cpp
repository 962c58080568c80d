#include "proxy/session/confirmation.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace cvp::proxy {

namespace {

/// Takes one line off the front, without its end; nothing if there is none.
std::optional<std::string_view> take_line(std::string_view& bytes) {
    const auto end = bytes.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    return line;
}

/// Takes one bulk string off the front; `is_null` for "$-1" and "_".
std::optional<std::string_view> take_bulk(std::string_view& bytes, bool& is_null) {
    const auto line = take_line(bytes);
    if (!line || line->empty()) return std::nullopt;
    is_null = *line == "_" || *line == "$-1";
    if (is_null) return std::string_view();
    if (line->front() != '$') return std::nullopt;
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(line->data() + 1, line->data() + line->size(), size);
    if (error != std::errc() || end != line->data() + line->size() || bytes.size() < size) return std::nullopt;
    const auto body = bytes.substr(0, size);
    bytes.remove_prefix(std::min(bytes.size(), size + 2));
    return body;
}

/// The first element of an array or push, if it is a bulk string and all there.
std::optional<std::string_view> label_of(std::string_view& bytes) {
    const auto line = take_line(bytes);
    if (!line || line->empty() || (line->front() != '*' && line->front() != '>')) return std::nullopt;
    bool is_null = false;
    const auto label = take_bulk(bytes, is_null);
    if (is_null) return std::nullopt;
    return label;
}

struct Label {
    std::string_view text;
    char kind;
    bool is_subscribed;
};
constexpr std::array kLabels{
    Label{"subscribe", 'c', true},     Label{"unsubscribe", 'c', false}, Label{"psubscribe", 'p', true},
    Label{"punsubscribe", 'p', false}, Label{"ssubscribe", 's', true},   Label{"sunsubscribe", 's', false},
};

}  // namespace

std::optional<Confirmation> parse_confirmation(std::string_view frame) {
    const auto text = label_of(frame);
    if (!text) return std::nullopt;
    const auto* label = std::find_if(kLabels.begin(), kLabels.end(), [&](const Label& l) { return l.text == *text; });
    if (label == kLabels.end()) return std::nullopt;
    Confirmation confirmation{label->kind, label->is_subscribed, false, {}};
    const auto name = take_bulk(frame, confirmation.is_null);
    if (!name) return std::nullopt;
    confirmation.name = *name;
    return confirmation;
}

bool is_confirmation(std::string_view head) {
    const auto label = label_of(head);
    return label && label->ends_with("subscribe");
}

bool is_message(std::string_view head) {
    const auto label = label_of(head);
    return label && (*label == "message" || *label == "pmessage" || *label == "smessage");
}

bool is_message_of(std::string_view frame, std::string_view shard_channel) {
    const auto label = label_of(frame);
    bool is_null = false;
    return label && *label == "smessage" && take_bulk(frame, is_null) == shard_channel;
}

}  // namespace cvp::proxy
