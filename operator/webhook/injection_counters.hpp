#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "common/async/asio.hpp"
#include "common/metrics/histogram.hpp"
#include "common/metrics/page.hpp"

namespace cvp::op {

/// Counts reviews by what came of them, and the answers to them. Owner: the App; it outlives the webhook's server. One
/// thread.
class InjectionCounters {
public:
    InjectionCounters();

    /// @param result "injected", "refused", "untouched" or "malformed"
    /// @param reason "" or a constant such as "PortClash": both are kept by address
    void count(std::string_view result, std::string_view reason) { ++counts_[{result, reason}]; }

    /// Counts an answer that the handler gave.
    void count_answer(unsigned status, SteadyClock::duration took);

    /// How often that was counted.
    std::uint64_t value(std::string_view result, std::string_view reason) const;

    /// Adds cloudvalkey_operator_injections_total{result,reason}, and the answers under controller-runtime's names.
    /// @param in_flight requests that are being read or answered at present
    void describe(metrics::Page& page, std::size_t in_flight = 0) const;

private:
    std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> counts_;
    std::map<unsigned, std::uint64_t> answers_;
    metrics::Histogram latencies_;
};

}  // namespace cvp::op
