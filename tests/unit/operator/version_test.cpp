#include "operator/version.hpp"

#include <gtest/gtest.h>

namespace cvp::op {
namespace {

TEST(Version, is_that_of_the_project) {
    EXPECT_EQ(version(), CVP_VERSION);
}

}  // namespace
}  // namespace cvp::op
