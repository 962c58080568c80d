#include "tests/support/read_file.hpp"

#include <fstream>
#include <iterator>

namespace cvp::test {

std::string read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace cvp::test
