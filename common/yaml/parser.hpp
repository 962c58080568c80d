#pragma once

#include <cstddef>
#include <string_view>

#include <tl/expected.hpp>

#include "common/fault.hpp"
#include "common/yaml/node.hpp"

namespace cvp::yaml {

/// Bounds of a document; what is beyond them is a fault.
struct Limits {
    std::size_t max_bytes = 1024 * 1024;
    std::size_t max_depth = 16;
    std::size_t max_nodes = 10'000;
};

/// Parses one YAML document. Never throws.
///
/// Narrower than YAML on purpose: anchors and aliases (a small document can stand for a huge one), tags, a second
/// document, keys that are not scalars and keys that stand twice are faults, each with line and column, from 1.
tl::expected<Node, Fault> parse(std::string_view text, Limits limits = {});

}  // namespace cvp::yaml
