#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"

namespace cvp::op {

/// The text of a file, or of `in` where the file is called "-".
/// @errors those of load_file()
Result<std::string> load_manifest(const std::string& file, std::istream& in);

/// Reads a file as people write them for kubectl: YAML or JSON, several documents between lines of "---", the items of
/// a List each on its own.
/// @errors invalid_argument with the number of the document, line and column
Result<std::vector<nlohmann::json>> read_manifests(std::string_view text);

/// The reverse: one object, or a List of several; JSON, which kubectl takes as well.
std::string write_manifests(const std::vector<nlohmann::json>& objects);

/// Where an object keeps its pod: "" in a Pod, "/spec/template" in a Deployment and the like,
/// "/spec/jobTemplate/spec/template" in a CronJob; nothing where it has none.
const char* pod_place(const nlohmann::json& object);

/// That pod, as the API server would send it.
nlohmann::json pod_of(const nlohmann::json& object, const char* place);

}  // namespace cvp::op
