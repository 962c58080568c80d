#pragma once

#include <string>

#include "common/yaml/node.hpp"

namespace cvp::test {

/// The fields of a CRD's newest version as lines of a Markdown table: path, type with bounds, default, description.
///
/// @param part "spec" or "status"
std::string crd_table(const yaml::Node& crd, const std::string& part);

}  // namespace cvp::test
