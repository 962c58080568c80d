#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/metrics/histogram.hpp"

namespace cvp::metrics {

enum class Kind { counter, gauge, histogram };

/// A metric as an interface: name, kind and help never change between releases. Listed once per program, as constants.
struct Metric {
    std::string_view name;  ///< with its unit: "…_total", "…_seconds", "…_bytes"
    Kind kind = Kind::counter;
    std::string_view help;
};

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// The answer to one scrape, built from counters that live elsewhere: nothing is registered and nothing is counted
/// twice. Samples of one metric are gathered under it, in the order in which metrics were first added.
class Page {
public:
    /// @param metric a constant: it is kept by address
    void add(const Metric& metric, Labels labels, double value);
    /// The same for a metric of Kind::histogram; a copy is taken.
    void add(const Metric& metric, Labels labels, const Histogram& histogram);

    /// Prometheus' text format; its Content-Type is kContentType.
    /// @source https://prometheus.io/docs/instrumenting/exposition_formats/
    std::string render() const;

    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

private:
    struct Sample {
        std::vector<std::pair<std::string, std::string>> labels;
        std::variant<double, Histogram> value;
    };
    struct Family {
        const Metric* metric;
        std::vector<Sample> samples;
    };

    void add_sample(const Metric& metric, Labels labels, std::variant<double, Histogram> value);

    std::vector<Family> families_;
};

}  // namespace cvp::metrics
