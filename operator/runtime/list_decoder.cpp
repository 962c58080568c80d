#include "operator/runtime/list_decoder.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxEnvelope = 64 * 1024;
constexpr int kTop = 1;  ///< depth of the List's own members

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

auto no_list(const char* why) {
    return fail(ErrorCode::protocol_error, std::string("the answer is no List: ") + why);
}

}  // namespace

void ListDecoder::feed(std::string_view piece) {
    input_.erase(0, read_);
    read_ = 0;
    input_.append(piece);
}

Result<std::optional<Json>> ListDecoder::next() {
    while (read_ < input_.size()) {
        if (place_ == Place::item && depth_ == 0) return hand_out();
        if (!take(input_[read_++])) return no_list("its items are no objects");
        if (envelope_.size() > kMaxEnvelope) return no_list("there is too much around its items");
        if (item_.size() > max_item_bytes_) {
            return no_list(("an item is longer than " + std::to_string(max_item_bytes_) + " bytes").c_str());
        }
    }
    if (place_ == Place::item && depth_ == 0) return hand_out();
    return std::nullopt;
}

Result<ListEnd> ListDecoder::finish() {
    if (place_ != Place::envelope) return no_list("it ends too early");
    const auto list = Json::parse(envelope_, nullptr, /*allow_exceptions=*/false);
    if (!list.is_object()) return no_list("it is no JSON object");
    const auto items = list.find("items");  // null where there are none
    if (items != list.end() && !items->is_array() && !items->is_null()) return no_list("its items are no array");
    ListEnd end{find_string(list, {"metadata", "resourceVersion"}), find_string(list, {"metadata", "continue"})};
    if (end.resource_version.empty()) return no_list("it has no resourceVersion");
    return end;
}

/// Moves on by one character. Strings are the same everywhere: only their end matters.
bool ListDecoder::take(char c) {
    if (place_ == Place::between_items) return take_between(c);
    auto& text = place_ == Place::item ? item_ : envelope_;
    text += c;
    if (in_string_) {
        if (is_escaped_) {
            is_escaped_ = false;
        } else if (c == '\\') {
            is_escaped_ = true;
        } else if (c == '"') {
            in_string_ = false;
        }
        return true;
    }
    if (c == '"') {
        in_string_ = true;
        if (place_ == Place::envelope && depth_ == kTop) string_begin_ = text.size();
        return true;
    }
    if (place_ == Place::envelope) return take_outside(c);
    if (c == '{' || c == '[') ++depth_;
    if (c == '}' || c == ']') --depth_;
    return true;
}

bool ListDecoder::take_outside(char c) {
    if (depth_ == kTop && c == ':') {
        const auto end = envelope_.rfind('"');
        key_ = string_begin_ <= end ? envelope_.substr(string_begin_, end - string_begin_) : "";
    } else if (depth_ == kTop && c == '[' && key_ == "items") {
        place_ = Place::between_items;
        depth_ = 0;
        gap_ = Gap::before_first;
        key_.clear();
    } else if (c == '{' || c == '[') {
        ++depth_;
    } else if (c == '}' || c == ']') {
        --depth_;
    }
    return depth_ >= 0 || place_ == Place::between_items;
}

/// What stands between items is not kept: the envelope shows an empty array.
bool ListDecoder::take_between(char c) {
    if (is_space(c)) return true;
    if (c == '{' && gap_ != Gap::after_item) {
        place_ = Place::item;
        item_ = "{";
        depth_ = 1;
        return true;
    }
    if (c == ',' && gap_ == Gap::after_item) {
        gap_ = Gap::after_comma;
        return true;
    }
    if (c != ']' || gap_ == Gap::after_comma) return false;
    envelope_ += c;
    place_ = Place::envelope;
    depth_ = kTop;
    return true;
}

Result<std::optional<Json>> ListDecoder::hand_out() {
    auto item = Json::parse(item_, nullptr, /*allow_exceptions=*/false);
    if (!item.is_object()) return no_list("an item is no JSON");
    place_ = Place::between_items;
    gap_ = Gap::after_item;
    item_.clear();
    return std::optional<Json>(std::move(item));
}

}  // namespace cvp::op
