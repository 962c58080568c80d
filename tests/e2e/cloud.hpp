#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace cvp::test {

/// The instance that connections of these tests name, and its short name.
inline constexpr auto kInstance = "projects/my-project/locations/europe-west3/instances/my-valkey";
inline constexpr auto kShortName = "my-valkey";

/// The emulated cloud, in the pod cloud/cloud: its admin API, which tests/emulator/admin_api.hpp describes. Throws
/// where the answer is no success.
nlohmann::json tell_cloud(const std::string& method, const std::string& path, const nlohmann::json& body = {});

/// A command on the instance's Valkey, as its administrator; the reply as JSON.
nlohmann::json ask_valkey(const std::vector<std::string>& words);

}  // namespace cvp::test
