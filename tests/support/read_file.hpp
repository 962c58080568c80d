#pragma once

#include <filesystem>
#include <string>

namespace cvp::test {

/// The whole content of a file, a log or a page of /proc; "" if it is not there (yet).
std::string read_file(const std::filesystem::path& file);

}  // namespace cvp::test
