#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cvp::oracle {

/// What of a reply may differ between two passes over the same server.
struct Mask {
    enum class Kind : std::uint8_t {
        none,
        unordered,  ///< the order of the elements alone
        leaves,     ///< numbers and texts, but neither their types nor their count; a text keeps its class of length
        whole,      ///< all but the type and the class of its length
    };
    Kind kind = Kind::none;
    /// Not empty: only the leaf after one of these names may differ.
    std::vector<std::string_view> fields;
};

/// The mask of a command by its full lower-case name ("client|id") and the number of its words; none for most.
const Mask& mask_of(std::string_view name, std::size_t words = 0);

/// The same where subscribers are moved to new connections meanwhile: for a moment they are counted twice, and their
/// names are in another order afterwards.
const Mask& mask_while_moving(std::string_view name, std::size_t words);

/// Whether two whole frames are equal as far as the mask asks for it.
bool equal_under(const Mask& mask, std::string_view a, std::string_view b);

/// The same for the reply of EXEC, whose elements have masks of their own.
bool equal_under(const std::vector<const Mask*>& masks, std::string_view a, std::string_view b);

}  // namespace cvp::oracle
