#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "operator/api/valkey_connection.hpp"
#include "operator/runtime/object_key.hpp"

namespace cvp::op {

/// Whose a ConfigMap of our name is.
enum class Ownership {
    absent,
    ours,     ///< this connection is its controller
    stale,    ///< an earlier connection of the same name was: garbage collection is about to remove it
    foreign,  ///< anybody else's, or nobody's: never touched, never adopted
};

/// @param config_map nullptr: there is none
Ownership ownership_of(const nlohmann::json* config_map, const ValkeyConnection& connection);

/// The ConfigMap as it should be, with `document` in it. For POST as it is; for server-side apply the preconditions are
/// added by add_preconditions().
nlohmann::json build_config_map(const ValkeyConnection& connection, const std::string& document);

/// Makes an apply fail where the object is not the one that was read: metadata.uid and metadata.resourceVersion.
void add_preconditions(nlohmann::json& desired, const nlohmann::json& live);

/// Whether `live` already says all that `desired` does.
bool is_up_to_date(const nlohmann::json& live, const nlohmann::json& desired);

/// The document, if it is as we wrote it (an annotation holds its digest); "" if somebody edited it.
std::string unedited_document(const nlohmann::json& config_map);

/// The connection that a ConfigMap's name speaks of: "cloudvalkey-sessions" → "sessions".
std::optional<ObjectKey> connection_of_config_map(const ObjectKey& config_map);

}  // namespace cvp::op
