#include "common/metrics/histogram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/metrics/page.hpp"

namespace cvp::metrics {
namespace {

using testing::ElementsAre;

TEST(Histogram, a_bucket_holds_what_is_at_or_below_its_bound) {
    Histogram histogram({0.1, 1});
    for (const double value : {0.05, 0.1, 0.2, 1.0, 5.0})
        histogram.observe(value);
    EXPECT_THAT(histogram.cumulative_counts(), ElementsAre(2, 4, 5));
    EXPECT_EQ(histogram.count(), 5U);
    EXPECT_DOUBLE_EQ(histogram.sum(), 6.35);
}

TEST(Histogram, is_rendered_with_its_infinite_bucket) {
    static constexpr Metric kTook{"took_seconds", Kind::histogram, "Time taken."};
    Histogram histogram({0.5, 1});
    histogram.observe(0.75);
    histogram.observe(2);
    Page page;
    page.add(kTook, {{"controller", "x"}}, histogram);
    EXPECT_EQ(page.render(),
              "# HELP took_seconds Time taken.\n"
              "# TYPE took_seconds histogram\n"
              "took_seconds_count{controller=\"x\"} 2\n"
              "took_seconds_sum{controller=\"x\"} 2.75\n"
              "took_seconds_bucket{controller=\"x\",le=\"0.5\"} 0\n"
              "took_seconds_bucket{controller=\"x\",le=\"1\"} 1\n"
              "took_seconds_bucket{controller=\"x\",le=\"+Inf\"} 2\n");
}

}  // namespace
}  // namespace cvp::metrics
