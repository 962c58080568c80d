#pragma once

#include <cstdint>
#include <vector>

namespace cvp::metrics {

/// Counts observations by size. A value that its owner keeps and adds to a Page at each scrape; one thread.
class Histogram {
public:
    /// @param upper_bounds of the buckets, ascending, without the infinite one
    explicit Histogram(std::vector<double> upper_bounds);

    void observe(double value, std::uint64_t times = 1);

    const std::vector<double>& upper_bounds() const { return upper_bounds_; }
    /// Observations at or below each upper bound, all of them last.
    std::vector<std::uint64_t> cumulative_counts() const;
    std::uint64_t count() const { return count_; }
    double sum() const { return sum_; }

private:
    std::vector<double> upper_bounds_;
    std::vector<std::uint64_t> counts_;  // per bucket, the infinite one last
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

}  // namespace cvp::metrics
