#pragma once

#include <string>
#include <string_view>

#include "operator/kube/api.hpp"

namespace cvp::op {

/// Adds "?key=value" or "&key=value", percent-encoded; nothing for an empty value.
void add_query(std::string& target, std::string_view key, const std::string& value);

/// Target of a list: the collection with its query.
std::string list_target(const ResourcePath& path, const ListOptions& options);

/// Target of a watch, with bookmarks.
std::string watch_target(const ResourcePath& path, const WatchOptions& options);

}  // namespace cvp::op
