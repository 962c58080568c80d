#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/fault.hpp"
#include "common/yaml/node.hpp"

namespace cvp::yaml {

class Reader;

/// A place in the document, present or not, with its key path.
///
/// Reading never fails outright: what is wrong becomes a fault of the Reader, and the target keeps the value it had, so
/// that a struct's defaults are the document's defaults. A null value counts as absent. Must not outlive its Reader.
class Value {
public:
    /// Whether the document has something here.
    explicit operator bool() const { return node_ != nullptr; }
    bool is_list() const { return is(Node::Kind::list); }
    const std::string& path() const { return path_; }

    /// Makes absence a fault: "is missing", and `expected` where given.
    const Value& required(std::string_view expected = {}) const;

    /// The value at `key` of this map. The map's keys that are never asked for become warnings.
    Value operator[](std::string_view key) const;

    /// The elements of this list; a fault beyond `max` of them.
    std::vector<Value> items(std::size_t max = 64) const;

    /// Reads a string; a plain number is one too.
    /// @return whether `out` was set
    bool read(std::string& out, std::size_t max_bytes = 1024) const;

    /// Reads a whole number of that range, which must fit in T, written without quotes.
    template <std::integral T>
    requires(!std::same_as<T, bool>) bool read(T& out, std::int64_t min, std::int64_t max) const {
        const auto number = read_number(min, max);
        if (number) out = static_cast<T>(*number);
        return number.has_value();
    }

    /// Reads true or false, written without quotes.
    bool read(bool& out) const;

    /// Reads a duration such as "1500ms" of that range.
    bool read(std::chrono::milliseconds& out, std::chrono::milliseconds min, std::chrono::milliseconds max) const;

    /// Reads one of `allowed` by its to_string() word; the fault lists the words.
    template <class E>
    requires std::is_enum_v<E>
    bool read(E& out, std::initializer_list<E> allowed) const {
        std::vector<std::string_view> words;
        for (const auto value : allowed)
            words.push_back(to_string(value));
        const auto index = read_word(words);
        if (index) out = *(allowed.begin() + *index);
        return index.has_value();
    }

    /// Reads a list of strings.
    bool read(std::vector<std::string>& out, std::size_t max_items = 64) const;

    /// Reports something that only the caller can judge.
    void fault(std::string message) const;

private:
    friend class Reader;
    Value(Reader& reader, const Node* node, std::string path) : reader_(&reader), node_(node), path_(std::move(path)) {}

    bool is(Node::Kind kind) const { return node_ != nullptr && node_->kind == kind; }
    void wrong_type(std::string_view expected) const;
    std::optional<std::int64_t> read_number(std::int64_t min, std::int64_t max) const;
    std::optional<std::size_t> read_word(const std::vector<std::string_view>& words) const;

    Reader* reader_;
    const Node* node_;  ///< nullptr: absent
    std::string path_;
};

/// Reads one document and collects everything that is wrong with it.
///
/// Owner: the function that turns a document into a struct: it reads what it knows and then takes finish().
class Reader {
public:
    explicit Reader(Node root) : root_(std::move(root)) {}
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// The whole document, a map; anything else is a fault.
    Value root();

    /// Faults in the order in which they were found, and a warning for each key that nobody asked for.
    Findings finish();

private:
    friend class Value;
    Findings findings_;
    Node root_;
    std::unordered_set<const Node*> asked_;
    std::unordered_set<const Node*> mistyped_;  ///< reported once, however often it is asked
    std::vector<std::pair<const Node*, std::string>> maps_;
};

}  // namespace cvp::yaml
