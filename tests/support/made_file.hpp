// Files of the source tree that a test makes: pages of the reference, the objects that the chart renders.

#pragma once

#include <filesystem>
#include <string>

namespace cvp::test {

/// Empty where the file is `made`; else its first line that is not, what was made instead, and how to make it anew.
/// Where the environment has `update` (CVP_UPDATE_DOCS, CVP_UPDATE_GOLDEN), it is made anew first: read the diff then.
std::string differs_from_made(const std::filesystem::path& relative, const std::string& made,
                              const std::string& update);

}  // namespace cvp::test
