#pragma once

#include <filesystem>
#include <string>

namespace cvp::test {

/// A path inside the source tree: `source_path("tests/golden/pods")`.
std::filesystem::path source_path(const std::filesystem::path& relative);

/// The whole content of a file of the source tree. Throws if it cannot be read.
std::string read_source(const std::filesystem::path& relative);

}  // namespace cvp::test
