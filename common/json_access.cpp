#include "common/json_access.hpp"

#include <nlohmann/json.hpp>

namespace cvp {

using nlohmann::json;

const json* find_value(const json& root, std::initializer_list<std::string_view> path) {
    const json* value = &root;
    for (const auto key : path) {
        const auto found = value->find(key);
        if (found == value->end() || found->is_null()) return nullptr;
        value = &*found;
    }
    return value;
}

const json& find_array(const json& root, std::initializer_list<std::string_view> path) {
    static const json kEmpty = json::array();
    const auto* value = find_value(root, path);
    return value != nullptr && value->is_array() ? *value : kEmpty;
}

const std::string& find_string(const json& root, std::initializer_list<std::string_view> path) {
    static const std::string kEmpty;
    const auto* value = find_value(root, path);
    return value != nullptr && value->is_string() ? value->get_ref<const std::string&>() : kEmpty;
}

std::ptrdiff_t index_of_named(const json& array, std::string_view name) {
    std::ptrdiff_t index = 0;
    for (const auto& element : array) {
        if (find_string(element, {"name"}) == name) return index;
        ++index;
    }
    return -1;
}

}  // namespace cvp
