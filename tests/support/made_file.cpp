#include "tests/support/made_file.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

std::string line_of(std::istream& text) {
    std::string line;
    return std::getline(text, line) ? line : "(the end)";
}

}  // namespace

std::string differs_from_made(const std::filesystem::path& relative, const std::string& made,
                              const std::string& update) {
    if (std::getenv(update.c_str()) != nullptr) std::ofstream(source_path(relative), std::ios::binary) << made;
    const auto there = read_source(relative);
    if (there == made) return {};
    std::istringstream lines_there(there);
    std::istringstream lines_made(made);
    std::string was;
    std::string is;
    int number = 0;
    do {
        was = line_of(lines_there);
        is = line_of(lines_made);
        ++number;
    } while (was == is && lines_there && lines_made);
    return relative.string() + ":" + std::to_string(number) + "\n  has:  " + was + "\n  made: " + is + "\n  " + update +
           "=1 makes it anew";
}

}  // namespace cvp::test
