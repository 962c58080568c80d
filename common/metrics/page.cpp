#include "common/metrics/page.hpp"

#include <algorithm>
#include <limits>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace cvp::metrics {
namespace {

prometheus::MetricType type_of(Kind kind) {
    switch (kind) {
        case Kind::counter:
            return prometheus::MetricType::Counter;
        case Kind::gauge:
            return prometheus::MetricType::Gauge;
        case Kind::histogram:
            return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram to_prometheus(const Histogram& histogram) {
    prometheus::ClientMetric::Histogram out;
    out.sample_count = histogram.count();
    out.sample_sum = histogram.sum();
    const auto counts = histogram.cumulative_counts();
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const bool is_last = i == histogram.upper_bounds().size();
        const auto bound = is_last ? std::numeric_limits<double>::infinity() : histogram.upper_bounds()[i];
        out.bucket.push_back({counts[i], bound});
    }
    return out;
}

}  // namespace

void Page::add(const Metric& metric, Labels labels, double value) {
    add_sample(metric, labels, value);
}

void Page::add(const Metric& metric, Labels labels, const Histogram& histogram) {
    add_sample(metric, labels, histogram);
}

void Page::add_sample(const Metric& metric, Labels labels, std::variant<double, Histogram> value) {
    auto family =
        std::find_if(families_.begin(), families_.end(), [&](const Family& f) { return f.metric == &metric; });
    if (family == families_.end()) family = families_.insert(family, Family{&metric, {}});
    family->samples.push_back({{labels.begin(), labels.end()}, std::move(value)});
}

std::string Page::render() const {
    std::vector<prometheus::MetricFamily> families;
    for (const auto& family : families_) {
        auto& out = families.emplace_back();
        out.name = family.metric->name;
        out.help = family.metric->help;
        out.type = type_of(family.metric->kind);
        for (const auto& sample : family.samples) {
            auto& metric = out.metric.emplace_back();
            for (const auto& [name, value] : sample.labels)
                metric.label.push_back({name, value});
            if (const auto* histogram = std::get_if<Histogram>(&sample.value)) {
                metric.histogram = to_prometheus(*histogram);
            } else {
                const bool is_counter = family.metric->kind == Kind::counter;
                (is_counter ? metric.counter.value : metric.gauge.value) = std::get<double>(sample.value);
            }
        }
    }
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace cvp::metrics
