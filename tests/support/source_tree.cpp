#include "tests/support/source_tree.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace cvp::test {

std::filesystem::path source_path(const std::filesystem::path& relative) {
    return std::filesystem::path(CVP_SOURCE_DIR) / relative;
}

std::string read_source(const std::filesystem::path& relative) {
    std::ifstream in(source_path(relative), std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + source_path(relative).string());
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace cvp::test
