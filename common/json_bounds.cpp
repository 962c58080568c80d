#include "common/json_bounds.hpp"

namespace cvp {
namespace {

/// The position of the quote that ends a string, or the end of the text.
std::size_t end_of_string(std::string_view json, std::size_t begin) {
    for (auto at = begin; at < json.size(); ++at) {
        if (json[at] == '"') return at;
        if (json[at] == '\\') ++at;
    }
    return json.size();
}

}  // namespace

bool is_within_bounds(std::string_view json, const JsonBounds& bounds) {
    std::size_t depth = 0;
    std::size_t values = 1;
    for (std::size_t at = 0; at < json.size(); ++at) {
        switch (json[at]) {
            case '"':
                at = end_of_string(json, at + 1);
                break;
            case '[':
            case '{':
                ++values;  // one too many where it is empty
                if (++depth > bounds.depth) return false;
                break;
            case ']':
            case '}':
                if (depth > 0) --depth;
                break;
            case ',':
                ++values;
                break;
            default:
                break;
        }
        if (values > bounds.values) return false;
    }
    return true;
}

}  // namespace cvp
