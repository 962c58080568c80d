#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"

namespace cvp::op {

/// What a page of a list says besides its items.
struct ListEnd {
    std::string resource_version;
    std::string continue_token;  ///< "": it was the last page
};

/// Takes the items of a List out of its JSON while it arrives, one by one: a page of 500 pods is 3 MB of text and ten
/// times that as one document.
///
/// Expected flow: feed() a piece, next() until it hands out nothing, and so on; finish() at the end of the body.
/// Bytes may be cut anywhere. The order of the List's members does not matter. Bounded by one item and by what is
/// around the items. After an error it cannot be used any more.
class ListDecoder {
public:
    /// @param max_item_bytes as of JsonLines
    explicit ListDecoder(std::size_t max_item_bytes = 16 * 1024 * 1024) : max_item_bytes_(max_item_bytes) {}

    /// Adds a piece of the body.
    void feed(std::string_view piece);

    /// The next whole item, or nothing until more is fed.
    /// @errors protocol_error: this is no List in JSON, or an item is too long
    Result<std::optional<nlohmann::json>> next();

    /// Says that the body has ended.
    /// @errors protocol_error: it ended too early, is no List or lacks its resourceVersion
    Result<ListEnd> finish();

private:
    enum class Place { envelope, between_items, item };
    enum class Gap { before_first, after_item, after_comma };

    bool take(char c);
    bool take_outside(char c);
    bool take_between(char c);
    Result<std::optional<nlohmann::json>> hand_out();

    std::size_t max_item_bytes_;
    std::string input_;
    std::size_t read_ = 0;  ///< of input_

    Place place_ = Place::envelope;
    std::string envelope_;          ///< the List without its items
    std::string item_;              ///< as far as it has come
    std::string key_;               ///< of the member of the List that is being read
    std::size_t string_begin_ = 0;  ///< in envelope_, of the string that was read last at the top
    int depth_ = 0;
    bool in_string_ = false;
    bool is_escaped_ = false;
    Gap gap_ = Gap::before_first;
};

}  // namespace cvp::op
