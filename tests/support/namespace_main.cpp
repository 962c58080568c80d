#include <cstdio>

#include <gtest/gtest.h>

#include "tests/support/network_namespace.hpp"

/// For tests that take default ports or cut routes: in a network namespace of their own those ports are free, and
/// nobody else feels what is cut. Linked with GTest::gmock instead of gmock_main.
int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    const auto entered = GTEST_FLAG_GET(list_tests) ? cvp::Result<void>() : cvp::test::enter_network_namespace();
    if (!entered) {
        std::fprintf(stderr, "%s\n", to_string(entered.error()).c_str());
        return 1;
    }
    return RUN_ALL_TESTS();
}
