#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "common/metrics/page.hpp"

namespace cvp::op {

/// Counts answered reviews by what came of them. Owner: the App; it outlives the webhook's server. One thread.
class InjectionCounters {
public:
    /// @param result "injected", "refused", "untouched" or "malformed"
    /// @param reason "" or a constant such as "PortClash": both are kept by address
    void count(std::string_view result, std::string_view reason) { ++counts_[{result, reason}]; }

    /// How often that was counted.
    std::uint64_t value(std::string_view result, std::string_view reason) const;

    /// Adds cloudvalkey_operator_injections_total{result,reason}.
    void describe(metrics::Page& page) const;

private:
    std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> counts_;
};

}  // namespace cvp::op
