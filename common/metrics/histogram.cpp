#include "common/metrics/histogram.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace cvp::metrics {

Histogram::Histogram(std::vector<double> upper_bounds)
    : upper_bounds_(std::move(upper_bounds)), counts_(upper_bounds_.size() + 1) {}

void Histogram::observe(double value, std::uint64_t times) {
    const auto bucket = std::lower_bound(upper_bounds_.begin(), upper_bounds_.end(), value) - upper_bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)] += times;
    count_ += times;
    sum_ += value * static_cast<double>(times);
}

std::vector<std::uint64_t> Histogram::cumulative_counts() const {
    auto totals = counts_;
    std::partial_sum(totals.begin(), totals.end(), totals.begin());
    return totals;
}

}  // namespace cvp::metrics
