#include "common/yaml/reader.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "common/config/duration.hpp"
#include "common/printable.hpp"

namespace cvp::yaml {
namespace {

std::string describe(const Node& node) {
    switch (node.kind) {
        case Node::Kind::null:
            return "nothing";
        case Node::Kind::scalar:
            return in_quotes(node.scalar);
        case Node::Kind::list:
            return "a list";
        case Node::Kind::map:
            return "a map";
    }
    return "nothing";
}

std::string join(const std::string& path, std::string_view key) {
    auto word = printable(key);
    return path.empty() ? word : path + "." + word;
}

}  // namespace

const Value& Value::required(std::string_view expected) const {
    if (node_ == nullptr) fault(expected.empty() ? "is missing" : fmt::format("is missing; expected {}", expected));
    return *this;
}

Value Value::operator[](std::string_view key) const {
    auto path = join(path_, key);
    if (node_ == nullptr) return Value(*reader_, nullptr, std::move(path));
    if (!is(Node::Kind::map)) {
        wrong_type("a map");
        return Value(*reader_, nullptr, std::move(path));
    }
    const auto known = [&](const auto& map) { return map.first == node_; };
    if (std::none_of(reader_->maps_.begin(), reader_->maps_.end(), known)) reader_->maps_.emplace_back(node_, path_);

    for (const auto& [name, node] : node_->fields) {
        if (name != key) continue;
        reader_->asked_.insert(&node);
        return Value(*reader_, node.kind == Node::Kind::null ? nullptr : &node, std::move(path));
    }
    return Value(*reader_, nullptr, std::move(path));
}

std::vector<Value> Value::items(std::size_t max) const {
    std::vector<Value> values;
    if (node_ == nullptr) return values;
    if (!is(Node::Kind::list)) {
        wrong_type("a list");
        return values;
    }
    if (node_->items.size() > max) {
        fault(fmt::format("has {} elements; at most {} are allowed", node_->items.size(), max));
        return values;
    }
    for (const auto& node : node_->items) {
        Value value(*reader_, &node, fmt::format("{}[{}]", path_, values.size()));
        values.push_back(std::move(value));
    }
    return values;
}

bool Value::read(std::string& out, std::size_t max_bytes) const {
    if (node_ == nullptr) return false;
    if (!is(Node::Kind::scalar)) {
        wrong_type("a string");
        return false;
    }
    if (node_->scalar.size() > max_bytes) {
        fault(fmt::format("has {} bytes; at most {} are allowed", node_->scalar.size(), max_bytes));
        return false;
    }
    out = node_->scalar;
    return true;
}

bool Value::read(bool& out) const {
    if (node_ == nullptr) return false;
    if (!is(Node::Kind::scalar) || !node_->is_plain || (node_->scalar != "true" && node_->scalar != "false")) {
        wrong_type("true or false");
        return false;
    }
    out = node_->scalar == "true";
    return true;
}

bool Value::read(std::chrono::milliseconds& out, std::chrono::milliseconds min, std::chrono::milliseconds max) const {
    if (node_ == nullptr) return false;
    const auto duration = is(Node::Kind::scalar) ? parse_duration(node_->scalar) : parse_duration("");
    if (!duration || *duration < min || *duration > max) {
        wrong_type(fmt::format("a duration from {} to {}", format_duration(min), format_duration(max)));
        return false;
    }
    out = *duration;
    return true;
}

bool Value::read(std::vector<std::string>& out, std::size_t max_items) const {
    if (node_ == nullptr) return false;
    if (!is(Node::Kind::list)) {
        wrong_type("a list of strings");
        return false;
    }
    std::vector<std::string> strings;
    for (const auto& item : items(max_items)) {
        if (std::string text; item.read(text)) strings.push_back(std::move(text));
    }
    if (strings.size() != node_->items.size()) return false;
    out = std::move(strings);
    return true;
}

void Value::fault(std::string message) const {
    reader_->findings_.faults.push_back({path_, std::move(message)});
}

void Value::wrong_type(std::string_view expected) const {
    if (!reader_->mistyped_.insert(node_).second) return;
    fault(fmt::format("must be {}, not {}", expected, describe(*node_)));
}

std::optional<std::int64_t> Value::read_number(std::int64_t min, std::int64_t max) const {
    if (node_ == nullptr) return std::nullopt;
    std::int64_t number = 0;
    bool is_number = false;
    if (is(Node::Kind::scalar) && node_->is_plain) {
        const auto* begin = node_->scalar.data();
        const auto* end = begin + node_->scalar.size();
        const auto [stop, ec] = std::from_chars(begin, end, number);
        const bool is_octal = node_->scalar.size() > 1 && node_->scalar.front() == '0';  // 010 is 8 in YAML 1.1
        is_number = ec == std::errc() && stop == end && !is_octal;
    }
    if (!is_number || number < min || number > max) {
        wrong_type(fmt::format("a number from {} to {}", min, max));
        return std::nullopt;
    }
    return number;
}

std::optional<std::size_t> Value::read_word(const std::vector<std::string_view>& words) const {
    if (node_ == nullptr) return std::nullopt;
    const auto found = is(Node::Kind::scalar) ? std::find(words.begin(), words.end(), node_->scalar) : words.end();
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    std::string list;
    for (const auto word : words)
        list.append(list.empty() ? "" : ", ").append(word);
    wrong_type(words.size() == 1 ? list : "one of " + list);
    return std::nullopt;
}

Value Reader::root() {
    Value value(*this, &root_, "");
    if (root_.kind == Node::Kind::null) {
        if (mistyped_.insert(&root_).second) value.fault("the document is empty");
        value.node_ = nullptr;
    } else if (root_.kind != Node::Kind::map) {
        if (mistyped_.insert(&root_).second) value.fault("the document must be a map of keys and values");
        value.node_ = nullptr;
    }
    return value;
}

Findings Reader::finish() {
    auto findings = findings_;
    for (const auto& [map, path] : maps_) {
        for (const auto& [key, node] : map->fields) {
            if (!asked_.contains(&node)) findings.warnings.push_back({join(path, key), "unknown key, ignored"});
        }
    }
    return findings;
}

}  // namespace cvp::yaml
