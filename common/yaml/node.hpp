#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace cvp::yaml {

/// One node of a parsed document. Plain data: a JSON object can be given this form too (operator/api does).
struct Node {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    std::string scalar;                                ///< text of a scalar
    bool is_plain = false;                             ///< a scalar without quotes: it may be a number or a boolean
    std::vector<Node> items;                           ///< of a list
    std::vector<std::pair<std::string, Node>> fields;  ///< of a map, in order, no key twice

    // Defined where Node is complete: clang 14 looks into the pair too early otherwise.
    Node();
    Node(const Node&);
    Node(Node&&) noexcept;
    Node& operator=(const Node&);
    Node& operator=(Node&&) noexcept;
    ~Node();
};

inline Node::Node() = default;
inline Node::Node(const Node&) = default;
inline Node::Node(Node&&) noexcept = default;
inline Node& Node::operator=(const Node&) = default;
inline Node& Node::operator=(Node&&) noexcept = default;
inline Node::~Node() = default;

}  // namespace cvp::yaml
