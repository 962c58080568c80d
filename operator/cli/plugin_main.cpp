#include <iostream>

#include "operator/cli/plugin.hpp"

int main(int argc, char** argv) {
    return cvp::op::run_plugin(std::vector<std::string>(argv + 1, argv + argc), std::cin, std::cout, std::cerr);
}
