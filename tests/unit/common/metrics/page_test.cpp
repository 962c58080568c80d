#include "common/metrics/page.hpp"

#include <gtest/gtest.h>

namespace cvp::metrics {
namespace {

constexpr Metric kRequests{"requests_total", Kind::counter, "Requests."};
constexpr Metric kOpen{"open", Kind::gauge, "Open now."};

TEST(MetricsPage, gathers_samples_under_their_metric) {
    Page page;
    page.add(kRequests, {{"connection", "a"}, {"role", "primary"}}, 3);
    page.add(kOpen, {}, 1.5);
    page.add(kRequests, {{"connection", "b"}, {"role", "primary"}}, 4);
    EXPECT_EQ(page.render(),
              "# HELP requests_total Requests.\n"
              "# TYPE requests_total counter\n"
              "requests_total{connection=\"a\",role=\"primary\"} 3\n"
              "requests_total{connection=\"b\",role=\"primary\"} 4\n"
              "# HELP open Open now.\n"
              "# TYPE open gauge\n"
              "open 1.5\n");
}

TEST(MetricsPage, keeps_large_counters_exact_and_escapes_labels) {
    Page page;
    page.add(kRequests, {{"connection", "a\"\n"}}, 9007199254740991.0);
    EXPECT_EQ(page.render(),
              "# HELP requests_total Requests.\n# TYPE requests_total counter\n"
              "requests_total{connection=\"a\\\"\\n\"} 9007199254740991\n");
}

}  // namespace
}  // namespace cvp::metrics
