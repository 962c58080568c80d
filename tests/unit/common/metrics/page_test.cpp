#include "common/metrics/page.hpp"

#include <cmath>

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

TEST(MetricsPage, escapes_backslashes_everywhere_and_quotes_in_labels_alone) {
    static constexpr Metric kOdd{"odd", Kind::gauge, "A \"word\", a \\ and a\nline."};
    Page page;
    page.add(kOdd, {{"path", "C:\\\"x\""}}, 1);
    EXPECT_EQ(page.render(),
              "# HELP odd A \"word\", a \\\\ and a\\nline.\n# TYPE odd gauge\nodd{path=\"C:\\\\\\\"x\\\"\"} 1\n");
}

TEST(MetricsPage, writes_numbers_that_read_back_the_same) {
    Page page;
    for (const double value : {0.1, 1e-9, 1e300, 1795305600.25, HUGE_VAL, -HUGE_VAL, std::nan("")})
        page.add(kOpen, {}, value);
    EXPECT_EQ(page.render(),
              "# HELP open Open now.\n# TYPE open gauge\n"
              "open 0.1\nopen 1e-09\nopen 1e+300\nopen 1795305600.25\nopen +Inf\nopen -Inf\nopen NaN\n");
}

}  // namespace
}  // namespace cvp::metrics
