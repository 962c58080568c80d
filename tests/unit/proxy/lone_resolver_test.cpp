#include "proxy/lone_resolver.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

TEST(Resolve, is_due_after_its_interval) {
    const auto last = SteadyClock::now();
    EXPECT_FALSE(is_resolve_due(last + 59min, last, 1h, true));
    EXPECT_TRUE(is_resolve_due(last + 1h, last, 1h, true));
}

TEST(Resolve, is_due_once_a_minute_while_the_upstream_is_not_reached) {
    const auto last = SteadyClock::now();
    EXPECT_FALSE(is_resolve_due(last + 59s, last, 1h, false));
    EXPECT_TRUE(is_resolve_due(last + 60s, last, 1h, false));
}

}  // namespace
}  // namespace cvp::proxy
