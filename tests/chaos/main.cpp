#include <cstdio>

#include <gtest/gtest.h>

#include "tests/support/network_namespace.hpp"

/// Routes are cut here: in a network namespace of our own nobody else feels it.
int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    const auto entered = GTEST_FLAG_GET(list_tests) ? cvp::Result<void>() : cvp::test::enter_network_namespace();
    if (!entered) {
        std::fprintf(stderr, "%s\n", to_string(entered.error()).c_str());
        return 1;
    }
    return RUN_ALL_TESTS();
}
