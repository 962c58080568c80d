#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

/// Reading foreign JSON without exceptions: what is absent, null or of another type is simply not there.
namespace cvp {

/// The value behind a path of member names, or nullptr where one is missing or null.
const nlohmann::json* find_value(const nlohmann::json& root, std::initializer_list<std::string_view> path);

/// The array behind a path, or an empty one.
const nlohmann::json& find_array(const nlohmann::json& root, std::initializer_list<std::string_view> path);

/// The string behind a path, or an empty one.
const std::string& find_string(const nlohmann::json& root, std::initializer_list<std::string_view> path);

/// Position of the element whose member `name` has that value, or -1.
std::ptrdiff_t index_of_named(const nlohmann::json& array, std::string_view name);

}  // namespace cvp
